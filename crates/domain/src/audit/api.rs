//! The operations of audit.

use super::db;
use crate::{Call, Mount, ReadHandler, Services, text};
use bailiwick_base::{Page, Problem};
use bailiwick_contract::audit::{ListTrail, TrailEntry, TrailOutcome};
use bailiwick_store::ReadScope;
use serde_json::Value;

pub fn mount(to: &mut impl Mount) {
    to.read::<ListTrail>();
}

impl ReadHandler for ListTrail {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<TrailEntry>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let before = text::cursor::<1>(&call.query.cursor)?.map(|[seq]| text::part(&seq)).transpose()?;
        let refused = call.query.outcome.map(|o| o == TrailOutcome::Refused);
        let rows = db::entries(scope.sql(), call.tenant, call.query.action.as_deref(), refused, before, limit).await?;
        let entries = rows.into_iter().map(|(seq, body, hash)| entry(seq, &body, &hash)).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::from_rows(entries, limit as usize, |e| vec![e.seq.to_string()]))
    }
}

/// The body is the entry as it was hashed; number and hash stand beside it.
fn entry(seq: i64, body: &str, hash: &[u8]) -> Result<TrailEntry, Problem> {
    let mut value: Value = serde_json::from_str(body).map_err(Problem::internal)?;
    value["seq"] = seq.into();
    value["hash"] = hex::encode(hash).into();
    serde_json::from_value(value).map_err(Problem::internal)
}

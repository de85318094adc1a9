//! The trail: no change and no disclosure without its entry, in the same transaction; refusals are heard of; the chain holds.

use crate::look::{fingerprint, tenant_tables};
use crate::stage::{Stage, audited};
use bailiwick_contract::{Effect, Guard};
use bailiwick_proof::Hash;
use bailiwick_sim::Forge;
use bailiwick_testkit::sim;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

/// Number, action, body and hash of every entry of Contoso's, oldest first.
async fn entries(stage: &Stage, sql: &mut PgConnection) -> Vec<(i64, String, String, Vec<u8>)> {
    sqlx::query_as("SELECT seq, action, body, hash FROM bailiwick.trail_entries WHERE tenant_id = $1 ORDER BY seq")
        .bind(stage.contoso().id.0)
        .fetch_all(sql)
        .await
        .unwrap()
}

/// Tables with a row that the transaction of the newest entry wrote.
async fn written_with_the_newest_entry(stage: &Stage, sql: &mut PgConnection) -> Vec<String> {
    let mut written = Vec::new();
    for table in tenant_tables(sql).await.into_iter().filter(|t| !t.starts_with("trail_")).chain(["tenants".into()]) {
        let key = if table == "tenants" { "id" } else { "tenant_id" };
        let statement = format!(
            "SELECT EXISTS (SELECT FROM bailiwick.{table} x WHERE x.{key} = $1 AND x.xmin =
                (SELECT e.xmin FROM bailiwick.trail_entries e WHERE e.tenant_id = $1 ORDER BY e.seq DESC LIMIT 1))"
        );
        if sqlx::query_scalar(AssertSqlSafe(statement)).bind(stage.contoso().id.0).fetch_one(&mut *sql).await.unwrap() {
            written.push(table);
        }
    }
    written
}

#[tokio::test]
async fn i41_every_change_and_disclosure_leaves_exactly_its_entry_in_its_transaction() {
    let stage = Stage::new().await;
    let (owner, mut look) = (stage.contoso().owner(), stage.world.look().await);
    for op in audited() {
        let prepared = stage.prepare(op).await;
        let before = entries(&stage, &mut look).await.len();
        let answer = prepared.send(&owner).await;
        assert_eq!(answer.status, op.status, "{}: {}", op.id, String::from_utf8_lossy(&answer.bytes));
        let after = entries(&stage, &mut look).await;
        let new: Vec<&str> = after[before..].iter().map(|entry| entry.1.as_str()).collect();
        assert_eq!(new, [op.audit.unwrap()], "{}", op.id);
        let body: Value = serde_json::from_str(&after[before].2).unwrap();
        // What a token allows is done by whoever holds it: nobody is known.
        let actor = if matches!(op.guard, Guard::Open(_)) { "link in a mail" } else { "owner of Contoso" };
        assert_eq!((&body["actor"]["name"], &body["outcome"]), (&json!(actor), &json!("done")), "{}", op.id);
        assert_eq!(body["request_id"], answer.headers["x-request-id"].to_str().unwrap(), "{}", op.id);
        assert!(body["target"].as_str().unwrap().contains('/'), "{}: {body}", op.id);
        let written = written_with_the_newest_entry(&stage, &mut look).await;
        // What was removed has no row left to show its transaction; the next test shows it by what stays.
        if op.effect == Effect::Write && !["remove_member", "remove_scan_schedule", "remove_notification_rule"].contains(&op.id) {
            assert!(!written.is_empty(), "{}: no row of the entry's transaction", op.id);
        }
    }
}

/// A tenant whose trail cannot take the entry: nothing is changed and not one byte is disclosed.
#[tokio::test]
async fn i41_when_the_entry_cannot_be_written_nothing_happens() {
    let stage = Stage::new().await;
    let (owner, mut look, tenant) = (stage.contoso().owner(), stage.world.look().await, stage.contoso().id);
    for op in audited() {
        let prepared = stage.prepare(op).await;
        let before = fingerprint(&stage.world, tenant).await;
        sqlx::query("CREATE TABLE public.kept AS SELECT * FROM bailiwick.trail_heads WHERE tenant_id = $1")
            .bind(tenant.0)
            .execute(&mut look)
            .await
            .unwrap();
        sqlx::query("DELETE FROM bailiwick.trail_heads WHERE tenant_id = $1").bind(tenant.0).execute(&mut look).await.unwrap();
        let answer = prepared.send(&owner).await;
        sqlx::query("INSERT INTO bailiwick.trail_heads SELECT * FROM public.kept").execute(&mut look).await.unwrap();
        sqlx::query("DROP TABLE public.kept").execute(&mut look).await.unwrap();
        assert_eq!(answer.status, 500, "{}: {}", op.id, String::from_utf8_lossy(&answer.bytes));
        assert!(answer.bytes.len() < 1_000, "{}: bytes were disclosed", op.id);
        assert_eq!(before, fingerprint(&stage.world, tenant).await, "{} changed something", op.id);
    }
}

/// The answer's head is there, not one byte of its body was asked for yet, and the entry stands.
#[tokio::test]
async fn i41_a_disclosure_is_written_down_before_its_first_byte() {
    let stage = Stage::new().await;
    let (owner, mut look) = (stage.contoso().owner(), stage.world.look().await);
    let before = entries(&stage, &mut look).await.len();
    let path = format!("/api/v1/runs/{}/artifacts/{}", stage.runs[1], crate::stage::REPORT);
    let response = owner.request(reqwest::Method::GET, &path).send().await.unwrap();
    let after = entries(&stage, &mut look).await;
    assert_eq!(after[before..].iter().map(|e| e.1.as_str()).collect::<Vec<_>>(), ["artifact.read"]);
    assert!(!response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn i41_refusals_are_in_the_trail_with_who_and_why() {
    let stage = Stage::new().await;
    let mut look = stage.world.look().await;
    for caller in stage.callers().await {
        let reason = match caller.name {
            "member" => "not_allowed",
            "outsider of the directory" => "not_a_member",
            "workload without role" => "missing_role",
            "revoked key" | "expired key" => "dead_key",
            _ => continue,
        };
        let before = entries(&stage, &mut look).await.len();
        caller.actor.patch("/api/v1/settings", json!({"unknown_directory": "add"})).await;
        let after = entries(&stage, &mut look).await;
        let [entry] = &after[before..] else { panic!("{}: {} entries", caller.name, after.len() - before) };
        let body: Value = serde_json::from_str(&entry.2).unwrap();
        assert_eq!((entry.1.as_str(), &body["outcome"]), ("access.refused", &json!("refused")), "{}", caller.name);
        assert_eq!(body["detail"], json!({"operation": "change_settings", "reason": reason}), "{}", caller.name);
        assert_eq!(body["address"], "127.0.0.1", "{}", caller.name);
    }
}

/// A token that the directory did sign, and that is refused all the same, is a failed sign-in. One that anybody could have made is not
/// written down: strangers would fill the trail.
#[tokio::test]
async fn i41_failed_sign_ins_with_a_signed_token_are_in_the_trail() {
    let stage = Stage::new().await;
    let mut look = stage.world.look().await;
    let org = stage.contoso().org;
    for (wrong, reason) in [
        (Forge::Expired, Some("expired")),
        (Forge::NotYetValid, Some("not_yet_valid")),
        (Forge::WrongAudience, Some("wrong_audience")),
        (Forge::Unsigned, None),
        (Forge::WrongKey, None),
        (Forge::TamperedPayload, None),
    ] {
        let before = entries(&stage, &mut look).await.len();
        let token = sim().forge(org.directory, org.owner, wrong).unwrap();
        stage.contoso().with_token(&token).get("/api/v1/findings").await.refused(401);
        let after = entries(&stage, &mut look).await;
        let reasons: Vec<Value> =
            after[before..].iter().map(|e| serde_json::from_str::<Value>(&e.2).unwrap()["detail"]["reason"].clone()).collect();
        assert_eq!(reasons, reason.map(Value::from).into_iter().collect::<Vec<_>>(), "{wrong:?}");
    }
}

/// After everything the product can do, the chain of each tenant verifies offline, up to its head.
#[tokio::test]
async fn i41_the_chain_verifies_after_every_operation() {
    let stage = Stage::new().await;
    let (owner, mut look) = (stage.contoso().owner(), stage.world.look().await);
    for op in audited() {
        stage.prepare(op).await.send(&owner).await;
        stage.contoso().outsider().get("/api/v1/me").await;
    }
    let stored = entries(&stage, &mut look).await;
    assert!(stored.len() > 50, "{}", stored.len());
    let chain = || stored.iter().map(|(seq, _, body, hash)| (*seq, body.as_str(), Hash::try_from(hash.as_slice()).unwrap()));
    let head = bailiwick_proof::verify(chain()).unwrap();
    let kept: (i64, Vec<u8>) = sqlx::query_as("SELECT seq, hash FROM bailiwick.trail_heads WHERE tenant_id = $1")
        .bind(stage.contoso().id.0)
        .fetch_one(&mut look)
        .await
        .unwrap();
    assert_eq!((head.0, head.1.to_vec()), kept);
    // And it does notice: an entry taken out of the middle breaks it.
    assert!(bailiwick_proof::verify(chain().enumerate().filter(|(n, _)| *n != 7).map(|(_, entry)| entry)).is_err());
    // What the API shows is what is chained.
    let shown = owner.get("/api/v1/trail?limit=1").await.ok();
    assert_eq!(shown["items"][0]["hash"], hex::encode(&stored.last().unwrap().3));
}

/// What a job does is written as well: the run's processing, by Bailiwick itself.
#[tokio::test]
async fn i41_what_jobs_do_is_in_the_trail() {
    let stage = Stage::new().await;
    let mut look = stage.world.look().await;
    let processed = entries(&stage, &mut look).await.into_iter().filter(|e| e.1 == "run.processed").collect::<Vec<_>>();
    // Two nightly runs, the weekly one, and the run of the completed scan.
    assert_eq!(processed.len(), 4);
    let body: Value = serde_json::from_str(&processed[0].2).unwrap();
    assert_eq!((&body["actor"]["kind"], &body["target"]), (&json!("system"), &json!(format!("run/{}", stage.runs[0]))));
}

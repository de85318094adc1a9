//! The operations of findings.

use super::drift::{ITEMS, compare};
use super::list::{self, Among};
use crate::{Call, Mount, ReadHandler, Services, WriteHandler};
use bailiwick_base::{Code, Page, Problem, SeriesId};
use bailiwick_contract::Empty;
use bailiwick_contract::evidence::ObservationPage;
use bailiwick_contract::findings::{
    Drift, Facets, Finding, FindingDetail, GetDrift, GetFacets, GetFinding, GetOverview, ListControls, ListFindings, ListSeries, Overview,
    PinBaseline, Series, UnpinBaseline,
};
use bailiwick_store::{Audited, ReadScope, WriteScope};
use serde_json::json;

pub fn mount(to: &mut impl Mount) {
    to.read::<GetOverview>();
    to.read::<ListFindings>();
    to.read::<GetFacets>();
    to.read::<GetFinding>();
    to.read::<ListControls>();
    to.read::<GetDrift>();
    to.read::<ListSeries>();
    to.write::<PinBaseline>();
    to.write::<UnpinBaseline>();
}

impl ReadHandler for GetOverview {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Overview, Problem> {
        list::overview(scope, call.query, services.store.now()).await
    }
}

impl ReadHandler for ListFindings {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Finding>, Problem> {
        list::findings(scope, call.query).await
    }
}

impl ReadHandler for GetFacets {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Facets, Problem> {
        list::facets(scope, call.query).await
    }
}

impl ReadHandler for GetFinding {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<FindingDetail, Problem> {
        list::finding(scope, call.path.finding).await
    }
}

impl ReadHandler for ListControls {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<ObservationPage, Problem> {
        list::observations(scope, Among::Latest, call.query).await
    }
}

impl ReadHandler for GetDrift {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Drift, Problem> {
        let found = compare(scope, &call.query, ITEMS).await?;
        found.ok_or_else(|| {
            let detail = "There is no such pair: two runs can be compared when both belong to one series, which takes two runs of the same family about the same directory or project.";
            Problem::new(Code::NotFound, detail)
        })
    }
}

impl ReadHandler for ListSeries {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Series>, Problem> {
        list::series_list(scope, call.query).await
    }
}

fn target(id: SeriesId) -> String {
    format!("series/{id}")
}

impl WriteHandler for PinBaseline {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Series>, Problem> {
        let (tenant, id) = (call.tenant, call.path.series);
        if list::series_by(scope.sql(), tenant, id).await?.is_none() {
            return Err(Problem::not_found());
        }
        if !list::set_baseline(scope.sql(), tenant, id, Some(call.body.run)).await? {
            return Err(Problem::new(Code::NotFound, "The run is not one of this series. Pin one that is.").at("run"));
        }
        let series = list::series_by(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
        Ok(Audited::new(series, target(id), json!({"run": call.body.run})))
    }
}

impl WriteHandler for UnpinBaseline {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        if !list::set_baseline(scope.sql(), call.tenant, call.path.series, None).await? {
            return Err(Problem::not_found());
        }
        Ok(Audited::new(Empty, target(call.path.series), json!({})))
    }
}

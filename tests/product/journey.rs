//! The main journey: reports go in, drift comes out.

use bailiwick_sim::scenario;
use bailiwick_testkit::World;
use serde_json::json;

#[tokio::test]
async fn two_days_of_maester_reports_become_findings_and_drift() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let (day1, day2) = (scenario::maester_report(&world.contoso.org, 1), scenario::maester_report(&world.contoso.org, 2));
    let first = pipeline.submit(json!({"source": "GitHub Actions", "pipeline_run_id": "1"}), &[("TestResults.json", &day1)]).await;
    world.work().await;
    let run = owner.get(&format!("/api/v1/runs/{first}")).await.ok();
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(
        run["findings"]["new"],
        run["counts"]["failed"].as_u64().unwrap()
            + run["counts"]["error"].as_u64().unwrap()
            + run["counts"]["investigate"].as_u64().unwrap()
    );

    let second = pipeline.submit(json!({"source": "GitHub Actions", "pipeline_run_id": "2"}), &[("TestResults.json", &day2)]).await;
    world.work().await;
    let drift = owner.get("/api/v1/drift").await.ok();
    assert_eq!((&drift["from"]["run"], &drift["to"]["run"]), (&json!(first), &json!(second)));
    let moved = |movement: &str| {
        let items = drift["items"].as_array().unwrap().iter().filter(|i| i["movement"] == movement);
        items.map(|i| i["check_key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(moved("regression"), ["MT.1005", "MT.1092"]);
    assert_eq!(moved("fixed"), ["EIDSCA.AP04"]);
    assert_eq!(moved("added"), ["MT.1073"]);
    assert_eq!(moved("removed"), ["EIDSCA.PR05"]);
    assert_eq!(moved("other"), ["MT.1096"]);
    let overview = owner.get("/api/v1/overview").await.ok();
    assert_eq!(overview["trend"].as_array().unwrap().len(), 2, "{overview:#}");
    let findings = owner.get("/api/v1/findings?limit=200").await.ok();
    let new: Vec<&str> =
        findings["items"].as_array().unwrap().iter().filter(|f| f["life"] == "new").map(|f| f["check_key"].as_str().unwrap()).collect();
    assert!(new.contains(&"MT.1005"), "{new:?}");
    let finding = findings["items"][0]["id"].as_str().unwrap();
    owner.get(&format!("/api/v1/findings/{finding}")).await.ok();
    owner.get("/api/v1/findings/facets").await.ok();
    owner.get("/api/v1/controls").await.ok();
    owner.get(&format!("/api/v1/runs/{second}/observations")).await.ok();
    owner.get("/api/v1/reports").await.ok();
    owner.get("/api/v1/series").await.ok();
    owner.get("/api/v1/trail").await.ok();
    owner.get("/api/v1/api-keys").await.ok();
    owner.get("/api/v1/me").await.ok();
    assert_eq!(owner.get(&format!("/api/v1/runs/{second}/artifacts/TestResults.json")).await.bytes, day2);
}

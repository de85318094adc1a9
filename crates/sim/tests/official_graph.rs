//! Microsoft's own Python clients, msgraph-sdk and azure-mgmt-*, read a scenario directory and change a policy of it: by the simulator's own name,
//! and by Microsoft's names through the CONNECT proxy with no setting of the client changed.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    Sim, SimConfig,
    demo::{READER_CLIENT_ID, READER_SECRET, TAILSPIN, WRITER_CLIENT_ID, WRITER_SECRET},
};
use serde_json::json;
use support::python::Environment;

const CLIENTS: Environment = Environment {
    name: "venv-graph",
    // msgraph-core imports Deprecated without saying so.
    packages: &[
        "msgraph-sdk==1.65.0",
        "azure-identity==1.27.0",
        "azure-mgmt-keyvault==14.1.0",
        "azure-mgmt-storage==25.3.0",
        "Deprecated==1.3.1",
    ],
};

async fn read(real_names: bool) {
    let sim = Sim::start(SimConfig::demo(&[support::PORTAL])).await.unwrap();
    assert!(sim.consent(TAILSPIN.directory, READER_CLIENT_ID) && sim.consent(TAILSPIN.directory, WRITER_CLIENT_ID));
    sim.set_page_size(Some(5));
    let origin = if real_names { "https://login.microsoftonline.com".to_owned() } else { sim.url() };
    let settings = json!({
        "real_names": real_names, "origin": origin, "graph": sim.graph_url(), "arm": sim.arm_url(), "tenant": TAILSPIN.directory,
        "client_id": READER_CLIENT_ID, "secret": READER_SECRET, "writer_id": WRITER_CLIENT_ID, "writer_secret": WRITER_SECRET, "subscription": "7a115710-5555-4555-8555-000000000001",
    });
    let answer = CLIENTS.run(&sim, "graph_client.py", settings).await;
    let graph = &answer["graph"];
    assert_eq!((&graph["organization"], &graph["security_defaults"]), (&json!("Tailspin Toys"), &json!(false)));
    assert_eq!(graph["users"], json!({"first": 5, "all": 23, "guests": 6}));
    assert_eq!(graph["policies"][4], json!(["Compliant devices (trial)", "enabledForReportingButNotEnforced"]));
    assert_eq!((&graph["batch"], &graph["missing"]), (&json!([200, 200]), &json!([404, "Request_ResourceNotFound"])));
    assert_eq!(graph["written"], json!(["none", false, [403, "Authorization_RequestDenied"]]));
    let policy = sim.value(TAILSPIN.directory, "/v1.0/policies/authorizationPolicy");
    assert_eq!(
        (&policy["allowInvitesFrom"], &policy["defaultUserRolePermissions"]["allowedToCreateApps"]),
        (&json!("none"), &json!(false))
    );
    let azure = &answer["azure"];
    assert_eq!(azure["vaults"], json!([["tt-prod-kv", true], ["tt-old-kv", true]]));
    assert_eq!(azure["accounts"].as_array().unwrap().len(), 2);
    let host = if real_names { "graph.microsoft.com" } else { "localhost" };
    assert!(sim.calls().iter().any(|call| call.host == host && call.in_batch && call.status == 200));
}

#[tokio::test]
async fn the_sdks_read_by_our_name() {
    read(false).await;
}

#[tokio::test]
async fn the_sdks_read_by_microsofts_names() {
    read(true).await;
}

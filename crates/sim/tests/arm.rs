//! Resource Manager: roles decide what is seen and changed, lists page, resources answer to their id.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::demo::{NORTHWIND, READER_CLIENT_ID, TAILSPIN, WRITER_CLIENT_ID};
use serde_json::{Value, json};
use support::reader_world;

const SUBSCRIPTION: &str = "/subscriptions/40470e11-5555-4555-8555-000000000001";

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_role_opens_its_scope_and_nothing_else() {
    let world = reader_world().await;
    let vaults = format!("{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01");
    let (status, body) = world.arm(NORTHWIND.directory, &vaults).await;
    assert_eq!((status, body["value"].as_array().unwrap().len()), (200, 2));
    world.sim.set_azure_reader(NORTHWIND.directory, READER_CLIENT_ID, false);
    assert_eq!(world.arm(NORTHWIND.directory, "/subscriptions?api-version=2022-12-01").await, (200, json!({"value": []})));
    assert_eq!(code(&world.arm(NORTHWIND.directory, &vaults).await), (403, "AuthorizationFailed"));
    world.sim.set_azure_reader(NORTHWIND.directory, READER_CLIENT_ID, true);
    assert_eq!(world.arm(NORTHWIND.directory, &vaults).await.0, 200);
    let root = "/providers/microsoft.aadiam/diagnosticSettings?api-version=2017-04-01";
    assert_eq!(code(&world.arm(TAILSPIN.directory, root).await), (403, "AuthorizationFailed"));
    assert_eq!(code(&world.arm(TAILSPIN.directory, &vaults).await), (404, "SubscriptionNotFound"));
}

#[tokio::test]
async fn requests_say_their_version_and_carry_a_token_for_resource_manager() {
    let world = reader_world().await;
    assert_eq!(code(&world.arm(NORTHWIND.directory, "/subscriptions").await), (400, "MissingApiVersionParameter"));
    let graph = world.reader_token(NORTHWIND.directory);
    let wrong = world.get(&format!("{}/subscriptions?api-version=2022-12-01", world.sim.arm_url()), &graph, &[]).await;
    assert_eq!(wrong.status().as_u16(), 401);
    assert!(wrong.headers()["www-authenticate"].to_str().unwrap().contains("error=\"invalid_token\""));
    let token = world.arm_token(NORTHWIND.directory);
    let write =
        world.http.put(format!("{}{SUBSCRIPTION}/resourcegroups/new?api-version=2021-04-01", world.sim.arm_url())).bearer_auth(token);
    assert_eq!(write.send().await.unwrap().status().as_u16(), 403);
}

#[tokio::test]
async fn lists_page_filter_and_lead_to_each_resource() {
    let world = reader_world().await;
    world.sim.set_page_size(Some(1));
    let first = world
        .arm(NORTHWIND.directory, &format!("{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts?api-version=2023-05-01"))
        .await
        .1;
    let next = first["nextLink"].as_str().unwrap();
    let second: Value = world.get(next, &world.arm_token(NORTHWIND.directory), &[]).await.json().await.unwrap();
    assert_eq!(
        (&first["value"][0]["name"], &second["value"][0]["name"], &second["nextLink"]),
        (&json!("nwprodlogs"), &json!("nwbackups"), &Value::Null)
    );
    world.sim.set_page_size(None);
    let id = first["value"][0]["id"].as_str().unwrap().to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions");
    assert_eq!(world.arm(NORTHWIND.directory, &format!("{id}?api-version=2023-05-01")).await.1["name"], "nwprodlogs");
    let custom =
        format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions?$filter=type eq 'CustomRole'&api-version=2022-04-01");
    assert_eq!(world.arm(NORTHWIND.directory, &custom).await.1["value"].as_array().unwrap().len(), 1);
    let resources = format!("{SUBSCRIPTION}/resources?$filter=resourceType eq 'Microsoft.KeyVault/vaults'&api-version=2021-04-01");
    let resources = world.arm(NORTHWIND.directory, &resources).await.1;
    assert_eq!((resources["value"].as_array().unwrap().len(), &resources["value"][0]["properties"]), (2, &Value::Null));
    let unused = format!("{SUBSCRIPTION}/providers/Microsoft.Batch/batchAccounts?api-version=2024-02-01");
    assert_eq!(world.arm(NORTHWIND.directory, &unused).await, (200, json!({"value": []})));
}

#[tokio::test]
async fn a_resource_is_changed_member_by_member_wherever_it_is_listed() {
    let world = reader_world().await;
    assert!(world.sim.consent(NORTHWIND.directory, WRITER_CLIENT_ID));
    world.sim.grant_azure_role(NORTHWIND.directory, WRITER_CLIENT_ID, "Storage Account Contributor").unwrap();
    let list = format!("{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts?api-version=2023-05-01");
    let before = world.arm(NORTHWIND.directory, &list).await.1["value"][0].clone();
    let path = format!("{}?api-version=2023-05-01", before["id"].as_str().unwrap());
    let patch = async |body: Value| world.write_arm(NORTHWIND.directory, "PATCH", &path, body).await;
    let (status, after) =
        patch(json!({"properties": {"networkAcls": {"defaultAction": "Allow"}, "sasPolicy": null}, "tags": {"env": "test"}})).await;
    assert_eq!(
        (status, &after["properties"]["networkAcls"], &after["tags"]),
        (200, &json!({"defaultAction": "Allow"}), &json!({"env": "test"}))
    );
    assert_eq!(after["properties"].get("sasPolicy"), None);
    assert_eq!(after["properties"]["minimumTlsVersion"], before["properties"]["minimumTlsVersion"]);
    assert_eq!(world.arm(NORTHWIND.directory, &list).await.1["value"][0], after);
    for wrong in [
        json!({"properties": {"minimumTLS": "TLS1_2"}}),
        json!({"properties": {"minimumTlsVersion": "TLS9"}}),
        json!({"properties": {"creationTime": "2020-01-01T00:00:00Z"}}),
        json!({"colour": "red"}),
    ] {
        assert_eq!(code(&patch(wrong.clone()).await), (400, "InvalidRequestContent"), "{wrong}");
    }
    let vaults = format!("{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01");
    let vault = world.arm(NORTHWIND.directory, &vaults).await.1["value"][0]["id"].as_str().unwrap().to_owned();
    let vault = format!("{vault}?api-version=2023-07-01");
    let vault_patch = async |body: Value| world.write_arm(NORTHWIND.directory, "PATCH", &vault, body).await;
    let public = json!({"properties": {"publicNetworkAccess": "Disabled"}});
    assert_eq!(code(&vault_patch(public.clone()).await), (403, "AuthorizationFailed"));
    world.sim.grant_azure_role(NORTHWIND.directory, WRITER_CLIENT_ID, "Key Vault Contributor").unwrap();
    assert_eq!(vault_patch(public).await.0, 200);
    assert_eq!(code(&vault_patch(json!({"properties": {"enablePurgeProtection": false}})).await), (400, "BadRequest"));
    assert_eq!(vault_patch(json!({"properties": {"enablePurgeProtection": null}})).await.1["properties"]["enablePurgeProtection"], true);
    let model = json!({"properties": {"enableRbacAuthorization": false}});
    assert_eq!(code(&vault_patch(model).await), (403, "AuthorizationFailed"));
    let missing = path.replace("nwprodlogs", "nobody");
    assert_eq!(code(&world.write_arm(NORTHWIND.directory, "PATCH", &missing, json!({"tags": {}})).await), (404, "ResourceNotFound"));
    assert!(world.sim.grant_azure_role(NORTHWIND.directory, WRITER_CLIENT_ID, "Emperor").is_err());
}

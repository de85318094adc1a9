//! Discovery documents, key sets, key rotation and names, over HTTPS.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    MSA_TENANT,
    demo::{CONTOSO, FABRIKAM},
};
use serde_json::Value;
use support::{client, header, world};

#[tokio::test]
async fn the_issuer_follows_the_tenant_segment() {
    let world = world().await;
    let base = world.sim.url();
    for (segment, tenant, addresses) in [
        (CONTOSO.directory.to_string(), CONTOSO.directory.to_string(), CONTOSO.directory.to_string()),
        ("fabrikam.example".to_owned(), FABRIKAM.directory.to_string(), FABRIKAM.directory.to_string()),
        ("common".to_owned(), "{tenantid}".to_owned(), "common".to_owned()),
        ("organizations".to_owned(), "{tenantid}".to_owned(), "organizations".to_owned()),
        ("consumers".to_owned(), MSA_TENANT.to_string(), "consumers".to_owned()),
    ] {
        let (status, document) = world.get_json(&format!("/{segment}/v2.0/.well-known/openid-configuration")).await;
        assert_eq!(status, 200);
        assert_eq!(document["issuer"], format!("{base}/{tenant}/v2.0"), "{segment}");
        assert_eq!(document["token_endpoint"], format!("{base}/{addresses}/oauth2/v2.0/token"));
        assert_eq!(document["jwks_uri"], format!("{base}/{addresses}/discovery/v2.0/keys"));
        let (_, v1) = world.get_json(&format!("/{segment}/.well-known/openid-configuration")).await;
        assert_eq!(v1["issuer"], format!("{base}/{tenant}/"));
    }
}

#[tokio::test]
async fn the_document_has_every_documented_member() {
    let world = world().await;
    let (_, document) = world.get_json("/common/v2.0/.well-known/openid-configuration").await;
    for member in [
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "jwks_uri",
        "response_modes_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "response_types_supported",
        "scopes_supported",
        "issuer",
        "request_uri_parameter_supported",
        "userinfo_endpoint",
        "authorization_endpoint",
        "device_authorization_endpoint",
        "http_logout_supported",
        "frontchannel_logout_supported",
        "end_session_endpoint",
        "claims_supported",
        "kerberos_endpoint",
        "tenant_region_scope",
        "cloud_instance_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "rbac_url",
    ] {
        assert!(!document[member].is_null(), "{member}");
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_refused_with_its_code() {
    let world = world().await;
    let (status, body) = world.get_json("/nobody.example/v2.0/.well-known/openid-configuration").await;
    assert_eq!((status, &body["error"], &body["error_codes"][0]), (400, &"invalid_tenant".into(), &90002.into()));
    assert!(body["error_description"].as_str().unwrap().starts_with("AADSTS90002: "));
    for member in ["timestamp", "trace_id", "correlation_id", "error_uri"] {
        assert!(body[member].is_string(), "{member}");
    }
}

#[tokio::test]
async fn every_key_names_its_issuer_and_no_algorithm() {
    let world = world().await;
    let base = world.sim.url();
    let own = format!("{base}/{}/v2.0", CONTOSO.directory);
    let msa = format!("{base}/{MSA_TENANT}/v2.0");
    let template = format!("{base}/{{tenantid}}/v2.0");
    for (segment, issuers) in [(CONTOSO.directory.to_string(), [&own, &own, &msa]), ("common".to_owned(), [&template, &template, &msa])] {
        let (_, set) = world.get_json(&format!("/{segment}/discovery/v2.0/keys")).await;
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.iter().map(|k| k["issuer"].as_str().unwrap()).collect::<Vec<_>>(), issuers);
        for key in keys {
            assert!(
                key["alg"].is_null()
                    && key["kty"] == "RSA"
                    && key["use"] == "sig"
                    && key["e"] == "AQAB"
                    && key["x5c"][0].is_string()
                    && key["kid"] == key["x5t"]
            );
        }
    }
}

#[tokio::test]
async fn rotation_publishes_signs_and_drops_in_steps() {
    let world = world().await;
    let kids = async || -> Vec<String> {
        let (_, set) = world.get_json("/organizations/discovery/v2.0/keys").await;
        set["keys"].as_array().unwrap().iter().map(|k| k["kid"].as_str().unwrap().to_owned()).collect()
    };
    let signing = || header(&world.sim.user_token(CONTOSO.directory, CONTOSO.owner).unwrap())["kid"].as_str().unwrap().to_owned();
    let before = kids().await;
    assert_eq!((before.len(), signing()), (2, before[0].clone()));
    world.sim.publish_key().unwrap();
    let published = kids().await;
    assert_eq!((published.len(), signing()), (3, before[0].clone()));
    world.sim.sign_with_newest_key();
    assert_eq!(signing(), published[2]);
    world.sim.drop_oldest_key();
    assert_eq!(kids().await, published[1..]);
    let response = world.http.post(format!("{}/_sim/keys/rotate", world.sim.url())).send().await.unwrap();
    let rotated: Value = response.json().await.unwrap();
    assert_eq!(rotated["signing"], signing());
    assert!(!kids().await.contains(&published[1]));
}

#[tokio::test]
async fn microsofts_names_answer_through_the_proxy_and_others_do_not() {
    let world = world().await;
    let through = client(&world.sim, Some(world.sim.proxy_url()));
    let url = format!("https://login.microsoftonline.com/{}/v2.0/.well-known/openid-configuration", CONTOSO.domain);
    let document: Value = through.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["issuer"], format!("https://login.microsoftonline.com/{}/v2.0", CONTOSO.directory));
    let v1: Value = through
        .get("https://login.microsoftonline.com/common/.well-known/openid-configuration")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(v1["issuer"], "https://sts.windows.net/{tenantid}/");
    let ask = "https://login.microsoftonline.com/common/discovery/instance?api-version=1.1&authorization_endpoint=https://login.microsoftonline.com/common/oauth2/v2.0/authorize";
    let instance: Value = through.get(ask).send().await.unwrap().json().await.unwrap();
    assert_eq!(instance["tenant_discovery_endpoint"], "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration");
    assert!(instance["metadata"][0]["aliases"].as_array().unwrap().contains(&"login.windows.net".into()));
    assert!(through.get("https://example.com/").send().await.is_err());
    // The controls are for the simulator's own names only.
    let controls = through.get("https://login.microsoftonline.com/_sim/calls").send().await.unwrap();
    assert_eq!(controls.status().as_u16(), 404);
}

#[tokio::test]
async fn scripts_of_every_origin_may_read_discovery_and_ask_for_tokens() {
    let world = world().await;
    let base = format!("{}/{}", world.sim.url(), CONTOSO.directory);
    for path in ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"] {
        let response = world.http.get(format!("{base}/{path}")).header("origin", "https://portal.example.test").send().await.unwrap();
        assert_eq!(response.headers()["access-control-allow-origin"], "*", "{path}");
    }
    let preflight = world
        .http
        .request(reqwest::Method::OPTIONS, format!("{base}/oauth2/v2.0/token"))
        .header("access-control-request-headers", "x-client-sku")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert_eq!(preflight.headers()["access-control-allow-headers"], "x-client-sku");
}

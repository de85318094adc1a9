//! Discovery documents, key sets and instance discovery (OpenID Connect Discovery 1.0 and Microsoft's v1 form).

use crate::{
    cloud::Tenant,
    entra::{error::Aadsts, response::open},
    realm::{MSA_TENANT, Realm},
    site::Site,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// `(issuer's tenant, tenant of the addresses)` for a path segment.
fn tenants(tenant: Tenant<'_>) -> (String, String) {
    match tenant {
        Tenant::Directory(d) => (d.id.to_string(), d.id.to_string()),
        Tenant::Common => ("{tenantid}".to_owned(), "common".to_owned()),
        Tenant::Organizations => ("{tenantid}".to_owned(), "organizations".to_owned()),
        Tenant::Consumers => (MSA_TENANT.to_string(), "consumers".to_owned()),
    }
}

fn known(site: &Site, segment: &str, build: impl FnOnce(Tenant<'_>) -> Value) -> Response {
    open(match site.cloud.tenant(segment) {
        Some(tenant) => Json(build(tenant)).into_response(),
        None => Aadsts::tenant_not_found(segment).happened(&site.cloud, None).response(site.realm.base()),
    })
}

pub async fn v2(State(site): State<Site>, Path(segment): Path<String>) -> Response {
    known(&site, &segment, |tenant| {
        let (issuer, t) = tenants(tenant);
        let mut document = common(&site.realm, &t, "v2.0");
        document["issuer"] = site.realm.issuer_v2(issuer).into();
        document["jwks_uri"] = format!("{}/{t}/discovery/v2.0/keys", site.realm.base()).into();
        document["response_types_supported"] = json!(["code", "id_token", "code id_token", "id_token token"]);
        document
    })
}

pub async fn v1(State(site): State<Site>, Path(segment): Path<String>) -> Response {
    known(&site, &segment, |tenant| {
        let (issuer, t) = tenants(tenant);
        let mut document = common(&site.realm, &t, "v2.0");
        document["issuer"] = site.realm.issuer_v1(issuer).into();
        document["jwks_uri"] = format!("{}/{t}/discovery/keys", site.realm.base()).into();
        document["check_session_iframe"] = format!("{}/{t}/oauth2/checksession", site.realm.base()).into();
        document["response_types_supported"] = json!(["code", "id_token", "code id_token", "token id_token", "token"]);
        document
    })
}

fn common(realm: &Realm, t: &str, version: &str) -> Value {
    let oauth = format!("{}/{t}/oauth2/{version}", realm.base());
    json!({
        "token_endpoint": format!("{oauth}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{}/oidc/userinfo", realm.graph()),
        "authorization_endpoint": format!("{oauth}/authorize"),
        "device_authorization_endpoint": format!("{oauth}/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{oauth}/logout"),
        "claims_supported": ["sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp",
            "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"],
        "kerberos_endpoint": format!("{}/{t}/kerberos", realm.base()),
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

/// Keys with their issuer: concrete for a directory, the `{tenantid}` template where no directory is named.
pub async fn keys_v2(State(site): State<Site>, Path(segment): Path<String>) -> Response {
    known(&site, &segment, |tenant| {
        let (issuer, _) = tenants(tenant);
        let mut keys: Vec<Value> = Vec::new();
        if !matches!(tenant, Tenant::Consumers) {
            keys.extend(site.cloud.ring().published().map(|key| with_issuer(key.jwk(), site.realm.issuer_v2(&issuer))));
        }
        if !matches!(tenant, Tenant::Organizations) {
            keys.push(with_issuer(site.cloud.msa_key.jwk(), site.realm.issuer_v2(MSA_TENANT)));
        }
        json!({"keys": keys})
    })
}

/// The v1 key set, whose keys carry no issuer.
pub async fn keys_v1(State(site): State<Site>, Path(segment): Path<String>) -> Response {
    known(&site, &segment, |_| json!({"keys": site.cloud.ring().published().map(|key| key.jwk()).collect::<Vec<_>>()}))
}

fn with_issuer(mut jwk: Value, issuer: String) -> Value {
    jwk["cloud_instance_name"] = "microsoftonline.com".into();
    jwk["issuer"] = issuer.into();
    jwk
}

/// Which hosts are one cloud, as MSAL asks before it trusts an authority.
pub async fn instance(State(site): State<Site>, Query(query): Query<HashMap<String, String>>) -> Response {
    let asked = query.get("authorization_endpoint").map(String::as_str).unwrap_or_default();
    let tenant =
        url::Url::parse(asked).ok().and_then(|url| Some(url.path_segments()?.next()?.to_owned())).unwrap_or_else(|| "common".to_owned());
    let aliases = match site.realm.is_own() {
        true => vec![site.realm.host()],
        false => vec!["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    };
    let network = site.realm.host();
    let body = json!({
        "tenant_discovery_endpoint": format!("{}/{tenant}/v2.0/.well-known/openid-configuration", site.realm.base()),
        "api-version": "1.1",
        "metadata": [{"preferred_network": network, "preferred_cache": network, "aliases": aliases}],
    });
    open(Json(body).into_response())
}

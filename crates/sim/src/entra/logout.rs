//! Sign-out: ends the browser's session and leads back, if the address is a registered one. Tokens live on until
//! they expire, as with Microsoft.

use crate::{
    cloud::{Cloud, lock},
    entra::{
        authorize::SESSION,
        page,
        response::{clear_cookie, cookie, see_other},
    },
    site::{Params, Site, params},
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use bytes::Bytes;
use http::HeaderMap;

pub async fn end(State(site): State<Site>, Query(mut query): Query<Params>, headers: HeaderMap, body: Bytes) -> Response {
    query.extend(params(&body));
    if let Some(sid) = cookie(&headers, SESSION) {
        lock(&site.cloud.grants).sessions.remove(sid);
    }
    let back = query.get("post_logout_redirect_uri").filter(|uri| registered(&site.cloud, uri));
    let response = match back {
        Some(uri) => see_other(&with_state(uri, query.get("state"))),
        None => page::signed_out(),
    };
    clear_cookie(response, SESSION)
}

fn registered(cloud: &Cloud, uri: &str) -> bool {
    cloud.directories.iter().flat_map(|d| &d.apps).flat_map(|a| &a.redirect_uris).any(|r| r.uri == uri)
}

fn with_state(uri: &str, state: Option<&String>) -> String {
    match (state, url::Url::parse(uri)) {
        (Some(state), Ok(mut url)) => {
            url.query_pairs_mut().append_pair("state", state);
            url.into()
        }
        _ => uri.to_owned(),
    }
}

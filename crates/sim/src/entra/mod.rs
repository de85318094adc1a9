//! Microsoft Entra ID on the wire: discovery, key sets, the sign-in page, the token endpoint. Nothing here knows a
//! directory by name; all of it is data of [`crate::SimConfig`].

pub mod client_auth;
pub mod discovery;
pub mod error;
pub mod grants;
pub mod mint;
pub mod resource;
pub mod response;

use crate::site::Site;
use axum::{
    Router,
    routing::get,
};

/// The routes of the login host.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::v2))
        .route("/{tenant}/.well-known/openid-configuration", get(discovery::v1))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys_v2))
        .route("/{tenant}/discovery/keys", get(discovery::keys_v1))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
}

//! Microsoft Entra ID on the wire: discovery, key sets, the sign-in page, the token endpoint. Nothing here knows a
//! directory by name; all of it is data of [`crate::SimConfig`].

pub mod admin_consent;
pub mod authorize;
pub mod client_auth;
pub mod discovery;
pub mod error;
pub mod grants;
pub mod logout;
pub mod mint;
pub mod page;
pub mod resource;
pub mod response;
pub mod token;

use crate::site::Site;
use axum::{
    Router,
    routing::{get, post},
};

/// The routes of the login host.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::v2))
        .route("/{tenant}/.well-known/openid-configuration", get(discovery::v1))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys_v2))
        .route("/{tenant}/discovery/keys", get(discovery::keys_v1))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::begin).post(authorize::choose))
        .route("/{tenant}/v2.0/adminconsent", get(admin_consent::begin).post(admin_consent::choose))
        .route("/{tenant}/adminconsent", get(admin_consent::begin_v1).post(admin_consent::choose_v1))
        .route("/{tenant}/oauth2/v2.0/token", post(token::redeem).options(token::preflight))
        .route("/{tenant}/oauth2/v2.0/logout", get(logout::end).post(logout::end))
}

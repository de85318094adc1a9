//! The bearer token of a call to Graph or Resource Manager, checked as those services do: signature, audience, times,
//! and that the application it speaks for still exists in the directory.

use crate::{
    cloud::Cloud,
    entra::{mint, resource},
    jwt::Parsed,
    services::Service,
};
use http::{HeaderMap, header};
use uuid::Uuid;

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    pub directory: Uuid,
    pub client: Uuid,
    /// Object id of the service principal, or of the user of a delegated token.
    pub oid: Uuid,
    /// App roles, or the scopes of a delegated token.
    pub permissions: Vec<String>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Missing,
    Malformed,
    Signature,
    Audience,
    Expired,
    /// Good, but the directory has ended the tokens issued before now.
    Revoked,
    /// Good, but the application is no longer in the directory.
    Identity,
}

impl Refused {
    pub fn text(self) -> &'static str {
        match self {
            Self::Missing => "Access token is empty.",
            Self::Malformed => "CompactToken parsing failed with error code: 80049217",
            Self::Signature => "Signature is invalid.",
            Self::Audience => "Access token validation failure. Invalid audience.",
            Self::Expired => "Lifetime validation failed, the token is expired.",
            Self::Revoked => {
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
            }
            Self::Identity => "The identity of the calling application could not be established.",
        }
    }
}

/// Reads and checks the token of a request to `service`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(cloud: &Cloud, headers: &HeaderMap, service: Service) -> Result<Caller, Refused> {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or(Refused::Missing)?;
    let token = value.strip_prefix("Bearer ").filter(|token| !token.is_empty()).ok_or(Refused::Missing)?;
    // Graph hashes the nonce that its tokens show in their header; other tokens have none.
    let parsed = mint::reveal(token).as_deref().or(Some(token)).and_then(Parsed::read).ok_or(Refused::Malformed)?;
    let signed = {
        let ring = cloud.ring();
        let key = parsed.header_text("kid").and_then(|kid| ring.published().find(|key| key.kid == kid)?.public_der());
        key.is_some_and(|der| parsed.signed_by(&der))
    };
    if !signed {
        return Err(Refused::Signature);
    }
    if !parsed.text("aud").is_some_and(|aud| resource::is_audience(service, aud)) {
        return Err(Refused::Audience);
    }
    if parsed.seconds("exp").unwrap_or(0) <= cloud.now().as_second() {
        return Err(Refused::Expired);
    }
    let id = |name: &str| parsed.text(name).and_then(|text| text.parse::<Uuid>().ok());
    let (Some(directory), Some(client), Some(oid)) = (id("tid"), id("appid"), id("oid")) else {
        return Err(Refused::Malformed);
    };
    if parsed.text("rh") != Some(&cloud.refresh_handle(directory)) {
        return Err(Refused::Revoked);
    }
    if cloud.app(directory, client).is_none() {
        return Err(Refused::Identity);
    }
    Ok(Caller { directory, client, oid, permissions: permissions(&parsed) })
}

fn permissions(parsed: &Parsed) -> Vec<String> {
    if let Some(scopes) = parsed.text("scp") {
        return scopes.split_whitespace().map(str::to_owned).collect();
    }
    let roles = parsed.claims.get("roles").and_then(|roles| roles.as_array());
    roles.into_iter().flatten().filter_map(|role| role.as_str()).map(str::to_owned).collect()
}

//! How a client proves itself: secret (form or Basic), certificate assertion (RFC 7523, PS256 or RS256), or the token
//! of a federated issuer. Federated credentials match exactly and case-sensitively.

use crate::{
    cloud::Cloud,
    config::{App, Directory},
    entra::{
        error::{Aadsts, seconds},
        mint::ClientProof,
    },
    issuers,
    jwt::{Parsed, b64},
    realm::Realm,
    site::Params,
};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use rustls::pki_types::{CertificateDer, pem::PemObject};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `(client id, secret)` of HTTP Basic, both form-encoded before (RFC 6749, 2.3.1).
pub fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(|t| t.into_owned());
    Some((decode(id)?, decode(secret)?))
}

/// What the request presented.
pub enum Presented {
    Nothing,
    Secret(String),
    Assertion(String),
}

/// Reads the credential of a request.
///
/// # Errors
/// AADSTS900144 for an assertion without its type or the other way round.
pub fn presented(form: &Params, headers: &HeaderMap) -> Result<Presented, Aadsts> {
    match (form.get("client_assertion"), form.get("client_assertion_type")) {
        (Some(assertion), Some(kind)) if kind == JWT_BEARER => return Ok(Presented::Assertion(assertion.clone())),
        (Some(_), Some(kind)) => {
            return Err(Aadsts::new(
                70003,
                "unsupported_grant_type",
                format!("The app requested an unsupported client assertion type '{kind}'."),
            ));
        }
        (Some(_), None) => return Err(Aadsts::missing("client_assertion_type")),
        (None, Some(_)) => return Err(Aadsts::missing("client_assertion")),
        (None, None) => {}
    }
    let secret = form.get("client_secret").cloned().or_else(|| basic(headers).map(|(_, secret)| secret));
    Ok(secret.map_or(Presented::Nothing, Presented::Secret))
}

/// Checks a credential that was presented.
///
/// # Errors
/// `invalid_client` with the AADSTS code of what was wrong; 7000218 when nothing was presented.
pub fn check(cloud: &Cloud, directory: &Directory, app: &App, credential: &Presented) -> Result<ClientProof, Aadsts> {
    match credential {
        Presented::Nothing => Err(Aadsts::new(
            7000218,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )),
        _ if !app.confidential() && cloud.made_client_key(app.client_id).is_none() => Err(public_client()),
        Presented::Secret(secret) => check_secret(cloud, app, secret),
        Presented::Assertion(assertion) => check_assertion(cloud, directory, app, assertion),
    }
}

/// A public client has no credential to present.
pub fn public_client() -> Aadsts {
    Aadsts::new(700025, "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
}

fn check_secret(cloud: &Cloud, app: &App, presented: &str) -> Result<ClientProof, Aadsts> {
    let Some(secret) = app.secrets.iter().find(|s| s.value == presented) else {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
            app.client_id
        );
        return Err(Aadsts::new(7000215, "invalid_client", text));
    };
    match secret.expires {
        Some(expires) if expires <= cloud.now() => Err(Aadsts::new(
            7000222,
            "invalid_client",
            format!("The provided client secret keys for app '{}' are expired. Create new keys for your app.", app.client_id),
        )),
        _ => Ok(ClientProof::Secret),
    }
}

fn check_assertion(cloud: &Cloud, directory: &Directory, app: &App, assertion: &str) -> Result<ClientProof, Aadsts> {
    let parsed = Parsed::read(assertion).ok_or_else(|| Aadsts::new(50027, "invalid_client", "JWT token is invalid or malformed."))?;
    // A client's own assertion names the client; a federated token names its issuer. Headers do not tell: GitHub's tokens carry x5t too.
    let client = app.client_id.to_string();
    let own = ["iss", "sub"].iter().any(|name| parsed.text(name).is_some_and(|value| value.eq_ignore_ascii_case(&client)));
    match own {
        true => check_certificate(cloud, directory, app, &parsed)?,
        false => check_federated(cloud, app, &parsed)?,
    }
    Ok(ClientProof::Assertion)
}

fn within_life(cloud: &Cloud, parsed: &Parsed) -> Result<(), Aadsts> {
    let now = seconds(cloud.now());
    let skew = 300;
    let ends = parsed.seconds("exp").unwrap_or(0);
    let begins = parsed.seconds("nbf").unwrap_or(i64::MIN);
    match ends + skew > now && begins.saturating_sub(skew) <= now {
        true => Ok(()),
        false => Err(Aadsts::new(
            700024,
            "invalid_client",
            format!(
                "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {begins}, expiry time of assertion {ends}."
            ),
        )),
    }
}

fn check_certificate(cloud: &Cloud, directory: &Directory, app: &App, parsed: &Parsed) -> Result<(), Aadsts> {
    let client = app.client_id.to_string();
    if parsed.text("iss") != Some(&client) || parsed.text("sub") != Some(&client) {
        return Err(Aadsts::new(50048, "invalid_client", "Subject mismatches Issuer claim in the client assertion."));
    }
    let bad = |why: &str| {
        Aadsts::new(
            700027,
            "invalid_client",
            format!("The certificate with identifier used to sign the client assertion is not registered on application. {why}"),
        )
    };
    let certificate = registered(cloud, app).into_iter().find(|der| is_named(parsed, der)).ok_or_else(|| bad("Key was not found."))?;
    let der = CertificateDer::from(certificate);
    let parsed_certificate = webpki::EndEntityCert::try_from(&der).map_err(|_| bad("The registered certificate cannot be read."))?;
    if !parsed.signed_by(parsed_certificate.subject_public_key_info().as_ref()) {
        return Err(bad("The signature is not valid."));
    }
    within_life(cloud, parsed)?;
    match parsed.text("aud").is_some_and(|aud| audiences(cloud, directory).iter().any(|a| a == aud)) {
        true => Ok(()),
        false => Err(Aadsts::new(
            700023,
            "invalid_client",
            "Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials.",
        )),
    }
}

/// The DER of every certificate registered on the application.
fn registered(cloud: &Cloud, app: &App) -> Vec<Vec<u8>> {
    let written = app.certificates.iter().filter_map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok()).map(|der| der.to_vec());
    written.chain(cloud.made_client_key(app.client_id).map(|key| key.certificate_der().to_vec())).collect()
}

/// Whether the header names this certificate: by SHA-256 thumbprint, by SHA-1 thumbprint, or by carrying it.
fn is_named(parsed: &Parsed, der: &[u8]) -> bool {
    if let Some(named) = parsed.header_text("x5t#S256") {
        return named.trim_end_matches('=') == b64(digest(&SHA256, der));
    }
    if let Some(named) = parsed.header_text("x5t") {
        return named.trim_end_matches('=') == b64(digest(&SHA1_FOR_LEGACY_USE_ONLY, der));
    }
    let leaf = parsed.header.get("x5c").and_then(|chain| chain.get(0)?.as_str());
    leaf.is_some_and(|leaf| leaf == STANDARD.encode(der))
}

/// Every address of this directory's token endpoint.
fn audiences(cloud: &Cloud, directory: &Directory) -> Vec<String> {
    let realms = [Realm::microsoft(), cloud.own_realm(), Realm::own(&cloud.own_authority.replace("localhost", "127.0.0.1"))];
    let tenants = [directory.id.to_string(), directory.domain.clone()];
    realms.iter().flat_map(|realm| tenants.iter().flat_map(move |t| [realm.token_endpoint(t), realm.issuer_v2(t)])).collect()
}

fn check_federated(cloud: &Cloud, app: &App, parsed: &Parsed) -> Result<(), Aadsts> {
    let claim = |name: &str| parsed.text(name).unwrap_or_default();
    let (iss, sub, aud) = (claim("iss"), claim("sub"), claim("aud"));
    let missing = |code: u32, what: &str, value: &str| {
        Aadsts::new(
            code,
            "invalid_client",
            format!(
                "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
            ),
        )
    };
    if app.federated.is_empty() {
        return Err(Aadsts::new(
            70021,
            "invalid_request",
            format!(
                "No matching federated identity record found for presented assertion. Assertion Issuer: '{iss}'. Assertion Subject: '{sub}'. Assertion Audience: '{aud}'."
            ),
        ));
    }
    let by_issuer: Vec<_> = app.federated.iter().filter(|f| f.issuer == iss).collect();
    if by_issuer.is_empty() {
        return Err(missing(700211, "issuer", iss));
    }
    let by_subject: Vec<_> = by_issuer.into_iter().filter(|f| f.subject == sub).collect();
    if by_subject.is_empty() {
        return Err(missing(700213, "subject", sub));
    }
    if !by_subject.iter().any(|f| f.audience == aud) {
        return Err(missing(700212, "audience", aud));
    }
    if !signed_by_issuer(cloud, iss, parsed) {
        return Err(Aadsts::new(
            700027,
            "invalid_client",
            format!("Client assertion failed signature validation with the keys of issuer '{iss}'."),
        ));
    }
    within_life(cloud, parsed)
}

/// The issuers whose keys the simulator knows are its own; RS256 only, as Entra demands.
fn signed_by_issuer(cloud: &Cloud, iss: &str, parsed: &Parsed) -> bool {
    let Some(key) = issuers::platform_of(cloud, iss).and_then(|platform| cloud.platform_key(platform).ok()) else {
        return false;
    };
    parsed.header_text("alg") == Some("RS256")
        && parsed.header_text("kid") == Some(&key.kid)
        && key.public_der().is_some_and(|der| parsed.signed_by(&der))
}

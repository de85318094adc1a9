//! From a stored connection to a working access, and what Microsoft's answers mean to people.

use super::db::ConnectionRow;
use super::model::failure;
use crate::microsoft::Environment;
use crate::{Services, tenancy};
use bailiwick_base::{Code, DirectoryId, Problem, Secret};
use bailiwick_cloud::consent::{ConsentRefusal, ConsentReturn, parse_return};
use bailiwick_cloud::{Access, CallError, Credential, Reason, Service, TokenRefusal, WriteAccess};
use bailiwick_contract::connections::{CloudFailure, CloudFailureCode, ConnectionKind, ConsentAnswer, CredentialKind};
use bailiwick_store::ReadScope;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;
use uuid::Uuid;

/// The name a connection's own secret is sealed under.
pub fn secret_name(id: Uuid) -> String {
    format!("connection/{id}")
}

/// What a live connection asks with.
///
/// # Errors
/// The connection has ended, or what it needs is not configured or not stored any more.
pub async fn access(services: &Services, scope: &mut ReadScope, row: &ConnectionRow) -> Result<Access, Problem> {
    let environment = &services.microsoft;
    if !row.live() {
        return Err(Problem::new(Code::NotConnected, "This connection was disconnected. Connect the directory again."));
    }
    let directory = DirectoryId(row.directory_id);
    if !row.own {
        let application = environment.application(row.kind()).filter(|app| app.client_id.to_string() == row.client_id);
        let application = application.ok_or_else(|| {
            Problem::new(
                Code::NotConnected,
                "The environment no longer holds the application this connection was made for. Connect the directory again.",
            )
        })?;
        return Ok(environment.access(application, directory));
    }
    let client_id = row.client_id.parse::<Uuid>().map_err(Problem::internal)?;
    // Asked again at each use: the environment may have got other applications since the registration was connected.
    let tenant = scope.tenant();
    let sign_in = tenancy::db::settings(scope.sql(), tenant).await?.sign_in_directory;
    let admitted = environment.admit_own(sign_in, directory, client_id, row.credential());
    admitted.map_err(|refused| Problem::new(Code::NotConnected, refused.detail))?;
    if row.credential() == CredentialKind::Federated {
        let credential = environment.federated.clone().ok_or_else(no_federated)?;
        return Ok(Access::new(directory, client_id, credential));
    }
    let sealed = scope.secret(&services.keyring, &secret_name(row.id)).await?;
    let sealed = sealed.ok_or_else(|| Problem::new(Code::NotConnected, "The connection's secret is gone. Connect the directory again."))?;
    let text = Secret::new(String::from_utf8_lossy(sealed.expose()).into_owned());
    Ok(Access::new(directory, client_id, Arc::new(credential(row.credential(), text)?)))
}

/// The right to write through a connection: the one place where it is made, for a live connection that was consented to for writing.
///
/// # Errors
/// As [`access`]; or the connection is one that only reads.
pub async fn write_access(services: &Services, scope: &mut ReadScope, row: &ConnectionRow) -> Result<WriteAccess, Problem> {
    if row.kind() != ConnectionKind::Write {
        return Err(Problem::new(
            Code::NotConnected,
            "This connection only reads. Connect the directory for fixes: that is a second consent.",
        ));
    }
    Ok(WriteAccess::of_write_connection(access(services, scope, row).await?))
}

pub fn no_federated() -> Problem {
    Problem::new(
        Code::NotConnected,
        "This environment has no federated identity. Its operator sets one under [microsoft]; until then use a certificate or a secret.",
    )
}

/// A credential from its text.
///
/// # Errors
/// `bad_request`: it is not one.
pub fn credential(kind: CredentialKind, text: Secret<String>) -> Result<Credential, Problem> {
    let made = match kind {
        CredentialKind::Certificate => Credential::certificate(&text),
        CredentialKind::Secret => Credential::client_secret(text, None),
        CredentialKind::Federated => return Err(no_federated()),
    };
    made.map_err(|error| Problem::new(Code::BadRequest, format!("The credential cannot be used: {error}.")).at("credential"))
}

/// What Microsoft says of an access: the permissions granted and the directory's own name, or why there is neither.
pub async fn ask(environment: &Environment, access: &Access) -> Result<(Vec<String>, Option<String>), CloudFailure> {
    let granted = environment.client.granted(access, true).await.map_err(|error| call_failure(&error))?;
    if granted.directory != access.directory {
        return Err(failure(CloudFailureCode::OtherDirectory, "The token is for another directory. Check the connection's directory."));
    }
    let permissions: Vec<String> = granted.permissions.iter().cloned().collect();
    let name = if permissions.iter().any(|p| p.starts_with("Organization.Read") || p.starts_with("Directory.Read")) {
        name(environment, access).await
    } else {
        None
    };
    Ok((permissions, name))
}

/// The directory's display name; nothing where it cannot be read, which harms nothing.
async fn name(environment: &Environment, access: &Access) -> Option<String> {
    let reply = environment.client.get(access, Service::Graph, "/v1.0/organization?$select=id,displayName").await.ok()?;
    let body: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
    let name = body["value"][0]["displayName"].as_str()?.trim();
    (reply.status == 200 && !name.is_empty()).then(|| name.chars().filter(|c| !c.is_control()).take(200).collect())
}

/// Waits between questions after a consent: Microsoft takes up to a minute to spread it.
const SPREADING: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// As [`ask`], patiently: right after consent the application may not be known yet, or without its permissions.
pub async fn ask_after_consent(environment: &Environment, access: &Access) -> Result<(Vec<String>, Option<String>), CloudFailure> {
    for pause in SPREADING {
        match ask(environment, access).await {
            Ok((granted, name)) if !granted.is_empty() => return Ok((granted, name)),
            Ok(_) => {}
            Err(failure) if matches!(failure.code, CloudFailureCode::ConsentMissing | CloudFailureCode::ApplicationUnknown) => {}
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(pause).await;
    }
    ask(environment, access).await
}

/// Why there was no token, in the API's words.
pub fn token_failure(refusal: &TokenRefusal) -> CloudFailure {
    let code = match refusal.reason {
        Reason::SecretExpired | Reason::CertificateExpired => CloudFailureCode::CredentialEnded,
        Reason::SecretWrong
        | Reason::CertificateNotRegistered
        | Reason::AssertionOutOfTime
        | Reason::CredentialRefused
        | Reason::FederationUnknown
        | Reason::FederationSubject
        | Reason::FederationIssuer
        | Reason::FederationAudience
        | Reason::TokenFileUnreadable
        | Reason::NoManagedIdentity => CloudFailureCode::CredentialRefused,
        Reason::AppNotInDirectory | Reason::ConsentMissing => CloudFailureCode::ConsentMissing,
        Reason::AppDisabled | Reason::AppNotAssigned => CloudFailureCode::ApplicationUnknown,
        Reason::DirectoryNotFound => CloudFailureCode::DirectoryUnknown,
        Reason::Throttled => CloudFailureCode::Throttled,
        Reason::ManagedIdentityUnavailable | Reason::Unavailable | Reason::Deadline | Reason::Cancelled => CloudFailureCode::Unreachable,
        Reason::ResourceNotInDirectory | Reason::BlockedByPolicy | Reason::Refused | Reason::NotAllowed => CloudFailureCode::Refused,
    };
    let detail = format!("{}. {}.", refusal.reason.what(), refusal.reason.what_to_do());
    CloudFailure { code, detail, microsoft_code: refusal.aadsts.map(|number| format!("AADSTS{number}")) }
}

/// Why a call brought no answer, in the API's words.
pub fn call_failure(error: &CallError) -> CloudFailure {
    match error {
        CallError::Token(refusal) => token_failure(refusal),
        error if error.transient() => failure(CloudFailureCode::Unreachable, format!("Microsoft was not reached: {error}.")),
        error => failure(CloudFailureCode::Refused, format!("The call failed: {error}.")),
    }
}

/// What came back from the consent page, read as Microsoft writes it into an address.
pub fn read_answer(answer: &ConsentAnswer) -> ConsentReturn {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let members = [
        ("state", Some(&answer.state)),
        ("tenant", answer.tenant.as_ref()),
        ("admin_consent", answer.admin_consent.as_ref()),
        ("error", answer.error.as_ref()),
        ("error_subcode", answer.error_subcode.as_ref()),
        ("error_description", answer.error_description.as_ref()),
        ("scope", answer.scope.as_ref()),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    parse_return(&query.finish())
}

/// Why there is no consent, in the API's words.
pub fn consent_failure(refusal: &ConsentRefusal) -> CloudFailure {
    let code = match refusal {
        ConsentRefusal::Declined | ConsentRefusal::Cancelled => CloudFailureCode::ConsentDeclined,
        ConsentRefusal::NotAnAdministrator | ConsentRefusal::ApprovalRequested => CloudFailureCode::ConsentMissing,
        ConsentRefusal::Other { .. } | ConsentRefusal::Incomplete(_) => CloudFailureCode::Refused,
    };
    failure(code, format!("{refusal}."))
}

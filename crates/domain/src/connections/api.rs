//! The operations of connections.

use super::db::{self, BegunConsent, ConnectionFilter, ConnectionRow, NewConnection};
use super::{model, reach};
use crate::microsoft::Application;
use crate::{Call, Mount, ReachHandler, ReadHandler, Services, WriteHandler, scans, tenancy, text};
use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_base::{Code, ConnectionId, DirectoryId, Page, Problem, Rng, Secret, TenantId, Timestamp};
use bailiwick_cloud::consent::admin_consent_url;
use bailiwick_cloud::{Access, CallError, Reason};
use bailiwick_contract::connections::{
    BeginConsent, ChangeConnection, CheckConnection, CloudFailure, CloudFailureCode, CompleteConsent, ConnectOwnApplication, Connection,
    ConnectionKind, ConnectionOffer, ConnectionOptions, Consent, ConsentOutcome, CredentialKind, Disconnect, GetConnection,
    GetConnectionOptions, ListConnections, OwnCredential,
};
use bailiwick_store::{Audited, ReadScope, WriteScope};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::ToSpan;
use serde_json::json;
use uuid::Uuid;

/// How long Microsoft's answer to a consent is waited for.
const CONSENT_MINUTES: i64 = 30;

pub fn mount(to: &mut impl Mount) {
    to.read::<GetConnectionOptions>();
    to.read::<ListConnections>();
    to.read::<GetConnection>();
    to.reach::<BeginConsent>();
    to.reach::<CompleteConsent>();
    to.write::<ConnectOwnApplication>();
    to.reach::<CheckConnection>();
    to.write::<ChangeConnection>();
    to.write::<Disconnect>();
}

fn target(id: ConnectionId) -> String {
    format!("connection/{id}")
}

impl ReadHandler for GetConnectionOptions {
    async fn handle(services: &Services, _: &mut ReadScope, _: Call<Self>) -> Result<ConnectionOptions, Problem> {
        let environment = &services.microsoft;
        let offer = |kind: ConnectionKind| {
            let application = environment.application(kind);
            ConnectionOffer {
                kind,
                client_id: application.map(|app| app.client_id.to_string()),
                credential: application.map(Application::credential_kind),
                permissions: model::permissions(kind),
            }
        };
        Ok(ConnectionOptions {
            cloud: environment.cloud.clone(),
            offers: ConnectionKind::ALL.iter().copied().map(offer).collect(),
            federated: environment.federated.is_some(),
            federated_subject: environment.federated_subject.clone(),
            redirect_uri: environment.redirect.to_string(),
        })
    }
}

impl ReadHandler for ListConnections {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Connection>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let before = match text::cursor::<2>(&call.query.cursor)? {
            Some([at, id]) => Some((text::part(&at)?, text::part(&id)?)),
            None => None,
        };
        let filter = ConnectionFilter {
            kind: call.query.kind.map(ConnectionKind::as_str),
            directory: call.query.directory,
            all: call.query.all.unwrap_or(false),
            before,
        };
        let rows = db::connections(scope.sql(), call.tenant, &filter, limit, services.store.now()).await?;
        Ok(Page::from_rows(rows, limit as usize, |c| vec![c.connected_at.to_string(), c.id.to_string()]))
    }
}

impl ReadHandler for GetConnection {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Connection, Problem> {
        let row = db::connection(scope.sql(), call.tenant, call.path.connection).await?.ok_or_else(Problem::not_found)?;
        Ok(row.connection(services.store.now()))
    }
}

fn state_hash(state: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, state.as_bytes()).as_ref());
    hash
}

fn fresh_state(rng: &dyn Rng) -> String {
    let mut bytes = [0; 32];
    rng.fill(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn no_application(kind: ConnectionKind) -> Problem {
    let detail = format!(
        "This environment has no application that {}s. Its operator sets one under [microsoft]; until then connect an application registration of your own.",
        kind.as_str()
    );
    Problem::new(Code::NotConnected, detail)
}

impl ReachHandler for BeginConsent {
    type Prepared = Access;
    /// Whether the application has access already.
    type Reached = bool;

    async fn prepare(services: &Services, _: &mut ReadScope, call: &Call<Self>) -> Result<Access, Problem> {
        text::optional("label", call.body.label.as_deref().unwrap_or_default(), 120)?;
        let application = services.microsoft.application(call.body.kind).ok_or_else(|| no_application(call.body.kind))?;
        Ok(services.microsoft.access(application, call.body.directory))
    }

    /// Asked before anybody consents. Only a clear no counts as none: what Microsoft does not say now could be there already, and given to
    /// somebody else.
    async fn reach(services: &Services, access: Access) -> Result<bool, Problem> {
        match services.microsoft.client.granted(&access, true).await {
            // A token without permissions is access too: the application is there.
            Ok(_) => Ok(true),
            Err(CallError::Token(refusal))
                if matches!(refusal.reason, Reason::AppNotInDirectory | Reason::ConsentMissing | Reason::DirectoryNotFound) =>
            {
                Ok(false)
            }
            Err(error) => {
                let why = reach::call_failure(&error).detail;
                let mut problem = Problem::unavailable("Microsoft's sign-in", error);
                problem.detail =
                    format!("Whether the application has access to this directory could not be asked: {why} Then begin again.");
                Err(problem)
            }
        }
    }

    async fn record(services: &Services, scope: &mut WriteScope, call: &Call<Self>, had_access: bool) -> Result<Audited<Consent>, Problem> {
        let (environment, body) = (&services.microsoft, &call.body);
        let application = environment.application(body.kind).ok_or_else(|| no_application(body.kind))?;
        let state = fresh_state(scope.rng());
        let endpoints = environment.client.cloud();
        let url = admin_consent_url(endpoints, Some(body.directory), application.client_id, &environment.redirect, &state);
        let url = url.map_err(Problem::internal)?;
        let (now, by) = (scope.now(), scope.principal().await?);
        let begun = BegunConsent {
            state_sha256: state_hash(&state),
            kind: body.kind,
            directory: body.directory,
            label: body.label.as_deref().map(str::trim).filter(|label| !label.is_empty()),
            by: &by,
            at: now,
            expires_at: now + CONSENT_MINUTES.minutes(),
            had_access,
        };
        db::insert_consent(scope.sql(), call.tenant, &begun).await?;
        let detail = json!({"kind": body.kind, "directory": body.directory, "client_id": application.client_id, "had_access": had_access});
        let consent = Consent { url: url.to_string(), expires_at: begun.expires_at };
        Ok(Audited::new(consent, format!("directory/{}", body.directory), detail))
    }
}

/// A consent's end, as far as it can be told without asking Microsoft.
pub struct Ending {
    tenant: TenantId,
    consent: db::Consent,
    /// The access to try, or why there is none.
    access: Result<Access, CloudFailure>,
    /// Whether the tenant needs no proof that this consent was given for it.
    speaks_for: bool,
    /// Whether the state is used up by this.
    uses_state: bool,
}

/// What Microsoft said about it.
pub struct Ended {
    consent: db::Consent,
    outcome: Checked,
    uses_state: bool,
}

/// What came of a question to Microsoft: permissions and name, or why not.
type Checked = Result<(Vec<String>, Option<String>), CloudFailure>;

fn unknown_state() -> Problem {
    let detail = "No consent of this tenant waits for this answer: it was used already, or its time is over. Begin again under Connect.";
    Problem::new(Code::NotFound, detail).at("state")
}

impl ReachHandler for CompleteConsent {
    type Prepared = Ending;
    type Reached = Ended;

    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<Ending, Problem> {
        let environment = &services.microsoft;
        let now = services.store.now();
        let consent = db::consent(scope.sql(), call.tenant, &state_hash(&call.body.state), now).await?.ok_or_else(unknown_state)?;
        let by = scope.principal().await?;
        if (by.kind, &by.id) != (consent.begun_by.kind, &consent.begun_by.id) {
            let detail = format!("{} began this consent. Only they can end it; begin one of your own.", consent.begun_by.name);
            let access = Err(model::failure(CloudFailureCode::OtherPerson, detail));
            return Ok(Ending { tenant: call.tenant, consent, access, speaks_for: false, uses_state: false });
        }
        let application = environment.application(consent.kind).ok_or_else(|| no_application(consent.kind))?;
        let sign_in = tenancy::db::settings(scope.sql(), call.tenant).await?.sign_in_directory;
        let speaks_for = environment.speaks_for(sign_in, consent.directory);
        let access = match reach::read_answer(&call.body).outcome {
            Err(refusal) => Err(reach::consent_failure(&refusal)),
            Ok(given) if given.directory != consent.directory => {
                let detail = format!(
                    "Consent was given in directory {}, and {} was asked for. Sign in there as an administrator of the right directory.",
                    given.directory, consent.directory
                );
                Err(model::failure(CloudFailureCode::OtherDirectory, detail))
            }
            // Whoever signs in here from that directory belongs to it; of any other, only a consent that was not there before shows that
            // an administrator of it is behind this one.
            Ok(_) if consent.had_access && !speaks_for => {
                let detail = "The application had consent in this directory before, so this one does not show that its administrators want it connected here. \
                              Have one of them delete the enterprise application in Microsoft Entra and begin again, or connect an application registration of your own.";
                Err(model::failure(CloudFailureCode::EarlierConsent, detail))
            }
            Ok(given) => Ok(environment.access(application, given.directory)),
        };
        Ok(Ending { tenant: call.tenant, consent, access, speaks_for, uses_state: true })
    }

    async fn reach(services: &Services, ending: Ending) -> Result<Ended, Problem> {
        let Ending { tenant, consent, access, speaks_for, mut uses_state } = ending;
        let outcome = match access {
            Err(failure) => Err(failure),
            // Nothing in the answer is signed: only a token with a permission in it shows that anybody consented.
            Ok(access) => match reach::ask_after_consent(&services.microsoft, &access).await {
                Ok((granted, _)) if granted.is_empty() => {
                    uses_state = false;
                    let detail = "Microsoft granted the application no permission in this directory. Have an administrator consent for the organisation.";
                    Err(model::failure(CloudFailureCode::ConsentMissing, detail))
                }
                // What came to the token came by a consent that is older than it, and whoever asked for that had begun before. So it is
                // looked for now, and not earlier.
                Ok(_) if !speaks_for && claimed(services, tenant, &consent).await? => {
                    let detail = "Another tenant of this environment has connected this directory, or had begun to when consent was given, so this consent \
                                  does not show whom it was given for. Connect an application registration of your own.";
                    Err(model::failure(CloudFailureCode::EarlierConsent, detail))
                }
                Ok(found) => Ok(found),
                // Microsoft may say more a little later, to the same answer.
                Err(failure) => {
                    uses_state = false;
                    Err(failure)
                }
            },
        };
        Ok(Ended { consent, outcome, uses_state })
    }

    async fn record(
        services: &Services,
        scope: &mut WriteScope,
        call: &Call<Self>,
        ended: Ended,
    ) -> Result<Audited<ConsentOutcome>, Problem> {
        let (consent, now) = (&ended.consent, scope.now());
        let about = format!("directory/{}", consent.directory);
        if ended.uses_state && !db::use_consent(scope.sql(), call.tenant, &state_hash(&call.body.state), now).await? {
            return Err(unknown_state());
        }
        if let Err(failure) = ended.outcome {
            let detail = json!({"kind": consent.kind, "refusal": failure});
            return Ok(Audited::new(ConsentOutcome { connection: None, refusal: Some(failure) }, about, detail));
        }
        let application = services.microsoft.application(consent.kind).ok_or_else(|| no_application(consent.kind))?;
        let new = New {
            kind: consent.kind,
            directory: consent.directory,
            label: consent.label.as_deref(),
            client_id: application.client_id,
            own: false,
            credential: application.credential_kind(),
            expires_at: application.expires_at(),
        };
        let id = connect(scope, &new).await?;
        note(scope, id, consent.directory, &ended.outcome).await?;
        let connection = shown(scope, id).await?;
        let detail = json!({"kind": consent.kind, "connection": id, "state": connection.state, "granted": connection.granted});
        Ok(Audited::new(ConsentOutcome { connection: Some(connection), refusal: None }, about, detail))
    }
}

/// Whether another tenant has, or had begun while this consent waited, what it would make.
async fn claimed(services: &Services, tenant: TenantId, consent: &db::Consent) -> Result<bool, Problem> {
    Ok(services.store.connected_elsewhere(tenant, consent.directory, consent.kind.as_str(), consent.begun_at).await?)
}

struct New<'a> {
    kind: ConnectionKind,
    directory: DirectoryId,
    label: Option<&'a str>,
    client_id: Uuid,
    own: bool,
    credential: CredentialKind,
    expires_at: Option<Timestamp>,
}

/// Adds a connection, and its directory where the tenant does not list it yet.
async fn connect(scope: &mut WriteScope, new: &New<'_>) -> Result<ConnectionId, Problem> {
    let (tenant, now, by) = (scope.tenant(), scope.now(), scope.principal().await?);
    let id = ConnectionId::new(scope.clock(), scope.rng());
    let own_id = new.directory.to_string();
    let name = new.label.unwrap_or(&own_id);
    tenancy::db::add_directory(scope.sql(), tenant, new.directory, name, "listed", now).await?;
    let row = NewConnection {
        id,
        directory: new.directory,
        kind: new.kind,
        label: name,
        client_id: &new.client_id.to_string(),
        own: new.own,
        credential: new.credential,
        expires_at: new.expires_at,
        by: &by,
        at: now,
    };
    db::insert(scope.sql(), tenant, &row).await?;
    Ok(id)
}

/// Keeps what Microsoft said about a connection.
async fn note(scope: &mut WriteScope, id: ConnectionId, directory: DirectoryId, checked: &Checked) -> Result<(), Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    if let Ok((_, Some(name))) = checked {
        db::name_directory(scope.sql(), tenant, directory, name).await?;
    }
    let outcome = checked.as_ref().map(|(granted, _)| granted.clone()).map_err(Clone::clone);
    db::note_check(scope.sql(), tenant, id, &outcome, now).await
}

async fn shown(scope: &mut WriteScope, id: ConnectionId) -> Result<Connection, Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    let row = db::connection(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
    Ok(row.connection(now))
}

type ToSeal = (Option<Secret<Vec<u8>>>, Option<Timestamp>);

/// The text to seal of an own registration's credential, and its end; nothing to seal for a federated one.
fn own_credential(services: &Services, given: &OwnCredential) -> Result<ToSeal, Problem> {
    let wanted = |field: &str, value: &Option<String>| {
        let refuse = || Problem::new(Code::BadRequest, format!("`{field}` is missing: this kind of credential needs it.")).at(field);
        value.clone().filter(|value| !value.trim().is_empty()).ok_or_else(refuse)
    };
    let text = match given.kind {
        CredentialKind::Federated => {
            services.microsoft.federated.as_ref().ok_or_else(reach::no_federated)?;
            return Ok((None, None));
        }
        CredentialKind::Secret => wanted("credential.secret", &given.secret)?.trim().to_owned(),
        CredentialKind::Certificate => wanted("credential.certificate_pem", &given.certificate_pem)?,
    };
    let credential = reach::credential(given.kind, Secret::new(text.clone()))?;
    Ok((Some(Secret::new(text.into_bytes())), credential.expires().or(given.expires_at)))
}

impl WriteHandler for ConnectOwnApplication {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Connection>, Problem> {
        let body = &call.body;
        text::optional("label", body.label.as_deref().unwrap_or_default(), 120)?;
        let client_id: Uuid = body.client_id.trim().parse().map_err(|_| {
            Problem::new(Code::BadRequest, "`client_id` is not an application id: a UUID, as Entra shows it on the registration.")
                .at("client_id")
        })?;
        let sign_in = tenancy::db::settings(scope.sql(), call.tenant).await?.sign_in_directory;
        services.microsoft.admit_own(sign_in, body.directory, client_id, body.credential.kind)?;
        let (sealed, expires_at) = own_credential(services, &body.credential)?;
        let new = New {
            kind: body.kind,
            directory: body.directory,
            label: body.label.as_deref().map(str::trim).filter(|label| !label.is_empty()),
            client_id,
            own: true,
            credential: body.credential.kind,
            expires_at,
        };
        let id = connect(scope, &new).await?;
        if let Some(sealed) = sealed {
            scope.put_secret(&services.keyring, &reach::secret_name(id.0), &sealed).await?;
        }
        let connection = shown(scope, id).await?;
        let detail = json!({"kind": body.kind, "directory": body.directory, "client_id": client_id, "credential": body.credential.kind, "expires_at": expires_at});
        Ok(Audited::new(connection, target(id), detail))
    }
}

impl ReachHandler for CheckConnection {
    type Prepared = (DirectoryId, Access);
    type Reached = (DirectoryId, Checked);

    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<Self::Prepared, Problem> {
        let row = db::connection(scope.sql(), call.tenant, call.path.connection).await?.ok_or_else(Problem::not_found)?;
        Ok((DirectoryId(row.directory_id), reach::access(services, scope, &row).await?))
    }

    async fn reach(services: &Services, (directory, access): Self::Prepared) -> Result<Self::Reached, Problem> {
        Ok((directory, reach::ask(&services.microsoft, &access).await))
    }

    async fn record(
        _: &Services,
        scope: &mut WriteScope,
        call: &Call<Self>,
        (directory, checked): Self::Reached,
    ) -> Result<Audited<Connection>, Problem> {
        let id = call.path.connection;
        note(scope, id, directory, &checked).await?;
        let connection = shown(scope, id).await?;
        let detail = json!({"state": connection.state, "granted": connection.granted, "failure": connection.failure});
        Ok(Audited::new(connection, target(id), detail))
    }
}

async fn live_row(scope: &mut WriteScope, id: ConnectionId) -> Result<ConnectionRow, Problem> {
    let tenant = scope.tenant();
    let row = db::connection(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
    if row.live() { Ok(row) } else { Err(Problem::new(Code::NotConnected, "This connection was disconnected.")) }
}

impl WriteHandler for ChangeConnection {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Connection>, Problem> {
        let id = call.path.connection;
        let row = live_row(scope, id).await?;
        if let Some(label) = &call.body.label {
            let label = text::name("label", label, 120)?;
            db::relabel(scope.sql(), call.tenant, id, &label).await?;
        }
        if call.body.primary == Some(true) {
            db::make_primary(scope.sql(), call.tenant, row.kind(), id).await?;
        }
        let before = row.connection(scope.now());
        let after = shown(scope, id).await?;
        let detail = json!({
            "before": {"label": before.label, "primary": before.primary}, "after": {"label": after.label, "primary": after.primary},
        });
        Ok(Audited::new(after, target(id), detail))
    }
}

impl WriteHandler for Disconnect {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Connection>, Problem> {
        let (id, now) = (call.path.connection, scope.now());
        let row = db::connection(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        if !db::disconnect(scope.sql(), call.tenant, id, now).await? {
            return Ok(Audited::unchanged(row.connection(now)));
        }
        scope.destroy_secret(&reach::secret_name(id.0)).await?;
        let cancelled = scans::end_scans_of(scope, id).await?;
        let connection = shown(scope, id).await?;
        let detail = json!({"directory": connection.directory.id, "kind": connection.kind, "cancelled_scans": cancelled});
        Ok(Audited::new(connection, target(id), detail))
    }
}

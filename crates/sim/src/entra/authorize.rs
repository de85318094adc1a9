//! The authorize endpoint: checks the request, signs the user in (by picking, or by the browser's session), answers
//! with a code. What concerns the client id, the redirect URI or an assignment is told to the user on a page and never
//! to the redirect URI.

use crate::{
    cloud::{Cloud, Tenant, lock},
    config::{App, Directory, RedirectKind, User},
    entra::{
        error::Aadsts,
        grants::{Account, Challenge, CodeGrant},
        mint, page, resource,
        response::{ResponseMode, cookie, set_cookie},
    },
    site::{Params, Site, params},
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use bytes::Bytes;
use http::HeaderMap;
use uuid::Uuid;

/// The session cookie of the login host.
pub const SESSION: &str = "ESTSAUTH";

/// A request whose client and redirect URI are good: errors may go back to the application.
struct Authorize<'a> {
    site: &'a Site,
    tenant: Tenant<'a>,
    client_id: Uuid,
    redirect: Redirect,
    query: &'a Params,
}

struct Redirect {
    uri: String,
    kind: RedirectKind,
}

/// Why there is no code, and who is told.
enum Refused {
    Page(Aadsts),
    App(Aadsts),
}

type Outcome = Result<Response, Refused>;

/// `GET`: the page, or the answer at once when the session suffices.
pub async fn begin(State(site): State<Site>, Path(segment): Path<String>, Query(query): Query<Params>, headers: HeaderMap) -> Response {
    answer(&site, &segment, &query, |request| request.begin(&headers))
}

/// `POST`: somebody was picked, another account was asked for, or the user gave up.
pub async fn choose(
    State(site): State<Site>,
    Path(segment): Path<String>,
    Query(query): Query<Params>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = params(&body);
    answer(&site, &segment, &query, |request| request.choose(&form, &headers))
}

fn answer(site: &Site, segment: &str, query: &Params, step: impl FnOnce(&Authorize<'_>) -> Outcome) -> Response {
    let request = match Authorize::read(site, segment, query) {
        Ok(request) => request,
        Err(error) => return page::error(&error.happened(&site.cloud, None)),
    };
    match request.check().and_then(|()| step(&request)) {
        Ok(response) => response,
        Err(Refused::Page(error)) => page::error(&error.happened(&site.cloud, None)),
        Err(Refused::App(error)) => request.tell(&error),
    }
}

impl<'a> Authorize<'a> {
    /// Finds tenant, application and redirect URI.
    fn read(site: &'a Site, segment: &'a str, query: &'a Params) -> Result<Self, Aadsts> {
        let tenant = site.cloud.tenant(segment).ok_or_else(|| Aadsts::tenant_not_found(segment))?;
        let named = query.get("client_id").ok_or_else(|| Aadsts::missing("client_id"))?;
        let client_id: Uuid = named.parse().map_err(|_| Aadsts::app_not_found(named, segment))?;
        let app = match tenant {
            Tenant::Directory(directory) => directory.app(client_id).ok_or_else(|| Aadsts::app_not_found(named, &directory.name))?,
            _ => site.cloud.app_anywhere(client_id).ok_or_else(|| Aadsts::app_not_found(named, segment))?.1,
        };
        if !matches!(tenant, Tenant::Directory(_)) && !app.multi_tenant {
            return Err(Aadsts::new(
                50194,
                "unauthorized_client",
                format!(
                    "Application '{client_id}'({}) is not configured as a multi-tenant application. Usage of the /{segment} endpoint is not supported for such apps. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
                    app.name
                ),
            ));
        }
        let redirect = redirect(app, query.get("redirect_uri").map(String::as_str))?;
        Ok(Self { site, tenant, client_id, redirect, query })
    }
    fn cloud(&self) -> &'a Cloud {
        &self.site.cloud
    }
    fn value(&self, name: &str) -> Option<&'a str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
    fn mode(&self) -> ResponseMode {
        self.value("response_mode").and_then(ResponseMode::parse).unwrap_or(ResponseMode::Query)
    }

    /// Everything the application did wrong is told to the application.
    fn check(&self) -> Result<(), Refused> {
        let invalid = |code, text: &str| Err(Refused::App(Aadsts::new(code, "invalid_request", text)));
        match self.value("response_type") {
            Some("code") => {}
            None => return Err(Refused::App(Aadsts::missing("response_type"))),
            Some(other) => {
                return Err(Refused::App(Aadsts::new(
                    700054,
                    "unsupported_response_type",
                    format!("response_type '{other}' is not enabled for the application."),
                )));
            }
        }
        if self.value("response_mode").is_some_and(|mode| ResponseMode::parse(mode).is_none()) {
            return invalid(90023, "The value of 'response_mode' is not supported.");
        }
        let challenge = self.challenge()?;
        if self.redirect.kind == RedirectKind::Spa && challenge.is_none() {
            return invalid(9002325, "Proof Key for Code Exchange is required for cross-origin authorization code redemption.");
        }
        let scope = self.value("scope").ok_or_else(|| Refused::App(Aadsts::missing("scope")))?;
        match self.directories().next().map(|directory| resource::delegated(directory, scope)) {
            // Here, and only here, a request may name scopes of several APIs.
            Some(Err(error)) if error.code != 28000 => Err(Refused::App(error)),
            _ => Ok(()),
        }
    }

    fn challenge(&self) -> Result<Option<Challenge>, Refused> {
        let bad = || Refused::App(Aadsts::new(501491, "invalid_request", "Invalid size or method of Code_Challenge parameter."));
        let Some(challenge) = self.value("code_challenge") else {
            return Ok(None);
        };
        if !(43..=128).contains(&challenge.len()) {
            return Err(bad());
        }
        match self.value("code_challenge_method").unwrap_or("plain") {
            "S256" => Ok(Some(Challenge::S256(challenge.to_owned()))),
            "plain" if self.redirect.kind != RedirectKind::Spa => Ok(Some(Challenge::Plain(challenge.to_owned()))),
            _ => Err(bad()),
        }
    }

    /// The directories whose users may sign in here.
    fn directories(&self) -> impl Iterator<Item = &'a Directory> + use<'a> {
        let (tenant, client) = (self.tenant, self.client_id);
        self.cloud().directories.iter().filter(move |directory| match tenant {
            Tenant::Directory(only) => only.id == directory.id,
            Tenant::Common | Tenant::Organizations => directory.app(client).is_some(),
            Tenant::Consumers => false,
        })
    }
    fn users(&self) -> impl Iterator<Item = (&'a Directory, &'a User)> + use<'a> {
        self.directories().flat_map(|d| d.users.iter().map(move |u| (d, u)))
    }

    fn begin(&self, headers: &HeaderMap) -> Outcome {
        let hint = self.value("login_hint");
        let matches_hint = |user: &User| hint.is_none_or(|hint| user.upn.eq_ignore_ascii_case(hint) || mint::login_hint(user) == hint);
        let session = self.session(headers);
        let signed_in: Vec<_> =
            self.users().filter(|(d, u)| session.contains(&Account { directory: d.id, oid: u.oid }) && matches_hint(u)).collect();
        match (self.value("prompt"), signed_in.as_slice()) {
            (Some("none"), []) => {
                Err(Refused::App(Aadsts::new(50058, "login_required", "A silent sign-in request was sent but no user is signed in.")))
            }
            (None | Some("none"), [(directory, user)]) => self.finish(directory, user, headers),
            (Some("none"), _) => Err(Refused::App(Aadsts::new(
                16000,
                "interaction_required",
                "Either multiple user identities are available for the current request or selected account is not supported for the scenario.",
            ))),
            _ => {
                let mut offered: Vec<_> = self.users().filter(|(_, user)| matches_hint(user)).collect();
                if offered.is_empty() {
                    offered = self.users().collect();
                }
                Ok(page::pick(self.app_name(), &offered))
            }
        }
    }

    fn choose(&self, form: &Params, headers: &HeaderMap) -> Outcome {
        if form.contains_key("cancel") {
            return Err(Refused::App(Aadsts {
                suberror: Some("cancel"),
                ..Aadsts::new(65004, "access_denied", "User declined to consent to access the app.")
            }));
        }
        if form.contains_key("another") {
            return Ok(page::username(self.app_name(), "", None));
        }
        if let Some(oid) = form.get("account") {
            let (directory, user) = self.users().find(|(_, u)| u.oid.to_string() == *oid).ok_or_else(|| not_found(oid))?;
            return self.finish(directory, user, headers);
        }
        let typed = form.get("loginfmt").map(String::as_str).unwrap_or_default().trim();
        match self.cloud().users().find(|(_, user)| user.upn.eq_ignore_ascii_case(typed)) {
            None => Ok(page::username(
                self.app_name(),
                typed,
                Some("This username may be incorrect. Make sure you typed it correctly. Otherwise, contact your admin. (AADSTS50034)"),
            )),
            Some((directory, user)) if self.users().any(|(d, _)| d.id == directory.id) => self.finish(directory, user, headers),
            Some((_, user)) => Err(Refused::Page(Aadsts::new(
                50020,
                "invalid_request",
                format!(
                    "User account '{}' from another identity provider does not exist in this tenant and cannot access the application '{}'({}) in that tenant. The account needs to be added as an external user in the tenant first.",
                    user.upn,
                    self.client_id,
                    self.app_name()
                ),
            ))),
        }
    }

    fn app_name(&self) -> &'a str {
        self.directories().find_map(|d| d.app(self.client_id)).map_or("the application", |app| app.name.as_str())
    }

    /// The user is known: the code goes out, if the user may use the application.
    fn finish(&self, directory: &'a Directory, user: &'a User, headers: &HeaderMap) -> Outcome {
        let app = directory
            .app(self.client_id)
            .ok_or_else(|| Refused::Page(Aadsts::app_not_found(&self.client_id.to_string(), &directory.name)))?;
        if app.assignment_required && !user.assignments.iter().any(|a| a.app == app.client_id) {
            let error = Aadsts::user_not_assigned(&user.upn, app.client_id, &app.name);
            return Err(if self.value("prompt") == Some("none") { Refused::App(error) } else { Refused::Page(error) });
        }
        let account = Account { directory: directory.id, oid: user.oid };
        let sid = self.sign_in(account, headers);
        let code = self.cloud().opaque("1.C");
        let grant = CodeGrant {
            account,
            client_id: app.client_id,
            redirect_uri: self.redirect.uri.clone(),
            kind: self.redirect.kind,
            challenge: self.challenge()?,
            scope: self.value("scope").unwrap_or_default().to_owned(),
            nonce: self.value("nonce").map(str::to_owned),
            sid: sid.clone(),
            issued: self.cloud().now(),
            redeemed: false,
        };
        lock(&self.cloud().grants).codes.insert(code.clone(), grant);
        let mut values = vec![("code", code)];
        if self.value("client_info") == Some("1") {
            values.push(("client_info", mint::client_info(directory, user)));
        }
        values.push(("session_state", self.cloud().uuid().to_string()));
        Ok(set_cookie(self.send(values), SESSION, &sid))
    }

    /// The accounts this browser is signed in with.
    fn session(&self, headers: &HeaderMap) -> Vec<Account> {
        cookie(headers, SESSION).and_then(|sid| lock(&self.cloud().grants).sessions.get(sid).cloned()).unwrap_or_default()
    }
    fn sign_in(&self, account: Account, headers: &HeaderMap) -> String {
        let mut grants = lock(&self.cloud().grants);
        let known = cookie(headers, SESSION).filter(|sid| grants.sessions.contains_key(*sid)).map(str::to_owned);
        let sid = known.unwrap_or_else(|| self.cloud().uuid().to_string());
        let accounts = grants.sessions.entry(sid.clone()).or_default();
        accounts.retain(|a| *a != account);
        accounts.push(account);
        sid
    }

    fn tell(&self, error: &Aadsts) -> Response {
        let happened = error.happened(self.cloud(), None);
        let mut values = vec![("error", error.error.to_owned()), ("error_description", happened.description(" "))];
        if let Some(suberror) = error.suberror {
            values.push(("error_subcode", suberror.to_owned()));
        }
        values.push(("error_uri", format!("{}/error?code={}", self.site.realm.base(), error.code)));
        self.send(values)
    }
    fn send(&self, mut values: Vec<(&str, String)>) -> Response {
        if let Some(state) = self.query.get("state") {
            values.push(("state", state.clone()));
        }
        self.mode().send(&self.redirect.uri, &values)
    }
}

fn not_found(account: &str) -> Refused {
    Refused::Page(Aadsts::new(50034, "invalid_request", format!("The user account {account} does not exist in the directory.")))
}

/// The registered redirect URI that was asked for: the same text, but for the port of an installed program's http://localhost.
fn redirect(app: &App, asked: Option<&str>) -> Result<Redirect, Aadsts> {
    let wrong = |asked: &str| Aadsts::redirect_mismatch(asked, app.client_id);
    let Some(asked) = asked else {
        return match app.redirect_uris.as_slice() {
            [only] => Ok(Redirect { uri: only.uri.clone(), kind: only.kind }),
            _ => Err(wrong("")),
        };
    };
    let same = |kind: RedirectKind, registered: &str| {
        registered == asked || (kind == RedirectKind::Native && loopback(registered).is_some() && loopback(registered) == loopback(asked))
    };
    app.redirect_uris
        .iter()
        .find(|r| same(r.kind, &r.uri))
        .map(|r| Redirect { uri: asked.to_owned(), kind: r.kind })
        .ok_or_else(|| wrong(asked))
}

/// The path of an `http://localhost` address, whatever its port.
fn loopback(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    (url.scheme() == "http" && url.host_str() == Some("localhost")).then(|| url.path().to_owned())
}

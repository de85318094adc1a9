//! Admin consent: an administrator of a directory grants an application, registered elsewhere, everything it asks for.
//! Both forms: v2 (`/{tenant}/v2.0/adminconsent`, with `scope`) and v1 (`/{tenant}/adminconsent`, without).

use crate::{
    cloud::{Cloud, Tenant},
    config::{App, Directory, User},
    entra::{error::Aadsts, page, response::ResponseMode},
    site::{Params, Site, params},
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use bytes::Bytes;

/// A request whose application and redirect URI are good: outcomes may go back to the application.
struct Consent<'a> {
    site: &'a Site,
    tenant: Tenant<'a>,
    app: &'a App,
    redirect: &'a str,
    state: Option<&'a str>,
    v1: bool,
}

/// `GET`, v2: who are you?
pub async fn begin(State(site): State<Site>, Path(segment): Path<String>, Query(query): Query<Params>) -> Response {
    answer(&site, &segment, &query, false, |consent| Ok(consent.pick()))
}

/// `GET`, v1.
pub async fn begin_v1(State(site): State<Site>, Path(segment): Path<String>, Query(query): Query<Params>) -> Response {
    answer(&site, &segment, &query, true, |consent| Ok(consent.pick()))
}

/// `POST`, v2: an account was picked, or it accepted or cancelled.
pub async fn choose(State(site): State<Site>, Path(segment): Path<String>, Query(query): Query<Params>, body: Bytes) -> Response {
    answer(&site, &segment, &query, false, |consent| consent.choose(&params(&body)))
}

/// `POST`, v1.
pub async fn choose_v1(State(site): State<Site>, Path(segment): Path<String>, Query(query): Query<Params>, body: Bytes) -> Response {
    answer(&site, &segment, &query, true, |consent| consent.choose(&params(&body)))
}

/// What went wrong before there is an address to go back to is shown on a page.
fn answer(site: &Site, segment: &str, query: &Params, v1: bool, step: impl FnOnce(&Consent<'_>) -> Result<Response, Aadsts>) -> Response {
    let answered = Consent::read(site, segment, query, v1).and_then(|consent| step(&consent));
    answered.unwrap_or_else(|error| page::error(&error.happened(&site.cloud, None)))
}

impl<'a> Consent<'a> {
    fn read(site: &'a Site, segment: &'a str, query: &'a Params, v1: bool) -> Result<Self, Aadsts> {
        let cloud: &Cloud = &site.cloud;
        let tenant = cloud.tenant(segment).ok_or_else(|| Aadsts::tenant_not_found(segment))?;
        let value = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
        if matches!(tenant, Tenant::Consumers) || (matches!(tenant, Tenant::Common) && !v1) {
            let text = format!("The /{segment} endpoint is not supported for admin consent. Name the directory, or use /organizations.");
            return Err(Aadsts::new(900144, "invalid_request", text));
        }
        let named = value("client_id").ok_or_else(|| Aadsts::missing("client_id"))?;
        let app = named.parse().ok().and_then(|id| cloud.registration(id)).ok_or_else(|| Aadsts::app_not_found(named, segment))?;
        if !v1 && value("scope").is_none() {
            return Err(Aadsts::missing("scope"));
        }
        let asked = value("redirect_uri").ok_or_else(|| Aadsts::missing("redirect_uri"))?;
        let registered = app.redirect_uris.iter().find(|registered| registered.uri == asked);
        let redirect = registered.ok_or_else(|| Aadsts::redirect_mismatch(asked, app.client_id))?;
        Ok(Self { site, tenant, app, redirect: &redirect.uri, state: value("state"), v1 })
    }

    /// The users who may sign in here, with their directory.
    fn users(&self) -> Vec<(&'a Directory, &'a User)> {
        let here = |directory: &Directory| match self.tenant {
            Tenant::Directory(only) => only.id == directory.id,
            _ => true,
        };
        self.site.cloud.users().filter(|(directory, _)| here(directory)).collect()
    }
    fn pick(&self) -> Response {
        page::pick(&self.app.name, &self.users())
    }

    fn choose(&self, form: &Params) -> Result<Response, Aadsts> {
        if form.contains_key("cancel") {
            return Ok(self.refused());
        }
        if form.contains_key("another") {
            return Ok(page::username(&self.app.name, "", None));
        }
        let chosen = form.get("account").map(String::as_str).or(form.get("loginfmt").map(|name| name.trim())).unwrap_or_default();
        let is_chosen = |user: &User| user.oid.to_string() == chosen || user.upn.eq_ignore_ascii_case(chosen);
        let Some((directory, user)) = self.users().into_iter().find(|(_, user)| is_chosen(user)) else {
            let problem = "This username may be incorrect. Make sure you typed it correctly. Otherwise, contact your admin. (AADSTS50034)";
            return Ok(page::username(&self.app.name, chosen, Some(problem)));
        };
        if !user.administrator {
            let text = format!(
                "The grant requires admin permission. {} cannot consent for {}: sign in with an account that can, or ask an administrator.",
                user.upn, directory.name
            );
            return Err(Aadsts::new(90094, "consent_required", text));
        }
        if form.contains_key("accept") {
            return Ok(self.granted(directory));
        }
        let asked: Vec<&str> = self.app.required.iter().flat_map(|api| &api.roles).map(String::as_str).collect();
        Ok(page::consent(&self.app.name, directory, user, &asked))
    }

    fn granted(&self, directory: &Directory) -> Response {
        self.site.cloud.consent(directory.id, self.app.client_id);
        let tenant = ("tenant", directory.id.to_string());
        let yes = ("admin_consent", "True".to_owned());
        if self.v1 {
            return self.send(vec![tenant, yes]);
        }
        let roles = self.app.required.iter().flat_map(|api| &api.roles);
        let scope = roles.map(|role| format!("https://graph.microsoft.com/{role}")).collect::<Vec<_>>().join(" ");
        self.send(vec![yes, tenant, ("scope", scope)])
    }
    /// `admin_consent=True` is there on refusal as well, as Microsoft sends it.
    fn refused(&self) -> Response {
        if self.v1 {
            let text = "The admin canceled the request".to_owned();
            return self.send(vec![("error", "permission_denied".to_owned()), ("error_description", text)]);
        }
        let error = Aadsts::new(65004, "access_denied", "The resource owner or authorization server denied the request.");
        let description = error.happened(&self.site.cloud, None).description(" ");
        self.send(vec![
            ("admin_consent", "True".to_owned()),
            ("error", error.error.to_owned()),
            ("error_description", description),
            ("error_subcode", "cancel".to_owned()),
        ])
    }
    fn send(&self, mut values: Vec<(&'static str, String)>) -> Response {
        values.extend(self.state.map(|state| ("state", state.to_owned())));
        ResponseMode::Query.send(self.redirect, &values)
    }
}

//! The token endpoint: authorization code with PKCE, refresh, client credentials. The rules for single-page
//! applications (AADSTS9002325-7) are Microsoft's: their codes are redeemed by a browser, everybody else's never.

use crate::{
    cloud::{Cloud, Tenant, lock},
    config::{App, Directory, RedirectKind, User},
    entra::{
        client_auth::{self, Presented},
        error::Aadsts,
        grants::{CODE_LIFE, Challenge, CodeGrant, REFRESH_IDLE, RefreshGrant, SPA_REFRESH_LIFE},
        mint::{self, AccessToken, ClientProof, Subject},
        resource::{self, Asked},
        response::open,
    },
    jwt::b64,
    site::{Params, Site, params},
};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

/// `OPTIONS`: scripts of every origin may post here.
pub async fn preflight(headers: HeaderMap) -> Response {
    let mut response = open(StatusCode::NO_CONTENT.into_response());
    if let Some(asked) = headers.get("access-control-request-headers") {
        response.headers_mut().insert("access-control-allow-headers", asked.clone());
    }
    response
}

/// `POST /{tenant}/oauth2/v2.0/token`.
pub async fn redeem(State(site): State<Site>, Path(segment): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let form = params(&body);
    let correlation = headers
        .get("client-request-id")
        .and_then(|id| id.to_str().ok())
        .or(form.get("client-request-id").map(String::as_str))
        .and_then(|id| id.parse().ok());
    let request = TokenRequest { site: &site, segment: &segment, form: &form, headers: &headers };
    let mut response = match request.answer() {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.happened(&site.cloud, correlation).response(site.realm.base()),
    };
    for (name, value) in [("cache-control", "no-store, no-cache"), ("pragma", "no-cache"), ("x-ms-ests-server", "2.1.0 - simulator")] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    open(response)
}

/// One request, while it is answered.
struct TokenRequest<'a> {
    site: &'a Site,
    segment: &'a str,
    form: &'a Params,
    headers: &'a HeaderMap,
}

/// Whose sign-in a code or refresh token stands for.
struct SignedIn<'a> {
    directory: &'a Directory,
    app: &'a App,
    user: &'a User,
}

/// What the new tokens are made with.
struct Issue<'a> {
    scope: &'a str,
    kind: RedirectKind,
    proof: ClientProof,
    nonce: Option<&'a str>,
    sid: &'a str,
    /// When the chain of refresh tokens began; now for a new one.
    began: bailiwick_base::Timestamp,
}

impl<'a> TokenRequest<'a> {
    fn cloud(&self) -> &'a Cloud {
        &self.site.cloud
    }
    fn answer(&self) -> Result<Value, Aadsts> {
        let grant = self.parameter("grant_type")?;
        let tenant = self.cloud().tenant(self.segment).ok_or_else(|| Aadsts::tenant_not_found(self.segment))?;
        match grant {
            "client_credentials" => self.client_credentials(tenant),
            "authorization_code" => self.authorization_code(tenant),
            "refresh_token" => self.refresh_token(tenant),
            other => Err(Aadsts::new(70003, "unsupported_grant_type", format!("The app requested an unsupported grant type '{other}'."))),
        }
    }
    fn parameter(&self, name: &str) -> Result<&'a str, Aadsts> {
        self.form.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| Aadsts::missing(name))
    }
    fn client_id(&self) -> Result<String, Aadsts> {
        self.parameter("client_id").map(str::to_owned).or_else(|missing| client_auth::basic(self.headers).map(|(id, _)| id).ok_or(missing))
    }
    fn app(&self, directory: &'a Directory) -> Result<&'a App, Aadsts> {
        let named = self.client_id()?;
        named.parse().ok().and_then(|id: Uuid| directory.app(id)).ok_or_else(|| Aadsts::app_not_found(&named, &directory.name))
    }
    /// The application that asks for itself: one of the directory, or one that an administrator consented to.
    fn acting_app(&self, directory: &Directory) -> Result<App, Aadsts> {
        let named = self.client_id()?;
        let id: Uuid = named.parse().map_err(|_| Aadsts::app_not_found(&named, &directory.name))?;
        match (self.cloud().app(directory.id, id), self.cloud().registration(id)) {
            (Some(app), _) => Ok(app),
            (None, Some(registration)) => Err(Aadsts::no_service_principal(registration, directory)),
            (None, None) => Err(Aadsts::app_not_found(&named, &directory.name)),
        }
    }
    fn cross_origin(&self) -> bool {
        self.headers.contains_key(header::ORIGIN)
    }

    fn client_credentials(&self, tenant: Tenant<'a>) -> Result<Value, Aadsts> {
        let Tenant::Directory(directory) = tenant else {
            return Err(Aadsts::new(
                9001023,
                "invalid_request",
                format!("The grant type is not supported over the /{} endpoint. Use a tenant-specific endpoint.", self.segment),
            ));
        };
        let app = &self.acting_app(directory)?;
        if self.cross_origin() {
            return Err(cross_origin_refused());
        }
        let proof = client_auth::check(self.cloud(), directory, app, &client_auth::presented(self.form, self.headers)?)?;
        let resource = resource::app_only(directory, self.parameter("scope")?)?;
        let assigned = app.assignments.iter().any(|a| a.app == resource.client_id);
        if resource.assignment_required && !assigned {
            return Err(Aadsts::app_not_assigned(&app.name, app.client_id, &resource.name, resource.client_id));
        }
        let token = AccessToken { directory, client: app, resource: &resource, subject: Subject::App, proof };
        let (access_token, expires_in) = token.sign(self.cloud(), &self.site.realm).map_err(transient)?;
        Ok(json!({"token_type": "Bearer", "expires_in": expires_in - 1, "ext_expires_in": expires_in - 1, "access_token": access_token}))
    }

    fn authorization_code(&self, tenant: Tenant<'a>) -> Result<Value, Aadsts> {
        let (code, now) = (self.parameter("code")?, self.cloud().now());
        let grant = lock(&self.cloud().grants).codes.get(code).cloned();
        let grant = grant.ok_or_else(|| Aadsts::new(70000, "invalid_grant", "Provided grant is invalid or malformed."))?;
        let signed_in = self.signed_in(tenant, grant.account.directory, grant.account.oid, grant.client_id)?;
        if grant.redeemed {
            return Err(Aadsts::new(
                54005,
                "invalid_grant",
                "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
            ));
        }
        if now.duration_since(grant.issued) > CODE_LIFE {
            return Err(Aadsts::new(
                70008,
                "invalid_grant",
                "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
            ));
        }
        if self.parameter("redirect_uri")? != grant.redirect_uri {
            return Err(Aadsts::new(
                500112,
                "invalid_client",
                "The reply address does not match the reply address provided when requesting Authorization code.",
            ));
        }
        let proof = self.may_redeem(&signed_in, grant.kind)?;
        check_verifier(&grant, self.form.get("code_verifier").map(String::as_str))?;
        self.use_up(code)?;
        let scope = self.form.get("scope").cloned().unwrap_or(grant.scope);
        self.issue(
            &signed_in,
            &Issue { scope: &scope, kind: grant.kind, proof, nonce: grant.nonce.as_deref(), sid: &grant.sid, began: now },
        )
    }

    /// Marks a code as redeemed; of two requests at once, one wins.
    fn use_up(&self, code: &str) -> Result<(), Aadsts> {
        match lock(&self.cloud().grants).codes.get_mut(code) {
            Some(grant) if !grant.redeemed => {
                grant.redeemed = true;
                Ok(())
            }
            _ => Err(Aadsts::new(
                54005,
                "invalid_grant",
                "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
            )),
        }
    }

    fn refresh_token(&self, tenant: Tenant<'a>) -> Result<Value, Aadsts> {
        let (token, now) = (self.parameter("refresh_token")?, self.cloud().now());
        let grant = lock(&self.cloud().grants).refresh.get(token).cloned();
        let grant = grant.ok_or_else(|| Aadsts::new(70000, "invalid_grant", "Provided grant is invalid or malformed."))?;
        let signed_in = self.signed_in(tenant, grant.account.directory, grant.account.oid, grant.client_id)?;
        if grant.kind == RedirectKind::Spa && now.duration_since(grant.first_issued) > SPA_REFRESH_LIFE {
            let text = format!(
                "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which can't be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on {}.",
                grant.first_issued
            );
            return Err(Aadsts::new(700084, "invalid_grant", text));
        }
        if now.duration_since(grant.issued) > REFRESH_IDLE {
            return Err(Aadsts::new(
                700082,
                "invalid_grant",
                format!(
                    "The refresh token has expired due to inactivity. The token was issued on {} and was inactive for 90.00:00:00.",
                    grant.issued
                ),
            ));
        }
        let proof = self.may_redeem(&signed_in, grant.kind)?;
        let scope = self.form.get("scope").cloned().unwrap_or(grant.scope);
        self.issue(&signed_in, &Issue { scope: &scope, kind: grant.kind, proof, nonce: None, sid: &grant.sid, began: grant.first_issued })
    }

    /// The user and application a grant was made for, if the request is for them.
    fn signed_in(&self, tenant: Tenant<'a>, directory: Uuid, oid: Uuid, client_id: Uuid) -> Result<SignedIn<'a>, Aadsts> {
        let wrong_tenant =
            || Aadsts::new(700005, "invalid_grant", "Provided Authorization Code is intended to use against other tenant, thus rejected.");
        let directory = self.cloud().directories.iter().find(|d| d.id == directory).ok_or_else(wrong_tenant)?;
        if matches!(tenant, Tenant::Directory(asked) if asked.id != directory.id) || matches!(tenant, Tenant::Consumers) {
            return Err(wrong_tenant());
        }
        let app = self.app(directory)?;
        if app.client_id != client_id {
            return Err(Aadsts {
                suberror: Some("client_mismatch"),
                ..Aadsts::new(70000, "invalid_grant", "Provided grant is invalid or malformed: it was issued to another client.")
            });
        }
        let user = directory.user(oid).ok_or_else(|| {
            Aadsts::new(50034, "invalid_grant", format!("The user account does not exist in the {} directory.", directory.name))
        })?;
        Ok(SignedIn { directory, app, user })
    }

    /// Who may redeem a grant of this kind: the four rules of single-page applications, and credentials of web applications.
    fn may_redeem(&self, signed_in: &SignedIn<'_>, kind: RedirectKind) -> Result<ClientProof, Aadsts> {
        let credential = client_auth::presented(self.form, self.headers)?;
        match (kind, self.cross_origin(), &credential) {
            (RedirectKind::Spa, false, _) => Err(Aadsts::new(
                9002327,
                "invalid_request",
                "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
            )),
            (RedirectKind::Web | RedirectKind::Native, true, _) => Err(cross_origin_refused()),
            (RedirectKind::Spa | RedirectKind::Native, _, Presented::Nothing) => Ok(ClientProof::Public),
            (RedirectKind::Spa | RedirectKind::Native, _, _) => Err(client_auth::public_client()),
            (RedirectKind::Web, false, credential) => client_auth::check(self.cloud(), signed_in.directory, signed_in.app, credential),
        }
    }

    fn issue(&self, signed_in: &SignedIn<'_>, issue: &Issue<'_>) -> Result<Value, Aadsts> {
        let (cloud, realm) = (self.cloud(), &self.site.realm);
        let SignedIn { directory, app, user } = signed_in;
        let asked = resource::delegated(directory, issue.scope)?;
        if asked.resource.assignment_required && !user.assignments.iter().any(|a| a.app == asked.resource.client_id) {
            return Err(Aadsts {
                error: "invalid_grant",
                ..Aadsts::user_not_assigned(&user.upn, asked.resource.client_id, &asked.resource.name)
            });
        }
        let token = AccessToken {
            directory,
            client: app,
            resource: &asked.resource,
            subject: Subject::User(user, &asked.scopes),
            proof: issue.proof,
        };
        let (access_token, expires_in) = token.sign(cloud, realm).map_err(transient)?;
        let mut body = json!({
            "token_type": "Bearer", "scope": asked.granted(), "expires_in": expires_in - 1, "ext_expires_in": expires_in - 1, "access_token": access_token,
        });
        if asked.offline() {
            body["refresh_token"] = self.refreshable(signed_in, issue, &asked).into();
        }
        if asked.openid() {
            body["id_token"] = mint::id_token(cloud, realm, directory, app, user, issue.nonce, issue.sid).map_err(transient)?.into();
        }
        if self.form.get("client_info").is_some_and(|v| v == "1") {
            body["client_info"] = mint::client_info(directory, user).into();
        }
        Ok(body)
    }

    fn refreshable(&self, signed_in: &SignedIn<'_>, issue: &Issue<'_>, asked: &Asked) -> String {
        let token = self.cloud().opaque("1.A");
        let grant = RefreshGrant {
            account: crate::entra::grants::Account { directory: signed_in.directory.id, oid: signed_in.user.oid },
            client_id: signed_in.app.client_id,
            kind: issue.kind,
            scope: format!("{} offline_access", asked.granted()),
            sid: issue.sid.to_owned(),
            first_issued: issue.began,
            issued: self.cloud().now(),
        };
        lock(&self.cloud().grants).refresh.insert(token.clone(), grant);
        token
    }
}

fn cross_origin_refused() -> Aadsts {
    Aadsts::new(
        9002326,
        "invalid_request",
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.",
    )
}

fn transient(error: anyhow::Error) -> Aadsts {
    Aadsts::new(90033, "temporarily_unavailable", format!("A transient error has occurred. Please try again. ({error})"))
}

/// RFC 7636, 4.6.
fn check_verifier(grant: &CodeGrant, verifier: Option<&str>) -> Result<(), Aadsts> {
    let good = match (&grant.challenge, verifier) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(Challenge::Plain(challenge)), Some(verifier)) => challenge == verifier,
        (Some(Challenge::S256(challenge)), Some(verifier)) => {
            (43..=128).contains(&verifier.len()) && *challenge == b64(digest(&SHA256, verifier.as_bytes()))
        }
    };
    match good {
        true => Ok(()),
        false => Err(Aadsts::new(
            501481,
            "invalid_grant",
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )),
    }
}

//! The pipeline's own identity: a token of GitHub Actions, Azure DevOps or a workload identity's file, exchanged at Microsoft Entra for
//! an access token of Bailiwick's API (client credentials with a federated assertion). No secret is kept anywhere.

use super::{Credential, read_secret, sensitive};
use crate::client::{Client, http};
use crate::environment::{first_of, var};
use crate::failure::Failure;
use bailiwick_base::Secret;
use bailiwick_contract::tenancy::{GetConfig, SignIn};
use bailiwick_contract::{Empty, Nothing};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use std::path::Path;

/// What Entra wants in the audience of every federated token.
const ASSERTION_AUDIENCE: &str = "api://AzureADTokenExchange";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";

/// Who the pipeline is at Entra.
struct Application {
    directory: String,
    client: String,
}

/// Trades the pipeline's token for an access token.
pub(super) async fn exchange(client: &Client) -> Result<Credential, Failure> {
    let application = application(client)?;
    let assertion = assertion(client).await?;
    let scope = scope(client, &application).await?;
    let authority = var("AZURE_AUTHORITY_HOST").unwrap_or_else(|| PUBLIC_AUTHORITY.into());
    let mut url = http::address(&authority, "AZURE_AUTHORITY_HOST")?;
    extend(&mut url, &[&application.directory, "oauth2", "v2.0", "token"])?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &application.client),
        ("scope", &scope),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.expose()),
    ];

    #[derive(Deserialize)]
    struct Token {
        access_token: String,
    }
    #[derive(Deserialize)]
    struct Refusal {
        error_description: String,
    }
    let wire = &client.wire;
    let answer = wire
        .retrier
        .run(async || {
            let response = wire.once(wire.http.post(url.clone()).form(&form).timeout(crate::client::wire::ANSWER_TIME)).await?;
            if response.status().is_client_error() && response.status() != 429 && response.status() != 408 {
                // Entra says why in a body of its own; the first line holds the AADSTS number.
                let why = response.json::<Refusal>().await.map(|r| r.error_description).unwrap_or_default();
                return Err(refused(&application, why.lines().next().unwrap_or_default()).into());
            }
            wire.read(response).await
        })
        .await?;
    let token: Token = parse(&answer, "Microsoft Entra")?;
    Credential::of(Secret::new(token.access_token), "The token Microsoft Entra issued")
}

fn refused(application: &Application, why: &str) -> Failure {
    Failure::input(format!("Microsoft Entra gave application {} no token: {why}", application.client))
        .hint("Compare the federated credential's issuer and subject with this pipeline's, and the application's role on Bailiwick's API. A new federated credential takes minutes to work.")
}

fn application(client: &Client) -> Result<Application, Failure> {
    let directory = first_of(&["AZURE_TENANT_ID", "AZURESUBSCRIPTION_TENANT_ID"]);
    let id = first_of(&["AZURE_CLIENT_ID", "AZURESUBSCRIPTION_CLIENT_ID"]);
    match (directory, id) {
        (Some(directory), Some(client)) => Ok(Application { directory, client }),
        (None, None) => Err(Failure::input(format!("There is no credential for {}.", client.base()))
            .hint("Set BAILIWICK_TOKEN_FILE or BAILIWICK_TOKEN to an API key or access token; or set AZURE_TENANT_ID and AZURE_CLIENT_ID to use the pipeline's own identity.")),
        (Some(_), None) => Err(Failure::input("AZURE_TENANT_ID is set and AZURE_CLIENT_ID is not.").hint("Set it to the application (client) id that the pipeline signs in as.")),
        (None, Some(_)) => Err(Failure::input("AZURE_CLIENT_ID is set and AZURE_TENANT_ID is not.").hint("Set it to the id of the directory the application is in.")),
    }
}

/// The job's own token before a file of the machine it runs on: the job is the more exact identity.
async fn assertion(client: &Client) -> Result<Secret<String>, Failure> {
    if let Some(url) = var("ACTIONS_ID_TOKEN_REQUEST_URL") {
        return github(client, &url).await;
    }
    if let Some(url) = var("SYSTEM_OIDCREQUESTURI") {
        return azure_devops(client, &url).await;
    }
    if let Some(path) = var("AZURE_FEDERATED_TOKEN_FILE") {
        let text = read_secret(Path::new(&path), &format!("The federated token file {path}"), "Check AZURE_FEDERATED_TOKEN_FILE.")?;
        return Ok(Secret::new(text.expose().trim().to_owned()));
    }
    let hint = if var("GITHUB_ACTIONS").is_some() {
        "Give the job \"permissions: id-token: write\", so that GitHub lets it have one."
    } else {
        "Run it in GitHub Actions or Azure Pipelines, set AZURE_FEDERATED_TOKEN_FILE, or set BAILIWICK_TOKEN_FILE to an API key or access token."
    };
    Err(Failure::input("This pipeline offers no identity token.").hint(hint))
}

async fn github(client: &Client, url: &str) -> Result<Secret<String>, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        value: String,
    }
    let bearer = permission("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GitHub sets it in jobs with \"permissions: id-token: write\".")?;
    let mut url = http::address(url, "ACTIONS_ID_TOKEN_REQUEST_URL")?;
    url.query_pairs_mut().append_pair("audience", ASSERTION_AUDIENCE);
    let answer = client.wire.send(async || Ok(client.wire.http.get(url.clone()).bearer_auth(bearer.expose()))).await?;
    Ok(Secret::new(parse::<Answer>(&answer, "GitHub's token service")?.value))
}

async fn azure_devops(client: &Client, url: &str) -> Result<Secret<String>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        oidc_token: String,
    }
    let bearer = permission("SYSTEM_ACCESSTOKEN", "Map it into the step: env: SYSTEM_ACCESSTOKEN: $(System.AccessToken).")?;
    let mut url = http::address(url, "SYSTEM_OIDCREQUESTURI")?;
    url.query_pairs_mut().append_pair("api-version", "7.1");
    if let Some(connection) = first_of(&["AZURE_SERVICE_CONNECTION_ID", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"]) {
        url.query_pairs_mut().append_pair("serviceConnectionId", &connection);
    }
    let answer = client
        .wire
        .send(async || {
            let request = client.wire.http.post(url.clone()).bearer_auth(bearer.expose());
            Ok(request.header("content-type", "application/json").header("x-tfs-fedauthredirect", "Suppress").header("content-length", 0))
        })
        .await?;
    Ok(Secret::new(parse::<Answer>(&answer, "Azure DevOps' token service")?.oidc_token))
}

/// The short-lived token the platform gives a job to ask for its identity with.
fn permission(name: &str, hint: &str) -> Result<Secret<String>, Failure> {
    let value = var(name).map(Secret::new).ok_or_else(|| Failure::input(format!("{name} is not set.")).hint(hint))?;
    if sensitive(&value).is_empty() { Err(Failure::input(format!("{name} holds characters no token has.")).hint(hint)) } else { Ok(value) }
}

/// `BAILIWICK_AUDIENCE`, else what the server says its API is called in the pipeline's directory.
///
/// Only an `api://` name is taken from a server: a false one could otherwise ask for a token of Microsoft Graph and keep it.
async fn scope(client: &Client, application: &Application) -> Result<String, Failure> {
    if let Some(audience) = var("BAILIWICK_AUDIENCE") {
        return Ok(default_scope(audience.trim()));
    }
    let config = client.call::<GetConfig>(Nothing {}, Nothing {}, Empty).await?;
    choose(&config.sign_in, &application.directory).ok_or_else(|| {
        Failure::input(format!("{} does not say under which name directory {} knows its API.", client.base(), application.directory))
            .hint("Set BAILIWICK_AUDIENCE to the API's application id URI, such as api://<client id>.")
    })
}

fn choose(offers: &[SignIn], directory: &str) -> Option<String> {
    let named = offers
        .iter()
        .find(|offer| offer.authority.trim_end_matches('/').rsplit('/').next().is_some_and(|d| d.eq_ignore_ascii_case(directory)));
    let offer = match (named, offers) {
        (Some(offer), _) => offer,
        (None, [only]) => only,
        _ => return None,
    };
    let (api, _permission) = offer.scope.rsplit_once('/')?;
    api.starts_with("api://").then(|| default_scope(api))
}

fn default_scope(audience: &str) -> String {
    if audience.ends_with("/.default") { audience.into() } else { format!("{}/.default", audience.trim_end_matches('/')) }
}

fn extend(url: &mut Url, parts: &[&str]) -> Result<(), Failure> {
    let mut segments = url.path_segments_mut().map_err(|()| Failure::input("AZURE_AUTHORITY_HOST is not an address with a path."))?;
    segments.pop_if_empty().extend(parts);
    Ok(())
}

/// Reads an answer that holds a token. The cause of a failure is left out: it could quote the token.
fn parse<T: DeserializeOwned>(bytes: &[u8], who: &str) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|_| {
        Failure::input(format!("{who} answered with no token.")).hint("Run the command again; if it stays, check the proxy in between.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(directory: &str, scope: &str) -> SignIn {
        SignIn {
            label: "x".into(),
            authority: format!("https://login.example/{directory}"),
            known_authority: "login.example".into(),
            client_id: "c".into(),
            scope: scope.into(),
        }
    }

    #[test]
    fn the_scope_is_the_one_offered_for_the_directory() {
        let offers = [offer("d1", "api://one/access_as_user"), offer("D2", "api://two/access_as_user")];
        assert_eq!(choose(&offers, "d2").as_deref(), Some("api://two/.default"));
        assert_eq!(choose(&offers, "d3"), None);
        assert_eq!(choose(&offers[..1], "d3").as_deref(), Some("api://one/.default"));
    }

    #[test]
    fn a_server_cannot_ask_for_a_token_of_another_service() {
        assert_eq!(choose(&[offer("d", "https://graph.microsoft.com/User.Read")], "d"), None);
    }

    #[test]
    fn an_audience_may_be_given_with_or_without_default() {
        assert_eq!(default_scope("api://a"), "api://a/.default");
        assert_eq!(default_scope("api://a/.default"), "api://a/.default");
    }
}

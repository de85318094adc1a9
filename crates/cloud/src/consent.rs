//! Admin consent, version 2: where the administrator is sent, and what comes back. Follows Microsoft's "Admin consent on
//! the Microsoft identity platform".
//!
//! Stays true: what comes back is a claim made by whoever holds the link. The state ties it to the session that asked; a
//! directory is connected only after a token was got for it.

use crate::endpoints::{CloudEndpoints, segment};
use bailiwick_base::DirectoryId;
use std::collections::HashMap;
use url::{Url, form_urlencoded};
use uuid::Uuid;

/// Where an administrator consents to every permission the app registration lists. With no directory, to that of whoever
/// signs in.
///
/// # Errors
/// The sign-in address of the cloud and this path make no URL, which a [`CloudEndpoints`] that was read cannot cause.
pub fn admin_consent_url(
    cloud: &CloudEndpoints,
    directory: Option<DirectoryId>,
    app: Uuid,
    redirect: &Url,
    state: &str,
) -> Result<Url, url::ParseError> {
    let mut url = Url::parse(&format!("{}/{}/v2.0/adminconsent", cloud.login, segment(directory)))?;
    url.query_pairs_mut()
        .append_pair("client_id", &app.to_string())
        .append_pair("scope", &cloud.graph_scope())
        .append_pair("redirect_uri", redirect.as_str())
        .append_pair("state", state);
    Ok(url)
}

/// What the browser brought back from the consent page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentReturn {
    /// The state as we sent it, to compare with the session's.
    pub state: Option<String>,
    pub outcome: Result<Consented, ConsentRefusal>,
}

/// Consent was given, says the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consented {
    /// Unproved: prove it by a token for this directory.
    pub directory: DirectoryId,
    /// Scopes the page says were granted.
    pub scopes: Vec<String>,
}

/// Why there is no consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentRefusal {
    #[error("The administrator did not consent. Nothing was changed in the directory; start again when they agree")]
    Declined,
    #[error("The consent page was closed before an answer. Start again")]
    Cancelled,
    #[error("The person who signed in may not consent for the organisation. Ask a Global Administrator or Privileged Role Administrator")]
    NotAnAdministrator,
    #[error("The directory sent the request to its administrators for approval. Start again once they have approved it")]
    ApprovalRequested,
    #[error("Entra refused consent ({error}). Start again; if it comes back, look the word up on Microsoft's page of error codes")]
    Other {
        /// Entra's `error` word, and its AADSTS number if it gave one.
        error: String,
    },
    #[error("The address that came back from the consent page lacks {0}. Start again from the portal")]
    Incomplete(&'static str),
}

impl ConsentRefusal {
    /// A stable word for records and scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::NotAnAdministrator => "not_an_administrator",
            Self::ApprovalRequested => "approval_requested",
            Self::Other { .. } => "other",
            Self::Incomplete(_) => "incomplete",
        }
    }
}

/// Reads the query of the address the browser came back to. A failure may carry `admin_consent=True` as well, so `error`
/// is looked at first; of a parameter given twice the first counts.
pub fn parse_return(query: &str) -> ConsentReturn {
    let mut given: HashMap<String, String> = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        given.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    let get = |name: &str| given.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let outcome = match get("error") {
        Some(error) => Err(refusal(error, get("error_subcode"), get("error_description").unwrap_or_default())),
        None => consented(get("admin_consent"), get("tenant"), get("scope").unwrap_or_default()),
    };
    ConsentReturn { state: get("state").map(str::to_owned), outcome }
}

fn consented(consent: Option<&str>, tenant: Option<&str>, scopes: &str) -> Result<Consented, ConsentRefusal> {
    if !consent.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(ConsentRefusal::Incomplete("the word that consent was given"));
    }
    let directory = tenant.and_then(|id| id.parse().ok()).ok_or(ConsentRefusal::Incomplete("the directory's id"))?;
    Ok(Consented { directory, scopes: scopes.split_whitespace().map(str::to_owned).collect() })
}

fn refusal(error: &str, subcode: Option<&str>, description: &str) -> ConsentRefusal {
    match (error, subcode, aadsts(description)) {
        (_, Some("cancel"), _) => ConsentRefusal::Cancelled,
        (_, _, Some(90094)) => ConsentRefusal::NotAnAdministrator,
        (_, _, Some(90095)) => ConsentRefusal::ApprovalRequested,
        ("consent_required" | "permission_denied", ..) | (_, _, Some(65004)) => ConsentRefusal::Declined,
        ("access_denied", _, None) => ConsentRefusal::Cancelled,
        (error, _, number) => {
            let word: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
            ConsentRefusal::Other { error: number.map_or(word.clone(), |number| format!("{word}, AADSTS{number}")) }
        }
    }
}

/// The number in `AADSTS65004: ...`.
fn aadsts(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTOSO: &str = "11111111-aaaa-4aaa-8aaa-000000000001";
    const APP: &str = "aaaaaaaa-0000-4000-8000-00000000000a";

    #[test]
    fn the_administrator_is_sent_to_their_own_directory_with_everything_encoded() {
        let cloud = CloudEndpoints::government();
        let back = Url::parse("https://portal.example/connect?from=a b").unwrap();
        let to = |directory| admin_consent_url(&cloud, directory, APP.parse().unwrap(), &back, "s&t=1").unwrap();
        let url = to(Some(CONTOSO.parse().unwrap()));
        assert_eq!(url.path(), format!("/{CONTOSO}/v2.0/adminconsent"));
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["client_id"], APP);
        assert_eq!(query["scope"], "https://graph.microsoft.us/.default");
        assert_eq!(query["redirect_uri"], back.as_str());
        assert_eq!(query["state"], "s&t=1");
        assert_eq!(query.len(), 4);
        assert!(to(None).as_str().starts_with("https://login.microsoftonline.us/organizations/v2.0/adminconsent?"));
    }

    #[test]
    fn consent_given_names_directory_and_scopes() {
        let query = format!("admin_consent=True&tenant={CONTOSO}&scope=https%3A%2F%2Fgraph.microsoft.com%2FA+b&state=x%20y");
        let read = parse_return(&query);
        assert_eq!(read.state.as_deref(), Some("x y"));
        let consented = read.outcome.unwrap();
        assert_eq!(consented.directory.to_string(), CONTOSO);
        assert_eq!(consented.scopes, ["https://graph.microsoft.com/A", "b"]);
    }

    #[test]
    fn an_error_wins_over_the_word_that_consent_was_given() {
        let refused = |query: &str| parse_return(query).outcome.unwrap_err();
        let declined =
            format!("admin_consent=True&tenant={CONTOSO}&error=consent_required&error_description=AADSTS65004%3A+declined&state=s");
        assert_eq!(refused(&declined), ConsentRefusal::Declined);
        assert_eq!(parse_return(&declined).state.as_deref(), Some("s"));
        assert_eq!(refused("error=permission_denied&error_description=The+admin+canceled+the+request"), ConsentRefusal::Declined);
        assert_eq!(refused("error=access_denied&error_subcode=cancel&state=s"), ConsentRefusal::Cancelled);
        assert_eq!(refused("error=access_denied&error_description=AADSTS90094%3a+x"), ConsentRefusal::NotAnAdministrator);
        assert_eq!(refused("error=access_denied&error_description=AADSTS90095"), ConsentRefusal::ApprovalRequested);
        let other = refused("error=server_error%3Cscript%3E&error_description=AADSTS90002%3A+%3Cb%3E");
        assert_eq!(other, ConsentRefusal::Other { error: "server_errorscript, AADSTS90002".into() });
    }

    #[test]
    fn a_return_that_says_too_little_is_no_consent() {
        for query in ["", "state=s", "admin_consent=True", "admin_consent=True&tenant=contoso.com", "admin_consent=False&tenant={CONTOSO}"]
        {
            let query = query.replace("{CONTOSO}", CONTOSO);
            assert!(matches!(parse_return(&query).outcome, Err(ConsentRefusal::Incomplete(_))), "{query}");
        }
        let twice = format!("admin_consent=True&tenant={CONTOSO}&tenant={APP}");
        assert_eq!(parse_return(&twice).outcome.unwrap().directory.to_string(), CONTOSO);
    }
}

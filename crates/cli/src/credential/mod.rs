//! The credential: from a variable or a file, else from the pipeline's own identity. Never from the command line, where every process
//! of the machine could read it; never in a message or log.

mod pipeline;

use crate::client::Client;
use crate::environment::var;
use crate::failure::Failure;
use bailiwick_base::Secret;
use reqwest::{RequestBuilder, header::HeaderValue};
use std::{io::Read, path::Path};

/// What a Bailiwick API key begins with.
const KEY_PREFIX: &str = "bwk_";
/// No key or token is longer; a larger file is not one.
const LONGEST: u64 = 64 * 1024;

/// What signs requests.
pub enum Credential {
    /// Goes in `X-Api-Key`.
    Key(Secret<String>),
    /// Goes in `Authorization: Bearer`.
    Bearer(Secret<String>),
}

impl Credential {
    /// # Errors
    /// The text is empty or cannot stand in a header.
    fn of(text: Secret<String>, whence: &str) -> Result<Self, Failure> {
        let trimmed = Secret::new(text.expose().trim().to_owned());
        let refuse = |what: &str| {
            Err(Failure::input(format!("{whence} {what}."))
                .hint("It should hold one API key (bwk_…) or one access token and nothing else."))
        };
        if trimmed.expose().is_empty() {
            return refuse("is empty");
        }
        if !trimmed.expose().bytes().all(|b| b.is_ascii_graphic()) {
            return refuse("holds spaces, line breaks or characters no credential has");
        }
        Ok(if trimmed.expose().starts_with(KEY_PREFIX) { Self::Key(trimmed) } else { Self::Bearer(trimmed) })
    }

    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Key(key) => request.header("x-api-key", sensitive(key)),
            Self::Bearer(token) => request.bearer_auth(token.expose()),
        }
    }
}

/// A header value that HTTP libraries keep out of their own logs. `of` admits nothing a header could refuse.
fn sensitive(secret: &Secret<String>) -> HeaderValue {
    let mut value = HeaderValue::from_str(secret.expose()).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// `BAILIWICK_TOKEN`, else `BAILIWICK_TOKEN_FILE`, else the pipeline's identity exchanged for a Microsoft Entra access token.
pub async fn find(client: &Client) -> Result<Credential, Failure> {
    match (var("BAILIWICK_TOKEN"), var("BAILIWICK_TOKEN_FILE")) {
        (Some(_), Some(_)) => {
            Err(Failure::input("BAILIWICK_TOKEN and BAILIWICK_TOKEN_FILE are both set.")
                .hint("Unset one, so that it is clear who uploads."))
        }
        (Some(token), None) => Credential::of(Secret::new(token), "BAILIWICK_TOKEN"),
        (None, Some(path)) => from_file(client, Path::new(&path)),
        (None, None) => pipeline::exchange(client).await,
    }
}

fn from_file(client: &Client, path: &Path) -> Result<Credential, Failure> {
    let whence = format!("The token file {}", path.display());
    if readable_by_all(path) {
        client.wire.console().warn(&format!("{whence} can be read by every user of this machine. Run: chmod 600 {}", path.display()));
    }
    Credential::of(read_secret(path, &whence, "Set BAILIWICK_TOKEN_FILE to a file that holds one API key or access token.")?, &whence)
}

/// A small secret file, whole.
fn read_secret(path: &Path, whence: &str, hint: &str) -> Result<Secret<String>, Failure> {
    let bad = |cause: &str| Failure::input(format!("{whence} cannot be read: {cause}.")).hint(hint);
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| bad(&e.to_string()))?;
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|e| bad(&e.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(bad("it is larger than any credential"));
    }
    Ok(Secret::new(text))
}

#[cfg(unix)]
fn readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}
#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Credential, Failure> {
        Credential::of(Secret::new(text.into()), "BAILIWICK_TOKEN")
    }

    #[test]
    fn keys_and_tokens_are_told_apart_and_trimmed() {
        assert!(matches!(of("bwk_abc\n"), Ok(Credential::Key(key)) if key.expose() == "bwk_abc"));
        assert!(matches!(of(" eyJ.a.b "), Ok(Credential::Bearer(token)) if token.expose() == "eyJ.a.b"));
    }

    #[test]
    fn a_refused_credential_is_not_repeated() {
        for text in ["bwk_a bwk_b", "bwk_a\nbwk_b", "bwk_ä"] {
            let Err(failure) = of(text) else { panic!("{text} was taken") };
            assert!(!failure.to_string().contains("bwk_a"), "{failure}");
        }
    }
}

//! The login role's password on a PostgreSQL that is not our own: derived from the key-encryption key, so that every process of an
//! environment knows it and none has to be told. The server is given a SCRAM verifier (RFC 5802), never the password.

use crate::error::StoreError;
use crate::keyring::KeyEncryptionKey;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use bailiwick_base::Rng;
use base64::{Engine, prelude::BASE64_STANDARD};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};
use std::num::NonZeroU32;

/// The role the pool logs in as.
pub const LOGIN_ROLE: &str = "bailiwick_login";
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();

/// How to connect as the login role; sets its password where it is not this environment's yet.
///
/// # Errors
/// The database cannot be reached, or the administrator may not alter the role.
pub async fn login_options(admin: &PgConnectOptions, key: &KeyEncryptionKey, rng: &dyn Rng) -> Result<PgConnectOptions, StoreError> {
    let password = key.derived("database login")?;
    let login = admin.clone().username(LOGIN_ROLE).password(password.expose());
    if let Ok(connection) = login.clone().disable_statement_logging().connect().await {
        connection.close().await?;
        return Ok(login);
    }
    let mut salt = [0u8; 16];
    rng.fill(&mut salt);
    // Base64 and the signs of the format only: nothing to quote.
    let statement = format!("ALTER ROLE {LOGIN_ROLE} PASSWORD '{}'", verifier(password.expose(), &salt));
    let mut connection = admin.clone().disable_statement_logging().connect().await?;
    raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(login)
}

/// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as PostgreSQL keeps it.
fn verifier(password: &str, salt: &[u8]) -> String {
    let mut salted = [0u8; 32];
    derive(PBKDF2_HMAC_SHA256, ITERATIONS, salt, password.as_bytes(), &mut salted);
    let key = Key::new(HMAC_SHA256, &salted);
    let stored = digest(&SHA256, sign(&key, b"Client Key").as_ref());
    let server = sign(&key, b"Server Key");
    let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    format!("SCRAM-SHA-256${ITERATIONS}:{}${}:{}", encode(salt), encode(stored.as_ref()), encode(server.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677: password "pencil", its salt and 4096 rounds; keys computed from its published proof chain.
    #[test]
    fn the_verifier_is_in_postgresqls_form() {
        let text = verifier("pencil", &BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap());
        assert!(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"), "{text}");
        let (stored, server) = text.rsplit_once('$').unwrap().1.split_once(':').unwrap();
        assert_eq!((stored, server), ("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="));
    }
}

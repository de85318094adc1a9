//! The login role's password on a PostgreSQL that is not our own: derived from the key-encryption key, so that every process of an
//! environment knows it and none has to be told. The server is given a SCRAM verifier (RFC 5802), never the password.

use crate::error::StoreError;
use crate::keyring::KeyEncryptionKey;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use bailiwick_base::{Code, Problem, Rng};
use base64::{Engine, prelude::BASE64_STANDARD};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, raw_sql};
use std::num::NonZeroU32;

/// The role the pool logs in as.
pub const LOGIN_ROLE: &str = "bailiwick_login";
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();

/// The advisory lock of whoever sets the password; roles.sql holds the same one.
const SETTING_PASSWORD: i64 = 7_235_648_921;

/// What the role's comment says before the id of the key its password was made from.
const MADE_FROM: &str = "Bailiwick's login; password made from key ";

/// How to connect as the login role; sets its password where it has none yet, or where it was made from one of the `older` keys.
///
/// # Errors
/// The database cannot be reached, the administrator may not alter the role, or the password was made from a key that is not ours:
/// then it is left alone, for the processes that use it.
pub async fn login_options(
    admin: &PgConnectOptions,
    key: &KeyEncryptionKey,
    older: &[KeyEncryptionKey],
    rng: &dyn Rng,
) -> Result<PgConnectOptions, StoreError> {
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
    let mut tx = connection.begin().await?;
    // Several processes may start at once, on a database that is new to all of them: one sets the password, the others find it set.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SETTING_PASSWORD).execute(&mut *tx).await?;
    match made_from(&mut tx).await? {
        Some(id) if id != key.id() && older.iter().all(|k| k.id() != id) => {
            let detail = format!(
                "The database belongs to the key-encryption key {id}, and this process was given {}. Set keys.kek_file to the file the other processes use, or name that one in keys.older_kek_files.",
                key.id()
            );
            return Err(Problem::new(Code::Conflict, detail).into());
        }
        Some(id) if id == key.id() && login.clone().disable_statement_logging().connect().await.is_ok() => return Ok(login),
        _ => {}
    }
    raw_sql(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    let comment = format!("COMMENT ON ROLE {LOGIN_ROLE} IS '{}{}'", MADE_FROM.replace('\'', "''"), key.id());
    raw_sql(AssertSqlSafe(comment)).execute(&mut *tx).await?;
    tx.commit().await?;
    connection.close().await?;
    Ok(login)
}

/// The id of the key that the role's password was made from, as its comment says; `None` where it has no password of ours.
async fn made_from(connection: &mut PgConnection) -> Result<Option<String>, StoreError> {
    let comment: Option<String> = sqlx::query_scalar("SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = $1")
        .bind(LOGIN_ROLE)
        .fetch_one(connection)
        .await?;
    Ok(comment.and_then(|text| text.strip_prefix(MADE_FROM).map(str::to_owned)))
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

//! Roles and forward-only migrations, run by an administrator's connection before the pool of the login role opens.

use crate::error::StoreError;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, raw_sql};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Where every table lives.
pub const SCHEMA: &str = "bailiwick";

/// Creates the roles and brings the schema up to date. Safe to run from several processes at once: an advisory lock lets one go first.
///
/// # Errors
/// The database cannot be reached, the connection may not create roles, or an applied migration differs from ours.
pub async fn migrate(admin: PgConnectOptions) -> Result<(), StoreError> {
    let mut connection = admin.clone().disable_statement_logging().connect().await?;
    raw_sql(include_str!("roles.sql")).execute(&mut connection).await?;
    connection.close().await?;
    // Everything is made by the owner role, so that row security binds whoever owns it.
    let owner = admin.options([("role", "bailiwick_owner"), ("search_path", SCHEMA)]).disable_statement_logging();
    let mut connection = owner.connect().await?;
    MIGRATIONS.run(&mut connection).await.map_err(|e| StoreError::Database(e.into()))?;
    connection.close().await?;
    Ok(())
}

//! The vault: each tenant's data key, wrapped, and the secrets sealed under it. Values pass through memory only.

use crate::error::StoreError;
use crate::keyring::{KeyError, Keyring, TenantKey, secret_key_version};
use crate::scope::{ReadScope, WriteScope, sql_time};
use bailiwick_base::{Problem, Secret, TenantId};
use sqlx::PgConnection;

impl From<KeyError> for StoreError {
    fn from(error: KeyError) -> Self {
        Self::Problem(Problem::internal(error))
    }
}

impl WriteScope {
    /// The key that new artifacts and secrets of the tenant are sealed with; made when there is none.
    ///
    /// # Errors
    /// The database's, or the stored key cannot be unwrapped with the keys of this environment.
    pub async fn tenant_key(&mut self, keyring: &Keyring) -> Result<TenantKey, StoreError> {
        if let Some(key) = newest(self.sql_of_tenant(), keyring).await? {
            return Ok(key);
        }
        let fresh = keyring.new_data_key(self.tenant(), 1);
        let (tenant, now, wrapped) = (self.tenant(), self.now(), keyring.wrap(&fresh)?);
        // Two first uploads at once: one key wins, and both use it.
        sqlx::query("INSERT INTO tenant_keys (tenant_id, version, wrapped, created_at) VALUES ($1, 1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(tenant.0)
            .bind(wrapped)
            .bind(sql_time(now))
            .execute(self.sql())
            .await?;
        let key = newest(self.sql_of_tenant(), keyring).await?;
        key.ok_or_else(|| StoreError::Problem(Problem::internal("the tenant's key was made and is not there")))
    }

    /// The tenant's key of a version, to open what was sealed with it.
    ///
    /// # Errors
    /// As [`WriteScope::tenant_key`].
    pub async fn tenant_key_version(&mut self, keyring: &Keyring, version: u32) -> Result<TenantKey, StoreError> {
        of_version(self.sql_of_tenant(), keyring, version).await
    }

    /// Seals a secret under its name, in place of any before it.
    ///
    /// # Errors
    /// The database's, or sealing failed.
    pub async fn put_secret(&mut self, keyring: &Keyring, name: &str, value: &Secret<Vec<u8>>) -> Result<(), StoreError> {
        let key = self.tenant_key(keyring).await?;
        let sealed = keyring.seal_secret(&key, name, value)?;
        let (tenant, now) = (self.tenant(), self.now());
        sqlx::query(
            "INSERT INTO secrets (tenant_id, name, key_version, sealed, set_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, name) DO UPDATE SET key_version = excluded.key_version, sealed = excluded.sealed, set_at = excluded.set_at",
        )
        .bind(tenant.0)
        .bind(name)
        .bind(version_number(key.version()))
        .bind(sealed)
        .bind(sql_time(now))
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Opens a secret.
    ///
    /// # Errors
    /// The database's, or the sealed value was changed or moved.
    pub async fn secret(&mut self, keyring: &Keyring, name: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        let tenant = self.tenant();
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM secrets WHERE tenant_id = $1 AND name = $2")
            .bind(tenant.0)
            .bind(name)
            .fetch_optional(self.sql())
            .await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let key = self.tenant_key_version(keyring, secret_key_version(&sealed)?).await?;
        Ok(Some(keyring.open_secret(&key, name, &sealed)?))
    }

    /// Destroys a secret; one that is not there is destroyed already.
    ///
    /// # Errors
    /// The database's.
    pub async fn destroy_secret(&mut self, name: &str) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query("DELETE FROM secrets WHERE tenant_id = $1 AND name = $2").bind(tenant.0).bind(name).execute(self.sql()).await?;
        Ok(())
    }

    fn sql_of_tenant(&mut self) -> (TenantId, &mut PgConnection) {
        (self.tenant(), self.sql())
    }
}

impl ReadScope {
    /// The key that new artifacts are sealed with; opening a run has made one.
    ///
    /// # Errors
    /// As [`WriteScope::tenant_key`]; there is none yet.
    pub async fn tenant_key(&mut self, keyring: &Keyring) -> Result<TenantKey, StoreError> {
        let tenant = self.tenant();
        let key = newest((tenant, self.sql()), keyring).await?;
        key.ok_or_else(|| StoreError::Problem(Problem::internal("the tenant has no key yet")))
    }

    /// Opens a secret.
    ///
    /// # Errors
    /// As [`WriteScope::secret`].
    pub async fn secret(&mut self, keyring: &Keyring, name: &str) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        let tenant = self.tenant();
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM secrets WHERE tenant_id = $1 AND name = $2")
            .bind(tenant.0)
            .bind(name)
            .fetch_optional(self.sql())
            .await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let key = self.tenant_key_version(keyring, secret_key_version(&sealed)?).await?;
        Ok(Some(keyring.open_secret(&key, name, &sealed)?))
    }

    /// Checks that the environment's key-encryption keys open the tenant's key, where one was made.
    ///
    /// # Errors
    /// The database's, or the stored key is another environment's.
    pub async fn check_tenant_key(&mut self, keyring: &Keyring) -> Result<(), StoreError> {
        let tenant = self.tenant();
        newest((tenant, self.sql()), keyring).await.map(drop)
    }

    /// The tenant's key of a version, to open what was sealed with it.
    ///
    /// # Errors
    /// As [`WriteScope::tenant_key`].
    pub async fn tenant_key_version(&mut self, keyring: &Keyring, version: u32) -> Result<TenantKey, StoreError> {
        let tenant = self.tenant();
        of_version((tenant, self.sql()), keyring, version).await
    }
}

fn version_number(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

async fn newest((tenant, sql): (TenantId, &mut PgConnection), keyring: &Keyring) -> Result<Option<TenantKey>, StoreError> {
    let row: Option<(i32, Vec<u8>)> =
        sqlx::query_as("SELECT version, wrapped FROM tenant_keys WHERE tenant_id = $1 ORDER BY version DESC LIMIT 1")
            .bind(tenant.0)
            .fetch_optional(sql)
            .await?;
    let Some((version, wrapped)) = row else { return Ok(None) };
    Ok(Some(keyring.unwrap(tenant, u32::try_from(version).unwrap_or(0), &wrapped)?))
}

async fn of_version((tenant, sql): (TenantId, &mut PgConnection), keyring: &Keyring, version: u32) -> Result<TenantKey, StoreError> {
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM tenant_keys WHERE tenant_id = $1 AND version = $2")
        .bind(tenant.0)
        .bind(version_number(version))
        .fetch_one(sql)
        .await?;
    Ok(keyring.unwrap(tenant, version, &wrapped)?)
}

//! Whether two tenants claim one consent. Nothing of the other tenant leaves this file but a yes or no.

use crate::error::StoreError;
use crate::scope::{Store, SystemUse, sql_time};
use bailiwick_base::{DirectoryId, TenantId, Timestamp};

impl Store {
    /// Whether another tenant holds a live connection of this kind (`read`, `write`) to a directory through the environment's application,
    /// or has begun a consent for one that was not over at `since`.
    ///
    /// # Errors
    /// The database's.
    pub async fn connected_elsewhere(
        &self,
        tenant: TenantId,
        directory: DirectoryId,
        kind: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut scope = self.system(SystemUse::CompareConsents).await?;
        let claimed = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM connections WHERE directory_id = $2 AND kind = $3 AND tenant_id <> $1 AND NOT own AND disconnected_at IS NULL)
                 OR EXISTS (SELECT FROM consents WHERE directory_id = $2 AND kind = $3 AND tenant_id <> $1 AND expires_at > $4)",
        )
        .bind(tenant.0)
        .bind(directory.0)
        .bind(kind)
        .bind(sql_time(since))
        .fetch_one(&mut *scope.tx)
        .await?;
        Ok(claimed)
    }
}

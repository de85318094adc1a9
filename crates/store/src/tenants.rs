//! The list of tenants: creating one, and finding the one a directory signs in to.

use crate::error::StoreError;
use crate::scope::{Admission, Caller, Store, SystemUse, sql_time};
use crate::trail::{Audited, Request};
use bailiwick_base::{DirectoryId, Problem, TenantId};
use serde_json::json;

/// Where a tenant's people and workloads sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSignIn {
    pub tenant: TenantId,
    pub name: String,
    pub directory: DirectoryId,
    /// The application people sign in with.
    pub client_id: String,
    /// What tokens may carry as `aud`: the client id (v2 tokens) and the App ID URI (v1).
    pub audiences: Vec<String>,
}

/// A tenant to be.
#[derive(Debug, Clone)]
pub struct NewTenant {
    pub name: String,
    pub directory: DirectoryId,
    pub client_id: String,
    pub audiences: Vec<String>,
    pub unknown_directory: &'static str,
}

type Row = (uuid::Uuid, String, uuid::Uuid, String, Vec<String>);

fn sign_in((tenant, name, directory, client_id, audiences): Row) -> TenantSignIn {
    TenantSignIn { tenant: TenantId(tenant), name, directory: DirectoryId(directory), client_id, audiences }
}

impl Store {
    /// The tenant that signs in with a directory, if one does.
    ///
    /// # Errors
    /// The database's.
    pub async fn tenant_of(&self, directory: DirectoryId) -> Result<Option<TenantSignIn>, StoreError> {
        let mut scope = self.system(SystemUse::FindTenant).await?;
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, name, sign_in_directory, sign_in_client_id, sign_in_audiences FROM tenants WHERE sign_in_directory = $1",
        )
        .bind(directory.0)
        .fetch_optional(&mut *scope.tx)
        .await?;
        Ok(row.map(sign_in))
    }

    /// Every tenant, by name. For the operator's console.
    ///
    /// # Errors
    /// The database's.
    pub async fn tenants(&self) -> Result<Vec<TenantSignIn>, StoreError> {
        let mut scope = self.system(SystemUse::ManageTenants).await?;
        let rows: Vec<Row> =
            sqlx::query_as("SELECT id, name, sign_in_directory, sign_in_client_id, sign_in_audiences FROM tenants ORDER BY name, id")
                .fetch_all(&mut *scope.tx)
                .await?;
        Ok(rows.into_iter().map(sign_in).collect())
    }

    /// Creates the tenant that signs in with a directory, with its trail and its schedules; one that is there gets the application and
    /// audiences given, and keeps its name, which is its owners' to change. A crash between the two steps leaves a tenant that
    /// [`Store::create_tenant`] finishes when it is called again.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_tenant(
        &self,
        new: &NewTenant,
        schedules: &[(&'static str, &'static str)],
        request: &Request,
    ) -> Result<TenantId, StoreError> {
        let now = self.now();
        let fresh = TenantId::new(self.clock(), self.rng());
        let mut scope = self.system(SystemUse::ManageTenants).await?;
        let written = sqlx::query(
            "INSERT INTO tenants (id, name, sign_in_directory, sign_in_client_id, sign_in_audiences, unknown_directory, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (sign_in_directory) DO UPDATE
             SET sign_in_client_id = excluded.sign_in_client_id, sign_in_audiences = excluded.sign_in_audiences
             WHERE (tenants.sign_in_client_id, tenants.sign_in_audiences) IS DISTINCT FROM (excluded.sign_in_client_id, excluded.sign_in_audiences)",
        )
        .bind(fresh.0)
        .bind(&new.name)
        .bind(new.directory.0)
        .bind(&new.client_id)
        .bind(&new.audiences)
        .bind(new.unknown_directory)
        .bind(sql_time(now))
        .execute(&mut *scope.tx)
        .await?
        .rows_affected();
        crate::jobs::schedule_everywhere(&mut scope, schedules).await?;
        scope.commit().await?;
        let found = self.tenant_of(new.directory).await?;
        let tenant = found.ok_or_else(|| Problem::internal("the tenant was made and is not there"))?.tenant;
        let caller = Caller::System { name: "console", project: None };
        let mut scope = self.write(tenant, &caller, &Admission { roles: vec![], keys: false, workloads: false }).await?;
        let begun = sqlx::query("INSERT INTO trail_heads (tenant_id, seq, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING")
            .bind(tenant.0)
            .bind(bailiwick_proof::GENESIS.as_slice())
            .execute(scope.sql())
            .await?
            .rows_affected();
        let detail = json!({"name": new.name, "directory": new.directory, "client_id": new.client_id, "audiences": new.audiences});
        let (action, audited) = match (begun, written) {
            (1, _) => ("tenant.created", Audited::new((), format!("tenant/{tenant}"), detail)),
            (_, 1) => ("tenant.sign_in_changed", Audited::new((), format!("tenant/{tenant}"), detail)),
            _ => ("tenant.created", Audited::unchanged(())),
        };
        self.commit(scope, action, audited, request).await?;
        Ok(tenant)
    }

    /// Gives a tenant what it has beside the basics; with nothing, the environment's own list holds for it. The same again changes nothing.
    ///
    /// # Errors
    /// `not_found`, or the database's.
    pub async fn entitle(&self, tenant: TenantId, names: Option<&[String]>, request: &Request) -> Result<(), StoreError> {
        let mut scope = self.system(SystemUse::ManageTenants).await?;
        let found: Option<(Option<Vec<String>>,)> = sqlx::query_as("SELECT entitlements FROM tenants WHERE id = $1 FOR UPDATE")
            .bind(tenant.0)
            .fetch_optional(&mut *scope.tx)
            .await?;
        let Some((before,)) = found else { return Err(Problem::not_found().into()) };
        if before.as_deref() == names {
            return Ok(());
        }
        sqlx::query("UPDATE tenants SET entitlements = $2 WHERE id = $1").bind(tenant.0).bind(names).execute(&mut *scope.tx).await?;
        scope.commit().await?;
        let caller = Caller::System { name: "console", project: None };
        let scope = self.write(tenant, &caller, &Admission { roles: vec![], keys: false, workloads: false }).await?;
        let detail = json!({"before": before, "after": names});
        self.commit(scope, "tenant.entitled", Audited::new((), format!("tenant/{tenant}"), detail), request).await
    }
}

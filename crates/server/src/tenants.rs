//! The tenants that the configuration names: made at start, each with its owners.

use crate::config::{self, Config};
use anyhow::Context;
use bailiwick_base::{DirectoryId, MemberId, Problem, RequestId};
use bailiwick_contract::Role;
use bailiwick_contract::identity::Member;
use bailiwick_domain::{Services, identity, worker};
use bailiwick_store::{Audited, NewTenant, Request, Store};
use serde_json::json;

/// Makes what is missing. A tenant that has members keeps them: the configuration gives the first owners, people give the rest.
///
/// # Errors
/// The database's, or a directory signs in to a tenant of another name.
pub async fn ensure(store: &Store, config: &Config) -> Result<(), Problem> {
    for tenant in &config.tenants {
        ensure_one(store, tenant).await?;
    }
    Ok(())
}

/// How many tenants' keys are tried at start: one environment has one key-encryption key, so a few tell.
const TRIED: usize = 20;

/// Checks that what is stored was sealed under this environment's keys, before anybody is told that it cannot be opened.
///
/// # Errors
/// The database's, or a tenant's key was wrapped by a key-encryption key that is not configured.
pub async fn check_keys(services: &Services) -> anyhow::Result<()> {
    for tenant in services.store.tenants().await?.iter().take(TRIED) {
        let mut scope = services.store.read(tenant.tenant, &worker::system("console", None), &worker::nobody()).await?;
        scope.check_tenant_key(&services.keyring).await.map_err(|error| {
            let cause = Problem::from(error);
            let cause = cause.internal.unwrap_or(cause.detail);
            anyhow::anyhow!(
                "the key of tenant {:?} cannot be opened: {cause}. Set keys.kek_file to the file that was used before",
                tenant.name
            )
        })?;
    }
    Ok(())
}

/// Gives the tenant that signs in with a directory what it has beside the basics; with nothing, the environment's own list. Its name.
///
/// # Errors
/// A name that means nothing, no such tenant, or the database's.
pub async fn entitle(store: &Store, directory: DirectoryId, names: Option<Vec<String>>) -> anyhow::Result<String> {
    config::entitlements("the list", names.as_deref().unwrap_or_default())?;
    let tenant = store.tenant_of(directory).await?;
    let tenant =
        tenant.with_context(|| format!("no tenant signs in with the directory {directory}; `bailiwickd tenants list` shows them"))?;
    let request = Request { id: RequestId::new(store.clock(), store.rng()), address: None };
    store.entitle(tenant.tenant, names.as_deref(), &request).await?;
    Ok(tenant.name)
}

async fn ensure_one(store: &Store, tenant: &config::Tenant) -> Result<(), Problem> {
    let request = Request { id: RequestId::new(store.clock(), store.rng()), address: None };
    let unknown_directory = match tenant.unknown_directory {
        config::UnknownDirectory::Refuse => "refuse",
        config::UnknownDirectory::Add => "add",
    };
    let new = NewTenant {
        name: tenant.name.clone(),
        directory: tenant.directory,
        client_id: tenant.client_id.clone(),
        audiences: tenant.audiences.clone(),
        unknown_directory,
    };
    let id = store.create_tenant(&new, &worker::schedules(), &request).await?;
    if let Some(names) = &tenant.entitlements {
        store.entitle(id, Some(names), &request).await?;
    }
    let mut scope = store.write(id, &worker::system("console", None), &worker::nobody()).await?;
    let owner = |person: &config::Person| Member {
        id: MemberId::new(store.clock(), store.rng()),
        directory: tenant.directory,
        object_id: person.object_id,
        name: person.name.clone(),
        email: person.email.clone(),
        role: Role::Owner,
        added_at: store.now(),
    };
    let owners: Vec<Member> = tenant.owners.iter().map(owner).collect();
    let audited = if identity::first_owners(&mut scope, &owners).await? {
        let people: Vec<_> = owners.iter().map(|o| json!({"member": o.id, "object_id": o.object_id, "role": o.role})).collect();
        Audited::new((), format!("tenant/{id}"), json!({"members": people}))
    } else {
        Audited::unchanged(())
    };
    store.commit(scope, "member.added", audited, &request).await?;
    Ok(())
}

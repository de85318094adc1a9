//! Identity: who is calling, the members, the API keys.
//!
//! Owns: `members`, `api_keys`. Permissions: members.*, keys.*.
//! Invariants: I12 (keys shown once, stored hashed, scoped, expiring, revocable on the next request), I13, I15, I20, I21, I24.

pub mod api;
pub(crate) mod db;
pub mod key;

use bailiwick_base::Problem;
use bailiwick_contract::identity::Member;
use bailiwick_store::WriteScope;

/// Adds the owners that the operator's configuration names, where the tenant has no member yet; whether it did.
///
/// # Errors
/// The database's.
pub async fn first_owners(scope: &mut WriteScope, owners: &[Member]) -> Result<bool, Problem> {
    let tenant = scope.tenant();
    // Several processes may start at once.
    db::lock_first_owners(scope.sql(), tenant).await?;
    if owners.is_empty() || !db::members(scope.sql(), tenant, None, 1).await?.is_empty() {
        return Ok(false);
    }
    for owner in owners {
        db::insert_member(scope.sql(), tenant, owner).await?;
    }
    Ok(true)
}

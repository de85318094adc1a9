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

/// Adds an owner that the operator's configuration names; false when the person is a member already, or others own the tenant.
///
/// # Errors
/// The database's.
pub async fn first_owner(scope: &mut WriteScope, owner: &Member) -> Result<bool, Problem> {
    let tenant = scope.tenant();
    db::insert_first_owner(scope.sql(), tenant, owner).await
}

//! What the catalogue of checks says to people: which checks there are, and which permissions they need.

use bailiwick_contract::scans::ScanKind;
use std::collections::BTreeSet;

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The application permissions that the checks of a kind of scan read with.
pub fn permissions(kind: ScanKind) -> BTreeSet<String> {
    let mut all = set(&["Directory.Read.All", "Organization.Read.All", "Policy.Read.All", "RoleManagement.Read.Directory"]);
    if kind == ScanKind::Exposure {
        all.extend(set(&["Application.Read.All", "AuditLog.Read.All"]));
    }
    all
}

/// The application permissions that fix recipes write with.
pub fn fix_permissions() -> BTreeSet<String> {
    set(&["Policy.ReadWrite.Authorization"])
}

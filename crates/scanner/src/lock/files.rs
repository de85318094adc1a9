//! Landlock: rights are handled and none is granted, so every file, TCP port, abstract socket and foreign process is out of
//! reach. See https://docs.kernel.org/userspace-api/landlock.html for what each version handles.

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreated, RulesetError, Scope};

/// Opening, reading, writing, making, removing and running are handled since the first version (Linux 5.13); renaming,
/// truncating and device control where the kernel has them. `Calls` refuses the calls for all of these.
pub(super) fn deny_files() -> Result<(), String> {
    restrict(files())
}

pub(super) fn can_deny_files() -> Result<(), String> {
    files().map(drop).map_err(|error| explain(&error))
}

pub(super) fn deny_tcp() -> Result<(), String> {
    restrict(tcp())
}

pub(super) fn can_deny_tcp() -> Result<(), String> {
    tcp().map(drop).map_err(|error| explain(&error))
}

pub(super) fn deny_reaching_out() -> Result<(), String> {
    restrict(scope())
}

pub(super) fn can_deny_reaching_out() -> Result<(), String> {
    scope().map(drop).map_err(|error| explain(&error))
}

fn files() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .create()
}

fn tcp() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessNet::from_all(ABI::V4))?.create()
}

fn scope() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default().set_compatibility(CompatLevel::HardRequirement).scope(Scope::from_all(ABI::V6))?.create()
}

fn restrict(ruleset: Result<RulesetCreated, RulesetError>) -> Result<(), String> {
    let status = ruleset.and_then(RulesetCreated::restrict_self).map_err(|error| explain(&error))?;
    match status.ruleset {
        landlock::RulesetStatus::NotEnforced => Err("this kernel does not enforce it".to_owned()),
        _ => Ok(()),
    }
}

fn explain(error: &RulesetError) -> String {
    format!("this kernel does not have it ({error})")
}

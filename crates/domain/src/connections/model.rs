//! Rules of connections that need neither database nor cloud: what features need, what is missing, and what to warn about.

use bailiwick_base::Timestamp;
use bailiwick_contract::connections::{
    CloudFailure, CloudFailureCode, ConnectionKind, ConnectionWarning, ConnectionWarningCode, CredentialKind, Feature, FeatureAccess,
    NeededPermission,
};
use jiff::ToSpan;
use std::collections::{BTreeMap, BTreeSet};

/// How long before its end a secret or certificate is warned about.
const WARN_DAYS: i64 = 30;

/// What the live view of policies reads.
pub const POLICIES: &[&str] = &["Policy.Read.All", "SharePointTenantSettings.Read.All"];
/// What the live view of threats reads.
pub const THREATS: &[&str] = &["IdentityRiskEvent.Read.All", "IdentityRiskyUser.Read.All", "SecurityAlert.Read.All"];

/// What containing a person looks at and writes.
pub const CONTAINMENT: &[&str] = &["User.EnableDisableAccount.All", "User.Read.All", "User.RevokeSessions.All"];

/// The application permissions a feature uses, each once, in the alphabet's order.
pub fn needs(feature: Feature) -> BTreeSet<String> {
    let fixed = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    match feature {
        Feature::ComplianceScan => crate::scans::catalogue::permissions(bailiwick_checks::ScanKind::Compliance),
        Feature::ExposureScan => crate::scans::catalogue::permissions(bailiwick_checks::ScanKind::Exposure),
        Feature::Policies => fixed(POLICIES),
        Feature::Threats => fixed(THREATS),
        Feature::Fixes => crate::scans::catalogue::fix_permissions().into_iter().chain(fixed(CONTAINMENT)).collect(),
    }
}

/// Whether one permission does what another is asked for: itself, or its writing form.
fn covers(granted: &str, needed: &str) -> bool {
    granted == needed || needed.contains(".Read.") && granted == needed.replacen(".Read.", ".ReadWrite.", 1)
}

/// What each feature of this kind of connection needs, and what of it was not granted.
pub fn features(kind: ConnectionKind, granted: &[String], working: bool) -> Vec<FeatureAccess> {
    let access = |feature: Feature| {
        let needs = needs(feature);
        let missing: Vec<String> = needs.iter().filter(|needed| !granted.iter().any(|g| covers(g, needed))).cloned().collect();
        FeatureAccess { feature, ready: working && missing.is_empty(), needs: needs.into_iter().collect(), missing }
    };
    Feature::ALL.iter().copied().filter(|feature| feature.kind() == kind).map(access).collect()
}

/// Every permission a kind of connection asks for, with what needs it.
pub fn permissions(kind: ConnectionKind) -> Vec<NeededPermission> {
    let mut needed: BTreeMap<String, Vec<Feature>> = BTreeMap::new();
    for feature in Feature::ALL.iter().copied().filter(|feature| feature.kind() == kind) {
        for permission in needs(feature) {
            needed.entry(permission).or_default().push(feature);
        }
    }
    needed.into_iter().map(|(permission, features)| NeededPermission { permission, features }).collect()
}

/// Whether a permission lets its holder change anything.
pub fn writes(permission: &str) -> bool {
    permission.split('.').any(|part| {
        part.contains("Write")
            || matches!(part, "EnableDisableAccount" | "RevokeSessions" | "FullControl" | "Manage" | "Send" | "Create" | "Delete")
    })
}

/// What somebody should see to.
pub fn warnings(
    kind: ConnectionKind,
    credential: CredentialKind,
    expires_at: Option<Timestamp>,
    granted: &[String],
    now: Timestamp,
) -> Vec<ConnectionWarning> {
    let mut warnings = Vec::new();
    let mut warn = |code, detail: String| warnings.push(ConnectionWarning { code, detail });
    if credential == CredentialKind::Secret {
        let end = match expires_at {
            Some(at) => format!(" It ends at {at}."),
            None => " When it ends is not known here: look it up in Entra.".to_owned(),
        };
        let detail = format!(
            "This connection uses a static secret: whoever has it is the application.{end} Use a federated identity, or a certificate, instead."
        );
        warn(ConnectionWarningCode::StaticSecret, detail);
    }
    match expires_at {
        Some(at) if at <= now => {
            warn(
                ConnectionWarningCode::CredentialEnded,
                format!("The {} ended at {at}. Make a new one and connect again.", credential.as_str()),
            );
        }
        Some(at) if at <= now + (WARN_DAYS * 24).hours() => {
            let days = at.duration_since(now).as_hours() / 24;
            warn(
                ConnectionWarningCode::CredentialEnding,
                format!("The {} ends in {days} days, at {at}. Make a new one in time.", credential.as_str()),
            );
        }
        _ => {}
    }
    let writing: Vec<&str> = granted.iter().map(String::as_str).filter(|p| writes(p)).collect();
    if kind == ConnectionKind::Read && !writing.is_empty() {
        let detail =
            format!("This connection should only read, and was granted {}. Remove them from the application in Entra.", writing.join(", "));
        warn(ConnectionWarningCode::WritePermissions, detail);
    }
    warnings
}

pub fn failure(code: CloudFailureCode, detail: impl Into<String>) -> CloudFailure {
    CloudFailure { code, detail: detail.into(), microsoft_code: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_missing_is_named_exactly() {
        let threats = |names: &[&str]| {
            let all = features(ConnectionKind::Read, &granted(names), true);
            all.into_iter().find(|access| access.feature == Feature::Threats).unwrap()
        };
        let some = threats(&["SecurityAlert.Read.All", "User.Read.All"]);
        assert_eq!((some.ready, some.missing), (false, granted(&["IdentityRiskEvent.Read.All", "IdentityRiskyUser.Read.All"])));
        let all = threats(&["SecurityAlert.ReadWrite.All", "IdentityRiskEvent.Read.All", "IdentityRiskyUser.Read.All"]);
        assert_eq!((all.ready, all.missing), (true, vec![]));
    }

    #[test]
    fn a_connection_that_was_not_checked_is_ready_for_nothing() {
        let all: Vec<String> = Feature::ALL.iter().flat_map(|feature| needs(*feature)).collect();
        assert!(features(ConnectionKind::Read, &all, true).iter().all(|access| access.ready));
        assert!(features(ConnectionKind::Read, &all, false).iter().all(|access| !access.ready));
    }

    /// I43: what reads asks for nothing that writes, whatever the catalogue comes to hold.
    #[test]
    fn i43_a_read_connection_asks_for_no_permission_that_writes() {
        let asked = permissions(ConnectionKind::Read);
        assert!(asked.len() > 5, "{asked:?}");
        for needed in asked {
            assert!(!writes(&needed.permission), "{needed:?}");
            assert!(!needed.features.contains(&Feature::Fixes), "{needed:?}");
        }
        for permission in ["Policy.ReadWrite.ConditionalAccess", "Mail.Send", "Sites.FullControl.All", "Sites.Manage.All"] {
            assert!(writes(permission), "{permission}");
        }
    }

    /// I30: a static secret is seen, and so is its end.
    #[test]
    fn i30_a_static_secret_is_warned_about_and_its_end_watched() {
        let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        let codes = |credential, ends: Option<Timestamp>| -> Vec<ConnectionWarningCode> {
            warnings(ConnectionKind::Read, credential, ends, &[], now).into_iter().map(|w| w.code).collect()
        };
        use ConnectionWarningCode::{CredentialEnded, CredentialEnding, StaticSecret};
        assert_eq!(codes(CredentialKind::Federated, None), []);
        assert_eq!(codes(CredentialKind::Secret, None), [StaticSecret]);
        assert_eq!(codes(CredentialKind::Secret, Some(now + 2400.hours())), [StaticSecret]);
        assert_eq!(codes(CredentialKind::Secret, Some(now + 24.hours())), [StaticSecret, CredentialEnding]);
        assert_eq!(codes(CredentialKind::Certificate, Some(now)), [CredentialEnded]);
    }

    #[test]
    fn a_reading_connection_that_could_write_is_warned_about() {
        let now = Timestamp::UNIX_EPOCH;
        let found =
            |kind| warnings(kind, CredentialKind::Federated, None, &granted(&["User.Read.All", "Policy.ReadWrite.Authorization"]), now);
        let read = found(ConnectionKind::Read);
        assert_eq!(read[0].code, ConnectionWarningCode::WritePermissions);
        assert!(read[0].detail.contains("Policy.ReadWrite.Authorization") && !read[0].detail.contains("User.Read.All"));
        assert!(found(ConnectionKind::Write).is_empty());
    }
}

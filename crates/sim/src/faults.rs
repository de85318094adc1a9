//! Faults on demand: an answer, a delay or a dropped connection for the next requests that match.
//! Rules apply in the order they were added; one that is used up is gone.

use crate::cloud::lock;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// Which requests a fault hits. Every member that is present must match; none = every request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultMatch {
    /// Host without port.
    #[serde(default)]
    pub host: Option<String>,
    #[serde(default)]
    pub method: Option<String>,
    /// What the path starts with.
    #[serde(default)]
    pub path: Option<String>,
    /// What the path contains, for paths that start with a tenant.
    #[serde(default)]
    pub path_contains: Option<String>,
}

/// What happens to a request that is hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FaultAction {
    /// Answered at once with this status; `retry_after` in seconds becomes the header.
    Answer {
        status: u16,
        #[serde(default)]
        retry_after: Option<u32>,
        #[serde(default)]
        body: Option<String>,
    },
    /// Answered as usual, later.
    Delay { delay_ms: u64 },
    /// The connection is closed without an answer.
    Drop { drop: bool },
    /// Key sets answer 503; everything else is untouched. `match` still narrows it.
    JwksDown { jwks_down: bool },
}

/// A rule: the next `times` requests that match get the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(default, rename = "match")]
    pub matches: FaultMatch,
    /// How often; absent = until cleared.
    #[serde(default)]
    pub times: Option<u32>,
    pub action: FaultAction,
}

#[derive(Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub fn add(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.0).extend(faults);
    }
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
    pub fn all(&self) -> Vec<Fault> {
        lock(&self.0).clone()
    }
    /// The action for this request, if a rule hits it; uses the rule up by one.
    pub fn hit(&self, host: &str, method: &str, path: &str) -> Option<FaultAction> {
        let mut faults = lock(&self.0);
        let at = faults.iter().position(|fault| fault.hits(host, method, path))?;
        let action = faults[at].action.clone();
        if let Some(times) = &mut faults[at].times {
            *times -= 1;
            if *times == 0 {
                faults.remove(at);
            }
        }
        Some(action)
    }
}

impl Fault {
    fn hits(&self, host: &str, method: &str, path: &str) -> bool {
        let FaultMatch { host: h, method: m, path: p, path_contains: c } = &self.matches;
        let wanted = match self.action {
            FaultAction::JwksDown { jwks_down } => jwks_down && is_key_set(path),
            FaultAction::Drop { drop } => drop,
            _ => true,
        };
        wanted
            && self.times != Some(0)
            && h.as_ref().is_none_or(|h| h.eq_ignore_ascii_case(host))
            && m.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method))
            && p.as_ref().is_none_or(|p| path.starts_with(p))
            && c.as_ref().is_none_or(|c| path.contains(c))
    }
}

fn is_key_set(path: &str) -> bool {
    path.ends_with("/discovery/v2.0/keys") || path.ends_with("/discovery/keys") || path.ends_with("/.well-known/jwks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_used_up_and_rules_go_in_order() {
        let faults = Faults::default();
        let rules: Vec<Fault> = serde_json::from_str(
            r#"[{"match":{"method":"POST"},"times":2,"action":{"status":429,"retry_after":1}},
                {"match":{"path_contains":"/token"},"times":1,"action":{"delay_ms":5}},
                {"action":{"jwks_down":true}}]"#,
        )
        .unwrap();
        faults.add(rules);
        let limited = FaultAction::Answer { status: 429, retry_after: Some(1), body: None };
        assert_eq!(faults.hit("h", "GET", "/x"), None);
        assert_eq!(faults.hit("h", "POST", "/t/token"), Some(limited.clone()));
        assert_eq!(faults.hit("h", "POST", "/x"), Some(limited));
        assert_eq!(faults.hit("h", "POST", "/t/token"), Some(FaultAction::Delay { delay_ms: 5 }));
        assert_eq!(faults.hit("h", "POST", "/t/token"), None);
        assert_eq!(faults.hit("h", "GET", "/t/discovery/v2.0/keys"), Some(FaultAction::JwksDown { jwks_down: true }));
        faults.clear();
        assert_eq!(faults.hit("h", "GET", "/t/discovery/v2.0/keys"), None);
    }
}

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
    /// What the query contains, percent-decoded: `$skiptoken` hits every page but the first.
    #[serde(default)]
    pub query_contains: Option<String>,
    /// How many matching requests go unharmed first.
    #[serde(default)]
    pub after: u32,
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
    /// Status 200 and the right headers, but the body ends in the middle of its JSON.
    Malformed { malformed: bool },
    /// Status 200 and valid JSON of this many MiB, streamed.
    Huge { huge_mib: u32 },
    /// Every page says that there is another one, for ever.
    Endless { endless: bool },
    /// The next link of a page leads to that same page.
    RepeatLink { repeat_link: bool },
    /// A write is answered as usual, and nothing of it is kept.
    Forget { forget: bool },
    /// A write is kept, and then the connection is closed without an answer.
    DropAfter { drop_after: bool },
    /// The next link jumps over a page; `@odata.count` still counts its items.
    LosePage { lose_page: bool },
}

/// What a fault does to the pages of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    Endless,
    Repeat,
    Lose,
}

impl FaultAction {
    pub fn twist(&self) -> Option<Twist> {
        match self {
            Self::Endless { endless: true } => Some(Twist::Endless),
            Self::RepeatLink { repeat_link: true } => Some(Twist::Repeat),
            Self::LosePage { lose_page: true } => Some(Twist::Lose),
            _ => None,
        }
    }
}

/// A request as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub host: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    /// Percent-decoded.
    pub query: &'a str,
    /// A write to Graph or Resource Manager.
    pub write: bool,
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
    pub fn hit(&self, target: Target<'_>) -> Option<FaultAction> {
        let mut faults = lock(&self.0);
        let at = faults.iter_mut().position(|fault| fault.hits(target) && !fault.spared())?;
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
    fn hits(&self, target: Target<'_>) -> bool {
        let asked = &self.matches;
        let wanted = match self.action {
            FaultAction::JwksDown { jwks_down } => jwks_down && is_key_set(target.path),
            FaultAction::Drop { drop } => drop,
            FaultAction::Forget { forget } => forget && target.write,
            FaultAction::DropAfter { drop_after } => drop_after && target.write,
            _ => true,
        };
        wanted
            && self.times != Some(0)
            && asked.host.as_ref().is_none_or(|h| h.eq_ignore_ascii_case(target.host))
            && asked.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(target.method))
            && asked.path.as_ref().is_none_or(|p| target.path.starts_with(p))
            && asked.path_contains.as_ref().is_none_or(|c| target.path.contains(c))
            && asked.query_contains.as_ref().is_none_or(|c| target.query.contains(c))
    }
    /// Counts a matching request that still goes unharmed.
    fn spared(&mut self) -> bool {
        let spared = self.matches.after > 0;
        self.matches.after = self.matches.after.saturating_sub(1);
        spared
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
        let hit = |method, path| faults.hit(Target { host: "h", method, path, query: "", write: false });
        let limited = FaultAction::Answer { status: 429, retry_after: Some(1), body: None };
        assert_eq!(hit("GET", "/x"), None);
        assert_eq!(hit("POST", "/t/token"), Some(limited.clone()));
        assert_eq!(hit("POST", "/x"), Some(limited));
        assert_eq!(hit("POST", "/t/token"), Some(FaultAction::Delay { delay_ms: 5 }));
        assert_eq!(hit("POST", "/t/token"), None);
        assert_eq!(hit("GET", "/t/discovery/v2.0/keys"), Some(FaultAction::JwksDown { jwks_down: true }));
        faults.clear();
        assert_eq!(hit("GET", "/t/discovery/v2.0/keys"), None);
    }

    #[test]
    fn writes_are_forgotten_or_cut_off_and_reads_are_left_alone() {
        let faults = Faults::default();
        let rules = r#"[{"times":1,"action":{"forget":true}},{"times":1,"action":{"drop_after":true}}]"#;
        faults.add(serde_json::from_str::<Vec<Fault>>(rules).unwrap());
        let hit = |write| faults.hit(Target { host: "h", method: "PATCH", path: "/v1.0/domains/x", query: "", write });
        assert_eq!((hit(false), hit(true)), (None, Some(FaultAction::Forget { forget: true })));
        assert_eq!((hit(false), hit(true), hit(true)), (None, Some(FaultAction::DropAfter { drop_after: true }), None));
    }

    #[test]
    fn a_rule_may_spare_the_first_requests_and_hit_only_later_pages() {
        let faults = Faults::default();
        let rule = r#"[{"match":{"query_contains":"$skiptoken","after":1},"times":1,"action":{"lose_page":true}}]"#;
        faults.add(serde_json::from_str::<Vec<Fault>>(rule).unwrap());
        let hit = |query| faults.hit(Target { host: "h", method: "GET", path: "/v1.0/users", query, write: false });
        assert_eq!((hit(""), hit("$skiptoken=a")), (None, None));
        assert_eq!(hit("$skiptoken=b").and_then(|action| action.twist()), Some(Twist::Lose));
        assert_eq!(hit("$skiptoken=c"), None);
    }
}

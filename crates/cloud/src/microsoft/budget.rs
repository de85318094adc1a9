//! Microsoft's published limits, kept on our side, a directory at a time: requests wait here so that they are not refused
//! there. Figures: Microsoft Graph "service-specific throttling limits", Azure Resource Manager "throttling".

use super::{CallError, Service};
use crate::pace::{Pace, Until};
use bailiwick_base::{DirectoryId, Timestamp};
use jiff::SignedDuration;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

/// Which limit a request counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Identity Protection and Conditional Access: one request a second for a whole directory.
    Identity,
    /// Sign-ins, audit logs, registration details: five requests in ten seconds.
    Reports,
    /// Everything else of Graph, in resource units. 3,500 in ten seconds is what the smallest directories get.
    Directory,
    /// 250 at once, then 25 a second; as a window, so that it holds whenever it is looked at.
    Arm,
    /// 2,000 in ten seconds: the lower of the two figures Microsoft has published.
    Vault,
}

impl Lane {
    const ALL: [Self; 5] = [Self::Identity, Self::Reports, Self::Directory, Self::Arm, Self::Vault];

    /// Units and the time they are for. The time is a little longer than published: requests do not travel at one speed.
    fn limit(self) -> (u32, SignedDuration) {
        let (units, millis) = match self {
            Self::Identity => (1, 1_050),
            Self::Reports => (5, 10_250),
            Self::Directory => (3_500, 10_250),
            Self::Arm => (250, 10_250),
            Self::Vault => (2_000, 10_250),
        };
        (units, SignedDuration::from_millis(millis))
    }

    /// Whether its requests go one by one, because a batch would send them all at once.
    pub fn narrow(self) -> bool {
        matches!(self, Self::Identity | Self::Reports)
    }

    /// What a request counts against, and how much.
    pub fn of(service: Service, url: &Url) -> (Self, u32) {
        match service {
            Service::Graph => graph(url),
            Service::Arm => (Self::Arm, 1),
            Service::Vault => (Self::Vault, 1),
        }
    }
}

fn graph(url: &Url) -> (Lane, u32) {
    let path = url.path().to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').skip_while(|part| !matches!(*part, "v1.0" | "beta")).skip(1).collect();
    let base = match parts.as_slice() {
        ["identityprotection", ..] | ["identity", "conditionalaccess", ..] => return (Lane::Identity, 1),
        ["reports" | "auditlogs", ..] => return (Lane::Reports, 1),
        [.., "transitivemembers" | "transitivememberof"] => 5,
        ["groups", _, "members"] | ["subscribedskus", ..] => 3,
        ["users" | "applications" | "oauth2permissiongrants", ..] | [.., "approleassignments" | "approleassignedto"] => 2,
        _ => 1,
    };
    let mut units = base;
    for (name, value) in url.query_pairs() {
        match &*name {
            "$select" => units -= 1,
            "$expand" => units += 1,
            "$top" if value.parse().is_ok_and(|top: u32| top < 20) => units -= 1,
            _ => {}
        }
    }
    (Lane::Directory, u32::try_from(units.max(1)).unwrap_or(1))
}

/// A clock that went back further than this is believed, and the past forgotten.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// The starts of the last requests of one lane, oldest first.
#[derive(Default)]
struct Window {
    starts: VecDeque<(Timestamp, u32)>,
    used: u32,
    /// Nothing starts before this: the service said so.
    blocked: Option<Timestamp>,
}

impl Window {
    /// Takes the next free place and gives its time.
    fn take(&mut self, now: Timestamp, units: u32, (limit, span): (u32, SignedDuration)) -> Timestamp {
        let later = |at: Timestamp| at.saturating_add(span).unwrap_or(at);
        if self.starts.back().is_some_and(|(last, _)| last.duration_since(now) > AHEAD) {
            *self = Self::default();
        }
        let units = units.min(limit);
        let last = self.starts.back().map_or(now, |(last, _)| *last);
        let mut start = now.max(last).max(self.blocked.unwrap_or(now));
        while let Some(&(first, used)) = self.starts.front() {
            if later(first) > start {
                if self.used + units <= limit {
                    break;
                }
                start = later(first);
            }
            self.used -= used;
            self.starts.pop_front();
        }
        self.used += units;
        self.starts.push_back((start, units));
        start
    }

    fn block(&mut self, until: Timestamp) {
        self.blocked = Some(self.blocked.map_or(until, |blocked| blocked.max(until)));
    }
}

/// The budgets of all directories. Those least used give way.
pub(super) struct Budgets(moka::future::Cache<DirectoryId, Arc<Mutex<[Window; Lane::ALL.len()]>>>);

impl Budgets {
    pub fn new() -> Self {
        Self(moka::future::Cache::new(20_000))
    }

    async fn of<T>(&self, directory: DirectoryId, lane: Lane, doing: impl FnOnce(&mut Window) -> T) -> T {
        let windows = self.0.get_with(directory, async { Arc::default() }).await;
        let mut windows = windows.lock().unwrap_or_else(PoisonError::into_inner);
        doing(&mut windows[lane as usize])
    }

    /// Waits for the directory's next free place in the lane, and says how long that took.
    pub async fn turn(&self, pace: &Pace, until: &Until, directory: DirectoryId, lane: Lane, units: u32) -> Result<Duration, CallError> {
        let now = pace.now();
        let start = self.of(directory, lane, |window| window.take(now, units, lane.limit())).await;
        let pause = Duration::try_from(start.duration_since(now)).unwrap_or_default();
        pace.wait(pause, until).await?;
        Ok(pause)
    }

    /// Holds the whole lane of the directory back, as the service asked one of its requests to wait.
    pub async fn block(&self, pace: &Pace, directory: DirectoryId, lane: Lane, pause: Duration) {
        let until = pace.now().saturating_add(SignedDuration::try_from(pause).unwrap_or(AHEAD));
        if let Ok(until) = until {
            self.of(directory, lane, |window| window.block(until)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> (Lane, u32) {
        Lane::of(Service::Graph, &Url::parse(&format!("https://graph.microsoft.com{path}")).unwrap())
    }

    #[test]
    fn each_path_counts_against_its_published_limit() {
        for path in ["/v1.0/identityProtection/riskyUsers", "/beta/identity/conditionalAccess/policies?$top=5"] {
            assert_eq!(of(path), (Lane::Identity, 1), "{path}");
        }
        for path in ["/v1.0/reports/authenticationMethods/userRegistrationDetails", "/beta/auditLogs/signIns"] {
            assert_eq!(of(path), (Lane::Reports, 1), "{path}");
        }
        for (path, units) in [
            ("/v1.0/users", 2),
            ("/v1.0/users?$select=id&$top=999", 1),
            ("/v1.0/users?$select=id&$top=5", 1),
            ("/v1.0/groups/1/members?$expand=x", 4),
            ("/v1.0/groups/1/transitiveMembers", 5),
            ("/v1.0/subscribedSkus", 3),
            ("/v1.0/servicePrincipals/1/appRoleAssignments", 2),
            ("/v1.0/policies/authorizationPolicy", 1),
            ("/v1.0/identity/b2xUserFlows", 1),
        ] {
            assert_eq!(of(path), (Lane::Directory, units), "{path}");
        }
    }

    #[test]
    fn no_window_ever_holds_more_than_its_limit_wherever_it_is_laid() {
        let zero: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let after = |millis| zero + SignedDuration::from_millis(millis);
        let mut window = Window::default();
        let limit = (5, SignedDuration::from_secs(10));
        // Asked for at odd moments, sometimes several at once.
        let asked = [0, 0, 4_000, 4_000, 9_000, 9_000, 9_500, 12_000, 12_000, 30_000];
        let starts: Vec<_> = asked.iter().map(|at| window.take(after(*at), 1, limit)).collect();
        for start in &starts {
            let within = starts.iter().filter(|other| **other <= *start && start.duration_since(**other) < limit.1).count();
            assert!(within <= 5, "{starts:?}");
        }
        assert_eq!(starts[5], after(10_000));
        assert_eq!(starts[9], after(30_000));
        // One that is dearer than the window still goes, alone.
        assert_eq!(window.take(after(31_000), 9, limit), after(40_000));
    }

    #[test]
    fn a_lane_that_was_told_to_wait_waits_and_a_clock_set_back_does_not_stop_it() {
        let zero: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let mut window = Window::default();
        let limit = Lane::Identity.limit();
        window.block(zero + SignedDuration::from_secs(17));
        assert_eq!(window.take(zero, 1, limit), zero + SignedDuration::from_secs(17));
        let before = zero - SignedDuration::from_hours(5);
        assert_eq!(window.take(before, 1, limit), before);
    }
}

//! Typed ids: a run's id cannot be passed where a finding's is wanted.

use crate::seams::{Clock, Rng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A time-ordered UUID (RFC 9562, version 7) from the given clock and randomness.
pub fn uuid_v7(clock: &dyn Clock, rng: &dyn Rng) -> Uuid {
    let millis = clock.now().as_millisecond().max(0) as u64;
    let mut random = [0u8; 10];
    rng.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by the clock.
            pub fn new(clock: &dyn Clock, rng: &dyn Rng) -> Self {
                Self(uuid_v7(clock, rng))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, uuid::Error> {
                s.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A customer of Bailiwick: the isolation boundary.
    TenantId,
    /// A repository or system inside a tenant.
    ProjectId,
    /// A Microsoft Entra tenant that a tenant connects or reports on: the GUID Microsoft gave it.
    DirectoryId,
    MemberId,
    ApiKeyId,
    RunId,
    ArtifactId,
    /// A line of comparable runs: one family, one directory or project, one tool and category.
    SeriesId,
    /// What was tested: a Maester test, a SARIF rule, a ScubaGear policy.
    CheckId,
    FindingId,
    JobId,
    /// A consented access to a directory.
    ConnectionId,
    ScanId,
    /// A time table of scans.
    ScheduleId,
    /// The fixes that one planning made.
    FixPlanId,
    /// One proposed change to a directory.
    FixId,
    /// The containing of one person at risk.
    ContainmentId,
    /// A way by which people are told something.
    ChannelId,
    /// What goes to a channel, and when.
    RuleId,
    /// One message to one place.
    DeliveryId,
    /// Something that happened and that people may want to be told.
    EventId,
    /// One request, as logs, problems and trail entries name it.
    RequestId,
}

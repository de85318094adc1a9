//! The vocabulary of evidence: what was found, how bad, by which family of report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant = $number),* }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $text),* } }
            /// The number stored in the database; never reused for another word.
            pub fn number(self) -> i16 { self as i16 }
            pub fn from_number(n: i16) -> Option<Self> { match n { $($number => Some($name::$variant),)* _ => None } }
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some($name::$variant),)* _ => None } }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words! {
    /// A family of reports. Drift never crosses families.
    Family {
        Maester = 1 "maester",
        ZeroTrust = 2 "zero_trust",
        ScubaGear = 3 "scubagear",
        Sarif = 4 "sarif",
        /// Bailiwick's own scans of a directory.
        Scan = 5 "scan",
    }
}

words! {
    /// What one test said in one run. `Failed`, `Error` and `Investigate` are failing; the other four are not.
    Outcome {
        Passed = 1 "passed",
        Failed = 2 "failed",
        Error = 3 "error",
        Investigate = 4 "investigate",
        /// Also ScubaGear's N/A (manual) and omitted, Zero Trust's Planned, SARIF's not applicable.
        Skipped = 5 "skipped",
        NotRun = 6 "not_run",
        /// A word the tool used that Bailiwick does not know: counted and shown, never dropped.
        Unknown = 7 "unknown",
    }
}

impl Outcome {
    /// Failing outcomes open findings (Maester Cloud counts Investigate as failing on purpose).
    pub fn failing(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Investigate)
    }
}

words! {
    /// How bad, from none to critical; the order is the order.
    Severity {
        None = 0 "none",
        Info = 1 "info",
        Low = 2 "low",
        Medium = 3 "medium",
        High = 4 "high",
        Critical = 5 "critical",
    }
}

words! {
    /// The Microsoft product a check is about, or code for scanner results.
    Product {
        Entra = 1 "entra",
        Intune = 2 "intune",
        Exchange = 3 "exchange",
        Teams = 4 "teams",
        SharePoint = 5 "sharepoint",
        Defender = 6 "defender",
        PowerPlatform = 7 "power_platform",
        PowerBi = 8 "power_bi",
        Purview = 9 "purview",
        Azure = 10 "azure",
        ActiveDirectory = 11 "active_directory",
        AzureDevOps = 12 "azure_devops",
        GitHub = 13 "github",
        /// Zero Trust pillars without one product behind them.
        Network = 14 "network",
        SecOps = 15 "sec_ops",
        Ai = 16 "ai",
        Code = 17 "code",
        Other = 18 "other",
    }
}

/// How many results had each outcome, counted from the results themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub error: u32,
    pub investigate: u32,
    pub skipped: u32,
    pub not_run: u32,
    #[serde(default)]
    pub unknown: u32,
    pub total: u32,
}

impl Counts {
    pub fn add(&mut self, outcome: Outcome) {
        *self.slot(outcome) += 1;
        self.total += 1;
    }
    fn slot(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Failed => &mut self.failed,
            Outcome::Error => &mut self.error,
            Outcome::Investigate => &mut self.investigate,
            Outcome::Skipped => &mut self.skipped,
            Outcome::NotRun => &mut self.not_run,
            Outcome::Unknown => &mut self.unknown,
        }
    }
    pub fn failing(&self) -> u32 {
        self.failed + self.error + self.investigate
    }
    /// passed / (passed + failed), errors and investigate counted as failed, skipped and not-run left out; `None` when nothing counts.
    pub fn posture(&self) -> Option<f64> {
        let judged = self.passed + self.failing();
        (judged > 0).then(|| f64::from(self.passed) / f64::from(judged))
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.error += other.error;
        self.investigate += other.investigate;
        self.skipped += other.skipped;
        self.not_run += other.not_run;
        self.unknown += other.unknown;
        self.total += other.total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posture_leaves_out_what_was_not_judged() {
        let mut counts = Counts::default();
        for outcome in Outcome::ALL {
            counts.add(*outcome);
        }
        assert_eq!(counts.total, 7);
        assert_eq!(counts.posture(), Some(0.25));
        assert_eq!(Counts::default().posture(), None);
    }

    #[test]
    fn every_word_comes_back_from_its_number_and_its_text() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_number(outcome.number()), Some(*outcome));
            assert_eq!(Outcome::parse(outcome.as_str()), Some(*outcome));
        }
    }
}

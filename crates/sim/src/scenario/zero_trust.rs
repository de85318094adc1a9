//! A Zero Trust Assessment report of one day, in the shape of 2.1.x.

use super::{morning, pretty};
use crate::demo::{CONTOSO, Org};
use serde_json::{Map, Value, json};

/// `(id, title, pillar, risk, contoso, fabrikam)`
#[rustfmt::skip] // a table
const CHECKS: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("21770", "Applications that nobody uses hold no strong permissions", "Identity", "High", "Failed", "Passed"),
    ("21772", "Applications have no client secrets", "Identity", "High", "Failed", "Failed"),
    ("21773", "Application certificates end within 180 days", "Identity", "Medium", "Passed", "Failed"),
    ("21781", "Administrators sign in with a method that resists phishing", "Identity", "High", "Passed", "Failed"),
    ("21796", "Old authentication is blocked", "Identity", "Medium", "Failed", "Passed"),
    ("21807", "Ordinary users do not create applications", "Identity", "Medium", "Passed", "Passed"),
    ("21815", "Every privileged role is given for a limited time", "Identity", "High", "Passed", "Investigate"),
    ("24540", "Windows firewall policies are in force", "Devices", "High", "Passed", "Passed"),
    ("24546", "Windows devices enrol by themselves", "Devices", "Medium", "Failed", "Passed"),
    ("24550", "Data on Windows is encrypted", "Devices", "High", "Passed", "Passed"),
    ("25375", "Licences for secure access are there", "Network", "Low", "Skipped", "Skipped"),
    ("25381", "Traffic to Microsoft goes through the secure gateway", "Network", "Medium", "Planned", "Planned"),
    ("35001", "Sensitivity labels are published", "Data", "Medium", "Passed", "Failed"),
    ("35022", "Labels can be put on sites and teams", "Data", "Low", "Failed", "Passed"),
];

/// The `ZeroTrustAssessmentReport.json` of that organisation.
pub fn zero_trust_report(org: &Org) -> Vec<u8> {
    let contoso = org.directory == CONTOSO.directory;
    let tests: Vec<Value> = CHECKS
        .iter()
        .map(|&(id, title, pillar, risk, ours, theirs)| test(id, title, pillar, risk, if contoso { ours } else { theirs }))
        .collect();
    pretty(&json!({
        "ExecutedAt": morning(1).strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00").to_string(),
        "TenantId": org.directory, "TenantName": org.name, "Domain": org.domain, "Account": org.upn("admin"),
        "CurrentVersion": "2.1.8", "LatestVersion": "2.1.8",
        "TestResultSummary": summary(&tests), "Tests": tests, "TenantInfo": {"TenantOverview": {"UserCount": 5, "GuestCount": 0}}, "EndOfJson": "EndOfJson",
    }))
}

fn summary(tests: &[Value]) -> Value {
    let mut summary = Map::new();
    for pillar in ["Identity", "Devices", "Network", "Data", "Infrastructure", "SecOps", "AI"] {
        let judged =
            || tests.iter().filter(move |t| t["TestPillar"] == pillar && (t["TestStatus"] == "Passed" || t["TestStatus"] == "Failed"));
        summary.insert(format!("{pillar}Passed"), judged().filter(|t| t["TestStatus"] == "Passed").count().into());
        summary.insert(format!("{pillar}Total"), judged().count().into());
    }
    Value::Object(summary)
}

fn test(id: &str, title: &str, pillar: &str, risk: &str, status: &str) -> Value {
    let (skipped, reason) = match status {
        "Skipped" => ("NotLicensedEntraIDP2", json!("This test needs a licence that the tenant lacks.")),
        "Planned" => ("UnderConstruction", json!("This test is not written yet.")),
        _ => ("", Value::Null),
    };
    json!({
        "TestId": id, "TestTitle": title, "TestDescription": format!("{title}.\n\n**Remediation action**\n\n- Change the setting in the admin center.\n"),
        "TestResult": format!("{status}: {title}."), "TestStatus": status, "TestRisk": risk, "TestImpact": "Medium", "TestImplementationCost": "Low",
        "TestPillar": pillar, "TestCategory": "Scenario", "TestSfiPillar": "Protect identities and secrets", "TestTags": null, "TestAppliesTo": null,
        "TestMinimumLicense": "P1", "TestSkipped": skipped, "SkippedReason": reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_the_tests() {
        let report: Value = serde_json::from_slice(&zero_trust_report(&CONTOSO)).unwrap();
        assert_eq!(report["TestResultSummary"]["IdentityTotal"], 7);
        assert_eq!(report["TestResultSummary"]["IdentityPassed"], 4);
        assert_eq!(report["Tests"].as_array().unwrap().len(), CHECKS.len());
    }
}

//! Maester reports in the shape of 2.2.x. Counts are made from the tests themselves.
//!
//! From day to day, in both organisations:
//! - day 2: MT.1005 fails (a new policy without the emergency account), EIDSCA.AP04 is fixed, MT.1073 is new,
//!   EIDSCA.PR05 is gone, MT.1096 goes from Skipped to NotRun, MT.1092 has to be investigated;
//! - day 3: MT.1005 is fixed again, EIDSCA.PR05 is back, MT.1011 cannot be tested (Error);
//! - later days are like day 3.

use super::{
    maester_checks::{ADDED, CHECKS, Check},
    morning, pretty,
};
use crate::demo::{CONTOSO, Org};
use serde_json::{Value, json};

/// The `TestResults.json` of that organisation and day (1 is the first).
pub fn maester_report(org: &Org, day: u32) -> Vec<u8> {
    pretty(&document(org, day))
}

/// What a test says on a day, in Maester's own words; `None` when it is not part of the run.
pub fn result_on(org: &Org, check: &Check, day: u32) -> Option<&'static str> {
    let first = if org.directory == CONTOSO.directory { check.contoso } else { check.fabrikam };
    let letter = match (check.id, day) {
        ("MT.1073", 1) => return None,
        ("EIDSCA.PR05", 2) => return None,
        ("MT.1005", 2) => 'F',
        ("EIDSCA.AP04", 2..) => 'P',
        ("MT.1096", 2) => 'N',
        ("MT.1092", 2) => 'I',
        ("MT.1011", 3..) => 'E',
        _ => first,
    };
    Some(match letter {
        'P' => "Passed",
        'F' => "Failed",
        'S' => "Skipped",
        'I' => "Investigate",
        'E' => "Error",
        _ => "NotRun",
    })
}

/// The report as a JSON value.
pub(super) fn document(org: &Org, day: u32) -> Value {
    let mut run: Vec<(&Check, &str)> =
        CHECKS.iter().chain([&ADDED]).filter_map(|check| Some((check, result_on(org, check, day)?))).collect();
    // Maester's order: what was judged by name, then the rest.
    run.sort_by_key(|(check, result)| (!matches!(*result, "Passed" | "Failed"), check.id));
    let tests: Vec<Value> = run.iter().enumerate().map(|(at, (check, result))| test(org, check, result, at + 1, day)).collect();
    let count = |word: &str| run.iter().filter(|(_, result)| *result == word).count();
    let account = org.upn("admin");
    json!({
        "Result": if count("Failed") > 0 { "Failed" } else { "Passed" },
        "FailedCount": count("Failed"), "PassedCount": count("Passed"), "ErrorCount": count("Error"), "InvestigateCount": count("Investigate"),
        "SkippedCount": count("Skipped"), "NotRunCount": count("NotRun"), "TotalCount": run.len(),
        "ExecutedAt": morning(day).strftime("%Y-%m-%dT%H:%M:%S.000000+00:00").to_string(),
        "TotalDuration": "00:01:12", "UserDuration": "00:01:05", "DiscoveryDuration": "00:00:04", "FrameworkDuration": "00:00:03",
        "TenantId": org.directory, "TenantName": org.name, "TenantLogos": null,
        "Account": account, "CurrentVersion": "2.2.0", "LatestVersion": "2.2.0",
        "SystemInfo": {"MachineName": "runner", "OSDescription": "Ubuntu 24.04", "OSPlatform": "Unix", "ProcessorCount": 4, "UserName": "runner", "UserDomain": "runner"},
        "PowerShellInfo": {"Version": "7.5.4", "Edition": "Core", "Platform": "Unix"},
        "LoadedModules": [{"Name": "Maester", "Version": "2.2.0"}, {"Name": "Pester", "Version": "5.7.1"}],
        "InvokeCommand": "Invoke-Maester -NonInteractive",
        "MgContext": {"ClientId": org.pipeline, "TenantId": org.directory, "Scopes": ["Policy.Read.All", "Directory.Read.All"], "AuthType": "AppOnly",
            "TokenCredentialType": "ClientCertificate", "Account": null, "AppName": "Evidence pipeline", "ContextScope": "Process", "Environment": "Global", "ManagedIdentityId": null},
        "PesterConfig": null,
        "MaesterConfig": {"GlobalSettings": {"EmergencyAccessAccounts": [{"Type": "User", "Id": org.owner, "UserPrincipalName": org.upn("emergency")}]}, "TestSettings": []},
        "Tests": tests, "Blocks": blocks(&run), "EndOfJson": "EndOfJson",
    })
}

fn blocks(run: &[(&Check, &str)]) -> Vec<Value> {
    let mut names: Vec<&str> = run.iter().map(|(check, _)| check.block).collect();
    names.sort_unstable();
    names.dedup();
    let block = |name: &str| {
        let count = |word: &str| run.iter().filter(|(check, result)| check.block == name && *result == word).count();
        json!({
            "Name": name, "Result": if count("Failed") > 0 { "Failed" } else { "Passed" },
            "FailedCount": count("Failed"), "PassedCount": count("Passed"), "ErrorCount": count("Error"), "InvestigateCount": count("Investigate"),
            "SkippedCount": count("Skipped"), "NotRunCount": count("NotRun"), "TotalCount": run.iter().filter(|(check, _)| check.block == name).count(),
            "Tag": [name.rsplit('/').next()],
        })
    };
    names.into_iter().map(block).collect()
}

fn test(org: &Org, check: &Check, result: &str, index: usize, day: u32) -> Value {
    let name = format!("{}: {}", check.id, check.title);
    let (skipped, reason) = match result {
        "Skipped" => ("NotLicensedEntraIDP2", "Skipped. This test is for tenants that are licensed for Entra ID P2."),
        "Error" => ("Error", "The service did not answer in time."),
        "Investigate" => ("Investigate", "The facts do not decide; a person has to look."),
        _ => ("", ""),
    };
    json!({
        "Index": index, "Id": check.id, "Title": check.title, "Name": name,
        "HelpUrl": format!("https://maester.dev/docs/tests/{}", check.id),
        "Severity": check.severity, "Tag": [check.id, check.service, check.block.split('/').next()],
        "Result": result, "ScriptBlock": format!("Test for {}", check.id), "ScriptBlockFile": "/tests/Scenario.Tests.ps1",
        "ErrorRecord": errors(check, result), "Block": check.block, "Duration": format!("00:00:00.{:03}", 20 + check.id.len() * 7 + index),
        "ResultDetail": {
            "TestTitle": name, "TestDescription": description(check), "TestResult": said(org, check, result, day),
            "TestSkipped": skipped, "SkippedReason": reason, "TestInvestigate": result == "Investigate", "Severity": check.severity, "Service": check.service,
        },
    })
}

fn description(check: &Check) -> String {
    format!(
        "{}.\n\n#### Remediation action\n\n1. Open the {} admin center.\n2. Find the setting this test names and change it.\n3. Run the test again.\n",
        check.title, check.service
    )
}

fn said(org: &Org, check: &Check, result: &str, day: u32) -> String {
    match (check.id, result) {
        ("MT.1005", "Failed") => format!(
            "These Conditional Access policies do not exclude the emergency access account `{}`:\n\n| Policy | State | Created |\n| --- | --- | --- |\n| Block downloads on unmanaged devices | Enabled | {} |\n",
            org.upn("emergency"),
            morning(day).strftime("%Y-%m-%d")
        ),
        (_, "Passed") => format!("Well done. {} is set up as recommended.", org.name),
        (_, "Failed") => format!("{} is not set up as recommended.", org.name),
        (_, "Investigate") => "The configuration is unusual. Look at it before you decide.".to_owned(),
        (_, "Error") => "The test could not be completed.".to_owned(),
        _ => String::new(),
    }
}

fn errors(check: &Check, result: &str) -> Value {
    let record = |message: String, reason: &str, id: &str| {
        json!([{
            "Exception": {"Message": message}, "TargetObject": {"Message": message, "File": "/tests/Scenario.Tests.ps1", "Line": "42", "LineText": "$result | Should -Be $true", "Terminating": false},
            "CategoryInfo": {"Category": "InvalidResult", "Activity": "", "Reason": reason, "TargetName": "", "TargetType": "Hashtable"},
            "FullyQualifiedErrorId": id, "ErrorDetails": null, "ScriptStackTrace": "at <ScriptBlock>, /tests/Scenario.Tests.ps1: line 42", "PipelineIterationInfo": [],
        }])
    };
    match result {
        "Failed" | "Investigate" => {
            record(format!("Expected $true, because {}, but got $false.", check.title), "Exception", "PesterAssertionFailed")
        }
        "Skipped" => record("is skipped".to_owned(), "Exception", "PesterTestSkipped"),
        "Error" => record(
            "The request was canceled: the service did not answer within 100 seconds.".to_owned(),
            "TaskCanceledException",
            "TaskCanceled",
        ),
        _ => json!([]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::FABRIKAM;
    use std::collections::BTreeMap;

    fn results(org: &Org, day: u32) -> BTreeMap<String, String> {
        let report: Value = serde_json::from_slice(&maester_report(org, day)).unwrap();
        let text = |test: &Value, name: &str| test[name].as_str().unwrap().to_owned();
        report["Tests"].as_array().unwrap().iter().map(|t| (text(t, "Id"), text(t, "Result"))).collect()
    }

    #[test]
    fn the_second_day_has_a_regression_a_fix_and_comings_and_goings() {
        for org in [&CONTOSO, &FABRIKAM] {
            let (before, after) = (results(org, 1), results(org, 2));
            let change = |id: &str| (before.get(id).map(String::as_str), after.get(id).map(String::as_str));
            assert_eq!(change("MT.1005"), (Some("Passed"), Some("Failed")));
            assert_eq!(change("EIDSCA.AP04"), (Some("Failed"), Some("Passed")));
            assert_eq!(change("MT.1073").0, None);
            assert!(change("MT.1073").1.is_some());
            assert_eq!(change("EIDSCA.PR05"), (Some("Passed"), None));
            assert_eq!(change("MT.1096"), (Some("Skipped"), Some("NotRun")));
            assert_eq!(change("MT.1092"), (Some("Passed"), Some("Investigate")));
            let unchanged = before.iter().filter(|(id, result)| after.get(*id) == Some(result)).count();
            assert_eq!(unchanged, before.len() - 5);
        }
    }

    #[test]
    fn stated_counts_are_the_tests_own_and_ids_are_unique() {
        for (org, day) in [(&CONTOSO, 1), (&CONTOSO, 2), (&CONTOSO, 3), (&FABRIKAM, 1), (&FABRIKAM, 2)] {
            let report = document(org, day);
            let tests = report["Tests"].as_array().unwrap();
            assert!(tests.len() >= 40);
            assert_eq!(results(org, day).len(), tests.len());
            for (word, stated) in [
                ("Passed", "PassedCount"),
                ("Failed", "FailedCount"),
                ("Error", "ErrorCount"),
                ("Investigate", "InvestigateCount"),
                ("Skipped", "SkippedCount"),
                ("NotRun", "NotRunCount"),
            ] {
                let counted = tests.iter().filter(|t| t["Result"] == word).count();
                assert_eq!(report[stated], counted, "{word} on day {day}");
            }
            assert_eq!(report["TotalCount"], tests.len());
        }
    }

    #[test]
    fn the_same_day_has_the_same_bytes() {
        assert_eq!(maester_report(&CONTOSO, 2), maester_report(&CONTOSO, 2));
        assert_ne!(maester_report(&CONTOSO, 2), maester_report(&FABRIKAM, 2));
        assert_eq!(document(&CONTOSO, 1)["ExecutedAt"], "2026-11-17T06:00:00.000000+00:00");
    }
}

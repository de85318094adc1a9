//! Small reports, made to order.

use serde_json::{Value, json};
use uuid::Uuid;

/// A scanner's result: rule, file, line.
#[derive(Debug, Clone)]
pub struct Hit {
    pub rule: String,
    pub file: String,
    pub line: u32,
    pub text: String,
}

pub fn hit(rule: &str, file: &str, line: u32) -> Hit {
    Hit { rule: rule.into(), file: file.into(), line, text: format!("{rule} in {file}") }
}

/// A SARIF file of one run of one tool.
pub fn sarif(tool: &str, successful: bool, hits: &[Hit]) -> Vec<u8> {
    let results: Vec<Value> = hits
        .iter()
        .map(|hit| {
            json!({"ruleId": hit.rule, "level": "warning", "message": {"text": hit.text}, "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": hit.file}, "region": {"startLine": hit.line, "snippet": {"text": format!("call({})", hit.file)}}}}]})
        })
        .collect();
    let document = json!({"version": "2.1.0", "runs": [{
        "tool": {"driver": {"name": tool, "version": "1"}},
        "invocations": [{"executionSuccessful": successful}],
        "results": results,
    }]});
    serde_json::to_vec(&document).unwrap()
}

/// One directory's part of a Maester report: tests as (id, result).
pub fn maester_part(directory: Uuid, name: &str, at: &str, tests: &[(&str, &str)]) -> Value {
    let tests: Vec<Value> = tests
        .iter()
        .map(|(id, result)| {
            json!({"Id": id, "Title": format!("Test {id}"), "Name": format!("{id}: Test {id}"), "Severity": "High", "Tag": [id], "Result": result,
                "ErrorRecord": [], "Block": "Maester/Entra", "ResultDetail": null})
        })
        .collect();
    json!({"Result": "Failed", "TotalCount": tests.len(), "ExecutedAt": at, "TenantId": directory, "TenantName": name, "CurrentVersion": "2.1.0", "Tests": tests})
}

pub fn maester(directory: Uuid, at: &str, tests: &[(&str, &str)]) -> Vec<u8> {
    serde_json::to_vec(&maester_part(directory, "A directory", at, tests)).unwrap()
}

/// Several directories in one file.
pub fn merged(parts: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({"Tenants": parts, "CurrentVersion": "2.1.0", "EndOfJson": "EndOfJson"})).unwrap()
}

pub fn zero_trust(directory: Uuid, at: &str) -> Vec<u8> {
    let document = json!({"ExecutedAt": at, "TenantId": directory, "TenantName": "A directory", "CurrentVersion": "2.1.8", "TestResultSummary": {"IdentityPassed": 1},
        "Tests": [{"TestId": "21770", "TestTitle": "a", "TestStatus": "Passed", "TestRisk": "High", "TestPillar": "Identity"},
                  {"TestId": "21771", "TestTitle": "b", "TestStatus": "Failed", "TestRisk": "Low", "TestPillar": "Identity"}]});
    serde_json::to_vec(&document).unwrap()
}

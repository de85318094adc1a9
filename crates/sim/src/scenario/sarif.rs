//! SARIF of a made-up scanner over a made-up project: twelve results on day 1; on day 2 two are fixed, two are new and
//! one has moved by seven lines without changing.

use super::{morning, pretty};
use crate::jwt::b64;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

struct Rule {
    id: &'static str,
    text: &'static str,
    severity: &'static str,
    level: &'static str,
    cwe: &'static str,
}

#[rustfmt::skip] // a table
const RULES: &[Rule] = &[
    Rule { id: "sim/sql-injection", text: "A query is put together from a request parameter", severity: "9.1", level: "error", cwe: "external/cwe/cwe-089" },
    Rule { id: "sim/hardcoded-credential", text: "A credential stands in the source", severity: "8.0", level: "error", cwe: "external/cwe/cwe-798" },
    Rule { id: "sim/path-traversal", text: "A file name comes from a request without a check", severity: "7.5", level: "error", cwe: "external/cwe/cwe-022" },
    Rule { id: "sim/weak-hash", text: "A password is hashed with SHA-1", severity: "5.9", level: "warning", cwe: "external/cwe/cwe-328" },
    Rule { id: "sim/open-redirect", text: "A redirect goes wherever the request says", severity: "4.7", level: "warning", cwe: "external/cwe/cwe-601" },
    Rule { id: "sim/verbose-error", text: "A stack trace is shown to the caller", severity: "3.1", level: "note", cwe: "external/cwe/cwe-209" },
];

/// A result: rule, file, line, and the days on which it is there.
struct Found {
    rule: usize,
    file: &'static str,
    line: u32,
    code: &'static str,
    from: u32,
    until: u32,
}

const fn found(rule: usize, file: &'static str, line: u32, code: &'static str) -> Found {
    Found { rule, file, line, code, from: 1, until: u32::MAX }
}

#[rustfmt::skip] // a table
const RESULTS: &[Found] = &[
    found(0, "src/orders/list.js", 41, "db.query(\"select * from orders where id = \" + req.query.id)"),
    found(0, "src/reports/export.js", 88, "db.query(`select ${req.query.columns} from reports`)"),
    Found { until: 1, ..found(1, "src/config.js", 12, "const password = PLACEHOLDER") },
    found(1, "deploy/seed.js", 7, "connect({ user: \"seed\", password: PLACEHOLDER })"),
    found(2, "src/files/download.js", 23, "fs.createReadStream(root + req.params.name)"),
    Found { until: 1, ..found(2, "src/files/preview.js", 31, "res.sendFile(req.query.path)") },
    found(3, "src/accounts/password.js", 19, "createHash(\"sha1\").update(password)"),
    found(3, "src/legacy/login.js", 64, "sha1(user.password)"),
    found(4, "src/login/return.js", 15, "res.redirect(req.query.next)"),
    found(4, "src/shop/leave.js", 9, "res.redirect(target)"),
    found(5, "src/errors.js", 28, "res.send(error.stack)"),
    found(5, "src/api/handler.js", 102, "res.json({ stack: error.stack })"),
    Found { from: 2, ..found(0, "src/search/query.js", 54, "db.query(\"select * from items where name like '%\" + term + \"%'\")") },
    Found { from: 2, ..found(4, "src/login/logout.js", 21, "res.redirect(req.query.after)") },
];

/// The file whose lines moved down on day 2.
const MOVED: (&str, u32) = ("src/reports/export.js", 7);

/// The scanner's file for that project (`owner/name`) and day.
pub fn sarif_report(project: &str, day: u32) -> Vec<u8> {
    let rules: Vec<Value> = RULES.iter().map(rule).collect();
    let results: Vec<Value> = RESULTS.iter().filter(|f| (f.from..=f.until).contains(&day)).map(|f| result(f, day)).collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "Bailiwick Sim Scanner", "version": "1.0.0", "informationUri": "https://example.test/scanner", "rules": rules}},
            "automationDetails": {"id": format!("code/{}", morning(day).strftime("%Y-%m-%d"))},
            "invocations": [{"executionSuccessful": true, "startTimeUtc": morning(day).to_string(), "endTimeUtc": morning(day).to_string()}],
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository"}}},
            "versionControlProvenance": [{"repositoryUri": format!("https://github.com/{project}"), "revisionId": format!("{day:040x}"), "branch": "main"}],
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    }))
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id, "name": rule.id.trim_start_matches("sim/"), "shortDescription": {"text": rule.text}, "fullDescription": {"text": format!("{}.", rule.text)},
        "defaultConfiguration": {"level": rule.level}, "properties": {"security-severity": rule.severity, "precision": "high", "tags": ["security", rule.cwe]},
    })
}

fn result(found: &Found, day: u32) -> Value {
    let rule = &RULES[found.rule];
    let line = if day > 1 && found.file == MOVED.0 { found.line + MOVED.1 } else { found.line };
    let hash = hex::encode(&digest(&SHA256, format!("{}{}", found.file, found.code).as_bytes()).as_ref()[..8]);
    json!({
        "ruleId": rule.id, "ruleIndex": found.rule, "level": rule.level, "message": {"text": format!("{}.", rule.text)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": found.file, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line, "startColumn": 5, "endLine": line, "snippet": {"text": found.code}},
        }}],
        "partialFingerprints": {"primaryLocationLineHash": format!("{hash}:1")},
        "guid": guid(found),
    })
}

/// A stable id of the result, in the form of a version 4 UUID.
fn guid(found: &Found) -> String {
    let hash = digest(&SHA256, b64(format!("{} {} {}", found.rule, found.file, found.code)).as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn lines(day: u32) -> BTreeMap<String, u64> {
        let report: Value = serde_json::from_slice(&sarif_report("contoso/platform", day)).unwrap();
        let results = report["runs"][0]["results"].as_array().unwrap();
        results
            .iter()
            .map(|r| {
                (
                    r["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned(),
                    r["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn the_second_day_fixes_two_adds_two_and_moves_one() {
        let (before, after) = (lines(1), lines(2));
        assert_eq!((before.len(), after.len()), (12, 12));
        assert_eq!(before.keys().filter(|k| !after.contains_key(*k)).count(), 2);
        assert_eq!(after.keys().filter(|k| !before.contains_key(*k)).count(), 2);
        assert_eq!(before.iter().filter(|(k, line)| after.get(*k).is_some_and(|l| l != *line)).count(), 1);
    }
}

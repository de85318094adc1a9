//! ScubaGear results of one day, in the shape of 1.8: with counts per product and without the raw provider export.

use super::{morning, pretty};
use crate::demo::{CONTOSO, Org};
use serde_json::{Map, Value, json};

/// `(product, full name, group number, group, [(control, requirement, criticality, contoso, fabrikam)])`
type Group = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str, &'static str, &'static str)]);

#[rustfmt::skip] // a table
const PRODUCTS: &[(&str, &str, &[Group])] = &[
    ("AAD", "Azure Active Directory", &[
        ("1", "Legacy Authentication", &[("MS.AAD.1.1v1", "Legacy authentication SHALL be blocked.", "Shall", "Fail", "Pass")]),
        ("2", "Risk Based Policies", &[
            ("MS.AAD.2.1v1", "Users detected as high risk SHALL be blocked.", "Shall", "Pass", "Pass"),
            ("MS.AAD.2.2v1", "A notification SHOULD be sent to the administrator when high-risk users are detected.", "Should/3rd Party", "N/A", "N/A"),
        ]),
        ("3", "Strong Authentication", &[
            ("MS.AAD.3.1v1", "Phishing-resistant MFA SHALL be enforced for all users.", "Shall", "Fail", "Fail"),
            ("MS.AAD.3.7v1", "Managed devices SHOULD be required for authentication.", "Should", "Pass", "Warning"),
        ]),
    ]),
    ("EXO", "Exchange Online", &[
        ("1", "Automatic Forwarding", &[("MS.EXO.1.1v2", "Automatic forwarding to external domains SHALL be disabled.", "Shall", "Pass", "Pass")]),
        ("5", "SMTP Authentication", &[("MS.EXO.5.1v1", "SMTP AUTH SHALL be disabled.", "Shall", "Pass", "Fail")]),
    ]),
    ("SharePoint", "SharePoint Online", &[("1", "External Sharing", &[
        ("MS.SHAREPOINT.1.1v1", "External sharing for SharePoint SHALL be limited to existing guests or only people in your organization.", "Shall", "Fail", "Pass"),
        ("MS.SHAREPOINT.1.3v1", "External sharing SHALL be restricted to approved external domains.", "Shall", "Omitted", "Pass"),
    ])]),
    ("Teams", "Microsoft Teams", &[("1", "Meeting Policies", &[
        ("MS.TEAMS.1.1v1", "External meeting participants SHOULD NOT be enabled to request control of shared desktops or windows.", "Should", "Warning", "Pass"),
        ("MS.TEAMS.1.2v2", "Anonymous users SHALL NOT be enabled to start meetings.", "Shall", "Pass", "Error"),
    ])]),
];

/// The `ScubaResults_….json` of that organisation.
pub fn scubagear_report(org: &Org) -> Vec<u8> {
    let contoso = org.directory == CONTOSO.directory;
    let (mut summary, mut results) = (Map::new(), Map::new());
    for (product, _, groups) in PRODUCTS {
        let controls = groups.iter().flat_map(|(_, _, controls)| *controls);
        let said: Vec<&str> = controls.map(|c| if contoso { c.3 } else { c.4 }).collect();
        let count = |word: &str| said.iter().filter(|s| **s == word).count();
        let counts = json!({
            "Manual": count("N/A"), "Passes": count("Pass"), "Errors": count("Error"), "Failures": count("Fail"), "Warnings": count("Warning"),
            "Omits": count("Omitted"), "IncorrectResults": 0,
        });
        summary.insert((*product).to_owned(), counts);
        results.insert((*product).to_owned(), groups.iter().map(|g| group(g, contoso)).collect());
    }
    let names: Map<String, Value> = PRODUCTS.iter().map(|(short, full, _)| ((*full).to_owned(), (*short).into())).collect();
    pretty(&json!({
        "MetaData": {
            "TenantId": org.directory, "DisplayName": org.name, "DomainName": org.domain, "ProductSuite": "Microsoft 365",
            "ProductsAssessed": PRODUCTS.iter().map(|(_, full, _)| full).collect::<Vec<_>>(), "ProductAbbreviationMapping": names,
            "Tool": "ScubaGear", "ToolVersion": "1.8.0", "TimestampZulu": morning(1).to_string(), "ReportUUID": org.directory,
        },
        "Summary": summary, "AnnotatedFailedPolicies": {}, "Results": results, "Raw": {},
    }))
}

fn group(&(number, name, controls): &Group, contoso: bool) -> Value {
    let control = |&(id, requirement, criticality, ours, theirs): &(&str, &str, &str, &str, &str)| {
        let result = if contoso { ours } else { theirs };
        json!({
            "Control ID": id, "Requirement": requirement, "Result": result, "Criticality": criticality, "Details": details(result),
            "OmittedEvaluationResult": if result == "Omitted" { "Fail" } else { "N/A" }, "OmittedEvaluationDetails": "N/A",
            "IncorrectResult": "N/A", "IncorrectDetails": "N/A", "OriginalResult": result, "OriginalDetails": "N/A",
            "Comments": [], "ResolutionDate": null,
        })
    };
    json!({
        "GroupName": name, "GroupNumber": number, "GroupReferenceURL": format!("https://github.com/cisagov/ScubaGear/blob/main/PowerShell/ScubaGear/baselines/#{number}"),
        "Controls": controls.iter().map(control).collect::<Vec<_>>(),
    })
}

fn details(result: &str) -> &'static str {
    match result {
        "Pass" => "Requirement met",
        "Fail" | "Warning" => "Requirement not met",
        "Omitted" => "Test omitted by user. Accepted until the sharing project ends.",
        "Error" => "The provider did not answer.",
        _ => "This product does not currently have the capability to check compliance for this baseline control.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_the_controls() {
        let report: Value = serde_json::from_slice(&scubagear_report(&CONTOSO)).unwrap();
        let aad = &report["Summary"]["AAD"];
        assert_eq!((aad["Passes"].as_u64(), aad["Failures"].as_u64(), aad["Manual"].as_u64()), (Some(2), Some(2), Some(1)));
        let controls: usize = report["Results"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|groups| groups.as_array().unwrap())
            .map(|g| g["Controls"].as_array().unwrap().len())
            .sum();
        assert_eq!(controls, 11);
    }
}

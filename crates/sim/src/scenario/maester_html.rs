//! The HTML form of a Maester report: self-contained, readable without scripts, with the same JSON in a script.

use super::{maester::document, pretty};
use crate::{demo::Org, entra::page::escape};
use serde_json::Value;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #d0d0d0;vertical-align:top}\
.Passed{color:#0b6a0b}.Failed,.Error{color:#a80000;font-weight:600}.Investigate{color:#7a4a00;font-weight:600}.Skipped,.NotRun{color:#555}";

/// The page of that organisation and day; holds exactly the JSON of [`super::maester_report`].
pub fn maester_html(org: &Org, day: u32) -> Vec<u8> {
    let report = document(org, day);
    let text = |value: &Value| escape(value.as_str().unwrap_or_default());
    let rows: String = report["Tests"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|test| {
            let result = text(&test["Result"]);
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{result}\">{result}</td></tr>\n",
                text(&test["Id"]),
                text(&test["Title"]),
                text(&test["Severity"])
            )
        })
        .collect();
    // `</` would end the script early; `<\/` is the same string to JSON.
    let json = String::from_utf8_lossy(&pretty(&report)).trim_end().replace("</", "<\\/");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Maester</title><meta name=\"description\" content=\"Test results for your Microsoft 365 tenant\"><style>{STYLE}</style></head>\n<body><main>\
         <h1>Maester test results: {}</h1><p>{} passed, {} failed, {} to investigate, {} errors, of {} tests on {}.</p>\n\
         <table><thead><tr><th scope=\"col\">Id</th><th scope=\"col\">Title</th><th scope=\"col\">Severity</th><th scope=\"col\">Result</th></tr></thead><tbody>\n{rows}</tbody></table></main>\n\
         <script>const testResults = {json};</script></body></html>\n",
        escape(org.name),
        report["PassedCount"],
        report["FailedCount"],
        report["InvestigateCount"],
        report["ErrorCount"],
        report["TotalCount"],
        text(&report["ExecutedAt"]),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{demo::CONTOSO, scenario::maester_report};

    #[test]
    fn the_page_carries_the_same_results_as_the_json() {
        let html = String::from_utf8(maester_html(&CONTOSO, 2)).unwrap();
        let (_, rest) = html.split_once("const testResults = ").unwrap();
        let (json, _) = rest.split_once(";</script>").unwrap();
        let embedded: Value = serde_json::from_str(json).unwrap();
        let file: Value = serde_json::from_slice(&maester_report(&CONTOSO, 2)).unwrap();
        assert_eq!(embedded, file);
    }
}

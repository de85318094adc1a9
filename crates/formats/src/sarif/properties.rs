//! What a property bag says: severity, tags, and the weaknesses a rule or result stands for.

use super::rules::Reference;
use super::severity::Stated;
use crate::json::{Kind, Reader, Result, cut};

/// A taxon of the CWE or OWASP lists as a reference.
pub fn taxon(reference: &Reference) -> Option<String> {
    let list = reference.component.as_ref()?.name.as_ref()?.to_ascii_uppercase();
    let id = reference.id.as_ref()?;
    if list.starts_with("CWE") {
        return cwe(&format!("CWE-{}", id.to_ascii_uppercase().trim_start_matches("CWE-")));
    }
    list.starts_with("OWASP").then(|| cut(&format!("OWASP {id}"), 60).0)
}

/// `CWE-79` from `external/cwe/cwe-079`, `CWE-79: ...` and the like.
fn cwe(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let digits = &lower[lower.rfind("cwe-")? + 4..];
    let digits: String = digits.chars().take_while(char::is_ascii_digit).take(7).collect();
    let number: u32 = digits.parse().ok()?;
    Some(format!("CWE-{number}"))
}

/// What is taken from a property bag of a result or rule.
#[derive(Debug, Default)]
pub struct Properties {
    pub stated: Stated,
    pub tags: Vec<String>,
    pub references: Vec<String>,
}

pub fn read_properties(r: &mut Reader) -> Result<Properties> {
    let mut properties = Properties::default();
    if r.peek()? != Kind::Object {
        r.skip()?;
        return Ok(properties);
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "security-severity" => properties.stated.security = r.loose()?,
            "severity" | "issue_severity" | "problem.severity" => {
                if let Some(word) = r.loose()? {
                    properties.stated.word.get_or_insert(word);
                }
            }
            "tags" => properties.tags = r.strings()?,
            "cwe" | "cwes" | "CWE" => properties.references.extend(r.strings()?.iter().filter_map(|text| cwe(text))),
            _ => r.skip()?,
        }
    }
    let named = properties.tags.iter().filter_map(|tag| {
        let owasp = tag.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("owasp"));
        cwe(tag).or_else(|| owasp.then(|| cut(tag, 60).0))
    });
    properties.references.extend(named);
    properties.references.truncate(50);
    properties.tags.truncate(20);
    for tag in &mut properties.tags {
        *tag = cut(tag, 200).0;
    }
    Ok(properties)
}

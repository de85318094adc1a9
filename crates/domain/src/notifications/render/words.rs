//! The words that messages share: numbers with their nouns, severities, outcomes, times.

use bailiwick_base::{Outcome, Product, Severity, Timestamp};
use std::collections::BTreeMap;

/// `1 check`, `2 checks`.
pub fn many(count: u32, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// `1 critical, 2 high`, the worst first, at least as severe as `least`.
pub fn severities(by_severity: &BTreeMap<String, u32>, least: Option<Severity>) -> String {
    let mut found: Vec<(Severity, u32)> = by_severity
        .iter()
        .filter_map(|(word, count)| Some((Severity::parse(word)?, *count)))
        .filter(|(severity, count)| *count > 0 && least.is_none_or(|least| *severity >= least))
        .collect();
    found.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    found.iter().map(|(severity, count)| format!("{count} {}", severity_word(*severity).to_lowercase())).collect::<Vec<_>>().join(", ")
}

pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
        Severity::None => "None",
    }
}

pub fn outcome_word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "not there",
        Some(Outcome::Passed) => "passed",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Error) => "error",
        Some(Outcome::Investigate) => "investigate",
        Some(Outcome::Skipped) => "skipped",
        Some(Outcome::NotRun) => "not run",
        Some(Outcome::Unknown) => "unknown",
    }
}

pub fn product_word(product: Product) -> String {
    match product {
        Product::SharePoint => "SharePoint".into(),
        other => {
            let word = other.as_str().replace('_', " ");
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// `22 Nov 2026, 08:00 UTC`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// `72.4 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A text for one line: no control characters, at most so many characters.
pub fn line(text: &str, longest: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() || is_format(c) { ' ' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.chars().count() <= longest {
        return plain;
    }
    let cut: String = plain.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Characters that turn the direction of what follows, or are not seen: a name must not rewrite the line it stands in.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_told_worst_first_from_the_least_that_counts() {
        let counts = BTreeMap::from([("low".to_owned(), 3), ("critical".to_owned(), 1), ("high".to_owned(), 2), ("medium".to_owned(), 0)]);
        assert_eq!(severities(&counts, None), "1 critical, 2 high, 3 low");
        assert_eq!(severities(&counts, Some(Severity::High)), "1 critical, 2 high");
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("a\r\nBcc: x\t y", 80), "a Bcc: x y");
        assert_eq!(line("abc\u{202e}def\u{200b}", 80), "abc def");
        assert_eq!(line("abcdef", 4), "abc…");
    }
}

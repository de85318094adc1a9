//! How bad a result is, and which part of the file says so.

use crate::model::SeveritySource;
use crate::told;
use bailiwick_base::Severity;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    None,
    Note,
    Warning,
    Error,
}

impl Level {
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Level::None,
            "note" => Level::Note,
            "warning" => Level::Warning,
            "error" => Level::Error,
            _ => return None,
        })
    }

    pub fn word(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Level::None => Severity::Info,
            Level::Note => Severity::Low,
            Level::Warning => Severity::Medium,
            Level::Error => Severity::High,
        }
    }
}

/// What a property bag of a result or rule says about severity.
#[derive(Debug, Default, Clone)]
pub struct Stated {
    /// `security-severity`: a number by the format's custom, a word in some tools.
    pub security: Option<String>,
    /// `severity`, `issue_severity` or `problem.severity`.
    pub word: Option<String>,
}

impl Stated {
    fn number(&self) -> Option<Severity> {
        band(self.security.as_deref()?.trim().parse().ok()?)
    }

    fn text(&self) -> Option<Severity> {
        [&self.security, &self.word].into_iter().flatten().find_map(|word| told::severity(word))
    }
}

/// The bands of the CVSS 3 qualitative scale, as code hosts use them for `security-severity`; 9.0 itself is critical.
/// A number that is 0 or out of range says nothing: none.
fn band(score: f64) -> Option<Severity> {
    if score.is_nan() {
        return None;
    }
    Some(match score {
        s if s <= 0.0 || s > 10.0 => Severity::None,
        s if s >= 9.0 => Severity::Critical,
        s if s >= 7.0 => Severity::High,
        s if s >= 4.0 => Severity::Medium,
        _ => Severity::Low,
    })
}

/// The number, the result's before the rule's; then the tool's word, likewise; then the level.
pub fn decide(result: &Stated, rule: Option<&Stated>, level: Level) -> (Severity, SeveritySource) {
    let rule_says = |said: fn(&Stated) -> Option<Severity>| rule.and_then(said).map(|severity| (severity, SeveritySource::Rule));
    let result_says = |said: fn(&Stated) -> Option<Severity>| said(result).map(|severity| (severity, SeveritySource::Result));
    result_says(Stated::number)
        .or_else(|| rule_says(Stated::number))
        .or_else(|| result_says(Stated::text))
        .or_else(|| rule_says(Stated::text))
        .unwrap_or((level.severity(), SeveritySource::Level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_have_their_edges_where_code_hosts_put_them() {
        let bands = [
            (10.0, Severity::Critical),
            (9.0, Severity::Critical),
            (8.9, Severity::High),
            (7.0, Severity::High),
            (6.9, Severity::Medium),
            (4.0, Severity::Medium),
            (3.9, Severity::Low),
            (0.1, Severity::Low),
            (0.0, Severity::None),
            (-1.0, Severity::None),
            (10.1, Severity::None),
        ];
        for (score, severity) in bands {
            assert_eq!(band(score), Some(severity), "{score}");
        }
    }

    #[test]
    fn numbers_come_before_words_and_the_result_before_the_rule() {
        let stated = |security: Option<&str>, word: Option<&str>| Stated { security: security.map(Into::into), word: word.map(Into::into) };
        let rule = stated(Some("9.8"), Some("LOW"));
        assert_eq!(decide(&stated(None, Some("HIGH")), Some(&rule), Level::Note), (Severity::Critical, SeveritySource::Rule));
        assert_eq!(decide(&stated(Some("5.0"), None), Some(&rule), Level::Note), (Severity::Medium, SeveritySource::Result));
        assert_eq!(decide(&stated(None, Some("HIGH")), None, Level::Note), (Severity::High, SeveritySource::Result));
        assert_eq!(
            decide(&stated(None, Some("purple")), Some(&stated(Some("MEDIUM"), None)), Level::Error),
            (Severity::Medium, SeveritySource::Rule)
        );
        assert_eq!(decide(&Stated::default(), None, Level::Error), (Severity::High, SeveritySource::Level));
        assert_eq!(decide(&Stated::default(), None, Level::None), (Severity::Info, SeveritySource::Level));
    }
}

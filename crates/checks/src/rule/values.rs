//! Reading numbers, dates, durations and lists of words out of answers. `None` is "not of this type", so unknown.

use jiff::Timestamp;
use serde_json::Value;

pub const DAY: f64 = 86_400.0;

/// A number, or text that is one: directory settings hold all their values as text.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

/// A date as Graph and ARM write it, or whole seconds as key vaults do.
pub fn date(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => Timestamp::from_second(number.as_i64()?).ok(),
        _ => None,
    }
}

/// Null, or the date that Microsoft writes for "never set".
pub fn never(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.starts_with("0001-01-01T00:00:00"))
}

/// Days from `from` to `to`, with their fraction.
pub fn days(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() / DAY
}

/// Seconds of an ISO 8601 duration (`P365D`, `PT8H`; a year is 365 days, a month 30) or of `[d.]hh:mm:ss`.
pub fn duration(text: &str) -> Option<f64> {
    match text.strip_prefix('P') {
        Some(rest) => {
            let (date, time) = rest.split_once('T').unwrap_or((rest, ""));
            let days = units(date, &[('Y', 365.0 * DAY), ('M', 30.0 * DAY), ('W', 7.0 * DAY), ('D', DAY)])?;
            let hours = units(time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?;
            (!rest.is_empty() && !rest.ends_with('T')).then_some(days + hours)
        }
        None => clock(text),
    }
}

fn units(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut seconds = 0.0;
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (_, worth) = units.iter().find(|(unit, _)| text[end..].starts_with(*unit))?;
        seconds += text[..end].parse::<f64>().ok()? * worth;
        text = &text[end + 1..];
    }
    Some(seconds)
}

fn clock(text: &str) -> Option<f64> {
    let (days, time) = match text.split_once('.') {
        Some((days, time)) if time.contains(':') => (days.parse::<f64>().ok()?, time),
        _ => (0.0, text),
    };
    let parts: Vec<f64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [hours, minutes, seconds] => Some(days * DAY + hours * 3600.0 + minutes * 60.0 + seconds),
        _ => None,
    }
}

/// The words of text joined by commas or blanks, or of a list of text.
pub fn words(value: &Value, part: fn(char) -> bool) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(text.split(part).map(str::trim).filter(|word| !word.is_empty()).collect()),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Equality, ids without regard to case: services differ in how they write them.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => same_text(a, b),
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => a == b,
    }
}

pub fn same_text(a: &str, b: &str) -> bool {
    a == b || (is_guid(a) && a.eq_ignore_ascii_case(b))
}

/// Whether text has the form of an object id.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| if [8, 13, 18, 23].contains(&at) { b == b'-' } else { b.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_in_both_spellings() {
        for (text, seconds) in [
            ("PT8H", Some(28_800.0)),
            ("P365D", Some(365.0 * DAY)),
            ("P1Y2M3DT4H5M6S", Some(428.0 * DAY + 14_706.0)),
            ("01:30:00", Some(5400.0)),
            ("1.00:00:00", Some(DAY)),
            ("P", None),
            ("PT", None),
            ("P3X", None),
            ("3 hours", None),
            ("", None),
        ] {
            assert_eq!(duration(text), seconds, "{text}");
        }
    }

    #[test]
    fn text_that_is_a_number_counts_as_one() {
        assert_eq!(number(&json!("60")), Some(60.0));
        assert_eq!(number(&json!("sixty")), None);
        assert_eq!(number(&json!("inf")), None);
        assert_eq!(number(&json!(true)), None);
    }

    #[test]
    fn ids_are_the_same_whatever_their_case() {
        let id = "62e90394-69f5-4237-9190-012177145e10";
        assert!(same(&json!(id), &json!(id.to_uppercase())));
        assert!(!same(&json!("All"), &json!("all")));
        assert!(same(&json!(3), &json!(3.0)));
    }
}

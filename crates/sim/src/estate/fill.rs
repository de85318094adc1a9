//! Placeholders in scenario files: who the directory is, and times relative to the simulator's clock.

use bailiwick_base::Timestamp;
use jiff::SignedDuration;
use serde_json::Value;

/// Stands for an opening brace that is no placeholder's.
const BRACE: &str = "{brace}";

/// A copy whose texts are filled in to what they say here: what callers write holds no placeholders, whatever it looks like.
pub fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('{', BRACE)),
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), literal(member))).collect(),
        other => other.clone(),
    }
}

/// What placeholders stand for in one directory at one moment.
#[derive(Debug, Clone)]
pub struct Fill {
    pub tenant: String,
    pub name: String,
    pub domain: String,
    pub reader: String,
    pub writer: String,
    pub now: Timestamp,
}

impl Fill {
    /// A copy with every text filled in.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), self.value(member))).collect(),
            other => other.clone(),
        }
    }
    pub fn text(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let mut text = text.to_owned();
        let names = [
            ("{tenant}", &self.tenant),
            ("{name}", &self.name),
            ("{domain}", &self.domain),
            ("{reader}", &self.reader),
            ("{writer}", &self.writer),
        ];
        for (name, value) in names {
            if text.contains(name) {
                text = text.replace(name, value);
            }
        }
        while let Some((start, end, time)) = self.time_in(&text) {
            text.replace_range(start..end, &time);
        }
        text.replace(BRACE, "{")
    }
    /// The first `{now…}` of a text: where it stands, and the time it means.
    fn time_in(&self, text: &str) -> Option<(usize, usize, String)> {
        let start = text.find("{now")?;
        let end = start + text[start..].find('}')?;
        let offset = &text[start + 4..end];
        let days: i64 = if offset.is_empty() { 0 } else { offset.strip_suffix('d')?.parse().ok()? };
        Some((start, end + 1, self.days(days)))
    }
    /// The time so many days from now, to the second.
    pub fn days(&self, days: i64) -> String {
        let at = self.now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(self.now);
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_times_are_filled_in_and_other_braces_stay() {
        let fill = Fill {
            tenant: "t".into(),
            name: "Northwind".into(),
            domain: "northwind.example".into(),
            reader: "r".into(),
            writer: "w".into(),
            now: "2026-11-22T08:00:00Z".parse().unwrap(),
        };
        let filled =
            fill.value(&serde_json::json!({"a": ["x@{domain}", "{now-30d}"], "b": {"c": "{\"ApplicationPolicies\":[]}"}, "d": "{now}"}));
        assert_eq!(filled["a"][0], "x@northwind.example");
        assert_eq!(filled["a"][1], "2026-10-23T08:00:00Z");
        assert_eq!(filled["b"]["c"], "{\"ApplicationPolicies\":[]}");
        assert_eq!(filled["d"], "2026-11-22T08:00:00Z");
        let written = serde_json::json!({"a": ["{tenant} {now} {now-3d} {brace} {\"x\":1}"]});
        assert_eq!(fill.value(&literal(&written)), written);
    }
}

//! The difference between two values, line by line. A sign begins each line, so that it reads without colours too.

use crate::console::{Colour, Console, printable};
use bailiwick_contract::fixes::FixChange;
use serde_json::Value;

/// What stands for a member that is not there.
const ABSENT: &str = "(not there)";

/// Every member that changes, each under its name, two columns in.
pub fn text(console: &Console, changes: &[FixChange]) -> String {
    let mut text = String::new();
    for change in changes {
        let name = if change.path.is_empty() { "(all of it)" } else { &change.path };
        text += &format!("  {}\n", printable(name));
        for (sign, line) in lines(&change.before, &change.after) {
            let colour = match sign {
                '-' => Some(Colour::Red),
                '+' => Some(Colour::Green),
                _ => None,
            };
            text += &format!("  {}\n", console.paint(colour, &format!("{sign} {}", printable(&line))));
        }
    }
    text
}

/// What was read beside the members that change, where that is anything: whom a policy is for is reviewed with what it does.
pub fn beside(before: &Value, changes: &[FixChange]) -> Option<Value> {
    let mut rest = before.clone();
    for change in changes {
        let path: Vec<&str> = change.path.split('.').collect();
        without(&mut rest, &path);
    }
    rest.as_object().is_some_and(|members| !members.is_empty()).then_some(rest)
}

/// Takes a member out, and what holds nothing else with it.
fn without(value: &mut Value, path: &[&str]) {
    let (Some(members), Some((first, deeper))) = (value.as_object_mut(), path.split_first()) else { return };
    let Some(member) = members.get_mut(*first) else { return };
    if !deeper.is_empty() {
        without(member, deeper);
    }
    if deeper.is_empty() || member.as_object().is_some_and(serde_json::Map::is_empty) {
        members.remove(*first);
    }
}

/// The lines of both, with what goes (`-`), what comes (`+`) and what stays (a blank), in the order of a longest common subsequence.
fn lines(before: &Value, after: &Value) -> Vec<(char, String)> {
    let (old, new) = (written(before), written(after));
    // `common[i][j]`: how many lines the rest of `old` from i and the rest of `new` from j have in common.
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((' ', old[i].clone()));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            out.push(('-', old[i].clone()));
            i += 1;
        } else {
            out.push(('+', new[j].clone()));
            j += 1;
        }
    }
    out
}

/// A value as JSON over several lines. Of an item's end only the bracket counts, so that a comma is no difference.
fn written(value: &Value) -> Vec<String> {
    match value {
        Value::Null => vec![ABSENT.into()],
        _ => format!("{value:#}").lines().map(|line| line.trim_end_matches(',').to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(before: Value, after: Value) -> String {
        lines(&before, &after).into_iter().map(|(sign, line)| format!("{sign} {line}\n")).collect()
    }

    #[test]
    fn a_word_that_changes_is_two_lines() {
        assert_eq!(shown(json!("everyone"), json!("none")), "- \"everyone\"\n+ \"none\"\n");
        assert_eq!(shown(json!(null), json!(true)), "- (not there)\n+ true\n");
    }

    #[test]
    fn of_a_list_that_is_replaced_whole_what_stays_is_told_from_what_moves() {
        let text = shown(json!(["a", "b", "c"]), json!(["a", "c", "d"]));
        assert_eq!(text, "  [\n    \"a\"\n-   \"b\"\n    \"c\"\n+   \"d\"\n  ]\n");
    }

    #[test]
    fn what_stays_is_told_without_what_changes() {
        let changes = |paths: &[&str]| -> Vec<FixChange> {
            paths.iter().map(|path| FixChange { path: (*path).into(), before: json!(1), after: json!(2) }).collect()
        };
        let before = json!({"state": 1, "conditions": {"users": {"excludeUsers": ["e"]}}, "a": {"b": 1}});
        assert_eq!(beside(&before, &changes(&["state", "a.b"])), Some(json!({"conditions": {"users": {"excludeUsers": ["e"]}}})));
        assert_eq!(beside(&json!({"state": 1}), &changes(&["state"])), None);
        assert_eq!(beside(&Value::Null, &changes(&["state"])), None);
    }

    #[test]
    fn what_is_the_same_has_no_sign() {
        assert!(lines(&json!({"a": 1}), &json!({"a": 1})).iter().all(|(sign, _)| *sign == ' '));
    }
}

//! Members of JSON objects by dotted path: read, put, flattened, and compared as Microsoft compares them.
//!
//! What must stay true: a member that is absent and one that is null are the same; no path reaches into a list.

use serde_json::{Map, Value};

/// What says which kind of object this is: goes along, and is nobody's setting.
pub const TYPE: &str = "@odata.type";

/// The value at a path; none where it is absent or a part on the way is no object.
pub fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |at, name| at.as_object()?.get(name))
}

/// The value at a path, null where there is none.
pub fn get_or_null(value: &Value, path: &str) -> Value {
    get(value, path).cloned().unwrap_or_default()
}

/// Puts a value at a path; what stands in the way and is no object becomes one.
pub fn put(value: &mut Value, path: &str, new: Value) {
    let mut at = value;
    for name in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[name];
    }
    *at = new;
}

/// One object over another: members of both that are objects are joined, of others that of `over` stands.
pub fn over(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                self::over(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// Every setting below a value, with its path: lists, and plain values; of objects their members.
pub fn leaves(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    flatten(value, String::new(), &mut all);
    all
}

fn flatten(value: &Value, path: String, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members.iter().filter(|(name, _)| *name != TYPE) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(member, path, into);
            }
        }
        plain => into.push((path, plain.clone())),
    }
}

/// Whether a value is the one that was meant. Letter case of text, the order of lists, and what Microsoft adds with `@odata` are no difference.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64().is_some_and(|a| Some(a) == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && pairs(a, b, same),
        (Value::Object(a), Value::Object(b)) => {
            let alike = |(name, value): (&String, &Value)| name.contains("@odata") || same(value, b.get(name).unwrap_or(&Value::Null));
            let absent = |(name, value): (&String, &Value)| a.contains_key(name) || name.contains("@odata") || value.is_null();
            a.iter().all(alike) && b.iter().all(absent)
        }
        (a, b) => a == b,
    }
}

/// Whether a value is what Microsoft fills in where nothing was set.
pub fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether each element of `a` has one of its own in `b`.
pub fn pairs(a: &[Value], b: &[Value], alike: fn(&Value, &Value) -> bool) -> bool {
    let mut free: Vec<&Value> = b.iter().collect();
    a.iter().all(|one| free.iter().position(|other| alike(one, other)).map(|at| free.swap_remove(at)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_is_read_and_put_through_objects_only() {
        let mut value = json!({"a": {"b": 1}, "list": [{"b": 2}], "none": null});
        assert_eq!((get(&value, "a.b"), get(&value, "list.b"), get(&value, "none.b")), (Some(&json!(1)), None, None));
        put(&mut value, "none.b.c", json!(true));
        put(&mut value, "a.d", json!([]));
        assert_eq!(value, json!({"a": {"b": 1, "d": []}, "list": [{"b": 2}], "none": {"b": {"c": true}}}));
    }

    #[test]
    fn lists_are_settings_of_their_own_and_types_are_none() {
        let value = json!({"@odata.type": "#x", "a": {"b": [1], "c": null}, "d": {}});
        assert_eq!(leaves(&value), [("a.b".to_owned(), json!([1])), ("a.c".to_owned(), json!(null)), ("d".to_owned(), json!({}))]);
    }

    #[test]
    fn what_microsoft_writes_differently_is_the_same() {
        for (a, b) in [
            (json!("Disabled"), json!("disabled")),
            (json!(480), json!(480.0)),
            (json!(["a", "b"]), json!(["B", "a"])),
            (json!({"a": 1, "b": null}), json!({"a": 1, "@odata.context": "x"})),
        ] {
            assert!(same(&a, &b) && same(&b, &a), "{a} {b}");
        }
        for (a, b) in [(json!(["a", "a"]), json!(["a", "b"])), (json!({"a": 1}), json!({"a": 1, "b": false})), (json!(false), json!(null))]
        {
            assert!(!same(&a, &b) && !same(&b, &a), "{a} {b}");
        }
    }
}

//! Reading an answer without keeping more of it than rules look at: the parser itself drops the rest.

use crate::Tree;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Members kept of every object on the way: they say which object it is, and nothing of what people write.
const IDENTITY: &[&str] = &["id", "appId", "principalId", "displayName", "userDisplayName", "deviceName", "name", "@odata.type"];

/// Settings whose text is no setting: of the list of banned passwords only whether it is empty is anybody's business.
const WITHHELD: &[&str] = &["BannedPasswordList"];

/// Replaces the text of a `{name, value}` whose text is not to be kept.
fn withhold(members: &mut Map<String, Value>) {
    let named = members.get("name").and_then(Value::as_str).is_some_and(|name| WITHHELD.contains(&name));
    if named && let Some(value) = members.get_mut("value").filter(|value| value.as_str().is_some_and(|text| !text.trim().is_empty())) {
        *value = Value::from("withheld");
    }
}

/// One page of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub body: Value,
    pub next: Option<String>,
    /// What the service says it has in all.
    pub count: Option<u64>,
}

/// # Errors
/// Where the body is no JSON.
pub fn page(body: &[u8], looks: &Tree) -> serde_json::Result<Page> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let mut body = Keep::Root(looks).deserialize(&mut reader)?;
    reader.end()?;
    let mut take = |member: &str| body.as_object_mut().and_then(|members| members.remove(member));
    let text = |value: Option<Value>| value.and_then(|v| v.as_str().map(str::to_owned)).filter(|link| !link.is_empty());
    let next = text(take("@odata.nextLink")).or_else(|| text(take("nextLink")));
    let count = take("@odata.count").and_then(|count| count.as_u64());
    Ok(Page { body, next, count })
}

#[derive(Clone, Copy)]
enum Keep<'t> {
    /// As the tree says, and how to go on to the next page.
    Root(&'t Tree),
    Tree(&'t Tree),
    /// Plain values and lists of them; of objects their plain members.
    Leaf,
    /// Of objects in a list only what they are.
    Identity,
    Plain,
    Whole,
}

impl<'t> Keep<'t> {
    fn of(tree: &'t Tree) -> Self {
        match (tree.whole, tree.leaf, tree.members.is_empty()) {
            (true, ..) => Self::Whole,
            (_, true, true) => Self::Leaf,
            _ => Self::Tree(tree),
        }
    }

    /// How a member is kept; `None`: not at all.
    fn member(self, name: &str) -> Option<Keep<'t>> {
        let identity = IDENTITY.contains(&name).then_some(Self::Plain);
        match self {
            Self::Root(tree) => match name {
                "@odata.nextLink" | "nextLink" | "@odata.count" => Some(Self::Plain),
                _ => Self::Tree(tree).member(name),
            },
            Self::Tree(tree) => match tree.members.get(name) {
                Some(member) => Some(Self::of(member)),
                None if tree.leaf => Some(Self::Plain),
                None => identity,
            },
            Self::Leaf => Some(Self::Plain),
            Self::Identity => identity,
            Self::Plain => None,
            Self::Whole => Some(Self::Whole),
        }
    }

    fn element(self) -> Keep<'t> {
        match self {
            Self::Leaf => Self::Identity,
            Self::Root(tree) => Self::Tree(tree),
            other => other,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        if matches!(self, Self::Plain) {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Array(Vec::new()));
        }
        let mut kept = Vec::new();
        while let Some(element) = list.next_element_seed(self.element())? {
            kept.push(element);
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            match self.member(&name) {
                Some(keep) => {
                    kept.insert(name, members.next_value_seed(keep)?);
                }
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        withhold(&mut kept);
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_is_kept_but_what_is_looked_at_and_what_names_it() {
        let mut looks = Tree::default();
        looks.keep("value[].state");
        looks.keep("value[].conditions.users.excludeUsers");
        looks.keep("value[].owners");
        let body = json!({"@odata.context": "c", "@odata.nextLink": "n", "@odata.count": 2, "value": [
            {"id": "1", "displayName": "A", "state": "on", "mail": "a@b", "body": {"content": "secret"},
             "conditions": {"users": {"excludeUsers": ["x"], "includeUsers": ["y"]}, "other": 1}, "owners": [{"id": "o", "mobilePhone": "1"}]}]});
        let page = page(body.to_string().as_bytes(), &looks).unwrap();
        assert_eq!(page.next.as_deref(), Some("n"));
        assert_eq!(page.count, Some(2));
        assert_eq!(
            page.body,
            json!({"value": [{"id": "1", "displayName": "A", "state": "on",
                "conditions": {"users": {"excludeUsers": ["x"]}}, "owners": [{"id": "o"}]}]})
        );
    }

    #[test]
    fn what_was_kept_once_is_kept_again() {
        let mut looks = Tree::default();
        looks.keep("value[].a.b");
        let first = page(br#"{"value":[{"a":{"b":[1,{"id":"x","z":2}],"c":3}}]}"#, &looks).unwrap();
        assert_eq!(page(first.body.to_string().as_bytes(), &looks).unwrap(), first);
    }

    #[test]
    fn the_words_of_the_banned_password_list_are_not_kept_only_whether_there_are_any() {
        let mut looks = Tree::default();
        looks.keep("value[].values[?name=='EnableBannedPasswordCheck'].value");
        let kept = |words: &str| {
            let values = json!([{"value": words, "name": "BannedPasswordList"}, {"name": "EnableBannedPasswordCheck", "value": "True"}]);
            page(json!({"value": [{"values": values}]}).to_string().as_bytes(), &looks).unwrap().body["value"][0]["values"].clone()
        };
        let settings = kept("contoso\tredmond");
        assert_eq!((&settings[0]["value"], &settings[1]["value"]), (&json!("withheld"), &json!("True")));
        assert!(!settings.to_string().contains("redmond"), "{settings}");
        assert_eq!(kept(" ")[0]["value"], " ");
    }

    #[test]
    fn half_an_answer_is_no_answer() {
        assert!(page(br#"{"value":[{"a":1}"#, &Tree::default()).is_err());
        assert!(page(b"{} trailing", &Tree::default()).is_err());
    }
}

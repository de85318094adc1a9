//! A token's header and payload, read strictly: exact types, no member twice, nothing guessed. Reading is not believing;
//! only [`super::token`] believes.

use super::refusal::TokenError;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{cell::Cell, fmt};

/// Entra's tokens stay under this, group claims included; header limits of common proxies are lower still.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token taken apart.
pub struct Parts<'t> {
    pub header: Map<String, Value>,
    pub payload: Map<String, Value>,
    /// What the signature covers: header and payload as sent.
    pub signed: &'t str,
    pub signature: Vec<u8>,
}

/// Splits a compact JWS (RFC 7515, 7.1).
///
/// # Errors
/// `TooLong`, `Malformed`, `RepeatedMember`.
pub fn split(token: &str) -> Result<Parts<'_>, TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    if payload.contains('.') {
        return Err(TokenError::Malformed);
    }
    Ok(Parts { header: object(header)?, payload: object(payload)?, signed, signature: decode(signature)? })
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

fn object(part: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = decode(part)?;
    let repeated = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let value = Once(&repeated).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(members)) => Ok(members),
        _ if repeated.get() => Err(TokenError::RepeatedMember),
        _ => Err(TokenError::Malformed),
    }
}

/// Reads JSON in which no object has a member twice, at any depth; raises the flag when one has.
struct Once<'f>(&'f Cell<bool>);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Once(self.0))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Once(self.0))?;
            if map.insert(name, value).is_some() {
                self.0.set(true);
                return Err(de::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// A member that must be there, of the type asked for.
///
/// # Errors
/// `MissingClaim`, naming it.
pub fn needed<'v, T: Deserialize<'v>>(members: &'v Map<String, Value>, name: &'static str) -> Result<T, TokenError> {
    optional(members, name)?.ok_or(TokenError::MissingClaim(name))
}

/// A member that may be absent but, if there, is of the type asked for. `null` counts as wrong, not as absent.
///
/// # Errors
/// `MissingClaim`, naming it.
pub fn optional<'v, T: Deserialize<'v>>(members: &'v Map<String, Value>, name: &'static str) -> Result<Option<T>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Null) => Err(TokenError::MissingClaim(name)),
        Some(value) => T::deserialize(value).map(Some).map_err(|_| TokenError::MissingClaim(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(header), part(payload), part("s"))
    }

    #[test]
    fn a_repeated_member_is_refused_at_any_depth() {
        for payload in [r#"{"tid":"a","tid":"b"}"#, r#"{"x":{"y":[{"z":1,"z":1}]}}"#, r#"{"tid":1,"\u0074id":2}"#] {
            assert_eq!(split(&token("{}", payload)).err(), Some(TokenError::RepeatedMember), "{payload}");
            assert_eq!(split(&token(payload, "{}")).err(), Some(TokenError::RepeatedMember), "{payload}");
        }
    }

    #[test]
    fn only_three_parts_of_plain_base64url_objects_are_a_token() {
        assert!(split(&token("{}", r#"{"a":[1,-2,3.5,null,true,{"b":"c"}]}"#)).is_ok());
        let good = token("{}", "{}");
        let deep = token("{}", &format!("{}{}", "[".repeat(300), "]".repeat(300)));
        let bad = [
            "",
            ".",
            "..",
            "e30.e30",
            "e30.e30.e30.e30",
            "e30=.e30.c2",
            "e3+.e30.c2",
            "e31.e30.c2",
            &format!("{good} "),
            &format!(" {good}"),
            &deep,
            &token("{}", "{} x"),
            &token("[]", "{}"),
            &token("{}", "{\"a\":NaN}"),
            &token("{}", "{\"a\":1e999}"),
            "é.e30.c2",
        ];
        for text in bad {
            assert_eq!(split(text).err(), Some(TokenError::Malformed), "{text}");
        }
        assert_eq!(split(&"a".repeat(MAX_TOKEN_BYTES + 1)).err(), Some(TokenError::TooLong));
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_not_a_claim() {
        let token = token("{}", r#"{"n":1.0,"s":["a"],"z":null,"i":7}"#);
        let parts = split(&token).unwrap();
        assert_eq!(needed::<i64>(&parts.payload, "n"), Err(TokenError::MissingClaim("n")));
        assert_eq!(needed::<&str>(&parts.payload, "s"), Err(TokenError::MissingClaim("s")));
        assert_eq!(optional::<&str>(&parts.payload, "z"), Err(TokenError::MissingClaim("z")));
        assert_eq!(optional::<&str>(&parts.payload, "none"), Ok(None));
        assert_eq!(needed::<i64>(&parts.payload, "i"), Ok(7));
    }
}

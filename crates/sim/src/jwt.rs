//! Compact JWTs: made by hand, so that a wrong one can be made as easily as a right one, and checked for
//! assertions with one fixed algorithm at a time.

use crate::keys::SigningKey;
use anyhow::Result;
use aws_lc_rs::{
    hmac,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// base64url without padding.
pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signing_input(header: &Value, payload: &Value) -> String {
    format!("{}.{}", b64(header.to_string()), b64(payload.to_string()))
}

/// A token signed with RS256 under the key's `kid`. Members of `extra` are added to the header.
pub fn rs256(key: &SigningKey, extra: Value, payload: &Value) -> Result<String> {
    let mut header = json!({"typ": "JWT", "alg": "RS256", "kid": key.kid});
    merge(&mut header, extra);
    let input = signing_input(&header, payload);
    let signature = key.rs256(input.as_bytes())?;
    Ok(format!("{input}.{}", b64(signature)))
}

/// A client assertion as Microsoft advises: PS256 and `x5t#S256`.
pub fn ps256_assertion(key: &SigningKey, payload: &Value) -> Result<String> {
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.certificate_der());
    let input = signing_input(&json!({"typ": "JWT", "alg": "PS256", "x5t#S256": b64(thumbprint)}), payload);
    let signature = key.ps256(input.as_bytes())?;
    Ok(format!("{input}.{}", b64(signature)))
}

/// `alg: none`, with an empty signature.
pub fn unsigned(payload: &Value) -> String {
    format!("{}.", signing_input(&json!({"typ": "JWT", "alg": "none"}), payload))
}

/// HS256 with any bytes as the secret: the key-confusion attack uses the public key.
pub fn hs256(kid: &str, secret: &[u8], payload: &Value) -> String {
    let input = signing_input(&json!({"typ": "JWT", "alg": "HS256", "kid": kid}), payload);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", b64(tag))
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

/// A parsed token whose signature has not been looked at.
pub struct Parsed {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    input: String,
    signature: Vec<u8>,
}

impl Parsed {
    /// Splits and decodes; `None` for anything that is not three base64url parts of JSON objects.
    pub fn read(token: &str) -> Option<Self> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        Some(Self {
            header: object(header)?,
            claims: object(payload)?,
            input: input.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }
    /// A NumericDate in whole seconds; clients also write fractions (RFC 7519, 2).
    pub fn seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }
    /// Checks the signature by the header's `alg`, which must be RS256 or PS256, under a SubjectPublicKeyInfo in DER.
    pub fn signed_by(&self, public_key_der: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match self.header_text("alg") {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, public_key_der).verify(self.input.as_bytes(), &self.signature).is_ok()
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

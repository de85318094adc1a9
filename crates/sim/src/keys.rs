//! RSA signing keys and the key sets that publish them. Two keys are always published; rotation goes
//! publish, sign, drop, as Microsoft's does.

use crate::jwt::b64;
use anyhow::{Context, Result, anyhow};
use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use rcgen::{CertificateParams, DnType};
use serde_json::{Value, json};

/// One RSA-2048 key with a self-signed certificate, as Entra publishes its keys.
pub struct SigningKey {
    pub kid: String,
    pair: KeyPair,
    certificate: Vec<u8>,
    pem: String,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// When the crypto library refuses to generate.
    pub fn generate(common_name: &str) -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow!("generating an RSA key failed"))?;
        let pkcs8 = pair.as_der().map_err(|_| anyhow!("encoding an RSA key failed"))?;
        let signer = rcgen::KeyPair::try_from(pkcs8.as_ref()).context("reading back an RSA key")?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2049, 12, 31);
        let certificate = params.self_signed(&signer).context("certifying a signing key")?.der().to_vec();
        let kid = b64(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate));
        Ok(Self { kid, pair, certificate, pem: signer.serialize_pem() })
    }
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub fn rs256(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.sign(&RSA_PKCS1_SHA256, message)
    }
    /// RSASSA-PSS with SHA-256.
    pub fn ps256(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.sign(&RSA_PSS_SHA256, message)
    }
    fn sign(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &aws_lc_rs::rand::SystemRandom::new(), message, &mut signature).map_err(|_| anyhow!("signing failed"))?;
        Ok(signature)
    }
    /// base64url SHA-1 of the certificate; Entra uses it as `kid` and as v1's `x5t`.
    pub fn x5t(&self) -> &str {
        &self.kid
    }
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }
    /// The certificate, for registering it on an application.
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }
    /// The private key as PKCS#8 PEM, for the program that signs assertions.
    pub fn private_pem(&self) -> &str {
        &self.pem
    }
    /// The public key as X.509 DER in PEM: what a confused validator would use as an HMAC secret.
    pub fn public_pem(&self) -> Result<String> {
        Ok(pem("PUBLIC KEY", &self.public_der().context("encoding a public key failed")?))
    }
    /// The public key as SubjectPublicKeyInfo in DER.
    pub fn public_der(&self) -> Option<Vec<u8>> {
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = self.pair.public_key().as_der().ok()?;
        Some(der.as_ref().to_vec())
    }
    /// The key as a JWK without `alg`, as Entra publishes it.
    pub fn jwk(&self) -> Value {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let public = self.pair.public_key();
        json!({
            "kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid,
            "n": b64(public.modulus().big_endian_without_leading_zero()),
            "e": b64(public.exponent().big_endian_without_leading_zero()),
            "x5c": [STANDARD.encode(&self.certificate)],
        })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// The keys of one issuer, oldest first, and which of them signs.
pub struct KeyRing {
    keys: Vec<std::sync::Arc<SigningKey>>,
    signing: usize,
}

impl KeyRing {
    pub fn new(keys: Vec<SigningKey>) -> Self {
        Self { keys: keys.into_iter().map(std::sync::Arc::new).collect(), signing: 0 }
    }
    pub fn published(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().map(AsRef::as_ref)
    }
    /// The key that signs now.
    pub fn signing(&self) -> std::sync::Arc<SigningKey> {
        self.keys[self.signing].clone()
    }
    /// Step 1 of a rotation: the key appears in the key set.
    pub fn publish(&mut self, key: SigningKey) {
        self.keys.push(std::sync::Arc::new(key));
    }
    /// Step 2: the newest key signs.
    pub fn sign_with_newest(&mut self) {
        self.signing = self.keys.len() - 1;
    }
    /// Step 3: the oldest key disappears, unless it is the one that signs.
    pub fn drop_oldest(&mut self) {
        if self.signing > 0 {
            self.keys.remove(0);
            self.signing -= 1;
        }
    }
}

//! Credentials as they are given, and what can be seen of them.

use super::*;
use aws_lc_rs::digest::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use std::sync::LazyLock;
use x509_parser::prelude::{FromDer, X509Certificate};

struct Pair {
    key: String,
    certificate: String,
    der: Vec<u8>,
}

fn pair() -> Pair {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["bailiwick".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2027, 5, 1);
    let certificate = params.self_signed(&key).unwrap();
    Pair { key: key.serialize_pem(), certificate: certificate.pem(), der: certificate.der().to_vec() }
}

static OURS: LazyLock<Pair> = LazyLock::new(pair);
static OTHER: LazyLock<Pair> = LazyLock::new(pair);

fn read(pem: &str) -> Result<Certificate, CredentialError> {
    Certificate::from_pem(&Secret::new(pem.to_owned()))
}

#[test]
fn the_assertion_is_what_microsoft_asks_for_and_verifies_elsewhere() {
    // The chain may stand before the certificate, and the key anywhere.
    let certificate = read(&format!("{}{}{}", OTHER.certificate, OURS.key, OURS.certificate)).unwrap();
    let app: uuid::Uuid = "aaaaaaaa-0000-4000-8000-00000000000a".parse().unwrap();
    let id: uuid::Uuid = "bbbbbbbb-0000-4000-8000-00000000000b".parse().unwrap();
    let audience = "https://login.microsoftonline.com/contoso/oauth2/v2.0/token";
    let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
    let token = certificate.assertion(app, audience, now, id).unwrap();

    let header = decode_header(token.expose()).unwrap();
    assert_eq!(header.alg, Algorithm::PS256);
    assert_eq!(header.x5t_s256.as_deref(), Some(B64.encode(digest(&SHA256, &OURS.der)).as_str()));
    let (_, x509) = X509Certificate::from_der(&OURS.der).unwrap();
    let key = DecodingKey::from_rsa_der(&x509.public_key().subject_public_key.data);
    let mut validation = Validation::new(Algorithm::PS256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[app.to_string()]);
    // The token's time is the test's, not the machine's.
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    let claims = decode::<Value>(token.expose(), &key, &validation).unwrap().claims;
    assert_eq!(claims["sub"], app.to_string());
    assert_eq!(claims["jti"], id.to_string());
    assert_eq!(claims["nbf"], now.as_second());
    let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!((300..=600).contains(&life), "{life}");
}

#[test]
fn a_pem_text_that_will_not_do_says_what_is_missing() {
    let whole = format!("{}{}", OURS.key, OURS.certificate);
    assert_eq!(read(&whole).unwrap().expires(), "2027-05-01T00:00:00Z".parse().unwrap());
    let curve = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let encrypted = OURS.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let broken = "-----BEGIN CERTIFICATE-----\nMAAB\n-----END CERTIFICATE-----\n";
    for (pem, error) in [
        (OURS.key.clone(), CredentialError::NoCertificate),
        (OURS.certificate.clone(), CredentialError::NoKey),
        (String::new(), CredentialError::NoKey),
        (format!("{}{}", OURS.key, OTHER.certificate), CredentialError::NotAPair),
        (format!("{curve}{}", OURS.certificate), CredentialError::UnusableKey),
        (format!("{encrypted}{}", OURS.certificate), CredentialError::EncryptedKey),
        (format!("{}{broken}", OURS.key), CredentialError::BadCertificate),
    ] {
        assert_eq!(read(&pem).err(), Some(error));
    }
    assert_eq!(Credential::client_secret(Secret::new(" ".into()), None).unwrap_err(), CredentialError::EmptySecret);
}

#[test]
fn what_lasts_until_somebody_replaces_it_says_so_and_shows_nothing_else() {
    let ends: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let secret = Credential::client_secret(Secret::new("hidden-value".into()), Some(ends)).unwrap();
    let certificate = Credential::certificate(&Secret::new(format!("{}{}", OURS.key, OURS.certificate))).unwrap();
    let federated = Credential::Federated(Federated::Token(Secret::new("hidden-value".into())));
    assert_eq!((secret.is_static(), secret.expires()), (true, Some(ends)));
    assert_eq!((certificate.is_static(), certificate.expires()), (true, Some("2027-05-01T00:00:00Z".parse().unwrap())));
    assert_eq!((federated.is_static(), federated.expires()), (false, None));
    assert_eq!(format!("{secret:?}{federated:?}"), "Credential(client_secret)Credential(federated)");
    assert_ne!(secret.fingerprint(), federated.fingerprint());
}

#[test]
fn the_metadata_address_is_listed_for_itself_alone() {
    let id = Some("aaaaaaaa-0000-4000-8000-00000000000a".parse().unwrap());
    let imds = ManagedIdentity::imds(None, id).unwrap().allowed_host();
    assert_eq!((imds.host.as_str(), imds.port, imds.plain_http), ("169.254.169.254", None, true));
    assert_eq!(imds.private, ["169.254.169.254/32".parse().unwrap()]);
    assert!(imds.reason.contains("only call"));
    let local = ManagedIdentity::endpoint("http://localhost:42356/msi/token", Secret::new("h".into()), None).unwrap().allowed_host();
    assert_eq!((local.host.as_str(), local.port), ("localhost", Some(42356)));
    assert_eq!(local.private.len(), 2);
    for bad in ["", "localhost:1", "ftp://x/y", "http://u:p@localhost/x"] {
        assert!(ManagedIdentity::endpoint(bad, Secret::new("h".into()), None).is_err(), "{bad}");
    }
}

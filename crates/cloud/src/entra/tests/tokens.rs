//! Which tokens are believed, and what each refused one is refused for. Proves I2 (issuer, audience, signature, expiry
//! and directory, each on each call), I3 (directories not onboarded) and I4 (algorithm confusion, unknown key ids).

use super::world::*;
use crate::entra::{DirectoryTrust, IdentityKind, TokenError, TokenVersion, refusal::www_authenticate, token::PERSONAL_ACCOUNTS};
use aws_lc_rs::{encoding::AsDer, hmac, signature::KeyPair as _};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_person_is_their_directory_and_object_in_either_version() {
    let world = World::new().await;
    for (claims, version) in [(world.alice(CONTOSO), TokenVersion::V2), (world.alice_v1(CONTOSO), TokenVersion::V1)] {
        let identity = world.try_claims(&claims).await.unwrap();
        assert_eq!(identity.directory.to_string(), CONTOSO);
        assert_eq!(identity.object_id.to_string(), ALICE);
        assert_eq!(identity.client_id, PORTAL);
        assert_eq!(identity.version, version);
        assert_eq!(identity.username.as_deref(), Some("alice@contoso.example"));
        assert_eq!(identity.token_id.as_deref(), Some("AbCdEf"));
        assert_eq!(identity.expires_at.as_second(), world.now() + 3600);
        let scopes = vec!["access_as_user".to_owned(), "profile".to_owned()];
        assert_eq!(identity.kind, IdentityKind::User { scopes, roles: vec![] });
    }
}

#[tokio::test]
async fn a_pipeline_is_believed_for_its_role() {
    let world = World::new().await;
    let mut claims = world.pipeline(FABRIKAM);
    let identity = world.try_claims(&claims).await.unwrap();
    assert!(identity.is_workload() && identity.has_role("Evidence.Upload") && !identity.has_role("evidence.upload"));
    claims["idtyp"] = "app".into();
    assert!(world.try_claims(&claims).await.is_ok());
}

#[tokio::test]
async fn each_wrong_claim_is_refused_for_what_it_is() {
    let world = World::new().await;
    let now = world.now();
    let person = world.alice(CONTOSO);
    let iss = |text: &str| text.replace("LOGIN", world.cloud.login.as_str());
    let personal = PERSONAL_ACCOUNTS.to_string();
    use TokenError::*;
    let cases = [
        (json!({"aud": "someone-else"}), WrongAudience),
        (json!({"aud": API.to_uppercase()}), WrongAudience),
        (json!({"aud": [API]}), MissingClaim("aud")),
        (json!({"aud": null}), MissingClaim("aud")),
        (json!({"iss": iss(&format!("LOGIN/{FABRIKAM}/v2.0"))}), WrongIssuer),
        (json!({"iss": iss(&format!("LOGIN/{CONTOSO}/v2.0/"))}), WrongIssuer),
        (json!({"iss": format!("https://login.microsoftonline.com/{CONTOSO}/v2.0")}), WrongIssuer),
        (json!({"iss": iss("LOGIN/{tenantid}/v2.0")}), WrongIssuer),
        (json!({"iss": format!("https://sts.windows.net/{CONTOSO}/")}), WrongIssuer),
        (json!({"iss": null}), MissingClaim("iss")),
        (json!({"ver": "3.0"}), WrongVersion),
        (json!({"ver": 2.0}), MissingClaim("ver")),
        (json!({"ver": null}), MissingClaim("ver")),
        (json!({"tid": FABRIKAM}), WrongIssuer),
        (json!({"tid": CONTOSO.to_uppercase()}), BadDirectory),
        (json!({"tid": format!("{{{CONTOSO}}}")}), BadDirectory),
        (json!({"tid": "contoso.example"}), BadDirectory),
        (json!({"tid": null}), MissingClaim("tid")),
        (json!({"tid": personal, "iss": iss(&format!("LOGIN/{personal}/v2.0"))}), PersonalAccount),
        (json!({"tid": STRANGER, "iss": iss(&format!("LOGIN/{STRANGER}/v2.0"))}), UnknownDirectory),
        (json!({"exp": now - 300, "iat": now - 4000, "nbf": now - 4000}), Expired),
        (json!({"exp": (now + 3600).to_string()}), MissingClaim("exp")),
        (json!({"exp": now as f64 + 3600.5}), MissingClaim("exp")),
        (json!({"exp": i64::MAX}), MissingClaim("exp")),
        (json!({"exp": null}), MissingClaim("exp")),
        (json!({"nbf": now + 301}), NotYetValid),
        (json!({"iat": now + 301}), NotYetValid),
        (json!({"nbf": null}), MissingClaim("nbf")),
        (json!({"iat": null}), MissingClaim("iat")),
        (json!({"exp": now + 28 * 3600 + 1}), LifetimeTooLong),
        (json!({"exp": now + 3600, "iat": 0}), LifetimeTooLong),
        (json!({"oid": null}), MissingClaim("oid")),
        (json!({"oid": "alice"}), MissingClaim("oid")),
        (json!({"sub": null}), MissingClaim("sub")),
        (json!({"sub": ""}), MissingClaim("sub")),
        (json!({"scp": "User.Read"}), MissingScope),
        (json!({"scp": "access_as_users"}), MissingScope),
        (json!({"scp": ""}), MissingScope),
        (json!({"scp": ["access_as_user"]}), MissingClaim("scp")),
        (json!({"scp": null}), UnclearKind),
        (json!({"scp": null, "roles": ["Evidence.Upload"]}), UnclearKind),
        (json!({"idtyp": "app"}), UnclearKind),
        (json!({"azp": null}), MissingClaim("azp")),
        (json!({"azp": null, "appid": PORTAL}), MissingClaim("azp")),
        (json!({"roles": "Evidence.Upload"}), MissingClaim("roles")),
        (json!({"name": 7}), MissingClaim("name")),
    ];
    for (change, expected) in cases {
        let mut claims = person.clone();
        changed(&mut claims, change.clone());
        assert_eq!(world.try_claims(&claims).await, Err(expected), "{change}");
    }
    assert!(world.try_claims(&person).await.is_ok(), "the unchanged token is good");
}

#[tokio::test]
async fn an_application_without_a_role_or_in_a_persons_clothes_is_refused() {
    let world = World::new().await;
    let cases = [
        (json!({"roles": null}), TokenError::MissingRole),
        (json!({"roles": []}), TokenError::MissingRole),
        (json!({"roles": [""]}), TokenError::MissingRole),
        (json!({"idtyp": "user"}), TokenError::UnclearKind),
        (json!({"idtyp": "APP"}), TokenError::UnclearKind),
        (json!({"sub": ALICE}), TokenError::UnclearKind),
        (json!({"scp": "access_as_user", "idtyp": "app"}), TokenError::UnclearKind),
    ];
    for (change, expected) in cases {
        let mut claims = world.pipeline(CONTOSO);
        changed(&mut claims, change.clone());
        assert_eq!(world.try_claims(&claims).await, Err(expected), "{change}");
    }
    let strict = World::with(|config| config.require_idtyp = true).await;
    let mut claims = strict.pipeline(CONTOSO);
    assert_eq!(strict.try_claims(&claims).await, Err(TokenError::UnclearKind));
    claims["idtyp"] = "app".into();
    assert!(strict.try_claims(&claims).await.is_ok());
}

#[tokio::test]
async fn the_algorithm_is_ours_and_not_the_tokens() {
    let world = World::new().await;
    let claims = world.alice(CONTOSO);
    let header = |alg: &str| json!({"typ": "JWT", "alg": alg, "kid": "first"});
    for alg in ["none", "None", "nOnE", "", "rs256", "RS512", "PS256", "ES256", "EdDSA", "HS384"] {
        let bare = unsigned(&header(alg), &claims);
        for token in [format!("{bare}."), format!("{bare}.c2ln"), signed_with(&header(alg), 0, &claims)] {
            assert_eq!(world.validate(&token).await, Err(TokenError::WrongAlgorithm), "{alg}");
        }
    }
    // The public key, in every form an attacker has it, as the secret of an HMAC.
    let public = pair(0).public_key();
    let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der>::as_der(public).unwrap();
    let modulus = aws_lc_rs::signature::RsaPublicKeyComponents::<Vec<u8>>::from(public).n;
    for secret in [spki.as_ref(), public.as_ref(), &modulus, B64.encode(&modulus).as_bytes()] {
        for (alg, expected) in [("HS256", TokenError::WrongAlgorithm), ("RS256", TokenError::BadSignature)] {
            let input = unsigned(&header(alg), &claims);
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
            assert_eq!(world.validate(&format!("{input}.{}", B64.encode(tag))).await, Err(expected));
        }
    }
}

#[tokio::test]
async fn the_header_must_be_a_plain_one() {
    let world = World::new().await;
    let claims = world.alice(CONTOSO);
    let cases = [
        (json!({"alg": null}), TokenError::WrongAlgorithm),
        (json!({"alg": ["RS256"]}), TokenError::WrongAlgorithm),
        (json!({"typ": null}), TokenError::WrongType),
        (json!({"typ": "at+jwt"}), TokenError::WrongType),
        (json!({"kid": null}), TokenError::MissingKeyId),
        (json!({"kid": ""}), TokenError::MissingKeyId),
        (json!({"kid": 1}), TokenError::MissingKeyId),
        (json!({"crit": ["exp"]}), TokenError::CriticalHeader),
        (json!({"nonce": "for-graph"}), TokenError::ForGraph),
    ];
    for (change, expected) in cases {
        let mut header = json!({"typ": "JWT", "alg": "RS256", "kid": "first"});
        changed(&mut header, change.clone());
        assert_eq!(world.validate(&signed_with(&header, 0, &claims)).await, Err(expected), "{change}");
    }
    assert_eq!(world.service.fetches(), 0, "none of them was worth a call");
    let lower = json!({"typ": "jwt", "alg": "RS256", "kid": "first", "x5t": "first", "jku": "https://evil.example/keys", "jwk": jwk("first", 1, None)});
    assert!(world.validate(&signed_with(&lower, 0, &claims)).await.is_ok());
    assert_eq!(
        world.validate(&signed_with(&lower, 1, &claims)).await,
        Err(TokenError::BadSignature),
        "the token's own key counts for nothing"
    );
}

#[tokio::test]
async fn a_changed_or_foreign_signature_is_refused() {
    let world = World::new().await;
    let claims = world.alice(CONTOSO);
    let token = signed("first", 0, &claims);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = input.split_once('.').unwrap();
    let mut other = claims.clone();
    other["oid"] = PIPELINE.into();
    let mut flipped = B64.decode(signature).unwrap();
    flipped[100] ^= 1;
    for forged in [
        format!("{header}.{}.{signature}", B64.encode(other.to_string())),
        format!("{input}.{}", B64.encode(&flipped)),
        format!("{input}.{}", B64.encode(&flipped[1..])),
        format!("{input}."),
        signed("first", 1, &claims),
    ] {
        assert_eq!(world.validate(&forged).await, Err(TokenError::BadSignature));
    }
    let twice = claims.to_string().replacen('{', &format!("{{\"tid\":\"{FABRIKAM}\","), 1);
    assert_eq!(world.validate(&format!("{header}.{}.{signature}", B64.encode(twice))).await, Err(TokenError::RepeatedMember));
}

#[tokio::test]
async fn no_single_character_of_a_token_can_be_changed_added_or_dropped() {
    let world = World::new().await;
    let token = signed("first", 0, &world.alice(CONTOSO));
    assert!(world.validate(&token).await.is_ok());
    for at in 0..token.len() {
        let (before, after) = (&token[..at], &token[at + 1..]);
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        for changed in
            [format!("{before}{other}{after}"), format!("{before}{after}"), format!("{before}.{after}"), format!("{before}={after}")]
        {
            // A dot in place of itself is no change.
            assert!(changed == token || world.validate(&changed).await.is_err(), "{at}: {changed}");
        }
    }
}

#[tokio::test]
async fn a_stranger_causes_no_outbound_call() {
    let world = World::new().await;
    for directory in [STRANGER, "55555555-eeee-4eee-8eee-000000000005"] {
        for claims in [world.alice(directory), world.alice_v1(directory), world.pipeline(directory)] {
            assert_eq!(world.try_claims(&claims).await, Err(TokenError::UnknownDirectory));
        }
    }
    assert_eq!(world.ring.recent(), []);
}

#[tokio::test]
async fn version_1_is_taken_only_where_it_is_wanted() {
    let world = World::with(|config| config.accept_v1 = false).await;
    assert_eq!(world.try_claims(&world.alice_v1(CONTOSO)).await, Err(TokenError::WrongVersion));
    assert!(world.try_claims(&world.alice(CONTOSO)).await.is_ok());
}

#[tokio::test]
async fn a_directory_adds_its_own_audience_and_client_for_itself_only() {
    const OWN_APP: &str = "eeeeeeee-0000-4000-8000-00000000000e";
    let mut world = World::with(|config| config.allowed_clients = Some(vec![])).await;
    let terms = DirectoryTrust { audiences: vec![OWN_APP.into()], client_ids: vec![PORTAL.into()] };
    world.onboarded.terms.insert(CONTOSO, terms);
    for (directory, audience, expected) in [
        (CONTOSO, OWN_APP, None),
        (CONTOSO, API, None),
        (FABRIKAM, OWN_APP, Some(TokenError::WrongAudience)),
        (FABRIKAM, API, Some(TokenError::WrongClient)),
    ] {
        let mut claims = world.alice(directory);
        claims["aud"] = audience.into();
        assert_eq!(world.try_claims(&claims).await.err(), expected, "{directory} {audience}");
    }
    assert!(world.try_claims(&world.pipeline(FABRIKAM)).await.is_ok(), "applications come by role");
}

#[tokio::test]
async fn a_token_lives_from_its_first_to_its_last_second_give_or_take_the_skew() {
    let world = World::with(|config| config.skew = Duration::from_secs(86_400)).await;
    let token = signed("first", 0, &world.alice(CONTOSO));
    let born = world.clock.clone();
    let at = |seconds| {
        world.clock.set("2026-11-22T08:00:00Z".parse().unwrap());
        born.advance(SignedDuration::from_secs(seconds));
    };
    // A day of skew was asked for; five minutes is what is given.
    for (seconds, expected) in [
        (-301, Some(TokenError::NotYetValid)),
        (-300, None),
        (0, None),
        (3600 + 299, None),
        (3600 + 300, Some(TokenError::Expired)),
        (86_400 * 365, Some(TokenError::Expired)),
        (-86_400 * 365, Some(TokenError::NotYetValid)),
        (0, None),
    ] {
        at(seconds);
        assert_eq!(world.validate(&token).await.err(), expected, "{seconds} s");
    }
}

#[tokio::test]
async fn a_key_that_signs_for_another_issuer_is_refused() {
    let world = World::new().await;
    let foreign = format!("{}/{FABRIKAM}/v2.0", world.cloud.login);
    let keys = [jwk("first", 0, Some(&foreign)), jwk("bare", 1, None)];
    world.service.publish(keys);
    assert_eq!(world.try_claims(&world.alice(CONTOSO)).await, Err(TokenError::WrongKeyIssuer));
    assert!(world.try_claims(&world.alice(FABRIKAM)).await.is_ok());
    assert_eq!(world.validate(&signed("bare", 1, &world.alice(CONTOSO))).await, Err(TokenError::WrongKeyIssuer));
    assert!(world.validate(&signed("bare", 1, &world.alice_v1(CONTOSO))).await.is_ok());
    assert_eq!(world.try_claims(&world.alice_v1(CONTOSO)).await, Err(TokenError::WrongKeyIssuer));
}

#[tokio::test]
async fn when_our_own_records_do_not_answer_nobody_is_called_a_liar() {
    let mut world = World::new().await;
    world.onboarded.broken = true;
    let error = world.try_claims(&world.alice(CONTOSO)).await.unwrap_err();
    assert_eq!((error.status(), error.reason(), world.service.fetches()), (503, "unavailable", 0));
}

#[tokio::test]
async fn what_is_shown_cannot_carry_control_characters_or_a_novel() {
    let world = World::new().await;
    let mut claims = world.alice(CONTOSO);
    claims["name"] = format!("Ali\u{0}ce\r\n{}", "x".repeat(1000)).into();
    let name = world.try_claims(&claims).await.unwrap().name.unwrap();
    assert!(name.starts_with("Alicex") && name.len() == 256);
}

#[test]
fn answers_say_how_to_sign_in_and_nothing_about_us() {
    let cloud = crate::CloudEndpoints::public();
    let directory = CONTOSO.parse().unwrap();
    let uri = format!("authorization_uri=\"https://login.microsoftonline.com/{CONTOSO}/oauth2/v2.0/authorize\"");
    assert_eq!(www_authenticate(&cloud, Some(directory), None), format!("Bearer realm=\"\", {uri}"));
    let expired = www_authenticate(&cloud, Some(directory), Some(&TokenError::Expired));
    assert!(expired.contains("error=\"invalid_token\", error_description=\"The access token has expired."), "{expired}");
    let scope = www_authenticate(&cloud, None, Some(&TokenError::MissingScope));
    assert!(scope.contains("/organizations/") && scope.contains("error=\"insufficient_scope\""), "{scope}");
    let statuses = [(TokenError::UnknownDirectory, 401), (TokenError::WrongAudience, 401), (TokenError::MissingRole, 403)];
    for (error, status) in statuses {
        assert_eq!(error.problem().code.status(), status);
        assert!(error.problem().internal.unwrap().contains(error.reason()));
    }
    // A refused sender cannot tell a wrong audience from a directory nobody knows.
    assert_eq!(TokenError::UnknownDirectory.public_message(), TokenError::WrongAudience.public_message());
    let _: Value = serde_json::to_value(bailiwick_base::problem::ProblemBody::of(&TokenError::Expired.problem(), "r")).unwrap();
}

//! How signing keys are fetched, kept, rolled over and done without.

use super::world::*;
use crate::entra::{Keys, KeysPolicy, TokenError};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

/// A token of Alice issued now, signed by this key under this id.
fn fresh(world: &World, kid: &str, which: usize) -> String {
    signed(kid, which, &world.alice(CONTOSO))
}

async fn outcome(world: &World, kid: &str, which: usize) -> Option<TokenError> {
    world.validate(&fresh(world, kid, which)).await.err()
}

fn is_unavailable(error: Option<TokenError>) -> bool {
    error.is_some_and(|error| error.reason() == "unavailable" && error.status() == 503)
}

/// No background refresh, so that every fetch is one a test asked for.
async fn plain_world() -> World {
    World::with(|config| config.keys.refresh = config.keys.fresh).await
}

#[tokio::test]
async fn keys_are_fetched_once_a_day_per_directory_and_version() {
    let world = plain_world().await;
    for _ in 0..5 {
        assert_eq!(outcome(&world, "first", 0).await, None);
        world.clock.advance(hours(4));
    }
    assert_eq!(world.service.fetches(), 1);
    world.clock.advance(hours(4));
    assert_eq!(outcome(&world, "first", 0).await, None);
    assert_eq!(world.service.fetches(), 2);
    world.try_claims(&world.alice(FABRIKAM)).await.unwrap();
    world.try_claims(&world.alice_v1(CONTOSO)).await.unwrap();
    assert_eq!(world.service.fetches(), 4);
}

#[tokio::test]
async fn a_rollover_is_found_at_once_and_an_old_key_goes_with_it() {
    let world = plain_world().await;
    assert_eq!(outcome(&world, "first", 0).await, None);
    // Published, signed with and the old one dropped, all within a minute.
    world.clock.advance(SignedDuration::from_secs(60));
    world.service.publish([world.published("second", 1)]);
    assert_eq!(outcome(&world, "second", 1).await, None);
    assert_eq!(world.service.fetches(), 2);
    assert_eq!(outcome(&world, "first", 0).await, Some(TokenError::UnknownKey));
    // An id whose key was replaced: the new key counts.
    world.service.publish([world.published("second", 2)]);
    world.clock.advance(hours(25));
    assert_eq!(outcome(&world, "second", 1).await, Some(TokenError::BadSignature));
    assert_eq!(outcome(&world, "second", 2).await, None);
}

#[tokio::test]
async fn made_up_key_ids_cost_one_fetch_in_five_minutes() {
    let world = plain_world().await;
    assert_eq!(outcome(&world, "first", 0).await, None);
    for i in 0..50 {
        assert_eq!(outcome(&world, &format!("made-up-{i}"), 2).await, Some(TokenError::UnknownKey));
    }
    assert_eq!(world.service.fetches(), 2);
    assert_eq!(outcome(&world, "first", 0).await, None, "known keys are served all the while");
    world.clock.advance(SignedDuration::from_secs(299));
    assert_eq!(outcome(&world, "made-up", 2).await, Some(TokenError::UnknownKey));
    assert_eq!(world.service.fetches(), 2);
    world.clock.advance(SignedDuration::from_secs(1));
    world.service.publish([world.published("first", 0), world.published("second", 1)]);
    assert_eq!(outcome(&world, "second", 1).await, None);
    assert_eq!(world.service.fetches(), 3);
}

#[tokio::test]
async fn when_keys_cannot_be_fetched_it_is_not_the_tokens_fault() {
    let world = plain_world().await;
    world.service.set(Mood::Breaks);
    for _ in 0..20 {
        assert!(is_unavailable(outcome(&world, "first", 0).await));
    }
    assert_eq!(world.service.fetches(), 1, "the failure is remembered for a while");
    world.service.set(Mood::Answers);
    world.clock.advance(SignedDuration::from_secs(15));
    assert_eq!(outcome(&world, "first", 0).await, None);
    // A key id nobody holds, while nobody can say whether it exists.
    world.service.set(Mood::Breaks);
    assert!(is_unavailable(outcome(&world, "second", 1).await));
    world.service.publish([world.published("second", 1)]);
    world.service.set(Mood::Answers);
    world.clock.advance(SignedDuration::from_secs(15));
    assert_eq!(outcome(&world, "second", 1).await, None, "a failed fetch does not use up the refetch");
}

#[tokio::test]
async fn old_keys_serve_two_days_of_outage_and_no_longer() {
    let world = plain_world().await;
    assert_eq!(outcome(&world, "first", 0).await, None);
    world.service.set(Mood::Breaks);
    world.clock.advance(hours(30));
    assert_eq!(outcome(&world, "first", 0).await, None);
    assert_eq!(outcome(&world, "first", 1).await, Some(TokenError::BadSignature));
    assert!(is_unavailable(outcome(&world, "second", 1).await));
    assert_eq!(world.service.fetches(), 2);
    world.clock.advance(hours(18));
    assert!(is_unavailable(outcome(&world, "first", 0).await), "then the door closes");
    world.service.set(Mood::Answers);
    world.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(outcome(&world, "first", 0).await, None);
}

#[tokio::test]
async fn a_clock_that_jumps_makes_keys_older_and_never_younger() {
    let world = plain_world().await;
    world.clock.advance(hours(24 * 365));
    assert_eq!(outcome(&world, "first", 0).await, None);
    world.clock.advance(hours(-24 * 365));
    assert_eq!(outcome(&world, "first", 0).await, None);
    assert_eq!(world.service.fetches(), 2, "keys from the future are fetched again");
    world.service.set(Mood::Breaks);
    world.clock.advance(hours(-24 * 30));
    assert!(is_unavailable(outcome(&world, "first", 0).await));
}

#[tokio::test]
async fn many_at_once_share_one_fetch() {
    let world = Arc::new(plain_world().await);
    world.service.set(Mood::Waits);
    let token = fresh(&world, "first", 0);
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let (world, token) = (world.clone(), token.clone());
            tokio::spawn(async move { world.validate(&token).await.map(|_| ()) })
        })
        .collect();
    // One permit for discovery, one for the keys: a second fetch would wait for ever.
    world.service.gate.add_permits(2);
    for one in asking {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!(world.service.fetches(), 1);
}

#[tokio::test]
async fn who_hangs_up_neither_stops_the_fetch_nor_starts_another() {
    let world = Arc::new(plain_world().await);
    world.service.set(Mood::Waits);
    let token = fresh(&world, "first", 0);
    for _ in 0..10 {
        let arrived = world.service.arrived.notified();
        tokio::pin!(arrived);
        arrived.as_mut().enable();
        let (asker, token) = (world.clone(), token.clone());
        let asking = tokio::spawn(async move { asker.validate(&token).await });
        if world.service.fetches() == 0 {
            arrived.await;
        }
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
    }
    assert_eq!(world.service.fetches(), 1);
    world.service.gate.add_permits(2);
    assert_eq!(outcome(&world, "first", 0).await, None);
    assert_eq!(world.service.fetches(), 1);
}

#[tokio::test]
async fn a_directory_that_is_gone_is_asked_for_once_in_ten_minutes() {
    let world = plain_world().await;
    for _ in 0..20 {
        assert_eq!(world.try_claims(&world.alice(GONE)).await, Err(TokenError::UnknownDirectory));
    }
    assert_eq!(world.service.fetches(), 1);
    world.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(world.try_claims(&world.alice(GONE)).await, Err(TokenError::UnknownDirectory));
    assert_eq!(world.service.fetches(), 2);
}

#[tokio::test]
async fn a_document_that_does_not_fit_gives_no_keys() {
    let evil: [(&str, Value); 4] = [
        ("issuer", "https://login.evil.example/v2.0".into()),
        ("jwks_uri", "https://evil.example/keys".into()),
        ("jwks_uri", "http://127.0.0.1:1/keys".into()),
        ("jwks_uri", json!(7)),
    ];
    for (member, value) in evil {
        let world = plain_world().await;
        world.service.discovery.lock().unwrap().insert(member.into(), value.clone());
        assert!(is_unavailable(outcome(&world, "first", 0).await), "{member} {value}");
        assert_eq!(world.ring.recent().len(), 1, "nothing else was called");
    }
    let world = plain_world().await;
    world.service.publish([json!({"kty": "oct", "kid": "first", "k": "AAAA"})]);
    assert!(is_unavailable(outcome(&world, "first", 0).await));
}

#[tokio::test]
async fn a_second_key_of_the_same_id_does_not_take_over() {
    let world = plain_world().await;
    world.service.publish([world.published("first", 0), world.published("first", 1)]);
    assert_eq!(outcome(&world, "first", 0).await, None);
    assert_eq!(outcome(&world, "first", 1).await, Some(TokenError::BadSignature));
}

#[tokio::test]
async fn aging_keys_are_renewed_behind_the_callers_back() {
    let world = World::new().await;
    assert_eq!(outcome(&world, "first", 0).await, None);
    world.clock.advance(hours(7));
    world.service.set(Mood::Waits);
    let arrived = world.service.arrived.notified();
    tokio::pin!(arrived);
    arrived.as_mut().enable();
    // Nobody opens the gate, and still the answer comes.
    assert_eq!(outcome(&world, "first", 0).await, None);
    arrived.await;
    assert_eq!(world.service.fetches(), 2);
    world.service.publish([world.published("second", 1)]);
    world.service.gate.add_permits(2);
    // Waits its turn behind the fetch under way, which brings the key.
    assert_eq!(outcome(&world, "second", 1).await, None);
    assert_eq!(world.service.fetches(), 2);
}

#[tokio::test]
async fn a_warm_lookup_hands_out_the_same_parsed_key() {
    let world = plain_world().await;
    let keys = Keys::new(world.cloud.clone(), KeysPolicy::default(), world.egress.clone(), Arc::new(world.clock.clone()));
    let find = || keys.find(CONTOSO.parse().unwrap(), crate::entra::TokenVersion::V2, "first");
    let (one, two) = (find().await.unwrap(), find().await.unwrap());
    assert!(Arc::ptr_eq(&one, &two));
}

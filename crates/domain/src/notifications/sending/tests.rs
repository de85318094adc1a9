//! What becomes of deliveries and channels, attempt by attempt.

use super::*;
use bailiwick_base::DeliveryId;
use bailiwick_cloud::notify::Why;
use bailiwick_contract::notifications::{Delivery, DeliveryChannel};
use uuid::Uuid;

const CREATED: &str = "2026-11-22T08:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn row(attempts: u32) -> DeliveryRow {
    let channel = DeliveryChannel { id: ChannelId(Uuid::nil()), name: "x".into(), kind: ChannelKind::Webhook };
    let delivery = Delivery {
        id: DeliveryId(Uuid::from_u128(7)),
        kind: DeliveryKind::Immediate,
        state: DeliveryState::Waiting,
        channel,
        rule: None,
        event: None,
        events: 1,
        subject: "x".into(),
        recipient: None,
        attempts,
        created_at: at(CREATED),
        next_try_at: None,
        delivered_at: None,
        failure: None,
    };
    DeliveryRow { delivery, event_ids: vec![], min_severity: None }
}

fn attempted(attempts: u32, when: &str, outcome: Outcome) -> Attempt {
    Attempt { row: row(attempts), at: at(when), took: Duration::from_millis(5), outcome }
}

fn later_by(code: &'static str, after: Option<u64>) -> Outcome {
    Outcome::Later { after: after.map(Duration::from_secs), why: Why { code, detail: "d".into() } }
}

fn broken_by(code: &'static str) -> Outcome {
    Outcome::Broken { why: Why { code, detail: "d".into() } }
}

fn delivered() -> Outcome {
    Outcome::Delivered { receipt: "ok".into() }
}

/// I67: what does not get there is tried again, ever less often, and given up visibly after three days.
#[test]
fn i67_a_delivery_is_tried_again_and_given_up_after_three_days() {
    let state = |attempts, when, outcome| {
        let tried = judge(&attempted(attempts, when, outcome), ChannelKind::Webhook);
        (tried.state, tried.due_at, tried.number)
    };
    assert_eq!(state(0, CREATED, delivered()), (DeliveryState::Delivered, at(CREATED), 1));
    assert_eq!(state(0, CREATED, later_by("unreachable", None)), (DeliveryState::Retrying, at("2026-11-22T08:00:30Z"), 1));
    assert_eq!(state(1, CREATED, later_by("throttled", Some(300))), (DeliveryState::Retrying, at("2026-11-22T08:05:00Z"), 2));
    assert_eq!(state(60, "2026-11-25T07:59:00Z", later_by("unreachable", None)).0, DeliveryState::Retrying);
    assert_eq!(state(60, "2026-11-25T08:00:01Z", later_by("unreachable", None)), (DeliveryState::Dead, at("2026-11-25T08:00:01Z"), 61));
    assert_eq!(state(0, "2026-11-25T08:00:01Z", delivered()).0, DeliveryState::Delivered, "late is better than never");
}

#[test]
fn what_one_message_is_refused_for_is_no_fault_of_the_channel() {
    for code in ["recipient_refused", "bad_message", "too_large"] {
        let attempt = attempted(0, CREATED, broken_by(code));
        let tried = judge(&attempt, ChannelKind::Mailbox);
        assert_eq!((tried.state, tried.code.as_deref()), (DeliveryState::Dead, Some(code)));
        let health = after(Health::default(), &[attempt], &[tried], ChannelKind::Mailbox, false);
        assert_eq!((health.refusals, health.hold_until, health.failure), (0, None, None), "{code}");
    }
    // What the operator's mail server refuses, the channel cannot mend.
    let attempt = attempted(0, CREATED, broken_by("refused"));
    assert_eq!(judge(&attempt, ChannelKind::Smtp).state, DeliveryState::Dead);
    assert_eq!(judge(&attempt, ChannelKind::Webhook).state, DeliveryState::Retrying);
}

/// I67: a channel that nobody answers rests longer each time, and is well as soon as something gets through.
#[test]
fn i67_a_channel_rests_longer_each_time_until_something_gets_through() {
    let mut health = Health::default();
    for (failures, rest) in [(1, 30), (2, 60), (3, 120)] {
        let attempt = attempted(0, CREATED, later_by("unreachable", None));
        let tried = judge(&attempt, ChannelKind::Smtp);
        health = after(health, &[attempt], &[tried], ChannelKind::Smtp, false);
        assert_eq!((health.failures, health.hold_until), (failures, Some(later(at(CREATED), Duration::from_secs(rest)))));
        assert_eq!(health.failure.as_ref().unwrap().code, "unreachable");
    }
    // Attempts that were under way when it began to rest do not count again.
    let attempt = attempted(0, CREATED, later_by("timeout", None));
    let tried = judge(&attempt, ChannelKind::Smtp);
    health = after(health, &[attempt], &[tried], ChannelKind::Smtp, true);
    assert_eq!(health.failures, 3);
    let attempt = attempted(0, CREATED, delivered());
    let tried = judge(&attempt, ChannelKind::Smtp);
    let well = after(health, &[attempt], &[tried], ChannelKind::Smtp, true);
    assert_eq!((well.failures, well.hold_until, well.failure), (0, None, None));
    assert_eq!(well.last_delivery.unwrap().outcome, TryOutcome::Delivered);
}

#[test]
fn three_refusals_in_a_row_break_a_channel_and_a_success_between_them_does_not() {
    let refuse = |health: Health| {
        let attempt = attempted(0, CREATED, broken_by("gone"));
        let tried = judge(&attempt, ChannelKind::Teams);
        after(health, &[attempt], &[tried], ChannelKind::Teams, false)
    };
    let twice = refuse(refuse(Health::default()));
    assert_eq!((twice.refusals, twice.hold_until.is_some()), (2, true));
    let thrice = refuse(twice.clone());
    assert_eq!((thrice.refusals, thrice.hold_until), (REFUSALS, None));
    let attempt = attempted(0, CREATED, delivered());
    let tried = judge(&attempt, ChannelKind::Teams);
    let well = after(twice, &[attempt], &[tried], ChannelKind::Teams, false);
    assert_eq!(refuse(well).refusals, 1);
}

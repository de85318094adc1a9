//! Answers to a write that are not what one hopes for: each is told by its kind, and none is followed by a write that nobody decided on.

use super::stage::{AUTHORIZATION, Fixing, failed, well};
use super::table::tell;
use bailiwick_base::Clock;
use bailiwick_sim::demo::TAILSPIN;
use jiff::SignedDuration;
use serde_json::json;

fn error(code: &str, message: &str) -> String {
    json!({"error": {"code": code, "message": message}}).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_write_is_told_with_microsofts_code_and_sent_once() {
    let fixing = Fixing::new().await;
    let denied = error("Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
    let conflict = error("Directory_ConcurrencyViolation", "Concurrency violation.");
    let stale = error("PreconditionFailed", "The resource has changed.");
    let cases = [
        (20, "403 on the write", 403, denied, "permission_missing", "Authorization_RequestDenied"),
        (21, "409 on the write", 409, conflict, "refused", "Directory_ConcurrencyViolation"),
        (22, "412 on the write", 412, stale, "refused", "PreconditionFailed"),
        (23, "400 on the write", 400, error("BadRequest", "Invalid value."), "refused", "BadRequest"),
        (24, "404 on the write", 404, error("Request_ResourceNotFound", "Not found."), "refused", "Request_ResourceNotFound"),
    ];
    for (place, fault, status, body, code, microsoft) in cases {
        fixing.anew();
        fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"status": status, "body": body}));
        let fix = fixing.ordered().await;
        let refused = fixing.settled(&fix).await;
        failed(&refused, "failed", code);
        assert_eq!(refused["failure"]["microsoft_code"], microsoft);
        assert_eq!((fixing.answers(), fixing.invites()), (vec![status], "everyone".into()), "{fault}");
        tell(place, fault, &refused, &fixing.there());
        fixing.owner().post(&format!("/api/v1/fixes/{}/withdraw", super::stage::id(&fix)), json!({})).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_come_back_it_comes_back_when_it_was_told_to_and_not_for_ever() {
    let fixing = Fixing::new().await;
    for (place, status, fault) in [(25, 429, "429 with Retry-After on the write"), (26, 503, "503 with Retry-After on the write")] {
        fixing.anew();
        fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"status": status, "retry_after": 45}));
        let fix = fixing.ordered().await;
        let begun = fixing.stage.clock.now();
        let applied = fixing.settled(&fix).await;
        well(&applied, "applied");
        assert_eq!(fixing.answers(), [status, 204]);
        // The database keeps microseconds.
        assert!(fixing.stage.clock.now().duration_since(begun) > SignedDuration::from_millis(44_999), "too soon");
        tell(place, fault, &applied, &fixing.there());
    }

    // A value that changes while it waits is left alone.
    fixing.anew();
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"status": 429, "retry_after": 45}));
    let fix = fixing.ordered().await;
    fixing.stage.work().await;
    assert_eq!(fixing.answers(), [429]);
    fixing.set_invites("none");
    let stopped = fixing.settled(&fix).await;
    failed(&stopped, "stopped", "changed");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![429], "none".into()));
    tell(27, "429 on the write, and the value changes while it waits", &stopped, &fixing.there());

    fixing.anew();
    fixing.fault("PATCH", AUTHORIZATION, None, json!({"status": 429, "retry_after": 60}));
    let fix = fixing.ordered().await;
    let throttled = fixing.settled(&fix).await;
    failed(&throttled, "failed", "throttled");
    assert!(fixing.answers().iter().all(|status| *status == 429), "{:?}", fixing.answers());
    assert_eq!(fixing.invites(), "everyone");
    tell(28, "429 on the write without end", &throttled, &fixing.there());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_broke_over_there_is_read_and_not_sent_again() {
    let fixing = Fixing::new().await;
    for (place, status) in [(29, 500), (30, 503), (31, 504)] {
        fixing.anew();
        fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"status": status}));
        let fix = fixing.ordered().await;
        let broke = fixing.settled(&fix).await;
        failed(&broke, "failed", "not_kept");
        assert!(broke["failure"]["detail"].as_str().unwrap().contains(&status.to_string()), "{broke:#}");
        assert_eq!((fixing.answers(), fixing.invites()), (vec![status], "everyone".into()));
        tell(place, &format!("{status} on the write"), &broke, &fixing.there());
        // A new order is a new decision.
        well(&fixing.again(&fix, "apply").await, "applied");
        assert_eq!(fixing.answers(), [status, 204]);
    }

    // A token that Microsoft takes no longer is renewed, and the write it did not let in is sent with the new one.
    fixing.anew();
    fixing.stage.sim.revoke_tokens(TAILSPIN.directory);
    let fix = fixing.ordered().await;
    let renewed = fixing.settled(&fix).await;
    well(&renewed, "applied");
    assert_eq!(fixing.writes(&TAILSPIN).iter().filter(|call| call.status == 204).count(), 1);
    tell(32, "the token ends before the write", &renewed, &fixing.there());
}

//! Writes whose outcome is not what the answer says, or that bring no answer: what happened is read, and nothing is sent a second time for
//! one order.

use super::stage::{AUTHORIZATION, Fixing, failed, well};
use super::table::tell;
use bailiwick_sim::demo::TAILSPIN;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_believed_when_it_is_read_back() {
    let fixing = Fixing::new().await;
    let sim = &fixing.stage.sim;

    fixing.anew();
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"forget": true}));
    let fix = fixing.ordered().await;
    let forgotten = fixing.settled(&fix).await;
    failed(&forgotten, "failed", "not_kept");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![204], "everyone".into()));
    tell(40, "the write is answered as done, and did not happen", &forgotten, &fixing.there());
    well(&fixing.again(&fix, "apply").await, "applied");
    assert_eq!(fixing.answers(), [204, 204], "a new order, a new write");

    fixing.anew();
    sim.set_write_delay(30_000);
    let fix = fixing.ordered().await;
    fixing.stage.work().await;
    assert_eq!(fixing.shown(&fix).await["state"], "applying");
    let late = fixing.settled(&fix).await;
    well(&late, "applied");
    assert_eq!(fixing.answers(), [204]);
    tell(41, "the write shows after 30 s", &late, &fixing.there());

    fixing.anew();
    sim.set_write_delay(600_000);
    let fix = fixing.ordered().await;
    let later = fixing.settled(&fix).await;
    failed(&later, "failed", "not_kept");
    assert_eq!(fixing.answers(), [204]);
    tell(42, "the write shows after 10 minutes", &later, &fixing.there());
    fixing.stage.clock.advance(jiff::SignedDuration::from_mins(10));
    let so = fixing.again(&fix, "apply").await;
    well(&so, "applied");
    assert_eq!(fixing.answers(), [204]);
    tell(43, "the same, ordered again once it shows", &so, &fixing.there());

    fixing.anew();
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"forget": true}));
    let fix = fixing.ordered().await;
    fixing.stage.work().await;
    fixing.set_invites("none");
    let other = fixing.settled(&fix).await;
    failed(&other, "failed", "not_kept");
    assert_eq!(other["failure"]["found"][0]["after"], "none", "{other:#}");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![204], "none".into()));
    tell(44, "another tool sets something else before the re-read", &other, &fixing.there());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_without_an_answer_is_looked_up() {
    let fixing = Fixing::new().await;

    fixing.anew();
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"drop_after": true}));
    let fix = fixing.ordered().await;
    let found = fixing.settled(&fix).await;
    well(&found, "applied");
    assert_eq!(fixing.answers(), [0]);
    tell(45, "the connection is cut after the write was taken", &found, &fixing.there());

    fixing.anew();
    fixing.stage.sim.set_write_delay(90_000);
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"drop_after": true}));
    let fix = fixing.ordered().await;
    let found = fixing.settled(&fix).await;
    well(&found, "applied");
    assert_eq!(fixing.answers(), [0]);
    tell(46, "the same, and the write shows after 90 s", &found, &fixing.there());

    fixing.anew();
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"drop": true}));
    let fix = fixing.ordered().await;
    let lost = fixing.settled(&fix).await;
    failed(&lost, "failed", "not_sent");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![0], "everyone".into()));
    tell(47, "the connection is cut before the write was taken", &lost, &fixing.there());
    well(&fixing.again(&fix, "apply").await, "applied");
    assert_eq!(fixing.answers(), [0, 204]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_that_fail_are_tried_again_and_never_lead_to_a_second_write() {
    let fixing = Fixing::new().await;

    fixing.anew();
    let fix = fixing.approved().await;
    fixing.fault("GET", AUTHORIZATION, Some(30), json!({"drop": true}));
    let applied = fixing.again(&fix, "apply").await;
    well(&applied, "applied");
    assert_eq!(fixing.answers(), [204]);
    tell(48, "the look before the write fails for a while", &applied, &fixing.there());

    fixing.anew();
    let fix = fixing.approved().await;
    fixing.stage.break_with(json!([{"match": {"method": "GET", "path": AUTHORIZATION, "after": 1}, "action": {"status": 503}}]));
    fixing.decide(&fixing.owner(), &fix, "apply").await.ok();
    let unread = fixing.settled(&fix).await;
    failed(&unread, "failed", "not_read");
    assert_eq!(fixing.answers(), [204]);
    tell(49, "the re-read fails without end", &unread, &fixing.there());
    fixing.stage.sim.clear_faults();
    well(&fixing.again(&fix, "apply").await, "applied");
    assert_eq!(fixing.answers(), [204], "it looks first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_back_is_as_careful_as_applying() {
    let fixing = Fixing::new().await;

    let fix = fixing.applied().await;
    fixing.set_invites("adminsGuestInvitersAndAllMembers");
    let kept = fixing.again(&fix, "roll-back").await;
    failed(&kept, "rollback_failed", "changed");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![204], "adminsGuestInvitersAndAllMembers".into()));
    tell(60, "rolled back after somebody else changed it", &kept, &fixing.there());

    fixing.anew();
    let fix = fixing.applied().await;
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"drop_after": true}));
    let back = fixing.again(&fix, "roll-back").await;
    well(&back, "rolled_back");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![204, 0], "everyone".into()));
    tell(61, "rolled back, and the connection is cut after the write was taken", &back, &fixing.there());

    fixing.anew();
    let fix = fixing.applied().await;
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"forget": true}));
    let forgotten = fixing.again(&fix, "roll-back").await;
    failed(&forgotten, "rollback_failed", "not_kept");
    assert_eq!(fixing.invites(), fix["after"]["allowInvitesFrom"].as_str().unwrap());
    tell(62, "rolled back, answered as done, and did not happen", &forgotten, &fixing.there());
    let back = fixing.again(&fix, "roll-back").await;
    well(&back, "rolled_back");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![204, 204, 204], "everyone".into()));

    fixing.anew();
    let fix = fixing.applied().await;
    let denied = r#"{"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}}"#;
    fixing.fault("PATCH", AUTHORIZATION, Some(1), json!({"status": 403, "body": denied}));
    let refused = fixing.again(&fix, "roll-back").await;
    failed(&refused, "rollback_failed", "permission_missing");
    assert_eq!(fixing.answers(), [204, 403]);
    tell(63, "403 on the write that rolls back", &refused, &fixing.there());
    assert_eq!(fixing.writes(&TAILSPIN).len(), 2);
}

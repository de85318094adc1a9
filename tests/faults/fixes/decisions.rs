//! Decisions that do not hold, or hold no more when their turn comes: nothing is written, and it is said why.

use super::stage::{AUTHORIZATION, Fixing, failed, id, well};
use super::table::{tell, tell_refused};
use bailiwick_sim::demo::{TAILSPIN, WRITER_CLIENT_ID, WRITER_PERMISSIONS};
use serde_json::json;

const ELSEWHERE: &str = "adminsGuestInvitersAndAllMembers";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_approved_as_it_stands_is_not_written() {
    let fixing = Fixing::new().await;
    let owner = fixing.owner();

    let fix = fixing.plan().await;
    for (place, who, name) in [(2, fixing.member(), "a member"), (3, fixing.auditor(), "an auditor")] {
        let refused = fixing.decide(&who, &fix, "approve").await;
        tell_refused(place, &format!("approved by {name}, who may not"), refused, 403, "not_allowed", &fixing.there());
    }

    let early = fixing.decide(&owner, &fix, "apply").await;
    tell_refused(4, "applied before anybody approved it", early, 409, "wrong_state", &fixing.there());

    // Somebody changed the value, and it was planned anew: the old digest stands for another change.
    fixing.set_invites(ELSEWHERE);
    let newer = fixing.plan().await;
    assert_ne!(newer["digest"], fix["digest"]);
    let path = format!("/api/v1/fixes/{}/approve", id(&newer));
    let other = owner.post(&path, json!({"digest": fix["digest"]})).await;
    tell_refused(5, "the digest of an earlier plan approved", other, 409, "fix_changed", &fixing.there());
    let older = fixing.decide(&owner, &fix, "approve").await;
    tell_refused(6, "the fix of an earlier plan approved", older, 409, "wrong_state", &fixing.there());

    // Whoever can write to the database edits the plan after it was approved.
    fixing.anew();
    let fix = fixing.approved().await;
    sqlx::query("UPDATE bailiwick.fixes SET change = jsonb_set(change, '{body,allowInvitesFrom}', '\"none\"') WHERE id = $1::uuid")
        .bind(id(&fix))
        .execute(&mut fixing.stage.look().await)
        .await
        .unwrap();
    let edited = fixing.again(&fix, "apply").await;
    failed(&edited, "failed", "not_approved");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![], "everyone".into()));
    tell(7, "the stored plan edited after it was approved", &edited, &fixing.there());

    fixing.anew();
    let fix = fixing.ordered().await;
    fixing.set_invites(ELSEWHERE);
    let stopped = fixing.settled(&fix).await;
    failed(&stopped, "stopped", "changed");
    assert_eq!(stopped["failure"]["found"][0]["after"], ELSEWHERE);
    assert_eq!((fixing.answers(), fixing.invites()), (vec![], ELSEWHERE.into()));
    tell(1, "the value changed between review and apply", &stopped, &fixing.there());

    fixing.anew();
    fixing.turn_on(&TAILSPIN, json!({"enabled": true, "second_approver": true})).await;
    let fix = fixing.approved().await;
    let same = fixing.decide(&owner, &fix, "approve").await;
    tell_refused(8, "the same person approves twice, where two are needed", same, 409, "same_approver", &fixing.there());
    let one = fixing.decide(&owner, &fix, "apply").await;
    tell_refused(9, "applied with one approval, where two are needed", one, 409, "wrong_state", &fixing.there());
    fixing.decide(&fixing.admin(), &fix, "approve").await.ok();
    well(&fixing.again(&fix, "apply").await, "applied");
    assert_eq!(fixing.answers(), [204], "what two people approved is written once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_switched_off_or_taken_back_meanwhile_is_not_written() {
    let fixing = Fixing::new().await;
    let (owner, settings) = (fixing.owner(), format!("/api/v1/fix-settings/{}", TAILSPIN.directory));

    // Two people press the button at once: one order, one write.
    let fix = fixing.approved().await;
    let admin = fixing.admin();
    let (one, two) = tokio::join!(fixing.decide(&owner, &fix, "apply"), fixing.decide(&admin, &fix, "apply"));
    let (taken, refused) = if one.status == 202 { (one, two) } else { (two, one) };
    assert_eq!(taken.status, 202);
    let applied = fixing.settled(&fix).await;
    well(&applied, "applied");
    assert_eq!(fixing.answers(), [204]);
    tell_refused(10, "two people order it at once: the second", refused, 409, "wrong_state", &fixing.there());

    fixing.anew();
    let fix = fixing.ordered().await;
    fixing.turn_on(&TAILSPIN, json!({"enabled": false})).await;
    let off = fixing.settled(&fix).await;
    failed(&off, "failed", "off");
    tell(11, "fixes turned off between order and write", &off, &fixing.there());
    fixing.turn_on(&TAILSPIN, json!({"enabled": true})).await;

    let fix = fixing.ordered().await;
    let writer = owner.get(&settings).await.ok()["writer"].as_str().unwrap().to_owned();
    owner.post(&format!("/api/v1/connections/{writer}/disconnect"), json!({})).await.ok();
    let gone = fixing.settled(&fix).await;
    failed(&gone, "failed", "not_connected");
    tell(12, "disconnected between order and write", &gone, &fixing.there());
    assert_eq!(fixing.answers(), [] as [u16; 0]);

    // Consented to anew, but for one permission.
    let without: Vec<&str> = WRITER_PERMISSIONS.iter().copied().filter(|name| *name != "Policy.ReadWrite.Authorization").collect();
    let sim = &fixing.stage.sim;
    sim.withdraw(TAILSPIN.directory, WRITER_CLIENT_ID);
    fixing.connect_writer_by(&TAILSPIN, || sim.consent_to(TAILSPIN.directory, WRITER_CLIENT_ID, &without).unwrap()).await;
    // Tokens from before the new consent have run out.
    fixing.stage.clock.advance(jiff::SignedDuration::from_hours(2));
    let lacking = fixing.again(&fix, "apply").await;
    failed(&lacking, "failed", "permission_missing");
    assert!(lacking["failure"]["detail"].as_str().unwrap().contains("Policy.ReadWrite.Authorization"), "{lacking:#}");
    assert_eq!(fixing.answers(), [403]);
    tell(13, "consented to without the recipe's permission", &lacking, &fixing.there());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_to_write_that_is_withdrawn_ends_what_it_carried() {
    let fixing = Fixing::new().await;
    let sim = &fixing.stage.sim;
    let fix = fixing.approved().await;
    sim.withdraw(TAILSPIN.directory, WRITER_CLIENT_ID);
    let refused = fixing.again(&fix, "apply").await;
    failed(&refused, "failed", "connection_refused");
    assert_eq!((fixing.answers(), fixing.invites()), (vec![], "everyone".into()));
    tell(14, "consent to write withdrawn between approve and apply", &refused, &fixing.there());

    // Consented to again, the same approvals carry a new order.
    assert!(sim.consent(TAILSPIN.directory, WRITER_CLIENT_ID));
    well(&fixing.again(&fix, "apply").await, "applied");

    // Withdrawn after the write and before it shows.
    fixing.anew();
    sim.set_write_delay(20_000);
    let fix = fixing.ordered().await;
    fixing.stage.work().await;
    assert_eq!((fixing.answers(), &fixing.shown(&fix).await["state"]), (vec![204], &json!("applying")));
    sim.withdraw(TAILSPIN.directory, WRITER_CLIENT_ID);
    let unread = fixing.settled(&fix).await;
    failed(&unread, "failed", "not_read");
    assert_eq!(fixing.answers(), [204]);
    tell(15, "consent to write withdrawn between write and re-read", &unread, &fixing.there());
    assert!(sim.consent(TAILSPIN.directory, WRITER_CLIENT_ID));
    well(&fixing.again(&fix, "apply").await, "applied");
    assert_eq!(fixing.answers(), [204], "it looks first, and what is so already is not sent again");
    assert_eq!(sim.value(TAILSPIN.directory, AUTHORIZATION)["allowInvitesFrom"], fix["after"]["allowInvitesFrom"]);
}

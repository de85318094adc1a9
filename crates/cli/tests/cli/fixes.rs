//! Fixes from a terminal or a script: looked at, decided about by digest, followed to the end.

use crate::Bailiwick;
use crate::fake::{Fake, Fault};
use bailiwick_contract::Operation;
use bailiwick_contract::fixes::{ApplyFix, ApproveFix, GetFix, ListFixRecipes, PlanFixes, WithdrawFix};
use serde_json::{Value, json};

const FIX: &str = "0192f0c1-2b3c-7d4e-8f50-61728394a701";
const SHOWN: &str = "GET /api/v1/fixes/0192f0c1-2b3c-7d4e-8f50-61728394a701";
const APPROVE: &str = "POST /api/v1/fixes/0192f0c1-2b3c-7d4e-8f50-61728394a701/approve";
const APPLY: &str = "POST /api/v1/fixes/0192f0c1-2b3c-7d4e-8f50-61728394a701/apply";
const ROLL_BACK: &str = "POST /api/v1/fixes/0192f0c1-2b3c-7d4e-8f50-61728394a701/roll-back";
const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// The contract's fix in another state.
fn fix(state: &str, over: Value) -> Value {
    let mut fix = (ApproveFix::SPEC.example)();
    fix["state"] = json!(state);
    for (name, value) in over.as_object().unwrap() {
        fix[name] = value.clone();
    }
    fix
}

fn step(kind: &str, status: Option<u16>) -> Value {
    let method = if kind == "write" { "PATCH" } else { "GET" };
    let mut step = json!({"at": "2026-11-22T08:06:00Z", "purpose": "apply", "kind": kind, "method": method, "url": "https://graph.microsoft.com/v1.0/policies/authorizationPolicy"});
    if let Some(status) = status {
        step["status"] = json!(status);
    }
    step
}

fn body(server: &Fake, at: usize) -> Value {
    serde_json::from_slice(&server.state().seen[at].body).unwrap()
}

#[tokio::test]
async fn a_fix_is_shown_with_its_difference_its_request_and_the_next_command() {
    let server = Fake::start().await;
    let may = json!({"approve": null, "apply": "It is not approved.", "roll_back": "It was not applied.", "withdraw": null, "explain": "No assistant is configured."});
    server.answer(SHOWN, fix("proposed", json!({"approvals": [], "may": may, "steps": []})));
    let done = Bailiwick::at(&server.url).run(["fixes", "show", FIX]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let change = "\nChange (- before, + after)\n  allowInvitesFrom\n  - \"everyone\"\n  + \"adminsAndGuestInviters\"\n";
    assert!(done.stdout.contains(change), "{}", done.stdout);
    let url = fix("proposed", json!({}))["request"]["url"].as_str().unwrap().to_owned();
    let request = format!("\nRequest\n  PATCH {url}\n  {{\n    \"allowInvitesFrom\": \"adminsAndGuestInviters\"\n  }}\n");
    assert!(done.stdout.contains(&request), "{}", done.stdout);
    assert!(done.stdout.ends_with(&format!("Next    bailiwick fixes approve {FIX} --digest {DIGEST}\n")), "{}", done.stdout);
}

#[tokio::test]
async fn what_a_directory_says_cannot_drive_the_terminal() {
    let server = Fake::start().await;
    let changed = json!([{"path": "a\u{1b}[2J", "before": "\u{9b}31m", "after": "\u{202e}x"}]);
    let over = json!({"changed": changed, "object": {"id": "1", "name": "\u{1b}]0;owned\u{7}"}, "failure": {"code": "refused", "detail": "no\u{1b}[1A"}});
    server.answer(SHOWN, fix("failed", over));
    let done = Bailiwick::at(&server.url).run(["fixes", "show", FIX]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(!done.stdout.chars().any(|c| c != '\n' && c.is_control() || c == '\u{202e}'), "{:?}", done.stdout);
}

#[tokio::test]
async fn approving_sends_the_digest_that_was_shown_and_the_note() {
    let server = Fake::start().await;
    server.answer(APPROVE, fix("awaiting_second", json!({"approvals_needed": 2})));
    let done = Bailiwick::at(&server.url).run(["fixes", "approve", FIX, "--digest", DIGEST, "--note", "CHG-17"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(body(&server, 0), json!({"digest": DIGEST, "note": "CHG-17"}));
    assert!(done.stdout.contains("Approvals    1 of 2\n"), "{}", done.stdout);
    assert_eq!(done.stderr, "Another person has to approve it as well.\n");
}

#[tokio::test]
async fn without_a_digest_and_a_terminal_nothing_is_decided() {
    for command in ["approve", "apply", "rollback"] {
        let server = Fake::start().await;
        let done = Bailiwick::at(&server.url).run(["fixes", command, FIX]).await;
        assert_eq!(done.code, 1, "{command}");
        assert!(done.stderr.contains(&format!("Look at it with `bailiwick fixes show {FIX}`")), "{}", done.stderr);
        assert!(server.lines().is_empty(), "{command} asked {:?}", server.lines());
    }
}

#[tokio::test]
async fn a_part_of_a_digest_is_no_digest() {
    for digest in [&DIGEST[..12], "", &format!("{DIGEST}0"), &DIGEST.replace('9', "g")] {
        let done = Bailiwick::bare().run(["fixes", "approve", FIX, "--digest", digest]).await;
        assert_eq!(done.code, 1, "{digest}");
        assert!(done.stderr.contains("copy all 64 characters"), "{}", done.stderr);
    }
}

#[tokio::test]
async fn a_fix_that_is_another_by_now_is_three() {
    for (line, command) in [(APPROVE, "approve"), (APPLY, "apply"), (ROLL_BACK, "rollback")] {
        let server = Fake::start().await;
        server.fail(line, Fault::Problem(409, json!({"code": "fix_changed", "detail": "The fix is not the one that was shown."})));
        let done = Bailiwick::at(&server.url).run(["fixes", command, FIX, "--digest", DIGEST]).await;
        assert_eq!(done.code, 3, "{command}: {}", done.stderr);
        assert!(done.stderr.contains(&format!("bailiwick fixes show {FIX}")), "{}", done.stderr);
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    for (code, hint) in [("same_approver", "Ask somebody else who may approve."), ("fixes_off", "An owner turns fixes on")] {
        let server = Fake::start().await;
        server.fail(APPROVE, Fault::Problem(409, json!({"code": code, "detail": "No."})));
        let done = Bailiwick::at(&server.url).run(["fixes", "approve", FIX, "--digest", DIGEST]).await;
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(done.stderr.contains(hint), "{}", done.stderr);
    }
}

#[tokio::test]
async fn applying_is_followed_step_by_step() {
    let server = Fake::start().await;
    server.answer(APPLY, fix("applying", json!({"steps": []})));
    server.answer(SHOWN, fix("applying", json!({"steps": [step("read", Some(200)), step("write", None)]})));
    let steps = json!([step("read", Some(200)), step("write", Some(204)), step("reread", Some(200))]);
    server.answer(SHOWN, fix("applied", json!({"steps": steps})));
    let done = Bailiwick::at(&server.url).run(["fixes", "apply", FIX, "--digest", DIGEST]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let url = "https://graph.microsoft.com/v1.0/policies/authorizationPolicy";
    assert_eq!(done.stderr, format!("read: GET {url} 200\nwrite: PATCH {url} sent\nwrite: PATCH {url} 204\nreread: GET {url} 200\n"));
    assert!(done.stdout.contains("State        applied\n"), "{}", done.stdout);
    assert_eq!(body(&server, 0), json!({"digest": DIGEST, "at": null}));
}

#[tokio::test]
async fn an_order_for_later_is_good_and_says_when() {
    let server = Fake::start().await;
    server.answer(APPLY, (ApplyFix::SPEC.example)());
    let done = Bailiwick::at(&server.url).run(["fixes", "apply", FIX, "--digest", DIGEST, "--at", "2026-11-23T22:00:00+01:00"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(body(&server, 0)["at"], "2026-11-23T21:00:00Z");
    assert!(done.stdout.contains("Due          2026-11-23 21:00Z\n"), "{}", done.stdout);
}

#[tokio::test]
async fn a_value_that_changed_stops_it_with_three_and_shows_what_is_there() {
    let server = Fake::start().await;
    let found = json!([{"path": "allowInvitesFrom", "before": "everyone", "after": "none"}]);
    let failure = json!({"code": "changed", "detail": "allowInvitesFrom is not what was approved. Nothing was sent.", "found": found});
    server.answer(APPLY, fix("applying", json!({})));
    server.answer(SHOWN, fix("stopped", json!({"failure": failure})));
    let done = Bailiwick::at(&server.url).run(["fixes", "apply", FIX, "--digest", DIGEST, "--json"]).await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert_eq!(done.json()["failure"]["found"][0]["after"], "none");
    assert!(done.stderr.contains("Nothing was sent.") && done.stderr.contains("Plan again"), "{}", done.stderr);

    server.answer(SHOWN, fix("stopped", json!({"failure": failure})));
    let shown = Bailiwick::at(&server.url).run(["fixes", "show", FIX]).await;
    let expected = "\nFound there (- expected, + found)\n  allowInvitesFrom\n  - \"everyone\"\n  + \"none\"\n";
    assert!(shown.stdout.contains(expected), "{}", shown.stdout);
}

#[tokio::test]
async fn a_failure_is_one_where_a_person_has_to_act_and_two_where_time_may_help() {
    let codes = [("permission_missing", 1), ("connection_refused", 1), ("refused", 1), ("throttled", 2), ("not_sent", 2), ("not_kept", 3)];
    for (code, exit) in codes {
        let server = Fake::start().await;
        server.answer(ROLL_BACK, fix("rolling_back", json!({})));
        server.answer(SHOWN, fix("rollback_failed", json!({"failure": {"code": code, "detail": "It did not work."}})));
        let done = Bailiwick::at(&server.url).run(["fixes", "rollback", FIX, "--digest", DIGEST]).await;
        assert_eq!(done.code, exit, "{code}: {}", done.stderr);
    }
}

/// The order is taken and its answer lost; given again it is refused, and the fix itself says that it is under way.
#[tokio::test]
async fn an_order_whose_answer_was_lost_is_followed() {
    let server = Fake::start().await;
    server.answer(APPLY, fix("applying", json!({})));
    server.fail(APPLY, Fault::AnswerLost);
    server.fail(APPLY, Fault::Problem(409, json!({"code": "wrong_state", "detail": "It is under way."})));
    server.answer(SHOWN, fix("applying", json!({})));
    server.answer(SHOWN, fix("applied", json!({})));
    let done = Bailiwick::at(&server.url).run(["fixes", "apply", FIX, "--digest", DIGEST, "--json"]).await;
    assert_eq!((done.code, done.json()["state"].as_str()), (0, Some("applied")), "{}", done.stderr);
}

#[tokio::test]
async fn who_will_not_wait_is_told_at_once() {
    let server = Fake::start().await;
    server.answer(APPLY, fix("applying", json!({})));
    let done = Bailiwick::at(&server.url).run(["fixes", "apply", FIX, "--digest", DIGEST, "--no-wait", "--json"]).await;
    assert_eq!((done.code, done.json()["state"].as_str()), (0, Some("applying")), "{}", done.stderr);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_fix_that_does_not_end_in_time_is_two() {
    let server = Fake::start().await;
    server.answer(APPLY, fix("applying", json!({})));
    let done = Bailiwick::at(&server.url).run(["fixes", "apply", FIX, "--digest", DIGEST, "--wait-timeout", "0"]).await;
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("It goes on."), "{}", done.stderr);
}

#[tokio::test]
async fn planning_lists_what_is_proposed_and_what_is_left_out() {
    let server = Fake::start().await;
    let mut plan = (PlanFixes::SPEC.example)();
    plan["left_out"] = json!([{"check": "entra.ca.mfa-all", "code": "no_emergency_accounts", "detail": "No emergency account is named."}]);
    server.answer("POST /api/v1/fix-plans", plan);
    let done = Bailiwick::at(&server.url).run(["fixes", "plan", "--recipe", "entra.guest-invites"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(body(&server, 0)["recipes"], json!(["entra.guest-invites"]));
    assert!(done.stdout.contains("entra.ca.mfa-all  no_emergency_accounts  No emergency account is named.\n"), "{}", done.stdout);
    assert!(done.stdout.contains(FIX) && done.stderr.starts_with("Nothing was changed."), "{}{}", done.stdout, done.stderr);
}

#[tokio::test]
async fn fixes_are_listed_and_taken_back() {
    let server = Fake::start().await;
    server.answer("GET /api/v1/fixes", json!({"items": [(GetFix::SPEC.example)()], "next": "abc"}));
    let done = Bailiwick::at(&server.url).run(["fixes", "list", "--state", "awaiting_second", "--severity", "medium"]).await;
    assert_eq!((done.code, done.stderr.as_str()), (0, "There are more: bailiwick fixes list --cursor abc\n"));
    assert_eq!(server.state().seen[0].line, "GET /api/v1/fixes?state=awaiting_second&severity=medium");
    assert!(done.stdout.starts_with("FIX                                   STATE"), "{}", done.stdout);

    server.answer("POST /api/v1/fixes/0192f0c1-2b3c-7d4e-8f50-61728394a701/withdraw", (WithdrawFix::SPEC.example)());
    let done = Bailiwick::at(&server.url).run(["fixes", "withdraw", FIX, "--note", "not now"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(body(&server, 1), json!({"note": "not now"}));
}

#[tokio::test]
async fn recipes_say_which_permission_is_missing() {
    let server = Fake::start().await;
    let mut recipes = (ListFixRecipes::SPEC.example)();
    recipes["items"][0]["granted"] = json!(false);
    server.answer("GET /api/v1/fix-recipes", recipes);
    let done = Bailiwick::at(&server.url).run(["fixes", "recipes"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("missing  Policy.ReadWrite.Authorization"), "{}", done.stdout);
}

//! What goes wrong on the other side: it is tried again, it is seen, and it holds up nothing else.

use super::sinks::{Does, Endpoint, PATIENCE, TAKES};
use super::{Desk, id};
use bailiwick_base::Timestamp;
use bailiwick_domain::worker;
use jiff::ToSpan;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Notify, watch};

const TEAM: &str = "security@contoso.com";

/// I67: a mail server that is down for a day gets its mail when it is back, once; reports were taken all the while.
#[tokio::test]
async fn i67_a_mail_server_that_is_down_for_a_day_gets_its_mail_once() {
    let desk = Desk::new().await;
    let channel = desk.mails_to(TEAM).await;
    desk.rule(&channel, json!({})).await;
    desk.mail.set_up(false);
    desk.regress().await;
    let began = desk.world.running.services.store.now();
    let failing = desk.channel_now(&channel).await;
    assert_eq!((&failing["state"], &failing["waiting"]), (&json!("failing"), &json!(1)), "{failing:#}");
    let waits = desk.deliveries("state=retrying").await;
    assert!(waits[0]["next_try_at"].as_str().unwrap().parse::<Timestamp>().unwrap() > began);
    let mut tries = 0;
    while desk.world.running.services.store.now() < began + 24.hours() {
        assert!(desk.next_try().await, "given up after {tries} tries");
        tries += 1;
    }
    assert!((40..80).contains(&tries), "{tries} tries in a day");
    assert!(desk.mail.knocked.load(Ordering::SeqCst) >= tries);
    desk.mail.set_up(true);
    while desk.next_try().await {}
    assert_eq!(desk.mail.mails().len(), 1);
    desk.world.clock.set(began);
    assert_eq!(desk.deliveries("state=delivered").await.len(), 1);
    let detail = desk.owner.get(&format!("/api/v1/deliveries/{}", id(&waits[0]))).await.ok();
    assert_eq!(detail["tries"].as_array().unwrap().len(), 50, "the newest are shown");
    assert_eq!(desk.channel_now(&channel).await["state"], "working");
}

/// What nobody takes for three days is given up, seen, and sent all the same when somebody says so.
#[tokio::test]
async fn what_is_given_up_is_seen_and_can_be_sent_again() {
    let desk = Desk::new().await;
    let channel = desk.mails_to(TEAM).await;
    desk.rule(&channel, json!({})).await;
    desk.mail.set_up(false);
    desk.regress().await;
    let began = desk.world.running.services.store.now();
    desk.world.clock.set(began + 73.hours());
    while desk.next_try().await {
        assert!(desk.world.running.services.store.now() < began + 100.hours(), "it is tried for ever");
    }
    desk.world.clock.set(began);
    let dead = desk.deliveries("state=dead").await;
    assert_eq!(dead.len(), 1);
    let retry = format!("/api/v1/deliveries/{}/retry", id(&dead[0]));
    desk.mail.set_up(true);
    desk.owner.post(&retry, json!(null)).await.ok();
    desk.world.work().await;
    assert_eq!(desk.mail.mails().len(), 1);
    assert_eq!(desk.owner.post(&retry, json!(null)).await.refused(409), "wrong_state");
}

/// An address that the mail server refuses is given up alone: the others get theirs.
#[tokio::test]
async fn an_address_that_is_refused_concerns_no_other() {
    let desk = Desk::new().await;
    desk.mail.refuse("gone@contoso.com");
    let recipients = json!([{"address": "gone@contoso.com"}, {"address": TEAM}]);
    let channel = id(&desk.channel("two", json!({"kind": "smtp", "recipients": recipients})).await["channel"]);
    desk.rule(&channel, json!({})).await;
    desk.regress().await;
    assert_eq!(desk.mail.mails().len(), 1);
    let dead = desk.deliveries("state=dead").await;
    assert_eq!(
        (dead.len(), &dead[0]["recipient"], &dead[0]["failure"]["code"]),
        (1, &json!("gone@contoso.com"), &json!("recipient_refused"))
    );
    assert_eq!(desk.channel_now(&channel).await["state"], "working");
}

/// I67: an endpoint that does not answer delays neither another channel nor a report. By order: while the slow one still holds its
/// message, all of that has happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i67_a_slow_channel_delays_no_other_and_no_report() {
    let let_go = Arc::new(Notify::new());
    let desk = Desk::with(&[Does::Waits(let_go.clone())]).await;
    let quick = Endpoint::start(&[TAKES]).await;
    let (slow, _) = desk.webhook("/slow").await;
    let made = desk.channel("quick", json!({"kind": "webhook", "url": format!("{}/quick", quick.url)})).await;
    desk.rule(&slow, json!({"name": "to the slow one"})).await;
    desk.rule(&id(&made["channel"]), json!({"name": "to the quick one"})).await;
    desk.begin().await;
    let (stop, stopped) = watch::channel(false);
    let working = tokio::spawn(worker::work(desk.world.running.services.clone(), 1, 1, stopped));
    desk.submit(2, false).await;
    desk.endpoint.until_asked(1).await;
    quick.until_asked(1).await;
    // The slow one still holds the first message: reports are taken and told to the quick one.
    desk.submit(2, true).await;
    let run = desk.submit(2, false).await;
    quick.until_asked(2).await;
    assert_eq!(desk.owner.get(&format!("/api/v1/runs/{run}")).await.ok()["state"], "succeeded");
    assert_eq!(desk.endpoint.asked().len(), 1, "the slow channel was let go");
    desk.endpoint.does(&[TAKES]);
    let_go.notify_one();
    stop.send(true).unwrap();
    tokio::time::timeout(PATIENCE, working).await.unwrap().unwrap();
    // Where it took so long that the attempt was given up, it is tried again.
    while desk.next_try().await {}
    assert_eq!(desk.deliveries("state=delivered").await.len(), 4);
}

/// A channel that is paused is told nothing, also not later; one that rules use is not removed.
#[tokio::test]
async fn a_channel_is_paused_and_removed_by_hand() {
    let desk = Desk::new().await;
    let channel = desk.mails_to(TEAM).await;
    let rule = id(&desk.rule(&channel, json!({})).await);
    let path = format!("/api/v1/channels/{channel}");
    assert_eq!(desk.owner.patch(&path, json!({"paused": true})).await.ok()["state"], "paused");
    desk.regress().await;
    desk.owner.patch(&path, json!({"paused": false})).await.ok();
    desk.world.work().await;
    assert!(desk.mail.mails().is_empty());
    assert_eq!(desk.owner.delete(&path).await.refused(409), "conflict");
    desk.owner.delete(&format!("/api/v1/notification-rules/{rule}")).await.ok();
    desk.owner.delete(&path).await.ok();
    assert_eq!(desk.owner.get(&path).await.refused(404), "not_found");
    assert_eq!(desk.owner.post(&format!("{path}/test"), json!(null)).await.refused(404), "not_found");
}

/// A preview is made of what really happened, where something has, and says so where it is made up.
#[tokio::test]
async fn a_preview_shows_the_newest_real_change() {
    let desk = Desk::new().await;
    let preview = async |event: &str, channel: &str| {
        desk.owner.get(&format!("/api/v1/notification-preview?event={event}&channel={channel}")).await.ok()
    };
    let made_up = preview("drift_regressed", "smtp").await;
    assert_eq!(made_up["sample"], true);
    assert!(made_up["html"].as_str().unwrap().contains("Example directory"));
    desk.regress().await;
    let real = preview("drift_regressed", "smtp").await;
    assert_eq!((&real["sample"], &real["subject"]), (&json!(false), &json!("Contoso: 2 checks got worse (1 high, 1 medium)")));
    assert!(real["text"].as_str().unwrap().contains("MT.1005"));
    assert_eq!(preview("drift_regressed", "teams").await["card"]["type"], "AdaptiveCard");
    assert_eq!(preview("drift_regressed", "webhook").await["payload"]["type"], "drift.regressed");
    assert_eq!(preview("fix_done", "teams").await["sample"], true);
    assert!(desk.mail.mails().is_empty() && desk.endpoint.asked().is_empty(), "a preview sends nothing");
}

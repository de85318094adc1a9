//! Mail: what arrives for a regression, what does not arrive without one, and who has a say in it.

use super::{Desk, id};
use bailiwick_sim::demo::{MAILER_CLIENT_ID, NORTHWIND};
use bailiwick_sim::{CiJob, Platform};
use bailiwick_testkit::{World, sim};
use jiff::ToSpan;
use serde_json::{Value, json};

const TEAM: &str = "security@contoso.com";

/// I83: a run that made something worse mails, once; runs that did not mail nothing.
#[tokio::test]
async fn i83_a_regression_is_mailed_once_and_nothing_else_is() {
    let desk = Desk::new().await;
    let channel = desk.mails_to(TEAM).await;
    desk.rule(&channel, json!({})).await;
    desk.begin().await;
    assert!(desk.mail.mails().is_empty(), "the first run has nothing to be worse than");
    let run = desk.worse().await;
    let mails = desk.mail.mails();
    let [mail] = &mails[..] else { panic!("{} mails", mails.len()) };
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("bailiwick@contoso.com", [TEAM.to_owned()].as_slice()));
    assert_eq!(mail.headers["subject"], "Contoso: 2 checks got worse (1 high, 1 medium)");
    for part in ["text/plain", "text/html"] {
        let text = &mail.parts[part];
        assert!(text.contains("MT.1005") && text.contains("MT.1092"), "{part}: {text}");
        assert!(text.contains(&format!("to={run}")) && text.contains("https://bailiwick.contoso.com/unsubscribe#bwu_"), "{part}: {text}");
    }
    assert!(!mail.parts["text/plain"].contains('<'));
    assert_eq!(mail.headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    let delivered = desk.deliveries("").await;
    assert_eq!(delivered.len(), 1);
    assert_eq!(
        (&delivered[0]["state"], &delivered[0]["attempts"], &delivered[0]["recipient"]),
        (&json!("delivered"), &json!(1), &json!(TEAM))
    );
    assert!(mail.headers["message-id"].contains(delivered[0]["id"].as_str().unwrap()), "{}", mail.headers["message-id"]);
    let detail = desk.owner.get(&format!("/api/v1/deliveries/{}", id(&delivered[0]))).await.ok();
    assert_eq!((&detail["about"][0]["run"], &detail["tries"][0]["outcome"]), (&json!(run), &json!("delivered")), "{detail:#}");
    assert_eq!(desk.channel_now(&channel).await["state"], "working");
    // The same again, and then better: nothing of it is worse.
    desk.worse().await;
    desk.better().await;
    assert_eq!(desk.mail.mails().len(), 1);
    assert!(!desk.next_try().await, "something waits to be sent");
}

#[tokio::test]
async fn a_run_that_failed_is_told_to_those_who_want_to_know() {
    let desk = Desk::new().await;
    let channel = desk.mails_to(TEAM).await;
    desk.rule(&channel, json!({"events": ["run_failed"]})).await;
    desk.regress().await;
    desk.world.contoso.pipeline().submit(json!({"source": "broken <b>pipeline</b>"}), &[("x.json", b"{\"Tests\": [")]).await;
    desk.world.work().await;
    let mails = desk.mail.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].headers["subject"], "broken <b>pipeline</b>: a report was refused");
    assert!(mails[0].parts["text/html"].contains("broken &lt;b&gt;pipeline&lt;/b&gt;") && !mails[0].parts["text/html"].contains("<b>"));
}

#[tokio::test]
async fn what_is_below_a_rules_threshold_is_not_told() {
    let desk = Desk::new().await;
    let channel = desk.mails_to(TEAM).await;
    desk.rule(&channel, json!({"name": "many", "min_regressions": 3})).await;
    desk.rule(&channel, json!({"name": "high and many", "min_severity": "high", "min_regressions": 2})).await;
    let other = json!([uuid::Uuid::from_u128(1)]);
    let refused = json!({"name": "x", "channel": channel, "events": ["run_failed"], "timing": {"kind": "immediate"}, "directories": other});
    assert_eq!(desk.owner.post("/api/v1/notification-rules", refused).await.refused(400), "bad_request");
    desk.rule(&channel, json!({"name": "off", "enabled": false})).await;
    desk.regress().await;
    assert!(desk.mail.mails().is_empty());
    let high = desk.rule(&channel, json!({"name": "high", "min_severity": "high"})).await;
    desk.better().await;
    desk.worse().await;
    let mails = desk.mail.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    assert_eq!(mails[0].headers["subject"], "Contoso: 1 check got worse (1 high)");
    assert!(!mails[0].parts["text/html"].contains("MT.1092"), "what is less severe was told");
    assert!(mails[0].parts["text/plain"].contains(high["name"].as_str().unwrap()));
}

/// A digest gathers until its time, in the rule's own zone, and is one mail about all of it.
#[tokio::test]
async fn a_digest_gathers_what_happened_and_comes_at_its_time() {
    let desk = Desk::new().await;
    let channel = desk.mails_to(TEAM).await;
    let timing = json!({"kind": "daily", "at": "07:30", "time_zone": "Europe/Berlin"});
    let rule = id(&desk.rule(&channel, json!({"events": ["drift_regressed", "run_failed"], "timing": timing})).await);
    desk.regress().await;
    desk.world.contoso.pipeline().submit(json!({"source": "broken"}), &[("x.json", b"{\"Tests\": [")]).await;
    desk.world.work().await;
    assert!(desk.mail.mails().is_empty());
    let waiting = desk.owner.get(&format!("/api/v1/notification-rules/{rule}")).await.ok();
    assert_eq!(waiting["gathered"], 2, "{waiting:#}");
    let at: bailiwick_base::Timestamp = waiting["next_digest_at"].as_str().unwrap().parse().unwrap();
    let local = at.to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    assert_eq!((local.hour(), local.minute()), (7, 30));
    desk.world.clock.set(at - 1.minute());
    desk.world.work().await;
    assert!(desk.mail.mails().is_empty(), "the digest came too early");
    desk.world.clock.set(at);
    desk.world.work().await;
    let mails = desk.mail.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].headers["subject"], "Contoso: 2 checks got worse, 1 report was refused");
    desk.world.clock.set(at + 48.hours());
    desk.world.work().await;
    assert_eq!(desk.mail.mails().len(), 1, "a digest of nothing was sent");
}

/// Who does not want mail gets none, whoever put them on a list; a link in a mail is enough to say so, and nothing else is needed.
#[tokio::test]
async fn whoever_gets_mail_can_end_it() {
    let desk = Desk::new().await;
    let member = desk.world.contoso.member();
    let me = desk.owner.get("/api/v1/members").await.ok();
    let of = |name: &str| me["items"].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap()["id"].clone();
    let recipients = json!([{"member": of("member of Contoso")}, {"member": of("admin of Contoso")}, {"address": "Team@contoso.com"}]);
    let channel = id(&desk.channel("everybody", json!({"kind": "smtp", "recipients": recipients})).await["channel"]);
    desk.rule(&channel, json!({})).await;
    member.put("/api/v1/me/notifications", json!({"mail": "digest"})).await.ok();
    desk.regress().await;
    let mails = desk.mail.mails();
    let mut to: Vec<&str> = mails.iter().map(|mail| mail.to[0].as_str()).collect();
    to.sort_unstable();
    let admin = desk.world.contoso.org.upn("admin");
    assert_eq!(to, [admin.as_str(), "team@contoso.com"], "the member wants digests only");

    // One click (RFC 8058): a form that a mail program posts, without any credential.
    let mail = mails.iter().find(|mail| mail.to[0] == "team@contoso.com").unwrap();
    let link = mail.headers["list-unsubscribe"].trim_matches(['<', '>']).to_owned();
    let path = link.strip_prefix("https://bailiwick.contoso.com").unwrap();
    let stranger = desk.world.contoso.anonymous();
    let form = stranger.request(reqwest::Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
    let done = stranger.send(form.body("List-Unsubscribe=One-Click")).await.ok();
    assert_eq!(done, json!({"address": "t…m@contoso.com", "tenant_name": "Contoso", "mail": "none"}));
    // A program that opens the link instead is sent to the page, and nothing is changed by looking.
    let opened = stranger.get(path).await;
    assert_eq!((opened.status, opened.headers["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"));
    desk.better().await;
    desk.worse().await;
    let mails = desk.mail.mails();
    assert_eq!(mails.iter().filter(|mail| mail.to[0] == "team@contoso.com").count(), 1);
    assert_eq!(mails.iter().filter(|mail| mail.to[0] == admin).count(), 2);
    let shown = desk.channel_now(&channel).await;
    let team = shown["config"]["recipients"].as_array().unwrap().iter().find(|r| r["name"] == "Team@contoso.com").unwrap();
    assert_eq!(team["mail"], "none", "{shown:#}");
    // And back.
    let again = stranger.send(stranger.request(reqwest::Method::POST, &format!("{path}&undo=true"))).await.ok();
    assert_eq!(again["mail"], "all");

    // The tokens of others, of nobody, and none at all are refused alike.
    let token = path.split("token=").nth(1).unwrap();
    let other = format!("{}{}", &token[..token.len() - 4], "AAAA");
    for token in [other.as_str(), "bwu_", "x", ""] {
        let answer = stranger.send(stranger.request(reqwest::Method::POST, &format!("/api/v1/unsubscribe?token={token}"))).await;
        assert_eq!(answer.refused(404), "not_found", "{token}");
    }
    let trail = desk.owner.get("/api/v1/trail?action=notification_preference.").await.ok();
    let actions: Vec<&Value> = trail["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(
        actions,
        ["notification_preference.unsubscribed", "notification_preference.unsubscribed", "notification_preference.changed"]
    );
}

/// What was wanted when it was made and is not when it is sent, is not sent.
#[tokio::test]
async fn a_mail_that_waits_is_dropped_when_its_recipient_unsubscribes() {
    let desk = Desk::new().await;
    let address = desk.world.contoso.org.upn("owner");
    let channel = desk.mails_to(&address).await;
    desk.rule(&channel, json!({})).await;
    desk.mail.set_up(false);
    desk.regress().await;
    assert_eq!(desk.deliveries("state=retrying").await.len(), 1);
    desk.owner.put("/api/v1/me/notifications", json!({"mail": "none"})).await.ok();
    desk.mail.set_up(true);
    while desk.next_try().await {}
    assert!(desk.mail.mails().is_empty());
    assert_eq!(desk.deliveries("state=dropped").await.len(), 1);
}

/// I83: from the configured mailbox, through an application that is proved by the environment's federated identity, and holds no secret.
#[tokio::test]
async fn i83_mail_of_a_mailbox_leaves_from_that_mailbox_by_federated_identity() {
    let mailer = CiJob {
        platform: Platform::Kubernetes,
        request_token: String::new(),
        subject: "system:serviceaccount:bailiwick:mailer".into(),
        claims: serde_json::Map::new(),
    };
    let world = World::with(|config| {
        config.microsoft.federated_token_file = config.data_folder.with_file_name("token");
        config.microsoft.earlier_consent = bailiwick_server::config::EarlierConsent::Accept;
        std::fs::write(&config.microsoft.federated_token_file, sim().ci_token(&mailer, "api://AzureADTokenExchange").unwrap()).unwrap();
    })
    .await;
    let owner = world.contoso.owner();
    let config = |mailbox: &str, client: &str| json!({"kind": "mailbox", "directory": NORTHWIND.directory, "client_id": client, "mailbox": mailbox, "recipients": [{"address": TEAM}]});
    let mailbox = mailbox_of_northwind();
    let made = owner
        .post("/api/v1/channels", json!({"name": "own mailbox", "config": config(&mailbox, &MAILER_CLIENT_ID.to_string())}))
        .await
        .ok();
    let channel = id(&made["channel"]);
    sim().withdraw(NORTHWIND.directory, MAILER_CLIENT_ID);
    let test = format!("/api/v1/channels/{channel}/test");
    let refused = owner.post(&test, json!(null)).await.ok();
    assert_eq!(refused["outcome"], "broken", "without consent nothing may be sent: {refused:#}");
    assert!(sim().consent(NORTHWIND.directory, MAILER_CLIENT_ID));
    assert_eq!(owner.post(&test, json!(null)).await.refused(429), "too_many_requests", "one test a minute");
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    let before = sim().outbox().len();
    let sent = owner.post(&test, json!(null)).await.ok();
    assert_eq!(sent["outcome"], "delivered", "{sent:#}");
    let outbox = sim().outbox();
    let mails: Vec<_> = outbox[before..].iter().filter(|mail| mail.directory == NORTHWIND.directory).collect();
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].client_id, mails[0].mailbox.to_lowercase()), (MAILER_CLIENT_ID, mailbox.to_lowercase()));
    assert!(mails[0].message.to_string().contains(TEAM));
    // There is no other way into a mailbox: the form takes no secret, and an application of the environment is refused.
    let mut with_secret = config(&mailbox, &MAILER_CLIENT_ID.to_string());
    with_secret["secret"] = json!("x");
    assert_eq!(owner.post("/api/v1/channels", json!({"name": "secret", "config": with_secret})).await.refused(400), "bad_request");
    sim().withdraw(NORTHWIND.directory, MAILER_CLIENT_ID);
}

/// A mailbox of the scenario.
fn mailbox_of_northwind() -> String {
    let users = sim().value(NORTHWIND.directory, "/v1.0/users");
    let clerk = users.as_array().unwrap().iter().find(|user| user["displayName"] == "Cora Clerk").unwrap();
    clerk["userPrincipalName"].as_str().unwrap().to_owned()
}

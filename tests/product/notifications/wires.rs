//! Webhooks and Teams: what arrives, how it is verified, and what is done with what comes back.

use super::sinks::{Does, TAKES};
use super::{Desk, id};
use bailiwick_testkit::World;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PACKAGE: &str = "standardwebhooks==1.0.0";

/// The interpreter with the package installed; test processes wait for each other on a lock file.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    fs::create_dir_all(&target).unwrap();
    let lock = File::create(target.join("venv-webhooks.lock")).unwrap();
    lock.lock().unwrap();
    let folder = target.join("venv-webhooks");
    let (python, done) = (folder.join("bin/python"), folder.join("installed.txt"));
    if fs::read_to_string(&done).is_ok_and(|text| text == PACKAGE) {
        return python;
    }
    succeeded(Command::new("python3").args(["-m", "venv"]).arg(&folder).output().unwrap());
    succeeded(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]).output().unwrap());
    fs::write(done, PACKAGE).unwrap();
    python
}

fn succeeded(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What the package says of a webhook.
async fn verified(asked: &super::sinks::Asked, secret: &str) -> Value {
    let settings = json!({"secret": secret, "headers": asked.headers, "body": String::from_utf8(asked.body.clone()).unwrap()});
    tokio::task::spawn_blocking(move || {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("product/notifications/verify.py");
        let mut child =
            Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(settings.to_string().as_bytes()).unwrap();
        serde_json::from_slice(&succeeded(child.wait_with_output().unwrap())).unwrap()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_webhook_is_verified_by_the_standardwebhooks_package_also_while_its_secret_is_changed() {
    let desk = Desk::new().await;
    let (channel, secret) = desk.webhook("/hooks/desk?token=t").await;
    desk.rule(&channel, json!({})).await;
    let run = desk.regress().await;
    let asked = desk.endpoint.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/hooks/desk?token=t");
    let verdict = verified(&asked[0], &secret).await;
    assert_eq!(verdict["verified"], true, "{verdict:#}");
    let data = &verdict["payload"]["data"];
    assert_eq!((&verdict["payload"]["type"], &data["run"], &data["tenant"]), (&json!("drift.regressed"), &json!(run), &json!("Contoso")));
    assert_eq!(data["regressions"].as_array().unwrap().len(), 2, "{data:#}");
    assert_eq!(asked[0].headers["webhook-id"], id(&desk.deliveries("").await[0]));
    let wrong = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(verified(&asked[0], wrong).await["verified"], false);

    // For a day the message is good by either secret; afterwards by the new one alone.
    let rotated = desk.owner.post(&format!("/api/v1/channels/{channel}/rotate-secret"), json!(null)).await.ok();
    let new = rotated["signing_secret"].as_str().unwrap();
    desk.better().await;
    desk.worse().await;
    let asked = desk.endpoint.asked();
    assert_eq!(asked.len(), 2);
    for secret in [secret.as_str(), new] {
        assert_eq!(verified(&asked[1], secret).await["verified"], true);
    }
    // The day is over: said to the database, since people's tokens do not outlive it either.
    sqlx::query("UPDATE bailiwick.channels SET old_secret_until = old_secret_until - interval '25 hours'")
        .execute(&mut desk.world.look().await)
        .await
        .unwrap();
    desk.better().await;
    desk.worse().await;
    let asked = desk.endpoint.asked();
    assert_eq!(asked.len(), 3);
    let signatures = asked[2].headers["webhook-signature"].split(' ').count();
    assert_eq!(signatures, 1, "the old secret still signs");
}

/// I67: a team at its limit is told later; the message is a card that Teams takes.
#[tokio::test]
async fn i67_a_teams_channel_at_its_limit_gets_its_card_later() {
    let desk = Desk::with(&[Does::Answer(429, &[("retry-after", "90")], ""), Does::Answer(202, &[], "")]).await;
    let url = format!("{}/workflows/1234/triggers/manual/paths/invoke?sig=secret-of-the-flow", desk.endpoint.url);
    let made = desk.channel("team", json!({"kind": "teams", "url": url})).await;
    let channel = id(&made["channel"]);
    assert!(made["signing_secret"].is_null());
    desk.rule(&channel, json!({})).await;
    desk.regress().await;
    let failing = desk.channel_now(&channel).await;
    assert_eq!((&failing["state"], &failing["failure"]["code"], &failing["waiting"]), (&json!("failing"), &json!("throttled"), &json!(1)));
    let waits = &desk.deliveries("").await[0];
    assert_eq!(waits["state"], "retrying");
    let began = desk.world.running.services.store.now();
    assert!(desk.next_try().await);
    let waited = desk.world.running.services.store.now().duration_since(began).as_secs();
    assert!((90..=91).contains(&waited), "{waited} s, where 90 were asked for");
    let asked = desk.endpoint.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].body, asked[1].body);
    let message: Value = serde_json::from_slice(&asked[1].body).unwrap();
    assert_eq!((&message["type"], message["attachments"].as_array().unwrap().len()), (&json!("message"), 1));
    let card = &message["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!((&card["content"]["type"], &card["content"]["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
    assert!(card["content"].to_string().contains("MT.1005"));
    assert_eq!(desk.deliveries("state=delivered").await.len(), 1);
    assert_eq!(desk.channel_now(&channel).await["state"], "working");
}

/// Only hosts of Teams are posted to as Teams, and only public addresses, or the operator's, as webhooks.
#[tokio::test]
async fn i59_a_channel_cannot_be_made_to_lead_anywhere() {
    let world = World::new().await;
    for (kind, url) in [
        ("teams", "https://example.com/workflows/1"),
        ("teams", "http://prod-1.westeurope.logic.azure.com/workflows/1"),
        ("teams", "https://logic.azure.com.example.com/x"),
        ("webhook", "http://example.com/hook"),
        ("webhook", "https://169.254.169.254/latest/meta-data"),
        ("webhook", "https://10.0.0.1/hook"),
        ("webhook", "https://[::1]/hook"),
        ("webhook", "file:///etc/passwd"),
        ("webhook", "http://127.0.0.1:8480/"),
        ("webhook", "not a url"),
    ] {
        let new = json!({"name": format!("{kind} {url}"), "config": {"kind": kind, "url": url}});
        assert_eq!(world.contoso.owner().post("/api/v1/channels", new).await.refused(400), "bad_request", "{url}");
    }
}

/// I58: what an endpoint answers cannot send us anywhere else: a redirect is a refusal, told to those who may mend it.
#[tokio::test]
async fn i58_a_redirect_to_an_inner_address_is_refused_and_shown() {
    let away = Does::Answer(307, &[("location", "http://169.254.169.254/latest/meta-data/iam")], "");
    let desk = Desk::with(&[away]).await;
    let (channel, _) = desk.webhook("/hook").await;
    desk.rule(&channel, json!({})).await;
    desk.regress().await;
    let shown = desk.channel_now(&channel).await;
    assert_eq!((&shown["state"], &shown["failure"]["code"]), (&json!("failing"), &json!("redirected")), "{shown:#}");
    let calls = desk.world.running.calls.recent();
    assert!(calls.iter().all(|call| !format!("{call:?}").contains("169.254")), "the redirect was followed");
    // Refused three times, it is broken; the owners are told by mail.
    assert!(desk.next_try().await && desk.next_try().await);
    let shown = desk.channel_now(&channel).await;
    assert_eq!((&shown["state"], &shown["waiting"]), (&json!("broken"), &json!(1)), "{shown:#}");
    assert_eq!(desk.endpoint.asked().len(), 3);
    let mails = desk.mail.mails();
    let [notice] = &mails[..] else { panic!("{} mails", mails.len()) };
    assert_eq!(notice.to, [desk.world.contoso.org.upn("owner")]);
    assert_eq!(notice.headers["subject"], "Contoso: the channel “hook” is broken");
    let entries = desk.owner.get("/api/v1/trail?action=channel.broken").await.ok();
    assert_eq!(entries["items"].as_array().unwrap().len(), 1);
    // What waits is sent when it is mended, and only then.
    assert!(!desk.next_try().await);
    desk.endpoint.does(&[TAKES]);
    let tested = desk.owner.post(&format!("/api/v1/channels/{channel}/test"), json!(null)).await.ok();
    assert_eq!(tested["outcome"], "delivered", "{tested:#}");
    desk.world.work().await;
    assert_eq!(desk.deliveries("state=delivered").await.len(), 3, "the test, the notice, and what waited");
    assert_eq!(desk.channel_now(&channel).await["state"], "working");
}

/// An endpoint that answers without end costs no more than a small answer.
#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let most = 64 << 20;
    let desk = Desk::with(&[Does::Floods(most)]).await;
    let (channel, _) = desk.webhook("/hook").await;
    desk.rule(&channel, json!({})).await;
    desk.regress().await;
    assert_eq!(desk.deliveries("state=delivered").await.len(), 1, "{:#?}", desk.deliveries("").await);
    let taken = desk.endpoint.taken.load(std::sync::atomic::Ordering::SeqCst);
    assert!(taken < most / 2, "{taken} bytes of the answer were taken");
}

/// A channel's secrets are shown once at most, and kept sealed: no answer, no entry of the trail, no row and no line of the log has them.
#[tokio::test]
async fn i25_a_channels_secrets_are_never_shown_again() {
    let desk = Desk::with(&[Does::Answer(404, &[], "")]).await;
    let (channel, secret) = desk.webhook("/canary-path-5c1e?token=canary-token-88fa").await;
    let teams = format!("{}/canary-flow-41d7?sig=canary-sig-02bb", desk.endpoint.url);
    let team = id(&desk.channel("team", json!({"kind": "teams", "url": teams})).await["channel"]);
    desk.rule(&channel, json!({"name": "a"})).await;
    desk.rule(&team, json!({"name": "b"})).await;
    desk.regress().await;
    while desk.next_try().await {}
    let rotated = desk.owner.post(&format!("/api/v1/channels/{channel}/rotate-secret"), json!(null)).await.ok();
    let mut said = Vec::new();
    for path in
        ["/api/v1/channels", "/api/v1/notification-rules", "/api/v1/deliveries", "/api/v1/trail?limit=200", "/api/v1/notification-options"]
    {
        said.extend(desk.owner.get(path).await.bytes);
    }
    for delivery in desk.deliveries("").await {
        said.extend(desk.owner.get(&format!("/api/v1/deliveries/{}", id(&delivery))).await.bytes);
    }
    said.extend(desk.owner.post(&format!("/api/v1/channels/{channel}/test"), json!(null)).await.bytes);
    said.extend(desk.owner.patch(&format!("/api/v1/channels/{channel}"), json!({"name": "renamed"})).await.bytes);
    let mails = format!("{:?}", desk.mail.mails()).into_bytes();
    let stored = crate::look::dump(&desk.world).await.into_bytes();
    let logged = crate::logs::kept();
    let bytes = |text: &str| text.strip_prefix("whsec_").unwrap_or(text).as_bytes().to_vec();
    let secrets = [
        "canary-path-5c1e",
        "canary-token-88fa",
        "canary-flow-41d7",
        "canary-sig-02bb",
        &secret,
        rotated["signing_secret"].as_str().unwrap(),
    ];
    for secret in secrets {
        for (place, all) in [("an answer", &said), ("a mail", &mails), ("the database", &stored), ("the log", &logged)] {
            assert!(!crate::look::holds(all, &bytes(secret)), "{place} holds {secret}");
        }
    }
    assert!(crate::look::holds(&said, b"127.0.0.1"), "the search sees where the channels lead");
}

//! `sendMail`: from which mailboxes, with which messages, and where the mail is found afterwards.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    CiJob, Fault, FaultAction, FaultMatch, Platform,
    demo::{EXCHANGE_AUDIENCE, MAILER_CLIENT_ID, MAILER_SECRET, TAILSPIN, WRITER_CLIENT_ID},
};
use serde_json::{Value, json};
use support::{World, world};

async fn mail_world() -> World {
    let world = world().await;
    assert!(world.sim.consent(TAILSPIN.directory, MAILER_CLIENT_ID));
    world
}

fn message() -> Value {
    json!({
        "subject": "Drift", "body": {"contentType": "HTML", "content": "<p>One regression</p>"},
        "toRecipients": [{"emailAddress": {"address": "security@tailspin.example"}}],
        "internetMessageHeaders": [{"name": "x-bailiwick-delivery", "value": "d1"}],
    })
}

async fn send(world: &World, mailbox: &str, body: Value) -> (u16, String) {
    let path = format!("/v1.0/users/{mailbox}/sendMail");
    let (status, body) = world.write_as(MAILER_CLIENT_ID, TAILSPIN.directory, "POST", &path, body).await;
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn mail_is_taken_and_found_in_the_outbox() {
    let world = mail_world().await;
    let mailbox = TAILSPIN.upn("user");
    assert_eq!(send(&world, &mailbox, json!({"message": message(), "saveToSentItems": false})).await, (202, String::new()));
    let outbox = world.sim.outbox();
    let mail = &outbox[0];
    assert_eq!(
        (outbox.len(), mail.mailbox.as_str(), mail.client_id, mail.directory),
        (1, mailbox.as_str(), MAILER_CLIENT_ID, TAILSPIN.directory)
    );
    assert_eq!((&mail.message, mail.save_to_sent_items, mail.at), (&message(), false, world.sim.now()));
    let (_, over_http) = world.get_json("/_sim/outbox").await;
    assert_eq!(over_http[0]["message"], message());
    world.sim.clear_outbox();
    assert_eq!(world.get_json("/_sim/outbox").await.1, json!([]));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_by_its_reason() {
    let world = mail_world().await;
    let mailbox = TAILSPIN.upn("user");
    let but = |member: &str, value: Value| {
        let mut message = message();
        message[member] = value;
        json!({"message": message})
    };
    let header = |name: &str| json!({"name": name, "value": "v"});
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(send(&world, "nobody@tailspin.example", json!({"message": message()})).await, refused(404, "ErrorInvalidUser"));
    let emergency = TAILSPIN.upn("emergency1");
    assert_eq!(send(&world, &emergency, json!({"message": message()})).await, refused(404, "MailboxNotEnabledForRESTAPI"));
    assert_eq!(send(&world, &mailbox, json!({})).await, refused(400, "ErrorInvalidParameter"));
    assert_eq!(send(&world, &mailbox, but("toRecipients", json!([]))).await, refused(400, "ErrorInvalidRecipients"));
    assert_eq!(
        send(&world, &mailbox, but("internetMessageHeaders", json!([header("Reply-By")]))).await,
        refused(400, "InvalidInternetMessageHeader")
    );
    let six: Vec<Value> = (0..6).map(|n| header(&format!("x-{n}"))).collect();
    assert_eq!(
        send(&world, &mailbox, but("internetMessageHeaders", json!(six))).await,
        refused(400, "InvalidInternetMessageHeaderCollection")
    );
    assert_eq!(send(&world, &mailbox, but("body", json!({"contentType": "Markdown"}))).await, refused(400, "BadRequest"));
    assert!(world.sim.consent(TAILSPIN.directory, WRITER_CLIENT_ID));
    let path = format!("/v1.0/users/{mailbox}/sendMail");
    let writer = world.write(TAILSPIN.directory, "POST", &path, json!({"message": message()})).await;
    assert_eq!((writer.0, &writer.1["error"]["code"]), (403, &json!("Authorization_RequestDenied")));
    assert!(world.sim.outbox().is_empty());
}

#[tokio::test]
async fn a_whole_message_may_come_as_mime() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let world = mail_world().await;
    let token = world.sim.app_token_for(TAILSPIN.directory, MAILER_CLIENT_ID, "https://graph.microsoft.com").unwrap();
    let url = format!("{}/v1.0/users/{}/sendMail", world.sim.graph_url(), TAILSPIN.upn("user"));
    let post = async |body: String| {
        let request = world.http.post(&url).bearer_auth(&token).header("content-type", "text/plain").body(body);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((post("Subject: x".to_owned()).await, post(STANDARD.encode("Subject: x\r\n\r\nHello")).await), (400, 202));
    assert_eq!(world.sim.outbox()[0].message, json!({"mime": "Subject: x\r\n\r\nHello"}));
}

#[tokio::test]
async fn mail_may_be_lost_or_taken_without_an_answer() {
    let world = mail_world().await;
    let mailbox = TAILSPIN.upn("user");
    let fault = |action| Fault {
        matches: FaultMatch { path_contains: Some("/sendMail".to_owned()), ..FaultMatch::default() },
        times: Some(1),
        action,
    };
    world.sim.add_faults([fault(FaultAction::Forget { forget: true })]);
    assert_eq!(send(&world, &mailbox, json!({"message": message()})).await.0, 202);
    assert!(world.sim.outbox().is_empty());
    world.sim.add_faults([fault(FaultAction::DropAfter { drop_after: true })]);
    let token = world.sim.app_token_for(TAILSPIN.directory, MAILER_CLIENT_ID, "https://graph.microsoft.com").unwrap();
    let request = world.http.post(format!("{}/v1.0/users/{mailbox}/sendMail", world.sim.graph_url())).bearer_auth(token);
    assert!(request.json(&json!({"message": message()})).send().await.is_err());
    assert_eq!(world.sim.outbox().len(), 1);
}

#[tokio::test]
async fn the_mailer_signs_in_by_secret_or_by_the_identity_of_its_workload() {
    let world = mail_world().await;
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", MAILER_CLIENT_ID.to_string()),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ];
    let tenant = TAILSPIN.directory.to_string();
    let mut with_secret = form.clone();
    with_secret.push(("client_secret", MAILER_SECRET.to_owned()));
    let (status, body) = world.token_at(&tenant, &with_secret, None).await;
    assert_eq!((status, &support::claims(body["access_token"].as_str().unwrap())["roles"]), (200, &json!(["Mail.Send"])));
    let job = CiJob {
        platform: Platform::Kubernetes,
        request_token: String::new(),
        subject: "system:serviceaccount:bailiwick:mailer".to_owned(),
        claims: Default::default(),
    };
    let mut federated = form;
    federated.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()));
    federated.push(("client_assertion", world.sim.ci_token(&job, EXCHANGE_AUDIENCE).unwrap()));
    assert_eq!(world.token_at(&tenant, &federated, None).await.0, 200);
}

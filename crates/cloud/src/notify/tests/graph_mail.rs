//! Mail from a customer's mailbox: without a secret, once, and what Exchange's answers mean.

use super::*;
use crate::{
    Credential, Federated, Microsoft,
    testing::{Answer, CONTOSO, Raw, SECRET, Then, World, answer, by, by_secret},
};
use bailiwick_base::Secret;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/graph/v1.0/users/soc@contoso.com/sendMail";

fn access() -> MailAccess {
    let token = Secret::new("e30.e30.c2ln".to_owned());
    MailAccess::federated(by(CONTOSO, Credential::Federated(Federated::Token(token)))).unwrap()
}

async fn send(microsoft: &Microsoft) -> Outcome {
    GraphMail::over(microsoft).send(&access(), &"soc@contoso.com".parse().unwrap(), &mail()).await
}

async fn answered(status: u16, code: &str) -> Outcome {
    let world = World::new().await;
    world.service.on(PATH, [answer(status, json!({"error": {"code": code, "message": "secret text"}})).header("retry-after", "12")]);
    let outcome = send(&world.microsoft).await;
    assert_eq!(world.service.reads().len(), 1, "{status}");
    outcome
}

#[tokio::test]
async fn a_mail_leaves_the_mailbox_and_no_copy_stays() {
    let world = World::new().await;
    let taken = Answer { body: vec![], ..answer(202, json!(null)) };
    world.service.on(PATH, [taken.header("request-id", "12345678-0000-4000-8000-00000000000f")]);
    let outcome = send(&world.microsoft).await;
    assert_eq!(outcome, Outcome::Delivered { receipt: "HTTP 202, request 12345678-0000-4000-8000-00000000000f".into() });
    let asked = &world.service.reads()[0];
    assert_eq!((asked.method.as_str(), asked.header("authorization")), ("POST", "Bearer token-1"));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let message = &body["message"];
    assert_eq!((&body["saveToSentItems"], &message["subject"]), (&json!(false), &json!("2 checks regressed in Contoso")));
    assert_eq!(message["body"], json!({"contentType": "HTML", "content": mail().html}));
    assert_eq!(message["toRecipients"], json!([{"emailAddress": {"address": "grace@contoso.com"}}]));
    let headers = message["internetMessageHeaders"].as_array().unwrap();
    assert!(headers.contains(&json!({"name": "x-bailiwick-delivery", "value": mail().id})));
    assert!(headers.iter().all(|header| header["name"].as_str().unwrap().starts_with("x-")), "Graph takes no other");
    assert_eq!(world.service.grants()[0].field("client_secret"), None);
}

#[test]
fn an_application_that_keeps_a_secret_sends_no_mail() {
    assert_eq!(MailAccess::federated(by_secret(CONTOSO)).unwrap_err(), NotFederated);
    assert!(!format!("{:?}", access()).contains(SECRET));
}

#[tokio::test]
async fn each_refusal_says_who_has_to_mend_what() {
    for (status, graph, wanted, comes_back) in [
        (429, "ApplicationThrottled", "throttled", true),
        (503, "serviceNotAvailable", "unavailable", true),
        (500, "ErrorInternalServerError", "unavailable", true),
        (403, "ErrorAccessDenied", "mailbox_refused", false),
        (403, "ErrorSendAsDenied", "mailbox_refused", false),
        (404, "MailboxNotEnabledForRESTAPI", "mailbox_missing", false),
        (404, "ErrorInvalidUser", "mailbox_missing", false),
        (400, "ErrorInvalidRecipients", "recipient_refused", false),
        (400, "BadRequest", "refused", false),
        (413, "", "too_large", false),
    ] {
        let outcome = answered(status, graph).await;
        assert_eq!((code(&outcome), later(&outcome)), (wanted, comes_back), "{status} {graph}");
        assert!(!format!("{outcome:?}").contains("secret text"));
        if let Outcome::Later { after, .. } = outcome {
            assert_eq!(after, Some(Duration::from_secs(12)));
        }
    }
}

#[tokio::test]
async fn a_withdrawn_consent_is_told_and_a_service_at_fault_waited_for() {
    let world = World::new().await;
    let token = format!("/{CONTOSO}/oauth2/v2.0/token");
    world.service.on(&token, [answer(400, json!({"error": "unauthorized_client", "error_codes": [700016]}))]);
    let outcome = send(&world.microsoft).await;
    assert!(broken(&outcome) && code(&outcome) == "connection_refused", "{outcome:?}");
    world.service.on(&token, [answer(503, json!({}))]);
    let outcome = send(&world.microsoft).await;
    assert!(later(&outcome) && code(&outcome) == "unavailable", "{outcome:?}");
    assert!(world.service.reads().is_empty());
}

#[tokio::test]
async fn an_answer_that_was_lost_is_told_as_such() {
    let world = World::new().await;
    let graph = Raw::doing(Then::Close).await;
    let rule =
        |port: u16| crate::AllowedHost::public("127.0.0.1", "test").port(port).private(["127.0.0.0/8".parse().unwrap()]).plain_http();
    let ports = [graph.at.port(), world.origin.rsplit(':').next().unwrap().parse().unwrap()];
    let config = EgressConfig { allow: ports.map(rule).to_vec(), ..EgressConfig::default() };
    let egress = Egress::new(config, clock(), Arc::new(Ring::new(10))).unwrap();
    let cloud = crate::CloudEndpoints { graph: format!("http://{}/graph", graph.at).parse().unwrap(), ..world.cloud.clone() };
    let outcome = send(&world.client(egress, cloud)).await;
    assert!(later(&outcome) && code(&outcome) == "no_answer", "{outcome:?}");
    assert_eq!(graph.taken().len(), 1);
}

#[tokio::test]
async fn a_mailbox_is_one_segment_of_the_path_whatever_its_name_holds() {
    let world = World::new().await;
    let mailbox = "a/b?c#d@contoso.com".parse().unwrap();
    let outcome = GraphMail::over(&world.microsoft).send(&access(), &mailbox, &mail()).await;
    assert_eq!(code(&outcome), "mailbox_missing");
    assert_eq!(world.service.reads()[0].path, "/graph/v1.0/users/a%2Fb%3Fc%23d@contoso.com/sendMail");
    let odd = Mail { id: "a b".into(), ..mail() };
    let outcome = GraphMail::over(&world.microsoft).send(&access(), &mailbox, &odd).await;
    assert_eq!((code(&outcome), world.service.reads().len()), ("bad_message", 1));
}

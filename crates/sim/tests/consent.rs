//! Admin consent as a browser walks through it, its refusals, the control address, and names of the scenarios' domains.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::demo::{
    CONTOSO, EXCHANGE_AUDIENCE, NORTHWIND, READER_CLIENT_ID, READER_PERMISSIONS, TAILSPIN, WINGTIP, WRITER_CLIENT_ID,
};
use bailiwick_sim::{CiJob, Platform};
use serde_json::{Value, json};
use support::{Answer, PORTAL, Pairs, World, but, world};
use tokio::net::UdpSocket;

fn request() -> Pairs<'static> {
    vec![
        ("client_id", READER_CLIENT_ID.to_string()),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
        ("redirect_uri", format!("{PORTAL}connect/consent")),
        ("state", "st&te".to_owned()),
    ]
}

fn url(world: &World, tenant: &str, path: &str, pairs: &Pairs<'_>) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{}/{tenant}/{path}?{query}", world.sim.url())
}

async fn open(world: &World, tenant: &str, pairs: &Pairs<'_>) -> Answer {
    Answer::of(world.http.get(url(world, tenant, "v2.0/adminconsent", pairs)).send().await.unwrap()).await
}

async fn press(world: &World, tenant: &str, buttons: &[(&str, &str)]) -> Answer {
    Answer::of(world.http.post(url(world, tenant, "v2.0/adminconsent", &request())).form(buttons).send().await.unwrap()).await
}

async fn organization(world: &World) -> u16 {
    match world.sim.app_token_for(NORTHWIND.directory, READER_CLIENT_ID, "https://graph.microsoft.com") {
        Ok(token) => world.graph_with(&token, "/v1.0/organization", &[]).await.0,
        Err(_) => 0,
    }
}

#[tokio::test]
async fn an_administrator_sees_what_is_asked_and_accepts() {
    let world = world().await;
    let page = open(&world, "organizations", &request()).await;
    assert!(page.status == 200 && page.body.contains("Pick an account") && page.body.contains("admin@northwind.example"));
    let (admin, accept) = (NORTHWIND.admin.to_string(), ("accept", "1"));
    let asked = press(&world, "organizations", &[("account", &admin)]).await;
    assert!(READER_PERMISSIONS.iter().all(|permission| asked.body.contains(permission)) && asked.body.contains("Bailiwick Reader"));
    assert_eq!(organization(&world).await, 0);
    let back = press(&world, "organizations", &[("account", &admin), accept]).await;
    let value = |name: &str| back.values.get(name).map(String::as_str).unwrap_or_default();
    assert!(back.location.as_ref().unwrap().starts_with(&format!("{PORTAL}connect/consent?")));
    assert_eq!((value("admin_consent"), value("tenant"), value("state")), ("True", NORTHWIND.directory.to_string().as_str(), "st&te"));
    assert!(value("scope").contains("https://graph.microsoft.com/Policy.Read.All"));
    assert_eq!(organization(&world).await, 200);
    let (_, principals) = world
        .graph(
            NORTHWIND.directory,
            &format!("/v1.0/servicePrincipals/{}/appRoleAssignments", NORTHWIND.service_principal(READER_CLIENT_ID)),
            &[],
        )
        .await;
    assert_eq!(principals["value"].as_array().unwrap().len(), READER_PERMISSIONS.len());
}

#[tokio::test]
async fn consent_is_refused_by_the_person_or_to_the_person() {
    let world = world().await;
    let tenant = NORTHWIND.directory.to_string();
    let cancelled = press(&world, &tenant, &[("cancel", "1")]).await;
    assert_eq!(cancelled.error(), ("access_denied", "AADSTS65004"));
    assert_eq!((cancelled.values["admin_consent"].as_str(), cancelled.values["state"].as_str()), ("True", "st&te"));
    let plain = press(&world, &tenant, &[("account", &NORTHWIND.user.to_string()), ("accept", "1")]).await;
    assert!(plain.location.is_none() && plain.body.contains("AADSTS90094"));
    let stranger = press(&world, &tenant, &[("account", &TAILSPIN.admin.to_string()), ("accept", "1")]).await;
    assert!(stranger.location.is_none() && stranger.body.contains("AADSTS50034"));
    assert_eq!(organization(&world).await, 0);
}

#[tokio::test]
async fn a_wrong_request_is_told_to_the_person_and_never_redirected() {
    let world = world().await;
    for (name, value, code) in [
        ("redirect_uri", Some("https://elsewhere.example/"), "AADSTS50011"),
        ("client_id", Some(CONTOSO.pipeline.to_string().as_str()), "AADSTS700016"),
        ("scope", None, "AADSTS900144"),
    ] {
        let page = open(&world, "organizations", &but(request(), name, value)).await;
        assert!(page.location.is_none() && page.body.contains(code), "{name}: {}", page.body);
    }
    assert!(open(&world, "common", &request()).await.body.contains("AADSTS900144"));
    assert!(open(&world, "nobody.example", &request()).await.body.contains("AADSTS90002"));
}

#[tokio::test]
async fn the_older_form_answers_in_the_older_words() {
    let world = world().await;
    let address = url(&world, "common", "adminconsent", &but(request(), "scope", None));
    let accepted = world.http.post(&address).form(&[("account", NORTHWIND.admin.to_string().as_str()), ("accept", "1")]);
    let back = Answer::of(accepted.send().await.unwrap()).await;
    assert_eq!((back.values["admin_consent"].as_str(), back.values.get("scope")), ("True", None));
    let cancelled = Answer::of(world.http.post(&address).form(&[("cancel", "1")]).send().await.unwrap()).await;
    assert_eq!(cancelled.values["error"], "permission_denied");
}

#[tokio::test]
async fn the_control_address_does_what_the_handle_does() {
    let world = world().await;
    let control = |path: &str| format!("{}/_sim/{path}", world.sim.url());
    let here = json!({"directory": NORTHWIND.directory, "client_id": READER_CLIENT_ID});
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(world.http.post(control("consents")).json(&here)).await, 204);
    assert_eq!(organization(&world).await, 200);
    assert_eq!(status(world.http.delete(control("consents")).json(&here)).await, 204);
    assert_eq!(status(world.http.delete(control("consents")).json(&here)).await, 404);
    assert_eq!(organization(&world).await, 0);
    let narrow = json!({"directory": NORTHWIND.directory, "client_id": WRITER_CLIENT_ID, "permissions": ["User.Read.All"]});
    assert_eq!(status(world.http.post(control("consents")).json(&narrow)).await, 204);
    assert_eq!(status(world.http.put(control("knobs")).json(&json!({"latency_ms": 5, "limit_reports": false}))).await, 204);
    assert_eq!((world.sim.knobs().latency_ms, world.sim.knobs().limit_reports, world.sim.knobs().limit_identity), (5, false, true));
    let names: Value = world.http.get(control("dns")).send().await.unwrap().json().await.unwrap();
    assert_eq!(names["txt _dmarc.northwind.example"][0], "v=DMARC1; p=reject; pct=100; rua=mailto:dmarc@northwind.example");
}

/// One question over UDP: the code of the answer and its records, read by hand.
async fn ask(world: &World, name: &str, kind: u16) -> (u8, Vec<Vec<u8>>) {
    let mut query = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend(label.bytes());
    }
    query.push(0);
    query.extend(kind.to_be_bytes());
    query.extend([0, 1]);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query, world.sim.dns_address()).await.unwrap();
    let mut packet = [0u8; 1500];
    let length = socket.recv(&mut packet).await.unwrap();
    assert_eq!((&packet[..2], &packet[12..query.len()]), (&query[..2], &query[12..]));
    let (count, mut at, mut records) = (u16::from_be_bytes([packet[6], packet[7]]), query.len(), Vec::new());
    for _ in 0..count {
        let size = usize::from(u16::from_be_bytes([packet[at + 10], packet[at + 11]]));
        records.push(packet[at + 12..at + 12 + size].to_vec());
        at += 12 + size;
    }
    assert_eq!(at, length);
    (packet[3] & 0x0f, records)
}

#[tokio::test]
async fn names_of_the_scenarios_are_answered_and_others_do_not_exist() {
    let world = world().await;
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let spf = "v=spf1 include:spf.protection.outlook.com -all";
    assert_eq!(ask(&world, NORTHWIND.domain, 16).await, (0, vec![text("MS=ms40470e11"), text(spf)]));
    let (code, target) = ask(&world, "selector1._domainkey.NORTHWIND.example", 5).await;
    assert_eq!((code, target[0].starts_with(b"\x13selector1-northwind")), (0, true));
    assert_eq!(ask(&world, &format!("_dmarc.{}", WINGTIP.domain), 16).await, (3, vec![]));
    assert_eq!(ask(&world, NORTHWIND.domain, 5).await, (0, vec![]));
    assert_eq!(ask(&world, "nobody.example", 16).await.0, 3);
}

#[tokio::test]
async fn certificate_and_federated_token_work_in_each_directory_that_consented_and_in_no_other() {
    let world = world().await;
    let job = CiJob {
        platform: Platform::Kubernetes,
        request_token: String::new(),
        subject: "system:serviceaccount:bailiwick:reader".to_owned(),
        claims: serde_json::Map::default(),
    };
    let federated = world.sim.ci_token(&job, EXCHANGE_AUDIENCE).unwrap();
    let code = async |tenant: uuid::Uuid, assertion: String| {
        let form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", READER_CLIENT_ID.to_string()),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()),
            ("client_assertion", assertion),
            ("scope", "https://management.azure.com/.default".to_owned()),
        ];
        world.token_at(&tenant.to_string(), &form, None).await.1["error_codes"][0].as_u64()
    };
    for of in [NORTHWIND, TAILSPIN] {
        world.sim.consent(of.directory, READER_CLIENT_ID);
        let certified = world.sim.client_assertion(of.directory, READER_CLIENT_ID).unwrap();
        assert_eq!((code(of.directory, certified).await, code(of.directory, federated.clone()).await), (None, None));
    }
    let certified = world.sim.client_assertion(WINGTIP.directory, READER_CLIENT_ID).unwrap();
    assert_eq!((code(WINGTIP.directory, certified).await, code(WINGTIP.directory, federated).await), (Some(7_000_229), Some(7_000_229)));
}

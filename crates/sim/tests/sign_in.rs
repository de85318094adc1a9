//! The authorize page and the redemption of codes and refresh tokens, as a browser and an application meet them.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    Assignment, RedirectKind, RedirectUri, SimConfig, demo,
    demo::{CONTOSO, FABRIKAM},
};
use jiff::SignedDuration;
use support::{PORTAL, Pairs, World, but, claims, world, world_of};

const ORIGIN: Option<&str> = Some("https://portal.example.test");

fn contoso() -> String {
    CONTOSO.directory.to_string()
}

#[tokio::test]
async fn a_person_picks_an_account_and_the_portal_gets_tokens() {
    let world = world().await;
    let request = world.portal_request();
    let page = world.open(&contoso(), &request, None).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<title>Sign in to your account</title>") && page.body.contains("Use another account"));
    assert_eq!(page.body.matches("Sign in as ").count(), 5);
    assert!(!page.body.contains(FABRIKAM.domain));

    let answer = world.sign_in(&request, CONTOSO.owner).await;
    let location = answer.location.unwrap();
    assert!(location.starts_with(&format!("{PORTAL}#code=")), "{location}");
    assert_eq!(answer.values["state"], "st&te");
    assert!(answer.values.contains_key("client_info") && answer.values.contains_key("session_state"));

    let (status, body) = world.token(&world.redemption(&answer.values["code"]), ORIGIN).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["token_type"], "Bearer");
    let token = world.verified(body["access_token"].as_str().unwrap(), &demo::API_CLIENT_ID.to_string()).await.unwrap();
    assert_eq!((&token["ver"], &token["scp"], &token["azpacr"]), (&"2.0".into(), &demo::API_SCOPE.into(), &"0".into()));
    assert_eq!((&token["tid"], &token["oid"]), (&contoso().into(), &CONTOSO.owner.to_string().into()));
    assert_eq!(token["azp"], demo::PORTAL_CLIENT_ID.to_string());
    assert_eq!((&token["preferred_username"], &token["name"]), (&"owner@contoso.example".into(), &"Olivia Owner".into()));
    assert!(token["uti"].is_string() && token["roles"].is_null() && token["idtyp"].is_null() && token["sub"] != token["oid"]);
    let life = token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap();
    assert!((3600..=5400).contains(&life), "{life}");

    let id = world.verified(body["id_token"].as_str().unwrap(), &demo::PORTAL_CLIENT_ID.to_string()).await.unwrap();
    assert_eq!((&id["nonce"], &id["tid"]), (&"n0nce".into(), &contoso().into()));
    assert_ne!(id["sub"], token["sub"], "sub is pairwise");
    assert!(body["refresh_token"].is_string() && body["client_info"].is_string());
}

#[tokio::test]
async fn the_three_response_modes_differ_in_their_way_only() {
    let world = world().await;
    let query = world.sign_in(&but(world.portal_request(), "response_mode", Some("query")), CONTOSO.owner).await;
    assert!(query.location.unwrap().starts_with(&format!("{PORTAL}?code=")));
    let default = world.sign_in(&but(world.portal_request(), "response_mode", None), CONTOSO.owner).await;
    assert!(default.location.unwrap().contains("?code="));
    let form = world.sign_in(&but(world.portal_request(), "response_mode", Some("form_post")), CONTOSO.owner).await;
    assert!(
        form.status == 200
            && form.body.contains("name=\"code\"")
            && form.body.contains("value=\"st&amp;te\"")
            && form.body.contains(&format!("action=\"{PORTAL}\""))
    );
    let wrong = world.sign_in(&but(world.portal_request(), "response_mode", Some("smoke")), CONTOSO.owner).await;
    assert_eq!(wrong.error(), ("invalid_request", "AADSTS90023"));
}

#[tokio::test]
async fn another_account_is_typed_and_must_belong_here() {
    let world = world().await;
    let request = world.portal_request();
    let form = world.press(&contoso(), &request, "another", "1").await;
    assert!(form.body.contains("name=\"loginfmt\""));
    assert!(world.press(&contoso(), &request, "loginfmt", "Auditor@contoso.example").await.values.contains_key("code"));
    assert!(world.press(&contoso(), &request, "loginfmt", "<nobody>@contoso.example").await.body.contains("AADSTS50034"));
    let foreign = world.press(&contoso(), &request, "loginfmt", &FABRIKAM.upn("owner")).await;
    assert!(foreign.location.is_none() && foreign.body.contains("AADSTS50020"));
    assert!(world.press("common", &request, "loginfmt", &FABRIKAM.upn("owner")).await.values.contains_key("code"));
    assert_eq!(world.press(&contoso(), &request, "cancel", "1").await.error(), ("access_denied", "AADSTS65004"));
}

#[tokio::test]
async fn what_concerns_the_registration_is_told_on_a_page_and_never_redirected() {
    let world = world().await;
    let request = || world.portal_request();
    let evil = world.sign_in(&but(request(), "redirect_uri", Some("https://portal.example.test/evil")), CONTOSO.owner).await;
    assert!(evil.location.is_none() && evil.body.contains("AADSTS50011"), "{}", evil.body);
    let nobody = world.sign_in(&but(request(), "client_id", Some("00000000-0000-4000-8000-000000000001")), CONTOSO.owner).await;
    assert!(nobody.location.is_none() && nobody.body.contains("AADSTS700016"));
    let unassigned = world.sign_in(&request(), CONTOSO.unassigned).await;
    assert!(unassigned.location.is_none() && unassigned.body.contains("AADSTS50105"));
    let tenant = world.open("nobody.example", &request(), None).await;
    assert!(tenant.location.is_none() && tenant.body.contains("AADSTS90002"));
    let single = world.open("common", &but(request(), "client_id", Some(&CONTOSO.pipeline.to_string())), None).await;
    assert!(single.location.is_none() && single.body.contains("AADSTS50194"));
    let script = world.open(&contoso(), &but(request(), "redirect_uri", Some("https://x/<script>")), None).await;
    assert!(!script.body.contains("/<script>"));
}

#[tokio::test]
async fn what_the_application_did_wrong_goes_back_to_it_with_its_state() {
    let world = world().await;
    for (name, value, error) in [
        ("code_challenge", None, ("invalid_request", "AADSTS9002325")),
        ("code_challenge", Some("short"), ("invalid_request", "AADSTS501491")),
        ("code_challenge_method", Some("plain"), ("invalid_request", "AADSTS501491")),
        ("response_type", Some("id_token"), ("unsupported_response_type", "AADSTS700054")),
        ("scope", None, ("invalid_request", "AADSTS900144")),
        ("scope", Some("api://nothing/x"), ("invalid_resource", "AADSTS500011")),
        ("scope", Some("api://b0a71a1c-0000-4000-8000-0000000000a1/nothing"), ("invalid_scope", "AADSTS70011")),
    ] {
        let answer = world.sign_in(&but(world.portal_request(), name, value), CONTOSO.owner).await;
        assert_eq!(answer.error(), error, "{name} {value:?}");
        assert_eq!(answer.values["state"], "st&te");
    }
}

#[tokio::test]
async fn an_unassigned_user_gets_neither_code_nor_session() {
    let world = world().await;
    let all = but(world.portal_request(), "login_hint", Some("unassigned@contoso.example"));
    let page = world.sign_in(&all, CONTOSO.unassigned).await;
    assert!(page.location.is_none() && page.cookie.is_none());
    let silent = world.open(&contoso(), &but(all, "prompt", Some("none")), page.cookie.as_deref()).await;
    assert_eq!(silent.error().0, "login_required");
}

#[tokio::test]
async fn a_stranger_of_another_directory_cannot_be_picked() {
    let world = world().await;
    let page = world.sign_in(&world.portal_request(), FABRIKAM.owner).await;
    assert!(page.location.is_none() && page.body.contains("AADSTS50034"));
}

#[tokio::test]
async fn silent_sign_in_needs_a_session_and_sign_out_ends_it() {
    let world = world().await;
    let silent = but(world.portal_request(), "prompt", Some("none"));
    assert_eq!(world.open(&contoso(), &silent, None).await.error(), ("login_required", "AADSTS50058"));
    let cookie = world.sign_in(&world.portal_request(), CONTOSO.owner).await.cookie.unwrap();
    assert!(world.open(&contoso(), &silent, Some(&cookie)).await.values.contains_key("code"));
    assert!(world.open(&contoso(), &world.portal_request(), Some(&cookie)).await.values.contains_key("code"));
    let hinted = but(silent.clone(), "login_hint", Some("admin@contoso.example"));
    assert_eq!(world.open(&contoso(), &hinted, Some(&cookie)).await.error().0, "login_required");
    let again = world.open(&contoso(), &but(world.portal_request(), "prompt", Some("select_account")), Some(&cookie)).await;
    assert!(again.body.contains("Pick an account"));

    let out = |back: &str| {
        world
            .http
            .get(format!("{}/{}/oauth2/v2.0/logout", world.sim.url(), contoso()))
            .query(&[("post_logout_redirect_uri", back)])
            .header("cookie", cookie.clone())
    };
    let elsewhere = out("https://evil.example.test/").send().await.unwrap();
    assert_eq!(elsewhere.status().as_u16(), 200);
    let back = out(PORTAL).send().await.unwrap();
    assert_eq!(back.headers()["location"], PORTAL);
    assert_eq!(world.open(&contoso(), &silent, Some(&cookie)).await.error().0, "login_required");
}

#[tokio::test]
async fn a_hint_offers_that_account_alone() {
    let world = world().await;
    let page = world.open(&contoso(), &but(world.portal_request(), "login_hint", Some("member@contoso.example")), None).await;
    assert_eq!(page.body.matches("Sign in as ").count(), 1);
    assert!(page.body.contains("Mia Member"));
}

#[tokio::test]
async fn a_code_is_redeemed_once_within_ten_minutes_and_with_its_verifier() {
    let world = world().await;
    let code = world.code().await;
    let (_, wrong) =
        world.token(&but(world.redemption(&code), "code_verifier", Some("another-verifier-that-is-long-enough-0123456789")), ORIGIN).await;
    assert_eq!((&wrong["error"], &wrong["error_codes"][0]), (&"invalid_grant".into(), &501481.into()));
    let (_, absent) = world.token(&but(world.redemption(&code), "code_verifier", None), ORIGIN).await;
    assert_eq!(absent["error_codes"][0], 501481);
    let (_, elsewhere) = world.token(&but(world.redemption(&code), "redirect_uri", Some("https://portal.example.test/x")), ORIGIN).await;
    assert_eq!(elsewhere["error_codes"][0], 500112);
    let (_, tenant) = world.token_at(&FABRIKAM.directory.to_string(), &world.redemption(&code), ORIGIN).await;
    assert_eq!(tenant["error_codes"][0], 700005);
    let (_, client) = world.token(&but(world.redemption(&code), "client_id", Some(&CONTOSO.bystander.to_string())), ORIGIN).await;
    assert_eq!(client["suberror"], "client_mismatch");
    assert_eq!(world.token(&world.redemption(&code), ORIGIN).await.0, 200);
    let (status, again) = world.token(&world.redemption(&code), ORIGIN).await;
    assert_eq!((status, &again["error"], &again["error_codes"][0]), (400, &"invalid_grant".into(), &54005.into()));

    let late = world.code().await;
    world.clock.advance(SignedDuration::from_secs(601));
    assert_eq!(world.token(&world.redemption(&late), ORIGIN).await.1["error_codes"][0], 70008);
}

/// Contoso's pipeline with a web redirect, so that a server can sign people in.
async fn with_web_redirect() -> (World, Pairs<'static>) {
    let mut config = SimConfig::demo(&[PORTAL]);
    let app = config.directories[0].apps.iter_mut().find(|a| a.client_id == CONTOSO.pipeline).unwrap();
    app.redirect_uris.push(RedirectUri { kind: RedirectKind::Web, uri: "https://server.example.test/callback".to_owned() });
    let world = world_of(config).await;
    let request = but(
        but(world.portal_request(), "client_id", Some(&CONTOSO.pipeline.to_string())),
        "redirect_uri",
        Some("https://server.example.test/callback"),
    );
    (world, but(request, "code_challenge", None))
}

#[tokio::test]
async fn the_four_rules_of_single_page_applications_hold() {
    let (world, web) = with_web_redirect().await;
    // 1: no PKCE, no code.
    assert_eq!(world.sign_in(&but(world.portal_request(), "code_challenge", None), CONTOSO.owner).await.error().1, "AADSTS9002325");
    // 2: a code of a single-page application without Origin.
    let code = world.code().await;
    let (status, body) = world.token(&world.redemption(&code), None).await;
    assert_eq!((status, &body["error"], &body["error_codes"][0]), (400, &"invalid_request".into(), &9002327.into()));
    // 3: a web code with Origin.
    let code = world.sign_in(&web, CONTOSO.owner).await.values["code"].clone();
    let redemption = but(
        but(world.redemption(&code), "client_id", Some(&CONTOSO.pipeline.to_string())),
        "redirect_uri",
        Some("https://server.example.test/callback"),
    );
    let with_secret = but(redemption.clone(), "client_secret", Some(CONTOSO.pipeline_secret));
    assert_eq!(world.token(&with_secret, ORIGIN).await.1["error_codes"][0], 9002326);
    // 4: a credential along with Origin, for any grant.
    let code = world.code().await;
    assert_eq!(world.token(&but(world.redemption(&code), "client_secret", Some("x")), ORIGIN).await.1["error_codes"][0], 700025);
    // And the web application redeems its own, with its secret only.
    assert_eq!(world.token(&redemption, None).await.1["error_codes"][0], 7000218);
    let (status, body) = world.token(&with_secret, None).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["azpacr"], "1");
}

#[tokio::test]
async fn a_refresh_token_of_a_single_page_application_ends_a_day_after_the_sign_in() {
    let world = world().await;
    let (_, first) = world.token(&world.redemption(&world.code().await), ORIGIN).await;
    let refresh = |token: &serde_json::Value| -> Pairs<'static> {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", demo::PORTAL_CLIENT_ID.to_string()),
            ("refresh_token", token.as_str().unwrap().to_owned()),
        ]
    };
    assert_eq!(world.token(&refresh(&first["refresh_token"]), None).await.1["error_codes"][0], 9002327);
    world.clock.advance(SignedDuration::from_hours(23));
    let (status, second) = world.token(&refresh(&first["refresh_token"]), ORIGIN).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(claims(second["access_token"].as_str().unwrap())["scp"], demo::API_SCOPE);
    world.clock.advance(SignedDuration::from_secs(3601));
    let (status, ended) = world.token(&refresh(&second["refresh_token"]), ORIGIN).await;
    assert_eq!((status, &ended["error"], &ended["error_codes"][0]), (400, &"invalid_grant".into(), &700084.into()));
    assert_eq!(world.token(&refresh(&"made-up".into()), ORIGIN).await.1["error_codes"][0], 70000);
}

#[tokio::test]
async fn a_refresh_token_of_a_web_application_slides_for_ninety_days() {
    let (world, web) = with_web_redirect().await;
    let code = world.sign_in(&web, CONTOSO.owner).await.values["code"].clone();
    let form = but(
        but(world.redemption(&code), "client_id", Some(&CONTOSO.pipeline.to_string())),
        "redirect_uri",
        Some("https://server.example.test/callback"),
    );
    let (_, mut body) = world.token(&but(form, "client_secret", Some(CONTOSO.pipeline_secret)), None).await;
    let refresh = |token: &serde_json::Value| -> Pairs<'static> {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", CONTOSO.pipeline.to_string()),
            ("client_secret", CONTOSO.pipeline_secret.to_owned()),
            ("refresh_token", token.as_str().unwrap().to_owned()),
        ]
    };
    for _ in 0..3 {
        world.clock.advance(SignedDuration::from_hours(24 * 60));
        body = world.token(&refresh(&body["refresh_token"]), None).await.1;
        assert!(body["access_token"].is_string(), "{body}");
    }
    world.clock.advance(SignedDuration::from_hours(24 * 91));
    assert_eq!(world.token(&refresh(&body["refresh_token"]), None).await.1["error_codes"][0], 700082);
}

#[tokio::test]
async fn roles_are_in_a_users_token_only_when_assigned() {
    let mut config = SimConfig::demo(&[PORTAL]);
    config.directories[0].users[1].assignments.push(Assignment { app: demo::API_CLIENT_ID, roles: vec!["Evidence.Upload".to_owned()] });
    let world = world_of(config).await;
    let roles = |user| claims(&world.sim.user_token(CONTOSO.directory, user).unwrap())["roles"].clone();
    assert_eq!(roles(CONTOSO.admin), serde_json::json!(["Evidence.Upload"]));
    assert!(roles(CONTOSO.owner).is_null());
}

#[tokio::test]
async fn an_api_of_version_one_gets_tokens_of_version_one() {
    let mut config = SimConfig::demo(&[PORTAL]);
    for app in &mut config.directories[0].apps {
        if let Some(api) = &mut app.api {
            api.token_version = 1;
        }
    }
    let world = world_of(config).await;
    let (_, body) = world.token(&world.redemption(&world.code().await), ORIGIN).await;
    let token = claims(body["access_token"].as_str().unwrap());
    assert_eq!((&token["ver"], &token["aud"]), (&"1.0".into(), &demo::API_URI.into()));
    assert_eq!(token["iss"], format!("{}/{}/", world.sim.url(), CONTOSO.directory));
    assert!(token["appid"].is_string() && token["azp"].is_null() && token["upn"].is_string() && token["preferred_username"].is_null());
}

#[tokio::test]
async fn userinfo_knows_the_bearer_of_a_graph_token_only() {
    let world = world().await;
    let request = but(world.portal_request(), "scope", Some("openid profile"));
    let code = world.sign_in(&request, CONTOSO.owner).await.values["code"].clone();
    let (_, body) = world.token(&world.redemption(&code), ORIGIN).await;
    let ask = |token: String| world.http.get(format!("{}/_graph/oidc/userinfo", world.sim.url())).bearer_auth(token).send();
    let graph = body["access_token"].as_str().unwrap();
    assert!(world.verified(graph, "https://graph.microsoft.com").await.is_err(), "only Graph can check a Graph token");
    let answer: serde_json::Value = ask(graph.to_owned()).await.unwrap().json().await.unwrap();
    assert_eq!(answer["email"], "owner@contoso.example");
    let other = world.sim.user_token(CONTOSO.directory, CONTOSO.owner).unwrap();
    assert_eq!(ask(other).await.unwrap().status().as_u16(), 401);
}

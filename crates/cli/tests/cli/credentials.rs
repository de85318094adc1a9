//! Where the credential comes from, how it travels, and that no failure repeats it.

use crate::fake::{Fake, Fault};
use crate::{Bailiwick, Folder, KEY};
use serde_json::json;

const RUNS: [&str; 2] = ["runs", "--json"];

async fn server() -> Fake {
    let server = Fake::start().await;
    server.answer("GET /api/v1/runs", json!({"items": []}));
    server
}

#[tokio::test]
async fn anything_that_is_no_key_travels_as_a_bearer_token() {
    let server = server().await;
    let done = Bailiwick::at(&server.url).env("BAILIWICK_TOKEN", "eyJ.canary.x").run(RUNS).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "{\"items\":[]}\n"));
    let seen = server.state().seen[0].clone();
    assert_eq!((seen.headers["authorization"].as_str(), seen.headers.contains_key("x-api-key")), ("Bearer eyJ.canary.x", false));
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_file_is_read_and_a_public_one_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::temporary();
    let file = folder.file("token", format!("{KEY}\n"));
    for (mode, warning) in [
        (0o600, String::new()),
        (0o644, format!("warning: The token file {0} can be read by every user of this machine. Run: chmod 600 {0}\n", file.display())),
    ] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let server = server().await;
        let done = Bailiwick::bare().env("BAILIWICK_URL", &server.url).env("BAILIWICK_TOKEN_FILE", &file).run(RUNS).await;
        assert_eq!((done.code, done.stderr), (0, warning));
        assert_eq!(server.state().seen[0].headers["x-api-key"], KEY);
    }
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_said_with_the_next_step() {
    let folder = Folder::temporary();
    let empty = folder.file("token", "\n");
    let at = || Bailiwick::bare().env("BAILIWICK_URL", "https://bailiwick.invalid");
    let cases = [
        (Bailiwick::bare(), "Bailiwick's address is not known.\nhint: Set BAILIWICK_URL, or give --url, such as https://bailiwick.example.com.".to_owned()),
        (
            at(),
            "There is no credential for https://bailiwick.invalid/.\nhint: Set BAILIWICK_TOKEN_FILE or BAILIWICK_TOKEN to an API key or access token; or set AZURE_TENANT_ID and AZURE_CLIENT_ID to use the pipeline's own identity.".to_owned(),
        ),
        (at().env("BAILIWICK_TOKEN", KEY).env("BAILIWICK_TOKEN_FILE", &empty), "BAILIWICK_TOKEN and BAILIWICK_TOKEN_FILE are both set.\nhint: Unset one, so that it is clear who uploads.".to_owned()),
        (
            at().env("BAILIWICK_TOKEN_FILE", "/nowhere/token"),
            "The token file /nowhere/token cannot be read: No such file or directory (os error 2).\nhint: Set BAILIWICK_TOKEN_FILE to a file that holds one API key or access token.".to_owned(),
        ),
        (at().env("AZURE_TENANT_ID", "d"), "AZURE_TENANT_ID is set and AZURE_CLIENT_ID is not.\nhint: Set it to the application (client) id that the pipeline signs in as.".to_owned()),
        (
            at().env("AZURE_TENANT_ID", "d").env("AZURE_CLIENT_ID", "c").env("GITHUB_ACTIONS", "true"),
            "This pipeline offers no identity token.\nhint: Give the job \"permissions: id-token: write\", so that GitHub lets it have one.".to_owned(),
        ),
        (
            Bailiwick::at("http://bailiwick.example.com"),
            "BAILIWICK_URL (or --url) is http://bailiwick.example.com/: over http, others on the network could read your credential.\nhint: Use https. Plain http is taken for this machine only.".to_owned(),
        ),
    ];
    for (command, message) in cases {
        let done = command.run(["runs"]).await;
        assert_eq!((done.code, done.stdout.as_str(), done.stderr), (1, "", format!("error: {message}\n")));
    }
    let done = at().env("BAILIWICK_TOKEN_FILE", &empty).run(["runs"]).await;
    assert!(done.stderr.contains(&format!("The token file {} is empty.", empty.display())), "{}", done.stderr);
}

#[tokio::test]
async fn a_refused_credential_is_not_tried_again() {
    let server = Fake::start().await;
    server.fail("GET ", Fault::Problem(401, json!({"code": "not_signed_in", "detail": "The key is revoked."})));
    let done = Bailiwick::at(&server.url).run(["runs"]).await;
    assert_eq!((done.code, server.lines().len()), (1, 1));
    let expected = format!(
        "error: {} answered 401: The key is revoked. (not_signed_in)\nhint: The credential is unknown, expired or revoked here. Make a new API key in the portal under Settings, or check BAILIWICK_URL.\n",
        server.url
    );
    assert_eq!(done.stderr, expected);
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_credential() {
    let (server, elsewhere) = (Fake::start().await, Fake::start().await);
    elsewhere.answer("GET ", json!({"items": []}));
    server.fail("GET ", Fault::Redirect(format!("{}/api/v1/runs", elsewhere.url)));
    let done = Bailiwick::at(&server.url).run(["runs"]).await;
    assert_eq!((done.code, elsewhere.lines().len()), (1, 0));
    let expected = format!(
        "error: {} redirects to {}/api/v1/runs.\nhint: If you trust that address, set BAILIWICK_URL to it.\n",
        server.url, elsewhere.url
    );
    assert_eq!(done.stderr, expected);
}

/// A server that also plays the pipeline's token service and Entra.
async fn with_identity() -> Fake {
    let server = server().await;
    let example = (<bailiwick_contract::tenancy::GetConfig as bailiwick_contract::Operation>::SPEC.example)();
    server.answer("GET /api/v1/config", example);
    server.answer("GET /github/token", json!({"count": 1, "value": "assertion.canary.gh"}));
    server.answer("POST /ado/token", json!({"oidcToken": "assertion.canary.ado"}));
    server.answer("POST /7e0c4c26", json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "access.canary.x"}));
    server
}

const DIRECTORY: &str = "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01";

fn pipeline(server: &Fake) -> Bailiwick {
    Bailiwick::bare()
        .env("BAILIWICK_URL", &server.url)
        .env("AZURE_AUTHORITY_HOST", &server.url)
        .env("AZURE_TENANT_ID", DIRECTORY)
        .env("AZURE_CLIENT_ID", "c0ffee00-0000-4000-8000-000000000002")
}

fn github(server: &Fake) -> Bailiwick {
    pipeline(server)
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/github/token?api-version=2", server.url))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-request")
}

/// The form Entra was sent.
fn form(server: &Fake) -> String {
    let seen = server.state().seen.clone();
    let exchange = seen.iter().find(|s| s.line.starts_with(&format!("POST /{DIRECTORY}/oauth2/v2.0/token"))).unwrap();
    String::from_utf8(exchange.body.to_vec()).unwrap()
}

#[tokio::test]
async fn github_actions_signs_in_with_the_jobs_own_token() {
    let server = with_identity().await;
    server.fail("GET /github/token", Fault::Status(503, None));
    let done = github(&server).run(["-v", "runs", "--json"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "{\"items\":[]}\n"), "{}", done.stderr);
    let expected = [
        "GET /github/token",
        "GET /github/token",
        "GET /api/v1/config",
        "POST /7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01/oauth2/v2.0/token",
        "GET /api/v1/runs",
    ];
    assert_eq!(server.lines(), expected);
    let seen = server.state().seen.clone();
    assert_eq!(seen[1].line, "GET /github/token?api-version=2&audience=api%3A%2F%2FAzureADTokenExchange");
    assert_eq!(seen[1].headers["authorization"], "Bearer canary-request");
    assert!(!seen[2].headers.contains_key("authorization"), "the public configuration needs no credential");
    assert_eq!(seen[4].headers["authorization"], "Bearer access.canary.x");
    assert_eq!(
        form(&server),
        "grant_type=client_credentials&client_id=c0ffee00-0000-4000-8000-000000000002&scope=api%3A%2F%2Fc0ffee00-0000-4000-8000-000000000001%2F.default\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=assertion.canary.gh"
    );
}

#[tokio::test]
async fn azure_devops_signs_in_through_its_service_connection() {
    let server = with_identity().await;
    let done = pipeline(&server)
        .env("SYSTEM_OIDCREQUESTURI", format!("{}/ado/token", server.url))
        .env("SYSTEM_ACCESSTOKEN", "canary-system")
        .env("AZURE_SERVICE_CONNECTION_ID", "sc-1")
        .env("BAILIWICK_AUDIENCE", "api://mine")
        .run(RUNS)
        .await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let seen = server.state().seen.clone();
    assert_eq!(seen[0].line, "POST /ado/token?api-version=7.1&serviceConnectionId=sc-1");
    assert_eq!(
        (seen[0].headers["authorization"].as_str(), seen[0].headers["x-tfs-fedauthredirect"].as_str()),
        ("Bearer canary-system", "Suppress")
    );
    assert!(
        form(&server).contains("scope=api%3A%2F%2Fmine%2F.default") && form(&server).ends_with("client_assertion=assertion.canary.ado")
    );
}

#[tokio::test]
async fn azure_devops_without_its_access_token_says_how_to_map_it() {
    let done = Bailiwick::at("https://bailiwick.invalid")
        .without("BAILIWICK_TOKEN")
        .env("AZURE_TENANT_ID", DIRECTORY)
        .env("AZURE_CLIENT_ID", "c")
        .env("SYSTEM_OIDCREQUESTURI", "https://dev.azure.invalid/token")
        .run(RUNS)
        .await;
    assert_eq!(
        (done.code, done.stderr.as_str()),
        (1, "error: SYSTEM_ACCESSTOKEN is not set.\nhint: Map it into the step: env: SYSTEM_ACCESSTOKEN: $(System.AccessToken).\n")
    );
}

#[tokio::test]
async fn a_workload_identity_signs_in_with_its_token_file() {
    let (server, folder) = (with_identity().await, Folder::temporary());
    let file = folder.file("federated", "assertion.canary.file\n");
    let done = pipeline(&server).env("AZURE_FEDERATED_TOKEN_FILE", &file).run(RUNS).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(form(&server).ends_with("client_assertion=assertion.canary.file"));
}

#[tokio::test]
async fn entras_refusal_is_shown_with_its_number() {
    let server = with_identity().await;
    let problem =
        json!({"error": "invalid_client", "error_description": "AADSTS70021: No matching federated identity record found.\r\nTrace ID: 1"});
    server.fail("POST /7e0c4c26", Fault::Problem(401, problem));
    let done = github(&server).run(RUNS).await;
    assert_eq!(done.code, 1);
    let expected = "error: Microsoft Entra gave application c0ffee00-0000-4000-8000-000000000002 no token: AADSTS70021: No matching federated identity record found.\nhint: ";
    assert!(done.stderr.starts_with(expected), "{}", done.stderr);
}

#[tokio::test]
async fn a_token_goes_nowhere_over_plain_http() {
    let server = with_identity().await;
    let done = github(&server).env("AZURE_AUTHORITY_HOST", "http://login.example.com").run(RUNS).await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.starts_with("error: AZURE_AUTHORITY_HOST is http://login.example.com/: over http"), "{}", done.stderr);
}

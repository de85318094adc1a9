//! Checks without a server: the shipped ones listed, one's own tested.

use crate::{Bailiwick, Folder};

const MANIFEST: &str = "name: own\nversion: 1.0.0\npackage: own\nreads:\n  - {service: graph, path: /v1.0/policies/authorizationPolicy}\n";
const REGO: &str = "package own\nresults contains {\"id\": \"invites\", \"pass\": input.answers[\"/v1.0/policies/authorizationPolicy\"].allowInvitesFrom == \"none\"}\n";

fn case(from: &str) -> String {
    format!("answers:\n  /v1.0/policies/authorizationPolicy: {{allowInvitesFrom: {from}}}\nexpect: {{invites: passed}}\n")
}

#[tokio::test]
async fn the_catalogue_is_listed_without_a_server() {
    let done = Bailiwick::bare().run(["checks", "list", "--product", "entra", "--framework", "cisa_scuba", "--json"]).await;
    let checks = done.json()["checks"].as_array().unwrap().clone();
    assert!(done.code == 0 && checks.len() > 10, "{}", done.stderr);
    assert!(checks.iter().all(|check| check["product"] == "entra" && !check["frameworks"]["cisa_scuba"].as_array().unwrap().is_empty()));
    let table = Bailiwick::bare().run(["checks", "list"]).await;
    assert!(table.stdout.starts_with("CHECK ") && table.stdout.contains(" checks, catalogue "), "{}", table.stdout);
    for wrong in [["--product", "fax"], ["--framework", "none"]] {
        let done = Bailiwick::bare().run(["checks", "list", wrong[0], wrong[1]]).await;
        assert_eq!(done.code, 1);
        assert!(done.stderr.contains(&format!("{}.", wrong[1])), "{}", done.stderr);
    }
}

#[tokio::test]
async fn a_pack_whose_cases_hold_is_good_and_one_whose_do_not_is_three() {
    let folder = Folder::temporary();
    folder.file("pack.yaml", MANIFEST);
    folder.file("rules/own.rego", REGO);
    folder.file("cases/pass.yaml", case("none"));
    let path = folder.path().to_str().unwrap().to_owned();
    let done = Bailiwick::bare().run(["checks", "test", &path]).await;
    let expected = "CHECK    CASE             OUTCOME  PROBLEM\ninvites  cases/pass.yaml  holds\n1 cases, 0 failing\n";
    assert_eq!((done.code, done.stdout.as_str()), (0, expected), "{}", done.stderr);

    folder.file("cases/wrong.yaml", case("everyone"));
    let done = Bailiwick::bare().run(["checks", "test", &path, "--json"]).await;
    assert_eq!((done.code, done.json()["failing"].as_u64()), (3, Some(1)), "{}", done.stderr);
    assert_eq!(done.json()["cases"][1]["problem"], "came out failed, not passed");
}

#[tokio::test]
async fn a_broken_pack_is_one() {
    let folder = Folder::temporary();
    folder.file("pack.yaml", MANIFEST.replace("path: /v1.0", "method: DELETE, path: /v1.0"));
    folder.file("own.rego", REGO);
    folder.file("cases/pass.yaml", case("none"));
    let done = Bailiwick::bare().run(["checks", "test", folder.path().to_str().unwrap()]).await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("a pack reads and never changes anything"), "{}", done.stderr);
}

#[tokio::test]
async fn a_check_file_is_tested_wherever_it_lies() {
    let shipped =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/checks/entra/entra.authorization-policy.guest-invite.yaml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let folder = Folder::temporary();
    let sound = folder.file("mine.yaml", &text);
    let done = Bailiwick::bare().run(["checks", "test", sound.to_str().unwrap(), "--json"]).await;
    assert_eq!((done.code, done.json()["failing"].as_u64()), (0, Some(0)), "{}{}", done.stdout, done.stderr);
    let flipped = folder.file("flipped.yaml", text.replace("operator: in\n", "operator: not_in\n"));
    let done = Bailiwick::bare().run(["checks", "test", flipped.to_str().unwrap()]).await;
    assert_ne!(done.code, 0, "{}", done.stdout);
    let broken = folder.file("broken.yaml", "id: x\n");
    let done = Bailiwick::bare().run(["checks", "test", broken.to_str().unwrap()]).await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("broken.yaml: "), "{}", done.stderr);
    assert_eq!(Bailiwick::bare().run(["checks", "test", "/nowhere"]).await.code, 1);
}

//! The proof matrix: every operation x every caller, against the permission table and one golden file.
//!
//! `BAILIWICK_UPDATE_GOLDEN=1` writes the golden file anew; the permission table is checked either way.

use crate::look::fingerprint;
use crate::stage::{Kind, Prepared, Stage, expected};
use bailiwick_contract::{Guard, OperationSpec, operations};
use bailiwick_testkit::Answer;
use std::fmt::Write;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/product/matrix.golden.txt");

/// The code each refusal carries.
fn expected_code(kind: Kind, status: u16) -> Option<&'static str> {
    Some(match (kind, status) {
        (_, 200..300) => return None,
        (_, 401) => "not_signed_in",
        (_, 404) => "not_found",
        (Kind::Stranger, _) => "not_a_member",
        _ => "not_allowed",
    })
}

/// What must not be in an answer to this caller: text that only Contoso's things, or only its one project's things, have.
fn hidden(stage: &Stage, kind: Kind) -> Vec<String> {
    let mut hidden = vec![stage.project.clone(), stage.series.clone(), stage.finding.clone(), "Contoso payments".into()];
    hidden.extend(stage.runs.clone());
    if kind != Kind::OtherProject {
        hidden.extend([
            "contoso".into(),
            stage.other_project.clone(),
            stage.contoso().id.to_string(),
            stage.contoso().org.directory.to_string(),
        ]);
    }
    hidden
}

/// The first hidden text that the answer holds although the request did not.
fn leak(stage: &Stage, kind: Kind, request: &Prepared, answer: &Answer) -> Option<String> {
    let sent = format!("{request:?}").to_lowercase();
    let body = String::from_utf8_lossy(&answer.bytes).to_lowercase();
    hidden(stage, kind).into_iter().find(|text| body.contains(&text.to_lowercase()) && !sent.contains(&text.to_lowercase()))
}

/// Everything wrong with one answer.
fn judge(stage: &Stage, op: &OperationSpec, name: &str, kind: Kind, request: &Prepared, answer: &Answer) -> Vec<String> {
    let wanted = expected(op, kind, request.names);
    let mut wrong = Vec::new();
    let mut say = |what: String| wrong.push(format!("{} as {name}: {what}", op.id));
    if answer.status != wanted {
        say(format!("{} instead of {wanted}: {}", answer.status, String::from_utf8_lossy(&answer.bytes)));
    } else if let Some(code) = expected_code(kind, wanted)
        && answer.json()["code"] != code
    {
        say(format!("code {} instead of {code}", answer.json()["code"]));
    }
    let sees_all = matches!(kind, Kind::Ours(_) | Kind::OurProject) && answer.status < 300;
    if !sees_all
        && !matches!(op.guard, Guard::Open(_))
        && let Some(text) = leak(stage, kind, request, answer)
    {
        say(format!("the answer tells {text:?}"));
    }
    wrong
}

#[tokio::test]
async fn i20_every_operation_answers_every_caller_as_the_permission_table_says() {
    let stage = Stage::new().await;
    let callers = stage.callers().await;
    let mut table = String::from(
        "# Every operation (rows) as every caller (columns): the HTTP status. Made by `BAILIWICK_UPDATE_GOLDEN=1 cargo test -p bailiwick-tests matrix`.\n",
    );
    for (number, caller) in callers.iter().enumerate() {
        let _ = writeln!(table, "# {:2} {}", number + 1, caller.name);
    }
    let _ = writeln!(table, "{:24}{}", "", (1..=callers.len()).map(|n| format!("{n:4}")).collect::<String>());
    let mut wrong = Vec::new();
    for op in operations() {
        let _ = write!(table, "{:24}", op.id);
        let mut prepared = stage.prepare(op).await;
        let mut before = fingerprint(&stage.world, stage.contoso().id).await;
        for caller in &callers {
            let answer = prepared.send(&caller.actor).await;
            wrong.extend(judge(&stage, op, caller.name, caller.kind, &prepared, &answer));
            let _ = write!(table, "{:4}", answer.status);
            let after = fingerprint(&stage.world, stage.contoso().id).await;
            let may_change = answer.status < 300
                && op.audit.is_some()
                && (matches!(op.guard, Guard::Open(_)) || matches!(caller.kind, Kind::Ours(_) | Kind::OurProject | Kind::OtherProject));
            if !may_change {
                let changed: Vec<&String> =
                    after.iter().filter(|(table, hash)| before.get(*table) != Some(*hash)).map(|(table, _)| table).collect();
                if !changed.is_empty() {
                    wrong.push(format!("{} as {}: answered {} and changed {changed:?}", op.id, caller.name, answer.status));
                }
                before = after;
            } else {
                prepared = stage.prepare(op).await;
                before = fingerprint(&stage.world, stage.contoso().id).await;
            }
        }
        table.push('\n');
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if std::env::var_os("BAILIWICK_UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &table).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert_eq!(golden, table, "the matrix is not the golden one: if that is meant, run again with BAILIWICK_UPDATE_GOLDEN=1 and commit it");
}

/// The same refusal, to the byte, whether the thing exists or not: what is not yours cannot be guessed at.
#[tokio::test]
async fn i18_a_thing_of_another_tenant_is_told_no_differently_from_nothing() {
    let stage = Stage::new().await;
    let (outsider, foreign) = (stage.contoso().outsider(), stage.world.fabrikam.owner());
    // The catalogue is the product's, and the same for everybody.
    for op in operations().into_iter().filter(|op| op.path.contains('{') && op.id != "get_catalogue_check") {
        let real = stage.prepare(op).await;
        let mut absent = real.clone();
        let id = uuid::Uuid::from_u128(0x0bad_0000_0000_4000_8000_0000_0000_0001).to_string();
        absent.path = op.path.split('/').map(|part| if part.starts_with('{') { id.as_str() } else { part }).collect::<Vec<_>>().join("/");
        for actor in [&outsider, &foreign] {
            let told = [real.send(actor).await, absent.send(actor).await].map(|answer| {
                let mut body = answer.json();
                body["request_id"] = "".into();
                (answer.status, body)
            });
            assert_eq!(told[0], told[1], "{} as {}", op.id, actor.name);
        }
    }
}

/// A refused entry and a caller who hangs up in the middle of one leave the connection fit for the next caller.
#[tokio::test]
async fn i20_a_refusal_costs_the_next_caller_nothing() {
    let world = bailiwick_testkit::World::with(|config| config.database.connections = 2).await;
    let (owner, outsider) = (world.contoso.owner(), world.contoso.outsider());
    for _ in 0..5 {
        assert_eq!(outsider.get("/api/v1/me").await.refused(403), "not_a_member");
        let hurried = owner.request(reqwest::Method::GET, "/api/v1/overview");
        let _ = tokio::time::timeout(std::time::Duration::from_micros(500), owner.send(hurried)).await;
        owner.get("/api/v1/me").await.ok();
        owner.post("/api/v1/projects", serde_json::json!({"name": uuid::Uuid::from_u128(rand_of(&world)).to_string()})).await.ok();
    }
}

/// A number of the world's own dice.
fn rand_of(world: &bailiwick_testkit::World) -> u128 {
    let mut bytes = [0; 16];
    world.running.services.store.rng().fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

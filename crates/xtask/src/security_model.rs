//! SECURITY-MODEL.md, made from the tests that prove it: each invariant with the tests named after it, the permission table, and the
//! open routes. An invariant without a test, or a test of an unknown invariant, stops the generator: no promise without a proof.

use crate::root;
use anyhow::{Context, ensure};
use bailiwick_contract::{Grantee, Guard, OPEN_ROUTES, Permission, operations};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// What must stay true, by number. The numbers are those of the claims the product answers to; the ones left out are not built yet.
const INVARIANTS: &[(u16, &str)] = &[
    (1, "Without a valid credential nobody gets anything but the few open routes below."),
    (2, "A token's signature, issuer, audience, directory and times are checked on every call."),
    (3, "A directory that no tenant has onboarded can neither read nor submit."),
    (4, "The signing algorithm is ours to choose, and a key counts only for who published it."),
    (5, "People sign in as users of a public client: no client secret exists, in the configuration or the portal."),
    (6, "The portal asks for one delegated scope, Bailiwick's own, and for nothing of Microsoft's."),
    (12, "An API key is shown once, kept as its SHA-256, ends by its date, and is refused on the request after its revocation."),
    (13, "A project key reaches its own project and nothing beside it; the database sees to it."),
    (14, "Who belongs to a directory gets in only when an owner has made them a member."),
    (15, "The tenant comes from the credential; nothing a request says beside it widens or moves it."),
    (16, "A statement that forgets the tenant still sees and changes its own rows only."),
    (17, "That second layer covers every table, every key and every foreign key, not a selection."),
    (18, "Membership is checked before anything else, so that nobody learns by asking whether a thing exists."),
    (19, "A host name never leads to another tenant than the credential's. (Host names that stand for tenants are not built yet.)"),
    (20, "Every operation allows each role, key and workload exactly what the permission table says, on the very next request."),
    (24, "The whole store holds no API key and no token."),
    (25, "No secret reaches the database, a log, an artifact or an error."),
    (26, "Looking at vaults never asks for the value of a secret, a key or a certificate."),
    (28, "Each tenant's data key is wrapped by a key the database does not hold, and opens for that tenant alone."),
    (29, "What is opened of a secret is zeroed when the operation lets it go. (Buffers of the HTTP library are not reached by that.)"),
    (30, "Federated and managed identities come first; a static secret is warned about, and so is its end."),
    (34, "A run is processed after its manifest, when all of it has arrived, and never before."),
    (35, "What sends evidence cannot take evidence out, and a completed run takes nothing more."),
    (36, "A report leaves by the authenticated route only; no link that works without a credential exists."),
    (37, "The bytes that come out are the bytes that went in, or the download breaks off."),
    (38, "A report about a directory that is not the tenant's is refused, unless the tenant chose to add them."),
    (41, "Each change and each disclosure leaves its entry in the tenant's trail in the same transaction, or does not happen."),
    (42, "Every run tells who sent it, from where, under which subject, and what made it."),
    (43, "Reading asks for no permission that writes; writing is another application with a consent of its own, and an owner turns it on."),
    (44, "Nothing is written without people's approval of exactly that change; what differs from what they were shown is not written."),
    (45, "What may be written is a list of recipes on the server; a caller can supply neither an address nor a body."),
    (46, "Each write is read back; one that does not show is reported as failed, and none is sent twice because its answer was lost."),
    (48, "Planning fixes reads, and has nothing it could write with."),
    (49, "Once a disconnect is answered, nothing more is asked of the directory, whatever was under way."),
    (50, "What a connection lacks is listed exactly, each permission under the feature that needs it."),
    (54, "A scan runs in a process of its own that can reach nothing but the process that started it, and ends with it."),
    (55, "Drift and posture are counted from the results themselves, by fixed rules that hold in both directions."),
    (57, "No other origin is ever let in, and every answer carries the headers that bind a browser."),
    (58, "Addresses inside are never called: every resolved address is checked and is the one connected to."),
    (59, "Only listed hosts are called, each listed with its reason."),
    (63, "What callers send is data: hostile text in any parameter has no effect."),
    (66, "A source that fails takes its own part along, with a reason, and nothing else."),
    (67, "A channel that cannot be reached is tried again, is seen, and holds up neither evidence nor another channel."),
    (68, "Access to a directory is an application's, by its administrators' consent; withdrawing that ends it."),
    (69, "The consent to write asks for exactly what the recipes and containment write with, and for what it takes to look."),
    (73, "What strangers are told is fixed to the byte and holds nothing of any tenant."),
    (75, "What is stored is what the [data map](docs/data-map.md) says, column by column."),
    (77, "Artifacts and stored secrets are sealed by Bailiwick itself, not only by the disk."),
    (78, "Every statement on a tenant's table names the tenant."),
    (83, "Mail leaves from the configured mailbox only, by a federated identity, and none where nothing got worse."),
];

/// A test that proves an invariant.
struct Proof {
    sentence: String,
    file: String,
}

/// The whole document.
///
/// # Errors
/// An invariant has no test, a test names an unknown invariant or is ignored, or a source cannot be read.
pub fn text() -> anyhow::Result<String> {
    let proofs = proofs()?;
    for number in proofs.keys() {
        ensure!(INVARIANTS.iter().any(|(known, _)| known == number), "tests prove I{number}, which security_model.rs does not state");
    }
    let mut text = String::from(
        "<!-- Made by `cargo xtask gen` from the tests named after the invariants. Do not edit. -->\n# Security model\n\n\
         What Bailiwick promises, and the tests that fail when a promise does not hold. Each runs in `cargo xtask test`, against the real \
         server with a real PostgreSQL and a simulated Microsoft cloud, or over the sources themselves. A promise without a test is not \
         on this page: the page cannot be made with one.\n\nHow the pieces fit is in [ARCHITECTURE.md](ARCHITECTURE.md).\n\n## Invariants\n",
    );
    for (number, statement) in INVARIANTS {
        let tests = proofs.get(number).with_context(|| format!("no test proves I{number}: {statement}"))?;
        let _ = writeln!(text, "\n### I{number}. {statement}\n");
        for Proof { sentence, file } in tests {
            let _ = writeln!(text, "- [{sentence}]({file})");
        }
    }
    text.push_str(&permissions());
    text.push_str(&open_routes());
    Ok(text)
}

fn permissions() -> String {
    let mut text = String::from(
        "\n## Who may do what\n\nThe one table behind every guard. The [proof matrix](tests/product/matrix.golden.txt) shows every operation as \
         every kind of caller, also those without a valid credential and those of other tenants and projects.\n\n| Permission |",
    );
    for who in Grantee::ALL {
        let _ = write!(text, " {} |", who.as_str());
    }
    text.push_str(&format!("\n|---|{}\n", "---|".repeat(Grantee::ALL.len())));
    for permission in Permission::ALL {
        let _ = write!(text, "| `{}` |", permission.as_str());
        for who in Grantee::ALL {
            text.push_str(if permission.held_by(*who) { " yes |" } else { " |" });
        }
        text.push('\n');
    }
    text
}

fn open_routes() -> String {
    let mut text = String::from("\n## What answers without a credential\n\n| Route | Why it may |\n|---|---|\n");
    for route in OPEN_ROUTES {
        let _ = writeln!(text, "| `{} {}` | {} |", route.method.as_str(), route.path, route.reason);
    }
    for op in operations() {
        if let Guard::Open(reason) = op.guard {
            let _ = writeln!(text, "| `{} {}` | {reason} |", op.method.as_str(), op.path);
        }
    }
    text.push_str("\nEvery byte of their answers is in [open.golden.txt](tests/product/open.golden.txt).\n");
    text
}

/// The tests of each invariant, by file and place in it.
fn proofs() -> anyhow::Result<BTreeMap<u16, Vec<Proof>>> {
    let mut files = Vec::new();
    for folder in ["tests", "crates"] {
        rust_files(&root().join(folder), &mut files)?;
    }
    files.sort();
    let mut proofs: BTreeMap<u16, Vec<Proof>> = BTreeMap::new();
    for file in files {
        let source = fs::read_to_string(root().join(&file)).with_context(|| format!("read {file}"))?;
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some((number, sentence)) = named(line) else { continue };
            let attributes = lines[..at].iter().rev().take_while(|above| above.starts_with("#[") || above.trim_start().starts_with("#["));
            let attributes: Vec<&str> = attributes.map(|line| line.trim()).collect();
            ensure!(attributes.iter().any(|a| a.contains("test")), "{file}: `{sentence}` is named after I{number} and is no test");
            ensure!(!attributes.iter().any(|a| a.contains("ignore")), "{file}: `{sentence}` proves I{number} and is ignored");
            proofs.entry(number).or_default().push(Proof { sentence, file: file.clone() });
        }
    }
    Ok(proofs)
}

/// The invariant's number and the sentence of a line like `async fn i12_a_key_ends_on_its_day() {`.
fn named(line: &str) -> Option<(u16, String)> {
    let line = line.trim_start();
    let name = line.strip_prefix("async fn i").or_else(|| line.strip_prefix("fn i"))?;
    let (number, rest) = name.split_once('_')?;
    let number = number.parse().ok()?;
    let words = rest.split('(').next()?.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next()?.to_uppercase();
    Some((number, first.chain(letters).collect()))
}

fn rust_files(folder: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() && name != "node_modules" && name != "target" {
            rust_files(&path, found)?;
        } else if name.ends_with(".rs")
            && let Ok(relative) = path.strip_prefix(root())
        {
            found.push(relative.display().to_string());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tests_name_reads_as_its_sentence() {
        assert_eq!(named("async fn i12_a_key_ends_on_its_day() {"), Some((12, "A key ends on its day".into())));
        assert_eq!(named("    fn i4_x() {"), Some((4, "X".into())));
        for other in ["fn is_ok() {", "fn id_of() {", "let i12_x = 1;", "fn i_am() {"] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn every_invariant_is_proved() {
        let text = text().unwrap();
        for (number, _) in INVARIANTS {
            assert!(text.contains(&format!("### I{number}. ")), "I{number}");
        }
    }
}

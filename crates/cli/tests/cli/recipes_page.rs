//! `docs/reference/recipes.md`: everything that may be written, as the shipped catalogue has it. `BAILIWICK_UPDATE_GOLDEN=1` writes it anew.

use crate::Bailiwick;
use bailiwick_checks::Catalogue;
use bailiwick_checks::recipes::Recipe;
use std::fmt::Write;

const HEAD: &str = "\
<!-- Made from the catalogue: BAILIWICK_UPDATE_GOLDEN=1 cargo test -p bailiwick-cli --test cli recipes_page -->
# Everything that may be written

Bailiwick changes a directory by these requests and no others, and each of them only as an approved [fix](../fixes.md). They are part
of the program: `bailiwick checks recipes` lists those of the version you run, without a server. Beside them it can contain a person
(`POST /v1.0/users/{id}/revokeSignInSessions`, `PATCH /v1.0/users/{id}` with `accountEnabled`) and send mail from a mailbox that a
customer named (`POST /v1.0/users/{mailbox}/sendMail`).

Microsoft replaces lists and complex members whole: what is shown under *with* is laid over what is there, and the fix shows the
request as it would be sent. `{parameter: …}` is the tenant's own value of the check's parameter.
";

fn page(recipes: &[Recipe]) -> String {
    let mut text = format!("{HEAD}\n{} recipes.\n\n| Recipe | What it does | Risk | Permission |\n|---|---|---|---|\n", recipes.len());
    for recipe in recipes {
        let permissions: Vec<String> = recipe.permissions().map(|permission| format!("`{permission}`")).collect();
        let _ = writeln!(
            text,
            "| [`{0}`](#{1}) | {2} | {3} | {4} |",
            recipe.id,
            anchor(&recipe.id),
            recipe.title,
            recipe.risk.as_str(),
            permissions.join(", ")
        );
    }
    recipes.iter().for_each(|recipe| section(&mut text, recipe));
    text
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn section(text: &mut String, recipe: &Recipe) {
    let checks: Vec<String> = recipe.checks.iter().map(|check| format!("`{check}`")).collect();
    let _ = write!(
        text,
        "\n## {}\n\n{}. Version {}, {}, risk {}.\n\n",
        recipe.id,
        recipe.title.trim_end_matches('.'),
        recipe.version,
        recipe.kind.as_str(),
        recipe.risk.as_str()
    );
    let _ = write!(text, "- Noticed by: {}\n- Taking back: {}\n", recipe.blast_radius.trim(), recipe.rollback.trim());
    if let Some(note) = &recipe.after_note {
        let _ = writeln!(text, "- Afterwards: {}", note.trim());
    }
    if let Some(licence) = &recipe.license {
        let _ = writeln!(text, "- Needs the service plan {licence}");
    }
    let _ = writeln!(text, "- Checks: {}", if checks.is_empty() { "none by itself".into() } else { checks.join(", ") });
    let _ = write!(text, "\n`{} {}` with\n\n```json\n{:#}\n```\n", recipe.method.as_str(), recipe.path, recipe.body);
}

#[test]
fn the_page_lists_what_the_catalogue_can_write() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/recipes.md");
    let wanted = page(Catalogue::shipped().unwrap().recipes());
    if std::env::var_os("BAILIWICK_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/reference/recipes.md is not current: BAILIWICK_UPDATE_GOLDEN=1 cargo test -p bailiwick-cli --test cli recipes_page"
    );
}

#[tokio::test]
async fn recipes_are_listed_without_a_server() {
    let done = Bailiwick::bare().run(["checks", "recipes", "--json"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let listed = done.json()["recipes"].as_array().unwrap().clone();
    assert_eq!(listed.len(), Catalogue::shipped().unwrap().recipes().len());
    assert!(listed.len() >= 30, "{}", listed.len());
    let table = Bailiwick::bare().run(["checks", "recipes"]).await;
    assert!(table.stdout.starts_with("RECIPE ") && table.stdout.contains(" recipes, catalogue "), "{}", table.stdout);
}

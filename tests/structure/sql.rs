//! The product's SQL: where it may stand, that it is fixed text, and that every statement on a tenant's table names the tenant.

use crate::source::{Source, files_with, flat, only_in, root, sources, text_of};
use proc_macro2::TokenTree;
use std::collections::{BTreeMap, BTreeSet};

const PRODUCT: &[&str] = &["base", "cloud", "contract", "domain", "formats", "proof", "server", "store"];

/// Files of `domain` that name sqlx, beside each capability's `db.rs`.
const BESIDE_DB: &[(&str, &str)] = &[
    ("crates/domain/src/findings/list.rs", "the statements that read findings: db.rs holds those that write"),
    (
        "crates/domain/src/fixes/steps.rs",
        "the statements about what was sent: written while something is carried out, and a table of their own",
    ),
    ("crates/domain/src/fixes/contained.rs", "the statements about people who are contained: db.rs holds those about fixes"),
    ("crates/domain/src/findings/drift.rs", "the statements that compare two runs: reading, and one thing of its own"),
];

/// Files that hand PostgreSQL text that is not a literal.
const MADE: &[(&str, &str)] = &[
    ("crates/store/src/scope.rs", "entering a scope: ids, hashes, times, booleans and the roles' own names, so nothing to quote"),
    ("crates/store/src/login.rs", "the login role's verifier: base64 and the format's own signs, so nothing to quote"),
    ("crates/store/src/private_postgres/mod.rs", "making the private server's database, under a name of our own"),
];

/// Statements on tenant tables that name no tenant: system scopes over all tenants. By a piece of their text.
const ALL_TENANTS: &[(&str, &str)] = &[
    ("SELECT least((SELECT min(run_at) FROM jobs", "when the next job of any tenant falls due: a time, and nothing of the tenant"),
    ("FROM job_schedules WHERE next_at <= $1", "due schedules of all tenants become jobs; the answer carries each one's tenant"),
    (
        "UPDATE jobs SET lease_until = $1::timestamptz - interval",
        "at start, what a dead worker of this environment held, of whatever tenant, is free at once",
    ),
    ("INSERT INTO job_schedules", "every tenant gets the schedules of this version"),
];

const VERBS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
const CONTROL: &[&str] = &[
    "SET",
    "RESET",
    "BEGIN",
    "START",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "GRANT",
    "REVOKE",
    "ALTER",
    "CREATE",
    "DROP",
    "TRUNCATE",
    "COPY",
    "DO",
    "CALL",
    "LOCK",
    "DISCARD",
];

/// The words of a statement.
fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect()
}

/// The texts of macros that stand for a piece of a statement.
fn pieces(source: &Source) -> BTreeMap<String, String> {
    let mut pieces = BTreeMap::new();
    for window in source.tokens.windows(4) {
        if window[0].to_string() == "macro_rules"
            && let (TokenTree::Ident(name), TokenTree::Group(body)) = (&window[2], &window[3])
        {
            let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
            pieces.insert(name.to_string(), flat(&tokens).iter().filter_map(text_of).collect());
        }
    }
    pieces
}

/// Every SQL statement of a file, its pieces put together.
fn statements(source: &Source) -> Vec<String> {
    let pieces = pieces(source);
    let mut found = Vec::new();
    collect(&source.tokens, &pieces, &mut found);
    found.retain(|text| {
        words(text).first().is_some_and(|first| VERBS.contains(first)) && text.trim_start().starts_with(|c: char| c.is_ascii_uppercase())
    });
    found
}

fn collect(tokens: &[TokenTree], pieces: &BTreeMap<String, String>, found: &mut Vec<String>) {
    let mut at = 0;
    while at < tokens.len() {
        let name = tokens[at].to_string();
        let macro_call = tokens.get(at + 1).is_some_and(|t| t.to_string() == "!");
        if macro_call && name == "macro_rules" {
            at += 4;
            continue;
        }
        if macro_call
            && name == "concat"
            && let Some(TokenTree::Group(group)) = tokens.get(at + 2)
        {
            let parts = flat(&group.stream().into_iter().collect::<Vec<_>>());
            found.push(parts.iter().filter_map(|part| text_of(part).or_else(|| pieces.get(&part.to_string()).cloned())).collect());
            at += 3;
            continue;
        }
        if let Some(text) = text_of(&tokens[at]) {
            found.push(text);
        }
        if let TokenTree::Group(group) = &tokens[at] {
            collect(&group.stream().into_iter().collect::<Vec<_>>(), pieces, found);
        }
        at += 1;
    }
}

/// The tables with a tenant, as the migrations make them.
fn tenant_tables() -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("crates/store/migrations")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        tables.extend(text.split("CALL protect('").skip(1).map(|rest| rest.split('\'').next().unwrap().to_owned()));
    }
    assert!(tables.len() > 15, "the migrations make only {tables:?}");
    tables
}

/// How often a statement reaches for one of the tables.
fn reaches(statement: &str, tables: &BTreeSet<String>) -> usize {
    let words = words(statement);
    words.windows(2).filter(|pair| ["FROM", "JOIN", "INTO", "UPDATE"].contains(&pair[0]) && tables.contains(pair[1])).count()
}

#[test]
fn i78_every_statement_on_a_tenants_table_names_the_tenant() {
    let tables = tenant_tables();
    let (mut seen, mut unused): (usize, BTreeSet<&str>) = (0, ALL_TENANTS.iter().map(|(piece, _)| *piece).collect());
    for source in sources(PRODUCT) {
        for statement in statements(&source) {
            let (reaches, names) = (reaches(&statement, &tables), words(&statement).iter().filter(|w| **w == "tenant_id").count());
            seen += usize::from(reaches > 0);
            if let Some((piece, _)) = ALL_TENANTS.iter().find(|(piece, _)| statement.contains(piece)) {
                unused.remove(piece);
            } else {
                assert!(names >= reaches, "{}: {reaches} tables of tenants, tenant_id {names} times:\n{statement}", source.path);
            }
        }
    }
    assert!(seen > 60, "the check sees only {seen} statements");
    assert_eq!(unused, BTreeSet::new(), "exceptions that no statement needs any more");
}

#[test]
fn i63_statements_are_fixed_text_but_for_two_listed_files() {
    let all = sources(PRODUCT);
    let made: Vec<String> = ["AssertSqlSafe", "QueryBuilder"].iter().flat_map(|ident| files_with(&all, ident)).collect();
    only_in("statements made at run time", made, MADE);
    for source in all.iter().filter(|source| !MADE.iter().any(|(path, _)| *path == source.path)) {
        let tokens = flat(&source.tokens);
        for (at, token) in tokens.iter().enumerate() {
            let formatting = ["format", "write", "writeln", "format_args"].contains(&token.to_string().as_str())
                && tokens.get(at + 1).is_some_and(|t| t.to_string() == "!");
            if let (true, Some(TokenTree::Group(group))) = (formatting, tokens.get(at + 2)) {
                for text in flat(&group.stream().into_iter().collect::<Vec<_>>()).iter().filter_map(text_of) {
                    let words = words(&text);
                    let sql = words.first().is_some_and(|first| VERBS.contains(first))
                        && words.iter().any(|w| ["FROM", "INTO", "SET"].contains(w));
                    assert!(!sql, "{}: SQL is formatted: {text}", source.path);
                }
            }
        }
    }
}

#[test]
fn only_the_store_and_each_capabilitys_db_name_the_database() {
    let all = sources(&["base", "cloud", "contract", "domain", "formats", "proof", "server"]);
    let beside: Vec<String> =
        files_with(&all, "sqlx").into_iter().filter(|path| !(path.starts_with("crates/domain/src/") && path.ends_with("/db.rs"))).collect();
    only_in("sqlx", beside, BESIDE_DB);
}

/// Whoever could change the role or the tenant in the middle of a transaction could leave it; whoever could commit could leave the trail.
#[test]
fn i16_roles_settings_and_transactions_are_touched_in_one_file() {
    let mut found = Vec::new();
    // `cloud` can name no database (the test above), and a PEM begins as a transaction does.
    for source in sources(PRODUCT).into_iter().filter(|source| !source.path.starts_with("crates/cloud/")) {
        let tokens = flat(&source.tokens);
        for text in tokens.iter().filter_map(text_of) {
            let control = text.split(';').any(|part| {
                let words = words(part);
                part.trim_start().starts_with(|c: char| c.is_ascii_uppercase())
                    && words.first().is_some_and(|w| CONTROL.contains(w))
                    && (words.len() == 1 || words[1].chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            });
            if control || text.contains("set_config") {
                found.push(source.path.clone());
            }
        }
        let commits = tokens
            .windows(3)
            .any(|w| ["tx", "transaction"].contains(&w[0].to_string().as_str()) && w[1].to_string() == "." && w[2].to_string() == "commit");
        if commits {
            found.push(source.path.clone());
        }
    }
    only_in(
        "roles, settings or transactions",
        found,
        &[
            ("crates/store/src/scope.rs", "the scopes themselves"),
            ("crates/store/src/login.rs", "ALTER ROLE: the login role's verifier, at start, as the administrator"),
        ],
    );
}

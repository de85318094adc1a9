//! The data map: docs/data-map.md names every column of every table with its category, and nothing that is not there.

use crate::look::tables;
use bailiwick_testkit::World;
use std::collections::{BTreeMap, BTreeSet};

const MAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/data-map.md");
const CATEGORIES: &[&str] = &["identifier", "evidence", "person", "credential", "settings", "audit", "operation"];

/// Table, column and category of each line `| column | category | what |` under a heading `## table`.
fn mapped() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = std::fs::read_to_string(MAP).unwrap();
    let mut map: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## `") {
            table = name.trim_end_matches('`').to_owned();
        } else if let Some(rest) = line.strip_prefix("| `") {
            let mut cells = rest.split('|').map(str::trim);
            let column = cells.next().unwrap().trim_end_matches('`').to_owned();
            let category = cells.next().unwrap().to_owned();
            assert!(cells.next().is_some_and(|what| what.len() > 3), "{table}.{column} says nothing");
            assert!(CATEGORIES.contains(&category.as_str()), "{table}.{column}: there is no category {category:?}");
            assert!(map.entry(table.clone()).or_default().insert(column.clone(), category).is_none(), "{table}.{column} stands twice");
        }
    }
    map
}

#[tokio::test]
async fn i75_what_is_stored_is_what_the_data_map_says() {
    let world = World::new().await;
    let stored: BTreeSet<String> = tables(&mut world.look().await)
        .await
        .into_iter()
        .flat_map(|(table, columns)| columns.into_iter().map(move |column| format!("{table}.{column}")))
        .collect();
    let map: BTreeSet<String> =
        mapped().into_iter().flat_map(|(table, columns)| columns.into_keys().map(move |column| format!("{table}.{column}"))).collect();
    assert!(stored.len() > 100);
    let missing: Vec<&String> = stored.difference(&map).collect();
    let gone: Vec<&String> = map.difference(&stored).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not in docs/data-map.md: {missing:?}\nno longer stored: {gone:?}");
}

/// A column that holds a credential holds it hashed, wrapped or sealed, and its type shows that: bytes, never text.
#[tokio::test]
async fn i75_credentials_are_stored_as_sealed_bytes_only() {
    let world = World::new().await;
    let types: BTreeMap<String, String> = sqlx::query_as::<_, (String, String)>(
        "SELECT table_name || '.' || column_name, data_type::text FROM information_schema.columns WHERE table_schema = 'bailiwick'",
    )
    .fetch_all(&mut world.look().await)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let mut seen = 0;
    for (table, columns) in mapped() {
        for column in columns.into_iter().filter(|(_, category)| category == "credential").map(|(column, _)| column) {
            assert_eq!(types[&format!("{table}.{column}")], "bytea", "{table}.{column}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "a credential's column came or went: look at it, and change this number");
}

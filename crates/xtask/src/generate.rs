//! `gen`: files made from the contract, and the check that they are current.

use crate::root;
use anyhow::{Context, bail};
use std::fs;

pub fn run(check: bool) -> anyhow::Result<()> {
    let permissions = format!("{:#}\n", bailiwick_contract::openapi::permission_table());
    let files = [
        ("docs/reference/openapi.json", bailiwick_contract::openapi::text()),
        ("docs/reference/permissions.json", permissions),
    ];
    for (name, wanted) in files {
        let path = root().join(name);
        if check {
            let found = fs::read_to_string(&path).unwrap_or_default();
            if found != wanted {
                bail!("{name} is not what the contract says: run `cargo xtask gen` and commit it");
            }
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        }
        fs::write(&path, wanted).with_context(|| format!("write {name}"))?;
    }
    Ok(())
}

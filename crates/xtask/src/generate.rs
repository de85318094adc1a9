//! `gen`: files made from the contract and the tests, and the check that they are current.

use crate::command::{self, program};
use crate::{machine, root};
use anyhow::{Context, bail};
use std::fs;

pub fn run(check: bool) -> anyhow::Result<()> {
    let permissions = format!("{:#}\n", bailiwick_contract::openapi::permission_table());
    let files = [
        ("docs/reference/openapi.json", bailiwick_contract::openapi::text()),
        ("docs/reference/permissions.json", permissions),
        ("SECURITY-MODEL.md", crate::security_model::text()?),
    ];
    for (name, wanted) in files {
        let path = root().join(name);
        if check {
            let found = fs::read_to_string(&path).unwrap_or_default();
            if found != wanted {
                bail!("{name} is not current: run `cargo xtask gen` and commit it");
            }
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        }
        fs::write(&path, wanted).with_context(|| format!("write {name}"))?;
    }
    portal_client(check)
}

/// The portal's types, made from the document above by the tool its package names.
fn portal_client(check: bool) -> anyhow::Result<()> {
    let web = root().join("web");
    machine::packages_of(&web)?;
    let mut make = program("node", &["scripts/gen.mjs"]);
    make.current_dir(web);
    if check {
        make.arg("--check");
    }
    command::run(make)
}

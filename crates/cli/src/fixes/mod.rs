//! `bailiwick fixes`: what could be changed in a directory, what people decided about it, and what came of it.
//!
//! Approving, applying and rolling back name the digest of what was shown; the server refuses any other. Nothing that is written
//! comes from here.

mod decide;
mod difference;
mod follow;
mod show;

use crate::args::Fixes as Arguments;
use crate::client::Client;
use crate::console::{Cell, Colour};
use crate::failure::Failure;
use crate::findings::severity;
use crate::runs::{moment, more};
use bailiwick_base::{Cursor, DirectoryId, FixId};
use bailiwick_contract::fixes::{
    Fix, FixPath, FixPlan, FixQuery, FixRecipe, FixRecipeQuery, FixRisk, FixState, GetFix, LeftOut, ListFixRecipes, ListFixes, NewFixPlan,
    PlanFixes,
};
use bailiwick_contract::{Empty, Nothing};

pub async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::List { directory, state, severity, plan, recipe, page } => {
            let query = FixQuery { directory, state, severity, plan, recipe, cursor: page.cursor.map(Cursor), limit: page.limit };
            list(client, query).await
        }
        Arguments::Show { fix } => {
            let fix = get(client, fix).await?;
            client.wire.console().either(&fix, || show::whole(client, &fix))
        }
        Arguments::Recipes { directory } => recipes(client, directory.as_deref()).await,
        Arguments::Plan { directory, scan, recipes } => {
            let directory = named(client, directory.as_deref()).await?;
            plan(client, NewFixPlan { directory, scan, recipes, policies: vec![] }).await
        }
        Arguments::Approve { shown, note } => decide::approve(client, shown, note).await,
        Arguments::Withdraw { fix, note } => decide::withdraw(client, fix, note).await,
        Arguments::Apply { shown, at, wait } => decide::apply(client, shown, at, wait).await,
        Arguments::Rollback { shown, wait } => decide::roll_back(client, shown, wait).await,
    }
}

async fn get(client: &Client, fix: FixId) -> Result<Fix, Failure> {
    client.call::<GetFix>(FixPath { fix }, Nothing {}, Empty).await
}

/// The directory that is meant by an id or a name.
async fn named(client: &Client, directory: Option<&str>) -> Result<Option<DirectoryId>, Failure> {
    match directory {
        Some(directory) => Ok(Some(crate::scans::connection(client, directory).await?.directory.id)),
        None => Ok(None),
    }
}

async fn list(client: &Client, query: FixQuery) -> Result<(), Failure> {
    let page = client.call::<ListFixes>(Nothing {}, query, Empty).await?;
    let console = client.wire.console();
    console.either(&page, || match page.items.as_slice() {
        [] => "No fixes. Plan some: bailiwick fixes plan --directory DIRECTORY\n".into(),
        fixes => table(client, fixes, |fix| moment(fix.planned_at), "PLANNED"),
    })?;
    more(client, page.next.as_ref(), "bailiwick fixes list");
    Ok(())
}

fn table(client: &Client, fixes: &[Fix], third: impl Fn(&Fix) -> String, heading: &str) -> String {
    let row = |fix: &Fix| {
        vec![
            fix.id.to_string().into(),
            Cell::painted(fix.state.as_str(), colour(fix.state)),
            third(fix).into(),
            severity(fix.severity),
            risk(fix.risk),
            title(fix).into(),
        ]
    };
    client.wire.console().table(&["FIX", "STATE", heading, "SEVERITY", "RISK", "TITLE"], &fixes.iter().map(row).collect::<Vec<_>>())
}

/// The recipe's title, and of what where it is for more than one thing.
fn title(fix: &Fix) -> String {
    match &fix.object {
        Some(object) => format!("{}: {}", fix.recipe.title, object.name.as_deref().unwrap_or(&object.id)),
        None => fix.recipe.title.clone(),
    }
}

fn colour(state: FixState) -> Option<Colour> {
    match state {
        FixState::Applied => Some(Colour::Green),
        FixState::Failed | FixState::Stopped | FixState::RollbackFailed => Some(Colour::Red),
        FixState::Applying | FixState::RollingBack => Some(Colour::Yellow),
        _ => None,
    }
}

fn risk(risk: FixRisk) -> Cell {
    let colour = match risk {
        FixRisk::High => Some(Colour::Red),
        FixRisk::Medium => Some(Colour::Yellow),
        FixRisk::Low => None,
    };
    Cell::painted(risk.as_str(), colour)
}

async fn plan(client: &Client, wanted: NewFixPlan) -> Result<(), Failure> {
    let plan = client.call::<PlanFixes>(Nothing {}, Nothing {}, wanted).await?;
    client.wire.console().either(&plan, || planned(client, &plan))?;
    if let (Some(first), false) = (plan.fixes.first(), client.wire.console().json) {
        client.wire.console().note(&format!("Nothing was changed. Look at one: bailiwick fixes show {}", first.id));
    }
    Ok(())
}

fn planned(client: &Client, plan: &FixPlan) -> String {
    let mut text = match plan.fixes.as_slice() {
        [] => "There is nothing to fix.\n".into(),
        fixes => table(client, fixes, |fix| fix.checks.len().to_string(), "CHECKS"),
    };
    if !plan.left_out.is_empty() {
        let of = |left: &LeftOut| left.check.clone().or_else(|| left.recipe.clone()).unwrap_or_default();
        let row = |left: &LeftOut| vec![of(left).into(), left.code.as_str().into(), left.detail.as_str().into()];
        let rows: Vec<Vec<Cell>> = plan.left_out.iter().map(row).collect();
        text += &format!("\nLeft out\n{}", client.wire.console().table(&["CHECK", "REASON", "WHY"], &rows));
    }
    text + &format!("\nPlan  {}\nSee   {}\n", plan.id, client.page(&format!("fixes?plan={}", plan.id)))
}

async fn recipes(client: &Client, directory: Option<&str>) -> Result<(), Failure> {
    let directory = named(client, directory).await?;
    let recipes = client.call::<ListFixRecipes>(Nothing {}, FixRecipeQuery { directory }, Empty).await?;
    let granted = |recipe: &FixRecipe| match recipe.granted {
        Some(true) => Cell::painted("granted", Some(Colour::Green)),
        Some(false) => Cell::painted("missing", Some(Colour::Red)),
        None => "-".into(),
    };
    let row = |recipe: &FixRecipe| {
        vec![
            recipe.id.as_str().into(),
            recipe.kind.as_str().into(),
            risk(recipe.risk),
            recipe.checks.len().to_string().into(),
            granted(recipe),
            recipe.permission.as_str().into(),
            recipe.title.as_str().into(),
        ]
    };
    client.wire.console().either(&recipes, || {
        let headings = ["RECIPE", "KIND", "RISK", "CHECKS", "GRANTED", "PERMISSION", "TITLE"];
        client.wire.console().table(&headings, &recipes.items.iter().map(row).collect::<Vec<_>>())
    })
}

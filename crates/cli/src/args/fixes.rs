//! The words of `bailiwick fixes`.

use super::{PageArgs, word};
use bailiwick_base::{DirectoryId, FixId, FixPlanId, ScanId, Severity, Timestamp};
use bailiwick_contract::fixes::FixState;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Fixes {
    /// List fixes, newest first
    List {
        #[arg(long)]
        directory: Option<DirectoryId>,
        #[arg(long, value_parser = word::<FixState>)]
        state: Option<FixState>,
        #[arg(long, value_parser = word::<Severity>)]
        severity: Option<Severity>,
        #[arg(long)]
        plan: Option<FixPlanId>,
        /// The recipe's id, see `fixes recipes`
        #[arg(long)]
        recipe: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show one fix: what changes, the exact request, who approved, every step that was taken
    Show { fix: FixId },
    /// List everything that may be written
    Recipes {
        /// The directory, by id or name, whose write connection is looked at; the primary one unless told
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<String>,
    },
    /// Read a directory as it is now and propose fixes; changes nothing there
    Plan {
        /// The directory's id or name; that of the primary read connection unless told
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<String>,
        /// The scan whose failing checks are to pass; the latest completed one unless told
        #[arg(long)]
        scan: Option<ScanId>,
        /// Plan by this recipe only; may be given several times
        #[arg(long = "recipe", value_name = "RECIPE")]
        recipes: Vec<String>,
    },
    /// Approve a fix exactly as it was shown
    Approve {
        #[command(flatten)]
        shown: Shown,
        /// Why, for those who look later
        #[arg(long)]
        note: Option<String>,
    },
    /// Take one's approval back; a fix that nobody approved is dismissed
    Withdraw {
        fix: FixId,
        /// Why, for those who look later
        #[arg(long)]
        note: Option<String>,
    },
    /// Order an approved fix to be applied, and follow it to its end
    Apply {
        #[command(flatten)]
        shown: Shown,
        /// Not before this time, such as 2026-11-22T22:00:00+01:00; the change window holds besides
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Take an applied fix back to what was there before it, and follow that to its end
    Rollback {
        #[command(flatten)]
        shown: Shown,
        #[command(flatten)]
        wait: Wait,
    },
}

/// A fix as somebody has seen it.
#[derive(Debug, Clone, Args)]
pub struct Shown {
    pub fix: FixId,
    /// The digest that `fixes show` printed; without it the fix is shown on the terminal, and asked about
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub digest: Option<String>,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Wait {
    /// Return when it is ordered, without waiting for the end
    #[arg(long)]
    pub no_wait: bool,
    /// Seconds to wait for the end
    #[arg(long, value_name = "SECONDS", default_value_t = 1200)]
    pub wait_timeout: u64,
}

/// 64 hexadecimal digits.
fn digest(text: &str) -> Result<String, String> {
    let whole = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("is not a whole digest: copy all 64 characters of what `fixes show` prints".into())
    }
}

//! Approving, taking back, applying, rolling back: decisions about exactly what was shown.

use super::{follow, get, show};
use crate::args::{Shown, Wait};
use crate::client::Client;
use crate::failure::{Failure, Kind};
use bailiwick_base::{FixId, Timestamp};
use bailiwick_contract::Nothing;
use bailiwick_contract::fixes::{
    ApplyFix, ApplyOrder, ApproveFix, Fix, FixFailure, FixFailureCode, FixPath, FixState, NewApproval, RollBackFix, RollBackOrder,
    WithdrawFix, Withdrawal,
};
use std::time::Duration;

pub async fn approve(client: &Client, shown: Shown, note: Option<String>) -> Result<(), Failure> {
    let (fix, digest) = meant(client, shown, "Approve").await?;
    let fix = client
        .call::<ApproveFix>(FixPath { fix }, Nothing {}, NewApproval { digest, note })
        .await
        .map_err(|failure| explained(failure, fix))?;
    tell(client, &fix)?;
    if fix.state == FixState::AwaitingSecond && !client.wire.console().json {
        client.wire.console().note("Another person has to approve it as well.");
    }
    Ok(())
}

pub async fn withdraw(client: &Client, fix: FixId, note: Option<String>) -> Result<(), Failure> {
    let fix = client.call::<WithdrawFix>(FixPath { fix }, Nothing {}, Withdrawal { note }).await?;
    tell(client, &fix)
}

pub async fn apply(client: &Client, shown: Shown, at: Option<Timestamp>, wait: Wait) -> Result<(), Failure> {
    let (fix, digest) = meant(client, shown, "Apply").await?;
    let ordered = client.call::<ApplyFix>(FixPath { fix }, Nothing {}, ApplyOrder { digest: digest.clone(), at }).await;
    let fix = ordered_or_under_way(client, fix, &digest, ordered).await?;
    end(client, fix, wait, FixState::Applied).await
}

pub async fn roll_back(client: &Client, shown: Shown, wait: Wait) -> Result<(), Failure> {
    let (fix, digest) = meant(client, shown, "Roll back").await?;
    let ordered = client.call::<RollBackFix>(FixPath { fix }, Nothing {}, RollBackOrder { digest: digest.clone() }).await;
    let fix = ordered_or_under_way(client, fix, &digest, ordered).await?;
    end(client, fix, wait, FixState::RolledBack).await
}

/// The fix and the digest that is decided about: the one that was named, else that of what is shown now and said yes to.
async fn meant(client: &Client, shown: Shown, verb: &str) -> Result<(FixId, String), Failure> {
    if let Some(digest) = shown.digest {
        return Ok((shown.fix, digest));
    }
    let console = client.wire.console();
    if !console.can_ask() {
        return Err(Failure::input("Nothing says what of the fix was seen.")
            .hint(format!("Look at it with `bailiwick fixes show {}`, and give the digest it prints: --digest DIGEST.", shown.fix)));
    }
    let fix = get(client, shown.fix).await?;
    console.text(&show::whole(client, &fix))?;
    if console.ask(&format!("{verb} exactly this in {}? Type yes: ", fix.directory.name))? {
        return Ok((fix.id, fix.digest));
    }
    Err(Failure::input("Nothing was decided."))
}

/// An order whose answer was lost is refused when it is given again, though it was taken: then the fix says how it stands.
async fn ordered_or_under_way(client: &Client, id: FixId, digest: &str, ordered: Result<Fix, Failure>) -> Result<Fix, Failure> {
    let failure = match ordered {
        Ok(fix) => return Ok(fix),
        Err(failure) => failure,
    };
    if failure.code.as_deref() == Some("wrong_state") {
        let fix = get(client, id).await?;
        if fix.digest == digest && follow::under_way(fix.state) {
            client.wire.console().warn("It was ordered already and is under way.");
            return Ok(fix);
        }
    }
    Err(explained(failure, id))
}

/// A refusal with what to do about it.
fn explained(failure: Failure, fix: FixId) -> Failure {
    match failure.code.as_deref() {
        Some("fix_changed") => Failure { kind: Kind::Blocked, ..failure }
            .hint(format!("Look at what it is now: bailiwick fixes show {fix}. A fix that was planned anew has another id.")),
        Some("same_approver") => failure.hint("Ask somebody else who may approve."),
        Some("fixes_off") => failure.hint("An owner turns fixes on for the directory, in the portal under Fixes, Settings."),
        _ => failure,
    }
}

/// Waits for the end of what was ordered, unless told not to, and says what it came to.
async fn end(client: &Client, fix: Fix, wait: Wait, wanted: FixState) -> Result<(), Failure> {
    let fix = if wait.no_wait { fix } else { follow::to_the_end(client, fix, Duration::from_secs(wait.wait_timeout)).await? };
    tell(client, &fix)?;
    judge(&fix, wait, wanted)
}

fn tell(client: &Client, fix: &Fix) -> Result<(), Failure> {
    client.wire.console().either(fix, || show::short(client, fix))
}

/// Whether it came to what was wanted; else why not, and whether trying again can help.
fn judge(fix: &Fix, wait: Wait, wanted: FixState) -> Result<(), Failure> {
    if fix.state == wanted || fix.state == FixState::Scheduled {
        return Ok(());
    }
    if follow::under_way(fix.state) {
        return if wait.no_wait {
            Ok(())
        } else {
            Err(Failure::transient(format!("The fix {} has not ended in {} s.", fix.id, wait.wait_timeout))
                .hint(format!("It goes on. Look again: bailiwick fixes show {}", fix.id)))
        };
    }
    let what = format!("The fix {} is {}.", fix.id, fix.state.as_str());
    Err(fix.failure.as_ref().map_or_else(|| Failure::blocked(what), |failure| failed(fix, failure)))
}

fn failed(fix: &Fix, failure: &FixFailure) -> Failure {
    use FixFailureCode as Code;
    let what = format!("The fix {} is {}: {}", fix.id, fix.state.as_str(), failure.detail);
    let made = match failure.code {
        Code::Changed | Code::NotKept => Failure::blocked(what),
        Code::NotSent | Code::NotRead | Code::Throttled | Code::Unreachable | Code::Internal => Failure::transient(what),
        Code::ConnectionRefused
        | Code::PermissionMissing
        | Code::Refused
        | Code::NotConnected
        | Code::Off
        | Code::NotEntitled
        | Code::NotApproved => Failure::input(what),
    };
    let look = format!("See every step: bailiwick fixes show {}", fix.id);
    made.hint(if fix.state == FixState::Stopped { format!("{look}. Plan again to go on from what is there now.") } else { look })
        .code(failure.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_contract::Operation;
    use serde_json::json;

    fn outcome(state: &str, code: Option<&str>) -> Option<Kind> {
        let mut fix = (ApplyFix::SPEC.example)();
        fix["state"] = json!(state);
        if let Some(code) = code {
            fix["failure"] = json!({"code": code, "detail": "So it is."});
        }
        let fix: Fix = serde_json::from_value(fix).unwrap();
        judge(&fix, Wait { no_wait: false, wait_timeout: 1 }, FixState::Applied).err().map(|failure| failure.kind)
    }

    #[test]
    fn each_outcome_has_its_exit_code() {
        assert_eq!(outcome("applied", None), None);
        assert_eq!(outcome("scheduled", None), None);
        assert_eq!(outcome("stopped", Some("changed")), Some(Kind::Blocked));
        assert_eq!(outcome("failed", Some("not_kept")), Some(Kind::Blocked));
        assert_eq!(outcome("failed", Some("permission_missing")), Some(Kind::Input));
        assert_eq!(outcome("failed", Some("throttled")), Some(Kind::Transient));
        assert_eq!(outcome("failed", Some("not_sent")), Some(Kind::Transient));
        assert_eq!(outcome("applying", None), Some(Kind::Transient));
        assert_eq!(outcome("dismissed", None), Some(Kind::Blocked));
    }
}

//! What the child does to itself before it reads a byte: nothing inherited but three pipes, no privileges, a ceiling on memory
//! and processor time, no file, no network, and a list of system calls that suffices for computing and for those pipes.
//!
//! What must stay true: each layer either holds or is reported as lacking, and a lacking layer that the policy asks for ends
//! the child; after `lock` no layer can be taken off again. Landlock alone would let datagrams out, so the filter of system
//! calls is a layer of its own, and each holds without the other where both can.

mod calls;
mod files;
mod inheritance;
mod limits;

use serde::{Deserialize, Serialize};
use std::fmt;

pub use calls::ALLOWED as ALLOWED_CALLS;
pub use calls::program as call_filter;

/// One thing that keeps the child in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// No environment variable came with the process.
    Environment,
    /// No descriptor is open but the three pipes.
    Descriptors,
    /// No capabilities, none to be gained, and no look into the process from outside.
    Privileges,
    /// The kernel ends the child when its parent ends.
    Parent,
    /// Landlock: no file or folder can be opened, made, changed or run.
    Files,
    /// Landlock (since Linux 6.7): no TCP. `Calls` refuses every socket, so this is a second wall.
    Network,
    /// Landlock (since Linux 6.12): no signal and no abstract socket to the outside. `Calls` refuses both as well.
    Scope,
    /// Ceilings on memory, processor time, descriptors, file size and processes.
    Limits,
    /// Seccomp: any system call but the few that computing needs ends the process.
    Calls,
}

impl Layer {
    /// All layers, in the order in which they are put on.
    pub const ALL: [Self; 9] = [
        Self::Environment,
        Self::Descriptors,
        Self::Privileges,
        Self::Parent,
        Self::Files,
        Self::Network,
        Self::Scope,
        Self::Limits,
        Self::Calls,
    ];

    /// What a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Environment => "empty environment",
            Self::Descriptors => "closed descriptors",
            Self::Privileges => "dropped privileges",
            Self::Parent => "end with the parent",
            Self::Files => "file access denied (Landlock)",
            Self::Network => "TCP denied (Landlock, Linux 6.7)",
            Self::Scope => "signals and abstract sockets denied (Landlock, Linux 6.12)",
            Self::Limits => "memory and processor limits",
            Self::Calls => "system calls filtered (seccomp)",
        }
    }

    /// Whether a child may not run without it. The second walls are never asked for: the kernels of current long-term
    /// distributions do not have them, and `Calls` covers what they cover.
    pub fn is_required(self, policy: Policy) -> bool {
        match self {
            Self::Network | Self::Scope => false,
            Self::Files | Self::Calls => policy == Policy::Require,
            _ => true,
        }
    }
}

/// What to do where the kernel lacks Landlock or seccomp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Refuse to scan.
    #[default]
    Require,
    /// Scan with the layers there are; processes, privileges and limits are still kept.
    AllowWeaker,
}

/// Which layers hold, and why the others do not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lockdown {
    /// Layers that hold.
    pub holding: Vec<Layer>,
    /// Layers that do not, with the reason.
    pub lacking: Vec<(Layer, String)>,
}

impl Lockdown {
    fn record(&mut self, layer: Layer, result: Result<(), String>) {
        match result {
            Ok(()) => self.holding.push(layer),
            Err(reason) => self.lacking.push((layer, reason)),
        }
    }

    /// Layers that the policy asks for and that do not hold. A layer that is not named at all does not hold.
    pub fn refusals(&self, policy: Policy) -> Vec<String> {
        let lacking = Layer::ALL.into_iter().filter(|layer| layer.is_required(policy) && !self.holding.contains(layer));
        lacking.map(|layer| format!("{}: {}", layer.title(), self.reason(layer))).collect()
    }

    fn reason(&self, layer: Layer) -> &str {
        self.lacking.iter().find(|(lacking, _)| *lacking == layer).map_or("not reported", |(_, reason)| reason)
    }
}

impl fmt::Display for Lockdown {
    /// A line a layer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for layer in Layer::ALL {
            let state = if self.holding.contains(&layer) { "holds" } else { self.reason(layer) };
            writeln!(f, "{}: {state}", layer.title())?;
        }
        Ok(())
    }
}

/// What the process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Bytes of memory it may allocate.
    pub memory: u64,
    /// Seconds of processor time, user and system.
    pub cpu: u64,
}

/// Locks this process down, layer by layer, and says which hold. There is no way back.
pub fn lock(ceilings: Ceilings) -> Lockdown {
    lock_without(ceilings, &[])
}

/// `lock` without some layers, so that a test can show what each holds by itself.
#[doc(hidden)]
pub fn lock_without(ceilings: Ceilings, without: &[Layer]) -> Lockdown {
    let mut lockdown = Lockdown::default();
    for layer in Layer::ALL {
        let result = if without.contains(&layer) { Err("left out".to_owned()) } else { put_on(layer, ceilings) };
        lockdown.record(layer, result);
    }
    lockdown
}

fn put_on(layer: Layer, ceilings: Ceilings) -> Result<(), String> {
    match layer {
        Layer::Environment => inheritance::no_environment(),
        Layer::Descriptors => inheritance::close_descriptors(),
        Layer::Privileges => inheritance::drop_privileges(),
        Layer::Parent => inheritance::end_with_parent(),
        Layer::Files => files::deny_files(),
        Layer::Network => files::deny_tcp(),
        Layer::Scope => files::deny_reaching_out(),
        Layer::Limits => limits::set(ceilings),
        Layer::Calls => calls::filter(),
    }
}

/// What this kernel can hold, without locking anything: for the start-up check, which says what a scan would lack here.
/// `Scanner::check` starts a child and is the truth; this costs nothing.
pub fn probe() -> Lockdown {
    let mut lockdown = Lockdown::default();
    for layer in Layer::ALL {
        let result = match layer {
            Layer::Files => files::can_deny_files(),
            Layer::Network => files::can_deny_tcp(),
            Layer::Scope => files::can_deny_reaching_out(),
            Layer::Calls => calls::can_filter(),
            // Every kernel has these; the child looks after them itself.
            Layer::Environment | Layer::Descriptors | Layer::Privileges | Layer::Parent | Layer::Limits => Ok(()),
        };
        lockdown.record(layer, result);
    }
    lockdown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(lacking: &[Layer]) -> Lockdown {
        let mut lockdown = Lockdown::default();
        for layer in Layer::ALL {
            let result = if lacking.contains(&layer) { Err("not here".to_owned()) } else { Ok(()) };
            lockdown.record(layer, result);
        }
        lockdown
    }

    #[test]
    fn a_kernel_without_landlock_or_seccomp_is_refused_unless_config_allows_it() {
        let lockdown = without(&[Layer::Files, Layer::Calls]);
        let named = ["file access denied (Landlock): not here", "system calls filtered (seccomp): not here"];
        assert_eq!(lockdown.refusals(Policy::Require), named);
        assert!(lockdown.refusals(Policy::AllowWeaker).is_empty());
    }

    #[test]
    fn what_no_kernel_lacks_is_refused_whatever_config_says() {
        for layer in [Layer::Environment, Layer::Descriptors, Layer::Privileges, Layer::Parent, Layer::Limits] {
            assert_eq!(without(&[layer]).refusals(Policy::AllowWeaker).len(), 1, "{layer:?}");
        }
    }

    #[test]
    fn second_walls_may_lack_and_a_layer_not_named_does_not_hold() {
        assert!(without(&[Layer::Network, Layer::Scope]).refusals(Policy::Require).is_empty());
        assert_eq!(Lockdown::default().refusals(Policy::Require).len(), 7);
    }

    #[test]
    fn looking_at_the_kernel_locks_nothing() {
        let before = std::fs::read_dir("/").unwrap().count();
        let lockdown = probe();
        assert_eq!(lockdown.holding.len() + lockdown.lacking.len(), Layer::ALL.len());
        assert_eq!(std::fs::read_dir("/").unwrap().count(), before);
    }
}

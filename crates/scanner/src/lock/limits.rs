//! What the kernel lets this process use. Hard limits, so that they cannot be raised again.

use super::Ceilings;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The program's image, its libraries and its stack are mapped but are not what a scan allocates.
const IMAGE: u64 = 512 << 20;
/// Room for recursion over deeply nested input: the stack is taken as it is used.
const STACK: u64 = 64 << 20;
/// After the first limit the kernel warns by a signal that can be ignored; after this many seconds more, by one that cannot.
const GRACE: u64 = 2;

pub(super) fn set(ceilings: Ceilings) -> Result<(), String> {
    let Ceilings { memory, cpu } = ceilings;
    let stack = getrlimit(Resource::RLIMIT_STACK).map_or(STACK, |(_, hard)| hard.min(STACK));
    let limits = [
        (Resource::RLIMIT_DATA, memory, memory, "data"),
        (Resource::RLIMIT_AS, memory.saturating_add(IMAGE), memory.saturating_add(IMAGE), "address space"),
        (Resource::RLIMIT_STACK, stack, stack, "stack"),
        (Resource::RLIMIT_CPU, cpu, cpu.saturating_add(GRACE), "processor time"),
        // Three descriptors are open and none can be opened.
        (Resource::RLIMIT_NOFILE, 3, 3, "open files"),
        (Resource::RLIMIT_FSIZE, 0, 0, "file size"),
        (Resource::RLIMIT_CORE, 0, 0, "core size"),
        (Resource::RLIMIT_MEMLOCK, 0, 0, "locked memory"),
        (Resource::RLIMIT_MSGQUEUE, 0, 0, "message queues"),
        // Not held against root, for whom `Calls` alone refuses new processes.
        (Resource::RLIMIT_NPROC, 0, 0, "processes"),
    ];
    for (resource, soft, hard, name) in limits {
        setrlimit(resource, soft, hard).map_err(|error| format!("limit on {name}: {error}"))?;
    }
    Ok(())
}

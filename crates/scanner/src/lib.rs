//! Judges one directory in a process of its own that can do nothing but compute. The program `bailiwick-scanner` is the
//! child: it locks itself down (`lock`), reads one job, and asks its parent for every answer it needs (`child`). The parent
//! (`parent`) starts it, passes its requests to a broker, which alone holds token and network, and ends it at its limits.
//! Between them run the frames of `protocol`.
//!
//! What must stay true: the child reads nothing before it is locked; it is refused rather than run with less than was asked
//! for; the parent believes nothing the child says; whatever happens, the child is ended and reaped.

pub mod child;
pub mod frames;
pub mod lock;
mod packs;
pub mod parent;
pub mod protocol;

pub use lock::{Lockdown, Policy};
pub use parent::{Broker, Limits, ScanEnd, Scanned, Scanner, Sink, Stop, Usage, find_program};

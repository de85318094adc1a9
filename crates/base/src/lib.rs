//! The words every crate shares: typed ids, time and randomness as parameters, secrets that cannot be printed,
//! problems with stable codes, and the vocabulary of evidence. No I/O.

pub mod evidence;
pub mod ids;
pub mod paging;
pub mod principal;
pub mod problem;
pub mod seams;
pub mod secret;

pub use evidence::{Counts, Family, Outcome, Product, Severity};
pub use ids::*;
pub use jiff::Timestamp;
pub use paging::{Cursor, Page};
pub use principal::{Principal, PrincipalKind};
pub use problem::{Code, Problem};
pub use seams::{Clock, ManualClock, Rng, SeededRng, SystemClock, SystemRng};
pub use secret::Secret;

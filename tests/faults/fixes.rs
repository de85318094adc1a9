//! Faults of fixes: what people, Microsoft, the network or a kill can do to one, and what the user sees of it. Whatever happens, nothing is
//! written twice for one order, and what a fix says is what is there.
//!
//! Each test has a simulated Microsoft of its own. What the tests assert is also written down, as a table: `target/fix-faults.md`.

mod answers;
mod decisions;
mod kills;
mod log;
mod lost;
mod made;
mod rounds;
mod stage;
mod table;
mod worker;

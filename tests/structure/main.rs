//! What must hold of the sources themselves: which crate may use which, where SQL may stand and what it must say, and what leads out.
//! Allow-lists stand in the tests, one line and one reason each; a line that is no longer needed fails as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod graph;
mod source;
mod sql;
mod ways_out;

//! The sandbox against a child that means harm, in real processes. The hostile child is an example of this crate, built by
//! `cargo test` and by nothing that is shipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod calls;
mod conversation;
mod ends;
mod escapes;
mod hostile;
mod packs;
mod shipped;

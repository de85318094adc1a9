//! Packs: what they may say, what they may ask, and that they harm nothing but themselves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod cases;
mod cloud;
mod harm;
mod judged;
mod scuba;

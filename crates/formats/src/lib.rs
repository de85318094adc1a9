//! Report parsers: bytes in, observations out, streaming. The family is recognised from content, never from a name.
//!
//! A parser reads a [`std::io::Read`] once and tells a [`Sink`] what it sees, in this order for each subject:
//! `begin_series`, then any number of `check` and `observation`, then `end_series`. Nothing here sees a database or a socket.

pub mod model;

pub use model::*;

//! Every routine as one command.
fn main() {}

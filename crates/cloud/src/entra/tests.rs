//! Stories of tokens and keys, told against a sign-in service that the test owns.

mod keys;
mod tokens;
mod world;

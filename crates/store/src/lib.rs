//! placeholder
pub mod artifacts;
pub mod keyring;
pub mod private_postgres;
pub mod sealing;

//! `bailiwickd`: the HTTP adapter, sign-in, the portal's files, the worker, configuration. Holds no SQL and no capability.

mod assistant;
pub mod config;
pub mod http;
mod microsoft;
mod notifications;
pub mod runtime;
mod scanner;
pub mod tenants;

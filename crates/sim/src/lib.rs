//! A simulated Microsoft cloud on loopback: Entra ID as clients, browsers and APIs meet it, admin consent, Graph and
//! Resource Manager for whole directories that can be read and written, the OIDC issuers of CI platforms, published limits and faults on demand, a log
//! of every call, and the reports of two made-up organisations from day to day.
//!
//! It speaks Microsoft's HTTP under Microsoft's names (by Host header) and under its own (`https://localhost:PORT`),
//! with a certificate of a test authority for both. Nothing of the product depends on it, and it depends on nothing of
//! the product but the shared words of `bailiwick-base`. It is for tests: its users have no passwords, its secrets are
//! in the open, and it listens on loopback only.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use bailiwick_sim::{Forge, Sim, SimConfig, demo};
//! let sim = Sim::start(SimConfig::demo(&["https://localhost:8443/"])).await?;
//! let good = sim.user_token(demo::CONTOSO.directory, demo::CONTOSO.owner)?;
//! let bad = sim.forge(demo::CONTOSO.directory, demo::CONTOSO.owner, Forge::Unsigned)?;
//! # Ok(()) }
//! ```

mod ahead;
mod arm;
mod bearer;
mod ca;
mod calls;
mod cloud;
mod config;
mod consents;
mod control;
pub mod demo;
mod dns;
mod entra;
mod estate;
mod faults;
mod forge;
mod graph;
mod issuers;
mod jwt;
mod kept;
mod keys;
mod knobs;
mod minting;
mod outbox;
mod oversized;
mod proxy;
mod realm;
mod reply;
pub mod scenario;
mod server;
mod services;
mod shape;
mod sim;
mod site;

pub use calls::Call;
pub use config::{
    Api, App, AppSecret, Assignment, CiJob, Directory, FederatedCredential, Platform, RedirectKind, RedirectUri, SimConfig, User,
};
pub use faults::{Fault, FaultAction, FaultMatch};
pub use forge::Forge;
pub use knobs::Knobs;
pub use outbox::Mail;
pub use realm::MSA_TENANT;
pub use sim::{ClientCertificate, Sim};

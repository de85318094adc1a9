//! The configuration: the commented default file, a file in its image, and a few variables above both.

use anyhow::{Context, bail};
use bailiwick_base::DirectoryId;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The reference, as `bailiwickd config` prints it.
pub const DEFAULT: &str = include_str!("../config.default.toml");

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub metrics_listen: String,
    pub public_url: String,
    pub trusted_proxies: Vec<String>,
    pub security_contact: String,
    pub data_folder: PathBuf,
    pub portal_folder: PathBuf,
    pub database: Database,
    pub artifacts: Artifacts,
    pub keys: Keys,
    pub entra: Entra,
    pub microsoft: Microsoft,
    pub mail: Mail,
    pub notifications: Notifications,
    pub entitlements: Entitlements,
    pub assistant: Assistant,
    pub scanner: Scanner,
    pub limits: Limits,
    pub worker: Worker,
    #[serde(default)]
    pub tenants: Vec<Tenant>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url_file: PathBuf,
    pub programs: PathBuf,
    pub connections: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifacts {
    pub url: String,
    pub account: String,
    pub endpoint: String,
    pub region: String,
    pub access_key_file: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    pub kek_file: PathBuf,
    pub older_kek_files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entra {
    pub cloud: String,
    pub login: String,
    pub graph: String,
    pub arm: String,
    pub vault_suffix: String,
    pub extra_ca_file: PathBuf,
    pub private_ranges: Vec<String>,
    pub scope: String,
    pub upload_role: String,
    pub accept_v1: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Microsoft {
    pub reader: Application,
    pub writer: Application,
    pub federated_token_file: PathBuf,
    pub managed_identity: String,
    pub federated_issuer: String,
    pub federated_subject: String,
    pub earlier_consent: EarlierConsent,
}

/// One application registration of the environment; no client id: there is none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    pub client_id: String,
    pub secret_file: PathBuf,
    pub secret_expires: String,
    pub certificate_file: PathBuf,
    pub federated: bool,
}

/// What tenants have beside the basics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entitlements {
    pub names: Vec<String>,
}

/// The assistant that explains fixes; no address: there is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    pub url: String,
    pub model: String,
    pub key_file: PathBuf,
    pub identifiers: bool,
    pub private_ranges: Vec<String>,
}

/// The mail server that notifications leave by; no host: there is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub host: String,
    /// 0: the usual one.
    pub port: u16,
    pub security: bailiwick_cloud::notify::SmtpSecurity,
    pub from: String,
    pub from_name: String,
    pub user: String,
    pub password_file: PathBuf,
    pub hello: String,
    pub private_ranges: Vec<String>,
    pub connections: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    pub private_ranges: Vec<String>,
    pub teams_hosts: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlierConsent {
    Refuse,
    Accept,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    pub program: PathBuf,
    pub memory_mib: u64,
    pub minutes: u64,
    pub at_once: usize,
    pub sandbox: Sandbox,
    pub dns_servers: Vec<SocketAddr>,
}

/// What happens where the kernel lacks something the sandbox needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    Require,
    AllowWeaker,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub artifact_bytes: u64,
    pub artifacts_per_run: i64,
    pub results: u32,
    pub depth: u32,
    pub open_per_minute: u32,
    pub read_per_minute: u32,
    pub write_per_minute: u32,
    pub upload_per_minute: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub at_once: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    pub name: String,
    pub directory: DirectoryId,
    pub client_id: String,
    #[serde(default)]
    pub label: String,
    pub audiences: Vec<String>,
    pub scope: String,
    #[serde(default = "refuse")]
    pub unknown_directory: UnknownDirectory,
    /// In place of the environment's own list.
    #[serde(default)]
    pub entitlements: Option<Vec<String>>,
    #[serde(default)]
    pub owners: Vec<Person>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownDirectory {
    Refuse,
    Add,
}

fn refuse() -> UnknownDirectory {
    UnknownDirectory::Refuse
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub object_id: Uuid,
    pub name: String,
    #[serde(default)]
    pub email: String,
}

impl Config {
    /// The defaults, then the file's settings over them.
    ///
    /// # Errors
    /// The file cannot be read, or holds a setting that does not exist or cannot be what it says.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut table: toml::Table = DEFAULT.parse().context("the default configuration")?;
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the configuration {}", file.display()))?;
            let given: toml::Table = text.parse().with_context(|| format!("the configuration {} is not TOML", file.display()))?;
            merge(&mut table, given);
        }
        let config: Self = table.try_into().with_context(|| match file {
            Some(file) => format!("the configuration {} is not understood", file.display()),
            None => "the default configuration is not understood".to_owned(),
        })?;
        config.check()
    }

    fn check(self) -> anyhow::Result<Self> {
        if !self.public_url.starts_with("https://")
            && !self.public_url.starts_with("http://localhost")
            && !self.public_url.starts_with("http://127.0.0.1")
        {
            bail!("public_url is {:?}: browsers sign in over https only (or on localhost)", self.public_url);
        }
        if self.data_folder.is_relative() {
            bail!("data_folder is {:?}: give an absolute path", self.data_folder);
        }
        entitlements("entitlements.names", &self.entitlements.names)?;
        for tenant in &self.tenants {
            entitlements("tenants.entitlements", tenant.entitlements.as_deref().unwrap_or_default())?;
        }
        Ok(self)
    }
}

/// Refuses names that mean nothing: a misspelt one would take something away in silence.
///
/// # Errors
/// The name that is not known.
pub fn entitlements(setting: &str, names: &[String]) -> anyhow::Result<()> {
    let known = bailiwick_domain::fixes::model::ENTITLEMENTS;
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => bail!("{setting} holds {name:?}: choose among {}", known.join(", ")),
        None => Ok(()),
    }
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (name, value) in over {
        match (base.get_mut(&name), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(name, value);
            }
        }
    }
}

/// A path, or nothing where the setting is empty.
pub fn given(path: &Path) -> Option<&Path> {
    (!path.as_os_str().is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_is_a_configuration() {
        let config = Config::load(None).unwrap();
        assert_eq!(config.listen.port(), 8480);
        assert!(config.tenants.is_empty());
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\n[limits]\ndepth = 10\n").unwrap();
        let config = Config::load(Some(&file)).unwrap();
        assert_eq!((config.listen.port(), config.limits.depth, config.limits.results), (1, 10, 1_000_000));
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, "[limits]\ndeph = 10\n").unwrap();
        let error = format!("{:#}", Config::load(Some(&file)).unwrap_err());
        assert!(error.contains("deph"), "{error}");
    }
}

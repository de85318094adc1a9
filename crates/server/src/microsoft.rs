//! The environment's side of connections, from its configuration: the way out, and the applications that read and write.

use crate::config::{Application as Configured, Config, EarlierConsent, given};
use crate::runtime::ranges;
use anyhow::{Context, ensure};
use bailiwick_base::{Clock, Rng, Secret};
use bailiwick_cloud::egress::Ring;
use bailiwick_cloud::{CloudEndpoints, Credential, Egress, EgressConfig, Federated, ManagedIdentity, Microsoft};
use bailiwick_contract::connections::FederatedSubject;
use bailiwick_domain::microsoft::{Application, Environment};
use bailiwick_store::Store;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// Where Microsoft sends people back to after consent: a page of the portal.
const CONSENT_PAGE: &str = "/connect/consent";

/// The one way out: the hosts of the configured cloud, and the managed identity's endpoint where one is used.
///
/// # Errors
/// A setting that is not what it should be, by name.
pub fn egress(config: &Config, endpoints: CloudEndpoints, calls: Arc<Ring>, clock: Arc<dyn Clock>) -> anyhow::Result<Egress> {
    let private = ranges(&config.entra.private_ranges, "entra.private_ranges")?;
    let extra_roots_pem = match given(&config.entra.extra_ca_file) {
        Some(file) => Some(std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?),
        None => None,
    };
    let mut allow: Vec<_> = endpoints.allowed_hosts().into_iter().map(|host| host.private(private.clone())).collect();
    allow.extend(managed_identity(config)?.map(|identity| identity.allowed_host()));
    allow.extend(crate::notifications::mail_server(config)?.map(|server| server.allowed_host()));
    allow.extend(crate::assistant::allowed(config)?);
    let egress = EgressConfig {
        allow,
        extra_roots_pem,
        customer_private: ranges(&config.notifications.private_ranges, "notifications.private_ranges")?,
        ..EgressConfig::default()
    };
    Egress::new(egress, clock, calls).context("cannot set up outbound calls")
}

fn managed_identity(config: &Config) -> anyhow::Result<Option<ManagedIdentity>> {
    let text = &config.microsoft.managed_identity;
    if text.is_empty() {
        return Ok(None);
    }
    let id = text.parse().with_context(|| format!("microsoft.managed_identity is {text:?}: give the identity's client id"))?;
    // App Service and Container Apps say where by these variables; everywhere else it is the metadata address.
    let identity = match (std::env::var("IDENTITY_ENDPOINT"), std::env::var("IDENTITY_HEADER")) {
        (Ok(endpoint), Ok(header)) => ManagedIdentity::endpoint(&endpoint, Secret::new(header), Some(id)),
        _ => ManagedIdentity::imds(std::env::var("AZURE_POD_IDENTITY_AUTHORITY_HOST").ok().as_deref(), Some(id)),
    };
    identity.map(Some).map_err(|error| anyhow::anyhow!("microsoft.managed_identity: {error}"))
}

fn federated(config: &Config) -> anyhow::Result<Option<Arc<Credential>>> {
    let source = match (given(&config.microsoft.federated_token_file), managed_identity(config)?) {
        (Some(_), Some(_)) => anyhow::bail!("microsoft: give federated_token_file or managed_identity, not both"),
        (Some(file), None) => Federated::File(file.to_path_buf()),
        (None, Some(identity)) => Federated::ManagedIdentity(identity),
        (None, None) => return Ok(None),
    };
    Ok(Some(Arc::new(Credential::Federated(source))))
}

fn text_of(file: &Path) -> anyhow::Result<Secret<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Secret::new(text.trim().to_owned()))
}

fn application(name: &str, of: &Configured, federated: Option<&Arc<Credential>>) -> anyhow::Result<Option<Application>> {
    if of.client_id.is_empty() {
        return Ok(None);
    }
    let client_id = of.client_id.parse().with_context(|| format!("{name}.client_id is {:?}: give the application's id", of.client_id))?;
    let given_ones = [of.federated, given(&of.certificate_file).is_some(), given(&of.secret_file).is_some()];
    ensure!(given_ones.iter().filter(|given| **given).count() == 1, "{name}: give one of federated, certificate_file and secret_file");
    let credential = if of.federated {
        federated
            .cloned()
            .with_context(|| format!("{name}.federated needs microsoft.federated_token_file or microsoft.managed_identity"))?
    } else if let Some(file) = given(&of.certificate_file) {
        Arc::new(Credential::certificate(&text_of(file)?).map_err(|error| anyhow::anyhow!("{name}.certificate_file: {error}"))?)
    } else {
        let expires = if of.secret_expires.is_empty() {
            None
        } else {
            Some(of.secret_expires.parse().with_context(|| format!("{name}.secret_expires is no time like 2027-01-31T00:00:00Z"))?)
        };
        let secret = text_of(&of.secret_file)?;
        Arc::new(Credential::client_secret(secret, expires).map_err(|error| anyhow::anyhow!("{name}.secret_file: {error}"))?)
    };
    if credential.is_static() {
        tracing::warn!(
            application = name,
            kind = credential.kind(),
            "a credential that lasts until somebody replaces it; a federated identity is safer"
        );
    }
    Ok(Some(Application { client_id, credential }))
}

/// Everything connections need of the environment.
///
/// # Errors
/// A setting that is not what it should be, by name.
pub fn environment(
    config: &Config,
    endpoints: CloudEndpoints,
    egress: Egress,
    store: &Store,
    rng: Arc<dyn Rng>,
) -> anyhow::Result<Environment> {
    let federated = federated(config)?;
    let reader = application("microsoft.reader", &config.microsoft.reader, federated.as_ref())?;
    let writer = application("microsoft.writer", &config.microsoft.writer, federated.as_ref())?;
    if let (Some(reader), Some(writer)) = (&reader, &writer) {
        ensure!(reader.client_id != writer.client_id, "microsoft.reader and microsoft.writer are one application: register two");
    }
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let subject = some(&config.microsoft.federated_issuer).zip(some(&config.microsoft.federated_subject));
    let federated_subject =
        subject.map(|(issuer, subject)| FederatedSubject { issuer, subject, audience: endpoints.federation_audience.clone() });
    let redirect = format!("{}{CONSENT_PAGE}", config.public_url.trim_end_matches('/'));
    Ok(Environment {
        cloud: config.entra.cloud.clone(),
        reader,
        writer,
        federated,
        federated_subject,
        redirect: Url::parse(&redirect).context("public_url")?,
        earlier_consent: config.microsoft.earlier_consent == EarlierConsent::Accept,
        client: Microsoft::new(egress, endpoints, store.clock_shared(), rng),
    })
}

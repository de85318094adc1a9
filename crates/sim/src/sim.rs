//! The handle of a running simulator. Dropping it stops the servers.

use crate::{
    ca::Authority,
    calls::Call,
    cloud::{Cloud, lock},
    config::{CiJob, Directory, SimConfig},
    demo, dns,
    entra::resource,
    faults::Fault,
    forge::{self, Forge},
    issuers, jwt,
    keys::SigningKey,
    knobs::Knobs,
    minting,
    outbox::Mail,
    proxy,
    realm::Realm,
    server::{self, Hosts},
};
use anyhow::{Context, Result, anyhow};
use bailiwick_base::Timestamp;
use jiff::SignedDuration;
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A simulated Microsoft cloud on loopback.
pub struct Sim {
    cloud: Arc<Cloud>,
    address: SocketAddr,
    proxy: SocketAddr,
    dns: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A certificate an application proves itself with, and the private key that only the application would have.
#[derive(Clone)]
pub struct ClientCertificate {
    pub certificate_pem: String,
    pub private_key_pem: String,
}

impl Sim {
    /// Starts the servers; they answer when this returns.
    ///
    /// # Errors
    /// When a port is taken, or the folder of the test authority cannot be used.
    pub async fn start(config: SimConfig) -> Result<Self> {
        let listener = bind(config.port).await?;
        let proxy_listener = bind(config.proxy_port).await?;
        let (address, proxy) = (listener.local_addr()?, proxy_listener.local_addr()?);
        let names = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening a port for the name server")?;
        let dns = names.local_addr()?;
        let (folder, rng) = (config.ca_folder.clone(), config.rng.clone());
        let (authority, cloud) = tokio::task::spawn_blocking(move || {
            let authority = Authority::open(folder.as_deref(), rng.as_ref())?;
            let cloud = Cloud::new(config, format!("localhost:{}", address.port()), authority.ca_pem.clone())?;
            anyhow::Ok((authority, Arc::new(cloud)))
        })
        .await
        .context("making keys")??;
        let stop = CancellationToken::new();
        tokio::spawn(server::serve(listener, server::tls(&authority)?, Arc::new(Hosts::new(cloud.clone())), stop.clone()));
        tokio::spawn(proxy::serve(proxy_listener, address, stop.clone()));
        tokio::spawn(dns::serve(names, cloud.clone(), stop.clone()));
        Ok(Self { cloud, address, proxy, dns, stop })
    }

    /// Where the HTTPS server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// `https://localhost:PORT`, without a trailing slash: the login host by the simulator's own name.
    pub fn url(&self) -> String {
        format!("https://{}", self.cloud.own_authority)
    }
    /// `https://localhost:PORT/{directory}`: what MSAL calls the authority.
    pub fn authority(&self, directory: Uuid) -> String {
        format!("{}/{directory}", self.url())
    }
    /// `iss` of v2 tokens of that directory, by the simulator's own name.
    pub fn issuer(&self, directory: Uuid) -> String {
        self.cloud.own_realm().issuer_v2(directory)
    }
    /// `http://127.0.0.1:PORT`: a CONNECT proxy that leads Microsoft's names here and refuses all others.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy)
    }
    /// Where the name server of the scenarios' domains listens (UDP).
    pub fn dns_address(&self) -> SocketAddr {
        self.dns
    }
    /// What it answers: `txt name` or `cname name`, in lower case, to the records. For tests that pin answers.
    pub fn dns_records(&self) -> std::collections::BTreeMap<String, Vec<String>> {
        self.cloud.dns().into_iter().collect()
    }
    /// The test authority that signed the server's certificate.
    pub fn ca_pem(&self) -> &str {
        &self.cloud.ca_pem
    }
    pub fn directories(&self) -> &[Directory] {
        &self.cloud.directories
    }

    /// A delegated access token for `api` (App ID URI or client id), as if the user had signed in to `client`.
    ///
    /// # Errors
    /// When directory, client, user or API does not exist.
    pub fn user_token_for(&self, directory: Uuid, client: Uuid, user: Uuid, api: &str) -> Result<String> {
        minting::user_token(&self.cloud, &self.cloud.own_realm(), directory, client, user, api)
    }
    /// The same from the portal for the Bailiwick API of the demo scenario.
    ///
    /// # Errors
    /// When the directory or the user does not exist.
    pub fn user_token(&self, directory: Uuid, user: Uuid) -> Result<String> {
        self.user_token_for(directory, demo::PORTAL_CLIENT_ID, user, demo::API_URI)
    }
    /// An app-only access token for `api`; its `roles` are the application's, absent when it has none.
    ///
    /// # Errors
    /// When directory, client or API does not exist.
    pub fn app_token_for(&self, directory: Uuid, client: Uuid, api: &str) -> Result<String> {
        minting::app_token(&self.cloud, &self.cloud.own_realm(), directory, client, api)
    }
    /// The same for the Bailiwick API of the demo scenario.
    ///
    /// # Errors
    /// When the directory or the client does not exist.
    pub fn app_token(&self, directory: Uuid, client: Uuid) -> Result<String> {
        self.app_token_for(directory, client, demo::API_URI)
    }
    /// A token for the Bailiwick API of the demo scenario that is wrong in one way.
    ///
    /// # Errors
    /// When the directory or the user does not exist, or has no neighbour where one is needed.
    pub fn forge(&self, directory: Uuid, user: Uuid, wrong: Forge) -> Result<String> {
        let directory = self.cloud.directory(&directory.to_string()).with_context(|| format!("there is no directory {directory}"))?;
        let user = directory.user(user).with_context(|| format!("directory {} has no user {user}", directory.name))?;
        let asked = resource::delegated(directory, &format!("{}/.default", demo::API_URI)).map_err(|e| anyhow!(e.text))?;
        let base = forge::Base { directory, client: demo::PORTAL_CLIENT_ID, user, resource: asked.resource, scopes: asked.scopes };
        forge::forge(&self.cloud, &self.cloud.own_realm(), &base, wrong)
    }

    /// Publishes a new key, signs with it and drops the oldest: tokens under that one are refused once caches expire.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn rotate_keys(&self) -> Result<()> {
        self.publish_key()?;
        self.sign_with_newest_key();
        self.drop_oldest_key();
        Ok(())
    }
    /// Step 1 of a rotation: the key appears in the key sets.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn publish_key(&self) -> Result<()> {
        let key = SigningKey::generate("accounts.accesscontrol.windows.net")?;
        self.cloud.ring().publish(key);
        Ok(())
    }
    /// Step 2.
    pub fn sign_with_newest_key(&self) {
        self.cloud.ring().sign_with_newest();
    }
    /// Step 3; never drops the key that signs.
    pub fn drop_oldest_key(&self) {
        self.cloud.ring().drop_oldest();
    }

    /// A certificate of that application, made when first asked for and registered from then on.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn client_certificate(&self, client: Uuid) -> Result<ClientCertificate> {
        let key = self.cloud.client_key(client)?;
        Ok(ClientCertificate { certificate_pem: key.certificate_pem(), private_key_pem: key.private_pem().to_owned() })
    }

    /// A client assertion of that application for that directory's token endpoint: PS256, ten minutes.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn client_assertion(&self, directory: Uuid, client: Uuid) -> Result<String> {
        let now = self.cloud.now().as_second();
        let claims = serde_json::json!({
            "aud": self.cloud.own_realm().token_endpoint(directory), "iss": client, "sub": client,
            "jti": self.cloud.uuid(), "nbf": now, "iat": now, "exp": now + 600,
        });
        jwt::ps256_assertion(self.cloud.client_key(client)?.as_ref(), &claims)
    }

    /// A token of a CI platform, as a job would get it; `iss` is the simulator's own.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn ci_token(&self, job: &CiJob, audience: &str) -> Result<String> {
        issuers::mint(&self.cloud, &self.cloud.own_realm(), job, audience)
    }
    /// `iss` of a CI platform's tokens, by the simulator's own name.
    pub fn ci_issuer(&self, platform: crate::Platform) -> String {
        issuers::issuer(&self.cloud.own_realm(), &self.cloud, platform)
    }
    /// Lets a job ask for tokens with its `request_token`.
    pub fn add_ci_job(&self, job: CiJob) {
        lock(&self.cloud.ci_jobs).push(job);
    }
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`: ends in a query, so that `&audience=` can be put behind it.
    pub fn github_token_request_url(&self) -> String {
        format!("{}/_issuers/github/token?api-version=2.0", self.url())
    }
    /// `SYSTEM_OIDCREQUESTURI`.
    pub fn azure_devops_token_request_url(&self) -> String {
        format!("{}/_issuers/azure-devops/oidctoken", self.url())
    }

    /// Every request taken so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.cloud.calls.all()
    }
    pub fn clear_calls(&self) {
        self.cloud.calls.clear();
    }
    /// The address of the call log.
    pub fn calls_url(&self) -> String {
        format!("{}/_sim/calls", self.url())
    }
    /// Adds faults behind those already there.
    pub fn add_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.cloud.faults.add(faults);
    }
    pub fn clear_faults(&self) {
        self.cloud.faults.clear();
    }

    /// `https://localhost:PORT/_graph`: Graph by the simulator's own name; `/v1.0` and `/beta` follow. It also answers at [`Sim::url`].
    pub fn graph_url(&self) -> String {
        format!("{}/_graph", self.url())
    }
    /// `https://localhost:PORT/_arm`: Resource Manager by the simulator's own name. It also answers at [`Sim::url`].
    pub fn arm_url(&self) -> String {
        format!("{}/_arm", self.url())
    }
    /// An administrator of the directory consents to everything the application asks for; `false` when the simulator has
    /// no such directory or registration.
    pub fn consent(&self, directory: Uuid, app: Uuid) -> bool {
        self.cloud.consent(directory, app)
    }
    /// The service principal goes: token requests are refused (AADSTS7000229), tokens given out before answer 401.
    /// `false` when there was none.
    pub fn withdraw(&self, directory: Uuid, app: Uuid) -> bool {
        self.cloud.consents.withdraw(directory, app)
    }
    /// An administrator consents, but to these Graph permissions only.
    ///
    /// # Errors
    /// When the simulator has no such directory or registration.
    pub fn consent_to(&self, directory: Uuid, app: Uuid, permissions: &[&str]) -> Result<()> {
        self.cloud.consent_to(directory, app, permissions)
    }
    /// Every Graph and Resource Manager token of the directory is refused from now on; new ones are good.
    pub fn revoke_tokens(&self, directory: Uuid) {
        self.cloud.revoke_tokens(directory);
    }
    /// Reader on all of the directory's subscriptions, or no role at all, whatever its scenario says.
    pub fn set_azure_reader(&self, directory: Uuid, app: Uuid, reader: bool) {
        self.cloud.azure_roles.set(directory, app, reader);
    }
    /// Pace, page sizes and limits of Graph and Resource Manager.
    pub fn knobs(&self) -> Knobs {
        lock(&self.cloud.knobs).clone()
    }
    pub fn set_knobs(&self, knobs: Knobs) {
        *lock(&self.cloud.knobs) = knobs;
    }
    /// Every answer of Graph and Resource Manager takes this much longer.
    pub fn set_latency(&self, millis: u64) {
        lock(&self.cloud.knobs).latency_ms = millis;
    }
    /// Whether Graph's published limits are enforced; they are from the start.
    pub fn set_limits(&self, enforced: bool) {
        let mut knobs = lock(&self.cloud.knobs);
        (knobs.limit_identity, knobs.limit_reports) = (enforced, enforced);
    }
    /// The largest page of a list.
    pub fn set_page_size(&self, items: Option<usize>) {
        lock(&self.cloud.knobs).page_size = items;
    }

    /// Milliseconds by the simulator's clock until reads show what was written.
    pub fn set_write_delay(&self, millis: u64) {
        lock(&self.cloud.knobs).write_delay_ms = millis;
    }
    /// What time it is in the simulated cloud.
    pub fn now(&self) -> Timestamp {
        self.cloud.now()
    }
    /// Moves the simulated cloud's clock on, whatever clock it was given: tokens, limits and delays follow.
    pub fn advance(&self, by: SignedDuration) {
        self.cloud.clock.advance(by);
    }

    /// What a directory holds at a path of Graph (`/v1.0/…`, `/beta/…`) or Resource Manager (`/subscriptions/…`), with every
    /// write, also those that reads do not show yet. A list is an array; null where there is nothing.
    pub fn value(&self, directory: Uuid, path: &str) -> Value {
        self.cloud.value(directory, path)
    }
    /// Somebody else changes members of an object, at their desk: no token, no line in the log, shown at once.
    ///
    /// # Errors
    /// When there is no such directory or object.
    pub fn change(&self, directory: Uuid, path: &str, members: Value) -> Result<()> {
        self.cloud.change(directory, path, members)
    }
    /// Undoes everything that was written to the directory.
    pub fn restore(&self, directory: Uuid) {
        self.cloud.restore(directory);
    }
    /// The mail that applications sent, oldest first.
    pub fn outbox(&self) -> Vec<Mail> {
        self.cloud.outbox.all()
    }
    pub fn clear_outbox(&self) {
        self.cloud.outbox.clear();
    }
    /// Gives an application a built-in role of Azure, by its name, on all of the directory's subscriptions and its root group;
    /// what its scenario says of the application no longer counts.
    ///
    /// # Errors
    /// When the simulator does not know the role.
    pub fn grant_azure_role(&self, directory: Uuid, app: Uuid, role: &str) -> Result<()> {
        self.cloud.azure_roles.grant(directory, app, role)
    }

    /// The `sim` part of `demo.json`: what is where, and with which ids and secrets.
    pub fn describe(&self) -> serde_json::Value {
        let directories: Vec<_> = self.directories().iter().map(|directory| self.describe_directory(directory)).collect();
        serde_json::json!({
            "authority": self.url(), "graph": self.graph_url(), "arm": self.arm_url(), "dns": self.dns.to_string(), "calls": self.calls_url(),
            "directories": directories,
        })
    }
    /// With its own applications; where there is something to scan, with those that an administrator may consent to as well.
    fn describe_directory(&self, directory: &Directory) -> serde_json::Value {
        let offered = if directory.holds.is_some() { self.cloud.registrations.as_slice() } else { &[] };
        let apps: Vec<_> = directory
            .apps
            .iter()
            .chain(offered)
            .map(|app| {
                let secret = app.secrets.iter().find(|s| s.expires.is_none()).map(|s| s.value.as_str());
                let mut entry = serde_json::json!({"client_id": app.client_id, "purpose": app.name});
                if let Some(secret) = secret {
                    entry["secret"] = secret.into();
                }
                entry
            })
            .collect();
        serde_json::json!({"id": directory.id, "name": directory.name, "apps": apps})
    }
    /// The names tokens carry when asked for by Microsoft's host names.
    pub fn microsoft_issuer(directory: Uuid) -> String {
        Realm::microsoft().issuer_v2(directory)
    }
}

async fn bind(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}: choose another port, or 0 for a free one"))
}

//! The applications this environment holds in Microsoft's cloud, and the client that reads through them.
//!
//! What reads and what writes are two registrations; neither stands in for the other.

use bailiwick_base::{Code, DirectoryId, Problem, Timestamp};
use bailiwick_cloud::{Access, Credential, Microsoft};
use bailiwick_contract::connections::{ConnectionKind, CredentialKind, FederatedSubject};
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// One application registration of the environment.
#[derive(Clone)]
pub struct Application {
    pub client_id: Uuid,
    pub credential: Arc<Credential>,
}

impl Application {
    pub fn credential_kind(&self) -> CredentialKind {
        kind_of(&self.credential)
    }
    /// When the secret or certificate ends, as far as that is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.credential.expires()
    }
}

/// What kind of credential it is.
pub fn kind_of(credential: &Credential) -> CredentialKind {
    match credential {
        Credential::ClientSecret { .. } => CredentialKind::Secret,
        Credential::Certificate(_) => CredentialKind::Certificate,
        Credential::Federated(_) => CredentialKind::Federated,
    }
}

/// The environment's side of every connection.
pub struct Environment {
    /// `public`, `government`, `china` or `custom`.
    pub cloud: String,
    pub reader: Option<Application>,
    pub writer: Option<Application>,
    /// Proves customers' own registrations that trust this environment's identity.
    pub federated: Option<Arc<Credential>>,
    /// What such a registration has to trust.
    pub federated_subject: Option<FederatedSubject>,
    /// Where Microsoft sends people back to after consent: a page of the portal.
    pub redirect: Url,
    /// Whether a directory is taken whose administrator consented before this consent began.
    pub earlier_consent: bool,
    pub client: Microsoft,
}

impl Environment {
    pub fn application(&self, kind: ConnectionKind) -> Option<&Application> {
        match kind {
            ConnectionKind::Read => self.reader.as_ref(),
            ConnectionKind::Write => self.writer.as_ref(),
        }
    }

    /// Whether this is an application of the environment: such a one is connected by consent alone.
    pub fn holds(&self, client_id: Uuid) -> bool {
        [&self.reader, &self.writer].into_iter().flatten().any(|application| application.client_id == client_id)
    }

    /// Whether a tenant speaks for a directory without further proof: its people sign in there, or the operator says that one tenant owns
    /// this environment.
    pub fn speaks_for(&self, sign_in: DirectoryId, directory: DirectoryId) -> bool {
        directory == sign_in || self.earlier_consent
    }

    /// Refuses what a tenant may not ask a directory with as a registration of its own. The environment's identity is one for all tenants:
    /// a registration that trusts it does not say which of them it trusts.
    ///
    /// # Errors
    /// `bad_request`: an application of the environment, or its identity for a directory the tenant does not speak for.
    pub fn admit_own(&self, sign_in: DirectoryId, directory: DirectoryId, client_id: Uuid, kind: CredentialKind) -> Result<(), Problem> {
        if self.holds(client_id) {
            let detail = "That is this environment's application: connect it by consent.";
            return Err(Problem::new(Code::BadRequest, detail).at("client_id"));
        }
        if kind == CredentialKind::Federated && !self.speaks_for(sign_in, directory) {
            let detail = "The federated identity of this environment serves all its tenants, so a registration of your own may use it only in the \
                          directory your people sign in with. Use a certificate for this directory.";
            return Err(Problem::new(Code::BadRequest, detail).at("credential.kind"));
        }
        Ok(())
    }

    /// The application in a directory.
    pub fn access(&self, application: &Application, directory: DirectoryId) -> Access {
        Access::new(directory, application.client_id, application.credential.clone())
    }
}

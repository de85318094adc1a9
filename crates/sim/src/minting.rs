//! Tokens by request, as if somebody had signed in: for tests and the demo.

use crate::{
    cloud::Cloud,
    config::Directory,
    entra::{
        mint::{AccessToken, ClientProof, Subject},
        resource::{self, Resource},
    },
    realm::Realm,
};
use anyhow::{Context, Result, anyhow};
use uuid::Uuid;

fn directory(cloud: &Cloud, id: Uuid) -> Result<&Directory> {
    cloud.directory(&id.to_string()).with_context(|| format!("there is no directory {id}"))
}

/// A delegated access token with every scope of the API.
pub fn user_token(cloud: &Cloud, realm: &Realm, directory_id: Uuid, client: Uuid, user: Uuid, api: &str) -> Result<String> {
    let directory = directory(cloud, directory_id)?;
    let client = directory.app(client).with_context(|| format!("directory {} has no application {client}", directory.name))?;
    let user = directory.user(user).with_context(|| format!("directory {} has no user {user}", directory.name))?;
    let asked = resource::delegated(directory, &format!("{api}/.default")).map_err(|e| anyhow!(e.text))?;
    let token = AccessToken {
        directory,
        client,
        resource: &asked.resource,
        subject: Subject::User(user, &asked.scopes),
        proof: ClientProof::Public,
    };
    Ok(token.sign(cloud, realm)?.0)
}

/// An app-only access token with the application's roles, if it has any.
pub fn app_token(cloud: &Cloud, realm: &Realm, directory_id: Uuid, client: Uuid, api: &str) -> Result<String> {
    let directory = directory(cloud, directory_id)?;
    let client = &cloud.app(directory.id, client).with_context(|| format!("directory {} has no application {client}", directory.name))?;
    let resource = Resource::find(directory, api).with_context(|| format!("directory {} has no API {api}", directory.name))?;
    let token = AccessToken { directory, client, resource: &resource, subject: Subject::App, proof: ClientProof::Secret };
    Ok(token.sign(cloud, realm)?.0)
}

//! From a `scope` parameter to the one API it asks for: registered applications, and the few Microsoft APIs that every
//! directory has.

use crate::{
    config::{Api, App, Directory},
    entra::error::Aadsts,
    services::Service,
};
use uuid::Uuid;

/// Scopes that concern sign-in itself and no API.
pub const OIDC_SCOPES: &[&str] = &["openid", "profile", "email", "offline_access"];

/// Client id of Microsoft Graph in every directory.
pub const GRAPH: Uuid = Uuid::from_u128(0x00000003_0000_0000_c000_000000000000);

/// Microsoft's own APIs: `(client id, name, App ID URI)`. Their tokens are for them alone to read.
const FIRST_PARTY: &[(Uuid, &str, &str)] = &[
    (GRAPH, "Microsoft Graph", "https://graph.microsoft.com"),
    (Uuid::from_u128(0x797f4846_ba00_4fd7_ba43_dac1f8f63013), "Azure Resource Manager", "https://management.azure.com"),
    (Uuid::from_u128(0xcfa8b339_82a2_471a_a3c9_0fc0be7a4093), "Azure Key Vault", "https://vault.azure.net"),
    (Uuid::from_u128(0xe406a681_f3d4_42a8_90b6_c2b029497af1), "Azure Storage", "https://storage.azure.com"),
];

/// An API a token is asked for.
#[derive(Debug, Clone)]
pub struct Resource {
    pub client_id: Uuid,
    pub name: String,
    /// As the request named it: the audience of a v1 token.
    pub requested: String,
    pub token_version: u8,
    pub idtyp: bool,
    pub assignment_required: bool,
    /// Graph puts a nonce into the header, which makes the token unverifiable for others.
    pub nonce_in_header: bool,
    pub api: Option<Api>,
}

impl Resource {
    fn of_app(app: &App, api: &Api, requested: &str) -> Self {
        Self {
            client_id: app.client_id,
            name: app.name.clone(),
            requested: requested.to_owned(),
            token_version: api.token_version,
            idtyp: api.idtyp,
            assignment_required: app.assignment_required,
            nonce_in_header: false,
            api: Some(api.clone()),
        }
    }
    fn of_microsoft(&(client_id, name, uri): &(Uuid, &str, &str)) -> Self {
        Self {
            client_id,
            name: name.to_owned(),
            requested: uri.to_owned(),
            token_version: 1,
            idtyp: true,
            assignment_required: false,
            nonce_in_header: client_id == GRAPH,
            api: None,
        }
    }
    pub fn graph() -> Self {
        Self::of_microsoft(&FIRST_PARTY[0])
    }
    /// The API named by App ID URI or client id, if this directory has it.
    pub fn find(directory: &Directory, name: &str) -> Option<Self> {
        let name = own_name(name.trim_end_matches('/'));
        let id = name.parse::<Uuid>().ok();
        if let Some(known) = FIRST_PARTY.iter().find(|(client_id, _, uri)| uri.eq_ignore_ascii_case(name) || id == Some(*client_id)) {
            return Some(Self::of_microsoft(known));
        }
        directory.apps.iter().find_map(|app| {
            let api = app.api.as_ref()?;
            (api.app_id_uri == name || id == Some(app.client_id)).then(|| Self::of_app(app, api, name))
        })
    }
    fn has_scope(&self, scope: &str) -> bool {
        self.api.as_ref().is_none_or(|api| api.scopes.iter().any(|s| s == scope))
    }
    /// What `/.default` stands for in a delegated request.
    fn all_scopes(&self) -> Vec<String> {
        self.api.as_ref().map_or_else(|| vec!["User.Read".to_owned()], |api| api.scopes.clone())
    }
}

/// Microsoft's name of an API that was named by the simulator's own address.
fn own_name(name: &str) -> &str {
    match name {
        _ if name.ends_with("/_graph") => FIRST_PARTY[0].2,
        _ if name.ends_with("/_arm") => FIRST_PARTY[1].2,
        _ => name,
    }
}

/// Whether a token for this audience is for the service. Resource Manager also answers to its older name.
pub fn is_audience(service: Service, audience: &str) -> bool {
    let audience = audience.trim_end_matches('/');
    let (id, _, uri) = &FIRST_PARTY[service as usize];
    let older = service == Service::Arm && audience == "https://management.core.windows.net";
    audience == *uri || audience.parse() == Ok(*id) || older
}

/// A delegated request, taken apart.
#[derive(Debug, Clone)]
pub struct Asked {
    pub resource: Resource,
    /// Scopes of that resource, without its name.
    pub scopes: Vec<String>,
    pub oidc: Vec<String>,
}

impl Asked {
    pub fn openid(&self) -> bool {
        self.oidc.iter().any(|s| s == "openid")
    }
    pub fn offline(&self) -> bool {
        self.oidc.iter().any(|s| s == "offline_access")
    }
    /// The `scope` of the answer: full names.
    pub fn granted(&self) -> String {
        let named = self.scopes.iter().map(|scope| format!("{}/{scope}", self.resource.requested));
        self.oidc.iter().filter(|s| *s != "offline_access").cloned().chain(named).collect::<Vec<_>>().join(" ")
    }
}

/// Reads the scopes of a signed-in request. Without a named API the token is for Graph, as Microsoft does it.
///
/// # Errors
/// AADSTS500011 for an API the directory lacks, AADSTS70011 for a scope it does not have, AADSTS28000 for two APIs at once.
pub fn delegated(directory: &Directory, scope: &str) -> Result<Asked, Aadsts> {
    let (mut oidc, mut scopes, mut resource) = (Vec::new(), Vec::new(), None::<Resource>);
    for word in scope.split_whitespace() {
        if OIDC_SCOPES.contains(&word) {
            oidc.push(word.to_owned());
            continue;
        }
        let (name, short) = split(word);
        let found = Resource::find(directory, name).ok_or_else(|| no_resource(name, directory))?;
        if resource.as_ref().is_some_and(|r| r.client_id != found.client_id) {
            return Err(Aadsts::new(
                28000,
                "invalid_request",
                "Provided value for the input parameter scope is not valid because it contains more than one resource.",
            ));
        }
        match short {
            ".default" => scopes.extend(found.all_scopes()),
            short if found.has_scope(short) => scopes.push(short.to_owned()),
            _ => {
                return Err(Aadsts::new(
                    70011,
                    "invalid_scope",
                    format!("The provided value for the input parameter 'scope' is not valid. The scope '{word}' does not exist."),
                ));
            }
        }
        resource = Some(found);
    }
    let resource = resource.unwrap_or_else(|| {
        scopes.extend(oidc.iter().filter(|s| *s != "offline_access").cloned());
        Resource::graph()
    });
    Ok(Asked { resource, scopes, oidc })
}

/// Reads the scope of an app-only request: exactly one `{API}/.default`.
pub fn app_only(directory: &Directory, scope: &str) -> Result<Resource, Aadsts> {
    let mut words = scope.split_whitespace();
    match (words.next().and_then(|word| word.strip_suffix("/.default")), words.next()) {
        (Some(name), None) => Resource::find(directory, name).ok_or_else(|| no_resource(name, directory)),
        _ => Err(Aadsts::new(
            1002012,
            "invalid_scope",
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        )),
    }
}

fn split(word: &str) -> (&str, &str) {
    match word.rsplit_once('/') {
        Some((name, short)) if !name.is_empty() => (name, short),
        _ => ("https://graph.microsoft.com", word),
    }
}

fn no_resource(name: &str, directory: &Directory) -> Aadsts {
    let text = format!(
        "The resource principal named {name} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
        directory.name
    );
    Aadsts::new(500011, "invalid_resource", text)
}

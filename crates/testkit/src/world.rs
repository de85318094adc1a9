//! A world: two tenants on one server, with the simulated cloud they sign in with.

use crate::actor::{Actor, Credential};
use crate::cluster::{Cluster, cluster};
use bailiwick_base::{Clock, DirectoryId};
use bailiwick_base::{ManualClock, SystemClock, SystemRng, TenantId};
use bailiwick_domain::worker;
use bailiwick_server::config::{Config, Person, Tenant as ConfigTenant, UnknownDirectory};
use bailiwick_server::runtime::{self, Role, Running};
use bailiwick_sim::demo::{API_CLIENT_ID, API_URI, CONTOSO, FABRIKAM, Org, PORTAL_CLIENT_ID};
use bailiwick_sim::{Sim, SimConfig};
use serde_json::json;
use sqlx::PgConnection;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// The simulated cloud of this test binary, on a runtime of its own so that it outlives each test's.
pub fn sim() -> &'static Sim {
    static SIM: OnceLock<Sim> = OnceLock::new();
    SIM.get_or_init(|| {
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async move {
                send.send(Sim::start(SimConfig::demo(&["http://localhost:8480/"])).await.unwrap()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        receive.recv().unwrap()
    })
}

/// One tenant of a world.
#[derive(Clone)]
pub struct Tenant {
    pub id: TenantId,
    pub org: Org,
    /// Where the server answers.
    pub url: String,
}

impl Tenant {
    fn person(&self, name: &'static str, object: Uuid) -> Actor {
        let token = sim().user_token(self.org.directory, object).unwrap();
        Actor::new(&format!("{} of {}", name, self.org.name), &self.url, Credential::Bearer(token))
    }
    pub fn owner(&self) -> Actor {
        self.person("owner", self.org.owner)
    }
    pub fn admin(&self) -> Actor {
        self.person("admin", self.org.admin)
    }
    pub fn member(&self) -> Actor {
        self.person("member", self.org.member)
    }
    pub fn auditor(&self) -> Actor {
        self.person("auditor", self.org.auditor)
    }
    /// A person of the directory whom nobody made a member.
    pub fn outsider(&self) -> Actor {
        self.person("outsider", self.org.unassigned)
    }
    /// A workload with the upload role.
    pub fn pipeline(&self) -> Actor {
        let token = sim().app_token(self.org.directory, self.org.pipeline).unwrap();
        Actor::new(&format!("pipeline of {}", self.org.name), &self.url, Credential::Bearer(token))
    }
    /// A workload without any role.
    pub fn bystander(&self) -> Actor {
        let token = sim().app_token(self.org.directory, self.org.bystander).unwrap();
        Actor::new(&format!("bystander of {}", self.org.name), &self.url, Credential::Bearer(token))
    }
    pub fn with_token(&self, token: &str) -> Actor {
        Actor::new("bearer", &self.url, Credential::Bearer(token.to_owned()))
    }
    pub fn with_key(&self, key: &str) -> Actor {
        Actor::new("key", &self.url, Credential::Key(key.to_owned()))
    }
    /// A new key, for the whole tenant or one project.
    pub async fn key(&self, project: Option<&str>) -> Actor {
        let created = self.owner().post("/api/v1/api-keys", json!({"name": "test", "project": project})).await.ok();
        self.with_key(created["key"].as_str().unwrap())
    }
    /// A new project; its id.
    pub async fn project(&self, name: &str) -> String {
        self.owner().post("/api/v1/projects", json!({"name": name})).await.ok()["id"].as_str().unwrap().to_owned()
    }
    pub fn anonymous(&self) -> Actor {
        Actor::new("anonymous", &self.url, Credential::None)
    }
}

/// Two tenants on one server.
pub struct World {
    pub clock: ManualClock,
    pub running: Running,
    pub contoso: Tenant,
    pub fabrikam: Tenant,
    pub database: String,
    pub cluster: &'static Cluster,
    pub config: Config,
    _folder: tempfile::TempDir,
}

impl World {
    /// A world with the standard configuration.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A world whose configuration was changed. Jobs are worked by [`World::work`] only.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let cluster = cluster().await;
        let database = cluster.database().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        change(&mut config);
        let clock = ManualClock::at(SystemClock.now());
        let (given, ticking) = (cluster.given(&database), Arc::new(clock.clone()));
        let running = runtime::start(&config, Role::Api, Some(given), ticking, Arc::new(SystemRng)).await.unwrap();
        let url = format!("http://{}", running.address);
        let tenants = running.services.store.tenants().await.unwrap();
        let tenant = |org: Org| {
            let id = tenants.iter().find(|t| t.directory == DirectoryId(org.directory)).unwrap().tenant;
            Tenant { id, org, url: url.clone() }
        };
        let world =
            Self { clock, contoso: tenant(CONTOSO), fabrikam: tenant(FABRIKAM), running, database, cluster, config, _folder: folder };
        for tenant in [&world.contoso, &world.fabrikam] {
            for (role, object) in [("admin", tenant.org.admin), ("member", tenant.org.member), ("auditor", tenant.org.auditor)] {
                let person = json!({"object_id": object, "name": format!("{role} of {}", tenant.org.name), "email": tenant.org.upn(role), "role": role});
                tenant.owner().post("/api/v1/members", person).await.ok();
            }
        }
        world
    }

    /// Works every due job; how many there were.
    pub async fn work(&self) -> usize {
        worker::drain(&self.running.services).await.unwrap()
    }

    /// A look at what is stored, as the database's administrator.
    pub async fn look(&self) -> PgConnection {
        self.cluster.look(&self.database).await
    }
}

/// The configuration of a world in a folder. The first tenant adds directories that reports name, the second refuses them.
pub fn config(folder: &std::path::Path) -> Config {
    let ca = folder.join("sim-ca.pem");
    std::fs::write(&ca, sim().ca_pem()).unwrap();
    let mut config = Config::load(None).unwrap();
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.data_folder = folder.join("data");
    config.entra.cloud = "custom".into();
    config.entra.login = sim().url();
    config.entra.graph = sim().url();
    config.entra.arm = sim().url();
    config.entra.vault_suffix = "vault.localhost".into();
    config.entra.extra_ca_file = ca;
    config.entra.private_ranges = vec!["127.0.0.0/8".into(), "::1/128".into()];
    config.tenants = vec![tenant(CONTOSO, UnknownDirectory::Add), tenant(FABRIKAM, UnknownDirectory::Refuse)];
    config
}

fn tenant(org: Org, unknown_directory: UnknownDirectory) -> ConfigTenant {
    ConfigTenant {
        name: org.name.into(),
        directory: DirectoryId(org.directory),
        client_id: PORTAL_CLIENT_ID.to_string(),
        label: org.name.into(),
        audiences: vec![API_CLIENT_ID.to_string(), API_URI.into()],
        scope: format!("{API_URI}/access_as_user"),
        unknown_directory,
        entitlements: None,
        owners: vec![Person { object_id: org.owner, name: format!("owner of {}", org.name), email: org.upn("owner") }],
    }
}

//! People, projects and keys of the two tenants. What is there already is kept.

use anyhow::Context;
use bailiwick_sim::Sim;
use bailiwick_sim::demo::{ORGS, Org};
use bailiwick_testkit::Actor;
use bailiwick_testkit::actor::Credential;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

/// A tenant as the demo knows it.
pub struct Tenant {
    pub org: Org,
    pub id: String,
    pub owner: Actor,
    /// Role, display name, sign-in name and a token, for people's own scripts.
    people: Vec<(&'static str, String, String, String)>,
    pub key: String,
    pub project_key: String,
    pub project: String,
}

pub const PROJECT: &str = "payments-api";
const ROLES: [&str; 4] = ["owner", "admin", "member", "auditor"];

fn object_of(org: &Org, role: &str) -> Uuid {
    match role {
        "owner" => org.owner,
        "admin" => org.admin,
        "member" => org.member,
        _ => org.auditor,
    }
}

/// The display name of a person in the scenario.
pub fn name_of(org: &Org, role: &str) -> String {
    let mut name = role.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{name} of {}", org.name)
}

impl Tenant {
    /// A token of the person in this role.
    pub fn bearer(&self, role: &str) -> anyhow::Result<&str> {
        let person = self.people.iter().find(|(of, ..)| *of == role);
        Ok(&person.with_context(|| format!("{} has no {role}", self.org.name))?.3)
    }

    /// Its part of demo.json.
    pub fn document(&self) -> Value {
        let user = |(role, _, email, bearer): &(&str, String, String, String)| json!({"email": email, "role": role, "bearer": bearer});
        json!({
            "name": self.org.name,
            "id": self.id,
            "users": self.people.iter().map(user).collect::<Vec<_>>(),
            "api_keys": {"tenant": self.key, "project": self.project_key},
            "projects": [{"id": self.project, "name": PROJECT}],
        })
    }

    pub fn people(&self) -> Vec<String> {
        self.people.iter().map(|(role, _, email, _)| format!("{email} ({role})")).collect()
    }
}

/// Makes sure that both tenants have their people, a project and two keys.
pub async fn tenants(sim: &Sim, url: &str, before: &Path) -> anyhow::Result<Vec<Tenant>> {
    let before: Value = std::fs::read(before).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
    let mut tenants = Vec::new();
    for (index, org) in ORGS.iter().enumerate() {
        tenants.push(tenant(sim, url, org, &before["tenants"][index]).await?);
    }
    Ok(tenants)
}

async fn tenant(sim: &Sim, url: &str, org: &Org, before: &Value) -> anyhow::Result<Tenant> {
    let mut people = Vec::new();
    for role in ROLES {
        let token = sim.user_token(org.directory, object_of(org, role))?;
        people.push((role, name_of(org, role), org.upn(role), token));
    }
    let owner = Actor::new("owner", url, Credential::Bearer(people[0].3.clone()));
    let me = good(owner.get("/api/v1/me").await)?;
    for (role, name, email, _) in &people[1..] {
        let person = json!({"object_id": object_of(org, role), "name": name, "email": email, "role": role});
        kept(owner.post("/api/v1/members", person).await)?;
    }
    kept(owner.post("/api/v1/directories", json!({"id": org.directory, "name": org.name})).await)?;
    kept(owner.post("/api/v1/projects", json!({"name": PROJECT})).await)?;
    let projects = good(owner.get("/api/v1/projects").await)?;
    let projects = projects["items"].as_array().cloned().unwrap_or_default();
    let project =
        projects.iter().find(|p| p["name"] == PROJECT).and_then(|p| p["id"].as_str()).context("the project is not there")?.to_owned();
    let key = key(&owner, url, "demo tenant key", None, before["api_keys"]["tenant"].as_str()).await?;
    let project_key = self::key(&owner, url, "demo project key", Some(&project), before["api_keys"]["project"].as_str()).await?;
    let id = me["tenant"].as_str().context("the tenant has no id")?.to_owned();
    Ok(Tenant { org: *org, id, owner, people, key, project_key, project })
}

/// The key of the last start, where it still works; else a new one.
async fn key(owner: &Actor, url: &str, name: &str, project: Option<&str>, before: Option<&str>) -> anyhow::Result<String> {
    if let Some(before) = before {
        let holder = Actor::new("key", url, Credential::Key(before.to_owned()));
        if holder.get("/api/v1/me").await.status == 200 {
            return Ok(before.to_owned());
        }
    }
    let created = good(owner.post("/api/v1/api-keys", json!({"name": name, "project": project})).await)?;
    Ok(created["key"].as_str().context("no key came")?.to_owned())
}

/// The body of a good answer.
pub fn good(answer: bailiwick_testkit::Answer) -> anyhow::Result<Value> {
    anyhow::ensure!((200..300).contains(&answer.status), "{}: {} {}", answer.what, answer.status, String::from_utf8_lossy(&answer.bytes));
    Ok(answer.json())
}

/// Good, or there already.
fn kept(answer: bailiwick_testkit::Answer) -> anyhow::Result<()> {
    if answer.status == 409 { Ok(()) } else { good(answer).map(drop) }
}

//! A stage: both tenants with evidence of their own, every kind of caller there is, and a request for any operation of the contract.
//!
//! Requests are made from the declarations: path parameters from what is on stage, bodies from their schemas. An operation whose
//! parameters have nothing on stage stops the test by its name, so a new operation is swept as soon as it is declared.

use aws_lc_rs::hmac;
use bailiwick_contract::{BodyKind, Effect, Grantee, Guard, OperationSpec, Role, operations};
use bailiwick_domain::worker;
use bailiwick_sim::{Forge, scenario};
use bailiwick_testkit::actor::sha256;
use bailiwick_testkit::{Actor, Answer, Tenant, World, sim};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the stage's webhooks lead.
const HOOK: &str = "http://127.0.0.1:9/contoso-hook";

/// The file that every run on stage holds.
pub const REPORT: &str = "TestResults.json";

/// The environment's application that reads. No directory of the stage knows it.
pub const READER: &str = "b0a71a1c-0000-4000-8000-0000000000d4";

/// What stands on the stage.
pub struct Stage {
    pub world: World,
    /// Contoso's project with evidence in it.
    pub project: String,
    /// Contoso's project that another key is bound to.
    pub other_project: String,
    /// Two processed runs of one series in the project, in order.
    pub runs: [String; 2],
    pub series: String,
    pub finding: String,
    /// A completed scan of Contoso's.
    pub scan: String,
    /// A directory of Contoso's that may be fixed, an applied fix of it, its plan, and somebody contained in it.
    pub fixed: String,
    pub fix: String,
    pub plan: String,
    pub containment: String,
    pub project_key: Actor,
    document: Value,
    next: AtomicU64,
}

/// What a request names in its path or body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Nothing that exists.
    Nothing,
    /// Something of Contoso's project.
    Project,
    /// Something of Contoso that belongs to no project.
    Tenant,
}

/// A request that has not been sent.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Body,
    pub names: Names,
}

#[derive(Debug, Clone)]
pub enum Body {
    None,
    Json(Value),
    Bytes(Vec<u8>),
}

impl Prepared {
    pub async fn send(&self, actor: &Actor) -> Answer {
        let request = actor.request(self.method.clone(), &self.path).query(&self.query);
        actor
            .send(match &self.body {
                Body::None => request,
                Body::Json(value) => request.json(value),
                Body::Bytes(bytes) => request.body(bytes.clone()),
            })
            .await
    }
}

/// What a caller is to Contoso.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Presents nothing that holds.
    Nobody,
    /// A valid sign-in of the directory, and no member.
    Stranger,
    /// A workload of the directory without the upload role.
    WithoutRole,
    Ours(Grantee),
    /// A key bound to the project on stage.
    OurProject,
    /// A key bound to another project of the tenant.
    OtherProject,
    /// A caller of another tenant.
    Foreign(Grantee),
}

pub struct Caller {
    pub name: &'static str,
    pub actor: Actor,
    pub kind: Kind,
}

impl Stage {
    pub async fn new() -> Self {
        crate::logs::keep();
        let world = World::with(|config| {
            let limits = &mut config.limits;
            for limit in
                [&mut limits.open_per_minute, &mut limits.read_per_minute, &mut limits.write_per_minute, &mut limits.upload_per_minute]
            {
                *limit = 1_000_000;
            }
            let secret = config.data_folder.with_file_name("reader-secret");
            std::fs::write(&secret, "stage-reader-secret").unwrap();
            crate::assistant::configure(config);
            // Webhooks of the stage lead to this machine, where nobody listens.
            config.notifications.private_ranges = vec!["127.0.0.0/8".into()];
            config.microsoft.reader.client_id = READER.into();
            config.microsoft.reader.secret_file = secret;
        })
        .await;
        let (contoso, fabrikam) = (&world.contoso, &world.fabrikam);
        let (project, other_project) = (contoso.project("Contoso payments").await, contoso.project("Contoso warehouse").await);
        let project_key = contoso.key(Some(&project)).await;
        let mut runs = Vec::new();
        for day in [1, 2] {
            let report = scenario::maester_report(&contoso.org, day);
            runs.push(project_key.submit(json!({"source": "nightly", "pipeline_run_id": day.to_string()}), &[(REPORT, &report)]).await);
            world.work().await;
        }
        contoso.pipeline().submit(json!({"source": "weekly"}), &[("ztna.json", &scenario::zero_trust_report(&contoso.org))]).await;
        fabrikam.owner().post("/api/v1/directories", json!({"id": fabrikam.org.directory, "name": "Fabrikam"})).await.ok();
        fabrikam.pipeline().submit(json!({"source": "nightly"}), &[(REPORT, &scenario::maester_report(&fabrikam.org, 1))]).await;
        world.work().await;
        let owner = contoso.owner();
        let detail = owner.get(&format!("/api/v1/runs/{}", runs[1])).await.ok();
        assert_eq!(detail["state"], "succeeded", "{detail:#}");
        let series = detail["series"][0]["series"].as_str().unwrap().to_owned();
        let findings = owner.get(&format!("/api/v1/findings?project={project}")).await.ok();
        let finding = findings["items"][0]["id"].as_str().unwrap().to_owned();
        let runs = runs.try_into().unwrap();
        let document = bailiwick_contract::openapi::document();
        let (scan, fixed, fix, plan, containment) = Default::default();
        let mut stage = Self {
            world,
            project,
            other_project,
            runs,
            series,
            finding,
            scan,
            fixed,
            fix,
            plan,
            containment,
            project_key,
            document,
            next: AtomicU64::new(1),
        };
        stage.scan = stage.completed_scan().await;
        stage.settle_scans().await;
        stage.settle_notifications().await;
        stage.settle_fixes().await;
        stage
    }

    pub fn contoso(&self) -> &Tenant {
        &self.world.contoso
    }

    /// Every kind of caller.
    pub async fn callers(&self) -> Vec<Caller> {
        let (contoso, fabrikam) = (&self.world.contoso, &self.world.fabrikam);
        let expired_token = sim().forge(contoso.org.directory, contoso.org.owner, Forge::Expired).unwrap();
        let role = |role| Kind::Ours(Grantee::Role(role));
        let caller = |name, actor, kind| Caller { name, actor, kind };
        vec![
            caller("anonymous", contoso.anonymous(), Kind::Nobody),
            caller("expired token", contoso.with_token(&expired_token), Kind::Nobody),
            caller("revoked key", self.revoked_key().await, Kind::Nobody),
            caller("expired key", self.expired_key().await, Kind::Nobody),
            caller("outsider of the directory", contoso.outsider(), Kind::Stranger),
            caller("workload without role", contoso.bystander(), Kind::WithoutRole),
            caller("owner of another tenant", fabrikam.owner(), Kind::Foreign(Grantee::Role(Role::Owner))),
            caller("key of another tenant", fabrikam.key(None).await, Kind::Foreign(Grantee::Key)),
            caller("pipeline of another tenant", fabrikam.pipeline(), Kind::Foreign(Grantee::Workload)),
            caller("key of another project", contoso.key(Some(&self.other_project)).await, Kind::OtherProject),
            caller("project key", self.project_key.clone(), Kind::OurProject),
            caller("tenant key", contoso.key(None).await, Kind::Ours(Grantee::Key)),
            caller("pipeline", contoso.pipeline(), Kind::Ours(Grantee::Workload)),
            caller("auditor", contoso.auditor(), role(Role::Auditor)),
            caller("member", contoso.member(), role(Role::Member)),
            caller("admin", contoso.admin(), role(Role::Admin)),
            caller("owner", contoso.owner(), role(Role::Owner)),
        ]
    }

    async fn revoked_key(&self) -> Actor {
        let owner = self.contoso().owner();
        let created = owner.post("/api/v1/api-keys", json!({"name": "revoked"})).await.ok();
        owner.delete(&format!("/api/v1/api-keys/{}", created["api_key"]["id"].as_str().unwrap())).await.ok();
        self.contoso().with_key(created["key"].as_str().unwrap())
    }

    /// A key whose end is put into the past by the administrator: the clock of this world stands, as the tokens need it.
    async fn expired_key(&self) -> Actor {
        let created = self.contoso().owner().post("/api/v1/api-keys", json!({"name": "expired"})).await.ok();
        sqlx::query("UPDATE bailiwick.api_keys SET expires_at = created_at - interval '1 hour' WHERE id = $1::uuid")
            .bind(created["api_key"]["id"].as_str().unwrap())
            .execute(&mut self.world.look().await)
            .await
            .unwrap();
        self.contoso().with_key(created["key"].as_str().unwrap())
    }

    /// A number nobody had yet.
    pub fn fresh(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn fresh_id(&self) -> String {
        uuid::Uuid::from_u128(0xb411_0000_0000_4000_8000_0000_0000_0000_u128 | u128::from(self.fresh())).to_string()
    }

    /// A run of the project that takes artifacts.
    async fn receiving(&self) -> String {
        let new = json!({"source": "stage", "project": self.project});
        self.contoso().owner().post("/api/v1/runs", new).await.ok()["id"].as_str().unwrap().to_owned()
    }

    /// Bytes no run holds yet, and no report.
    fn bytes(&self) -> Vec<u8> {
        format!("{{\"stage\": {}}}", self.fresh()).into_bytes()
    }

    /// A request for the operation that its owner may make, on things made for it alone where it changes them.
    pub async fn prepare(&self, op: &'static OperationSpec) -> Prepared {
        let owner = self.contoso().owner();
        let fresh = op.effect == Effect::Write;
        let mut names = Names::Nothing;
        let mut params: BTreeMap<&str, String> = BTreeMap::new();
        for param in op.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let (value, belongs) = match param {
                "run" if fresh => (self.receiving().await, Names::Project),
                "run" => (self.runs[1].clone(), Names::Project),
                "series" => (self.series.clone(), Names::Project),
                "finding" => (self.finding.clone(), Names::Project),
                "name" => (if fresh { format!("{}.json", self.fresh()) } else { REPORT.into() }, Names::Project),
                "member" => (self.new_member(&owner).await, Names::Tenant),
                "api_key" => (id_of(&owner, "/api/v1/api-keys", json!({"name": "stage"}), "/api_key/id").await, Names::Tenant),
                "connection" => (self.new_connection(&owner).await, Names::Tenant),
                "scan" if fresh => (self.new_scan(&owner).await, Names::Tenant),
                "scan" => (self.scan.clone(), Names::Tenant),
                "check" => (CHECK.into(), Names::Tenant),
                "fix" if fresh => (self.new_fix(fix_state(op.id)).await.0, Names::Tenant),
                "fix" => (self.fix.clone(), Names::Tenant),
                "plan" => (self.plan.clone(), Names::Tenant),
                "containment" if fresh => (self.new_containment().await, Names::Tenant),
                "containment" => (self.containment.clone(), Names::Tenant),
                "channel" => (self.new_channel(&owner).await, Names::Tenant),
                "rule" => (self.new_rule(&owner).await, Names::Tenant),
                "delivery" => (self.new_delivery(&self.new_channel(&owner).await, "dead").await, Names::Tenant),
                "schedule" => (self.new_schedule(&owner).await, Names::Tenant),
                "pack" => (self.new_pack(&owner).await, Names::Tenant),
                "version" => ("1".into(), Names::Tenant),
                "directory" => (
                    id_of(&owner, "/api/v1/directories", json!({"id": self.fresh_id(), "name": "Contoso branch"}), "/id").await,
                    Names::Tenant,
                ),
                other => panic!("{}: nothing on stage for the parameter {{{other}}}: add it to stage.rs", op.id),
            };
            params.insert(param, value);
            names = belongs;
        }
        let mut path = op.path.to_owned();
        for (name, value) in &params {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let body = match op.body {
            BodyKind::None => Body::None,
            BodyKind::Stream => Body::Bytes(self.bytes()),
            BodyKind::Json(_) => Body::Json(self.minimal_body(op)),
        };
        let mut prepared = Prepared { method: op.method.as_str().parse().unwrap(), path, query: self.query(op), body, names };
        self.finish(op, &params, &mut prepared).await;
        prepared
    }

    /// What a few operations need beyond their declaration: a state to begin from, or a value that fits another.
    async fn finish(&self, op: &OperationSpec, params: &BTreeMap<&str, String>, prepared: &mut Prepared) {
        let owner = self.contoso().owner();
        let body = if let Body::Json(value) = &mut prepared.body { value } else { &mut Value::Null };
        match op.id {
            "open_run" => {
                body["project"] = json!(self.project);
                prepared.names = Names::Project;
            }
            "complete_run" => {
                let bytes = self.bytes();
                owner.put_bytes(&format!("/api/v1/runs/{}/artifacts/a.json", params["run"]), &bytes).await.ok();
                body["artifacts"] = json!([{"name": "a.json", "sha256": sha256(&bytes)}]);
            }
            "retry_run" => {
                let (run, bytes) = (&params["run"], self.bytes());
                owner.put_bytes(&format!("/api/v1/runs/{run}/artifacts/a.json"), &bytes).await.ok();
                owner.complete(run, &[("a.json", &bytes)]).await.ok();
                self.world.work().await;
            }
            "get_drift" => {
                prepared.query.extend([("from".into(), self.runs[0].clone()), ("to".into(), self.runs[1].clone())]);
                prepared.names = Names::Project;
            }
            "pin_baseline" => body["run"] = json!(self.runs[0]),
            "unpin_baseline" => {
                owner.put(&prepared.path, json!({"run": self.runs[0]})).await.ok();
            }
            // The catalogue is the product's: every tenant reads the same.
            "get_catalogue_check" => prepared.names = Names::Nothing,
            "change_settings" => body["unknown_directory"] = json!("add"),
            "connect_own_application" => {
                body["client_id"] = json!(self.fresh_id());
                body["credential"] = json!({"kind": "secret", "secret": "stage"});
            }
            "change_connection" => body["label"] = json!(format!("s{}", self.fresh())),
            "complete_consent" => {
                let begun = owner.post("/api/v1/consents", json!({"kind": "read", "directory": self.fresh_id()})).await.ok();
                let url = reqwest::Url::parse(begun["url"].as_str().unwrap()).unwrap();
                let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
                *body = json!({"state": state, "error": "access_denied", "error_subcode": "cancel"});
                prepared.names = Names::Tenant;
            }
            "start_scan" => {
                body["connection"] = json!(self.new_connection(&owner).await);
                prepared.names = Names::Tenant;
            }
            "create_scan_schedule" | "change_scan_schedule" => {
                let connection = self.new_connection(&owner).await;
                body["connection"] = json!(connection);
                (body["cron"], body["zone"]) = (json!("30 2 * * *"), json!("Europe/Berlin"));
                prepared.names = Names::Tenant;
            }
            "plan_fixes" => {
                *body = json!({"directory": self.fixed, "policies": ["guest_invites"]});
                prepared.names = Names::Tenant;
            }
            "approve_fix" | "apply_fix" | "roll_back_fix" => body["digest"] = json!(DIGEST),
            "contain_user" => {
                *body =
                    json!({"directory": self.fixed, "user": self.fresh_id(), "revoke_sessions": true, "disable": false, "reason": "stage"});
                prepared.names = Names::Tenant;
            }
            "create_channel" => body["config"] = json!({"kind": "webhook", "url": HOOK}),
            "change_channel" => body["name"] = json!(format!("s{}", self.fresh())),
            "create_notification_rule" | "change_notification_rule" => {
                body["channel"] = json!(self.new_channel(&owner).await);
                body["events"] = json!(["run_failed"]);
                prepared.names = Names::Tenant;
            }
            "preview_notification" => {
                prepared.query.extend([("event".into(), "fix_waiting".into()), ("channel".into(), "webhook".into())]);
            }
            "unsubscribe" => prepared.query.push(("token".into(), self.unsubscribe_token(&owner).await)),
            "add_pack" => body["files"] = pack_files(body["name"].as_str().unwrap(), body["version"].as_str().unwrap()),
            _ => {}
        }
    }

    async fn new_member(&self, owner: &Actor) -> String {
        id_of(owner, "/api/v1/members", json!({"object_id": self.fresh_id(), "name": "Contoso temp", "role": "member"}), "/id").await
    }

    /// A connection to a directory nobody knows yet.
    async fn new_connection(&self, owner: &Actor) -> String {
        let credential = json!({"kind": "secret", "secret": "stage"});
        let new = json!({"kind": "read", "directory": self.fresh_id(), "client_id": self.fresh_id(), "credential": credential});
        id_of(owner, "/api/v1/connections", new, "/id").await
    }

    async fn new_scan(&self, owner: &Actor) -> String {
        let connection = self.new_connection(owner).await;
        id_of(owner, "/api/v1/scans", json!({"kind": "compliance", "connection": connection}), "/id").await
    }

    async fn new_schedule(&self, owner: &Actor) -> String {
        let connection = self.new_connection(owner).await;
        let new =
            json!({"name": format!("s{}", self.fresh()), "kind": "exposure", "connection": connection, "cron": "0 3 * * *", "zone": "UTC"});
        id_of(owner, "/api/v1/scan-schedules", new, "/id").await
    }

    async fn new_channel(&self, owner: &Actor) -> String {
        let new = json!({"name": format!("contoso desk {}", self.fresh()), "config": {"kind": "webhook", "url": HOOK}});
        id_of(owner, "/api/v1/channels", new, "/channel/id").await
    }

    async fn new_rule(&self, owner: &Actor) -> String {
        let (name, channel) = (format!("s{}", self.fresh()), self.new_channel(owner).await);
        let timing = json!({"kind": "daily", "at": "07:30", "time_zone": "UTC"});
        let new = json!({"name": name, "channel": channel, "events": ["run_failed"], "timing": timing, "enabled": false});
        id_of(owner, "/api/v1/notification-rules", new, "/id").await
    }

    /// A delivery in a state, put together by hand, with what it tells of and one try.
    async fn new_delivery(&self, channel: &str, state: &str) -> String {
        let (id, event) = (self.fresh_id(), self.fresh_id());
        let subject = format!(r#"{{"event": "run_failed", "run": "{}", "project": null}}"#, self.runs[0]);
        sqlx::query(
            "WITH c AS (SELECT tenant_id, id FROM bailiwick.channels WHERE id = $1::uuid),
                 e AS (INSERT INTO bailiwick.notification_events (tenant_id, id, kind, at, subject)
                       SELECT tenant_id, $3::uuid, 'run_failed', now(), $5::jsonb FROM c),
                 d AS (INSERT INTO bailiwick.deliveries (tenant_id, id, kind, state, channel_id, event_ids, subject, attempts, created_at, due_at)
                       SELECT tenant_id, $2::uuid, 'immediate', $4, id, ARRAY[$3::uuid], 'contoso: a report was refused', 1, now(), now() FROM c)
             INSERT INTO bailiwick.delivery_tries (tenant_id, delivery_id, number, at, took_ms, outcome, code, detail)
             SELECT tenant_id, $2::uuid, 1, now(), 1, 'later', 'unreachable', 'nobody' FROM c",
        )
        .bind(channel)
        .bind(&id)
        .bind(&event)
        .bind(state)
        .bind(subject)
        .execute(&mut self.world.look().await)
        .await
        .unwrap();
        id
    }

    /// The token of a link that nobody has used yet, made as a mail's would be.
    async fn unsubscribe_token(&self, owner: &Actor) -> String {
        owner.put("/api/v1/me/notifications", json!({"mail": "all"})).await.ok();
        let (services, tenant) = (&self.world.running.services, self.contoso().id);
        let mut scope = services.store.read(tenant, &worker::system("stage", None), &worker::nobody()).await.unwrap();
        let key = scope.secret(&services.keyring, "notifications/unsubscribe").await.unwrap().unwrap();
        let row: uuid::Uuid = sqlx::query_scalar("SELECT id FROM bailiwick.mail_preferences WHERE tenant_id = $1 AND address = $2")
            .bind(tenant.0)
            .bind(self.contoso().org.upn("owner"))
            .fetch_one(&mut self.world.look().await)
            .await
            .unwrap();
        let ids = [tenant.0.as_bytes().as_slice(), row.as_bytes()].concat();
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), &[b"unsubscribe".as_slice(), &ids].concat());
        format!("bwu_{}", BASE64_URL_SAFE_NO_PAD.encode([&ids, &mac.as_ref()[..16]].concat()))
    }

    /// One of everything that notifications store.
    async fn settle_notifications(&self) {
        let owner = self.contoso().owner();
        let (rule, channel) = (self.new_rule(&owner).await, self.new_channel(&owner).await);
        let delivery = self.new_delivery(&channel, "delivered").await;
        self.unsubscribe_token(&owner).await;
        sqlx::query(
            "INSERT INTO bailiwick.digest_entries (tenant_id, rule_id, event_id)
             SELECT tenant_id, $2::uuid, event_ids[1] FROM bailiwick.deliveries WHERE id = $1::uuid",
        )
        .bind(delivery)
        .bind(rule)
        .execute(&mut self.world.look().await)
        .await
        .unwrap();
    }

    async fn new_pack(&self, owner: &Actor) -> String {
        let name = format!("s{}", self.fresh());
        let new = json!({"name": name, "version": "1", "files": pack_files(&name, "1")});
        id_of(owner, "/api/v1/scan-packs", new, "/name").await
    }

    /// A scan that has completed, put together by hand: its report is a run's artifact, as a scanner's would be.
    async fn completed_scan(&self) -> String {
        let (owner, report) = (self.contoso().owner(), scan_report(&self.contoso().org.directory.to_string()));
        let scan = self.new_scan(&owner).await;
        let run = owner.submit(json!({"source": "Bailiwick compliance scan"}), &[("scan.json", &report)]).await;
        sqlx::query(
            "UPDATE bailiwick.scans SET state = 'completed', ending = NULL, run_id = $2::uuid, score = 0, complete = true, catalogue = '1',
                counts = '{\"percent\": 0, \"passed\": 0, \"failed\": 1, \"unclear\": 0, \"skipped\": 0}' WHERE id = $1::uuid",
        )
        .bind(&scan)
        .bind(&run)
        .execute(&mut self.world.look().await)
        .await
        .unwrap();
        self.world.work().await;
        // What a scan keeps while it is under way.
        for statement in [
            "INSERT INTO bailiwick.scan_checkpoints SELECT tenant_id, id, sha256('a'), 1, 1, 'sealed' FROM bailiwick.scans WHERE id = $1::uuid",
            "INSERT INTO bailiwick.scan_progress SELECT tenant_id, id, '{\"phase\": \"storing\", \"requests_planned\": 1, \"requests_done\": 1,
                \"checks_planned\": 1, \"checks_judged\": 1, \"requests_resumed\": 0}', 1, queued_at FROM bailiwick.scans WHERE id = $1::uuid
             ON CONFLICT DO NOTHING",
        ] {
            sqlx::query(statement).bind(&scan).execute(&mut self.world.look().await).await.unwrap();
        }
        scan
    }

    /// One of everything else that scans and connections store.
    async fn settle_scans(&self) {
        let (owner, directory) = (self.contoso().owner(), self.contoso().org.directory);
        self.new_schedule(&owner).await;
        self.new_pack(&owner).await;
        owner.post("/api/v1/consents", json!({"kind": "read", "directory": self.fresh_id()})).await.ok();
        owner.put(&format!("/api/v1/scan-settings/{directory}"), json!({"emergency_accounts": [self.fresh_id()]})).await.ok();
    }

    /// A directory that may be fixed, with one of everything that fixes store.
    async fn settle_fixes(&mut self) {
        let owner = self.contoso().owner();
        let connection = owner.get(&format!("/api/v1/connections/{}", self.new_connection(&owner).await)).await.ok();
        self.fixed = connection["directory"]["id"].as_str().unwrap().to_owned();
        let credential = json!({"kind": "secret", "secret": "stage"});
        let writer = json!({"kind": "write", "directory": self.fixed, "client_id": self.fresh_id(), "credential": credential});
        owner.post("/api/v1/connections", writer).await.ok();
        owner.put(&format!("/api/v1/fix-settings/{}", self.fixed), json!({"enabled": true, "containment": true})).await.ok();
        (self.fix, self.plan) = self.new_fix("applied").await;
        self.containment = self.new_containment().await;
    }

    /// A fix in a state, put together by hand, with its plan; one that waits for nobody is approved.
    async fn new_fix(&self, state: &str) -> (String, String) {
        let (fix, plan, object) = (self.fresh_id(), self.fresh_id(), format!("s{}", self.fresh()));
        let values = ["{\"allowInvitesFrom\": \"everyone\"}", "{\"allowInvitesFrom\": \"none\"}"];
        let change = format!(
            r#"{{"recipe": "stage", "version": 1, "kind": "patch", "object": null, "service": "graph", "method": "PATCH",
                "read": "/v1.0/policies/authorizationPolicy", "write": "/v1.0/policies/authorizationPolicy", "body": {1},
                "before": {0}, "after": {1}, "changed": [{{"path": "allowInvitesFrom", "before": "everyone", "after": "none"}}]}}"#,
            values[0], values[1]
        );
        let facts = r#"{"title": "Guests are invited by few", "version": 1, "kind": "patch", "checks": [], "risk": "low", "blast_radius": "b",
            "rollback": "r", "permission": "Policy.ReadWrite.Authorization", "url": "https://graph.microsoft.com/v1.0/policies/authorizationPolicy",
            "report_only": false}"#;
        let person = r#"{"kind": "user", "id": "stage", "name": "Somebody of Contoso"}"#;
        // Each part reads the directory's row: what one part inserts is not seen by the others.
        sqlx::query(
            "WITH d AS (SELECT tenant_id, id FROM bailiwick.directories WHERE id = $3::uuid),
                 p AS (INSERT INTO bailiwick.fix_plans (tenant_id, id, directory_id, left_out, created_at, created_by)
                       SELECT tenant_id, $1::uuid, id, '[]', now(), $6::jsonb FROM d),
                 f AS (INSERT INTO bailiwick.fixes (tenant_id, id, plan_id, directory_id, recipe, object_id, severity, facts, change, digest,
                              planned_at, state, approvals_needed, applied_at, applied_by)
                       SELECT tenant_id, $2::uuid, $1::uuid, id, 'stage', $4, 3, $7::jsonb, $8::jsonb, $9, now(), $5, 1, now(), $6::jsonb FROM d),
                 a AS (INSERT INTO bailiwick.fix_approvals (tenant_id, fix_id, principal, digest, approved_at, approved_by, note)
                       SELECT tenant_id, $2::uuid, (SELECT min(m.id::text) FROM bailiwick.members m WHERE m.tenant_id = d.tenant_id
                              AND m.role = 'owner'), $9, now(), $6::jsonb, 'yes' FROM d WHERE $5 <> 'proposed')
             INSERT INTO bailiwick.write_steps (tenant_id, id, fix_id, number, order_no, purpose, kind, method, url, at, outcome, status,
                    settled_at)
             SELECT tenant_id, $1::uuid, $2::uuid, 1, 0, 'apply', 'write', 'PATCH', 'https://graph.microsoft.com/v1.0', now(), 'answered', 204,
                    now() FROM d",
        )
        .bind(&plan)
        .bind(&fix)
        .bind(&self.fixed)
        .bind(&object)
        .bind(state)
        .bind(person)
        .bind(facts)
        .bind(&change)
        .bind(DIGEST)
        .execute(&mut self.world.look().await)
        .await
        .unwrap();
        (fix, plan)
    }

    /// Somebody whose account was disabled, put together by hand.
    async fn new_containment(&self) -> String {
        let (id, user) = (self.fresh_id(), self.fresh_id());
        sqlx::query(
            "WITH d AS (SELECT tenant_id, id FROM bailiwick.directories WHERE id = $3::uuid),
                 c AS (INSERT INTO bailiwick.containments (tenant_id, id, directory_id, user_id, revoke_sessions, disable, reason, ordered_at,
                              ordered_by)
                       SELECT tenant_id, $1::uuid, id, $2, false, true, 'stage', now(),
                              '{\"kind\": \"user\", \"id\": \"stage\", \"name\": \"Somebody\"}' FROM d)
             INSERT INTO bailiwick.containment_acts (tenant_id, containment_id, act, state, order_no, ordered_at, done_at, changed)
             SELECT tenant_id, $1::uuid, 'disable', 'done', 1, now(), now(), true FROM d",
        )
        .bind(&id)
        .bind(&user)
        .bind(&self.fixed)
        .execute(&mut self.world.look().await)
        .await
        .unwrap();
        id
    }

    fn declared(&self, op: &OperationSpec) -> &Value {
        &self.document["paths"][op.path][op.method.as_str().to_lowercase()]
    }

    /// The names of the operation's query parameters.
    pub fn query_names(&self, op: &OperationSpec) -> Vec<String> {
        let parameters = self.declared(op)["parameters"].as_array().into_iter().flatten();
        parameters.filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Filters by what is Contoso's, wherever an operation has such filters.
    fn query(&self, op: &OperationSpec) -> Vec<(String, String)> {
        let names = self.query_names(op);
        let filters = [("directory", self.contoso().org.directory.to_string()), ("project", self.project.clone())];
        filters.into_iter().filter(|(name, _)| names.iter().any(|n| n == name)).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The schema of the operation's JSON body.
    pub fn body_schema(&self, op: &OperationSpec) -> &Value {
        self.resolve(&self.declared(op)["requestBody"]["content"]["application/json"]["schema"])
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(place) => self.document.pointer(place.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The smallest body the schema takes.
    pub fn minimal_body(&self, op: &OperationSpec) -> Value {
        self.minimal(self.body_schema(op))
    }

    fn minimal(&self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(one) = schema["oneOf"].get(0) {
            return self.minimal(one);
        }
        if let Some(first) = schema["enum"].get(0).or_else(|| schema["oneOf"][0].get("const")) {
            return first.clone();
        }
        match schema["type"].as_str() {
            Some("object") => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                Value::Object(required.map(|name| (name.to_owned(), self.minimal(&schema["properties"][name]))).collect::<Map<_, _>>())
            }
            Some("array") => json!([]),
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(false),
            Some("string") if schema["format"] == "uuid" => json!(self.fresh_id()),
            Some("string") => json!(format!("s{}", self.fresh())),
            other => panic!("no minimal value for the type {other:?}: {schema}"),
        }
    }
}

/// What the stage's fixes are approved by.
const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// The state in which a fix takes an operation.
fn fix_state(op: &str) -> &'static str {
    match op {
        "apply_fix" => "approved",
        "roll_back_fix" => "applied",
        _ => "proposed",
    }
}

/// The files of a pack that says nothing.
fn pack_files(name: &str, version: &str) -> Value {
    json!({"pack.yaml": format!("name: {name}\nversion: \"{version}\"\npackage: stage\n"), "checks.rego": "package stage\n\nresults := []\n"})
}

/// The check of the catalogue that the stage's scan has judged.
pub const CHECK: &str = "entra.authorization-policy.guest-invite";

/// A scanner's report with one failed check.
pub fn scan_report(directory: &str) -> Vec<u8> {
    let score = json!({"passed": 0, "failed": 1, "unclear": 0, "skipped": 0, "percent": 0.0, "band": "Critical risk"});
    let result = json!({
        "check": CHECK, "version": 1, "title": "Guests are invited by few", "product": "entra", "severity": "medium", "verdict": "failed",
        "reason": null, "actual": "everyone", "expected": {"in": ["none"]}, "path": "allowInvitesFrom",
        "request": "/v1.0/policies/authorizationPolicy", "objects": [], "object_count": 0, "exclusions": [], "would_pass_if_enforced": false,
        "frameworks": [{"framework": "cis_m365", "version": "7.0", "control": "5.1.6.3", "verdict": "failed"}],
        "remediation": "Set who may invite guests.", "references": []
    });
    let report = json!({
        "schema": "bailiwick.scan/1", "directory": directory, "directory_name": "Contoso", "kind": "compliance",
        "started_at": "2026-11-22T08:00:00Z", "catalogue": "1", "complete": true, "results": [result],
        "sources": [{"service": "graph", "path": "/v1.0/policies/authorizationPolicy", "state": "read", "status": 200, "requests": 1, "pages": 1, "items": 1, "checks": 1, "message": null}],
        "scores": {"overall": score, "by_product": {"entra": score}, "by_framework": {"cis_m365 7.0": score}}, "packs": []
    });
    serde_json::to_vec(&report).unwrap()
}

async fn id_of(owner: &Actor, path: &str, body: Value, place: &str) -> String {
    owner.post(path, body).await.ok().pointer(place).unwrap().as_str().unwrap().to_owned()
}

/// What the permission table says the caller gets for the request.
pub fn expected(op: &OperationSpec, kind: Kind, names: Names) -> u16 {
    let allows = |who: Grantee| match op.guard {
        Guard::Open(_) | Guard::AnyCaller => true,
        Guard::Needs(permission) => permission.held_by(who),
    };
    if matches!(op.guard, Guard::Open(_)) {
        return op.status;
    }
    match kind {
        Kind::Nobody => 401,
        Kind::Stranger | Kind::WithoutRole => 403,
        Kind::Ours(who) => {
            if allows(who) {
                op.status
            } else {
                403
            }
        }
        Kind::OurProject | Kind::OtherProject if !allows(Grantee::Key) => 403,
        Kind::OurProject => {
            if names == Names::Tenant {
                404
            } else {
                op.status
            }
        }
        Kind::OtherProject => {
            if names != Names::Nothing {
                404
            } else {
                op.status
            }
        }
        Kind::Foreign(who) if !allows(who) => 403,
        Kind::Foreign(_) => {
            if names == Names::Nothing {
                op.status
            } else {
                404
            }
        }
    }
}

/// The operations that leave an entry in the trail.
pub fn audited() -> Vec<&'static OperationSpec> {
    operations().into_iter().filter(|op| op.effect != Effect::Read).collect()
}

//! Tokens against the real server: every wrong one is refused, keys roll over, time runs out, and a silent key endpoint is nobody's fault.

use bailiwick_base::{Clock, ManualClock, SystemClock, SystemRng};
use bailiwick_server::config::Config;
use bailiwick_server::runtime::{self, Role, Running};
use bailiwick_sim::demo::{CONTOSO, FABRIKAM};
use bailiwick_sim::{Fault, FaultAction, FaultMatch, Forge, Sim, SimConfig};
use bailiwick_testkit::actor::{Actor, Answer, Credential};
use bailiwick_testkit::{World, cluster, sim, world};
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;

/// A server of its own with a cloud of its own, for what would disturb others' cloud.
struct Lone {
    sim: Sim,
    clock: ManualClock,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Lone {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        crate::logs::keep();
        let (folder, sim) = (tempfile::tempdir().unwrap(), Sim::start(SimConfig::demo(&["http://localhost:8480/"])).await.unwrap());
        let mut config = world::config(folder.path());
        std::fs::write(&config.entra.extra_ca_file, sim.ca_pem()).unwrap();
        for url in [&mut config.entra.login, &mut config.entra.graph, &mut config.entra.arm] {
            *url = sim.url();
        }
        change(&mut config);
        let cluster = cluster::cluster().await;
        let database = cluster.database().await;
        let clock = ManualClock::at(SystemClock.now());
        let running =
            runtime::start(&config, Role::Api, Some(cluster.given(&database)), Arc::new(clock.clone()), Arc::new(SystemRng)).await.unwrap();
        Self { sim, clock, running, _folder: folder }
    }

    fn bearer(&self, token: &str) -> Actor {
        Actor::new("bearer", &format!("http://{}", self.running.address), Credential::Bearer(token.to_owned()))
    }

    /// The owner with a token made now.
    fn owner(&self) -> Actor {
        self.bearer(&self.sim.user_token(CONTOSO.directory, CONTOSO.owner).unwrap())
    }
}

/// The kinds that are rightly made: a version 1 token, and one of somebody else's own directory.
const RIGHT: [Forge; 2] = [Forge::V1, Forge::OtherDirectory];

async fn try_out(world: &World, wrong: Forge) -> (Answer, Answer) {
    let token = sim().forge(world.contoso.org.directory, world.contoso.org.owner, wrong).unwrap();
    let bearer = world.contoso.with_token(&token);
    (bearer.get("/api/v1/me").await, bearer.post("/api/v1/runs", json!({"source": "forged"})).await)
}

#[tokio::test]
async fn i2_every_wrong_token_is_refused_on_reading_and_on_submitting() {
    let world = World::new().await;
    for wrong in Forge::ALL.iter().filter(|wrong| !RIGHT.contains(wrong)) {
        let (read, submit) = try_out(&world, *wrong).await;
        for answer in [read, submit] {
            let told = answer.headers.get("www-authenticate").map(|v| v.to_str().unwrap().to_owned());
            assert_eq!(answer.refused(401), "not_signed_in", "{wrong:?}");
            assert!(told.is_some_and(|t| t.starts_with("Bearer ")), "{wrong:?} gives no challenge");
        }
    }
    let runs = world.contoso.owner().get("/api/v1/runs").await.ok();
    assert_eq!(runs["items"], json!([]), "a refused submission left a run");
}

/// The algorithm is the server's choice, and a key counts only for the issuer that published it.
#[tokio::test]
async fn i4_tricks_with_the_algorithm_or_the_key_are_refused() {
    let world = World::new().await;
    for wrong in [
        Forge::Unsigned,
        Forge::HmacWithPublicKey,
        Forge::UnknownKid,
        Forge::WrongKey,
        Forge::KeyOfOtherIssuer,
        Forge::NoKid,
        Forge::GraphNonce,
    ] {
        let (read, submit) = try_out(&world, wrong).await;
        assert_eq!((read.status, submit.status), (401, 401), "{wrong:?}");
    }
}

#[tokio::test]
async fn i3_a_directory_that_is_not_onboarded_is_refused_on_reading_and_on_submitting() {
    let lone = Lone::new(|config| config.tenants.truncate(1)).await;
    lone.owner().get("/api/v1/me").await.ok();
    let before = lone.sim.calls().len();
    for token in [
        lone.sim.user_token(FABRIKAM.directory, FABRIKAM.owner).unwrap(),
        lone.sim.app_token(FABRIKAM.directory, FABRIKAM.pipeline).unwrap(),
    ] {
        let foreign = lone.bearer(&token);
        assert_eq!(foreign.get("/api/v1/me").await.refused(401), "not_signed_in");
        assert_eq!(foreign.post("/api/v1/runs", json!({"source": "foreign"})).await.refused(401), "not_signed_in");
    }
    assert_eq!(lone.sim.calls().len(), before, "a stranger's token made the server ask for its directory's keys");
}

#[tokio::test]
async fn i2_a_token_speaks_for_its_own_directory_alone() {
    let world = World::new().await;
    let token = sim().forge(world.contoso.org.directory, world.contoso.org.owner, Forge::OtherDirectory).unwrap();
    let me = world.contoso.with_token(&token).get("/api/v1/me").await.ok();
    assert_eq!(me["tenant"], json!(world.fabrikam.id));
}

#[tokio::test]
async fn i2_version_1_tokens_are_taken_only_where_the_configuration_says_so() {
    let taking = World::new().await;
    let token = sim().forge(taking.contoso.org.directory, taking.contoso.org.owner, Forge::V1).unwrap();
    taking.contoso.with_token(&token).get("/api/v1/me").await.ok();
    let refusing = World::with(|config| config.entra.accept_v1 = false).await;
    assert_eq!(refusing.contoso.with_token(&token).get("/api/v1/me").await.refused(401), "not_signed_in");
}

/// A person's token and a workload's are told apart by the token, and each gets its own rights.
#[tokio::test]
async fn i2_people_and_workloads_are_told_apart() {
    let world = World::new().await;
    let of = async |actor: &Actor| actor.get("/api/v1/me").await.ok();
    let (person, workload) = (of(&world.contoso.owner()).await, of(&world.contoso.pipeline()).await);
    assert_eq!((&person["principal"]["kind"], &person["role"]), (&json!("user"), &json!("owner")));
    assert_eq!((&workload["principal"]["kind"], &workload["role"]), (&json!("workload"), &json!(null)));
    assert_eq!(world.contoso.bystander().get("/api/v1/me").await.refused(403), "not_allowed");
    // A person who holds no upload right does not get it by being a token of the same directory.
    assert_eq!(world.contoso.auditor().post("/api/v1/runs", json!({"source": "x"})).await.refused(403), "not_allowed");
}

#[tokio::test]
async fn i2_a_token_ends_when_it_says_and_not_later() {
    let lone = Lone::new(|_| {}).await;
    let owner = lone.owner();
    owner.get("/api/v1/me").await.ok();
    lone.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(owner.get("/api/v1/me").await.refused(401), "not_signed_in");
    lone.clock.advance(SignedDuration::from_hours(-4));
    assert_eq!(owner.get("/api/v1/me").await.refused(401), "not_signed_in", "a token from the future");
}

#[tokio::test]
async fn i2_keys_roll_over_without_a_gap_and_the_old_one_stops_counting() {
    let lone = Lone::new(|_| {}).await;
    let old = lone.owner();
    old.get("/api/v1/me").await.ok();
    lone.sim.rotate_keys().unwrap();
    let new = lone.owner();
    new.get("/api/v1/me").await.ok();
    assert_eq!(old.get("/api/v1/me").await.refused(401), "not_signed_in", "the key was withdrawn");
}

#[tokio::test]
async fn i2_when_the_keys_cannot_be_had_the_answer_is_try_again_and_not_wrong_token() {
    let lone = Lone::new(|_| {}).await;
    lone.sim.add_faults([Fault { matches: FaultMatch::default(), times: None, action: FaultAction::JwksDown { jwks_down: true } }]);
    let owner = lone.owner();
    let answer = owner.get("/api/v1/me").await;
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.refused(503), "unavailable");
    lone.sim.clear_faults();
    lone.clock.advance(SignedDuration::from_mins(6));
    lone.owner().get("/api/v1/me").await.ok();
}

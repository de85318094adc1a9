//! Several processes on one database: each job once, each schedule once, and a lost lease loses to its successor.

use crate::look;
use crate::reports::{hit, sarif};
use bailiwick_base::{SystemRng, uuid_v7};
use bailiwick_domain::evidence::jobs::PROCESS;
use bailiwick_domain::worker;
use bailiwick_server::runtime::{self, Role};
use bailiwick_testkit::World;
use futures::future::join;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn report(number: u32) -> Vec<u8> {
    sarif("Scanner", true, &(number..number + 10).map(|n| hit("R1", &format!("src/{n}.c"), 1)).collect::<Vec<_>>())
}

/// A second process on the world's database, as far as one process can be two: its own pool, its own services.
async fn another(world: &World, role: Role) -> runtime::Running {
    let given = world.cluster.given(&world.database);
    runtime::start(&world.config, role, Some(given), Arc::new(world.clock.clone()), Arc::new(SystemRng)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_do_each_job_once_and_in_order() {
    let world = World::new().await;
    let (one, two) = (another(&world, Role::Worker).await, another(&world, Role::Worker).await);
    let mut runs = Vec::new();
    for number in 0..12 {
        // What is completed at one moment has no order.
        world.clock.advance(SignedDuration::from_secs(1));
        for tenant in [&world.contoso, &world.fabrikam] {
            let new = json!({"source": "ci", "pipeline_run_id": number.to_string()});
            runs.push((tenant, tenant.pipeline().submit(new, &[("scan.sarif", &report(number))]).await));
        }
    }
    let mut positions: Vec<(String, i64)> = Vec::new();
    for (tenant, run) in &runs {
        let seen = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                let seen = tenant.owner().get(&format!("/api/v1/runs/{run}")).await.ok();
                if seen["state"] != "queued" && seen["state"] != "processing" {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("the workers work");
        assert_eq!((&seen["state"], &seen["attempts"]), (&json!("succeeded"), &json!(1)), "{seen:#}");
        positions.push((tenant.org.name.to_owned(), seen["series"][0]["position"].as_i64().unwrap()));
    }
    for name in ["Contoso", "Fabrikam"] {
        let of: Vec<i64> = positions.iter().filter(|(n, _)| n == name).map(|(_, p)| *p).collect();
        assert_eq!(of, (1..=12).collect::<Vec<i64>>(), "runs of {name} settle in the order they were completed");
    }
    one.stop().await;
    two.stop().await;
    let mut sql = world.look().await;
    let processed: Vec<i64> =
        look::trail_of_runs(&mut sql).await.into_iter().filter(|((_, action), _)| action == "run.processed").map(|(_, n)| n).collect();
    assert_eq!(processed, vec![1; 24]);
    look::series_are_whole(&mut sql).await;
    look::open_findings_are_the_newest_results(&mut sql).await;
    look::trails_verify(&mut sql).await;
}

#[tokio::test]
async fn a_schedule_that_falls_due_runs_once_however_many_ask() {
    let world = World::new().await;
    let other = another(&world, Role::Api).await;
    let (here, there) = (&world.running.services, &other.services);
    // Of each kind one for each of the two tenants.
    let due = worker::schedules().len() * 2;
    assert_eq!(here.store.run_schedules().await.unwrap(), 0, "not yet due");
    world.clock.advance(SignedDuration::from_hours(24));
    let (a, b) = join(here.store.run_schedules(), there.store.run_schedules()).await;
    assert_eq!(a.unwrap() + b.unwrap(), due, "one of each kind a tenant");
    let (a, b) = join(worker::drain(here), worker::drain(there)).await;
    assert_eq!(a.unwrap() + b.unwrap(), due);
    assert_eq!(
        look::number(&mut world.look().await, "SELECT count(*) FROM bailiwick.trail_entries WHERE action = 'evidence.swept'").await,
        2
    );
    // A process that slept through three days runs what it missed once, not three times.
    world.clock.advance(SignedDuration::from_hours(72));
    assert_eq!(there.store.run_schedules().await.unwrap(), due);
    assert_eq!(here.store.run_schedules().await.unwrap(), 0);
    assert_eq!(world.work().await, due);
    other.stop().await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_keeps_nothing_of_its_work() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.submit(json!({"source": "ci"}), &[("scan.sarif", &report(1))]).await;
    let services = &world.running.services;
    let claim = async || {
        let who = uuid_v7(services.store.clock(), services.store.rng());
        services.store.claim(who, 10, Duration::from_secs(60)).await.unwrap()
    };
    let slow = claim().await.pop().unwrap();
    let path = format!("/api/v1/runs/{run}");
    assert_eq!(owner.get(&path).await.ok()["state"], "processing");
    assert!(claim().await.is_empty(), "a lease holds");
    world.clock.advance(SignedDuration::from_secs(61));
    let quick = claim().await.pop().unwrap();
    assert_eq!((slow.id, slow.attempt, quick.attempt), (quick.id, 1, 2));
    assert!(!services.store.renew(&slow, Duration::from_secs(60)).await.unwrap(), "what was lost is not renewed");
    // The slow one ends first, and may not commit; then the quick one; then the slow one again, too late as ever.
    worker::perform(services, &slow).await;
    let seen = owner.get(&path).await.ok();
    assert_eq!((&seen["state"], &seen["series"]), (&json!("processing"), &json!([])), "{seen:#}");
    worker::perform(services, &quick).await;
    worker::perform(services, &slow).await;
    let seen = owner.get(&path).await.ok();
    assert_eq!(
        (&seen["state"], &seen["attempts"], &seen["series"][0]["position"]),
        (&json!("succeeded"), &json!(2), &json!(1)),
        "{seen:#}"
    );
    let mut sql = world.look().await;
    assert_eq!(look::trail_of_runs(&mut sql).await[&(run, "run.processed".into())], 1);
    look::series_are_whole(&mut sql).await;
    assert_eq!(world.work().await, 0);
}

#[tokio::test]
async fn a_job_that_ends_its_worker_each_time_is_given_up() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.submit(json!({"source": "ci"}), &[("scan.sarif", &report(1))]).await;
    world.clock.advance(SignedDuration::from_secs(1));
    let next = pipeline.submit(json!({"source": "ci", "pipeline_run_id": "2"}), &[("scan.sarif", &report(1))]).await;
    let services = &world.running.services;
    for attempt in 1..=PROCESS.max_attempts {
        let who = uuid_v7(services.store.clock(), services.store.rng());
        let lease = services.store.claim(who, 10, Duration::from_secs(60)).await.unwrap().pop().unwrap();
        // The worker dies here: nobody performs, nobody puts back.
        assert_eq!(lease.attempt, attempt);
        world.clock.advance(SignedDuration::from_secs(61));
    }
    world.work().await;
    let seen = owner.get(&format!("/api/v1/runs/{run}")).await.ok();
    assert_eq!((&seen["state"], &seen["failure"]["code"]), (&json!("failed"), &json!("internal")), "{seen:#}");
    assert_eq!(owner.get(&format!("/api/v1/runs/{next}")).await.ok()["state"], "succeeded", "and does not stand in the way of the next");
    owner.post(&format!("/api/v1/runs/{run}/retry"), json!({})).await.ok();
    world.work().await;
    assert_eq!(owner.get(&format!("/api/v1/runs/{run}")).await.ok()["state"], "succeeded");
}

#[tokio::test]
async fn a_clock_that_jumps_loses_and_repeats_nothing() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let mut runs = Vec::new();
    for (number, jump) in [(1, -50), (2, 45), (3, -5), (4, 20)] {
        let new = json!({"source": "ci", "pipeline_run_id": number.to_string()});
        runs.push(pipeline.submit(new, &[("scan.sarif", &report(number))]).await);
        // Small enough for tokens, large for a queue.
        world.clock.advance(SignedDuration::from_secs(jump));
        world.work().await;
    }
    world.clock.advance(SignedDuration::from_secs(60));
    world.work().await;
    for run in &runs {
        let seen: Value = owner.get(&format!("/api/v1/runs/{run}")).await.ok();
        assert_eq!((&seen["state"], &seen["attempts"]), (&json!("succeeded"), &json!(1)), "{seen:#}");
    }
    let mut sql = world.look().await;
    look::series_are_whole(&mut sql).await;
    look::trails_verify(&mut sql).await;
}

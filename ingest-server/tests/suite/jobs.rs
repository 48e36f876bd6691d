//! Leased jobs: attempts run out, dead ones can be seen, queued again and given up, and nothing happens twice.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::road::{Road, result, video};
use crate::{bucket, road};
use futures_util::FutureExt;
use ingest_server::store::Engine;
use ingest_server::{housekeeping, store};
use serde_json::{Value, json};
use shared_types::api::admin::TokenRole;

on_both!(
    a_job_that_kills_its_machine_runs_out_of_attempts,
    dead_jobs_are_seen_queued_again_and_given_up,
    a_late_machine_changes_nothing,
    a_withdrawn_take_does_not_hold_up_the_queue,
    eight_machines_that_die_do_nothing_twice,
    an_object_that_cannot_be_removed_holds_up_nothing,
    a_result_is_no_folder_of_others,
);

const CLAIM: &str = "/api/v1/jobs/claim";
/// Longer than a lease and the longest pause after it.
const LATER: i64 = 4000;

fn claim() -> Value {
    json!({ "worker": "test", "kinds": ["inspect", "analyse"], "max": 1, "wait_s": 0 })
}

fn done(lease: &str) -> Value {
    json!({ "lease_token": lease, "result": result(), "artifacts": [], "fingerprints": null })
}

/// A server with so many takes that wait to be inspected, and tokens of a pipeline and an admin.
async fn waiting(road: &Road, takes: usize) -> (String, String, Vec<String>) {
    let mut ids = Vec::new();
    while ids.len() < takes {
        let worker = road.worker("Basic").await;
        for goal in road.goals(&worker).await.into_iter().take(takes - ids.len()) {
            ids.push(road.submission(&worker, &goal, &video(64 + ids.len())).await);
        }
    }
    (road.token(TokenRole::Pipeline).await, road.token(TokenRole::Admin).await, ids)
}

async fn stage(road: &Road, id: &str) -> String {
    let text = sqlx::AssertSqlSafe(format!("select stage from submission where id = '{id}'"));
    sqlx::query_scalar(text).fetch_one(road.app.store.read()).await.unwrap()
}

async fn lease(road: &Road, pipeline: &str) -> Option<Value> {
    let answer = road.call("POST", CLAIM, pipeline, Some(claim())).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json().as_array().unwrap().first().cloned()
}

async fn complete(road: &Road, pipeline: &str, job: &Value) -> road::Answer {
    let path = format!("/api/v1/jobs/{}/complete", job["job_id"].as_str().unwrap());
    road.call("POST", &path, pipeline, Some(done(job["lease_token"].as_str().unwrap()))).await
}

async fn a_job_that_kills_its_machine_runs_out_of_attempts(road: Road) {
    let (pipeline, admin, takes) = waiting(&road, 1).await;
    for attempt in 1..=5 {
        let job = lease(&road, &pipeline).await.unwrap();
        assert_eq!(job["attempt"], attempt, "an attempt counts when it begins");
        assert!(lease(&road, &pipeline).await.is_none(), "it is leased to one");
        road.pass(61);
        assert!(lease(&road, &pipeline).await.is_none(), "after its lease it waits for a while");
        road.pass(LATER);
    }
    assert!(lease(&road, &pipeline).await.is_none());
    assert_eq!(stage(&road, &takes[0]).await, "failed");
    let dead = road.call("GET", "/api/v1/admin/jobs?stage=dead", &admin, None).await.json();
    let dead = &dead["items"][0];
    assert_eq!((&dead["attempt"], &dead["max_attempts"]), (&json!(5), &json!(5)));
    assert_eq!(dead["last_error"], "its machine was not heard of in time");
}

async fn dead_jobs_are_seen_queued_again_and_given_up(road: Road) {
    let (pipeline, admin, takes) = waiting(&road, 3).await;
    let fail = |lease: &Value| json!({ "lease_token": lease, "error": "no such codec", "retryable": false });
    for _ in &takes {
        let job = lease(&road, &pipeline).await.unwrap();
        let path = format!("/api/v1/jobs/{}/fail", job["job_id"].as_str().unwrap());
        let failed = road.call("POST", &path, &pipeline, Some(fail(&job["lease_token"]))).await;
        assert_eq!(failed.json()["stage"], "dead");
    }
    let list = async |stage: &str| {
        let path = format!("/api/v1/admin/jobs?stage={stage}");
        road.call("GET", &path, &admin, None).await.json()["items"].as_array().unwrap().clone()
    };
    let dead = list("dead").await;
    assert_eq!((dead.len(), &dead[0]["last_error"]), (3, &json!("no such codec")));
    assert!(list("queued").await.is_empty());
    let first = dead[0]["id"].as_str().unwrap();
    let retry = format!("/api/v1/admin/jobs/{first}/retry");
    assert_eq!(road.call("POST", &retry, &pipeline, None).await.status, 403);
    assert_eq!(road.call("POST", &retry, &admin, None).await.status, 204);
    assert_eq!(road.call("POST", &retry, &admin, None).await.code(), "stage_conflict");
    // PostgreSQL may still be undoing the refused request, and a claim passes over the row that it holds: so wait.
    let mut patient = claim();
    patient["wait_s"] = json!(20);
    let again = road.call("POST", CLAIM, &pipeline, Some(patient)).await.json()[0].clone();
    assert_eq!((again["job_id"].as_str(), &again["attempt"]), (Some(first), &json!(2)), "attempts go on to count");
    assert_eq!(complete(&road, &pipeline, &again).await.status, 200);

    let drain = async |body: Value| road.call("POST", "/api/v1/admin/jobs/drain", &admin, Some(body)).await;
    assert_eq!(drain(json!({ "action": "burn", "kind": null })).await.status, 400);
    let other = drain(json!({ "action": "retry", "kind": "export" })).await.json();
    assert_eq!(other, json!({ "count": 0, "left": 0 }));
    // One take went another way.
    let mut tx = road.app.store.begin().await.unwrap();
    let gone = dead[1]["submission_id"].as_str().unwrap();
    let text = sqlx::AssertSqlSafe(format!("update submission set stage = 'withdrawn' where id = '{gone}'"));
    sqlx::query(text).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let all = drain(json!({ "action": "retry", "kind": null })).await.json();
    assert_eq!(all, json!({ "count": 1, "left": 1 }));
    let given_up = drain(json!({ "action": "cancel", "kind": null })).await.json();
    assert_eq!(given_up, json!({ "count": 1, "left": 0 }));
    assert_eq!(list("cancelled").await.len(), 1);
    assert!(list("dead").await.is_empty());
}

async fn a_late_machine_changes_nothing(road: Road) {
    let (pipeline, _, takes) = waiting(&road, 1).await;
    let late = lease(&road, &pipeline).await.unwrap();
    road.pass(61);
    assert!(lease(&road, &pipeline).await.is_none());
    road.pass(LATER);
    let now = lease(&road, &pipeline).await.unwrap();
    let path = |verb: &str| format!("/api/v1/jobs/{}/{verb}", late["job_id"].as_str().unwrap());
    let token = &late["lease_token"];
    for (verb, body) in [
        ("heartbeat", json!({ "lease_token": token, "progress": null })),
        ("outputs", json!({ "lease_token": token, "names": ["playback.mp4"] })),
        ("fail", json!({ "lease_token": token, "error": "x", "retryable": true })),
        ("complete", done(token.as_str().unwrap())),
    ] {
        assert_eq!(road.call("POST", &path(verb), &pipeline, Some(body)).await.code(), "lease_lost", "{verb}");
    }
    let first = complete(&road, &pipeline, &now).await;
    let again = complete(&road, &pipeline, &now).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200));
    assert_eq!(first.json(), again.json(), "a repeated completion gets the same answer");
    assert_eq!(complete(&road, &pipeline, &late).await.code(), "lease_lost");
    assert_eq!(stage(&road, &takes[0]).await, "analysing");
    assert_eq!(road.count("history where what = 'inspected'").await, 1);
}

async fn a_withdrawn_take_does_not_hold_up_the_queue(road: Road) {
    let (pipeline, _, takes) = waiting(&road, 2).await;
    for _ in 0..5 {
        while lease(&road, &pipeline).await.is_some() {}
        road.pass(LATER);
        let mut tx = road.app.store.begin().await.unwrap();
        let text = sqlx::AssertSqlSafe(format!("update submission set stage = 'withdrawn' where id = '{}'", takes[0]));
        sqlx::query(text).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let answer = road.call("POST", CLAIM, &pipeline, Some(claim())).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        road.pass(LATER);
    }
    assert!(lease(&road, &pipeline).await.is_none());
    assert_eq!(road.count("job where stage = 'dead'").await, 2);
    assert_eq!((stage(&road, &takes[0]).await, stage(&road, &takes[1]).await), ("withdrawn".into(), "failed".into()));
}

async fn an_object_that_cannot_be_removed_holds_up_nothing(road: Road) {
    let (pipeline, _, _) = waiting(&road, 1).await;
    road.app.objects.put("jobs/1/1/z.json", b"{}".to_vec()).await.unwrap();
    let mut tx = road.app.store.begin().await.unwrap();
    // No store has such a name.
    for key in ["jobs/1/1/ ", "jobs/1/1/z.json"] {
        store::condemned::put(&mut tx, key, road.app.clock.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let job = lease(&road, &pipeline).await.unwrap();
    assert_eq!(complete(&road, &pipeline, &job).await.status, 200);
    assert_eq!(road.app.objects.stat("jobs/1/1/z.json").await.unwrap(), None);
    housekeeping::round(&road.app).await.unwrap();
    for _ in 0..2 {
        road.pass(LATER);
        housekeeping::round(&road.app).await.unwrap();
    }
    assert_eq!(road.count("condemned").await, 1, "it is tried again until it is gone");
    // What lies under a folder's name is no object.
    road.app.objects.put("jobs/1/1/frames/a.jpg", b"x".to_vec()).await.unwrap();
    road.app.objects.remove("jobs/1/1/frames").await.unwrap();
    assert_eq!(road.app.objects.stat("jobs/1/1/frames/a.jpg").await.unwrap(), Some(1));
}

async fn a_result_is_no_folder_of_others(road: Road) {
    let (pipeline, _, _) = waiting(&road, 1).await;
    let job = lease(&road, &pipeline).await.unwrap();
    let path = format!("/api/v1/jobs/{}/outputs", job["job_id"].as_str().unwrap());
    for (names, status) in [
        (json!(["frames", "frames/a.jpg"]), 400),
        (json!(["frames/a.jpg", "frames"]), 400),
        (json!(["frames/a.jpg", "frames/b.jpg", "frames.json", "frames-2/a.jpg"]), 200),
        (json!(["frames/a.jpg"]), 200),
        (json!(["frames"]), 400),
        (json!(["frames/a.jpg/b"]), 400),
        (json!(["a".repeat(251)]), 400),
    ] {
        let body = json!({ "lease_token": job["lease_token"], "names": names });
        let answer = road.call("POST", &path, &pipeline, Some(body)).await;
        assert_eq!(answer.status.as_u16(), status, "{names}: {}", answer.json());
    }
    assert_eq!(road.count("job_output").await, 4, "what is refused leaves nothing");
}

/// Numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// One machine's turn: it leases a job, gives a sign of life and hands in what came of it.
async fn turn(road: &Road, pipeline: &str) {
    let Some(job) = lease(road, pipeline).await else { return };
    let path = format!("/api/v1/jobs/{}/heartbeat", job["job_id"].as_str().unwrap());
    road.call("POST", &path, pipeline, Some(json!({ "lease_token": job["lease_token"], "progress": null }))).await;
    for _ in 0..2 {
        let answer = complete(road, pipeline, &job).await;
        assert!(answer.status == 200 || answer.code() == "lease_lost", "{}", answer.json());
    }
}

async fn eight_machines_that_die_do_nothing_twice(road: Road) {
    const TAKES: usize = 20;
    let (pipeline, admin, takes) = waiting(&road, TAKES).await;
    let road = Arc::new(road);
    let machines = (0..8).map(|machine| {
        let (road, pipeline) = (road.clone(), pipeline.clone());
        tokio::spawn(async move {
            let mut chance = Chance(machine);
            let mut killed = 0;
            for _ in 0..80 {
                // The machine, and with it its request on the server, goes away after so many steps.
                let life = chance.below(60);
                let mut turn = pin!(turn(&road, &pipeline));
                let mut steps = 0;
                let lived = std::future::poll_fn(|context| {
                    steps += 1;
                    if steps > life + 2 {
                        return std::task::Poll::Ready(false);
                    }
                    turn.poll_unpin(context).map(|()| true)
                })
                .await;
                killed += usize::from(!lived);
                if chance.below(4) == 0 {
                    road.pass(61);
                }
            }
            killed
        })
    });
    let killed: Vec<usize> = futures_util::future::join_all(machines).await.into_iter().map(Result::unwrap).collect();
    assert!(killed.iter().sum::<usize>() > 20, "many died: {killed:?}");
    // Whoever is left does the rest; what was given up is queued again.
    for _ in 0..20 {
        road.call("POST", "/api/v1/admin/jobs/drain", &admin, Some(json!({ "action": "retry", "kind": null }))).await;
        while let Some(job) = lease(&road, &pipeline).await {
            assert_eq!(complete(&road, &pipeline, &job).await.status, 200);
        }
        road.pass(LATER);
    }
    let once = TAKES as i64;
    for (what, expected) in [
        ("submission where stage = 'ready'", once),
        ("job", 2 * once),
        ("job where stage = 'done'", 2 * once),
        ("history where what = 'inspected'", once),
        ("history where what = 'analysed, ready for review'", once),
    ] {
        assert_eq!(road.count(what).await, expected, "{what}");
    }
    assert_eq!(takes.len(), TAKES);
    let mut tx = road.app.store.begin().await.unwrap();
    assert!(store::job::lapsed(&mut tx, road.app.store.engine(), road.app.clock.now()).await.unwrap().is_empty());
}

/// No machine ever sees those jobs, so no attempt counts, however long it lasts.
#[tokio::test]
async fn a_bucket_that_is_away_costs_no_job_an_attempt() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let folder = road::folder();
        let (config, refusals) = bucket::moody(folder.path()).await;
        let road = Road::with(engine, Some(config)).await;
        let (pipeline, _, ids) = waiting(&road, 2).await;
        for _ in 0..8 {
            refusals.store(u32::MAX, Ordering::SeqCst);
            let answer = road.call("POST", CLAIM, &pipeline, Some(claim())).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "unavailable"));
            refusals.store(0, Ordering::SeqCst);
            road.pass(60);
        }
        let both = json!({ "worker": "test", "kinds": ["inspect"], "max": 2, "wait_s": 0 });
        let leased = road.call("POST", CLAIM, &pipeline, Some(both)).await.json();
        let attempts: Vec<_> = leased.as_array().unwrap().iter().map(|job| job["attempt"].clone()).collect();
        assert_eq!(attempts, [1, 1]);
        assert_eq!(stage(&road, &ids[0]).await, "inspecting");
    }
}

/// One that takes requests and answers none: the machine hears so before it gives up, and the job waits for the next.
#[tokio::test]
async fn a_bucket_that_hangs_costs_no_job_an_attempt() {
    let folder = road::folder();
    let (config, silence) = bucket::silent(folder.path()).await;
    let road = Road::with(Engine::Postgres, Some(config)).await;
    let (pipeline, ..) = waiting(&road, 1).await;
    let mut tx = road.app.store.begin().await.unwrap();
    store::condemned::put(&mut tx, "jobs/none/1/a", road.app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    silence.store(true, Ordering::SeqCst);
    let asked = road.call("POST", CLAIM, &pipeline, Some(claim()));
    let answer = tokio::time::timeout(Duration::from_secs(55), asked).await.expect("machines wait for a minute");
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "unavailable"));
    silence.store(false, Ordering::SeqCst);
    road.pass(60);
    assert_eq!(lease(&road, &pipeline).await.unwrap()["attempt"], 1);
}

/// Machines get their work while very much is removed: a few objects at a time are all that a request sees to.
#[tokio::test]
async fn removals_hold_up_no_machine() {
    let road = Road::open(Engine::Sqlite).await;
    let (pipeline, ..) = waiting(&road, 1).await;
    let mut tx = road.app.store.begin().await.unwrap();
    for at in 0..1000 {
        store::condemned::put(&mut tx, &format!("jobs/none/1/{at}"), road.app.clock.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(lease(&road, &pipeline).await.is_some());
    assert!(road.count("condemned where is_last = 0").await >= 800, "the rest is housekeeping's");
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("condemned where is_last = 0").await, 0);
}

//! The server killed at every point between two writes: started again, the recording arrives whole, and once. What it
//! removes: [`crate::removals`].

use std::path::Path;

use crate::bucket;
use crate::road;
use crate::road::trial::{PIECE, Trial};
use crate::road::{TUS, database, sha256, video};
use ingest_server::crash::{BUCKET_POINTS, POINTS};
use ingest_server::store::Engine;
use serde_json::json;

const ARTIFACTS: &[(&str, &[u8])] = &[("steps.jsonl", b"{}\n")];

/// The whole route of a recording through a server that dies at one point, and what lies there at the end.
fn check(folder: &Path, url: &str, settings: &[(&str, &str)], at: &str) {
    let mut trial = Trial::new(folder, url, settings, at);
    let ([first, second], pipeline, admin) = trial.accesses();
    let (token, assignment) = trial.join(&first, "device");

    let whole = video(2_500_000);
    let (path, body) = trial.hand_in(&token, &assignment, &whole);
    trial.work(&pipeline, "inspect", ARTIFACTS);
    trial.work(&pipeline, "analyse", ARTIFACTS);
    trial.decide(&admin, body["id"].as_str().unwrap(), 4);

    let (other, goal) = trial.join(&second, "another");
    trial.hand_in(&other, &goal, &video(1000));
    trial.work(&pipeline, "inspect", ARTIFACTS);
    trial.erase(&other, &admin);

    let (finished, begun) = (trial.upload(&token, &video(1500), 1500), trial.upload(&token, &whole, PIECE));
    for ended in [finished, begun] {
        let answer = trial.send("DELETE", &ended, &token, &[TUS], b"");
        assert!([204, 404].contains(&answer.status));
    }
    assert!(trial.died, "the server passes {at} on the way");
    // Whoever asks for work has what was condemned removed before.
    let claim = json!({ "worker": "test", "kinds": ["export"], "max": 1, "wait_s": 0 });
    assert_eq!(trial.json("POST", "/api/v1/jobs/claim", &pipeline, &claim).status, 200);

    let read = trial.send("GET", &path, &token, &[], b"");
    assert!(read.body == whole, "what is served is what was sent");
    let receipt = trial.json("POST", "/api/v1/submissions", &token, &body).json();
    let receipt = receipt["receipt_id"].as_str().unwrap().to_owned();
    let receipt = trial.send("GET", &format!("/api/v1/receipts/{receipt}"), &token, &[], b"").json();
    assert_eq!(receipt["files"][0]["sha256"], sha256(&whole));
    drop(trial);
    if settings.is_empty() {
        let files = |name: &str| std::fs::read_dir(folder.join(name)).map_or(0, Iterator::count);
        assert_eq!((files("objects/uploads"), files("uploads")), (1, 0), "one object, and nothing half");
    }
    tokio::runtime::Runtime::new().unwrap().block_on(once(url));
}

async fn once(url: &str) {
    let pool = sqlx::AnyPool::connect(url).await.unwrap();
    for (what, expected) in [
        ("upload where stage = 'ready'", 1),
        ("submission where stage = 'accepted'", 1),
        ("submission", 2),
        ("submission_file", 1),
        ("artifact", 1),
        ("job where kind = 'inspect' and stage = 'done'", 2),
        ("job where kind = 'inspect'", 2),
        ("job where kind = 'analyse' and stage = 'done'", 1),
        ("history where what = 'inspected'", 1),
        ("review", 1),
        ("ledger", 1),
        ("payout", 1),
        ("erasure where done_at is not null", 1),
        ("audit where act = 'erasure_done'", 1),
    ] {
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {what}"));
        let found: i64 = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
        assert_eq!(found, expected, "{what}");
    }
    pool.close().await;
}

/// The points, and those that are passed more than once also at a later time.
fn deaths() -> impl Iterator<Item = String> {
    let again = ["upload.written", "upload.synced", "upload.committing", "upload.committed", "upload.terminating"];
    POINTS.iter().map(ToString::to_string).chain(again.into_iter().map(|point| format!("{point}:2")))
}

#[test]
fn sqlite_dies_at_every_point() {
    for at in deaths() {
        let folder = road::folder();
        check(folder.path(), &database(Engine::Sqlite, folder.path()), &[], &at);
    }
}

/// With `COLLECTOR_TEST_ALL` all of the bucket's points on both engines; else each on `SQLite`, and one on `PostgreSQL`.
fn bucket_deaths() -> Vec<(Engine, &'static str)> {
    let all = std::env::var_os("COLLECTOR_TEST_ALL").is_some();
    let of = |engine, points: &[&'static str]| points.iter().map(|point| (engine, *point)).collect::<Vec<_>>();
    // Between a bucket that says it is done and a row that does not is where two stores can part.
    let on_postgres = if all { BUCKET_POINTS } else { &["parts.completed"] };
    [of(Engine::Sqlite, BUCKET_POINTS), of(Engine::Postgres, on_postgres)].concat()
}

#[test]
fn a_bucket_outlives_a_server_that_dies_between_its_parts() {
    for (engine, at) in bucket_deaths() {
        let folder = road::folder();
        check(folder.path(), &database(engine, folder.path()), &bucket::settings(&bucket::moto()), at);
    }
}

#[test]
fn postgres_serves_a_server_that_dies_at_every_point() {
    for at in deaths() {
        let folder = road::folder();
        check(folder.path(), &database(Engine::Postgres, folder.path()), &[], &at);
    }
}

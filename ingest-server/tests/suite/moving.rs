//! `ingest-server move`: killed in the middle, run again, and everything is there once.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::road::{NOW, Road};
use crate::{bucket, login, operations, road};
use axum::body::Body;
use axum::http::Request;
use ingest_server::app::{App, Clock, Shared};
use ingest_server::config::{BucketConfig, Config};
use ingest_server::discrepancy::{self, Look};
use ingest_server::objects::Lock;
use ingest_server::store::Engine;
use ingest_server::{http, store};
use serde_json::json;
use shared_types::api::admin::TokenRole;
use shared_types::api::audit::AuditAct;
use shared_types::api::review::AdminRole;
use sqlx::{Column, Row};
use tower::ServiceExt;

const OBJECTS: usize = 150;

fn command(data_dir: &Path, database: &str, to: &BucketConfig) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingest-server"));
    command.args(["move", "--to-database", database, "--to-bucket", &to.name]).env_clear();
    command.env("COLLECTOR_DATA_DIR", data_dir).env("AWS_ENDPOINT_URL_S3", to.endpoint.as_ref().unwrap());
    command.env("AWS_ACCESS_KEY_ID", &to.access_key).env("AWS_SECRET_ACCESS_KEY", &to.secret_key);
    command.env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn run(data_dir: &Path, database: &str, to: &BucketConfig) -> Output {
    let mut command = command(data_dir, database, to);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn send(
    app: &Shared,
    token: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> axum::http::Response<Body> {
    let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in [("tus-resumable", "1.0.0"), ("content-type", "application/offset+octet-stream")] {
        request = request.header(name, value);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    http::router(app.clone()).oneshot(request.body(Body::from(body.to_vec())).unwrap()).await.unwrap()
}

async fn upload(app: &Shared, token: &str, length: usize, bytes: &[u8]) -> String {
    let length = length.to_string();
    let made = send(app, token, "POST", "/api/v1/uploads", &[("upload-length", &length)], bytes).await;
    assert_eq!(made.status(), 201);
    made.headers()["location"].to_str().unwrap().to_owned()
}

async fn count(app: &Shared, table: &str) -> i64 {
    let text = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(text).fetch_one(app.store.read()).await.unwrap()
}

fn video(length: usize) -> Vec<u8> {
    let head = b"\0\0\0\x20ftypisom";
    (0..length).map(|at| head.get(at).copied().unwrap_or((at % 251) as u8)).collect()
}

#[tokio::test]
async fn a_move_that_is_killed_goes_on_and_loses_nothing() {
    let road = Road::open(Engine::Sqlite).await;
    let token = road.worker("Basic").await;
    let (whole, half) = (video(9_000_000), video(18_000_000));
    let done = upload(&road.app, &token, whole.len(), &whole).await;
    let growing = upload(&road.app, &token, half.len(), &half[..10_000_000]).await;
    for at in 0..OBJECTS {
        road.app.objects.put(&format!("jobs/j/1/frames/{at}.jpg"), vec![at as u8; 10 + at]).await.unwrap();
    }
    let tables = ["campaign", "tier", "scenario", "worker", "token", "invite", "upload", "assignment"];
    let mut before = Vec::new();
    for table in tables {
        before.push(count(&road.app, table).await);
    }
    road.app.store.close().await;
    let data_dir = road.folder.path();
    let to = tokio::task::spawn_blocking(bucket::moto).await.unwrap();
    let database = road::new_database().await;

    let running = Lock::take(data_dir, Duration::ZERO).await.unwrap();
    let refused = run(data_dir, &database, &to).await;
    assert!(!refused.status.success() && said(&refused).contains("a server is running"), "{}", said(&refused));
    drop(running);

    let mut killed = command(data_dir, &database, &to).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let journal = data_dir.join("move.jsonl");
    let lines = || std::fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    while lines() < 40 {
        assert!(killed.try_wait().unwrap().is_none(), "it ended before it could be killed");
        tokio::task::yield_now().await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(lines() < OBJECTS, "it was killed in the middle");
    // As if the kill had cut a line.
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, &text[..text.trim_end().len() - 1]).unwrap();
    // As if the old server had run again, and somebody had everything erased.
    let erased = (0..OBJECTS).find(|at| text.contains(&format!("/frames/{at}.jpg"))).unwrap();
    std::fs::remove_file(data_dir.join(format!("objects/jobs/j/1/frames/{erased}.jpg"))).unwrap();

    let other = tokio::task::spawn_blocking(bucket::moto).await.unwrap();
    let elsewhere = run(data_dir, &database, &other).await;
    assert!(said(&elsewhere).contains("an earlier move"), "{}", said(&elsewhere));

    let moved = run(data_dir, &database, &to).await;
    assert!(moved.status.success(), "{}", said(&moved));
    assert!(said(&moved).contains("are there already") && !said(&moved).contains(" 0 are there"), "{}", said(&moved));
    let again = run(data_dir, &database, &to).await;
    assert!(!again.status.success() && said(&again).contains("has rows"), "{}", said(&again));

    let folder = road::folder();
    let config = Config { database_url: database, bucket: Some(to), ..Config::of_folder(folder.path()) };
    let app = App::open(config, Clock::Fixed(NOW)).await.unwrap();
    for (table, rows) in tables.iter().zip(before) {
        assert_eq!(count(&app, table).await, rows, "{table}");
    }
    for at in 0..OBJECTS {
        let bytes = app.objects.read(&format!("jobs/j/1/frames/{at}.jpg"), 1000).await.unwrap();
        assert_eq!(bytes, (at != erased).then(|| vec![at as u8; 10 + at]), "{at}");
    }
    let got = send(&app, &token, "GET", &done, &[], b"").await;
    let bytes = axum::body::to_bytes(got.into_body(), usize::MAX).await.unwrap();
    assert!(bytes == whole, "a finished upload is whole");
    let rest = send(&app, &token, "PATCH", &growing, &[("upload-offset", "10000000")], &half[10_000_000..]).await;
    assert_eq!(rest.status(), 204, "a growing upload goes on");
    let got = send(&app, &token, "GET", &growing, &[], b"").await;
    assert!(axum::body::to_bytes(got.into_body(), usize::MAX).await.unwrap() == half);
    // The old store is as it was.
    assert_eq!(
        std::fs::metadata(data_dir.join("uploads").join(growing.rsplit('/').next().unwrap())).unwrap().len(),
        10_000_000
    );
    assert_eq!(std::fs::read_dir(data_dir.join("objects/jobs/j/1/frames")).unwrap().count(), OBJECTS - 1);
}

/// A take with all that a pipeline, a reviewer and a second look leave behind.
async fn worked_on(road: &Road, worker: &str, admin: &str) {
    let machine = road.token(TokenRole::Pipeline).await;
    let taken = road.hand_in(worker, "three").await;
    // No two alike, or they were copies of each other.
    let mut prints = ["0123456789abcdef", "fedcba9876543210", "5a5aa5a53c3cc3c3", "00ff00ff0f0ff0f0"].into_iter();
    while let Some(job) = road.lease(&machine, "inspect").await {
        let at = format!("/api/v1/jobs/{}", job["job_id"].as_str().unwrap());
        let names = json!({ "lease_token": job["lease_token"], "names": ["steps.jsonl"] });
        let urls = road.call("POST", &format!("{at}/outputs"), &machine, Some(names)).await.json();
        let put = road.send("PUT", urls["steps.jsonl"].as_str().unwrap(), "", &[], b"{}\n".as_slice()).await;
        assert_eq!(put.status, 204);
        let artifact = json!({ "name": "steps.jsonl", "bytes": 3, "sha256": road::sha256(b"{}\n") });
        let picture = prints.next().expect("there are few takes");
        let prints = json!({ "sha256": picture, "picture": [picture], "sound": [], "acts": [1, 2, 3] });
        let mut result = road::result();
        result["quality"] = road::people::report(true);
        let done = json!({
            "lease_token": job["lease_token"], "result": result, "artifacts": [artifact], "fingerprints": prints,
        });
        assert_eq!(road.call("POST", &format!("{at}/complete"), &machine, Some(done)).await.status, 200);
    }
    road.work(&machine).await;
    let at = format!("/api/v1/admin/submissions/{}", taken.id);
    assert_eq!(road.call("POST", &format!("{at}/lock"), admin, None).await.status, 200);
    let stretch = json!({ "start": 1.5, "end": 3.0, "track": "both", "box": null });
    let redacted = road.call("POST", &format!("{at}/redact"), admin, Some(stretch)).await;
    assert!(redacted.status.is_success(), "{}", String::from_utf8_lossy(&redacted.body));
}

/// Every table of the embedded store.
async fn tables(app: &Shared) -> Vec<String> {
    let all =
        "select name from sqlite_master where type = 'table' and name not like '%sqlx%' and name not like 'sqlite%'";
    sqlx::query_scalar(all).fetch_all(app.store.read()).await.unwrap()
}

/// Rows as text, in an order of their own.
async fn rows(app: &Shared, table: &str) -> Vec<String> {
    let query = sqlx::query(sqlx::AssertSqlSafe(format!("select * from {table}")));
    let mut rows = Vec::new();
    for found in query.fetch_all(app.store.read()).await.unwrap() {
        let value = |name: &str| {
            let text = found.try_get::<Option<String>, _>(name).map(|text| format!("{text:?}"));
            let number = text.or_else(|_| found.try_get::<Option<i64>, _>(name).map(|number| format!("{number:?}")));
            let float = number.or_else(|_| found.try_get::<Option<f64>, _>(name).map(|float| format!("{float:?}")));
            float.unwrap_or_else(|_| format!("{:?}", found.try_get::<Option<Vec<u8>>, _>(name).unwrap()))
        };
        let mut row: Vec<String> =
            found.columns().iter().map(|column| format!("{}={}", column.name(), value(column.name()))).collect();
        row.sort();
        rows.push(row.join(" "));
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn every_table_goes_over_as_it_is() {
    let road = Road::open(Engine::Sqlite).await;
    let (worker, _) = operations::filled(&road).await;
    let admin = road.token(TokenRole::Admin).await;
    worked_on(&road, &worker, &admin).await;
    let cookie = road.login(AdminRole::Admin).await;
    let elsewhere = login::log_in(&road, login::HERE, login::EMAIL, login::WORD, None).await;
    assert_eq!(elsewhere.status, 204);
    login::add_app(&road, &cookie).await;
    assert_eq!(login::log_in(&road, login::HERE, "nobody@example.org", "wrong", None).await.status, 401);
    let (waiting, machine) = (road.worker("Basic").await, road.token(TokenRole::Pipeline).await);
    road.hand_in(&waiting, "five").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    let at = format!("/api/v1/jobs/{}/outputs", job["job_id"].as_str().unwrap());
    let names = json!({ "lease_token": job["lease_token"], "names": ["on-its-way.json"] });
    assert_eq!(road.call("POST", &at, &machine, Some(names)).await.status, 200);
    let leaver = road.worker("Basic").await;
    road.hand_in(&leaver, "four").await;
    assert_eq!(road.call("POST", "/api/v1/me/erasure", &leaver, None).await.status, 202);
    let mut tx = road.app.store.begin().await.unwrap();
    store::condemned::put(&mut tx, "jobs/j/1/a.json", NOW).await.unwrap();
    for now in [NOW, NOW.plus_secs(3600)] {
        store::alive::tell(&mut tx, now).await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut before = Vec::new();
    for table in tables(&road.app).await {
        let rows = rows(&road.app, &table).await;
        assert!(!rows.is_empty(), "nothing is in {table}");
        before.push((table, rows));
    }
    road.app.store.close().await;
    let to = tokio::task::spawn_blocking(bucket::moto).await.unwrap();
    let database = road::new_database().await;
    let moved = run(road.folder.path(), &database, &to).await;
    assert!(moved.status.success(), "{}", said(&moved));

    let folder = road::folder();
    let config = Config { database_url: database, bucket: Some(to), ..Config::of_folder(folder.path()) };
    let app = App::open(config, Clock::Fixed(NOW)).await.unwrap();
    for (table, sent) in before {
        assert_eq!(rows(&app, &table).await, sent, "{table}");
    }
    // The chain of the audit log goes on where it was.
    let mut tx = app.store.begin().await.unwrap();
    let by = store::audit::Actor::command_line();
    store::audit::append(&mut tx, &by, AuditAct::Repaired, "server", "moved", NOW).await.unwrap();
    tx.commit().await.unwrap();
    let found = discrepancy::look(&app, Look { repair: false, quick: false }).await.unwrap();
    assert_eq!(found.discrepancies, []);
    assert!(found.objects > 3 && found.audit_entries > 3, "{} objects", found.objects);
}

#[tokio::test]
async fn a_damaged_object_is_named_and_nothing_is_moved() {
    let road = Road::open(Engine::Sqlite).await;
    road.app.objects.put("jobs/j/1/a.json", b"{}".to_vec()).await.unwrap();
    let worker = road.worker("Basic").await;
    assert!(!worker.is_empty());
    // The submission that it belongs to does not matter here.
    let pool = sqlx::AnyPool::connect(&road.app.config.database_url).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("pragma foreign_keys = off").execute(&mut *connection).await.unwrap();
    let row = "insert into artifact (submission_id, name, job_id, bytes, sha256, object_key) values ('s', 'a.json', 'j', 2, 'wrong', 'jobs/j/1/a.json')";
    sqlx::query(row).execute(&mut *connection).await.unwrap();
    drop(connection);
    pool.close().await;
    road.app.store.close().await;
    let to = tokio::task::spawn_blocking(bucket::moto).await.unwrap();
    let database = road::new_database().await;
    let refused = run(road.folder.path(), &database, &to).await;
    assert!(!refused.status.success() && said(&refused).contains("jobs/j/1/a.json"), "{}", said(&refused));
}

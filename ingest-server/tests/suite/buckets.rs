//! What can go wrong with a bucket, and several replicas that share one.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::road::Road;
use crate::{bucket, road};
use axum::body::Body;
use axum::http::Request;
use ingest_server::app::Shared;
use ingest_server::objects::{Bucket, upload_key};
use ingest_server::store::{Engine, alone};
use ingest_server::{http, replica, uploads};
use shared_types::api::admin::TokenRole;
use shared_types::timestamp::Timestamp;
use tower::ServiceExt;

const LATER: Timestamp = Timestamp::from_millis(4_000_000_000_000);

async fn patch(app: &Shared, token: &str, path: &str, offset: usize, bytes: Vec<u8>) -> u16 {
    let request = Request::builder()
        .method("PATCH")
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("tus-resumable", "1.0.0")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", offset.to_string());
    let answer = http::router(app.clone()).oneshot(request.body(Body::from(bytes)).unwrap()).await.unwrap();
    answer.status().as_u16()
}

async fn create(road: &Road, token: &str, length: usize) -> String {
    let request = Request::builder()
        .method("POST")
        .uri("/api/v1/uploads")
        .header("authorization", format!("Bearer {token}"))
        .header("tus-resumable", "1.0.0")
        .header("upload-length", length.to_string());
    let answer = http::router(road.app.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn video(length: usize) -> Vec<u8> {
    let head = b"\0\0\0\x20ftypisom";
    (0..length).map(|at| head.get(at).copied().unwrap_or((at % 251) as u8)).collect()
}

async fn text(road: &Road, statement: String) -> String {
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(road.app.store.read()).await.unwrap()
}

async fn moto_road(engine: Engine) -> Road {
    let config = tokio::task::spawn_blocking(bucket::moto).await.unwrap();
    Road::with(engine, Some(config)).await
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_bucket_are_told_apart() {
    let folder = road::folder();
    let right = bucket::s3s(folder.path()).await;
    Bucket::open(&right).unwrap().check().await.unwrap();
    let mut wrong = right.clone();
    wrong.secret_key = "another".to_owned();
    let refused = Bucket::open(&wrong).unwrap().check().await.unwrap_err().to_string();
    assert!(refused.contains("AWS_SECRET_ACCESS_KEY") && !refused.contains("another"), "{refused}");
    let mut wrong = right.clone();
    wrong.name = "elsewhere".to_owned();
    let missing = Bucket::open(&wrong).unwrap().check().await.unwrap_err().to_string();
    assert!(missing.contains("S3_BUCKET"), "{missing}");
    let mut wrong = right;
    wrong.endpoint = Some("http://127.0.0.1:1".to_owned());
    let silent = Bucket::open(&wrong).unwrap().check().await.unwrap_err().to_string();
    assert!(silent.contains("could not be opened") || silent.contains("onnect"), "{silent}");
    assert!(!format!("{wrong:?}").contains(bucket::SECRET), "settings do not show the key");
}

#[tokio::test]
async fn every_store_takes_what_it_is_sent() {
    let folder = road::folder();
    let (config, asked) = bucket::watched(folder.path()).await;
    let road = Road::with(Engine::Sqlite, Some(config)).await;
    let token = road.worker("Basic").await;
    let whole = video(20_000_000);
    let path = create(&road, &token, whole.len()).await;
    for (from, to) in [(0, 9_000_000), (9_000_000, whole.len())] {
        assert_eq!(patch(&road.app, &token, &path, from, whole[from..to].to_vec()).await, 204);
    }
    let asked = asked.lock().unwrap().clone();
    // R2 takes no parts of different sizes but for the last one.
    for (number, bytes) in [(1, 8 << 20), (2, 8 << 20), (3, whole.len() - (16 << 20))] {
        let parts: Vec<_> = asked.iter().filter(|one| one.contains(&format!("partNumber={number}"))).collect();
        let length = format!("\"content-length\": \"{bytes}\"");
        assert!(parts.len() == 1 && parts[0].contains(&length), "part {number}: {parts:?}");
    }
    for one in &asked {
        assert!(one.split(' ').nth(1).unwrap().starts_with("/recordings"), "the bucket is in the path: {one}");
        // The SDK adds sums by itself that older servers and R2 refuse.
        for word in ["x-amz-checksum", "x-amz-sdk-checksum", "x-amz-trailer", "aws-chunked"] {
            assert!(!one.contains(word), "{one}");
        }
    }
}

#[tokio::test]
async fn a_bucket_in_trouble_costs_an_upload_nothing_but_time() {
    let folder = road::folder();
    let (config, refusals) = bucket::moody(folder.path()).await;
    let road = Road::with(Engine::Sqlite, Some(config)).await;
    let token = road.worker("Basic").await;
    let whole = video(10_000_000);
    // With an end that is read first, and with whole parts alone, where the first that fails is a part that is sent.
    for committed in [9_000_000, 8 << 20] {
        let path = create(&road, &token, whole.len()).await;
        assert_eq!(patch(&road.app, &token, &path, 0, whole[..committed].to_vec()).await, 204);
        refusals.store(u32::MAX, Ordering::SeqCst);
        let at = committed.to_string();
        let headers = [road::TUS, road::BYTES, ("upload-offset", at.as_str())];
        let refused = road.send("PATCH", &path, &token, &headers, whole[committed..].to_vec()).await;
        refusals.store(0, Ordering::SeqCst);
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "unavailable"));
        assert_eq!(refused.header("retry-after"), "10");
        let told = road.send("HEAD", &path, &token, &[road::TUS], "").await;
        assert_eq!(told.header("upload-offset"), at, "what was confirmed is there");
        assert_eq!(patch(&road.app, &token, &path, committed, whole[committed..].to_vec()).await, 204);
        assert!(road.call("GET", &path, &token, None).await.body == whole);
    }
}

#[tokio::test]
async fn what_no_row_names_is_swept() {
    let road = moto_road(Engine::Sqlite).await;
    let token = road.worker("Basic").await;
    let (lost, kept) = (create(&road, &token, 20_000_000).await, create(&road, &token, 20_000_000).await);
    for path in [&lost, &kept] {
        assert_eq!(patch(&road.app, &token, path, 0, video(9_000_000)).await, 204);
    }
    // As if the server had ended between the bucket and the row.
    let mut tx = road.app.store.begin().await.unwrap();
    let id = lost.rsplit('/').next().unwrap();
    let undo = format!("update upload set parts = null, received_bytes = 0 where id = '{id}'");
    sqlx::query(sqlx::AssertSqlSafe(undo)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let bucket = road.app.objects.bucket().unwrap();
    assert_eq!(bucket.left().await.unwrap().len(), 4);
    assert_eq!(replica::sweep(&road.app, Timestamp::from_millis(1000)).await.unwrap(), 0, "too young to be judged");
    assert_eq!(replica::sweep(&road.app, LATER).await.unwrap(), 2);
    assert_eq!(replica::sweep(&road.app, LATER).await.unwrap(), 0, "what a row names stays");
    assert_eq!(patch(&road.app, &token, &kept, 9_000_000, video(20_000_000)[9_000_000..].to_vec()).await, 204);
}

/// Asks the bucket something about the multipart upload that this one is growing in.
async fn ask(road: &Road, path: &str, method: &'static str, query: &str, bytes: Vec<u8>) -> u16 {
    let id = path.rsplit('/').next().unwrap();
    let parts = text(road, format!("select parts from upload where id = '{id}'")).await;
    let parts: serde_json::Value = serde_json::from_str(&parts).unwrap();
    let multipart = parts["multipart"].as_str().unwrap().to_owned();
    let config = road.app.config.bucket.clone().unwrap();
    let url = format!("{}/{}/{}?{query}uploadId={multipart}", config.endpoint.unwrap(), config.name, upload_key(id));
    tokio::task::spawn_blocking(move || bucket::ask(&url, method, &[], &bytes)).await.unwrap().0
}

/// Replaces its first part, as a replica would that was slower.
async fn overwrite(road: &Road, path: &str, bytes: Vec<u8>) {
    assert_eq!(ask(road, path, "PUT", "partNumber=1&", bytes).await, 200);
}

/// As a rule of the bucket's lifecycle does, or somebody who tidies up.
#[tokio::test]
async fn an_upload_whose_parts_the_bucket_ended_begins_again() {
    let road = moto_road(Engine::Postgres).await;
    let token = road.worker("Basic").await;
    let whole = video(20_000_000);
    // Seen by the next whole part, and by the last bytes.
    for next in [18_000_000, whole.len()] {
        let path = create(&road, &token, whole.len()).await;
        assert_eq!(patch(&road.app, &token, &path, 0, whole[..9_000_000].to_vec()).await, 204);
        assert_eq!(ask(&road, &path, "DELETE", "", Vec::new()).await, 204);
        assert_eq!(patch(&road.app, &token, &path, 9_000_000, whole[9_000_000..next].to_vec()).await, 409);
        let told = road.send("HEAD", &path, &token, &[road::TUS], "").await;
        assert_eq!((told.status.as_u16(), told.header("upload-offset")), (200, "0"));
        assert_eq!(patch(&road.app, &token, &path, 0, whole.clone()).await, 204);
        assert!(road.call("GET", &path, &token, None).await.body == whole);
    }
}

#[tokio::test]
async fn a_part_that_was_written_over_is_found_out() {
    let road = moto_road(Engine::Postgres).await;
    let token = road.worker("Basic").await;
    let whole = video(10_000_000);
    for (bytes, stage) in [(whole[..8 << 20].to_vec(), "ready"), (vec![7; 8 << 20], "failed")] {
        let path = create(&road, &token, whole.len()).await;
        assert_eq!(patch(&road.app, &token, &path, 0, whole[..9_000_000].to_vec()).await, 204);
        overwrite(&road, &path, bytes).await;
        patch(&road.app, &token, &path, 9_000_000, whole[9_000_000..].to_vec()).await;
        let id = path.rsplit('/').next().unwrap();
        assert_eq!(text(&road, format!("select stage from upload where id = '{id}'")).await, stage);
        let is_there = road.app.objects.stat(&upload_key(id)).await.unwrap().is_some();
        assert_eq!(is_there, stage == "ready");
    }
}

#[tokio::test]
async fn an_upload_that_cannot_be_finished_holds_up_no_other_and_no_start() {
    let road = moto_road(Engine::Sqlite).await;
    let token = road.worker("Basic").await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let path = create(&road, &token, 9_000_000).await;
        assert_eq!(patch(&road.app, &token, &path, 0, video(9_000_000)).await, 204);
        ids.push(path.rsplit('/').next().unwrap().to_owned());
    }
    ids.sort();
    let mut tx = road.app.store.begin().await.unwrap();
    let undo =
        format!("update upload set stage = 'assembling', parts = case when id = '{}' then '{{' else parts end", ids[0]);
    sqlx::query(sqlx::AssertSqlSafe(undo)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    uploads::recover(&road.app).await.unwrap();
    uploads::finish(&road.app).await.unwrap();
    for (id, stage) in ids.iter().zip(["assembling", "ready"]) {
        assert_eq!(text(&road, format!("select stage from upload where id = '{id}'")).await, stage);
    }
}

#[tokio::test]
async fn an_upload_that_runs_out_leaves_nothing_in_the_bucket() {
    let road = moto_road(Engine::Postgres).await;
    let token = road.worker("Basic").await;
    let path = create(&road, &token, 20_000_000).await;
    assert_eq!(patch(&road.app, &token, &path, 0, video(9_000_000)).await, 204);
    let bucket = road.app.objects.bucket().unwrap();
    assert_eq!(bucket.left().await.unwrap().len(), 2, "parts and a tail");
    let mut tx = road.app.store.begin().await.unwrap();
    sqlx::query("update upload set expires_at = 0").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(uploads::sweep(&road.app, road.app.clock.now()).await.unwrap(), 1);
    assert_eq!(bucket.left().await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_removed_is_gone_from_a_bucket_that_keeps_versions() {
    let config = bucket::versioned().await;
    let road = Road::with(Engine::Sqlite, Some(config.clone())).await;
    let objects = &road.app.objects;
    for (key, bytes) in [("jobs/1/1/a.mp4", "first"), ("jobs/1/1/a.mp4", "second"), ("jobs/1/1/a.mp4.json", "other")] {
        objects.put(key, bytes.as_bytes().to_vec()).await.unwrap();
    }
    objects.remove("jobs/1/1/a.mp4").await.unwrap();
    let left = bucket::about(&config, "GET", "versions", "").await.1;
    assert!(!left.contains("a.mp4<") && left.contains("a.mp4.json<"), "{left}");
    objects.remove("jobs/1/1/a.mp4").await.unwrap();
}

#[tokio::test]
async fn pages_may_load_from_the_bucket_and_from_nowhere_else() {
    let road = moto_road(Engine::Sqlite).await;
    let answer = road.call("GET", "/admin", "", None).await;
    let policy = answer.headers["content-security-policy"].to_str().unwrap().to_owned();
    let origin = road.app.config.bucket.as_ref().unwrap().endpoint.clone().unwrap();
    for source in ["img-src", "media-src", "connect-src"] {
        let part = policy.split(';').find(|part| part.trim().starts_with(source)).unwrap();
        assert!(part.contains(&origin), "{part}");
    }
    assert!(policy.contains("script-src 'self';"), "{policy}");
}

#[tokio::test]
async fn a_machine_that_waits_hears_of_work_that_another_replica_queued() {
    // It does not look for itself while this test runs.
    let road = Road::open_with(Engine::Postgres, |config| config.limits.look_secs = 3600).await;
    let other = road.beside(road.folder.path()).await;
    let token = road.token(TokenRole::Pipeline).await;
    let waiting = road.app.clone();
    let beside = tokio::spawn(async move { Box::pin(replica::run(&waiting)).await });
    // Its own listening begins in its own time: rung for until the first ring is heard.
    let mut heard = pin!(road.app.work.notified());
    heard.as_mut().enable();
    for rings in 1.. {
        let mut tx = other.store.begin().await.unwrap();
        alone::ring(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        if tokio::time::timeout(Duration::from_millis(50), heard.as_mut()).await.is_ok() {
            break;
        }
        assert!(rings < 400, "no ring is heard");
    }
    let mut closed = other.store.begin().await.unwrap();
    sqlx::query("lock table job in access exclusive mode").execute(&mut *closed).await.unwrap();
    let request = serde_json::json!({ "worker": "w", "kinds": ["export"], "max": 1, "wait_s": 25 });
    let claim = road.call("POST", "/api/v1/jobs/claim", &token, Some(request));
    let queue = async {
        // The claim has begun to look, and then it has ended: from now on it waits.
        let others = "pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        while road.count(&format!("{others} and wait_event_type = 'Lock'")).await == 0 {
            tokio::task::yield_now().await;
        }
        closed.commit().await.unwrap();
        while road.count(&format!("{others} and backend_type = 'client backend' and state <> 'idle'")).await > 0 {
            tokio::task::yield_now().await;
        }
        let mut tx = other.store.begin().await.unwrap();
        let kind = shared_types::job::JobKind::Export;
        ingest_server::store::job::queue(&mut tx, kind, None, road.campaign, "a", road::NOW).await.unwrap();
        tx.commit().await.unwrap();
    };
    let both = async { tokio::join!(claim, queue) };
    let (claimed, ()) = tokio::time::timeout(Duration::from_mins(1), both).await.expect("the claim ends");
    let claimed = claimed.json();
    assert_eq!(claimed.as_array().unwrap().len(), 1, "{claimed}");
    beside.abort();
}

#[tokio::test]
async fn what_only_one_may_do_waits_for_the_other() {
    let road = Road::open(Engine::Postgres).await;
    let mut first = road.app.store.begin().await.unwrap();
    alone::alone(&mut first, "fingerprints").await.unwrap();
    let mut second = road.app.store.begin().await.unwrap();
    let waits = async {
        alone::alone(&mut second, "fingerprints").await.unwrap();
    };
    tokio::pin!(waits);
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut waits).await.is_err(), "the other holds it");
    first.commit().await.unwrap();
    waits.await;
}

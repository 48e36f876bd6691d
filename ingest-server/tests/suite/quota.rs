//! What a worker's uploads and everybody's bodies may take up: quota, places, memory.

use crate::limits::{add, begin, with};
use crate::road::{BYTES, Road, TUS, UPLOADS, video};
use axum::body::Body;
use ingest_server::housekeeping;
use ingest_server::store::Engine;
use sha1::{Digest, Sha1};

on_both!(
    the_quota_is_reserved_when_an_upload_begins,
    a_worker_has_so_many_open_uploads,
    an_upload_without_a_byte_is_kept_for_an_hour,
    a_take_that_came_to_nothing_takes_up_no_quota,
);

async fn the_quota_is_reserved_when_an_upload_begins(road: Road) {
    drop(road);
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let road = Road::open_with(engine, |config| config.limits.worker_bytes = 1000).await;
        let (token, other) = (road.worker("Basic").await, road.worker("Basic").await);
        let (one, two) = tokio::join!(begin(&road, &token, 600), begin(&road, &token, 600));
        let mut got = [one.status.as_u16(), two.status.as_u16()];
        got.sort_unstable();
        assert_eq!(got, [201, 403], "two that begin at once count each other");
        let refused = begin(&road, &token, 401).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "quota_exceeded"));
        assert!(refused.json()["message"].as_str().unwrap().contains("600 of 1000"));
        assert_eq!(begin(&road, &other, 1000).await.status, 201, "everybody has an own one");
        // A length that is told later is counted while the bytes come.
        let made = road.send("POST", UPLOADS, &token, &[TUS, ("upload-defer-length", "1")], "").await;
        let path = made.header("location");
        let unannounced = || Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(video(401))]));
        let headers = [TUS, BYTES, ("upload-offset", "0")];
        assert_eq!(road.send("PATCH", path, &token, &headers, unannounced()).await.status, 413);
        assert_eq!(add(&road, &token, path, 0, &video(400)).await.status, 204);
        let headers = [TUS, BYTES, ("upload-offset", "400"), ("upload-length", "401")];
        assert_eq!(road.send("PATCH", path, &token, &headers, "x").await.code(), "quota_exceeded");
        assert_eq!(road.send("DELETE", path, &token, &[TUS], "").await.status, 204);
        assert_eq!(begin(&road, &token, 400).await.status, 201, "what is ended is free again");
    }
}

async fn a_worker_has_so_many_open_uploads(road: Road) {
    let token = road.worker("Basic").await;
    for _ in 0..8 {
        assert_eq!(begin(&road, &token, 10).await.status, 201);
    }
    assert_eq!(begin(&road, &token, 10).await.code(), "quota_exceeded");
    road.pass(8 * 86_400);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("upload where stage = 'expired'").await, 8);
    assert_eq!(begin(&road, &token, 10).await.status, 201);
}

/// The answers that named them may have been lost: nobody can finish or end what nobody knows of.
async fn an_upload_without_a_byte_is_kept_for_an_hour(road: Road) {
    let token = road.worker("Basic").await;
    for _ in 0..7 {
        assert_eq!(begin(&road, &token, 100).await.status, 201);
    }
    let path = begin(&road, &token, 100).await.header("location").to_owned();
    assert_eq!(add(&road, &token, &path, 0, &video(40)).await.status, 204);
    assert_eq!(begin(&road, &token, 100).await.code(), "quota_exceeded");
    road.pass(3601);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("upload where stage = 'expired'").await, 7);
    assert_eq!(begin(&road, &token, 100).await.status, 201);
    assert_eq!(add(&road, &token, &path, 40, &video(100)[40..]).await.status, 204, "what has bytes is kept for long");
}

/// Uploads whose length is told later.
async fn deferred(road: &Road, token: &str) -> String {
    let made = road.send("POST", UPLOADS, token, &[TUS, ("upload-defer-length", "1")], "").await;
    made.header("location").to_owned()
}

#[tokio::test]
async fn lengths_that_are_told_at_once_count_each_other() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let road = Road::open_with(engine, |config| config.limits.worker_bytes = 1000).await;
        let token = road.worker("Basic").await;
        let (one, two) = (deferred(&road, &token).await, deferred(&road, &token).await);
        let tell = async |path: &str| {
            let headers = [TUS, BYTES, ("upload-offset", "0"), ("upload-length", "600")];
            road.send("PATCH", path, &token, &headers, "").await.status.as_u16()
        };
        let (one, two) = tokio::join!(tell(&one), tell(&two));
        let mut got = [one, two];
        got.sort_unstable();
        assert_eq!(got, [204, 403]);
        assert_eq!(road.count("upload where length_bytes = 600").await, 1);
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    Sha1::digest(bytes).to_vec()
}

/// Both have looked at what is left before either is committed.
#[tokio::test]
async fn bytes_that_come_at_once_count_each_other() {
    let hash =
        "sha1 ".to_owned() + &base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sha1(&video(600)));
    for (engine, checked) in [(Engine::Sqlite, true), (Engine::Postgres, true), (Engine::Sqlite, false)] {
        let road = Road::open_with(engine, |config| config.limits.worker_bytes = 1000).await;
        let token = road.worker("Basic").await;
        let (one, two) = (deferred(&road, &token).await, deferred(&road, &token).await);
        let both = std::sync::Arc::new(tokio::sync::Barrier::new(2));
        let send = async |path: &str| {
            let (both, whole) = (both.clone(), video(600));
            let begins = futures_util::stream::iter([Ok::<_, std::io::Error>(whole[..300].to_vec())]);
            let ends = futures_util::stream::once(async move {
                both.wait().await;
                Ok(whole[300..].to_vec())
            });
            let body = Body::from_stream(futures_util::StreamExt::chain(begins, ends));
            let headers = [TUS, BYTES, ("upload-offset", "0"), ("upload-checksum", hash.as_str())];
            let headers = if checked { &headers[..] } else { &headers[..3] };
            road.send("PATCH", path, &token, headers, body).await.status.as_u16()
        };
        let (one, two) = tokio::join!(send(&one), send(&two));
        let mut got = [one, two];
        got.sort_unstable();
        assert_eq!(got, [204, 403], "{engine:?} {checked}");
        assert_eq!(road.count("upload where received_bytes = 600").await, 1);
    }
}

/// Nothing of it counts before all of it is here, so it may not be long.
#[tokio::test]
async fn a_request_with_a_hash_has_a_limit() {
    let road = with(|_| ()).await;
    let token = road.worker("Basic").await;
    let path = begin(&road, &token, 100 << 20).await.header("location").to_owned();
    let length = ((64 << 20) + 1).to_string();
    let headers = [TUS, BYTES, ("upload-offset", "0"), ("content-length", &length)];
    let hash = ("upload-checksum", "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    let refused = road.send("PATCH", &path, &token, &[&headers[..], &[hash]].concat(), "").await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (413, "upload_too_large"));
    assert!(refused.json()["message"].as_str().unwrap().contains("67108864"));
}

/// A body that stops in the middle until it is told to go on.
fn halting(length: usize) -> (Body, tokio::sync::oneshot::Sender<()>, tokio::sync::oneshot::Receiver<()>) {
    let ((go_on, gone_on), (arrived, has_arrived)) = (tokio::sync::oneshot::channel(), tokio::sync::oneshot::channel());
    let half = vec![b' '; length / 2];
    let other = half.clone();
    let begins = futures_util::stream::iter([Ok::<_, std::io::Error>(half)]);
    let ends = futures_util::stream::once(async move {
        arrived.send(()).unwrap();
        gone_on.await.unwrap();
        Ok(other)
    });
    (Body::from_stream(futures_util::StreamExt::chain(begins, ends)), go_on, has_arrived)
}

#[tokio::test]
async fn bodies_that_are_read_whole_have_so_much_room() {
    const KIB: usize = 1 << 10;
    let road = with(|limits| limits.body_bytes = 300 << 10).await;
    let token = road.worker("Basic").await;
    let hand_in = async |body: Body| road.send("POST", "/api/v1/submissions", &token, &[], body).await;
    let (long, go_on, has_arrived) = halting(500 * KIB);
    let others = async {
        has_arrived.await.unwrap();
        let full = hand_in(Body::from(vec![b' '; 250 * KIB])).await;
        assert_eq!((full.status.as_u16(), full.code().as_str()), (503, "unavailable"));
        assert_eq!(full.header("retry-after"), "5");
        assert_eq!(hand_in(Body::from(vec![b' '; 60 * KIB])).await.status, 400, "who sends little is not kept out");
        go_on.send(()).unwrap();
    };
    let (long, ()) = tokio::join!(hand_in(long), others);
    assert_eq!(long.status, 503, "it would take up more than there is");
    assert_eq!(hand_in(Body::from(vec![b' '; 250 * KIB])).await.status, 400, "the room is free again");
    for path in ["/api/v1/workers", "/api/v1/admin/session"] {
        for (length, status) in [(16 * KIB, 400), (16 * KIB + 1, 413)] {
            let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
            let answer = road.send("POST", path, "", &headers, vec![b' '; length]).await;
            assert_eq!(answer.status.as_u16(), status, "{path}, {length} bytes of anybody");
        }
    }
}

async fn a_take_that_came_to_nothing_takes_up_no_quota(road: Road) {
    drop(road);
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let road = Road::open_with(engine, |config| config.limits.worker_bytes = 1000).await;
        let token = road.worker("Basic").await;
        let goals = road.goals(&token).await;
        for (at, stage) in ["failed", "quarantined"].iter().enumerate() {
            let id = road.submission(&token, &goals[at], &video(600 + at)).await;
            assert_eq!(begin(&road, &token, 600).await.code(), "quota_exceeded");
            let text = format!("update submission set stage = '{stage}' where id = '{id}'");
            let mut tx = road.app.store.begin().await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(begin(&road, &token, 600).await.status, 201);
    }
}

//! What strangers may not do: hold places, fill the disk, take what is another's, come back with what was used.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::road;
use crate::road::wire::{Reply, answer, connect};
use crate::road::{BYTES, NOW, Road, TUS, UPLOADS, handed_in, id_in, video};
use axum::body::Body;
use ingest_server::app::App;
use ingest_server::config::Config;
use ingest_server::limits::Limits;
use ingest_server::secret::digest;
use ingest_server::store::Engine;
use ingest_server::{housekeeping, http, retention, serve, uploads};
use serde_json::json;
use shared_types::api::admin::TokenRole;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

on_both!(
    what_was_used_cannot_be_used_again,
    names_lead_nowhere,
    what_is_over_its_time_goes,
    who_may_not_go_on_keeps_no_upload_open,
    a_server_that_stops_leaves_the_rest_to_the_next,
    a_start_makes_good_what_a_crash_left,
    a_newer_server_fences_an_older_one,
);

pub(super) async fn with(change: impl FnOnce(&mut Limits)) -> Road {
    Road::open_with(Engine::Sqlite, |config| change(&mut config.limits)).await
}

pub(super) async fn begin(road: &Road, token: &str, length: u64) -> road::Answer {
    road.send("POST", UPLOADS, token, &[TUS, ("upload-length", &length.to_string())], "").await
}

pub(super) async fn add(road: &Road, token: &str, path: &str, offset: usize, bytes: &[u8]) -> road::Answer {
    let offset = offset.to_string();
    road.send("PATCH", path, token, &[TUS, BYTES, ("upload-offset", &offset)], bytes.to_vec()).await
}

/// What a whole directory holds, by paths from it.
fn files(folder: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn the_disk_is_never_filled() {
    let road = with(|limits| limits.free_bytes = 1 << 60).await;
    let token = road.worker("Basic").await;
    let full = begin(&road, &token, 10).await;
    assert_eq!((full.status.as_u16(), full.code().as_str()), (507, "storage_full"));
    assert_eq!(full.header("retry-after"), "300");
    assert_eq!(road.call("GET", "/readyz", "", None).await.status, 503);
    let admin = road.token(TokenRole::Admin).await;
    let told = road.call("GET", "/api/v1/admin/stats", &admin, None).await.json();
    assert_eq!(told["is_full"], true, "the overview tells whoever can make room");
    assert_eq!(road.count("upload").await, 0);
    let put = road.app.objects.signed_put("jobs/1/a.mp4", NOW, 60).await.unwrap();
    assert_eq!(road.send("PUT", &put, "", &[], "x").await.status, 507, "machines fill it no more than workers");
    let road = with(|limits| (limits.upload_bytes, limits.worker_bytes) = (1 << 60, 1 << 61)).await;
    let token = road.worker("Basic").await;
    assert_eq!(begin(&road, &token, 1 << 59).await.code(), "storage_full", "the announced length counts");
    assert_eq!(road.call("GET", "/readyz", "", None).await.status, 200);
}

#[tokio::test]
async fn bytes_are_counted_while_they_come() {
    let road = with(|limits| limits.upload_bytes = 1000).await;
    let token = road.worker("Basic").await;
    assert_eq!(begin(&road, &token, 1001).await.code(), "upload_too_large");
    let path = begin(&road, &token, 100).await.header("location").to_owned();
    let pieces = (0..50).map(|_| Ok::<_, std::io::Error>(video(64)));
    let headers = [TUS, BYTES, ("upload-offset", "0")];
    let more = Body::from_stream(futures_util::stream::iter(pieces));
    assert_eq!(road.send("PATCH", &path, &token, &headers, more).await.status, 413, "announced or not");
    let told = road.send("HEAD", &path, &token, &[TUS], "").await;
    assert_eq!(told.header("upload-offset"), "0", "nothing of too much is kept");
    let lies = std::fs::metadata(road.folder.path().join("uploads").join(id_in(&path))).map_or(0, |meta| meta.len());
    assert_eq!(lies, 0);
}

async fn names_lead_nowhere(road: Road) {
    let token = road.worker("Basic").await;
    let before = files(road.folder.path());
    for id in
        ["..", "%2e%2e", "..%2f..%2fsigning.key", "csu_..%2f..%2fx", "%00", "csu_1%00", ".", "a%5c..%5cb", "%2fetc"]
    {
        for method in ["HEAD", "PATCH", "GET", "DELETE"] {
            let path = format!("{UPLOADS}/{id}");
            let answer = road.send(method, &path, &token, &[TUS, BYTES, ("upload-offset", "0")], "x").await;
            assert_eq!(answer.status, 404, "{method} {id}");
        }
    }
    // "../../../evil" in base64: a name is told back and never used.
    let named = [TUS, BYTES, ("upload-length", "64"), ("upload-metadata", "filename Li4vLi4vLi4vZXZpbA==")];
    let made = road.send("POST", UPLOADS, &token, &named, video(64)).await;
    assert_eq!(made.status, 201);
    let after: Vec<String> = files(road.folder.path()).into_iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(after, [format!("objects/uploads/{}", id_in(made.header("location")))]);
    assert!(!road.folder.path().join("../evil").exists());
}

async fn what_was_used_cannot_be_used_again(road: Road) {
    let (token, thief) = (road.worker("Basic").await, road.worker("Basic").await);
    let (goals, whole) = (road.goals(&token).await, video(64));
    let path = begin(&road, &token, 64).await.header("location").to_owned();
    assert_eq!(add(&road, &token, &path, 0, &whole).await.status, 204);
    assert_eq!(add(&road, &token, &path, 0, &whole).await.code(), "upload_offset_conflict");
    assert_eq!(add(&road, &token, &path, 64, b"").await.status, 204, "the last request may be repeated");
    let upload = id_in(&path);
    let mut send = Vec::new();
    for (who, goal) in [(&token, &goals[0]), (&token, &goals[1]), (&thief, &road.goals(&thief).await[0])] {
        for verb in ["claim", "start"] {
            road.call("POST", &format!("/api/v1/assignments/{goal}/{verb}"), who, None).await;
        }
        let id = uuid::Uuid::now_v7().to_string();
        let body = handed_in(&id, goal, upload, &whole);
        let answer = road.call("POST", "/api/v1/submissions", who, Some(body)).await;
        send.push(answer.status.as_u16());
    }
    assert_eq!(send, [201, 409, 404], "once, for one goal, by its owner");
    for method in ["HEAD", "PATCH", "DELETE", "GET"] {
        let answer = road.send(method, &path, &thief, &[TUS, BYTES, ("upload-offset", "64")], "").await;
        assert_eq!(answer.status, 404, "{method} of another's upload");
    }
}

async fn what_is_over_its_time_goes(road: Road) {
    let token = road.worker("Basic").await;
    let goals = road.goals(&token).await;
    let (rejected, kept) =
        (road.submission(&token, &goals[0], &video(64)).await, road.submission(&token, &goals[1], &video(65)).await);
    let unused = begin(&road, &token, 66).await.header("location").to_owned();
    assert_eq!(add(&road, &token, &unused, 0, &video(66)).await.status, 204);
    let mut tx = road.app.store.begin().await.unwrap();
    for (id, stage) in [(&rejected, "rejected"), (&kept, "accepted")] {
        let text = format!("update submission set stage = '{stage}' where id = '{id}'");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let now = || road.app.clock.now();
    let over = async || {
        let all = retention::look(&road.app, now()).await.unwrap();
        all.iter().map(|over| (over.class.as_str(), over.days, over.items, over.bytes)).collect::<Vec<_>>()
    };
    let objects = || files(&road.folder.path().join("objects/uploads")).len();
    assert!(over().await.iter().all(|(_, _, items, _)| *items == 0));
    road.pass(61 * 86_400);
    assert_eq!(
        over().await,
        [
            ("unused_uploads", 30, 1, 66),
            ("rejected_media", 60, 1, 64),
            ("accepted_media", 0, 0, 0),
            ("login_addresses", 90, 0, 0)
        ]
    );
    assert_eq!(objects(), 3, "looking removes nothing");
    for _ in 0..2 {
        housekeeping::round(&road.app).await.unwrap();
        assert_eq!(objects(), 1, "what was accepted stays");
    }
    assert!(over().await.iter().all(|(_, _, items, _)| *items == 0));
    assert_eq!(road.count("submission where media_removed_at is not null").await, 1);
    let view = road.call("GET", &format!("/api/v1/submissions/{rejected}"), &token, None).await;
    assert_eq!(view.json()["stage"], "rejected", "what was said of it stays");
    assert_eq!(road.send("GET", &unused, &token, &[], "").await.status, 404);
}

async fn who_may_not_go_on_keeps_no_upload_open(road: Road) {
    let bytes = video(200);
    let tokens = [road.worker("Basic").await, road.worker("Basic").await, road.worker("Basic").await];
    let mut paths = Vec::new();
    for token in &tokens {
        let path = begin(&road, token, 200).await.header("location").to_owned();
        assert_eq!(add(&road, token, &path, 0, &bytes[..50]).await.status, 204);
        paths.push(path);
    }
    let change = async |text: &str, secret: &str| {
        let mut tx = road.app.store.begin().await.unwrap();
        let query = sqlx::query(sqlx::AssertSqlSafe(text.to_owned())).bind(digest(secret));
        query.execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let whose = "(select worker_id from token where secret_sha256 = $1)";
    change(&format!("update worker set stage = 'banned' where id = {whose}"), &tokens[0]).await;
    change("update token set revoked_at = 1 where secret_sha256 = $1", &tokens[1]).await;
    for (at, code) in [(0, "forbidden"), (1, "token_revoked")] {
        let refused = add(&road, &tokens[at], &paths[at], 50, &bytes[50..]).await;
        assert_eq!(refused.code(), code);
        let instead = [TUS, BYTES, ("upload-offset", "50"), ("x-http-method-override", "PATCH")];
        assert_eq!(road.send("POST", &paths[at], &tokens[at], &instead, bytes[50..].to_vec()).await.code(), code);
    }
    // One who is paused keeps what is there, and goes on later.
    change(&format!("update worker set stage = 'suspended' where id = {whose}"), &tokens[2]).await;
    assert_eq!(add(&road, &tokens[2], &paths[2], 50, &bytes[50..]).await.status, 403);
    change(&format!("update worker set stage = 'withdrawn' where id = {whose}"), &tokens[2]).await;
    assert_eq!(add(&road, &tokens[2], &paths[2], 50, &bytes[50..]).await.code(), "consent_required");
    // A token that was taken away a moment ago may be about to be replaced.
    let now = road.app.clock.now().millis;
    change(&format!("update token set revoked_at = {now} where secret_sha256 = $1"), &tokens[2]).await;
    assert_eq!(uploads::sweep(&road.app, road.app.clock.now()).await.unwrap(), 2);
    assert_eq!(road.count("upload where stage = 'expired'").await, 2);
    assert_eq!(files(&road.folder.path().join("uploads")).len(), 1, "their bytes are gone");
    assert_eq!(road.send("HEAD", &paths[0], &tokens[0], &[TUS], "").await.status, 410);
    change("update token set revoked_at = null where secret_sha256 = $1", &tokens[2]).await;
    change(&format!("update worker set stage = 'active' where id = {whose}"), &tokens[2]).await;
    assert_eq!(add(&road, &tokens[2], &paths[2], 50, &bytes[50..]).await.status, 204);
}

/// However many they are.
#[tokio::test]
async fn all_that_is_over_its_time_goes_at_once() {
    let road = with(|_| ()).await;
    let token = road.worker("Basic").await;
    let goals = road.goals(&token).await;
    let (failed, quarantined) =
        (road.submission(&token, &goals[0], &video(64)).await, road.submission(&token, &goals[1], &video(65)).await);
    let mut tx = road.app.store.begin().await.unwrap();
    for (id, stage) in [(&failed, "failed"), (&quarantined, "quarantined")] {
        let text = format!("update submission set stage = '{stage}' where id = '{id}'");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
    }
    let many = "with recursive n (at) as (select 1 union all select at + 1 from n where at < 450) \
        insert into upload (id, worker_id, stage, received_bytes, midstate, generation, expires_at, created_at, updated_at) \
        select 'csu_' || at, worker.id, 'ready', 0, '', 0, 0, 0, 0 from n, worker";
    sqlx::query(many).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    road.pass(61 * 86_400);
    let now = road.app.clock.now();
    assert_eq!(uploads::sweep(&road.app, now).await.unwrap(), 450);
    assert_eq!(retention::apply(&road.app, now).await.unwrap(), 2);
    assert!(files(&road.folder.path().join("objects")).is_empty());
}

async fn a_server_that_stops_leaves_the_rest_to_the_next(road: Road) {
    let token = road.worker("Basic").await;
    for _ in 0..3 {
        assert_eq!(begin(&road, &token, 10).await.status, 201);
    }
    road.pass(8 * 86_400);
    road.app.stopping.cancel();
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("upload where stage = 'expired'").await, 0);
}

async fn a_start_makes_good_what_a_crash_left(mut road: Road) {
    let token = road.worker("Basic").await;
    let folder = road.folder.path().join("uploads");
    let (half, whole) = (begin(&road, &token, 100).await, begin(&road, &token, 100).await);
    let (half, whole) = (half.header("location").to_owned(), whole.header("location").to_owned());
    add(&road, &token, &half, 0, &video(40)).await;
    add(&road, &token, &whole, 0, &video(100)).await;
    // Written and never committed; moved and never said so; left by an upload that has ended; known to nobody.
    std::fs::OpenOptions::new().append(true).open(folder.join(id_in(&half))).unwrap().write_all(b"torn").unwrap();
    let mut tx = road.app.store.begin().await.unwrap();
    let text = format!("update upload set stage = 'assembling' where id = '{}'", id_in(&whole));
    sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let ended = begin(&road, &token, 100).await.header("location").to_owned();
    road.send("DELETE", &ended, &token, &[TUS], "").await;
    std::fs::write(folder.join(id_in(&ended)), b"left").unwrap();
    std::fs::write(folder.join("csu_stranger"), b"who knows").unwrap();
    let incoming = road.folder.path().join("objects/.incoming/half");
    std::fs::write(&incoming, b"half").unwrap();
    road.restart().await;
    assert!(incoming.exists(), "a command that only opens the store leaves what the server is taking in");
    uploads::recover(&road.app).await.unwrap();
    let length = |name: &str| std::fs::metadata(folder.join(name)).map(|meta| meta.len()).ok();
    assert_eq!(length(id_in(&half)), Some(40), "cut back to what is committed");
    assert_eq!(length(id_in(&ended)), None);
    assert!(!incoming.exists());
    assert_eq!(length("csu_stranger"), Some(9), "what belongs to nobody is not removed on a guess");
    assert_eq!(road.count("upload where stage = 'ready'").await, 1);
    assert_eq!(add(&road, &token, &half, 40, &video(100)[40..]).await.status, 204);
}

/// Two servers over one database, as while one takes the other's place.
async fn a_newer_server_fences_an_older_one(road: Road) {
    if road.app.store.engine() == Engine::Sqlite {
        // SQLite's folder has one server, held by a lock; objects/lock.rs tests that.
        return;
    }
    let token = road.worker("Basic").await;
    let whole = video(100_000);
    let path = begin(&road, &token, 100_000).await.header("location").to_owned();
    let folder = road::folder();
    let config = Config { data_dir: folder.path().to_owned(), ..road.app.config.clone() };
    let newer = App::open(config, road.app.clock).await.unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(4);
    let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    sender.send(Ok(whole[..60_000].to_vec())).await.unwrap();
    let headers = [TUS, BYTES, ("upload-offset", "0")];
    let stalled = road.send("PATCH", &path, &token, &headers, Body::from_stream(stream));
    let other = async {
        // All places are free once the first bytes were taken in.
        drop(sender.reserve_many(4).await.unwrap());
        let request = axum::http::Request::patch(&path)
            .header("authorization", format!("Bearer {token}"))
            .header(TUS.0, TUS.1)
            .header(BYTES.0, BYTES.1)
            .header("upload-offset", "0")
            .body(Body::from(whole.clone()))
            .unwrap();
        let done = http::router(newer.clone()).oneshot(request).await.unwrap();
        drop(sender);
        done.status()
    };
    let (stalled, other) = tokio::join!(stalled, other);
    assert_eq!((stalled.status.as_u16(), other.as_u16()), (409, 204), "the newer one wins");
    assert!(std::fs::read(folder.path().join("objects/uploads").join(id_in(&path))).unwrap() == whole);
    assert_eq!(road.count("upload where stage = 'ready' and received_bytes = 100000").await, 1);
    newer.store.close().await;
}

/// The server behind a socket, with its own limits.
pub(super) struct Open {
    pub road: Road,
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Open {
    pub(crate) async fn new(change: impl FnOnce(&mut Limits)) -> Self {
        let road = with(change).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let served = tokio::spawn(serve::serve(road.app.clone(), listener, stop.clone().cancelled_owned()));
        Self { road, address, stop, served }
    }

    /// Runs what blocks, then ends the server.
    async fn check<T: Send + 'static>(self, what: impl FnOnce(SocketAddr) -> T + Send + 'static) -> T {
        let address = self.address;
        let done = tokio::task::spawn_blocking(move || what(address)).await.unwrap();
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
        done
    }
}

fn get(address: SocketAddr, path: &str, more: &str) -> std::io::Result<Reply> {
    let mut stream = connect(address);
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n").as_bytes())?;
    answer(&mut stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_cut() {
    let open = Open::new(|limits| limits.header_secs = 1).await;
    let (said, took) = open
        .check(|address| {
            let (mut stream, began) = (connect(address), Instant::now());
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let mut said = Vec::new();
            let mut byte = [0; 512];
            loop {
                // One more letter each time nothing came back.
                match stream.read(&mut byte) {
                    Ok(0) => break,
                    Ok(read) => said.extend_from_slice(&byte[..read]),
                    Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                        if stream.write_all(b"a").is_err() {
                            break;
                        }
                    }
                    Err(_) => break,
                }
                assert!(began.elapsed() < Duration::from_secs(30), "the connection is never cut");
            }
            (String::from_utf8_lossy(&said).into_owned(), began.elapsed())
        })
        .await;
    assert!(took >= Duration::from_millis(900), "{took:?}");
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
}

/// A body that comes in drops; what the server says of it.
fn drip(address: SocketAddr, begin: &[u8], drop: &'static [u8]) -> Reply {
    let mut stream = connect(address);
    stream.write_all(begin).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut first = [0; 1];
    while let Err(error) = stream.peek(&mut first) {
        assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()), "{error}");
        stream.write_all(drop).unwrap();
    }
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    answer(&mut stream).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_stops_or_drips_is_cut_and_keeps_its_bytes() {
    let silent: fn(&mut Limits) = |limits| limits.idle_secs = 1;
    let slow: fn(&mut Limits) = |limits| (limits.rate_secs, limits.least_rate_bytes) = (1, 100_000);
    for (what, change, drop) in [("stopped", silent, b"".as_slice()), ("too slowly", slow, b"x".as_slice())] {
        let open = Open::new(change).await;
        let token = open.road.worker("Basic").await;
        let path = begin(&open.road, &token, 100_000).await.header("location").to_owned();
        let head = format!(
            "PATCH {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{}: {}\r\n\
             {}: {}\r\nUpload-Offset: 0\r\nContent-Length: 100000\r\n\r\n",
            TUS.0, TUS.1, BYTES.0, BYTES.1
        );
        let begin = [head.as_bytes(), &video(64)].concat();
        let reply = open.check(move |address| drip(address, &begin, drop)).await;
        assert_eq!(reply.status, 408, "{what}");
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(what) && message.contains("kept"), "{message}");
    }
}

/// Everybody may open these two, so a body that never ends must not hold a place for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_cut() {
    let silent: fn(&mut Limits) = |limits| limits.idle_secs = 1;
    let slow: fn(&mut Limits) = |limits| (limits.rate_secs, limits.least_rate_bytes) = (1, 100_000);
    for (change, drop) in [(silent, b"".as_slice()), (slow, b" ".as_slice())] {
        for path in ["/api/v1/admin/session", "/api/v1/workers"] {
            let open = Open::new(change).await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{"
            );
            let reply = open.check(move |address| drip(address, head.as_bytes(), drop)).await;
            assert_eq!(reply.status, 408, "{path}: {}", reply.json());
        }
    }
    let road = with(|_| ()).await;
    let long = json!({ "email": "x".repeat(3 << 20), "password": "x", "totp": null });
    assert_eq!(road.call("POST", "/api/v1/admin/session", "", Some(long)).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_cut() {
    let open = Open::new(|limits| limits.header_secs = 1).await;
    let read = open.check(|address| connect(address).read(&mut [0; 1])).await;
    assert!(matches!(read, Ok(0)), "{read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_loses_its_place() {
    let open = Open::new(|limits| (limits.connections, limits.stalled_secs) = (1, 1)).await;
    let token = open.road.worker("Basic").await;
    let whole = video(40 << 20);
    let made = begin(&open.road, &token, whole.len() as u64).await;
    let path = made.header("location").to_owned();
    assert_eq!(add(&open.road, &token, &path, 0, &whole).await.status, 204);
    let status = open
        .check(move |address| {
            let mut lazy = connect(address);
            let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
            lazy.write_all(head.as_bytes()).unwrap();
            lazy.peek(&mut [0; 1]).unwrap();
            // The only place is taken until the server gives up on the reader.
            get(address, "/healthz", "").unwrap().status
        })
        .await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_cap_wait() {
    let open = Open::new(|limits| limits.connections = 1).await;
    let waited = open
        .check(|address| {
            let first = connect(address);
            let mut second = connect(address);
            second.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            second.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let early = second.peek(&mut [0; 1]).map_err(|error| error.kind());
            drop(first);
            second.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            (early, answer(&mut second).unwrap().status)
        })
        .await;
    assert!(matches!(waited, (Err(ErrorKind::WouldBlock | ErrorKind::TimedOut), 200)), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_asks_too_often_waits() {
    let open = Open::new(|limits| limits.address_requests_per_minute = 3).await;
    let replies = open
        .check(|address| {
            let from = |who: &str| get(address, "/healthz", &format!("X-Forwarded-For: {who}\r\n")).unwrap();
            let mut replies: Vec<Reply> = (0..4).map(|_| from("203.0.113.7")).collect();
            replies.extend([from("203.0.113.8"), get(address, "/healthz", "").unwrap()]);
            replies
        })
        .await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 200, 200]);
    assert_eq!((replies[3].header("retry-after"), &replies[3].json()["code"]), ("20", &json!("rate_limited")));
}

#[tokio::test]
async fn a_worker_that_begins_uploads_too_often_waits() {
    let road = with(|limits| (limits.worker_uploads_per_minute, limits.worker_uploads) = (3, 100)).await;
    let (token, other) = (road.worker("Basic").await, road.worker("Basic").await);
    for _ in 0..3 {
        assert_eq!(begin(&road, &token, 1).await.status, 201);
    }
    let refused = begin(&road, &token, 1).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "20"));
    assert_eq!(begin(&road, &other, 1).await.status, 201);
    road.pass(20);
    assert_eq!(begin(&road, &token, 1).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_refused() {
    let open = Open::new(|_| {}).await;
    let statuses = open
        .check(|address| {
            let long = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(1 << 20));
            let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-A: b\r\n".repeat(2000));
            let smuggled = "POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
            let said = ["\x16\x03\x01\x02\0\x01\0\x01", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", &long, &many, smuggled];
            let mut statuses: Vec<Option<u16>> = said.iter().map(|bytes| {
                let mut stream = connect(address);
                // The server may close before all of it is sent.
                let _ = stream.write_all(bytes.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Write);
                answer(&mut stream).ok().map(|reply| reply.status)
            }).collect();
            statuses.push(get(address, "/healthz", "").ok().map(|reply| reply.status));
            statuses
        })
        .await;
    assert!(
        statuses[..5].iter().all(|status| status.is_none_or(|status| (400..500).contains(&status))),
        "{statuses:?}"
    );
    assert_eq!(statuses[6], Some(200), "the server goes on");
}

//! Resumable uploads, submissions made of them, and signed objects, as a worker's recorder meets them.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::road;
use crate::road::{BYTES, NOW, TUS, id_in, manifest, sha256, video};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ingest_server::app::{App, Clock, Shared};
use ingest_server::config::Config;
use ingest_server::http;
use ingest_server::secret::digest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_types::timestamp::Timestamp;
use tower::ServiceExt;
use uuid::Uuid;

struct Server {
    folder: tempfile::TempDir,
    app: Shared,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn open(folder: &Path, now: Timestamp) -> Shared {
    let config = Config::of_folder(folder);
    App::open(config, Clock::Fixed(now)).await.unwrap()
}

impl Server {
    async fn new() -> Self {
        let folder = road::folder();
        let app = open(folder.path(), NOW).await;
        Self { folder, app }
    }

    /// As after the process ended: everything in memory is gone.
    async fn restart(&mut self) {
        self.restart_at(NOW).await;
    }

    async fn restart_at(&mut self, now: Timestamp) {
        self.app.store.close().await;
        self.app = open(self.folder.path(), now).await;
    }

    async fn run(&self, statement: String) {
        let mut tx = self.app.store.begin().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn count(&self, what: &str) -> i64 {
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {what}"));
        sqlx::query_scalar(text).fetch_one(self.app.store.read()).await.unwrap()
    }

    /// A worker and its token.
    async fn worker(&self) -> (Uuid, String) {
        let id = Uuid::now_v7();
        let token = format!("csw_{id}");
        self.run(format!("insert into worker values ('{id}', 'w-{id}', 'Ada', 'ada', 'active', 1)")).await;
        self.run(format!("insert into consent values ('{id}', '{id}', '2026-11', null, 'en', 1, 1, null, null)")).await;
        let hash = digest(&token);
        self.run(format!(
            "insert into token values ('{}', '{hash}', 'worker', 'Ada', '{id}', null, 1, null)",
            Uuid::now_v7()
        ))
        .await;
        (id, token)
    }

    async fn assignment(&self, worker: Uuid, stage: &str) -> Uuid {
        let (campaign, tier, scenario, id) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        self.run(format!("insert into campaign values ('{campaign}', 'c', 'd', 'USD', 1)")).await;
        self.run(format!("insert into tier values ('{tier}', '{campaign}', 'basic', 1, 100, 1, 1, 'basic', '{{}}')"))
            .await;
        self.run(format!("insert into scenario values ('{scenario}', '{campaign}', 1, 'Buy', '[]', '[]')")).await;
        self.run(format!(
            "insert into assignment values ('{id}', '{campaign}', '{tier}', '{scenario}', '{worker}', '{stage}', 100, null, null, 1, 1)"
        ))
        .await;
        id
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = http::router(self.app.clone()).oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, body }
    }

    async fn create(&self, token: &str, length: usize) -> String {
        let answer =
            self.call("POST", "/api/v1/uploads", token, &[TUS, ("upload-length", &length.to_string())], "").await;
        assert_eq!(answer.status, 201);
        answer.header("location").to_owned()
    }

    async fn patch(&self, token: &str, path: &str, offset: usize, bytes: &[u8]) -> Answer {
        let offset = offset.to_string();
        self.call("PATCH", path, token, &[TUS, BYTES, ("upload-offset", &offset)], bytes.to_vec()).await
    }

    async fn offset(&self, token: &str, path: &str) -> u64 {
        let answer = self.call("HEAD", path, token, &[TUS], "").await;
        assert_eq!(answer.status, 200);
        answer.header("upload-offset").parse().unwrap()
    }

    /// A finished upload as a submission names it.
    async fn ready(&self, token: &str, track: &str, bytes: &[u8]) -> Value {
        let path = self.create(token, bytes.len()).await;
        assert_eq!(self.patch(token, &path, 0, bytes).await.status, 204);
        json!({ "track": track, "upload_id": id_in(&path), "bytes": bytes.len(), "sha256": sha256(bytes) })
    }

    fn staged(&self, path: &str) -> PathBuf {
        self.folder.path().join("uploads").join(id_in(path))
    }

    fn object(&self, path: &str) -> PathBuf {
        self.folder.path().join("objects/uploads").join(id_in(path))
    }
}

#[tokio::test]
async fn an_upload_survives_a_restart_at_every_stage() {
    let mut server = Server::new().await;
    let (_, token) = server.worker().await;
    let whole = video(3_000_000);
    let path = server.create(&token, whole.len()).await;
    assert_eq!(path, format!("/api/v1/uploads/{}", id_in(&path)), "the address is relative");
    server.restart().await;
    assert_eq!(server.offset(&token, &path).await, 0);
    assert_eq!(server.patch(&token, &path, 0, &whole[..1_500_000]).await.status, 204);
    server.restart().await;
    // Written by a process that ended before its commit.
    std::fs::OpenOptions::new().append(true).open(server.staged(&path)).unwrap().write_all(b"torn").unwrap();
    assert_eq!(server.offset(&token, &path).await, 1_500_000);
    let last = server.patch(&token, &path, 1_500_000, &whole[1_500_000..]).await;
    assert_eq!((last.status, last.header("upload-offset")), (StatusCode::NO_CONTENT, "3000000"));
    // Ended between the commit of the last byte and the rename, and between the rename and its commit.
    for moved in [false, true] {
        server.run("update upload set stage = 'assembling'".to_owned()).await;
        if !moved {
            std::fs::rename(server.object(&path), server.staged(&path)).unwrap();
        }
        server.restart().await;
        assert_eq!(server.offset(&token, &path).await, 3_000_000);
        assert!(!server.staged(&path).exists());
    }
    assert_eq!(server.patch(&token, &path, 3_000_000, b"").await.status, 204, "the last request may be repeated");
    let read = server.call("GET", &path, &token, &[("range", "bytes=-10")], "").await;
    assert_eq!((read.status, read.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &whole[whole.len() - 10..]));
    let stored: String =
        sqlx::query_scalar("select sha256 from upload").fetch_one(server.app.store.read()).await.unwrap();
    assert_eq!(stored, sha256(&whole));
}

#[tokio::test]
async fn what_the_protocol_refuses() {
    let server = Server::new().await;
    let (_, token) = server.worker().await;
    let (_, foreign) = server.worker().await;
    let path = server.create(&token, 100).await;
    let uploads = "/api/v1/uploads";
    assert_eq!(server.patch(&token, &path, 5, b"x").await.status, 409);
    for method in ["HEAD", "DELETE", "GET"] {
        assert_eq!(server.call(method, &path, &foreign, &[TUS], "").await.status, 404, "{method}");
        assert_eq!(server.call(method, "/api/v1/uploads/csu_0", &token, &[TUS], "").await.status, 404, "{method}");
        assert_eq!(server.call(method, &path, "csw_wrong", &[TUS], "").await.status, 401, "{method}");
    }
    assert_eq!(server.patch(&foreign, &path, 0, b"x").await.status, 404);
    let old = server.call("HEAD", &path, &token, &[("tus-resumable", "0.2.2")], "").await;
    assert_eq!((old.status, old.header("tus-version")), (StatusCode::PRECONDITION_FAILED, "1.0.0"));
    let json = [TUS, ("content-type", "application/json"), ("upload-offset", "0")];
    assert_eq!(server.call("PATCH", &path, &token, &json, "x").await.status, 415);
    assert_eq!(server.patch(&token, &path, 0, &video(101)).await.status, 413);
    assert_eq!(server.offset(&token, &path).await, 0, "nothing of too much is kept");
    let huge = [TUS, ("upload-length", "99999999999")];
    assert_eq!(server.call("POST", uploads, &token, &huge, "").await.status, 413);
    assert_eq!(server.call("POST", uploads, &token, &[TUS], "").await.status, 400);
    let program = server.patch(&token, &path, 0, &[b"\x7fELF".as_slice(), &[0; 60]].concat()).await;
    assert_eq!(
        (program.status, program.json()["code"].clone()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, json!("unsupported_media"))
    );
    assert!(!server.staged(&path).exists(), "what is no recording is not kept");
    for _ in 0..8 {
        server.create(&token, 10).await;
    }
    let ninth = server.call("POST", uploads, &token, &[TUS, ("upload-length", "1")], "").await;
    assert_eq!(ninth.json()["code"], "quota_exceeded");
    let told = server.call("OPTIONS", uploads, "", &[], "").await;
    assert!(told.header("tus-extension").contains("creation-defer-length"));
    assert_eq!(told.header("tus-checksum-algorithm"), "sha1,sha256");
}

#[tokio::test]
async fn a_checked_request_is_kept_whole_or_not_at_all() {
    let server = Server::new().await;
    let (_, token) = server.worker().await;
    let whole = video(64);
    let path = server.create(&token, 64).await;
    let wrong = format!("sha256 {}", STANDARD.encode(Sha256::digest(b"other")));
    let headers = [TUS, BYTES, ("upload-offset", "0"), ("upload-checksum", &wrong)];
    assert_eq!(server.call("PATCH", &path, &token, &headers, whole.clone()).await.status.as_u16(), 460);
    assert_eq!(server.offset(&token, &path).await, 0);
    let right = format!("sha1 {}", STANDARD.encode(sha1::Sha1::digest(&whole)));
    let headers = [TUS, BYTES, ("upload-offset", "0"), ("upload-checksum", &right)];
    assert_eq!(server.call("PATCH", &path, &token, &headers, whole).await.status, 204);
    let headers = [TUS, BYTES, ("upload-offset", "64"), ("upload-checksum", "md5 AAAA")];
    assert_eq!(server.call("PATCH", &path, &token, &headers, "").await.status, 400);
}

#[tokio::test]
async fn a_length_may_be_told_at_the_end() {
    let server = Server::new().await;
    let (_, token) = server.worker().await;
    let whole = video(100);
    let defer = [TUS, BYTES, ("upload-defer-length", "1")];
    let made = server.call("POST", "/api/v1/uploads", &token, &defer, whole[..60].to_vec()).await;
    assert_eq!((made.status, made.header("upload-offset")), (StatusCode::CREATED, "60"));
    assert!(made.header("upload-expires").ends_with("GMT"));
    let path = made.header("location").to_owned();
    let far = server.call("HEAD", &path, &token, &[TUS], "").await;
    assert_eq!((far.header("upload-defer-length"), far.header("upload-length")), ("1", ""));
    let headers = [TUS, BYTES, ("upload-offset", "60"), ("upload-length", "100")];
    assert_eq!(server.call("PATCH", &path, &token, &headers, whole[60..].to_vec()).await.status, 204);
    assert_eq!(std::fs::read(server.object(&path)).unwrap(), whole);
}

#[tokio::test]
async fn an_ended_upload_leaves_no_byte() {
    let mut server = Server::new().await;
    let (_, token) = server.worker().await;
    let (half, whole) = (server.create(&token, 100).await, server.create(&token, 100).await);
    server.patch(&token, &half, 0, &video(50)).await;
    server.patch(&token, &whole, 0, &video(100)).await;
    assert!(server.staged(&half).exists() && server.object(&whole).exists());
    for path in [&half, &whole] {
        assert_eq!(server.call("DELETE", path, &token, &[TUS], "").await.status, 204);
        assert!(!server.staged(path).exists() && !server.object(path).exists());
        assert_eq!(server.call("HEAD", path, &token, &[TUS], "").await.status, 404);
    }
    let left = server.create(&token, 100).await;
    server.patch(&token, &left, 0, &video(50)).await;
    server.restart_at(NOW.plus_secs(8 * 24 * 60 * 60)).await;
    assert_eq!(server.patch(&token, &left, 50, b"x").await.json()["code"], "upload_expired");
    assert!(!server.staged(&left).exists());
}

#[tokio::test]
async fn a_broken_connection_keeps_what_arrived_and_a_newer_request_wins() {
    let server = Server::new().await;
    let (_, token) = server.worker().await;
    let whole = video(100_000);
    let path = server.create(&token, whole.len()).await;
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(4);
    let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    sender.send(Ok(whole[..60_000].to_vec())).await.unwrap();
    let stalled = [TUS, BYTES, ("upload-offset", "0")];
    let stalled = server.call("PATCH", &path, &token, &stalled, Body::from_stream(stream));
    let newer = async {
        // The channel is free once its piece was taken in.
        let _permits = sender.reserve_many(4).await.unwrap();
        server.offset(&token, &path).await
    };
    let (stalled, offset) = tokio::join!(stalled, newer);
    assert_eq!((stalled.status, offset), (StatusCode::CONFLICT, 60_000));
    let cut = futures_util::stream::iter([Ok(whole[60_000..70_000].to_vec()), Err(std::io::Error::other("cut"))]);
    let headers = [TUS, BYTES, ("upload-offset", "60000")];
    assert_eq!(server.call("PATCH", &path, &token, &headers, Body::from_stream(cut)).await.status, 400);
    assert_eq!(server.offset(&token, &path).await, 70_000);
    assert_eq!(server.patch(&token, &path, 70_000, &whole[70_000..]).await.status, 204);
    assert_eq!(std::fs::read(server.object(&path)).unwrap(), whole);
}

#[tokio::test]
async fn two_writers_at_once_leave_one_upload() {
    let server = Server::new().await;
    let (_, token) = server.worker().await;
    let whole = video(2_000_000);
    let path = server.create(&token, whole.len()).await;
    let (one, two) = tokio::join!(server.patch(&token, &path, 0, &whole), server.patch(&token, &path, 0, &whole));
    assert!([one.status, two.status].iter().all(|status| [204, 409].contains(&status.as_u16())));
    let at = usize::try_from(server.offset(&token, &path).await).unwrap();
    assert_eq!(server.patch(&token, &path, at, &whole[at..]).await.status, 204);
    assert_eq!(std::fs::read(server.object(&path)).unwrap(), whole);
}

#[tokio::test]
async fn a_recording_is_handed_in_once() {
    let server = Server::new().await;
    let (worker, token) = server.worker().await;
    let (_, foreign) = server.worker().await;
    let assignment = server.assignment(worker, "reserved").await;
    let bytes = video(5000);
    let picture = server.ready(&token, "video", &bytes).await;
    let events = server.ready(&token, "events", b"{\"t\":0.1,\"kind\":\"click\"}\n").await;
    let listed = |upload: &Value| json!({ "bytes": upload["bytes"], "sha256": upload["sha256"] });
    let files = json!({ "video.mp4": listed(&picture), "events.jsonl": listed(&events) });
    let id = Uuid::now_v7();
    let request =
        json!({ "id": id, "assignment_id": assignment, "uploads": [picture, events], "manifest": manifest(&files) });
    let send = async |token: &str, request: &Value| {
        server
            .call("POST", "/api/v1/submissions", token, &[("content-type", "application/json")], request.to_string())
            .await
    };
    let mut wrong = request.clone();
    wrong["uploads"][0]["sha256"] = json!(sha256(b"other"));
    let refused = send(&token, &wrong).await;
    assert_eq!((refused.status.as_u16(), refused.json()["code"].clone()), (422, json!("hash_mismatch")));
    assert!(refused.json()["message"].as_str().unwrap().contains("video"));
    let mut wrong = request.clone();
    wrong["manifest"]["files"]["video.mp4"]["sha256"] = json!(sha256(b"other"));
    assert_eq!(send(&token, &wrong).await.status, 422);
    let mut wrong = request.clone();
    wrong["uploads"].as_array_mut().unwrap().remove(0);
    assert_eq!(send(&token, &wrong).await.status, 400);
    let mut wrong = request.clone();
    wrong["manifest"]["assignment_id"] = json!(Uuid::now_v7());
    let refused = send(&token, &wrong).await;
    assert_eq!((refused.status.as_u16(), refused.json()["code"].clone()), (409, json!("stage_conflict")));
    let mut wrong = request.clone();
    wrong["manifest"]["files"].as_object_mut().unwrap().remove("events.jsonl");
    let refused = send(&token, &wrong).await;
    assert!(refused.status == 400 && refused.json()["message"].as_str().unwrap().contains("events.jsonl"));
    assert_eq!(send(&foreign, &request).await.status, 404);
    assert_eq!(server.count("submission").await, 0);

    let made = send(&token, &request).await;
    assert_eq!((made.status.as_u16(), made.json()["stage"].clone()), (201, json!("inspecting")), "{}", made.json());
    let again = send(&token, &request).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, made.json()));
    assert_eq!(server.count("job where kind = 'inspect' and stage = 'queued' and max_attempts = 5").await, 1);
    assert_eq!(server.count("assignment where stage = 'submitted'").await, 1);
    let mut other = request.clone();
    other["manifest"]["goal"] = json!("another");
    assert_eq!(send(&token, &other).await.json()["code"], "stage_conflict");
    other["id"] = json!(Uuid::now_v7());
    assert_eq!(send(&token, &other).await.json()["code"], "assignment_not_open");
    let bound = format!("/api/v1/uploads/{}", picture["upload_id"].as_str().unwrap());
    assert_eq!(server.call("DELETE", &bound, &token, &[TUS], "").await.status, 409, "what was handed in stays");

    let view = server.call("GET", &format!("/api/v1/submissions/{id}"), &token, &[], "").await.json();
    assert_eq!(
        (view["attempt"].clone(), view["marks"].clone(), view["payout"].clone()),
        (json!(1), json!([]), Value::Null)
    );
    let path = format!("/api/v1/receipts/{}", made.json()["receipt_id"].as_str().unwrap());
    let receipt = server.call("GET", &path, &token, &[], "").await.json();
    assert_eq!(receipt["files"], json!([events, picture]));
    for path in [path, format!("/api/v1/submissions/{id}")] {
        assert_eq!(server.call("GET", &path, &foreign, &[], "").await.status, 404);
    }
}

#[tokio::test]
async fn a_signed_address_opens_one_object_for_a_while() {
    let mut server = Server::new().await;
    let objects = &server.app.objects;
    let put = objects.signed_put("jobs/1/a.mp4", NOW, 60).await.unwrap();
    let get = objects.signed_get("jobs/1/a.mp4", NOW, 60).await.unwrap();
    assert_eq!(server.call("GET", &get, "", &[], "").await.status, 404);
    assert_eq!(server.call("PUT", &get, "", &[], "x").await.status, 403, "reading is not writing");
    assert_eq!(server.call("PUT", &put, "", &[], "0123456789").await.status, 204);
    let objects = &server.app.objects;
    assert_eq!(objects.stat("jobs/1/a.mp4").await.unwrap(), Some(10));
    assert_eq!(objects.hash("jobs/1/a.mp4").await.unwrap(), Some(sha256(b"0123456789")));
    let whole = server.call("GET", &get, "", &[], "").await;
    assert_eq!((whole.status, whole.body.as_slice()), (StatusCode::OK, b"0123456789".as_slice()));
    assert_eq!(whole.header("content-type"), "video/mp4");
    assert!(whole.header("content-security-policy").contains("sandbox"));
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    let tag = whole.header("etag").to_owned();
    let part = server.call("GET", &get, "", &[("range", "bytes=2-4"), ("if-range", &tag)], "").await;
    assert_eq!(
        (part.status.as_u16(), part.body.as_slice(), part.header("content-range")),
        (206, b"234".as_slice(), "bytes 2-4/10")
    );
    let changed = server.call("GET", &get, "", &[("range", "bytes=2-4"), ("if-range", "\"old\"")], "").await;
    assert_eq!(changed.status, 200);
    let outside = server.call("GET", &get, "", &[("range", "bytes=10-")], "").await;
    assert_eq!((outside.status.as_u16(), outside.header("content-range")), (416, "bytes */10"));
    let tampered = [get.replace("a.mp4", "b.mp4"), get.replace("expires=1", "expires=2"), format!("{get}00")];
    for address in tampered {
        assert_eq!(server.call("GET", &address, "", &[], "").await.status, 403, "{address}");
    }
    let outside = server.app.objects.signed_get("../signing.key", NOW, 60).await.unwrap();
    assert_eq!(server.call("GET", &outside, "", &[], "").await.status, 403);
    server.restart_at(NOW.plus_secs(59)).await;
    assert_eq!(server.call("GET", &get, "", &[], "").await.status, 200, "the key outlives the process");
    server.restart_at(NOW.plus_secs(60)).await;
    assert_eq!(server.call("GET", &get, "", &[], "").await.status, 403);
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::new().await;
    let path = server.folder.path().join("signing.key");
    let mut key = String::new();
    std::fs::File::open(&path).unwrap().read_to_string(&mut key).unwrap();
    assert_eq!((key.trim().len(), path.metadata().unwrap().permissions().mode() & 0o777), (64, 0o600));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = ingest_server::objects::FolderObjects::open(server.folder.path()).unwrap_err();
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
}

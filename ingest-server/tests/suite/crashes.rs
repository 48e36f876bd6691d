//! The server killed at every point between two writes: started again, the recording arrives whole, and once.

use std::io;
use std::path::Path;

use crate::bucket;
use crate::road::wire::{Process, Reply};
use crate::road::{BYTES, TUS, UPLOADS, handed_in, id_in, new_database, registration, result, sha256, video};
use ingest_server::config::BucketConfig;
use ingest_server::crash::{BUCKET_POINTS, POINTS};
use serde_json::{Value, json};

/// No waiting for what a machine that died had leased.
const SETTINGS: &[(&str, &str)] = &[("COLLECTOR_LEASE_SECS", "1"), ("COLLECTOR_BACKOFF_SECS", "0")];
const PIECE: usize = 1_000_000;

struct Trial<'a> {
    folder: &'a Path,
    url: &'a str,
    settings: Vec<(&'a str, &'a str)>,
    server: Process,
    died: bool,
}

impl<'a> Trial<'a> {
    fn new(folder: &'a Path, url: &'a str, more: &[(&'a str, &'a str)], at: &str) -> Self {
        let settings = [SETTINGS, more].concat();
        let server = Process::start(folder, url, &[&settings, [("COLLECTOR_CRASH_AT", at)].as_slice()].concat());
        Self { folder, url, settings, server, died: false }
    }

    /// One request; none if the server died of it and is running again.
    fn try_once(&mut self, request: impl Fn(&Process) -> io::Result<Reply>) -> Option<Reply> {
        match request(&self.server) {
            Ok(reply) => Some(reply),
            Err(error) => {
                assert!(!self.died, "the server broke off a second time: {error}");
                assert!(self.server.was_killed());
                self.died = true;
                self.server = Process::start(self.folder, self.url, &self.settings);
                None
            }
        }
    }

    fn send(&mut self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        loop {
            if let Some(reply) = self.try_once(|server| server.call(method, path, token, headers, body)) {
                return reply;
            }
        }
    }

    fn json(&mut self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        self.send(method, path, token, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Uploads as every client does: on a broken connection it asks for the offset and goes on.
    fn upload(&mut self, token: &str, whole: &[u8], until: usize) -> String {
        let made = self.send("POST", UPLOADS, token, &[TUS, ("upload-length", &whole.len().to_string())], b"");
        assert_eq!(made.status, 201);
        let path = made.header("location").to_owned();
        let mut offset = 0;
        while offset < until {
            let end = until.min(offset + PIECE);
            let at = offset.to_string();
            let headers = [TUS, BYTES, ("upload-offset", at.as_str())];
            let sent = self.try_once(|server| server.call("PATCH", &path, token, &headers, &whole[offset..end]));
            if let Some(sent) = sent {
                assert_eq!(sent.status, 204, "{}", String::from_utf8_lossy(&sent.body));
            }
            let told = self.send("HEAD", &path, token, &[TUS], b"");
            let now: usize = told.header("upload-offset").parse().unwrap();
            assert!(now >= offset, "bytes that were confirmed are gone: {now} after {offset}");
            offset = now;
        }
        path
    }
}

impl Trial<'_> {
    /// A worker of an invite, and its first goal.
    fn join(&mut self, invite: &str, device: &str) -> (String, String) {
        let made = self.json("POST", "/api/v1/workers", "", &registration(invite, device)).json();
        let token = made["token"].as_str().unwrap().to_owned();
        let goals = self.send("GET", "/api/v1/assignments", &token, &[], b"").json();
        let assignment = goals["items"][0]["id"].as_str().unwrap().to_owned();
        self.send("POST", &format!("/api/v1/assignments/{assignment}/claim"), &token, &[], b"");
        (token, assignment)
    }

    fn hand_in(&mut self, token: &str, assignment: &str, whole: &[u8]) -> (String, Value) {
        let path = self.upload(token, whole, whole.len());
        let submission = uuid::Uuid::now_v7().to_string();
        let body = handed_in(&submission, assignment, id_in(&path), whole);
        let answer = self.json("POST", "/api/v1/submissions", token, &body);
        assert!([200, 201].contains(&answer.status), "{}", answer.json());
        (path, body)
    }

    /// Does the next job of a kind, as a pipeline machine would, and hands one artifact in.
    fn work(&mut self, pipeline: &str, kind: &str) {
        let claim = json!({ "worker": "test", "kinds": [kind], "max": 1, "wait_s": 20 });
        let leased = self.json("POST", "/api/v1/jobs/claim", pipeline, &claim).json();
        let (lease, job) = (leased[0]["lease_token"].clone(), leased[0]["job_id"].as_str().unwrap().to_owned());
        let names = json!({ "lease_token": lease, "names": [ARTIFACT] });
        let urls = self.json("POST", &format!("/api/v1/jobs/{job}/outputs"), pipeline, &names).json();
        let url = urls[ARTIFACT].as_str().unwrap();
        match url.find("/api/v1/objects/") {
            Some(at) => assert_eq!(self.send("PUT", &url[at..], "", &[], MADE).status, 204),
            None => assert_eq!(bucket::ask(url, "PUT", &[], MADE).0, 200),
        }
        let artifact = json!({ "name": ARTIFACT, "bytes": MADE.len(), "sha256": sha256(MADE) });
        let done = json!({ "lease_token": lease, "result": result(), "artifacts": [artifact], "fingerprints": null });
        let answer = self.json("POST", &format!("/api/v1/jobs/{job}/complete"), pipeline, &done);
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    /// Accepts a take. A decision that was saved before the server died is a conflict when it is sent again.
    fn accept(&mut self, admin: &str, id: &str) {
        let path = format!("/api/v1/admin/submissions/{id}");
        let version = self.send("GET", &path, admin, &[], b"").json()["version"].clone();
        let checklist = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
        let decision = json!({
            "rating": 4, "checklist": checklist, "reason": null, "note": null, "marks": [], "version": version,
        });
        let answer = self.json("POST", &format!("{path}/review"), admin, &decision);
        assert!(answer.status == 200 || (answer.status == 409 && self.died), "{}", answer.json());
        assert_eq!(self.send("GET", &path, admin, &[], b"").json()["stage"], "accepted");
    }

    /// Erases the worker of a token. One that died of it has the token revoked already, and finishes by itself.
    fn erase(&mut self, token: &str, admin: &str) {
        let answer = self.send("POST", "/api/v1/me/erasure", token, &[], b"");
        assert!(answer.status == 202 || (answer.status == 401 && self.died), "{}", answer.json());
        let mut asked = 0;
        while self.send("GET", "/api/v1/admin/erasures", admin, &[], b"").json()["items"][0]["done_at"].is_null() {
            asked += 1;
            assert!(asked < 5000, "the erasure is not finished");
        }
    }
}

const ARTIFACT: &str = "steps.jsonl";
const MADE: &[u8] = b"{}\n";

/// The whole route of a recording through a server that dies at one point, and what lies there at the end.
fn check(folder: &Path, url: &str, settings: &[(&str, &str)], at: &str) {
    let mut trial = Trial::new(folder, url, settings, at);
    let campaign = Process::command(folder, url, &["campaign", "list"]).split('\t').next().unwrap().to_owned();
    let invite = ["invite", "create", "--campaign", &campaign, "--tier", "Basic", "--count", "2"];
    let invites = Process::command(folder, url, &invite);
    let (first, second) = invites.split_once('\n').unwrap();
    let of = |role| Process::command(folder, url, &["token", "create", "--role", role, "--name", "test"]);
    let (pipeline, admin) = (of("pipeline"), of("admin"));
    let (token, assignment) = trial.join(first, "device");

    let whole = video(2_500_000);
    let (path, body) = trial.hand_in(&token, &assignment, &whole);
    trial.work(&pipeline, "inspect");
    trial.work(&pipeline, "analyse");
    trial.accept(&admin, body["id"].as_str().unwrap());

    let (other, goal) = trial.join(second, "another");
    trial.hand_in(&other, &goal, &video(1000));
    trial.work(&pipeline, "inspect");
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
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("collector.db").display());
        sqlx::any::install_default_drivers();
        check(folder.path(), &url, &[], &at);
    }
}

/// What a server needs to keep its objects in a bucket.
fn settings(bucket: &BucketConfig) -> [(&str, &str); 4] {
    [
        ("S3_BUCKET", &bucket.name),
        ("AWS_ENDPOINT_URL_S3", bucket.endpoint.as_deref().unwrap_or_default()),
        ("AWS_ACCESS_KEY_ID", &bucket.access_key),
        ("AWS_SECRET_ACCESS_KEY", &bucket.secret_key),
    ]
}

#[test]
fn a_bucket_outlives_a_server_that_dies_between_its_parts() {
    for at in BUCKET_POINTS {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("collector.db").display());
        sqlx::any::install_default_drivers();
        let bucket = bucket::moto();
        check(folder.path(), &url, &settings(&bucket), at);
    }
}

#[test]
fn postgres_serves_a_server_that_dies_at_every_point() {
    for at in deaths() {
        let folder = tempfile::tempdir().unwrap();
        let url = tokio::runtime::Runtime::new().unwrap().block_on(new_database());
        check(folder.path(), &url, &[], &at);
    }
}

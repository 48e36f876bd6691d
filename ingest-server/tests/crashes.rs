//! The server killed at every point between two writes: started again, the recording arrives whole, and once.
#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

mod road;

use std::io;
use std::path::Path;

use ingest_server::crash::POINTS;
use road::wire::{Process, Reply};
use road::{BYTES, TUS, UPLOADS, handed_in, id_in, new_database, registration, result, sha256, video};
use serde_json::{Value, json};

/// No waiting for what a machine that died had leased.
const SETTINGS: &[(&str, &str)] = &[("COLLECTOR_LEASE_SECS", "1"), ("COLLECTOR_BACKOFF_SECS", "0")];
const PIECE: usize = 1_000_000;

struct Trial<'a> {
    folder: &'a Path,
    url: &'a str,
    server: Process,
    died: bool,
}

impl<'a> Trial<'a> {
    fn new(folder: &'a Path, url: &'a str, at: &str) -> Self {
        let settings = [SETTINGS, &[("COLLECTOR_CRASH_AT", at)]].concat();
        Self { folder, url, server: Process::start(folder, url, &settings), died: false }
    }

    /// One request; none if the server died of it and is running again.
    fn try_once(&mut self, request: impl Fn(&Process) -> io::Result<Reply>) -> Option<Reply> {
        match request(&self.server) {
            Ok(reply) => Some(reply),
            Err(error) => {
                assert!(!self.died, "the server broke off a second time: {error}");
                assert!(self.server.was_killed());
                self.died = true;
                self.server = Process::start(self.folder, self.url, SETTINGS);
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

/// The whole route of a recording through a server that dies at one point, and what lies there at the end.
fn check(folder: &Path, url: &str, at: &str) {
    let mut trial = Trial::new(folder, url, at);
    let campaign = Process::command(folder, url, &["campaign", "list"]).split('\t').next().unwrap().to_owned();
    let invite = Process::command(folder, url, &["invite", "create", "--campaign", &campaign, "--tier", "Basic"]);
    let pipeline = Process::command(folder, url, &["token", "create", "--role", "pipeline", "--name", "test"]);
    let made = trial.json("POST", "/api/v1/workers", "", &registration(&invite, "device")).json();
    let token = made["token"].as_str().unwrap().to_owned();
    let goals = trial.send("GET", "/api/v1/assignments", &token, &[], b"").json();
    let assignment = goals["items"][0]["id"].as_str().unwrap().to_owned();
    trial.send("POST", &format!("/api/v1/assignments/{assignment}/claim"), &token, &[], b"");

    let whole = video(2_500_000);
    let path = trial.upload(&token, &whole, whole.len());
    let submission = uuid::Uuid::now_v7().to_string();
    let body = handed_in(&submission, &assignment, id_in(&path), &whole);
    let answer = trial.json("POST", "/api/v1/submissions", &token, &body);
    assert!([200, 201].contains(&answer.status), "{}", answer.json());

    let claim = json!({ "worker": "test", "kinds": ["inspect"], "max": 1, "wait_s": 20 });
    let leased = trial.json("POST", "/api/v1/jobs/claim", &pipeline, &claim).json();
    let lease = leased[0]["lease_token"].as_str().unwrap();
    let done = json!({ "lease_token": lease, "result": result(), "artifacts": [], "fingerprints": null });
    let job = leased[0]["job_id"].as_str().unwrap();
    let answer = trial.json("POST", &format!("/api/v1/jobs/{job}/complete"), &pipeline, &done);
    assert_eq!(answer.status, 200, "{}", answer.json());

    let ended = trial.upload(&token, &whole, PIECE);
    let answer = trial.send("DELETE", &ended, &token, &[TUS], b"");
    assert!([204, 404].contains(&answer.status));
    assert!(trial.died, "the server passes {at} on the way");

    let read = trial.send("GET", &path, &token, &[], b"");
    assert!(read.body == whole, "what is served is what was sent");
    let receipt = trial.json("POST", "/api/v1/submissions", &token, &body).json();
    let receipt = receipt["receipt_id"].as_str().unwrap().to_owned();
    let receipt = trial.send("GET", &format!("/api/v1/receipts/{receipt}"), &token, &[], b"").json();
    assert_eq!(receipt["files"][0]["sha256"], sha256(&whole));
    drop(trial);
    let files = |name: &str| std::fs::read_dir(folder.join(name)).map_or(0, Iterator::count);
    assert_eq!((files("objects/uploads"), files("uploads")), (1, 0), "one object, and nothing half");
    tokio::runtime::Runtime::new().unwrap().block_on(once(url));
}

async fn once(url: &str) {
    let pool = sqlx::AnyPool::connect(url).await.unwrap();
    for (what, expected) in [
        ("upload where stage = 'ready'", 1),
        ("submission", 1),
        ("submission_file", 1),
        ("job where kind = 'inspect' and stage = 'done'", 1),
        ("job where kind = 'inspect'", 1),
        ("job where kind = 'analyse'", 1),
        ("history where what = 'inspected'", 1),
    ] {
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {what}"));
        let found: i64 = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
        assert_eq!(found, expected, "{what}");
    }
    pool.close().await;
}

/// The points, and those that are passed more than once also at a later time.
fn deaths() -> impl Iterator<Item = String> {
    let again = ["upload.written", "upload.synced", "upload.committing", "upload.committed"];
    POINTS.iter().map(ToString::to_string).chain(again.into_iter().map(|point| format!("{point}:2")))
}

#[test]
fn sqlite_dies_at_every_point() {
    for at in deaths() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("collector.db").display());
        sqlx::any::install_default_drivers();
        check(folder.path(), &url, &at);
    }
}

#[test]
fn postgres_serves_a_server_that_dies_at_every_point() {
    for at in deaths() {
        let folder = tempfile::tempdir().unwrap();
        let url = tokio::runtime::Runtime::new().unwrap().block_on(new_database());
        check(folder.path(), &url, &at);
    }
}

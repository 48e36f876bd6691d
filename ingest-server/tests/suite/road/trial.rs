//! A server killed at a named point and started again, seen by a client that goes on as every client does.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::wire::{Process, Reply};
use super::{BYTES, TUS, UPLOADS, handed_in, id_in, registration, result, sha256};
use crate::bucket;

/// No waiting for what a machine that died had leased.
const SETTINGS: &[(&str, &str)] = &[("COLLECTOR_LEASE_SECS", "1"), ("COLLECTOR_BACKOFF_SECS", "0")];
pub const PIECE: usize = 1_000_000;

/// A server that dies at one point and is started again, and those who go on with it.
pub struct Trial<'a> {
    folder: &'a Path,
    url: &'a str,
    settings: Vec<(&'a str, &'a str)>,
    server: Process,
    pub died: bool,
}

impl<'a> Trial<'a> {
    pub fn new(folder: &'a Path, url: &'a str, more: &[(&'a str, &'a str)], at: &str) -> Self {
        let settings = [SETTINGS, more].concat();
        let server = Process::start(folder, url, &[&settings, [("COLLECTOR_CRASH_AT", at)].as_slice()].concat());
        Self { folder, url, settings, server, died: false }
    }

    /// Two invites, a pipeline's token and an admin's.
    pub fn accesses(&self) -> ([String; 2], String, String) {
        let campaign = self.command(&["campaign", "list"]).split('\t').next().unwrap().to_owned();
        let invites = self.command(&["invite", "create", "--campaign", &campaign, "--tier", "Basic", "--count", "2"]);
        let (first, second) = invites.split_once('\n').unwrap();
        let token = |role| self.command(&["token", "create", "--role", role, "--name", "test"]);
        ([first.to_owned(), second.to_owned()], token("pipeline"), token("admin"))
    }

    /// All that the server said.
    pub fn end(self) -> String {
        self.server.end()
    }

    /// What a command prints that runs beside the server.
    pub fn command(&self, arguments: &[&str]) -> String {
        Process::command(self.folder, self.url, arguments)
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

    pub fn send(&mut self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        loop {
            if let Some(reply) = self.try_once(|server| server.call(method, path, token, headers, body)) {
                return reply;
            }
        }
    }

    pub fn json(&mut self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        self.send(method, path, token, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Uploads as every client does: on a broken connection it asks for the offset and goes on.
    pub fn upload(&mut self, token: &str, whole: &[u8], until: usize) -> String {
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
    pub fn join(&mut self, invite: &str, device: &str) -> (String, String) {
        let made = self.json("POST", "/api/v1/workers", "", &registration(invite, device)).json();
        let token = made["token"].as_str().unwrap().to_owned();
        let goals = self.send("GET", "/api/v1/assignments", &token, &[], b"").json();
        let assignment = goals["items"][0]["id"].as_str().unwrap().to_owned();
        self.send("POST", &format!("/api/v1/assignments/{assignment}/claim"), &token, &[], b"");
        (token, assignment)
    }

    pub fn hand_in(&mut self, token: &str, assignment: &str, whole: &[u8]) -> (String, Value) {
        let path = self.upload(token, whole, whole.len());
        let submission = uuid::Uuid::now_v7().to_string();
        let body = handed_in(&submission, assignment, id_in(&path), whole);
        let answer = self.json("POST", "/api/v1/submissions", token, &body);
        assert!([200, 201].contains(&answer.status), "{}", answer.json());
        (path, body)
    }

    /// Does the next job of a kind, as a pipeline machine would, and hands these artifacts in.
    pub fn work(&mut self, pipeline: &str, kind: &str, made: &[(&str, &[u8])]) {
        let claim = json!({ "worker": "test", "kinds": [kind], "max": 1, "wait_s": 20 });
        let leased = self.json("POST", "/api/v1/jobs/claim", pipeline, &claim).json();
        let (lease, job) = (leased[0]["lease_token"].clone(), leased[0]["job_id"].as_str().unwrap().to_owned());
        let mut artifacts = Vec::new();
        for (name, bytes) in made {
            let names = json!({ "lease_token": lease, "names": [name] });
            let urls = self.json("POST", &format!("/api/v1/jobs/{job}/outputs"), pipeline, &names).json();
            let url = urls[name].as_str().unwrap();
            match url.find("/api/v1/objects/") {
                Some(at) => assert_eq!(self.send("PUT", &url[at..], "", &[], bytes).status, 204),
                None => assert_eq!(bucket::ask(url, "PUT", &[], bytes).0, 200),
            }
            artifacts.push(json!({ "name": name, "bytes": bytes.len(), "sha256": sha256(bytes) }));
        }
        let done = json!({ "lease_token": lease, "result": result(), "artifacts": artifacts, "fingerprints": null });
        let answer = self.json("POST", &format!("/api/v1/jobs/{job}/complete"), pipeline, &done);
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    /// Decides on a take. What was saved before the server died is a conflict when it is sent again.
    pub fn decide(&mut self, admin: &str, id: &str, rating: u8) {
        let path = format!("/api/v1/admin/submissions/{id}");
        let version = self.send("GET", &path, admin, &[], b"").json()["version"].clone();
        let checklist = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
        let reason = (rating < 3).then_some("goal_not_attempted");
        let decision = json!({
            "rating": rating, "checklist": checklist, "reason": reason, "note": null, "marks": [], "version": version,
        });
        let answer = self.json("POST", &format!("{path}/review"), admin, &decision);
        assert!(answer.status == 200 || (answer.status == 409 && self.died), "{}", answer.json());
        let stage = ["rejected", "redo", "accepted", "accepted", "accepted"][usize::from(rating) - 1];
        assert_eq!(self.send("GET", &path, admin, &[], b"").json()["stage"], stage);
    }

    /// Erases the worker of a token. One that died of it has the token revoked already, and finishes by itself.
    pub fn erase(&mut self, token: &str, admin: &str) {
        let answer = self.send("POST", "/api/v1/me/erasure", token, &[], b"");
        assert!(answer.status == 202 || (answer.status == 401 && self.died), "{}", answer.json());
        let mut asked = 0;
        while self.send("GET", "/api/v1/admin/erasures", admin, &[], b"").json()["items"][0]["done_at"].is_null() {
            asked += 1;
            assert!(asked < 5000, "the erasure is not finished");
        }
    }
}

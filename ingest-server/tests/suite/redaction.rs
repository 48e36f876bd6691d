//! A reviewer redacts a stretch of a take: what was there before is nowhere on the server afterwards, on both engines.

use std::path::Path;

use crate::road::{NOW, Road};
use crate::{bucket, road};
use axum::body::Body;
use axum::http::Request;
use ingest_server::http;
use ingest_server::secret::hex;
use ingest_server::store::Engine;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_types::api::admin::TokenRole;
use shared_types::quality::flag::Verdict;
use shared_types::quality::judge::QualityReport;
use shared_types::quality::measurements::Measurements;
use shared_types::quality::policy::Policy;
use tower::ServiceExt;
use uuid::Uuid;

on_both!(the_earlier_bytes_are_nowhere, one_redaction_at_a_time, what_is_no_range_or_no_stage_is_refused);

#[tokio::test]
async fn the_earlier_bytes_are_nowhere_in_a_bucket() {
    let objects = road::folder();
    let config = bucket::s3s(objects.path()).await;
    are_nowhere(Road::with(Engine::Postgres, Some(config)).await, objects.path()).await;
}

/// Stands in every file that shows what is to go.
const PRIVATE: &[u8] = b"4111 1111 1111 1111";
/// Later than any address that was signed before works.
const MUCH_LATER: i64 = 4000;

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes that a server takes for a recording.
fn video(text: &[u8]) -> Vec<u8> {
    [b"\0\0\0\x20ftypisom".as_slice(), text, &[7; 200]].concat()
}

struct Take<'a> {
    road: &'a Road,
    worker: String,
    pipeline: String,
    admin: String,
    id: String,
}

impl<'a> Take<'a> {
    /// A take that waits for its review.
    async fn ready(road: &'a Road) -> Self {
        let worker = road.worker("Basic").await;
        let goals = road.call("GET", "/api/v1/assignments", &worker, None).await.json();
        let assignment = goals["items"][0]["id"].as_str().unwrap().to_owned();
        road.call("POST", &format!("/api/v1/assignments/{assignment}/claim"), &worker, None).await;
        let (pipeline, admin) = (road.token(TokenRole::Pipeline).await, road.token(TokenRole::Admin).await);
        let take = Self { road, worker, pipeline, admin, id: Uuid::now_v7().to_string() };
        let (picture, events) =
            (video(PRIVATE), [b"{\"t\":0,\"kind\":\"window\",\"title\":\"", PRIVATE, b"\"}\n"].concat());
        // The same bytes came once before and became nothing.
        take.upload("video", &picture).await;
        let uploads = [take.upload("video", &picture).await, take.upload("events", &events).await];
        let body =
            json!({ "id": take.id, "assignment_id": assignment, "uploads": uploads, "manifest": manifest(&uploads) });
        let answer = road.call("POST", "/api/v1/submissions", &take.worker, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        let job = take.claim("inspect").await;
        take.complete(&job, &[]).await;
        let job = take.claim("analyse").await;
        // An attempt that put something there and named it in no completion.
        take.put(&job, "frames/left.jpg", PRIVATE).await;
        take.complete(&job, &[("playback.mp4", PRIVATE), ("transcript.json", PRIVATE), ("frames/a.jpg", PRIVATE)])
            .await;
        take
    }

    async fn raw(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let answer = http::router(self.road.app.clone()).oneshot(request).await.unwrap();
        let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), location)
    }

    async fn upload(&self, track: &str, bytes: &[u8]) -> Value {
        let tus = ("tus-resumable", "1.0.0");
        let length = bytes.len().to_string();
        let (status, path) =
            self.raw("POST", "/api/v1/uploads", &self.worker, &[tus, ("upload-length", &length)], b"").await;
        assert_eq!(status, 201);
        let headers = [tus, ("content-type", "application/offset+octet-stream"), ("upload-offset", "0")];
        let (status, _) = self.raw("PATCH", &path, &self.worker, &headers, bytes).await;
        assert_eq!(status, 204);
        let id = path.rsplit('/').next().unwrap();
        json!({ "track": track, "upload_id": id, "bytes": bytes.len(), "sha256": sha256(bytes) })
    }

    async fn claim(&self, kind: &str) -> Value {
        let body = json!({ "worker": "test", "kinds": [kind], "max": 1, "wait_s": 0 });
        let jobs = self.road.call("POST", "/api/v1/jobs/claim", &self.pipeline, Some(body)).await.json();
        assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
        jobs[0].clone()
    }

    async fn put(&self, job: &Value, name: &str, bytes: &[u8]) -> Value {
        let path = format!("/api/v1/jobs/{}/outputs", job["job_id"].as_str().unwrap());
        let body = json!({ "lease_token": job["lease_token"], "names": [name] });
        let signed = self.road.call("POST", &path, &self.pipeline, Some(body)).await.json();
        let status = self.put_at(signed[name].as_str().unwrap(), bytes).await;
        assert!((200..300).contains(&status), "{status}");
        json!({ "name": name, "bytes": bytes.len(), "sha256": sha256(bytes) })
    }

    /// To a signed address, which is the server's own or the bucket's.
    async fn put_at(&self, url: &str, bytes: &[u8]) -> u16 {
        if url.starts_with('/') {
            return self.raw("PUT", url, "", &[], bytes).await.0;
        }
        let (url, bytes) = (url.to_owned(), bytes.to_owned());
        let binary = [("content-type", "application/octet-stream")];
        tokio::task::spawn_blocking(move || bucket::ask(&url, "PUT", &binary, &bytes).0).await.unwrap()
    }

    async fn complete(&self, job: &Value, files: &[(&str, &[u8])]) -> Value {
        let mut artifacts = Vec::new();
        for (name, bytes) in files {
            artifacts.push(self.put(job, name, bytes).await);
        }
        let report = QualityReport {
            verdict: Verdict::Accept,
            flags: Vec::new(),
            advice: Vec::new(),
            measurements: Measurements::default(),
            policy: Policy::default(),
        };
        let result = json!({ "quality": report, "duration_secs": 300.0, "steps": 1, "words": 1, "examples": 1 });
        let body = json!({ "lease_token": job["lease_token"], "result": result, "artifacts": artifacts, "fingerprints": null });
        let path = format!("/api/v1/jobs/{}/complete", job["job_id"].as_str().unwrap());
        let answer = self.road.call("POST", &path, &self.pipeline, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    async fn show(&self) -> Value {
        self.road.call("GET", &format!("/api/v1/admin/submissions/{}", self.id), &self.admin, None).await.json()
    }

    async fn redact(&self, body: Value) -> road::Answer {
        let path = format!("/api/v1/admin/submissions/{}/redact", self.id);
        self.road.call("POST", &path, &self.admin, Some(body)).await
    }

    async fn accept(&self) -> road::Answer {
        let yes = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
        let version = self.show().await["version"].clone();
        let body =
            json!({ "rating": 4, "checklist": yes, "reason": null, "note": null, "marks": [], "version": version });
        let path = format!("/api/v1/admin/submissions/{}/review", self.id);
        self.road.call("POST", &path, &self.admin, Some(body)).await
    }

    async fn exported(&self) -> Value {
        let path = format!("/api/v1/exports/{}/submissions", self.road.campaign);
        self.road.call("GET", &path, &self.pipeline, None).await.json()["items"].clone()
    }
}

fn manifest(uploads: &[Value]) -> Value {
    let hash = |at: usize| json!({ "bytes": uploads[at]["bytes"], "sha256": uploads[at]["sha256"] });
    manifest_with(&json!({ "video.mp4": hash(0), "events.jsonl": hash(1) }))
}

fn manifest_with(files: &Value) -> Value {
    json!({
        "format": 1, "id": Uuid::nil(), "stage": "checked", "goal": "Buy", "campaign_id": null, "assignment_id": null,
        "tier": null, "app_version": "1", "system": { "os": "linux", "arch": "x86_64", "display": "x11" },
        "clock": { "started_at": "2026-11-01T00:00:00.000Z", "first_frame_monotonic_nanos": 0,
            "first_sample_monotonic_nanos": null, "av_offset_ms": null },
        "screen": { "id": "0", "name": "s", "width": 10, "height": 10, "picture_width": 10, "picture_height": 10, "fps": 15 },
        "microphone": null, "input_events": { "recorded": true, "reason": null },
        "encoder": { "video": "v", "audio": null, "library": "l", "probes": [] }, "fragments": [], "pauses": [],
        "cuts": [], "gaps": [], "drift": { "ppm": null, "worst_offset_ms": null, "filled_ms": 0.0, "skipped_ms": 0.0 },
        "frames": { "due": 1, "captured": 1, "dropped_per_second": {} }, "health": [], "consent": null, "quality": null,
        "files": files
    })
}

/// Every file below a folder that holds some bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

async fn the_earlier_bytes_are_nowhere(road: Road) {
    let folder = road.folder.path().to_owned();
    are_nowhere(road, &folder).await;
}

/// `folder` is where the objects lie in the end.
async fn are_nowhere(mut road: Road, folder: &Path) {
    {
        let take = Take::ready(&road).await;
        assert_eq!(holding(folder, PRIVATE).len(), 6, "two uploads of the video, the events, three artifacts");
        assert_eq!(take.accept().await.status, 200);
        assert_eq!(take.exported().await.as_array().map(Vec::len), Some(1));
        let asked =
            take.redact(json!({ "start": 1.5, "end": 3.0, "track": "both", "box": [0.0, 0.0, 5.0, 5.0] })).await;
        assert_eq!(asked.status, 202, "{}", String::from_utf8_lossy(&asked.body));
        assert_eq!(take.exported().await.as_array().map(Vec::len), Some(0), "nobody gets it meanwhile");

        let job = take.claim("redact").await;
        assert_eq!(
            job["redactions"],
            json!([{ "start": 1.5, "end": 3.0, "track": "both", "box": [0.0, 0.0, 5.0, 5.0] }])
        );
        assert_eq!(job["input"]["video"]["sha256"], sha256(&video(PRIVATE)));
        let (picture, events) = (video(b"covered"), b"{}\n".to_vec());
        let hash = |bytes: &[u8]| json!({ "bytes": bytes.len(), "sha256": sha256(bytes) });
        let told = manifest_with(&json!({ "video.mp4": hash(&picture), "events.jsonl": hash(&events) })).to_string();
        let files: [(&str, &[u8]); 5] = [
            ("playback.mp4", b"covered"),
            ("transcript.json", b"{}"),
            ("video.mp4", &picture),
            ("events.jsonl", &events),
            ("recording.json", told.as_bytes()),
        ];
        take.complete(&job, &files).await;
        assert_eq!(holding(folder, PRIVATE), Vec::<String>::new());
        let copies = holding(folder, told.as_bytes()).into_iter().filter(|name| !name.contains("collector.db"));
        assert_eq!(copies.collect::<Vec<_>>(), Vec::<String>::new(), "the database has the manifest");

        let shown = take.show().await;
        assert_eq!(shown["stage"], "accepted");
        assert_eq!(shown["redactions"][0]["range"]["start"], 1.5);
        assert!(shown["redactions"][0]["done_at"].is_string());
        assert_eq!(shown["redactions"][0]["is_gone"], true);
        // What cannot be removed opens no redaction anew: the take can be decided on, and the page shows what it has now.
        let stays = format!(
            "insert into condemned (object_key, due_at, is_last) values ('submissions/{}/x', {}, 0)",
            take.id,
            i64::MAX
        );
        for (change, is_gone) in
            [(stays.as_str(), false), ("delete from condemned where object_key like 'submissions/%/x'", true)]
        {
            let mut tx = road.app.store.begin().await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(change.to_owned())).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            let told = &take.show().await["redactions"][0];
            assert_eq!((told["done_at"].is_string(), &told["is_gone"]), (true, &json!(is_gone)));
        }
        let names: Vec<&String> = shown["artifacts"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["playback.mp4", "transcript.json"]);
        assert_eq!(take.exported().await.as_array().map(Vec::len), Some(1));
        let files: Vec<(String, String)> = sqlx::query_as("select track, sha256 from submission_file order by track")
            .fetch_all(road.app.store.read())
            .await
            .unwrap();
        assert_eq!(files, [("events".to_owned(), sha256(&events)), ("video".to_owned(), sha256(&picture))]);

        // A machine that was given up sends what it had after all: its address still works, for a while.
        let key: String = sqlx::query_scalar("select object_key from condemned where object_key like '%left.jpg'")
            .fetch_one(road.app.store.read())
            .await
            .unwrap();
        let late = road.app.objects.signed_put(&key, NOW, 3600).await.unwrap();
        take.put_at(&late, PRIVATE).await;
        assert_eq!(holding(folder, PRIVATE).len(), 1);
    }
    road.at(NOW.plus_secs(MUCH_LATER)).await;
    let pipeline = road.token(TokenRole::Pipeline).await;
    let body = json!({ "worker": "test", "kinds": ["inspect"], "max": 1, "wait_s": 0 });
    assert_eq!(road.call("POST", "/api/v1/jobs/claim", &pipeline, Some(body)).await.status, 200);
    assert_eq!(holding(folder, PRIVATE), Vec::<String>::new());
    let left: i64 =
        sqlx::query_scalar("select count(*) from condemned").fetch_one(road.app.store.read()).await.unwrap();
    assert_eq!(left, 0, "and it is forgotten");
}

async fn one_redaction_at_a_time(road: Road) {
    let take = Take::ready(&road).await;
    let version = take.show().await["version"].clone();
    assert_eq!(take.redact(json!({ "start": 1.0, "end": 2.0, "version": version })).await.status, 202);
    let shown = take.show().await;
    assert!(shown["redactions"][0]["done_at"].is_null());
    let second = take.redact(json!({ "start": 5.0, "end": 6.0 })).await;
    assert_eq!((second.status.as_u16(), second.code()), (409, "stage_conflict".to_owned()));
    let decided = take.accept().await;
    assert_eq!((decided.status.as_u16(), decided.code()), (409, "stage_conflict".to_owned()));

    // Its machine gives up for good: the take stays what it was, still closed, until an admin tries again.
    let job = take.claim("redact").await;
    let fail = format!("/api/v1/jobs/{}/fail", job["job_id"].as_str().unwrap());
    let body = json!({ "lease_token": job["lease_token"], "error": "no space", "retryable": false });
    assert_eq!(road.call("POST", &fail, &take.pipeline, Some(body)).await.json()["stage"], "dead");
    assert_eq!(take.show().await["stage"], "ready");
    assert_eq!(take.accept().await.code(), "stage_conflict");
    let retry = format!("/api/v1/admin/jobs/{}/retry", job["job_id"].as_str().unwrap());
    assert_eq!(road.call("POST", &retry, &take.admin, None).await.status, 204);
    assert_eq!(take.claim("redact").await["job_id"], job["job_id"]);
}

async fn what_is_no_range_or_no_stage_is_refused(road: Road) {
    let take = Take::ready(&road).await;
    for body in [
        json!({ "start": 2.0, "end": 2.0 }),
        json!({ "start": -1.0, "end": 2.0 }),
        json!({ "start": 1.0, "end": 2.0, "box": [0.0, 0.0, 0.0, 9.0] }),
        json!({ "start": 1.0, "end": 2.0, "track": "smell" }),
        json!({ "start": 1.0, "end": 2.0, "whole": true }),
        json!({ "start": 1.0 }),
    ] {
        let answer = take.redact(body.clone()).await;
        assert_eq!(answer.code(), "invalid_request", "{body}");
    }
    let stale = take.redact(json!({ "start": 1.0, "end": 2.0, "version": 0 })).await;
    assert_eq!(stale.code(), "version_conflict");
    let path = format!("/api/v1/admin/submissions/{}/redact", take.id);
    let body = || Some(json!({ "start": 1.0, "end": 2.0 }));
    assert_eq!(road.call("POST", &path, &take.worker, body()).await.code(), "forbidden");
    let unknown = format!("/api/v1/admin/submissions/{}/redact", Uuid::now_v7());
    assert_eq!(road.call("POST", &unknown, &take.admin, body()).await.code(), "not_found");
    // A machine that hands in a redaction without the recording has done nothing.
    assert_eq!(take.redact(json!({ "start": 1.0, "end": 2.0 })).await.status, 202);
    let job = take.claim("redact").await;
    let artifact = take.put(&job, "playback.mp4", b"covered").await;
    let complete = format!("/api/v1/jobs/{}/complete", job["job_id"].as_str().unwrap());
    let body =
        json!({ "lease_token": job["lease_token"], "result": {}, "artifacts": [artifact], "fingerprints": null });
    assert_eq!(road.call("POST", &complete, &take.pipeline, Some(body)).await.code(), "invalid_request");
    assert!(take.show().await["artifacts"]["transcript.json"].is_string(), "everything is still there");
}

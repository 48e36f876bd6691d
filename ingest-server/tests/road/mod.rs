//! A server on a temporary folder, on either engine, and what calls it. PostgreSQL is started once per test process.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part, and shares it by name")]

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use ingest_server::app::{App, Clock, Shared};
use ingest_server::config::Config;
use ingest_server::secret::hex;
use ingest_server::store::Engine;
use ingest_server::{http, password, store};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_types::api::admin::TokenRole;
use shared_types::api::review::AdminRole;
use shared_types::id::CampaignId;
use shared_types::quality::judge::judge;
use shared_types::quality::measurements::{FileMeasures, Measurements};
use shared_types::quality::policy::Policy;
use shared_types::timestamp::Timestamp;
use tower::ServiceExt;

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Runs each suite function, which takes a [`Road`], on both engines.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() {
            super::$name($crate::road::Road::open(ingest_server::store::Engine::Sqlite).await).await;
        })+ }
        mod postgres { $(#[tokio::test] async fn $name() {
            super::$name($crate::road::Road::open(ingest_server::store::Engine::Postgres).await).await;
        })+ }
    };
}

pub struct Road {
    pub folder: tempfile::TempDir,
    pub app: Shared,
    /// The starter campaign.
    pub campaign: CampaignId,
}

/// What a handed in take is known by.
pub struct HandedIn {
    pub id: String,
    pub assignment: String,
    pub receipt: String,
    pub upload: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

impl Road {
    pub async fn open(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = match engine {
            Engine::Sqlite => format!("sqlite://{}", folder.path().join("collector.db").display()),
            Engine::Postgres => new_database().await,
        };
        let app = start(folder.path(), database_url, NOW).await;
        let campaign = store::campaign::install_starter(&app.store, NOW).await.unwrap().unwrap();
        Self { folder, app, campaign }
    }

    /// The same server at another time, as after a restart.
    pub async fn at(&mut self, now: Timestamp) {
        let url = self.app.config.database_url.clone();
        self.app.store.close().await;
        self.app = start(self.folder.path(), url, now).await;
    }

    pub async fn token(&self, role: TokenRole) -> String {
        let mut tx = self.app.store.begin().await.unwrap();
        let made = store::token::make(&mut tx, role, "test", None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        made.token
    }

    pub async fn invite(&self, tier: &str) -> String {
        let mut tx = self.app.store.begin().await.unwrap();
        let codes = store::invite::make(&mut tx, self.campaign, tier, 1, self.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        codes.unwrap().remove(0)
    }

    /// A registered worker's token.
    pub async fn worker(&self, tier: &str) -> String {
        let invite = self.invite(tier).await;
        let answer = self.call("POST", "/api/v1/workers", "", Some(registration(&invite, "device-1"))).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// A login's cookie.
    pub async fn login(&self, role: AdminRole) -> String {
        let (email, word) = (format!("{role:?}@example.org").to_lowercase(), "correct horse battery");
        let hash = password::hash(word.to_owned()).await.unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        store::admin::insert(&mut tx, &email, &hash, role, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let request = Request::post("/api/v1/admin/session")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .body(Body::from(json!({ "email": email, "password": word, "totp": null }).to_string()));
        let answer = self.send(request.unwrap()).await;
        assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&answer.body));
        answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    /// A finished upload as a submission names it.
    pub async fn upload(&self, token: &str, track: &str, bytes: &[u8]) -> Value {
        let made = Request::post("/api/v1/uploads")
            .header("authorization", format!("Bearer {token}"))
            .header("tus-resumable", "1.0.0")
            .header("content-type", "application/offset+octet-stream")
            .header("upload-length", bytes.len())
            .body(Body::from(bytes.to_vec()));
        let made = self.send(made.unwrap()).await;
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        let id = made.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
        json!({ "track": track, "upload_id": id, "bytes": bytes.len(), "sha256": hex(&Sha256::digest(bytes)) })
    }

    /// Hands in a take of the worker's next goal; `content` tells takes apart.
    pub async fn hand_in(&self, token: &str, content: &str) -> HandedIn {
        let goals = self.call("GET", "/api/v1/assignments", token, None).await.json();
        let goals = goals["items"].as_array().unwrap().clone();
        let open = goals.iter().find(|goal| ["redo", "open"].contains(&goal["stage"].as_str().unwrap())).unwrap();
        let assignment = open["id"].as_str().unwrap().to_owned();
        if open["stage"] == "open" {
            let claim = format!("/api/v1/assignments/{assignment}/claim");
            assert_eq!(self.call("POST", &claim, token, None).await.status, 200);
        }
        let video = [b"\0\0\0\x20ftypisom".as_slice(), content.as_bytes()].concat();
        let upload = self.upload(token, "video", &video).await;
        let id = uuid::Uuid::now_v7().to_string();
        let request = json!({
            "id": id, "assignment_id": assignment, "uploads": [upload], "manifest": manifest(&json!({})),
        });
        let made = self.call("POST", "/api/v1/submissions", token, Some(request)).await;
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        let receipt = made.json()["receipt_id"].as_str().unwrap().to_owned();
        let upload = upload["upload_id"].as_str().unwrap().to_owned();
        HandedIn { id, assignment, receipt, upload }
    }

    /// What the next job of a kind is, leased to a machine; none if nothing waits.
    pub async fn lease(&self, machine: &str, kind: &str) -> Option<Value> {
        let request = json!({ "worker": "press", "kinds": [kind], "max": 1, "wait_s": 0 });
        let leased = self.call("POST", "/api/v1/jobs/claim", machine, Some(request)).await;
        assert_eq!(leased.status, 200);
        leased.json().as_array().unwrap().first().cloned()
    }

    /// Completes a leased job with a report that has this verdict.
    pub async fn complete(&self, machine: &str, job: &Value, is_good: bool, prints: Option<Value>) -> Answer {
        let path = format!("/api/v1/jobs/{}/complete", job["job_id"].as_str().unwrap());
        let request = json!({
            "lease_token": job["lease_token"], "artifacts": [], "fingerprints": prints,
            "result": { "quality": report(is_good), "duration_secs": 400.0, "steps": null, "words": null, "examples": null },
        });
        self.call("POST", &path, machine, Some(request)).await
    }

    /// Inspects and analyses what waits, as a pipeline machine would, until it is ready for its review.
    pub async fn work(&self, machine: &str) {
        for kind in ["inspect", "analyse"] {
            while let Some(job) = self.lease(machine, kind).await {
                assert_eq!(self.complete(machine, &job, true, None).await.status, 200);
            }
        }
    }

    pub async fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = http::router(self.app.clone()).oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, body }
    }
}

async fn start(folder: &Path, database_url: String, now: Timestamp) -> Shared {
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: "http://127.0.0.1".to_owned(),
        data_dir: folder.to_owned(),
        database_url,
    };
    App::open(config, Clock::Fixed(now)).await.unwrap()
}

pub fn registration(invite: &str, device: &str) -> Value {
    json!({
        "invite": invite, "name": "Ada", "fiverr_user": "ada",
        "consent": { "version": "2026-11", "accepted_at": "2026-11-01T00:00:00.000Z" },
        "device": { "id": device, "os": null, "app_version": null },
    })
}

/// A report of the machine; a bad one is too short and therefore a reject.
pub fn report(is_good: bool) -> Value {
    let measurements = Measurements {
        file: FileMeasures { bytes: 1, has_video: true, has_audio: true, ..FileMeasures::default() },
        active_secs: Some(if is_good { 400.0 } else { 3.0 }),
        ..Measurements::default()
    };
    serde_json::to_value(judge(measurements, &Policy::default())).unwrap()
}

pub fn manifest(files: &Value) -> Value {
    json!({
        "format": 1, "id": uuid::Uuid::nil(), "stage": "checked", "goal": null, "campaign_id": null, "assignment_id": null,
        "tier": null, "app_version": "0.1.0", "system": { "os": "linux", "arch": "x86_64", "display": "x11" },
        "clock": { "started_at": "2026-01-01T00:00:00Z", "first_frame_monotonic_nanos": 0,
            "first_sample_monotonic_nanos": null, "av_offset_ms": null },
        "screen": { "id": "1", "name": "1", "width": 1280, "height": 720, "picture_width": 1280,
            "picture_height": 720, "fps": 15 },
        "microphone": null, "input_events": { "recorded": true, "reason": null },
        "encoder": { "video": "libx264", "audio": null, "library": "x", "probes": [] },
        "fragments": [], "pauses": [], "cuts": [], "gaps": [],
        "drift": { "ppm": null, "worst_offset_ms": null, "filled_ms": 0.0, "skipped_ms": 0.0 },
        "frames": { "due": 1, "captured": 1, "dropped_per_second": {} },
        "health": [], "consent": null, "quality": null, "files": files,
    })
}

struct Postgres {
    port: u16,
    /// Ends the server when this process, and with it the pipe to it, is gone.
    _keeper: Child,
}

static POSTGRES: OnceLock<Postgres> = OnceLock::new();

async fn new_database() -> String {
    let postgres = POSTGRES.get_or_init(start_postgres);
    let root = format!("postgres://postgres@127.0.0.1:{}/", postgres.port);
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&format!("{root}postgres")).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&pool).await.unwrap();
    pool.close().await;
    format!("{root}{name}")
}

fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
    found.expect("PostgreSQL is not installed, and these tests run on it too: run ./dev setup")
}

fn start_postgres() -> Postgres {
    let bin = binaries();
    let folder = tempfile::tempdir().unwrap().keep();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // PostgreSQL refuses to run as root.
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    let other = "setpriv --reuid=nobody --regid=nogroup --clear-groups";
    let (bin, dir) = (bin.display(), folder.display());
    let (own, as_other) =
        if is_root { (format!("chown nobody:nogroup {dir}"), other) } else { ("true".to_owned(), "") };
    let script = format!(
        "trap '' INT TERM; cd {dir} && {own} && {as_other} {bin}/initdb -D {dir}/data -U postgres -A trust --no-sync >&2 \
         && {as_other} {bin}/pg_ctl -w -D {dir}/data -l {dir}/log -o '-p {port} -k {dir} -h 127.0.0.1 -N 300 -F' start >&2 \
         && echo ready; exec >&-; cat >/dev/null; {as_other} {bin}/pg_ctl -D {dir}/data -m immediate stop; rm -rf {dir}"
    );
    let mut keeper = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = [0_u8; 5];
    keeper.stdout.take().unwrap().read_exact(&mut said).expect("PostgreSQL does not start: run ./dev setup");
    Postgres { port, _keeper: keeper }
}

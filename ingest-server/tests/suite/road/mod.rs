//! A server on a temporary folder, on either engine, and what calls it. `PostgreSQL` is started once per test process.
//! [`wire`] has the same as a process and a socket.
#![allow(unreachable_pub, reason = "shared by name among the tests")]

pub mod people;
pub mod trial;
pub mod wire;

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use ingest_server::app::{App, Clock, Shared};
use ingest_server::config::{BucketConfig, Config};
use ingest_server::secret::hex;
use ingest_server::store::Engine;
use ingest_server::{http, store};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_types::api::admin::TokenRole;
use shared_types::id::CampaignId;
use shared_types::quality::flag::Verdict;
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::quality::measurements::Measurements;
use shared_types::quality::policy::Policy;
use shared_types::timestamp::Timestamp;
use tower::ServiceExt;

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Runs each suite function, which takes a [`Road`], on both engines.
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
    /// The server's clock; a test moves it.
    hands: &'static AtomicI64,
    /// The starter campaign.
    pub campaign: CampaignId,
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

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

impl Road {
    pub async fn open(engine: Engine) -> Self {
        Self::open_with(engine, |_| {}).await
    }

    /// The same with objects in a bucket.
    pub async fn with(engine: Engine, bucket: Option<BucketConfig>) -> Self {
        Self::open_with(engine, |config| config.bucket = bucket).await
    }

    /// With other settings than the defaults.
    pub async fn open_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        // What went wrong inside is shown with the test that failed; the first test of a process sets it up.
        let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_test_writer().try_init();
        let folder = folder();
        let mut config = Config::of_folder(folder.path());
        if engine == Engine::Postgres {
            config.database_url = new_database().await;
        }
        change(&mut config);
        let hands: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(NOW.millis)));
        let app = App::open(config, Clock::Hands(hands)).await.unwrap();
        let campaign = store::campaign::install_starter(&app.store, NOW).await.unwrap().unwrap();
        Self { folder, app, hands, campaign }
    }

    /// Lets time pass.
    pub fn pass(&self, secs: i64) {
        self.hands.fetch_add(secs * 1000, Ordering::SeqCst);
    }

    /// The same server at another time, as after a restart.
    pub async fn at(&mut self, now: Timestamp) {
        self.hands.store(now.millis, Ordering::SeqCst);
        self.restart().await;
    }

    /// As after the process ended: everything in memory is gone.
    pub async fn restart(&mut self) {
        let config = self.app.config.clone();
        self.app.store.close().await;
        self.app = App::open(config, Clock::Hands(self.hands)).await.unwrap();
    }

    /// How many rows there are; `what` is a table and perhaps a condition.
    pub async fn count(&self, what: &str) -> i64 {
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {what}"));
        sqlx::query_scalar(text).fetch_one(self.app.store.read()).await.unwrap()
    }

    /// A take of a worker, handed in: the uploads and the submission's id.
    pub async fn submission(&self, token: &str, assignment: &str, bytes: &[u8]) -> String {
        for verb in ["claim", "start"] {
            let answer = self.call("POST", &format!("/api/v1/assignments/{assignment}/{verb}"), token, None).await;
            assert_eq!(answer.status, 200, "{verb}");
        }
        let length = bytes.len().to_string();
        let headers = [TUS, BYTES, ("upload-length", length.as_str())];
        let made = self.send("POST", UPLOADS, token, &headers, bytes.to_vec()).await;
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        let upload = id_in(made.header("location")).to_owned();
        let id = uuid::Uuid::now_v7().to_string();
        let body = handed_in(&id, assignment, &upload, bytes);
        let answer = self.call("POST", "/api/v1/submissions", token, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        id
    }

    /// The ids of a worker's goals.
    pub async fn goals(&self, token: &str) -> Vec<String> {
        let goals = self.call("GET", "/api/v1/assignments", token, None).await.json();
        goals["items"].as_array().unwrap().iter().map(|goal| goal["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Another server over the same database and the same objects.
    pub async fn beside(&self, folder: &Path) -> Shared {
        let mut config = self.app.config.clone();
        if config.bucket.is_some() {
            folder.clone_into(&mut config.data_dir);
        }
        App::open(config, Clock::Hands(self.hands)).await.unwrap()
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

    pub async fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        match body {
            Some(body) => {
                let json = [("content-type", "application/json")];
                self.send(method, path, token, &json, body.to_string()).await
            }
            None => self.send(method, path, token, &[], "").await,
        }
    }

    pub async fn send(
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
        self.request(request.body(body.into()).unwrap()).await
    }

    pub async fn request(&self, request: Request<Body>) -> Answer {
        let answer = http::router(self.app.clone()).oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, body }
    }
}

/// A temporary folder, in memory where there is room: a suite syncs tens of thousands of times, which a slow disk makes
/// many minutes, and a process that is killed loses as little of the one as of the other.
pub fn folder() -> tempfile::TempDir {
    const MEMORY: &str = "/dev/shm";
    // Twice what the server's default keeps free.
    const ROOM: u64 = 2 << 30;
    let room = rustix::fs::statvfs(MEMORY).map_or(0, |space| space.f_bavail * space.f_frsize);
    if room < ROOM { tempfile::tempdir() } else { tempfile::tempdir_in(MEMORY) }.unwrap()
}

pub const UPLOADS: &str = "/api/v1/uploads";
pub const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
pub const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");

pub fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// What begins like a recording.
pub fn video(length: usize) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x20ftypisom".to_vec();
    bytes.extend((0..length - bytes.len()).map(|at| (at * 31 % 251) as u8));
    bytes
}

/// `POST /submissions` with one upload.
pub fn handed_in(id: &str, assignment: &str, upload: &str, bytes: &[u8]) -> Value {
    let file = json!({ "bytes": bytes.len(), "sha256": sha256(bytes) });
    json!({
        "id": id, "assignment_id": assignment, "manifest": manifest(&json!({ "video.mp4": file })),
        "uploads": [{ "track": "video", "upload_id": upload, "bytes": bytes.len(), "sha256": sha256(bytes) }],
    })
}

/// The result of a job that found nothing wrong.
pub fn result() -> Value {
    let judged = judge(Measurements::default(), &Policy::default());
    let report = QualityReport { verdict: Verdict::Accept, flags: Vec::new(), ..judged };
    json!({ "quality": report, "duration_secs": 400.0, "steps": null, "words": null, "examples": null })
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

pub fn registration(invite: &str, device: &str) -> Value {
    json!({
        "invite": invite, "name": "Ada", "fiverr_user": "ada",
        "consent": { "version": "2026-11", "accepted_at": "2026-11-01T00:00:00.000Z" },
        "device": { "id": device, "os": null, "app_version": null },
    })
}

struct Postgres {
    port: u16,
    /// Ends the server when this process, and with it the pipe to it, is gone.
    _keeper: Child,
}

static POSTGRES: OnceLock<Postgres> = OnceLock::new();

pub async fn new_database() -> String {
    let postgres = POSTGRES.get_or_init(start_postgres);
    let root = format!("postgres://postgres@127.0.0.1:{}/", postgres.port);
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&format!("{root}postgres")).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&pool).await.unwrap();
    pool.close().await;
    format!("{root}{name}")
}

/// An empty database for a server with a process of its own.
pub fn database(engine: Engine, folder: &Path) -> String {
    match engine {
        Engine::Sqlite => {
            sqlx::any::install_default_drivers();
            format!("sqlite://{}", folder.join("collector.db").display())
        }
        Engine::Postgres => tokio::runtime::Runtime::new().unwrap().block_on(new_database()),
    }
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

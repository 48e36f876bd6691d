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
use ingest_server::store::Engine;
use ingest_server::{http, store};
use serde_json::{Value, json};
use shared_types::api::admin::TokenRole;
use shared_types::id::CampaignId;
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
        let answer = http::router(self.app.clone()).oneshot(request.body(body).unwrap()).await.unwrap();
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

//! Buckets of two S3 servers: s3s-fs in this process, which checks signatures, and moto in one of its own, which lists
//! and ends multipart uploads. Moto is started once per test process.
#![allow(unreachable_pub, reason = "shared by name among the tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleError;
use axum::http::{Request, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use ingest_server::config::BucketConfig;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

pub const ACCESS: &str = "AKIDTEST";
pub const SECRET: &str = "a secret of the tests";

fn config(name: &str, port: u16) -> BucketConfig {
    BucketConfig {
        name: name.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        access_key: ACCESS.to_owned(),
        secret_key: SECRET.to_owned(),
        session_token: None,
    }
}

/// A bucket of a server that lives as long as the calling test, its objects in `root`.
pub async fn s3s(root: &Path) -> BucketConfig {
    watched(root).await.0
}

/// What a bucket was asked: method, address and headers of each request.
pub type Asked = Arc<Mutex<Vec<String>>>;

/// How many of the next requests a bucket refuses.
pub type Refusals = Arc<AtomicU32>;

/// Whether a bucket says nothing.
pub type Silence = Arc<AtomicBool>;

/// The same bucket, and what it is asked.
pub async fn watched(root: &Path) -> (BucketConfig, Asked) {
    let asked = Asked::default();
    (start_s3s(root, asked.clone(), Refusals::default(), Silence::default()).await, asked)
}

/// The same bucket, which says 503 when it is told to.
pub async fn moody(root: &Path) -> (BucketConfig, Refusals) {
    let refusals = Refusals::default();
    (start_s3s(root, Asked::default(), refusals.clone(), Silence::default()).await, refusals)
}

/// The same bucket, which takes requests and answers none while it is told to.
pub async fn silent(root: &Path) -> (BucketConfig, Silence) {
    let silence = Silence::default();
    (start_s3s(root, Asked::default(), Refusals::default(), silence.clone()).await, silence)
}

async fn start_s3s(root: &Path, asked: Asked, refusals: Refusals, silence: Silence) -> BucketConfig {
    let watch = from_fn(move |request: Request<Body>, next: Next| {
        asked.lock().unwrap().push(format!("{} {} {:?}", request.method(), request.uri(), request.headers()));
        let refuses = refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        let is_silent = silence.load(Ordering::SeqCst);
        async move {
            if is_silent {
                std::future::pending::<()>().await;
            }
            if refuses { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { next.run(request).await }
        }
    });
    std::fs::create_dir_all(root.join("recordings")).unwrap();
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
    service.set_auth(SimpleAuth::from_single(ACCESS, SECRET));
    let service = HandleError::new(service.build(), |_: s3s::HttpError| async { StatusCode::INTERNAL_SERVER_ERROR });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback_service(service).layer(watch)).await });
    config("recordings", port)
}

/// What a server needs to keep its objects in a bucket.
pub fn settings(bucket: &BucketConfig) -> [(&str, &str); 4] {
    [
        ("S3_BUCKET", &bucket.name),
        ("AWS_ENDPOINT_URL_S3", bucket.endpoint.as_deref().unwrap_or_default()),
        ("AWS_ACCESS_KEY_ID", &bucket.access_key),
        ("AWS_SECRET_ACCESS_KEY", &bucket.secret_key),
    ]
}

struct Moto {
    port: u16,
    /// Ends the server when this process, and with it the pipe to it, is gone.
    _keeper: Child,
}

static RUNNING: OnceLock<Moto> = OnceLock::new();

/// A new bucket of the one moto that keeps versions.
pub async fn versioned() -> BucketConfig {
    let config = tokio::task::spawn_blocking(moto).await.unwrap();
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(about(&config, "PUT", "versioning", on).await.0, 200);
    config
}

/// Asks moto for something that the server never asks a bucket.
pub async fn about(bucket: &BucketConfig, method: &'static str, query: &str, body: &'static str) -> (u16, String) {
    let url = format!("{}/{}?{query}", bucket.endpoint.as_deref().unwrap(), bucket.name);
    let (status, _, body) = tokio::task::spawn_blocking(move || ask(&url, method, &[], body.as_bytes())).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}

/// A new bucket of the one moto.
pub fn moto() -> BucketConfig {
    let port = RUNNING.get_or_init(start_moto).port;
    let name = format!("b{}", uuid::Uuid::now_v7().simple());
    let made = ask(&format!("http://127.0.0.1:{port}/{name}"), "PUT", &[], b"");
    assert_eq!(made.0, 200);
    config(&name, port)
}

/// Moto's main, with what is wrong in four answers put right: the SDK takes no other names of roots than those that S3 gives
/// them; by moto's own word every multipart upload was begun in 2010, so that a server that starts would end those that grow;
/// and it breaks where it is sent a part of an upload that has ended.
const MOTO: &str = "
import time
import moto.s3.responses as told
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend
from moto.server import main
def called(method, wrong, right):
    answer = getattr(told.S3Response, method)
    def named(self, *asked):
        status, headers, body = answer(self, *asked)
        return status, headers, body.replace(wrong, right)
    setattr(told.S3Response, method, named)
called('list_parts', 'ListPartsResponse', 'ListPartsResult')
called('list_multipart_uploads', '2010-11-10T20:48:33.000Z', time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime()))
called('get_bucket_versioning', 'GetBucketVersioningResponse', 'VersioningConfiguration')
take_part = S3Backend.upload_part
def upload_part(self, bucket, upload, *part):
    if upload not in self.get_bucket(bucket).multiparts:
        raise NoSuchUpload(upload_id=upload)
    return take_part(self, bucket, upload, *part)
S3Backend.upload_part = upload_part
main()
";

fn python() -> PathBuf {
    let cache = PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/codesight-collector");
    let found = cache.join("moto/bin/python3");
    assert!(found.exists(), "moto is not installed, and these tests need an S3 server: run ./dev setup");
    found
}

fn start_moto() -> Moto {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = format!(
        "trap '' INT TERM; {} -c \"$1\" -H 127.0.0.1 -p {port} 2>&1 & pid=$!; cat >/dev/null; kill $pid",
        python().display()
    );
    let mut keeper = Command::new("sh")
        .args(["-c", &script, "sh", MOTO])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(keeper.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Running on") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "moto does not start: run ./dev setup");
    }
    // Its log is read on, so that it is never held up.
    let drain = move || drop(std::io::copy(&mut said, &mut std::io::sink()));
    std::thread::Builder::new().name("moto".to_owned()).spawn(drain).unwrap();
    Moto { port, _keeper: keeper }
}

/// One plain request: status, head, body. Blocks.
pub fn ask(url: &str, method: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut stream = TcpStream::connect(host).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.extend(["Content-Length: ", &body.len().to_string(), "\r\n\r\n"]);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

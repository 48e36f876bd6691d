//! One suite of behaviour over both stores of objects and both databases: a folder, and buckets of two S3 servers.

use crate::bucket;
use crate::road;
use crate::road::{NOW, Road};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use ingest_server::app::Shared;
use ingest_server::http;
use ingest_server::objects::{PART_BYTES, upload_key};
use ingest_server::secret::hex;
use ingest_server::store::Engine;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

/// Runs each suite function on every store over every database.
macro_rules! on_all {
    ($($name:ident),+ $(,)?) => {
        on_all!(@ sqlite_folder, Engine::Sqlite, Place::Folder; $($name),+);
        on_all!(@ sqlite_s3s, Engine::Sqlite, Place::S3s; $($name),+);
        on_all!(@ sqlite_moto, Engine::Sqlite, Place::Moto; $($name),+);
        on_all!(@ postgres_folder, Engine::Postgres, Place::Folder; $($name),+);
        on_all!(@ postgres_s3s, Engine::Postgres, Place::S3s; $($name),+);
        on_all!(@ postgres_moto, Engine::Postgres, Place::Moto; $($name),+);
    };
    (@ $module:ident, $engine:expr, $place:expr; $($name:ident),+) => {
        mod $module {
            use super::*;
            $(#[tokio::test] async fn $name() { super::$name(Two::open($engine, $place).await).await; })+
        }
    };
}

on_all!(
    any_server_goes_on_with_any_upload,
    every_length_comes_out_whole,
    of_two_that_write_at_once_one_wins,
    completion_may_be_repeated,
    an_ended_upload_leaves_nothing,
    what_is_gone_begins_again,
    signed_addresses_read_and_write,
);

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Folder,
    S3s,
    Moto,
}

/// Two servers over one database and one store of objects.
struct Two {
    road: Road,
    other: Shared,
    token: String,
    place: Place,
    folder: tempfile::TempDir,
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
}

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");

impl Two {
    async fn open(engine: Engine, place: Place) -> Self {
        let folder = road::folder();
        let config = match place {
            Place::Folder => None,
            Place::S3s => Some(bucket::s3s(&folder.path().join("s3")).await),
            Place::Moto => Some(tokio::task::spawn_blocking(bucket::moto).await.unwrap()),
        };
        let road = Road::with(engine, config).await;
        let other = road.beside(&folder.path().join("other")).await;
        let token = road.worker("Basic").await;
        Self { road, other, token, place, folder }
    }

    async fn send(&self, app: &Shared, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if path.starts_with("/api/v1/uploads") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = http::router(app.clone()).oneshot(request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, body }
    }

    async fn create(&self, length: usize) -> String {
        let length = length.to_string();
        let headers = [TUS, ("upload-length", length.as_str())];
        let made = self.send(&self.road.app, "POST", "/api/v1/uploads", &headers, Body::empty()).await;
        assert_eq!(made.status, 201);
        made.header("location").to_owned()
    }

    async fn patch(&self, app: &Shared, path: &str, offset: usize, bytes: &[u8]) -> StatusCode {
        self.patch_with(app, path, offset, Body::from(bytes.to_vec())).await
    }

    async fn patch_with(&self, app: &Shared, path: &str, offset: usize, body: Body) -> StatusCode {
        let offset = offset.to_string();
        self.send(app, "PATCH", path, &[TUS, BYTES, ("upload-offset", &offset)], body).await.status
    }

    async fn offset(&self, app: &Shared, path: &str) -> Option<usize> {
        let answer = self.send(app, "HEAD", path, &[TUS], Body::empty()).await;
        answer.header("upload-offset").parse().ok()
    }

    async fn stored(&self, path: &str) -> Vec<u8> {
        let answer = self.send(&self.other, "GET", path, &[], Body::empty()).await;
        assert_eq!(answer.status, 200);
        answer.body
    }

    async fn run(&self, statement: &str) {
        let mut tx = self.road.app.store.begin().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn stage(&self, path: &str) -> String {
        let text = sqlx::AssertSqlSafe(format!("select stage from upload where id = '{}'", id_in(path)));
        sqlx::query_scalar(text).fetch_one(self.road.app.store.read()).await.unwrap()
    }

    /// What lies in the bucket for uploads that still grow; s3s-fs cannot list all of it.
    async fn left(&self) -> usize {
        match self.road.app.objects.bucket() {
            Some(bucket) if self.place == Place::Moto => bucket.left().await.unwrap().len(),
            _ => 0,
        }
    }
}

fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn video(length: usize) -> Vec<u8> {
    let head = b"\0\0\0\x20ftypisom";
    (0..length).map(|at| head.get(at).copied().unwrap_or((at * 31 % 251 + at / 65_536) as u8)).collect()
}

async fn any_server_goes_on_with_any_upload(two: Two) {
    let whole = video(20_000_000);
    let path = two.create(whole.len()).await;
    let mut at = 0;
    // Ends in a tail, in the middle of a part, with several parts, and over a connection that breaks.
    for (turn, length) in [1, 3_000_000, 9_000_000, 10, 5_000_000].into_iter().enumerate() {
        let (app, next) = if turn % 2 == 0 { (&two.road.app, &two.other) } else { (&two.other, &two.road.app) };
        assert_eq!(two.patch(app, &path, at, &whole[at..at + length]).await, 204, "{turn}");
        at += length;
        assert_eq!(two.offset(next, &path).await, Some(at), "{turn}");
    }
    let cut = futures_util::stream::iter([Ok(whole[at..at + 70_000].to_vec()), Err(std::io::Error::other("cut"))]);
    assert_eq!(two.patch_with(&two.other, &path, at, Body::from_stream(cut)).await, 400);
    at += 70_000;
    assert_eq!(two.offset(&two.road.app, &path).await, Some(at), "what arrived is kept");
    assert_eq!(two.patch(&two.road.app, &path, at, &whole[at..]).await, 204);
    assert_eq!(two.offset(&two.other, &path).await, Some(whole.len()));
    assert!(two.stored(&path).await == whole, "the bytes are those that were sent");
    assert_eq!(two.left().await, 0, "parts and tails are gone");
    let part = two.send(&two.other, "GET", &path, &[("range", "bytes=9000000-9000009")], Body::empty()).await;
    assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &whole[9_000_000..9_000_010]));
    let text = sqlx::AssertSqlSafe(format!("select sha256 from upload where id = '{}'", id_in(&path)));
    let told: String = sqlx::query_scalar(text).fetch_one(two.road.app.store.read()).await.unwrap();
    assert_eq!(told, sha256(&whole));
    assert_eq!(two.road.app.objects.hash(&upload_key(id_in(&path))).await.unwrap(), Some(told));
}

async fn every_length_comes_out_whole(two: Two) {
    let part = PART_BYTES as usize;
    for length in [0, 1, 40, part - 1, part, part + 1, 2 * part] {
        // A few bytes are only ever the beginning of text.
        let whole = if length < 8 { vec![b'{'; length] } else { video(length) };
        let path = two.create(length).await;
        if length > 0 {
            assert_eq!(two.patch(&two.road.app, &path, 0, &whole).await, 204, "{length}");
        }
        assert!(two.stored(&path).await == whole, "{length}");
    }
    // A length that is told when all bytes are here already.
    let whole = video(part + 5);
    let defer = [TUS, BYTES, ("upload-defer-length", "1")];
    let made = two.send(&two.road.app, "POST", "/api/v1/uploads", &defer, Body::from(whole.clone())).await;
    let path = made.header("location").to_owned();
    let (offset, length) = (whole.len().to_string(), whole.len().to_string());
    let told = [TUS, BYTES, ("upload-offset", offset.as_str()), ("upload-length", length.as_str())];
    assert_eq!(two.send(&two.other, "PATCH", &path, &told, Body::empty()).await.status, 204);
    assert!(two.stored(&path).await == whole);
    assert_eq!(two.left().await, 0);
}

async fn of_two_that_write_at_once_one_wins(two: Two) {
    let whole = video(18_000_000);
    let path = two.create(whole.len()).await;
    // With the folder both requests go to one server, where the newer one evicts the older.
    let other = if two.place == Place::Folder { &two.road.app } else { &two.other };
    let first = two.patch(&two.road.app, &path, 0, &whole[..17_000_000]);
    let second = two.patch(other, &path, 0, &whole[..9_000_000]);
    let (first, second) = tokio::join!(first, second);
    let won = [first, second].iter().filter(|status| **status == 204).count();
    assert!(won <= 1 && [first, second].iter().all(|status| [204, 409].contains(&status.as_u16())), "{first} {second}");
    let at = two.offset(other, &path).await.unwrap();
    assert_eq!(two.patch(other, &path, at, &whole[at..]).await, 204);
    assert!(two.stored(&path).await == whole);
}

async fn completion_may_be_repeated(two: Two) {
    let whole = video(9_000_000);
    let path = two.create(whole.len()).await;
    assert_eq!(two.patch(&two.road.app, &path, 0, &whole).await, 204);
    // As if the server had ended, or the answer been lost, before the row said ready; then two find it at once.
    two.run("update upload set stage = 'assembling'").await;
    let (one, two_) = tokio::join!(two.offset(&two.other, &path), two.offset(&two.road.app, &path));
    assert_eq!((one, two_), (Some(whole.len()), Some(whole.len())));
    assert_eq!(two.stage(&path).await, "ready");
    assert!(two.stored(&path).await == whole);
}

async fn an_ended_upload_leaves_nothing(two: Two) {
    let half = two.create(20_000_000).await;
    assert_eq!(two.patch(&two.road.app, &half, 0, &video(9_000_000)).await, 204);
    let whole = two.create(100).await;
    assert_eq!(two.patch(&two.road.app, &whole, 0, &video(100)).await, 204);
    if two.place == Place::Moto {
        assert_eq!(two.left().await, 2, "a multipart upload and a tail");
    }
    for path in [&half, &whole] {
        assert_eq!(two.send(&two.other, "DELETE", path, &[TUS], Body::empty()).await.status, 204);
        assert_eq!(two.send(&two.road.app, "HEAD", path, &[TUS], Body::empty()).await.status, 404);
    }
    assert_eq!(two.road.app.objects.stat(&upload_key(id_in(&whole))).await.unwrap(), None);
    assert_eq!(two.left().await, 0);
}

async fn what_is_gone_begins_again(two: Two) {
    let whole = video(10_000_000);
    let path = two.create(whole.len()).await;
    assert_eq!(two.patch(&two.road.app, &path, 0, &whole[..3_000_000]).await, 204);
    match two.place {
        Place::Folder => std::fs::remove_file(two.road.folder.path().join("uploads").join(id_in(&path))).unwrap(),
        Place::S3s => std::fs::remove_dir_all(two.folder.path().join("s3/recordings/tails")).unwrap(),
        Place::Moto => {
            let left = two.road.app.objects.bucket().unwrap().left().await.unwrap();
            for tail in left {
                two.road.app.objects.bucket().unwrap().remove_left(&tail).await.unwrap();
            }
        }
    }
    // Whoever asks for the offset, or else the next bytes, finds out.
    let status = two.patch(&two.other, &path, 3_000_000, &whole[3_000_000..]).await;
    assert_eq!((status.as_u16(), two.offset(&two.other, &path).await), (409, Some(0)));
    assert_eq!(two.patch(&two.other, &path, 0, &whole).await, 204);
    assert!(two.stored(&path).await == whole);
}

async fn signed_addresses_read_and_write(two: Two) {
    let objects = &two.road.app.objects;
    let put = objects.signed_put("jobs/1/1/a.mp4", NOW, 60).await.unwrap();
    let get = objects.signed_get("jobs/1/1/a.mp4", NOW, 60).await.unwrap();
    let ask = async |url: &str,
                     method: &'static str,
                     headers: &'static [(&'static str, &'static str)],
                     body: &'static [u8]| {
        if two.place == Place::Folder {
            let answer = two.send(&two.other, method, url, headers, Body::from(body)).await;
            (answer.status.as_u16(), answer.header("content-type").to_owned(), answer.body)
        } else {
            let url = url.to_owned();
            let asked = move || bucket::ask(&url, method, headers, body);
            tokio::task::spawn_blocking(asked).await.unwrap()
        }
    };
    let binary: &'static [(&'static str, &'static str)] = &[("content-type", "application/octet-stream")];
    let made = ask(&put, "PUT", binary, b"0123456789").await;
    assert!([200, 204].contains(&made.0), "{made:?}");
    assert_eq!(objects.stat("jobs/1/1/a.mp4").await.unwrap(), Some(10));
    assert_eq!(objects.hash("jobs/1/1/a.mp4").await.unwrap(), Some(sha256(b"0123456789")));
    assert_eq!(objects.read("jobs/1/1/a.mp4", 9).await.unwrap(), None, "longer than what is asked for");
    let whole = ask(&get, "GET", &[], b"").await;
    assert_eq!((whole.0, whole.2.as_slice()), (200, b"0123456789".as_slice()));
    assert!(whole.1.to_lowercase().contains("video/mp4"), "{}", whole.1);
    let part = ask(&get, "GET", &[("range", "bytes=-3")], b"").await;
    assert_eq!((part.0, part.2.as_slice()), (206, b"789".as_slice()));
    if two.place != Place::Moto {
        // Moto checks no signatures.
        assert_eq!(ask(&get, "PUT", binary, b"x").await.0, 403, "reading is not writing");
        assert_eq!(ask(&get.replace("a.mp4", "b.mp4"), "GET", &[], b"").await.0, 403);
    }
    objects.remove("jobs/1/1/a.mp4").await.unwrap();
    objects.remove("jobs/1/1/a.mp4").await.unwrap();
    assert_eq!(objects.stat("jobs/1/1/a.mp4").await.unwrap(), None);
    assert!(objects.signed_get("../a", NOW, 60).await.is_err() || two.place == Place::Folder);
}

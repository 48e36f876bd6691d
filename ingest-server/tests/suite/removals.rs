//! The server killed while it removes what must go: the recording as it was before a redaction, media whose time is over,
//! uploads that come to no good end, and what a withdrawal ends. Started again it goes on until nothing of it is left, nothing is half there, and none of it is certified sooner.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::bucket;
use crate::road;
use crate::road::trial::{PIECE, Trial};
use crate::road::{BYTES, TUS, database, id_in, manifest, sha256, video};
use ingest_server::config::BucketConfig;
use ingest_server::crash::{END_POINTS, LEAVE_POINTS, REMOVAL_POINTS};
use ingest_server::store::Engine;
use serde_json::json;

/// Stands in all that must go.
const PRIVATE: &[u8] = b"4111 1111 1111 1111";
/// The removal itself is passed on both ways.
const CONDEMNED: [&str; 2] = ["condemned.removing", "condemned.removed"];
/// Moto gives objects to whoever signs a request, and does not look at the signature.
const SIGNED: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
);
const PATIENCE: Duration = Duration::from_mins(2);

/// Where the objects lie, as somebody sees it who looks without the server.
enum Place<'a> {
    Folder(&'a Path),
    Bucket(&'a BucketConfig),
}

impl Place<'_> {
    /// The objects that hold something private.
    fn holding(&self) -> Vec<String> {
        let private = |bytes: &[u8]| bytes.windows(PRIVATE.len()).any(|window| window == PRIVATE);
        match self {
            Self::Folder(root) => {
                let (mut found, mut folders) = (Vec::new(), vec![root.join("objects"), root.join("uploads")]);
                while let Some(folder) = folders.pop() {
                    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                        let path = entry.path();
                        // A file may go while the folder is read.
                        match std::fs::read(&path) {
                            Ok(bytes) if private(&bytes) => found.push(path.display().to_string()),
                            Err(_) if path.is_dir() => folders.push(path),
                            _ => {}
                        }
                    }
                }
                found
            }
            Self::Bucket(config) => {
                let root = format!("{}/{}", config.endpoint.as_deref().unwrap_or_default(), config.name);
                let list = String::from_utf8(bucket::ask(&format!("{root}?list-type=2"), "GET", &[], b"").2).unwrap();
                let keys = list.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
                let keys = keys.map(|(key, _)| key.to_owned());
                let read = |key: &String| {
                    let (status, _, bytes) = bucket::ask(&format!("{root}/{key}"), "GET", &[SIGNED], b"");
                    // It may go while the others are read.
                    assert!([200, 404].contains(&status), "{key}: {status}");
                    private(&bytes)
                };
                keys.filter(read).collect()
            }
        }
    }
}

fn recording(text: &[u8]) -> Vec<u8> {
    [b"\0\0\0\x20ftypisom".as_slice(), text, &[7; 2000]].concat()
}

/// A take that was analysed, and decided on with this rating; how to ask for it, and what to work on it with.
fn take(trial: &mut Trial<'_>, rating: u8) -> (String, String, String) {
    let ([invite, _], pipeline, admin) = trial.accesses();
    let (token, assignment) = trial.join(&invite, "device");
    let (_, body) = trial.hand_in(&token, &assignment, &recording(PRIVATE));
    trial.work(&pipeline, "inspect", &[("waveform.json", PRIVATE)]);
    trial.work(&pipeline, "analyse", &[("transcript.json", PRIVATE), ("steps.jsonl", PRIVATE)]);
    let id = body["id"].as_str().unwrap().to_owned();
    trial.decide(&admin, &id, rating);
    (format!("/api/v1/admin/submissions/{id}"), pipeline, admin)
}

fn count(url: &str, what: &str) -> i64 {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let pool = sqlx::AnyPool::connect(url).await.unwrap();
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {what}"));
        let found = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
        pool.close().await;
        found
    })
}

fn run(url: &str, statement: &str) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let pool = sqlx::AnyPool::connect(url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    });
}

/// Asks until something holds; every look may be the one that the server dies of.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
    }
}

fn redacted(folder: &Path, url: &str, place: &Place<'_>, settings: &[(&str, &str)], at: &str) {
    let mut trial = Trial::new(folder, url, settings, at);
    let (path, pipeline, admin) = take(&mut trial, 4);
    assert_eq!(place.holding().len(), 4, "the recording, and what was made of it");
    let asked = trial.json("POST", &format!("{path}/redact"), &admin, &json!({ "start": 0.5, "end": 1.0 }));
    assert_eq!(asked.status, 202, "{}", asked.json());
    let covered = recording(b"covered");
    let told = manifest(&json!({ "video.mp4": { "bytes": covered.len(), "sha256": sha256(&covered) } })).to_string();
    let made: [(&str, &[u8]); 3] =
        [("steps.jsonl", b"{}\n"), ("video.mp4", &covered), ("recording.json", told.as_bytes())];
    trial.work(&pipeline, "redact", &made);
    let is_done = |trial: &mut Trial<'_>| {
        let shown = trial.send("GET", &path, &admin, &[], b"").json();
        let is_done = shown["redactions"][0]["is_gone"] == true;
        let left = place.holding();
        assert!(!is_done || left.is_empty(), "it is said to be done, and there is still {left:?}");
        is_done && trial.died
    };
    until("the redaction is not finished", || is_done(&mut trial));
    let shown = trial.send("GET", &path, &admin, &[], b"").json();
    let names: Vec<&str> = shown["artifacts"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((shown["stage"].as_str(), names), (Some("accepted"), vec!["steps.jsonl"]));
    if matches!(place, Place::Folder(_)) {
        trial.command(&["audit"]);
    }
    drop(trial);
    let replaced = format!("submission_file where sha256 = '{}'", sha256(&covered));
    for (what, expected) in [
        ("redaction where done_at is not null", 1),
        ("job where kind = 'redact' and stage = 'done'", 1),
        ("history where what like 'redacted%'", 1),
        ("artifact", 1),
        ("ledger", 1),
        (replaced.as_str(), 1),
    ] {
        assert_eq!(count(url, what), expected, "{what}");
    }
}

fn over(folder: &Path, url: &str, place: &Place<'_>, settings: &[(&str, &str)], at: &str) {
    let soon = [("COLLECTOR_HOUSEKEEPING_SECS", "1")];
    let mut trial = Trial::new(folder, url, &[settings, &soon].concat(), at);
    let (path, _, admin) = take(&mut trial, 1);
    assert_eq!(place.holding().len(), 4, "the recording, and what was made of it");
    run(url, "update submission set updated_at = 0");
    until("the media are not removed", || {
        let shown = trial.send("GET", &path, &admin, &[], b"").json();
        trial.died && shown["artifacts"].as_object().unwrap().is_empty() && place.holding().is_empty()
    });
    // A job that has nothing to work on would keep the take closed for ever.
    let asked = trial.json("POST", &format!("{path}/redact"), &admin, &json!({ "start": 0.5, "end": 1.0 }));
    assert_eq!((asked.status, asked.json()["code"].as_str()), (409, Some("stage_conflict")));
    until("what was removed is not written down", || count(url, "condemned where is_last = 0") == 0);
    if matches!(place, Place::Folder(_)) {
        trial.command(&["audit"]);
        let due = trial.command(&["retention", "--apply"]);
        assert!(due.contains("rejected_media\t60\t0\t0"), "another run finds nothing to do: {due}");
    }
    drop(trial);
    for (what, expected) in [
        ("submission where media_removed_at is not null and stage = 'rejected'", 1),
        ("history where who = 'server'", 1),
        ("audit where act = 'media_removed'", 1),
        ("review", 1),
    ] {
        assert_eq!(count(url, what), expected, "{what}");
    }
}

/// Files of finished objects of uploads, and of those on their way.
fn files(folder: &Path) -> (usize, usize) {
    let count = |name: &str| std::fs::read_dir(folder.join(name)).map_or(0, Iterator::count);
    (count("objects/uploads"), count("uploads"))
}

/// Uploads that nobody goes on with: one is finished, the other is not.
fn left_behind(folder: &Path, url: &str, at: &str) {
    let mut trial = Trial::new(folder, url, &[("COLLECTOR_HOUSEKEEPING_SECS", "1")], at);
    let ([invite, _], ..) = trial.accesses();
    let (token, _) = trial.join(&invite, "device");
    trial.upload(&token, &video(1500), 1500);
    trial.upload(&token, &video(2_500_000), PIECE);
    assert_eq!(files(folder), (1, 1));
    run(url, "update upload set expires_at = 0, updated_at = 0");
    until("the uploads are not ended", || {
        // Whoever asked for an upload itself would end it.
        trial.send("GET", "/api/v1/me", &token, &[], b"");
        trial.died && count(url, "upload where stage in ('expired', 'terminated')") == 2 && files(folder) == (0, 0)
    });
    until("what was removed is not written down", || count(url, "condemned where is_last = 0") == 0);
    trial.command(&["audit"]);
}

/// An upload whose bytes are gone from the disk: its sender begins at 0, and nothing of the earlier try is in it.
fn begun_again(folder: &Path, url: &str, at: &str) {
    let mut trial = Trial::new(folder, url, &[], at);
    let ([invite, _], ..) = trial.accesses();
    let (token, _) = trial.join(&invite, "device");
    let whole = video(2_500_000);
    let path = trial.upload(&token, &whole, PIECE);
    std::fs::remove_file(folder.join("uploads").join(id_in(&path))).unwrap();
    let told = trial.send("HEAD", &path, &token, &[TUS], b"");
    assert_eq!((told.status, told.header("upload-offset")), (200, "0"));
    assert!(trial.died, "the server passes {at} on the way");
    for (at, piece) in whole.chunks(PIECE).enumerate() {
        let offset = (at * PIECE).to_string();
        let sent = trial.send("PATCH", &path, &token, &[TUS, BYTES, ("upload-offset", &offset)], piece);
        assert_eq!(sent.status, 204, "{}", String::from_utf8_lossy(&sent.body));
    }
    assert!(trial.send("GET", &path, &token, &[], b"").body == whole, "what is served is what was sent");
    assert_eq!(files(folder), (1, 0));
    trial.command(&["audit"]);
}

/// A worker who withdraws with a take handed in, an upload that waits and one on its way.
fn withdrawn(folder: &Path, url: &str, at: &str) {
    let mut trial = Trial::new(folder, url, &[("COLLECTOR_HOUSEKEEPING_SECS", "1")], at);
    let ([invite, _], ..) = trial.accesses();
    let (token, assignment) = trial.join(&invite, "device");
    trial.hand_in(&token, &assignment, &recording(PRIVATE));
    trial.upload(&token, &video(1500), 1500);
    trial.upload(&token, &video(2_500_000), PIECE);
    assert_eq!(files(folder), (2, 1));
    assert_eq!(trial.json("POST", "/api/v1/me/consent", &token, &json!({})).status, 200);
    assert!(trial.died, "the server passes {at} on the way");
    until("the uploads are not ended", || files(folder) == (1, 0));
    until("what was removed is not written down", || count(url, "condemned where is_last = 0") == 0);
    for (what, expected) in [
        ("worker where stage = 'withdrawn'", 1),
        ("consent where withdrawn_at is null", 0),
        ("submission where stage = 'withdrawn'", 1),
        ("assignment where stage not in ('cancelled', 'submitted')", 0),
        ("job where stage in ('queued', 'leased')", 0),
        ("history where what = 'The consent was withdrawn.'", 1),
        ("audit where act = 'consent_withdrawn'", 1),
    ] {
        assert_eq!(count(url, what), expected, "{what} after {at}");
    }
    trial.command(&["audit"]);
}

#[test]
fn uploads_and_consents_end_whole_whenever_the_server_dies() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for at in END_POINTS.iter().chain(LEAVE_POINTS) {
            let folder = road::folder();
            let url = database(engine, folder.path());
            match *at {
                "upload.expiring" | "upload.expired" => left_behind(folder.path(), &url, at),
                "upload.restarting" | "upload.restarted" => begun_again(folder.path(), &url, at),
                _ => withdrawn(folder.path(), &url, at),
            }
        }
        // Each upload has its own.
        let folder = road::folder();
        left_behind(folder.path(), &database(engine, folder.path()), "upload.expired:2");
    }
}

fn check(engine: Engine, at: &str) {
    let folder = road::folder();
    let (url, place) = (database(engine, folder.path()), Place::Folder(folder.path()));
    match at.split_once('.') {
        Some(("redaction", _)) => redacted(folder.path(), &url, &place, &[], at),
        Some(("retention", _)) => over(folder.path(), &url, &place, &[], at),
        _ => {
            redacted(folder.path(), &url, &place, &[], at);
            let folder = road::folder();
            over(folder.path(), &database(engine, folder.path()), &Place::Folder(folder.path()), &[], at);
        }
    }
}

#[test]
fn what_goes_on_sqlite_is_gone_whenever_the_server_dies() {
    REMOVAL_POINTS.iter().chain(&CONDEMNED).for_each(|at| check(Engine::Sqlite, at));
}

#[test]
fn what_goes_on_postgres_is_gone_whenever_the_server_dies() {
    REMOVAL_POINTS.iter().chain(&CONDEMNED).for_each(|at| check(Engine::Postgres, at));
}

/// With `COLLECTOR_TEST_ALL` at every point on both engines; else where the row is written and the bucket does not know.
#[test]
fn what_goes_from_a_bucket_is_gone_whenever_the_server_dies() {
    let all = std::env::var_os("COLLECTOR_TEST_ALL").is_some();
    let (redaction, retention): (&[&str], &[&str]) = if all {
        (&["redaction.finishing", "redaction.finished", CONDEMNED[0], CONDEMNED[1]], &REMOVAL_POINTS[2..])
    } else {
        (&["redaction.finished"], &["retention.condemned"])
    };
    let engines: &[Engine] = if all { &[Engine::Sqlite, Engine::Postgres] } else { &[Engine::Postgres] };
    for (engine, at) in engines.iter().flat_map(|engine| redaction.iter().chain(retention).map(|at| (*engine, *at))) {
        let (folder, bucket) = (road::folder(), bucket::moto());
        let (url, place) = (database(engine, folder.path()), Place::Bucket(&bucket));
        let settings = bucket::settings(&bucket);
        if at.starts_with("retention") {
            over(folder.path(), &url, &place, &settings, at);
        } else {
            redacted(folder.path(), &url, &place, &settings, at);
        }
    }
}

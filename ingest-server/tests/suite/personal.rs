//! Consent, withdrawal, a person's own data and its erasure, on both engines.

use std::time::{Duration, Instant};

use crate::road;
use crate::road::{BYTES, NOW, Road, TUS, UPLOADS, handed_in, id_in, registration, video};
use ingest_server::discrepancy::{self, Look};
use ingest_server::store::Engine;
use ingest_server::{housekeeping, store};
use serde_json::{Value, json};
use shared_types::api::admin::TokenRole;
use shared_types::submission::SubmissionStage;

on_both!(
    nothing_is_taken_without_the_consent_in_force,
    a_withdrawal_takes_everything_out_of_use,
    a_worker_reads_all_that_is_kept,
    nothing_of_an_erased_worker_can_be_found,
    a_name_is_kept_until_the_pay_is_settled,
    an_admin_erases_for_whoever_asked,
    an_erasure_that_was_cut_off_is_finished,
    an_erasure_is_not_done_before_its_bytes_are_gone,
    an_erasure_takes_nothing_from_another,
    a_copy_that_is_being_handed_in_is_left_alone,
    a_withdrawal_that_was_cut_off_is_finished,
    nobody_begins_an_upload_after_a_withdrawal,
    names_are_read_in_the_audit_log
);

const PATIENCE: Duration = Duration::from_mins(2);
const ME: &str = "/api/v1/me";
const CONSENT: &str = "/api/v1/me/consent";
const ERASURE: &str = "/api/v1/me/erasure";
const ERASURES: &str = "/api/v1/admin/erasures";

async fn run(road: &Road, text: &str) {
    let mut tx = road.app.store.begin().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(text.to_owned())).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// Accepts the take of a worker that is ready.
async fn accept(road: &Road, admin: &str, id: &str) {
    let path = format!("/api/v1/admin/submissions/{id}");
    let version = road.call("GET", &path, admin, None).await.json()["version"].clone();
    let checklist = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
    let body = json!({
        "rating": 5, "checklist": checklist, "reason": null, "note": "Ada does well", "marks": [], "version": version,
    });
    let decided = road.call("POST", &format!("{path}/review"), admin, Some(body)).await;
    assert_eq!(decided.status, 200, "{}", String::from_utf8_lossy(&decided.body));
}

async fn create(road: &Road, token: &str) -> road::Answer {
    road.send("POST", UPLOADS, token, &[TUS, ("upload-length", "100")], "").await
}

async fn nothing_is_taken_without_the_consent_in_force(road: Road) {
    let token = road.worker("Basic").await;
    let goals = road.goals(&token).await;
    let bytes = video(100);
    let made = road.send("POST", UPLOADS, &token, &[TUS, BYTES, ("upload-length", "100")], bytes.clone()).await;
    let upload = id_in(made.header("location")).to_owned();
    // As after the text was renewed, and as if the row were lost.
    for change in ["update consent set version = '2020-01'", "delete from consent"] {
        run(&road, change).await;
        let id = uuid::Uuid::now_v7().to_string();
        let submit = handed_in(&id, &goals[0], &upload, &bytes);
        for (path, body) in [
            (format!("/api/v1/assignments/{}/claim", goals[0]), None),
            (format!("/api/v1/assignments/{}/start", goals[0]), None),
            ("/api/v1/submissions".to_owned(), Some(submit)),
        ] {
            let refused = road.call("POST", &path, &token, body).await;
            assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "consent_required"), "{path}");
        }
        assert_eq!(create(&road, &token).await.code(), "consent_required");
    }
    // What was sent already stays, and what the worker is told names the version that is asked for.
    assert_eq!(road.call("GET", &format!("{UPLOADS}/{upload}"), &token, None).await.body, bytes);
    let me = road.call("GET", ME, &token, None).await.json()["worker"].clone();
    assert_eq!((&me["consent_version"], &me["current_consent_version"]), (&Value::Null, &json!("2026-11")));
    let old = json!({ "version": "2020-01", "accepted_at": "2026-11-02T00:00:00.000Z" });
    assert_eq!(road.call("POST", CONSENT, &token, Some(old)).await.code(), "consent_required");
    let half = json!({ "version": "2026-11" });
    assert_eq!(road.call("POST", CONSENT, &token, Some(half)).await.code(), "invalid_request");
    let new = json!({ "version": "2026-11", "accepted_at": "2026-11-02T00:00:00.000Z", "app_version": "0.1.0" });
    for _ in 0..2 {
        let given = road.call("POST", CONSENT, &token, Some(new.clone())).await;
        assert_eq!(given.json()["consent_version"], "2026-11");
    }
    assert_eq!(road.count("consent where app_version = '0.1.0' and text_sha256 is not null").await, 1);
    assert_eq!(create(&road, &token).await.status, 201);
}

async fn a_withdrawal_takes_everything_out_of_use(road: Road) {
    let (token, other) = (road.worker("Basic").await, road.worker("Basic").await);
    let (machine, admin) = (road.token(TokenRole::Pipeline).await, road.token(TokenRole::Admin).await);
    let accepted = road.hand_in(&token, "one").await;
    road.work(&machine).await;
    accept(&road, &admin, &accepted.id).await;
    let waiting = road.hand_in(&token, "two").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    let unused = id_in(create(&road, &token).await.header("location")).to_owned();
    let kept = road.hand_in(&other, "three").await;
    for _ in 0..2 {
        let gone = road.call("POST", CONSENT, &token, Some(json!({}))).await;
        assert_eq!(gone.json()["stage"], "withdrawn", "{}", String::from_utf8_lossy(&gone.body));
        assert_eq!(gone.json()["consent_version"], Value::Null);
    }
    for take in [&accepted.id, &waiting.id] {
        let path = format!("/api/v1/submissions/{take}");
        assert_eq!(road.call("GET", &path, &token, None).await.json()["stage"], "withdrawn");
    }
    // The machine that works on it is told with its next word, and its result is not taken.
    assert_eq!(road.complete(&machine, &job, true, None).await.code(), "lease_lost");
    let exports = format!("/api/v1/exports/{}/submissions", road.campaign);
    let export = road.call("GET", &exports, &machine, None).await.json();
    assert_eq!(export["items"], json!([]));
    assert_eq!(export["tombstones"].as_array().unwrap().len(), 2);
    assert_eq!(road.send("HEAD", &format!("{UPLOADS}/{unused}"), &token, &[TUS], "").await.status, 404);
    assert_eq!(create(&road, &token).await.code(), "consent_required");
    let back = json!({ "version": "2026-11", "accepted_at": "2026-11-02T00:00:00.000Z" });
    assert_eq!(road.call("POST", CONSENT, &token, Some(back)).await.code(), "consent_required");
    // What was earned stays, and nobody else lost anything.
    assert_eq!(road.call("GET", ME, &token, None).await.json()["payouts"].as_array().unwrap().len(), 1);
    let goals = road.call("GET", "/api/v1/assignments", &token, None).await.json();
    let stages = goals["items"].as_array().unwrap().iter().map(|goal| goal["stage"].as_str().unwrap());
    assert!(stages.into_iter().all(|stage| ["accepted", "cancelled"].contains(&stage)));
    assert_eq!(road.count(&format!("submission where id = '{}' and stage = 'inspecting'", kept.id)).await, 1);
    assert_eq!(road.count("audit where act = 'consent_withdrawn'").await, 1);
}

/// Withdrawing sets the stage with one statement, which asks no lifecycle.
#[test]
fn every_stage_of_a_take_can_be_withdrawn() {
    for stage in SubmissionStage::ALL.iter().filter(|stage| **stage != SubmissionStage::Withdrawn) {
        assert!(stage.advance(SubmissionStage::Withdrawn).is_ok(), "{stage}");
    }
}

async fn a_worker_reads_all_that_is_kept(road: Road) {
    let (token, other) = (road.worker("Basic").await, road.worker("Basic").await);
    let (machine, admin) = (road.token(TokenRole::Pipeline).await, road.token(TokenRole::Admin).await);
    let take = road.hand_in(&token, "one").await;
    road.hand_in(&other, "foreign").await;
    road.work(&machine).await;
    accept(&road, &admin, &take.id).await;
    let data = road.call("GET", "/api/v1/me/export", &token, None).await.json();
    assert_eq!((&data["worker"]["name"], &data["worker"]["fiverr_user"]), (&json!("Ada"), &json!("ada")));
    assert_eq!(data["consents"][0]["version"], "2026-11");
    assert_eq!(data["devices"][0]["device_id"], "device-1");
    assert_eq!(data["assignments"].as_array().unwrap().len(), 5);
    let takes = data["takes"].as_array().unwrap();
    assert_eq!(takes.len(), 1);
    assert_eq!(takes[0]["submission"]["id"], json!(take.id));
    assert_eq!(takes[0]["submission"]["note"], "Ada does well");
    assert_eq!(takes[0]["manifest"]["format"], 1);
    assert_eq!(takes[0]["files"][0]["upload_id"], json!(take.upload));
    assert_eq!(data["payouts"].as_array().unwrap().len(), 1);
    assert!(!data.to_string().contains("foreign"));
}

/// Every text of the database in which a word stands, as table and column.
async fn places(road: &Road, word: &str) -> Vec<String> {
    let all = match road.app.store.engine() {
        Engine::Sqlite => "select name from sqlite_master where type = 'table' order by name",
        Engine::Postgres => {
            "select cast(tablename as text) as name from pg_tables where schemaname = 'public' order by name"
        }
    };
    let tables: Vec<String> = sqlx::query_scalar(all).fetch_all(road.app.store.read()).await.unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut found = Vec::new();
    for table in tables.iter().filter(|table| !table.starts_with("_sqlx")) {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("select * from {table}")));
        for row in rows.fetch_all(road.app.store.read()).await.unwrap() {
            for at in 0..sqlx::Row::len(&row) {
                let text = sqlx::Row::try_get::<Option<String>, _>(&row, at);
                if text.ok().flatten().is_some_and(|text| text.contains(word)) {
                    found.push(format!("{table}.{at}"));
                }
            }
        }
    }
    found
}

/// Which of the words stand in the files of the embedded database, freed pages and its log included.
fn on_disk<'a>(road: &Road, words: &[&'a str]) -> Vec<&'a str> {
    let entries = std::fs::read_dir(road.folder.path()).unwrap().map(|entry| entry.unwrap());
    let of_database = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("collector.db"));
    let files: Vec<Vec<u8>> = of_database.map(|entry| std::fs::read(entry.path()).unwrap()).collect();
    let is_in = |word: &&&str| files.iter().any(|file| file.windows(word.len()).any(|some| some == word.as_bytes()));
    words.iter().filter(is_in).copied().collect()
}

fn files(road: &Road) -> usize {
    let root = road.folder.path().join("objects");
    let mut folders = vec![root];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() { folders.push(entry.path()) } else { count += 1 }
        }
    }
    count
}

async fn nothing_of_an_erased_worker_can_be_found(mut road: Road) {
    let machine = road.token(TokenRole::Pipeline).await;
    let invite = road.invite("Basic").await;
    let mut asked = registration(&invite, "device-secret");
    asked["name"] = "Zebedee Quill".into();
    asked["fiverr_user"] = "zquill77".into();
    let token = road.call("POST", "/api/v1/workers", "", Some(asked.clone())).await.json();
    let token = token["token"].as_str().unwrap().to_owned();
    let take = road.hand_in(&token, "zebra").await;
    let hash = road::sha256(&[b"\0\0\0\x20ftypisom".as_slice(), b"zebra"].concat());
    let job = road.lease(&machine, "inspect").await.unwrap();
    let name = |name: &str| ("upload-metadata", format!("filename {name}"));
    let (key, value) = name("emVicmE=");
    let headers = [TUS, BYTES, ("upload-length", "100"), (key, value.as_str())];
    road.send("POST", UPLOADS, &token, &headers, video(100)).await;
    assert!(files(&road) > 1);
    let words = ["Zebedee", "zquill77", "device-secret", "emVicmE", hash.as_str()];
    let is_embedded = road.app.store.engine() == Engine::Sqlite;
    if is_embedded {
        assert_eq!(on_disk(&road, &words), words, "what is looked for can be found");
    }
    let done = road.call("POST", ERASURE, &token, None).await;
    assert_eq!(done.status, 202, "{}", String::from_utf8_lossy(&done.body));
    let done = done.json();
    assert_eq!((&done["takes"], &done["is_owed_pay"]), (&json!(1), &json!(false)));
    assert!(done["done_at"].is_string(), "{done}");
    for word in words.into_iter().chain(["ftyp"]) {
        assert_eq!(places(&road, word).await, Vec::<String>::new(), "{word}");
    }
    if is_embedded {
        assert_eq!(on_disk(&road, &words), Vec::<&str>::new());
    }
    assert_eq!(files(&road), 0);
    assert_eq!(road.call("GET", ME, &token, None).await.code(), "token_revoked");
    assert_eq!(road.complete(&machine, &job, true, None).await.code(), "lease_lost");
    // The same invite does not bring the worker back, and what is left agrees with itself.
    assert_eq!(road.call("POST", "/api/v1/workers", "", Some(asked)).await.code(), "invite_used");
    let export = format!("/api/v1/exports/{}/submissions", road.campaign);
    let export = road.call("GET", &export, &machine, None).await.json();
    assert_eq!(export["tombstones"], json!([take.id]));
    let admin = road.token(TokenRole::Admin).await;
    let shown = road.call("GET", &format!("/api/v1/admin/submissions/{}", take.id), &admin, None).await;
    assert_eq!(shown.status, 200, "{}", String::from_utf8_lossy(&shown.body));
    let found = discrepancy::look(&road.app, Look { repair: false, quick: false }).await.unwrap();
    assert_eq!(found.discrepancies, []);
    road.restart().await;
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("erasure where done_at is not null").await, 1);
}

async fn a_name_is_kept_until_the_pay_is_settled(road: Road) {
    let (token, machine) = (road.worker("Basic").await, road.token(TokenRole::Pipeline).await);
    let admin = road.token(TokenRole::Admin).await;
    let take = road.hand_in(&token, "one").await;
    road.work(&machine).await;
    accept(&road, &admin, &take.id).await;
    let open = road.call("POST", ERASURE, &token, None).await.json();
    assert_eq!((&open["is_owed_pay"], &open["done_at"]), (&json!(true), &Value::Null));
    assert_eq!(places(&road, "Ada").await, ["worker.2"], "only the name that is paid");
    assert_eq!(files(&road), 0, "the recording went at once");
    let found = discrepancy::look(&road.app, Look { repair: false, quick: false }).await.unwrap();
    assert_eq!(found.discrepancies, [], "who was paid and left is no discrepancy");
    road.pass(29 * 86_400);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("worker where name = 'Ada'").await, 1);
    road.pass(86_400 + 1);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("worker where name = 'Ada'").await, 0, "a month is the most");
    assert_eq!(road.count("worker where stage = 'erased' and fiverr_user = ''").await, 1);
    assert_eq!(road.count("ledger").await, 1, "the books stay");
}

async fn an_admin_erases_for_whoever_asked(road: Road) {
    let (token, machine) = (road.worker("Basic").await, road.token(TokenRole::Pipeline).await);
    let admin = road.token(TokenRole::Admin).await;
    let take = road.hand_in(&token, "one").await;
    road.work(&machine).await;
    accept(&road, &admin, &take.id).await;
    let workers = road.call("GET", "/api/v1/admin/workers", &admin, None).await.json();
    let worker = workers["items"][0]["id"].clone();
    let nobody = json!({ "worker_id": uuid::Uuid::nil() });
    assert_eq!(road.call("POST", ERASURES, &admin, Some(nobody)).await.status, 404);
    for _ in 0..2 {
        let asked = road.call("POST", ERASURES, &admin, Some(json!({ "worker_id": worker }))).await;
        assert_eq!((asked.status.as_u16(), &asked.json()["done_at"]), (202, &Value::Null));
    }
    let listed = road.call("GET", ERASURES, &admin, None).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let finish = format!("{ERASURES}/{}/finish", listed["items"][0]["id"].as_str().unwrap());
    for _ in 0..2 {
        let done = road.call("POST", &finish, &admin, None).await.json();
        assert!(done["done_at"].is_string(), "{done}");
    }
    assert_eq!(places(&road, "Ada").await, Vec::<String>::new());
    assert_eq!(road.count("audit where act = 'erasure_done'").await, 1);
}

/// As after a crash between the commit and the removal of the bytes.
async fn an_erasure_that_was_cut_off_is_finished(road: Road) {
    let token = road.worker("Basic").await;
    road.hand_in(&token, "one").await;
    create(&road, &token).await;
    let me = road.call("GET", ME, &token, None).await.json();
    let worker = me["worker"]["id"].as_str().unwrap().parse().unwrap();
    let mut tx = road.app.store.begin().await.unwrap();
    let actor = ingest_server::store::audit::Actor::server();
    ingest_server::leaving::erase(&mut tx, worker, &actor, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert!(files(&road) > 0);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(files(&road), 0);
    assert_eq!(road.count("erasure where done_at is not null").await, 1);
    assert_eq!(road.count("upload where stage <> 'terminated'").await, 0);
}

async fn an_erasure_is_not_done_before_its_bytes_are_gone(road: Road) {
    let token = road.worker("Basic").await;
    road.hand_in(&token, "one").await;
    // A key that no store knows how to remove, of this worker's job.
    run(&road, "insert into condemned (object_key, due_at, is_last) select 'jobs/' || id || '/1/ ', 0, 0 from job")
        .await;
    let asked = road.call("POST", ERASURE, &token, None).await;
    assert_eq!((asked.status.as_u16(), &asked.json()["done_at"]), (202, &Value::Null));
    assert_eq!(files(&road), 0, "the others are not held up");
    let other = road.worker("Basic").await;
    assert!(road.call("POST", ERASURE, &other, None).await.json()["done_at"].is_string(), "nobody else waits for it");
    road.pass(61);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("erasure where done_at is null").await, 1);
    run(&road, "delete from condemned where is_last = 0").await;
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("erasure where done_at is null").await, 0);
}

/// A finished upload of what [`Road::hand_in`] hands in.
async fn upload(road: &Road, token: &str, content: &str) -> String {
    let bytes = [b"\0\0\0\x20ftypisom".as_slice(), content.as_bytes()].concat();
    let length = bytes.len().to_string();
    let made = road.send("POST", UPLOADS, token, &[TUS, BYTES, ("upload-length", &length)], bytes).await;
    assert_eq!(made.status, 201);
    made.header("location").to_owned()
}

async fn an_erasure_takes_nothing_from_another(road: Road) {
    let (token, other) = (road.worker("Basic").await, road.worker("Basic").await);
    road.hand_in(&token, "same").await;
    let (own, foreign) = (upload(&road, &token, "same").await, upload(&road, &other, "same").await);
    assert!(road.call("POST", ERASURE, &token, None).await.json()["done_at"].is_string());
    assert_eq!(road.call("GET", &foreign, &other, None).await.status, 200, "the same bytes, and another's");
    assert_eq!(road.count(&format!("upload where id = '{}' and stage = 'terminated'", id_in(&own))).await, 1);
    assert_eq!(files(&road), 1);
}

/// While another recording of the same bytes is erased or redacted.
async fn a_copy_that_is_being_handed_in_is_left_alone(road: Road) {
    if road.app.store.engine() == Engine::Sqlite {
        // There one comes after the other.
        return;
    }
    let token = road.worker("Basic").await;
    let id = id_in(&upload(&road, &token, "same").await).to_owned();
    let sha256 = road::sha256(&[b"\0\0\0\x20ftypisom".as_slice(), b"same"].concat());
    let me = road.call("GET", ME, &token, None).await.json();
    let worker = me["worker"]["id"].as_str().unwrap().parse().unwrap();
    let (mut bind, mut erase) = (road.app.store.begin().await.unwrap(), road.app.store.begin().await.unwrap());
    assert!(store::upload::pin(&mut bind, &id, worker, NOW).await.unwrap());
    let ended = store::upload::terminate_copies(&mut erase, worker, &sha256, NOW);
    let bound = async {
        let waits = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while road.count(waits).await == 0 {
            tokio::task::yield_now().await;
        }
        bind.commit().await.unwrap();
    };
    let (ended, ()) = tokio::join!(ended, bound);
    assert_eq!(ended.unwrap(), Vec::<String>::new());
    erase.commit().await.unwrap();
    assert_eq!(road.count("upload where stage = 'ready'").await, 1);
}

/// As after a crash between the commit and the removal of the bytes.
async fn a_withdrawal_that_was_cut_off_is_finished(road: Road) {
    let (token, other) = (road.worker("Basic").await, road.worker("Basic").await);
    let (left, kept) = (upload(&road, &token, "one").await, upload(&road, &other, "two").await);
    create(&road, &token).await;
    let me = road.call("GET", ME, &token, None).await.json();
    let worker = me["worker"]["id"].as_str().unwrap().parse().unwrap();
    let mut tx = road.app.store.begin().await.unwrap();
    let actor = ingest_server::store::audit::Actor::server();
    ingest_server::leaving::withdraw(&mut tx, worker, &actor, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(files(&road), 2);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.call("GET", &left, &token, None).await.status, 404);
    assert_eq!(road.call("GET", &kept, &other, None).await.status, 200);
    assert_eq!((files(&road), road.count("upload where stage = 'terminated'").await), (1, 2));
}

/// As if the consent had been looked at before, and the withdrawal came in between.
async fn nobody_begins_an_upload_after_a_withdrawal(road: Road) {
    let token = road.worker("Basic").await;
    let me = road.call("GET", ME, &token, None).await.json();
    let worker = me["worker"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(road.call("POST", CONSENT, &token, Some(json!({}))).await.status, 200);
    let begun = ingest_server::uploads::begin(&road.app, worker, Some(100), None).await;
    assert!(matches!(begun, Err(ingest_server::uploads::UploadError::NoConsent)), "{begun:?}");
    assert_eq!(road.count("upload").await, 0);
}

/// Another server takes the upload in at the very moment at which it is ended: the erasure is not said to be done, and the
/// next round ends what is there then.
#[tokio::test]
async fn an_erasure_waits_for_an_upload_that_another_server_writes() {
    let road = Road::open(Engine::Postgres).await;
    let token = road.worker("Basic").await;
    let begun = create(&road, &token).await;
    let path = begun.header("location").to_owned();
    let headers = [TUS, BYTES, ("upload-offset", "0")];
    assert_eq!(road.send("PATCH", &path, &token, &headers, video(100)[..50].to_vec()).await.status, 204);
    // The other one has written and not committed.
    let mut other = road.app.store.begin().await.unwrap();
    let write = format!("update upload set generation = generation + 1 where id = '{}'", id_in(&path));
    sqlx::query(sqlx::AssertSqlSafe(write)).execute(&mut *other).await.unwrap();
    let erase = road.call("POST", ERASURE, &token, None);
    let commit = async {
        let waits = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let began = Instant::now();
        while road.count(waits).await == 0 {
            assert!(began.elapsed() < PATIENCE, "nobody waits for the other server");
        }
        other.commit().await.unwrap();
    };
    let (erased, ()) = tokio::join!(erase, commit);
    assert_eq!(erased.status, 202, "{}", String::from_utf8_lossy(&erased.body));
    assert!(erased.json()["done_at"].is_null(), "{}", erased.json());
    let open = "upload where stage = 'receiving'";
    assert_eq!((road.count(open).await, road.count("erasure where done_at is not null").await), (1, 0));
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!((road.count(open).await, road.count("erasure where done_at is not null").await), (0, 1));
    let left = std::fs::read_dir(road.folder.path().join("uploads")).unwrap().count();
    assert_eq!(left, 0, "what is certified to be gone is gone");
}

async fn names_are_read_in_the_audit_log(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    for _ in 0..2 {
        assert_eq!(road.call("GET", "/api/v1/admin/workers", &admin, None).await.status, 200);
    }
    assert_eq!(road.count("audit where act = 'workers_viewed'").await, 1);
    road.pass(301);
    road.call("GET", "/api/v1/admin/workers", &admin, None).await;
    assert_eq!(road.count("audit where act = 'workers_viewed'").await, 2);
}

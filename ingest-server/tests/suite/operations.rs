//! Backup, restore and audit as the one who runs the server meets them: as commands, beside a server that runs.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::road::people::HandedIn;
use crate::road::{Road, new_database, sha256, video};
use crate::{bucket, road};
use ingest_server::crash::RESTORE_POINTS;
use ingest_server::discrepancy::{self, Look};
use ingest_server::store::Engine;
use serde_json::json;
use shared_types::api::admin::TokenRole;
use shared_types::api::review::AdminRole;

on_both!(
    a_backup_is_restored_whole,
    a_backup_beside_a_bucket,
    a_backup_writes_nothing_elsewhere,
    a_restore_that_is_cut_off_leaves_nobody_logged_in,
    a_forgotten_password_is_replaced,
    what_does_not_add_up_is_told_and_mended
);

fn run(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    run_with(folder, url, arguments, &[])
}

fn run_with(folder: &Path, url: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ingest-server"))
        .args(arguments)
        .env("COLLECTOR_DATA_DIR", folder)
        .env("DATABASE_URL", url)
        .env("NO_COLOR", "1")
        .envs(settings.iter().copied())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One take that was accepted, one that waits, and an upload that is not finished.
pub(super) async fn filled(road: &Road) -> (String, HandedIn) {
    let (worker, machine, admin) =
        (road.worker("Basic").await, road.token(TokenRole::Pipeline).await, road.token(TokenRole::Admin).await);
    let taken = road.hand_in(&worker, "one").await;
    road.work(&machine).await;
    let at = format!("/api/v1/admin/submissions/{}", taken.id);
    let version = road.call("GET", &at, &admin, None).await.json()["version"].clone();
    let yes = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
    let decision = json!({ "rating": 4, "checklist": yes, "reason": null, "note": null, "version": version });
    assert_eq!(road.call("POST", &format!("{at}/review"), &admin, Some(decision)).await.status, 200);
    road.hand_in(&worker, "two").await;
    let begun = [road::TUS, ("upload-length", "1000")];
    assert_eq!(road.send("POST", road::UPLOADS, &worker, &begun, "").await.status, 201);
    (worker, taken)
}

fn objects(road: &Road) -> PathBuf {
    road.folder.path().join("objects")
}

async fn empty_database(engine: Engine, home: &Path) -> String {
    match engine {
        Engine::Sqlite => format!("sqlite://{}", home.join("collector.db").display()),
        Engine::Postgres => new_database().await,
    }
}

/// S3 takes 10,000 parts; a longer upload could never end.
#[test]
fn an_upload_must_fit_into_a_bucket() {
    let home = road::folder();
    let settings = [
        ("S3_BUCKET", "recordings"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("COLLECTOR_UPLOAD_BYTES", "83886080001"),
    ];
    let refused = run_with(home.path(), "sqlite::memory:", &["config"], &settings);
    assert!(!refused.status.success() && said(&refused).contains("COLLECTOR_UPLOAD_BYTES"), "{}", said(&refused));
    let taken = run_with(home.path(), "sqlite::memory:", &["config"], &settings[..3]);
    assert!(taken.status.success(), "{}", said(&taken));
}

/// Whoever was logged in when the backup was made: a server that is started on what is there lets none of them in.
async fn a_restore_that_is_cut_off_leaves_nobody_logged_in(road: Road) {
    road.login(AdminRole::Admin).await;
    let elsewhere = road::folder();
    let file = elsewhere.path().join("collector.tar");
    let made = run(road.folder.path(), &road.app.config.database_url, &["backup", file.to_str().unwrap()]);
    assert!(made.status.success(), "{}", said(&made));
    for at in RESTORE_POINTS {
        let home = road::folder();
        let fresh = empty_database(road.app.store.engine(), home.path()).await;
        let restore = ["restore", file.to_str().unwrap()];
        let killed = run_with(home.path(), &fresh, &restore, &[("COLLECTOR_CRASH_AT", *at)]);
        assert_eq!(killed.status.signal(), Some(9), "{}", said(&killed));
        let pool = sqlx::AnyPool::connect(&fresh).await.unwrap();
        for (table, rows) in [("admin", 1_i64), ("session", 0)] {
            let text = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
            let found: i64 = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
            assert_eq!(found, rows, "{table} after {at}");
        }
        pool.close().await;
    }
}

async fn a_backup_is_restored_whole(road: Road) {
    let (worker, taken) = filled(&road).await;
    let (url, engine) = (road.app.config.database_url.clone(), road.app.store.engine());
    let elsewhere = road::folder();
    let file = elsewhere.path().join("collector.tar");
    let name = file.to_str().unwrap();
    // Debian keeps the programs of each version apart; the wrapper takes the newest.
    let made = run(road.folder.path(), &url, &["backup", name]);
    assert!(made.status.success(), "{}", said(&made));
    let again = run(road.folder.path(), &url, &["backup", name]);
    assert!(!again.status.success() && said(&again).contains("replaces nothing"), "{}", said(&again));
    let full = run(road.folder.path(), &url, &["restore", name]);
    assert!(!full.status.success() && said(&full).contains("is not empty"), "{}", said(&full));
    let home = road::folder();
    let fresh = empty_database(engine, home.path()).await;
    for cut in ["collector.short", "collector.changed"] {
        let path = elsewhere.path().join(cut);
        let mut bytes = std::fs::read(&file).unwrap();
        if cut.ends_with("short") {
            bytes.truncate(bytes.len() / 2);
        } else {
            let at = bytes.windows(7).rposition(|some| some == b"ftypiso").unwrap();
            bytes[at] ^= 1;
        }
        std::fs::write(&path, bytes).unwrap();
        let refused = run(home.path(), &fresh, &["restore", path.to_str().unwrap()]);
        assert!(!refused.status.success(), "{cut}");
        assert!(!home.path().join("objects").exists() && !home.path().join("collector.db").exists(), "{cut}");
    }
    let restored = run(home.path(), &fresh, &["restore", name]);
    assert!(restored.status.success(), "{}", said(&restored));
    let audit = run(home.path(), &fresh, &["audit"]);
    assert!(audit.status.success(), "{}{}", String::from_utf8_lossy(&audit.stdout), said(&audit));
    let server = road::wire::Process::start(home.path(), &fresh, &[]);
    let view = server.call("GET", &format!("/api/v1/submissions/{}", taken.id), &worker, &[], b"").unwrap();
    assert_eq!((view.status, view.json()["rating"].clone()), (200, json!(4)));
    let got = server.call("GET", &format!("/api/v1/uploads/{}", taken.upload), &worker, &[], b"").unwrap();
    assert_eq!(sha256(&got.body), sha256(&[b"\0\0\0\x20ftypisom".as_slice(), b"one"].concat()));
    let me = server.call("GET", "/api/v1/me", &worker, &[], b"").unwrap().json();
    assert_eq!(me["payouts"][0]["amount"]["amount_cents"], 400);
}

/// Where the objects lie in a bucket a backup has the database alone, and says so.
async fn a_backup_beside_a_bucket(road: Road) {
    let engine = road.app.store.engine();
    drop(road);
    let config = tokio::task::spawn_blocking(bucket::moto).await.unwrap();
    let settings = bucket::settings(&config);
    let road = Road::with(engine, Some(config.clone())).await;
    let (worker, taken) = filled(&road).await;
    let (url, elsewhere, home) = (road.app.config.database_url.clone(), road::folder(), road::folder());
    let file = elsewhere.path().join("collector.tar");
    let name = file.to_str().unwrap();
    let refused = run_with(road.folder.path(), &url, &["backup", name], &settings);
    assert!(!refused.status.success() && said(&refused).contains("--without-objects"), "{}", said(&refused));
    let made = run_with(road.folder.path(), &url, &["backup", "--without-objects", name], &settings);
    assert!(
        made.status.success() && said(&made).contains("2 objects that it names are kept where they are"),
        "{}",
        said(&made)
    );
    let fresh = empty_database(engine, home.path()).await;
    let restored = run_with(home.path(), &fresh, &["restore", name], &settings);
    assert!(restored.status.success(), "{}", said(&restored));
    let audit = run_with(home.path(), &fresh, &["audit"], &settings);
    assert!(audit.status.success(), "{}{}", String::from_utf8_lossy(&audit.stdout), said(&audit));
    let pool = sqlx::AnyPool::connect(&fresh).await.unwrap();
    let since = "select count(*) from absence where ended_at > began_at";
    let noted: i64 = sqlx::query_scalar(since).fetch_one(&pool).await.unwrap();
    assert_eq!(noted, 1, "what others stored since the backup is known as theirs, however soon it is put back");
    pool.close().await;
    let server = road::wire::Process::start(home.path(), &fresh, &settings);
    let got = server.call("GET", &format!("/api/v1/uploads/{}", taken.upload), &worker, &[], b"").unwrap();
    assert_eq!(sha256(&got.body), sha256(&[b"\0\0\0\x20ftypisom".as_slice(), b"one"].concat()));
}

async fn a_forgotten_password_is_replaced(road: Road) {
    let cookie = road.login(AdminRole::Reviewer).await;
    let who = ["--email", "Reviewer@example.org"];
    let url = road.app.config.database_url.clone();
    let made = run(road.folder.path(), &url, &[&["admin", "password"], who.as_slice()].concat());
    assert!(made.status.success(), "{}", said(&made));
    let word = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let session = "/api/v1/admin/session";
    let from_here = [("sec-fetch-site", "same-origin"), ("content-type", "application/json")];
    let told = road.send("GET", session, "", &[("cookie", &cookie)], "").await;
    assert_eq!(told.status, 401, "whoever was logged in is out");
    let login = json!({ "email": "reviewer@example.org", "password": word, "totp": null }).to_string();
    assert_eq!(road.send("POST", session, "", &from_here, login).await.status, 204);
    assert_eq!(road.count("audit where act = 'password_changed'").await, 1);
    let nobody = run(road.folder.path(), &url, &["admin", "password", "--email", "nobody@example.org"]);
    assert!(!nobody.status.success() && said(&nobody).contains("admin create"), "{}", said(&nobody));
}

/// An archive of somebody else's making leads nowhere.
async fn a_backup_writes_nothing_elsewhere(road: Road) {
    let url = road.app.config.database_url.clone();
    let elsewhere = road::folder();
    for (name, kind) in [
        ("../outside", tar::EntryType::Regular),
        ("objects/../../outside", tar::EntryType::Regular),
        ("/outside", tar::EntryType::Regular),
        ("objects/link", tar::EntryType::Symlink),
    ] {
        let mut header = tar::Header::new_gnu();
        // The library itself refuses to write such names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        let file = elsewhere.path().join("foreign.tar");
        let mut archive = tar::Builder::new(std::fs::File::create(&file).unwrap());
        archive.append(&header, std::io::empty()).unwrap();
        archive.finish().unwrap();
        let home = road::folder();
        let refused = run(&home.path().join("data"), &url, &["restore", file.to_str().unwrap()]);
        assert!(!refused.status.success(), "{name}");
        let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|entry| entry == "data"), "{name}: {left:?}");
    }
}

async fn sentences(road: &Road, repair: bool) -> Vec<String> {
    let found = discrepancy::look(&road.app, Look { repair, quick: false }).await.unwrap();
    found.discrepancies.iter().map(ToString::to_string).collect()
}

async fn what_does_not_add_up_is_told_and_mended(road: Road) {
    let (worker, taken) = filled(&road).await;
    assert_eq!(sentences(&road, false).await, Vec::<String>::new());
    let change = async |text: &str| {
        let mut tx = road.app.store.begin().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(text.to_owned())).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let object = objects(&road).join("uploads").join(&taken.upload);
    let bytes = std::fs::read(&object).unwrap();
    // A copy under a name that nobody knows, another stranger, and the object is gone.
    std::fs::create_dir_all(objects(&road).join("jobs/lost")).unwrap();
    std::fs::write(objects(&road).join("jobs/lost/copy"), &bytes).unwrap();
    std::fs::write(objects(&road).join("jobs/lost/stranger"), video(50)).unwrap();
    std::fs::remove_file(&object).unwrap();
    let told = sentences(&road, false).await.join("\n");
    assert!(
        told.contains(&format!("The object uploads/{} of submission {} is missing.", taken.upload, taken.id)),
        "{told}"
    );
    assert!(told.contains("--repair brings it back") && told.contains("jobs/lost/stranger"), "{told}");
    assert!(!object.exists(), "looking changes nothing");
    sentences(&road, true).await;
    assert_eq!(std::fs::read(&object).unwrap(), bytes, "it is back");
    let places = std::fs::read_dir(road.folder.path().join("set-aside")).unwrap();
    let aside: Vec<_> = places.map(|place| place.unwrap().path().join("jobs/lost/stranger")).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(std::fs::read(&aside[0]).unwrap(), video(50), "nothing is removed");
    assert_eq!(sentences(&road, false).await, Vec::<String>::new());
    // Changed on the disk, and no other copy: told, and left as it is.
    let mut changed = bytes.clone();
    changed[13] ^= 1;
    std::fs::write(&object, &changed).unwrap();
    let told = sentences(&road, true).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("has other content") && told[0].contains("backup"), "{told:?}");
    assert_eq!(std::fs::read(&object).unwrap(), changed, "the only copy stays");
    std::fs::write(&object, &bytes[..5]).unwrap();
    assert!(sentences(&road, false).await[0].contains("has 5 bytes in place of 15"));
    std::fs::write(&object, &bytes).unwrap();
    // The ledger.
    change("delete from payout").await;
    let told = sentences(&road, false).await;
    assert!(told.len() == 1 && told[0].contains("earned 4.00 USD, and has no payout"), "{told:?}");
    sentences(&road, true).await;
    let me = road.call("GET", "/api/v1/me", &worker, None).await.json();
    assert_eq!(me["payouts"][0]["amount"], json!({ "amount_cents": 400, "currency": "USD" }));
    change("update payout set amount_cents = 4000").await;
    let told = sentences(&road, true).await;
    assert!(told.len() == 1 && told[0].contains("40.00 USD") && !told[0].contains("Mended"), "{told:?}");
    change("update payout set amount_cents = 400").await;
    change(&format!("update submission set stage = 'redo' where id = '{}'", taken.id)).await;
    let told = sentences(&road, true).await;
    assert!(told.len() == 1 && told[0].contains("which is redo"), "{told:?}");
    change(&format!("update submission set stage = 'accepted' where id = '{}'", taken.id)).await;
    let other = "update submission set stage = 'accepted' where stage = 'inspecting'";
    change(other).await;
    assert!(sentences(&road, false).await[0].contains("the ledger has nothing for it"));
    sentences(&road, true).await;
    assert_eq!(road.count("ledger").await, 2);
    assert_eq!(sentences(&road, false).await, Vec::<String>::new());
    assert!(road.count("audit where act = 'repaired'").await >= 4, "what was mended is written down");
    change("delete from job").await;
    change("update submission set stage = 'analysing' where rating is null").await;
    assert!(sentences(&road, true).await.iter().any(|one| one.contains("no job works on it")));
}

//! Objects that belong to nothing, in the folder and in buckets of two S3 servers.

use std::collections::BTreeSet;
use std::path::Path;

use crate::limits::{add, begin};
use crate::road::{Road, TUS, UPLOADS, id_in, sha256, video};
use crate::{bucket, road};
use ingest_server::app::{App, Clock};
use ingest_server::discrepancy::{self, Look};
use ingest_server::objects::walk;
use ingest_server::store::Engine;
use ingest_server::{replica, store, strays, uploads};
use serde_json::json;
use shared_types::api::admin::TokenRole;
use uuid::Uuid;

on_both!(
    what_belongs_to_nothing_goes,
    an_audit_mends_without_a_loss,
    what_a_restored_database_cannot_know_stays,
    time_without_a_server_counts_for_nobody,
);

const DAY: i64 = 86_400;

async fn moto(engine: Engine) -> Road {
    Road::with(engine, Some(tokio::task::spawn_blocking(bucket::moto).await.unwrap())).await
}

#[tokio::test]
async fn what_belongs_to_nothing_goes_from_a_bucket() {
    let folder = road::folder();
    let config = bucket::s3s(folder.path()).await;
    let disk = folder.path().join(&config.name);
    all_strays_go(Road::with(Engine::Sqlite, Some(config)).await, Some(&disk)).await;
    all_strays_go(moto(Engine::Postgres).await, None).await;
}

#[tokio::test]
async fn an_audit_mends_a_bucket_without_a_loss() {
    let folder = road::folder();
    let config = bucket::s3s(folder.path()).await;
    let disk = folder.path().join(&config.name);
    audit_mends(Road::with(Engine::Postgres, Some(config)).await, Some(&disk)).await;
    audit_mends(moto(Engine::Sqlite).await, None).await;
}

async fn lying(road: &Road) -> BTreeSet<String> {
    let (mut found, mut lying) = (BTreeSet::new(), road.app.objects.lying());
    while let Some(some) = lying.recv().await {
        found.extend(some.unwrap().into_iter().map(|one| one.key));
    }
    found
}

async fn run(road: &Road, text: &str) {
    let mut tx = road.app.store.begin().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(text.to_owned())).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn put(road: &Road, keys: &[String]) {
    for key in keys {
        road.app.objects.put(key, video(40)).await.unwrap();
    }
}

/// What was set aside: its earlier keys, each with the bytes. `disk` is where the bucket keeps its files, if it lets nobody
/// list them without a signature.
async fn aside(road: &Road, disk: Option<&Path>) -> Vec<(String, Vec<u8>)> {
    let (mut found, objects) = (Vec::new(), &road.app.objects);
    let earlier = |key: &str| key.split_once('/').unwrap().1.to_owned();
    let top = disk.unwrap_or(road.folder.path()).join("set-aside");
    match road.app.config.bucket.as_ref().filter(|_| disk.is_none()) {
        Some(config) => {
            let root = format!("{}/{}", config.endpoint.as_deref().unwrap(), config.name);
            let list = format!("{root}?list-type=2&prefix=set-aside/");
            let list = tokio::task::spawn_blocking(move || bucket::ask(&list, "GET", &[], b"")).await.unwrap().2;
            let list = String::from_utf8(list).unwrap();
            for key in list.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>")) {
                let bytes = objects.read(key.0, 1000).await.unwrap().unwrap();
                found.push((earlier(key.0.strip_prefix("set-aside/").unwrap()), bytes));
            }
        }
        None => walk(&top, |some| {
            let read = |key: &str| std::fs::read(top.join(key)).unwrap();
            found.extend(some.iter().map(|one| (earlier(&one.key), read(&one.key))));
            true
        })
        .unwrap(),
    }
    found
}

/// Moves the server's clock to the store's, and on by so much.
fn pass_from_now(road: &Road, secs: i64) {
    road.pass((Clock::System.now().millis - road.app.clock.now().millis) / 1000 + secs);
}

async fn what_belongs_to_nothing_goes(road: Road) {
    all_strays_go(road, None).await;
}

async fn all_strays_go(road: Road, disk: Option<&Path>) {
    // A server is there when all of this is stored.
    pass_from_now(&road, 600);
    let (token, machine) = (road.worker("Basic").await, road.token(TokenRole::Pipeline).await);
    let taken = road.hand_in(&token, "one").await;
    let begun = road.send("POST", UPLOADS, &token, &[TUS, ("upload-length", "40")], "").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    let job_id = job["job_id"].as_str().unwrap().to_owned();
    let outputs = json!({ "lease_token": job["lease_token"], "names": ["a.json"] });
    let path = format!("/api/v1/jobs/{job_id}/outputs");
    assert_eq!(road.call("POST", &path, &machine, Some(outputs)).await.status, 200);
    // What was handed in; what another replica has just made of an upload whose row it did not turn yet; what a machine
    // sent that has not told it yet.
    put(&road, &[format!("uploads/{}", id_in(begun.header("location"))), format!("jobs/{job_id}/1/a.json")]).await;
    let wanted = lying(&road).await;
    assert_eq!(wanted.len(), 4, "with the manifest, which was made for the machine: {wanted:?}");

    let ended = road.send("POST", UPLOADS, &token, &[TUS, ("upload-length", "40")], "").await;
    assert_eq!(road.send("DELETE", ended.header("location"), &token, &[TUS], "").await.status, 204);
    let left = [
        format!("uploads/{}", id_in(ended.header("location"))),
        format!("jobs/{job_id}/1/late.json"),
        format!("jobs/{job_id}/2/frames/late.jpg"),
    ];
    let unknown = [
        "uploads/csu_nobody".to_owned(),
        format!("jobs/{}/1/a.json", Uuid::now_v7()),
        format!("submissions/{}/manifest-0.json", Uuid::now_v7()),
    ];
    put(&road, &left).await;
    put(&road, &unknown).await;
    let found = discrepancy::look(&road.app, Look { repair: false, quick: true }).await.unwrap();
    for (keys, why) in [(&left, "belongs to nothing any more"), (&unknown, "the database never knew it")] {
        for key in keys {
            let told = found.discrepancies.iter().any(|one| one.sentence.contains(key) && one.sentence.contains(why));
            assert!(told, "{key}: {:?}", found.discrepancies);
        }
    }
    assert_eq!(found.discrepancies.len(), 6, "{:?}", found.discrepancies);

    let both = |kept: &[&[String]]| kept.iter().flat_map(|keys| keys.iter().cloned()).collect::<BTreeSet<_>>();
    let lie = async |kept: &[&[String]]| assert_eq!(lying(&road).await, &wanted | &both(kept));
    pass_from_now(&road, DAY / 2);
    let sweep = async || strays::sweep(&road.app, road.app.clock.now()).await.unwrap();
    assert_eq!(sweep().await, 0, "too young to be judged");
    lie(&[&left, &unknown]).await;
    road.pass(DAY);
    assert_eq!(sweep().await, 3);
    lie(&[&unknown]).await;
    // However old they are: it may be the database that is the wrong one.
    road.pass(400 * DAY);
    assert_eq!(sweep().await, 0);
    lie(&[&unknown]).await;
    let told = discrepancy::look(&road.app, Look { repair: true, quick: true }).await.unwrap();
    assert!(told.discrepancies.len() == 3 && told.discrepancies.iter().all(|one| one.is_mended), "{told:?}");
    lie(&[]).await;
    assert_eq!(aside(&road, disk).await.len(), 3);
    // What was given up is not kept aside.
    let late = [format!("jobs/{job_id}/2/later.json")];
    put(&road, &late).await;
    pass_from_now(&road, 0);
    let young = discrepancy::look(&road.app, Look { repair: true, quick: true }).await.unwrap();
    assert!(young.discrepancies.len() == 1 && !young.discrepancies[0].is_mended, "{young:?}");
    lie(&[&late]).await;
    road.pass(2 * DAY);
    let told = discrepancy::look(&road.app, Look { repair: true, quick: true }).await.unwrap();
    assert!(told.discrepancies.len() == 1 && told.discrepancies[0].is_mended, "{told:?}");
    lie(&[]).await;
    assert_eq!(aside(&road, disk).await.len(), 3);
    // Media whose time was over are wanted by nothing any more, though their rows stay.
    run(&road, &format!("update submission set media_removed_at = 1 where id = '{}'", taken.id)).await;
    run(&road, &format!("delete from job_output where job_id = '{job_id}'")).await;
    assert_eq!(sweep().await, 3, "recording, manifest and what was made of it");
}

async fn an_audit_mends_without_a_loss(road: Road) {
    audit_mends(road, None).await;
}

async fn audit_mends(road: Road, disk: Option<&Path>) {
    let token = road.worker("Basic").await;
    let taken = road.hand_in(&token, "one").await;
    let (key, objects) = (format!("uploads/{}", taken.upload), &road.app.objects);
    let bytes = objects.read(&key, 1000).await.unwrap().unwrap();
    let look = async |repair| {
        let found = discrepancy::look(&road.app, Look { repair, quick: false }).await.unwrap();
        found.discrepancies.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(look(false).await, "");
    objects.put("jobs/lost/copy", bytes.clone()).await.unwrap();
    objects.put("jobs/lost/stranger", video(50)).await.unwrap();
    for damage in [None, Some(video(60))] {
        match &damage {
            None => objects.remove(&key).await.unwrap(),
            Some(other) => objects.put(&key, other.clone()).await.unwrap(),
        }
        if damage.is_some() {
            objects.put("jobs/lost/copy", bytes.clone()).await.unwrap();
        }
        let told = look(false).await;
        assert!(told.contains(&key) && told.contains("--repair brings it back"), "{told}");
        let told = look(true).await;
        assert!(told.contains("Mended."), "{told}");
        assert_eq!(objects.hash(&key).await.unwrap().unwrap(), sha256(&bytes), "it is back");
        assert_eq!(look(false).await, "", "nothing is left to tell");
    }
    assert_eq!(lying(&road).await, BTreeSet::from([key.clone()]), "what nobody knew is out of the way");
    let kept: BTreeSet<_> = aside(&road, disk).await.into_iter().map(|(key, bytes)| (key, bytes.len())).collect();
    let expected = [("jobs/lost/stranger", 50), (key.as_str(), 60)].map(|(key, length)| (key.to_owned(), length));
    assert_eq!(kept, BTreeSet::from(expected), "nothing is lost");
    for bytes in [70, 71] {
        objects.put("jobs/lost/stranger", video(bytes)).await.unwrap();
        assert!(objects.set_aside("jobs/lost/stranger").await.unwrap());
    }
    let kept = aside(&road, disk).await.into_iter().filter(|(key, _)| key == "jobs/lost/stranger");
    let kept: BTreeSet<_> = kept.map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(kept, BTreeSet::from([50, 70, 71]), "each by itself");
    assert!(!objects.set_aside("jobs/lost/stranger").await.unwrap(), "it is not there any more");
}

/// A job's output is made by a server whose database has since been replaced by an older one, for which the job is not done.
async fn what_a_restored_database_cannot_know_stays(road: Road) {
    let (token, machine) = (road.worker("Basic").await, road.token(TokenRole::Pipeline).await);
    road.hand_in(&token, "one").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    let output = [format!("jobs/{}/1/redacted.mp4", job["job_id"].as_str().unwrap())];
    let sweep = async || strays::sweep(&road.app, road.app.clock.now()).await.unwrap();
    pass_from_now(&road, -10 * DAY);
    sweep().await;
    put(&road, &output).await;
    pass_from_now(&road, 5);
    sweep().await;
    pass_from_now(&road, 2 * DAY);
    assert_eq!(sweep().await, 0, "no server of this database was there when it was made");
    assert!(lying(&road).await.contains(&output[0]));
    let told = discrepancy::look(&road.app, Look { repair: true, quick: true }).await.unwrap();
    let told: Vec<String> = told.discrepancies.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|one| one.contains("redacted") && one.contains("It was set aside.")), "{told:?}");
}

/// What was begun or waits to be handed in.
async fn time_without_a_server_counts_for_nobody(road: Road) {
    let token = road.worker("Basic").await;
    let bytes = video(100);
    let begun = async || begin(&road, &token, 100).await.header("location").to_owned();
    let (part, whole) = (begun().await, begun().await);
    for (path, bytes) in [(&part, &bytes[..50]), (&whole, &bytes[..])] {
        assert_eq!(add(&road, &token, path, 0, bytes).await.status, 204);
    }
    let sweep = async || uploads::sweep(&road.app, road.app.clock.now()).await.unwrap();
    assert_eq!(sweep().await, 0);
    road.pass(61 * 86_400);
    assert_eq!(sweep().await, 0, "no server was there to go on with");
    assert_eq!(add(&road, &token, &part, 50, &bytes[50..]).await.status, 204);
    road.pass(61 * 86_400);
    run(&road, &format!("update alive set at = {}", road.app.clock.now().millis)).await;
    assert_eq!(sweep().await, 2, "one was there all the time");
}

/// A server that does not note that it is there would take each day for an absence.
#[tokio::test]
async fn several_servers_write_an_absence_down_once() {
    let road = Road::open(Engine::Postgres).await;
    let token = road.worker("Basic").await;
    begin(&road, &token, 100).await;
    let since = "select expires_at from upload";
    let expires = async || sqlx::query_scalar::<_, i64>(since).fetch_one(road.app.store.read()).await.unwrap();
    let at = |app: &App| app.clock.now().millis;
    let apps =
        [Box::pin(replica::run(&road.app)), Box::pin(replica::run(&road.app)), Box::pin(replica::run(&road.app))];
    let noted = async {
        while road.count(&format!("alive where at = {}", at(&road.app))).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = noted => {}
        _ = futures_util::future::join_all(apps) => unreachable!("a server is there until it is told to stop"),
    }
    let before = expires().await;
    road.pass(DAY);
    let tell = async || {
        let mut tx = road.app.store.begin().await.unwrap();
        store::alive::tell(&mut tx, road.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    };
    futures_util::future::join_all((0..5).map(|_| tell())).await;
    assert_eq!((road.count("absence").await, expires().await), (1, before + DAY * 1000));
}

/// In a bucket that keeps versions.
#[tokio::test]
async fn what_is_set_aside_keeps_its_versions() {
    let config = bucket::versioned().await;
    let road = Road::with(Engine::Sqlite, Some(config.clone())).await;
    let objects = &road.app.objects;
    for bytes in [20, 30] {
        objects.put("jobs/lost/a.mp4", video(bytes)).await.unwrap();
    }
    assert!(objects.set_aside("jobs/lost/a.mp4").await.unwrap());
    assert_eq!(objects.stat("jobs/lost/a.mp4").await.unwrap(), None);
    let left = bucket::about(&config, "GET", "versions", "").await.1;
    assert_eq!(left.matches("<Key>jobs/lost/a.mp4</Key>").count(), 3, "both, and the mark: {left}");
}

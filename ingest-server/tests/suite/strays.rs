//! Objects that belong to nothing, in the folder and in buckets of two S3 servers.

use std::collections::BTreeSet;

use crate::bucket;
use crate::road::{NOW, Road, TUS, UPLOADS, id_in, sha256, video};
use ingest_server::app::Clock;
use ingest_server::discrepancy::{self, Look};
use ingest_server::store::Engine;
use ingest_server::strays;
use serde_json::json;
use shared_types::api::admin::TokenRole;
use uuid::Uuid;

on_both!(what_belongs_to_nothing_goes, an_audit_mends_without_a_loss);

const DAY: i64 = 86_400;

async fn moto(engine: Engine) -> Road {
    Road::with(engine, Some(tokio::task::spawn_blocking(bucket::moto).await.unwrap())).await
}

#[tokio::test]
async fn what_belongs_to_nothing_goes_from_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    what_belongs_to_nothing_goes(Road::with(Engine::Sqlite, Some(bucket::s3s(folder.path()).await)).await).await;
    what_belongs_to_nothing_goes(moto(Engine::Postgres).await).await;
}

#[tokio::test]
async fn an_audit_mends_a_bucket_without_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    an_audit_mends_without_a_loss(Road::with(Engine::Postgres, Some(bucket::s3s(folder.path()).await)).await).await;
    an_audit_mends_without_a_loss(moto(Engine::Sqlite).await).await;
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

/// Moves the server's clock to the store's, and on by so much.
fn pass_from_now(road: &Road, secs: i64) {
    road.pass((Clock::System.now().millis - road.app.clock.now().millis) / 1000 + secs);
}

async fn what_belongs_to_nothing_goes(road: Road) {
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
    assert_eq!(strays::unknown(&road.app, road.app.clock.now()).await.unwrap(), (0, 0));
    assert_eq!(sweep().await, 3);
    lie(&[&unknown]).await;
    road.pass(30 * DAY);
    // A database that was made later may be the wrong one.
    let later = Clock::System.now().plus_secs(DAY).millis;
    run(&road, &format!("update campaign set created_at = {later}")).await;
    assert_eq!(sweep().await, 0);
    lie(&[&unknown]).await;
    run(&road, &format!("update campaign set created_at = {}", NOW.millis)).await;
    assert_eq!(strays::unknown(&road.app, road.app.clock.now()).await.unwrap(), (3, 120));
    assert_eq!(sweep().await, 3);
    lie(&[]).await;
    // Media whose time was over are wanted by nothing any more, though their rows stay.
    run(&road, &format!("update submission set media_removed_at = 1 where id = '{}'", taken.id)).await;
    run(&road, &format!("delete from job_output where job_id = '{job_id}'")).await;
    assert_eq!(sweep().await, 3, "recording, manifest and what was made of it");
}

async fn an_audit_mends_without_a_loss(road: Road) {
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
    for (aside, length) in [("jobs/lost/stranger", 50), (key.as_str(), 60)] {
        let aside = format!("set-aside/{aside}");
        let found = match objects.bucket() {
            Some(_) => objects.read(&aside, 1000).await.unwrap(),
            None => std::fs::read(road.folder.path().join(aside)).ok(),
        };
        assert_eq!(found, Some(video(length)), "nothing is lost");
    }
}

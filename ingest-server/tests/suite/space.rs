//! Uploads count what others have announced of the disk.

use crate::limits::begin;
use crate::road::{BYTES, NOW, Road, TUS, UPLOADS, video};
use ingest_server::objects::fresh_midstate;
use ingest_server::store::upload::Upload;
use ingest_server::store::{self, Engine};
use ingest_server::uploads;
use shared_types::upload::UploadStage;

/// Lengths that only the disk bounds, and one of which there is room for one, but not for two.
async fn road_for_most_of_the_disk(engine: Engine) -> (Road, u64) {
    let road = Road::open_with(engine, |config| {
        (config.limits.upload_bytes, config.limits.worker_bytes) = (1 << 60, 1 << 61);
    })
    .await;
    let space = uploads::space(&road.app).unwrap();
    // Others write to this disk as well.
    let length = (space.free_bytes - space.least_bytes) / 4 * 3;
    (road, length)
}

#[tokio::test]
async fn uploads_count_the_space_that_others_announced() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (road, length) = road_for_most_of_the_disk(engine).await;
        let (one, other) = (road.worker("Basic").await, road.worker("Basic").await);
        let first = begin(&road, &one, length).await;
        assert_eq!(first.status, 201);
        assert_eq!(begin(&road, &other, length).await.code(), "storage_full");
        let later = road.send("POST", UPLOADS, &other, &[TUS, ("upload-defer-length", "1")], "").await;
        assert_eq!(later.status, 201);
        let told = length.to_string();
        let headers = [TUS, BYTES, ("upload-offset", "0"), ("upload-length", told.as_str())];
        let tell = || road.send("PATCH", later.header("location"), &other, &headers, video(64));
        assert_eq!(tell().await.code(), "storage_full", "a length that is told later counts the same");
        assert_eq!(road.send("DELETE", first.header("location"), &one, &[TUS], "").await.status, 204);
        assert_eq!(tell().await.status, 204, "there is room again");
    }
}

#[tokio::test]
async fn two_that_begin_at_once_count_each_others_space() {
    let (road, length) = road_for_most_of_the_disk(Engine::Postgres).await;
    let (one, other) = (road.worker("Basic").await, road.worker("Basic").await);
    let me = road.call("GET", "/api/v1/me", &one, None).await.json();
    // It has looked, and has not committed yet.
    let mut first = road.app.store.begin().await.unwrap();
    store::alone::alone(&mut first, "space").await.unwrap();
    let upload = Upload {
        id: "csu_first".to_owned(),
        worker_id: me["worker"]["id"].as_str().unwrap().parse().unwrap(),
        stage: UploadStage::Receiving,
        length: Some(length),
        received: 0,
        midstate: fresh_midstate(),
        sha256: None,
        parts: None,
        metadata: None,
        generation: 0,
        expires_at: NOW.plus_secs(3600),
    };
    store::upload::insert(&mut first, &upload, NOW).await.unwrap();
    let mut second = std::pin::pin!(begin(&road, &other, length));
    let waits = async {
        let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while road.count(waiting).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        begun = &mut second => panic!("it did not wait for the other: {}", begun.status),
        () = waits => {}
    }
    first.commit().await.unwrap();
    assert_eq!(second.await.code(), "storage_full");
}

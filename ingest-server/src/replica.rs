//! What a server does besides answering, alone or as one of several replicas.

use std::time::Duration;

use shared_types::timestamp::Timestamp;
use tokio::time::Instant;

use crate::app::App;
use crate::objects::Left;
use crate::store::upload::HeldParts;
use crate::store::{self, StoreError};
use crate::strays::{self, SweepError};

/// Before the bell is tried again.
const PAUSE: Duration = Duration::from_secs(5);
const THERE_EVERY: Duration = Duration::from_mins(1);
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// All that is stored is looked at, so seldom, and not while a start has other work.
const LOOK_THROUGH_EVERY: Duration = Duration::from_hours(24);
/// What a growing upload writes is named by its row long before.
const LEFT_SECS: i64 = 24 * 60 * 60;

/// Runs until it is dropped.
pub async fn run(app: &App) {
    tokio::join!(hear(app), stay_there(app), sweep_often(app), look_through(app));
}

/// Wakes those who wait for work that another replica queued.
async fn hear(app: &App) {
    loop {
        let bell = match app.store.bell().await {
            Ok(Some(bell)) => Ok(bell),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let ended = match bell {
            Err(error) => error,
            Ok(mut bell) => loop {
                match bell.rings().await {
                    Ok(()) => app.work.notify_waiters(),
                    Err(error) => break error,
                }
            },
        };
        tracing::warn!(error = %ended, "other replicas are not heard; waiting machines look for themselves");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Notes that a server is there.
async fn stay_there(app: &App) {
    let mut minutes = tokio::time::interval(THERE_EVERY);
    loop {
        minutes.tick().await;
        if let Err(error) = be_there(app).await {
            tracing::warn!(%error, "that this server is there could not be noted");
        }
    }
}

/// Notes it once.
pub async fn be_there(app: &App) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    store::alive::tell(&mut tx, app.clock.now()).await?;
    Ok(tx.commit().await?)
}

async fn sweep_often(app: &App) {
    let mut hours = tokio::time::interval(SWEEP_EVERY);
    loop {
        hours.tick().await;
        match sweep(app, app.clock.now().plus_secs(-LEFT_SECS)).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed what was left of uploads in the bucket"),
            Err(error) => tracing::warn!(%error, "what is left of uploads in the bucket stays"),
        }
    }
}

async fn look_through(app: &App) {
    let mut days = tokio::time::interval_at(Instant::now() + SWEEP_EVERY, LOOK_THROUGH_EVERY);
    loop {
        days.tick().await;
        match strays::sweep(app, app.clock.now()).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed {removed} objects that belonged to nothing"),
            Err(error) => tracing::warn!(%error, "objects that belong to nothing were not all looked for"),
        }
    }
}

/// Removes parts and tails that belong to no upload on its way; how many. What such an upload's row does not name, or
/// nothing knows, is removed when it is older than `before`: it may be about to be named.
pub async fn sweep(app: &App, before: Timestamp) -> Result<usize, SweepError> {
    let Some(bucket) = app.objects.bucket() else { return Ok(0) };
    let mut removed = 0;
    for left in bucket.left().await? {
        if is_wanted(app, &left, before).await? {
            continue;
        }
        match bucket.remove_left(&left).await {
            Ok(()) => removed += 1,
            // The others are not held up by it.
            Err(error) => tracing::warn!(?left, %error, "this stays in the bucket"),
        }
    }
    Ok(removed)
}

async fn is_wanted(app: &App, left: &Left, before: Timestamp) -> Result<bool, StoreError> {
    let Some(id) = left.upload_id() else { return Ok(true) };
    let is_young = left.since() >= before;
    Ok(match store::upload::held_parts(app.store.read(), id).await? {
        HeldParts::Unknown => is_young,
        HeldParts::Closed => false,
        HeldParts::Open(parts) => is_young || left.is_named(&parts),
    })
}

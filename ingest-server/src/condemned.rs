//! Removes the bytes of objects that are written down as useless. One that cannot be removed is told and tried again after
//! a while; it holds up no other, and an erasure that waits for it is not done before.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use shared_types::timestamp::Timestamp;

use crate::app::App;
use crate::uploads::Done;
use crate::{crash, store};

/// Later than this no address that was signed before can be used any more.
const ADDRESSES_OVER_SECS: i64 = 3700;
/// Before one that could not be removed is tried again.
const AGAIN_SECS: i64 = 60;
const REMOVED_AT_ONCE: i64 = 200;
/// A bucket takes its time for each.
const REMOVALS_BESIDE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(5);

/// All that is due now, until the server is told to stop. What cannot be removed is tried once, however long that takes.
pub async fn remove(app: &App) -> Done<()> {
    let since = app.clock.now();
    while !app.stopping.is_cancelled() && remove_some(app, since).await? > 0 {}
    Ok(())
}

/// A few of those that were due at a moment; how many were looked at.
async fn remove_some(app: &App, since: Timestamp) -> Done<usize> {
    let due = store::condemned::due(app.store.read(), since, REMOVED_AT_ONCE).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut removals = Vec::with_capacity(due.len());
    for one in &due {
        removals.push(remove_one(app, &one.object_key));
    }
    let gone: Vec<bool> = stream::iter(removals).buffered(REMOVALS_BESIDE).collect().await;
    crash::point("condemned.removed");
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    for (one, is_gone) in due.iter().zip(gone) {
        if is_gone {
            store::condemned::removed(&mut tx, one, now.plus_secs(ADDRESSES_OVER_SECS)).await?;
        } else {
            store::condemned::put_off(&mut tx, one, now.plus_secs(AGAIN_SECS)).await?;
        }
    }
    tx.commit().await?;
    Ok(due.len())
}

/// Whether it is gone.
async fn remove_one(app: &App, key: &str) -> bool {
    let removed = app.objects.remove(key).await;
    if let Err(error) = &removed {
        tracing::error!(key, %error, "an object whose bytes must go is still there; it is tried again");
    }
    crash::point("condemned.removing");
    removed.is_ok()
}

/// The same, where what does not get through is told and left to housekeeping.
pub async fn try_remove(app: &App) {
    tell(remove(app).await);
}

/// A few, for a request that has more to do than this, and for no longer than it can wait: housekeeping sees to the rest.
pub async fn try_remove_some(app: &App) {
    if let Ok(removed) = tokio::time::timeout(PATIENCE, remove_some(app, app.clock.now())).await {
        tell(removed.map(drop));
    }
}

fn tell(removed: Done<()>) {
    if let Err(error) = removed {
        tracing::error!("objects whose bytes must go could not be looked for: {error}");
    }
}

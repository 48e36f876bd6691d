//! Removes the bytes of objects that are written down as useless. One that cannot be removed is told and tried again after
//! a while; it holds up no other, and an erasure that waits for it is not done before.

use futures_util::{StreamExt, stream};

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

/// All that is due.
pub async fn remove(app: &App) -> Done<()> {
    while remove_some(app).await? > 0 {}
    Ok(())
}

/// A few of those that are due; how many were looked at.
async fn remove_some(app: &App) -> Done<usize> {
    let now = app.clock.now();
    let due = store::condemned::due(app.store.read(), now, REMOVED_AT_ONCE).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut removals = Vec::with_capacity(due.len());
    for one in &due {
        removals.push(remove_one(app, &one.object_key));
    }
    let gone: Vec<bool> = stream::iter(removals).buffered(REMOVALS_BESIDE).collect().await;
    crash::point("condemned.removed");
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

/// A few, for who has more to do than this: housekeeping sees to the rest, and to what did not get through.
pub async fn try_remove(app: &App) {
    if let Err(error) = remove_some(app).await {
        tracing::error!("objects whose bytes must go could not be looked for: {error}");
    }
}

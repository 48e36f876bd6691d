//! Removes the bytes of objects that are written down as useless. One that cannot be removed is told and tried again after
//! a while; it holds up no other, and an erasure that waits for it is not done before.

use crate::app::App;
use crate::uploads::Done;
use crate::{crash, store};

/// Later than this no address that was signed before can be used any more.
const ADDRESSES_OVER_SECS: i64 = 3700;
/// Before one that could not be removed is tried again.
const AGAIN_SECS: i64 = 60;
const REMOVED_AT_ONCE: i64 = 200;

/// All that is due.
pub async fn remove(app: &App) -> Done<()> {
    let now = app.clock.now();
    loop {
        let due = store::condemned::due(app.store.read(), now, REMOVED_AT_ONCE).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut gone = Vec::with_capacity(due.len());
        for one in &due {
            let removed = app.objects.remove(&one.object_key).await;
            if let Err(error) = &removed {
                let key = &one.object_key;
                tracing::error!(key, %error, "an object whose bytes must go is still there; it is tried again");
            }
            gone.push(removed.is_ok());
            crash::point("condemned.removing");
        }
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
    }
}

/// The same for who has more to do than this: what did not get through was told, and housekeeping tries again.
pub async fn try_remove(app: &App) {
    if let Err(error) = remove(app).await {
        tracing::error!("objects whose bytes must go could not be looked for: {error}");
    }
}

//! Removes the bytes of objects that are written down as useless.

use crate::app::App;
use crate::uploads::Done;
use crate::{crash, store};

/// Later than this no address that was signed before can be used any more.
const ADDRESSES_OVER_SECS: i64 = 3700;
const REMOVED_AT_ONCE: i64 = 200;

/// All that is due.
pub async fn remove(app: &App) -> Done<()> {
    let now = app.clock.now();
    loop {
        let due = store::condemned::due(app.store.read(), now, REMOVED_AT_ONCE).await?;
        if due.is_empty() {
            return Ok(());
        }
        for one in &due {
            app.objects.remove(&one.object_key).await?;
        }
        crash::point("condemned.removed");
        let mut tx = app.store.begin().await?;
        for one in &due {
            store::condemned::removed(&mut tx, one, now.plus_secs(ADDRESSES_OVER_SECS)).await?;
        }
        tx.commit().await?;
    }
}

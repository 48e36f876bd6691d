//! What the server does by itself now and then: it finishes uploads that could not be finished at once, ends those that
//! were left behind, and removes what is over its time. Every step may be repeated, and replicas may do it side by side.
//! A server that is told to stop leaves the rest to the next one.

use std::time::Duration;

use shared_types::timestamp::Timestamp;

use crate::app::Shared;
use crate::uploads::Done;
use crate::{condemned, leaving, retention, store, uploads};

/// Rounds until the server is told to stop. A round that fails is told and tried again with the next.
pub async fn run(app: Shared) {
    let pause = Duration::from_secs(app.config.limits.housekeeping_secs.max(1));
    loop {
        if let Err(error) = round(&app).await {
            tracing::error!("housekeeping did not get through; it is tried again in {} s: {error}", pause.as_secs());
        }
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Every step is taken, whatever became of those before it; the first that failed is told.
pub async fn round(app: &Shared) -> Done<()> {
    let finished = uploads::finish(app).await;
    let left = leaving::go_on(app).await;
    let removed = condemned::remove(app).await;
    let now = app.clock.now();
    let (ended, cleared) = (uploads::sweep(app, now).await, retention::apply(app, now).await);
    let lapsed = end_logins(app, now).await;
    // What a crash kept from it in an earlier round, too.
    let emptied = app.store.empty_log().await;
    if let (Ok(uploads), Ok(media)) = (&ended, &cleared)
        && (*uploads > 0 || *media > 0)
    {
        tracing::info!(uploads, media, "housekeeping ended {uploads} uploads and removed the media of {media} takes");
    }
    finished?;
    left?;
    removed?;
    ended?;
    cleared?;
    lapsed?;
    Ok(emptied?)
}

/// Addresses and browsers are kept no longer than the logins that came from them.
async fn end_logins(app: &Shared, now: Timestamp) -> Done<()> {
    let mut tx = app.store.begin().await?;
    store::session::lapse(&mut tx, now).await?;
    Ok(tx.commit().await?)
}

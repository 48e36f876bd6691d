//! What is made good when the server starts, and what housekeeping ends.

use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;

use super::Done;
use super::receive::{check, settle, turn};
use crate::app::Shared;
use crate::limits::signed;
use crate::objects::Growing;
use crate::{condemned, crash, store};

/// After a crash, before the first request: every file that still grows is cut back to its committed bytes, every upload
/// whose bytes are all here is finished, and files of uploads that have ended are removed. With a bucket no file counts,
/// and [`finish`] has time until the first round of housekeeping. One upload that cannot be made good holds up no other:
/// it is tried again when somebody asks for it, or by housekeeping.
pub async fn recover(app: &Shared) -> Done<()> {
    app.objects.forget_incoming().await?;
    for id in app.objects.staging().ids().await? {
        if let Err(error) = recover_one(app, &id).await {
            tracing::error!(upload = %id, %error, "an upload could not be made good at the start");
        }
    }
    if app.objects.bucket().is_none() {
        finish(app).await?;
    }
    Ok(())
}

async fn recover_one(app: &Shared, id: &str) -> Done<()> {
    let _held = app.objects.hold(id).await;
    let Some(mut upload) = store::upload::find_any(app.store.read(), id).await? else {
        // Perhaps the settings name another database; bytes of strangers are not removed on a guess.
        tracing::warn!(upload = %id, "the database knows nothing of a file in uploads/; it stays");
        return Ok(());
    };
    match upload.stage {
        UploadStage::Receiving => check(app, &mut upload).await,
        UploadStage::Assembling => settle(app, &mut upload).await,
        UploadStage::Ready | UploadStage::Failed | UploadStage::Expired | UploadStage::Terminated => {
            Ok(app.objects.staging().remove(id).await?)
        }
    }
}

/// Finishes uploads whose bytes are all here: those that a crash or a store out of reach left that way. One that cannot
/// be finished is told and tried again with the next round.
pub async fn finish(app: &Shared) -> Done<()> {
    for found in store::upload::assembling(app.store.read()).await? {
        if app.stopping.is_cancelled() {
            break;
        }
        let _held = app.objects.hold(&found.id).await;
        // Whoever held it may have done it.
        let Some(mut upload) = store::upload::find_any(app.store.read(), &found.id).await? else { continue };
        if let Err(error) = settle(app, &mut upload).await {
            tracing::error!(upload = %upload.id, %error, "an upload whose bytes are all here cannot be finished yet");
        }
    }
    Ok(())
}

/// Ends uploads that were left unfinished for too long or whose workers may not go on, and finished ones that nobody handed
/// in, until the server is told to stop; tells how many. Time in which no server was there does not count.
pub async fn sweep(app: &Shared, now: Timestamp) -> Done<usize> {
    let mut tx = app.store.begin().await?;
    store::alive::tell(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    let mut ended = 0;
    loop {
        let stale = store::upload::stale(app.store.read(), now).await?;
        if stale.is_empty() {
            break;
        }
        let found = stale.len();
        let mut moved = 0;
        for mut upload in stale {
            if app.stopping.is_cancelled() {
                return Ok(ended + moved);
            }
            crash::point("upload.expiring");
            if turn(app, &mut upload, UploadStage::Expired).await? {
                crash::point("upload.expired");
                discard(app, &upload.growing()).await;
                moved += 1;
            }
        }
        ended += moved;
        // Somebody else writes them at this moment; the next round sees to them.
        if moved < found {
            break;
        }
    }
    let days = app.config.limits.unused_upload_days;
    if days == 0 {
        return Ok(ended);
    }
    let before = now.plus_secs(-signed(days.saturating_mul(86_400)));
    loop {
        let (mut found, mut moved) = (0, 0);
        for mut upload in store::upload::unused(app.store.read(), before).await? {
            if app.stopping.is_cancelled() {
                return Ok(ended + moved);
            }
            found += 1;
            let growing = upload.growing();
            crash::point("upload.expiring");
            if turn(app, &mut upload, UploadStage::Terminated).await? {
                crash::point("upload.expired");
                discard(app, &growing).await;
                moved += 1;
            }
        }
        ended += moved;
        if moved < found || found == 0 {
            break;
        }
    }
    condemned::remove(app).await?;
    Ok(ended)
}

/// One whose bytes cannot be removed now holds up no other: they are looked for again at the next start, and in a bucket
/// by its sweep.
async fn discard(app: &Shared, growing: &Growing) {
    if let Err(error) = app.objects.discard(growing).await {
        tracing::error!(upload = %growing.id, %error, "bytes of an upload that has ended are still there");
    }
}

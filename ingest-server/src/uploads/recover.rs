//! What is made good when the server starts, and what housekeeping ends.

use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;

use super::receive::{check, settle, turn};
use super::{Done, remove};
use crate::app::Shared;
use crate::limits::signed;
use crate::store;

/// After a crash, before the first request: every file that still grows is cut back to its committed bytes, every upload
/// whose bytes are all here is finished, and files of uploads that have ended are removed. With a bucket no file counts.
pub async fn recover(app: &Shared) -> Done<()> {
    app.objects.forget_incoming().await?;
    for id in app.objects.staging().ids().await? {
        let held = app.objects.hold(&id).await;
        let Some(mut upload) = store::upload::find_any(app.store.read(), &id).await? else {
            // Perhaps the settings name another database; bytes of strangers are not removed on a guess.
            tracing::warn!(upload = %id, "the database knows nothing of a file in uploads/; it stays");
            continue;
        };
        match upload.stage {
            UploadStage::Receiving => check(app, &mut upload).await?,
            UploadStage::Assembling => settle(app, &mut upload).await?,
            UploadStage::Ready | UploadStage::Failed | UploadStage::Expired | UploadStage::Terminated => {
                app.objects.staging().remove(&id).await?;
            }
        }
        drop(held);
    }
    // Their files were moved already, and the database does not know it yet.
    for mut upload in store::upload::assembling(app.store.read()).await? {
        let held = app.objects.hold(&upload.id).await;
        settle(app, &mut upload).await?;
        drop(held);
    }
    Ok(())
}

/// Ends uploads that were left unfinished for too long, and finished ones that nobody handed in; tells how many.
pub async fn sweep(app: &Shared, now: Timestamp) -> Done<usize> {
    let mut ended = 0;
    loop {
        let stale = store::upload::stale(app.store.read(), now).await?;
        if stale.is_empty() {
            break;
        }
        let found = stale.len();
        let mut moved = 0;
        for mut upload in stale {
            if turn(app, &mut upload, UploadStage::Expired).await? {
                app.objects.discard(&upload.growing()).await?;
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
    for mut upload in store::upload::unused(app.store.read(), before).await? {
        let growing = upload.growing();
        if turn(app, &mut upload, UploadStage::Terminated).await? {
            remove(app, &growing).await?;
            ended += 1;
        }
    }
    Ok(ended)
}

//! How bytes come in: written to the file, made durable by the store of objects, their count and hash committed, and
//! only then answered.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use shared_types::upload::UploadStage;
use tokio::time::Instant;

use super::{CHECKED_BYTES, Checksum, Done, UploadError, has_room, is_free, is_looked_at_again, kept_until, reserve};
use crate::app::Shared;
use crate::crash;
use crate::objects::{Held, ObjectsError, Staged, StagingError, fresh_midstate, upload_key};
use crate::pace::Pace;
use crate::store;
use crate::store::upload::Upload;
use crate::store::{Engine, Tx};

/// Bytes as they arrive; an error where the sender vanished.
pub type Incoming = BoxStream<'static, Result<Bytes, Vanished>>;

/// The sender's connection broke.
#[derive(Debug, Clone, Copy)]
pub struct Vanished;

/// Bytes written at once, and most of them that are held in memory.
const PIECE: usize = 1 << 20;
/// Bytes after which a long request is committed on its way.
const COMMIT_EVERY: u64 = 32 << 20;
/// Time after which a slow request is, if its store finds that worth it, so that a killed server costs a slow line only so much.
const COMMIT_AFTER: Duration = Duration::from_secs(2);
/// Bytes by which the kind of a file is told.
const HEAD: u64 = 32;
const FULL_RETRY_SECS: u64 = 60;

/// Takes in one request's bytes at the upload's end. The caller holds the upload and looked at offset and stage.
pub(super) async fn receive(
    app: &Shared,
    held: &Held,
    upload: &mut Upload,
    checksum: Option<Checksum>,
    mut bytes: Incoming,
) -> Done<()> {
    let Some(mut staged) = stage(app, upload).await? else { return Err(UploadError::BegunAgain) };
    if let Some(checksum) = checksum {
        staged.expect(checksum);
    }
    let most_checked = staged.is_checked().then(|| staged.at() + CHECKED_BYTES);
    let mut limit = limit(app, upload).await?;
    let mut looked = upload.received >= HEAD;
    let mut pace = Pace::new(&app.config.limits);
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE.min(usize::try_from(limit - staged.at()).unwrap_or(PIECE)));
    let mut asked_at = Instant::now();
    let end = loop {
        let next = tokio::select! {
            biased;
            () = held.evicted.cancelled() => break End::Evicted,
            () = app.stopping.cancelled() => break End::Stopping,
            next = tokio::time::timeout(pace.patience(), bytes.next()) => next,
        };
        match next {
            Err(_) => break End::Silent,
            Ok(None) => break End::Whole,
            Ok(Some(Err(Vanished))) => break End::Vanished,
            Ok(Some(Ok(more))) => {
                let at = staged.at() + (piece.len() + more.len()) as u64;
                if at > limit {
                    break End::TooMuch;
                }
                if most_checked.is_some_and(|most| at > most) {
                    break End::TooMuchChecked;
                }
                piece.extend_from_slice(&more);
                if !pace.keeps_up(more.len()) {
                    break End::Slow;
                }
            }
        }
        let is_slow = asked_at.elapsed() >= COMMIT_AFTER;
        if piece.len() >= PIECE || is_slow {
            if is_looked_at_again(app, upload)
                && let Err(UploadError::StorageFull(secs)) = is_free(app, piece.len() as u64)
            {
                break End::Full(secs);
            }
            (staged, piece) = write(staged, piece).await?;
            if !looked && staged.at() >= HEAD {
                staged = look(app, upload, staged).await?;
                looked = true;
            }
            let is_due = looked && !staged.is_checked() && (is_slow || staged.pending() >= COMMIT_EVERY);
            if is_due && app.objects.is_worth_keeping(&staged) {
                staged = commit(app, upload, staged).await?;
                limit = self::limit(app, upload).await?;
            }
            if is_due || is_slow {
                asked_at = Instant::now();
            }
        }
    };
    if matches!(end, End::Full(_)) {
        piece.clear();
    }
    let (staged, _) = write(staged, piece).await?;
    // Half a checked request cannot be checked, and too much is not what was announced.
    let keep = match end {
        End::Whole => staged.agrees(),
        End::TooMuch | End::TooMuchChecked => false,
        End::Silent | End::Slow | End::Vanished | End::Evicted | End::Stopping | End::Full(_) => !staged.is_checked(),
    };
    if keep {
        let ends = upload.length == Some(staged.at());
        let staged = if !looked && (ends || staged.at() >= HEAD) { look(app, upload, staged).await? } else { staged };
        commit(app, upload, staged).await?;
    } else {
        disk(move || staged.take_back()).await?;
    }
    match end {
        End::Whole if keep => Ok(()),
        End::Whole => Err(UploadError::Checksum),
        End::TooMuch => Err(UploadError::TooLarge),
        End::TooMuchChecked => Err(UploadError::CheckedTooLarge),
        End::Silent => Err(UploadError::Silent),
        End::Slow => Err(UploadError::Slow),
        End::Vanished => Err(UploadError::Vanished),
        End::Evicted => Err(UploadError::TakenOver),
        End::Stopping => Err(UploadError::Stopping),
        End::Full(secs) => Err(UploadError::StorageFull(secs)),
    }
}

/// Where the upload must end: at its length, or where it is not told yet at what the worker may still have.
async fn limit(app: &Shared, upload: &Upload) -> Done<u64> {
    if let Some(length) = upload.length {
        return Ok(length);
    }
    let used = store::upload::used(app.store.read(), upload.worker_id).await?;
    let left = app.config.limits.worker_bytes.saturating_sub(used);
    Ok(app.config.limits.upload_bytes.min(upload.received.saturating_add(left)))
}

/// Why no more bytes come.
#[derive(Debug, Clone, Copy)]
enum End {
    Whole,
    Vanished,
    Silent,
    Slow,
    Evicted,
    Stopping,
    TooMuch,
    TooMuchChecked,
    /// Nearly no room on the disk; worth another try after so many seconds.
    Full(u64),
}

async fn disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Done<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| ObjectsError::from(io::Error::other(error)))?;
    done.map_err(|error| stored(error.into()))
}

/// A full disk is told from whatever else keeps bytes from being stored.
fn stored(error: ObjectsError) -> UploadError {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    match error {
        ObjectsError::Io(error) | ObjectsError::Staging(StagingError::Io(error)) if full.contains(&error.kind()) => {
            UploadError::StorageFull(FULL_RETRY_SECS)
        }
        error => error.into(),
    }
}

async fn write(mut staged: Staged, mut piece: Vec<u8>) -> Done<(Staged, Vec<u8>)> {
    disk(move || match staged.write(&piece) {
        Ok(()) => {
            crash::point("upload.written");
            piece.clear();
            Ok((staged, piece))
        }
        Err(error) => {
            // Gives the space back at once; if that fails too, the next request cuts it off.
            let _ = staged.take_back();
            Err(error)
        }
    })
    .await
}

/// Counts the generation up before a request's first byte is written, so that whoever else still writes this upload
/// cannot commit any more. With `SQLite` there is one server only, and its own lock is enough.
pub(super) async fn take_over(app: &Shared, upload: &mut Upload) -> Done<()> {
    if app.store.engine() == Engine::Sqlite { Ok(()) } else { save(app, upload, 0).await }
}

/// Opens the upload and cuts off what lies behind its committed bytes. If some of those are gone, the upload begins
/// again at 0: none is returned.
async fn stage(app: &Shared, upload: &mut Upload) -> Done<Option<Staged>> {
    if upload.stage == UploadStage::Receiving && app.objects.overhangs(&upload.growing()).await? {
        // Another process may be about to write there; it must not commit what is cut off here.
        save(app, upload, 0).await?;
    }
    match app.objects.stage(&upload.growing()).await {
        Ok(staged) => Ok(Some(staged)),
        Err(ObjectsError::Staging(lost @ (StagingError::Lost { .. } | StagingError::Midstate))) => {
            begin_again(app, upload, &lost).await?;
            Ok(None)
        }
        Err(error) => Err(stored(error)),
    }
}

async fn begin_again(app: &Shared, upload: &mut Upload, lost: &StagingError) -> Done<()> {
    tracing::error!(upload = %upload.id, error = %lost, "the upload begins again");
    let earlier = upload.growing();
    (upload.received, upload.midstate, upload.parts) = (0, fresh_midstate(), None);
    crash::point("upload.restarting");
    save(app, upload, 0).await?;
    crash::point("upload.restarted");
    // Not before: another replica may have been faster, and its row names the same parts.
    Ok(app.objects.discard(&earlier).await?)
}

/// That the committed bytes are there and nothing lies behind them; otherwise the upload begins again.
pub(super) async fn check(app: &Shared, upload: &mut Upload) -> Done<()> {
    if app.objects.may_be_torn() { stage(app, upload).await.map(drop) } else { Ok(()) }
}

/// Looks at the first bytes; what is no recording is not kept.
async fn look(app: &Shared, upload: &mut Upload, staged: Staged) -> Done<Staged> {
    let (staged, head) = disk(move || staged.head().map(|head| (staged, head))).await?;
    if is_recording(&head) {
        return Ok(staged);
    }
    drop(staged);
    if turn(app, upload, UploadStage::Failed).await? {
        app.objects.discard(&upload.growing()).await?;
    }
    Err(UploadError::NoRecording)
}

/// ISO BMFF (MP4, MOV), Matroska and WebM, or lines of JSON.
fn is_recording(head: &[u8]) -> bool {
    const BOXES: [&[u8]; 8] = [b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip"];
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) || head.get(4..8).is_some_and(|kind| BOXES.contains(&kind)) {
        return true;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let is_plain = text.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
    is_plain && text.first().is_none_or(|first| b"{[".contains(first))
}

/// Makes the bytes durable, then puts their count and hash into the database; the last bytes finish the upload.
async fn commit(app: &Shared, upload: &mut Upload, staged: Staged) -> Done<Staged> {
    // The last bytes may have been committed on the way, before the request's end was seen.
    if upload.stage != UploadStage::Receiving {
        return Ok(staged);
    }
    if staged.pending() == 0 && upload.length != Some(staged.at()) {
        return Ok(staged);
    }
    let ends = upload.length == Some(staged.at());
    let (mut staged, parts) = match app.objects.keep(&upload.growing(), staged, ends).await {
        Ok(kept) => kept,
        Err(ObjectsError::Staging(lost @ StagingError::Lost { .. })) => {
            begin_again(app, upload, &lost).await?;
            return Err(UploadError::BegunAgain);
        }
        Err(error) => return Err(stored(error)),
    };
    crash::point("upload.synced");
    let earlier = std::mem::replace(&mut upload.parts, parts);
    // What was announced was reserved then; the rest is counted as it comes, and others may have come meanwhile.
    let more = if upload.length.is_some() { 0 } else { staged.at() - upload.received };
    upload.received = staged.at();
    upload.midstate = staged.midstate();
    if ends {
        upload.stage = upload.stage.advance(UploadStage::Assembling)?;
        upload.sha256 = Some(staged.sha256());
    }
    save(app, upload, more).await?;
    staged.committed();
    app.objects.kept(earlier.as_deref(), upload.parts.as_deref()).await;
    if upload.stage == UploadStage::Assembling {
        settle(app, upload).await?;
    }
    Ok(staged)
}

/// Writes how far the upload is, if the worker's quota has room for `more` bytes than it has reserved; a newer request
/// that wrote in between wins.
pub(super) async fn save(app: &Shared, upload: &mut Upload, more: u64) -> Done<()> {
    upload.expires_at = kept_until(app, upload.received);
    let mut tx = app.store.begin().await?;
    if more > 0 {
        store::worker::lock(&mut tx, upload.worker_id).await?;
        reserve(app, &mut tx, upload.worker_id, more).await?;
    }
    advance(app, tx, upload).await
}

/// The same for the length that an upload is told only now: of that much, the disk must have room too.
pub(super) async fn announce(app: &Shared, upload: &mut Upload, more: u64) -> Done<()> {
    upload.expires_at = kept_until(app, upload.received);
    let mut tx = app.store.begin().await?;
    store::worker::lock(&mut tx, upload.worker_id).await?;
    reserve(app, &mut tx, upload.worker_id, more).await?;
    has_room(app, &mut tx, upload.worker_id, more).await?;
    advance(app, tx, upload).await
}

async fn advance(app: &Shared, mut tx: Tx, upload: &mut Upload) -> Done<()> {
    if !store::upload::advance(&mut tx, upload, app.clock.now()).await? {
        return Err(UploadError::TakenOver);
    }
    crash::point("upload.committing");
    tx.commit().await?;
    upload.generation += 1;
    crash::point("upload.committed");
    Ok(())
}

/// Moves the upload to another stage; `false` if somebody else was faster. An object that it may have become by then is
/// condemned with an end.
pub(super) async fn turn(app: &Shared, upload: &mut Upload, to: UploadStage) -> Done<bool> {
    upload.stage.advance(to)?;
    let mut tx = app.store.begin().await?;
    if !move_to(app, &mut tx, upload, to).await? {
        return Ok(false);
    }
    tx.commit().await?;
    upload.stage = to;
    upload.generation += 1;
    Ok(true)
}

pub(super) async fn move_to(app: &Shared, tx: &mut Tx, upload: &Upload, to: UploadStage) -> Done<bool> {
    let now = app.clock.now();
    if !store::upload::move_to(tx, upload, to, now).await? {
        return Ok(false);
    }
    if [UploadStage::Assembling, UploadStage::Ready].contains(&upload.stage) && to != UploadStage::Ready {
        store::condemned::put(tx, &upload_key(&upload.id), now).await?;
    }
    Ok(true)
}

/// Finishes an upload whose bytes are all here. Every step may be repeated, so whoever meets an unfinished one after
/// a crash goes on with it.
pub async fn settle(app: &Shared, upload: &mut Upload) -> Done<()> {
    if upload.stage != UploadStage::Assembling {
        return Ok(());
    }
    crash::point("upload.adopting");
    let whole = app.objects.assemble(&upload.growing()).await?;
    crash::point("upload.adopted");
    let to = if whole { UploadStage::Ready } else { UploadStage::Failed };
    if !whole {
        tracing::error!(upload = %upload.id, "bytes of a finished upload are gone");
    }
    crash::point("upload.readying");
    let turned = turn(app, upload, to).await?;
    crash::point("upload.ready");
    if !turned && let Some(now) = store::upload::find(app.store.read(), &upload.id, upload.worker_id).await? {
        *upload = now;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_recording;

    #[test]
    fn only_recordings_are_taken_in() {
        for head in [
            b"\0\0\0\x20ftypisom\0\0\0\0".as_slice(),
            b"\x1a\x45\xdf\xa3\x01\0\0\0",
            b"{\"t\":0.5,\"kind\":\"click\"}",
            b" \n[1]",
            b"",
        ] {
            assert!(is_recording(head), "{head:?}");
        }
        for head in [b"<html><script>".as_slice(), b"MZ\x90\0\x03\0\0\0", b"PK\x03\x04", b"{\0\0\0\0\0\0\0", b"\x7fELF"]
        {
            assert!(!is_recording(head), "{head:?}");
        }
    }
}

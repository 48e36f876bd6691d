//! How bytes come in: written to the file, put on the disk, their count and hash committed, and only then answered.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt;
use shared_types::error::ErrorCode;
use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;
use tokio::time::Instant;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::objects::{Held, ObjectsError, Staged, StagingError, fresh_midstate, upload_key};
use crate::store;
use crate::store::upload::Upload;

/// Longest upload.
pub(super) const LONGEST: u64 = 8 << 30;
/// Seconds an unfinished upload is kept after its last byte.
pub(super) const KEPT_SECS: i64 = 7 * 24 * 60 * 60;
/// A sender that is silent this long has gone.
const IDLE: Duration = Duration::from_secs(30);
/// Bytes written at once, and most of them that are held in memory.
const PIECE: usize = 1 << 20;
/// Bytes after which a long request is committed on its way.
const COMMIT_EVERY: u64 = 32 << 20;
/// Time after which a slow request is, so that a killed server costs a slow line only so much.
const COMMIT_AFTER: Duration = Duration::from_secs(2);

/// Hash of one request's bytes, by the name of its algorithm.
pub(super) type Checksum = Option<(String, Vec<u8>)>;

/// Takes in one request's bytes at the upload's end. The caller holds the upload and looked at offset and stage.
pub(super) async fn receive(app: &Shared, held: &Held, upload: &mut Upload, check: Checksum, body: Body) -> Answer<()> {
    let mut staged = match stage(app, upload).await? {
        Some(staged) => staged,
        None => return Err(ErrorCode::UploadOffsetConflict.into()),
    };
    if let Some((algorithm, value)) = check
        && !staged.expect(&algorithm, value)
    {
        return Err(Problem::because(ErrorCode::InvalidRequest, "Upload-Checksum names no known algorithm."));
    }
    let limit = upload.length.unwrap_or(LONGEST);
    let mut looked = upload.received >= 32;
    let mut body = body.into_data_stream();
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE.min(usize::try_from(limit).unwrap_or(PIECE)));
    let mut committed_at = Instant::now();
    let end = loop {
        let next = tokio::select! {
            biased;
            () = held.evicted.cancelled() => break End::Evicted,
            next = tokio::time::timeout(IDLE, body.next()) => next,
        };
        match next {
            Err(_) => break End::Silent,
            Ok(None) => break End::Whole,
            Ok(Some(Err(_))) => break End::Vanished,
            Ok(Some(Ok(bytes))) => {
                if staged.at() + piece.len() as u64 + bytes.len() as u64 > limit {
                    break End::TooMuch;
                }
                piece.extend_from_slice(&bytes);
            }
        }
        let is_slow = committed_at.elapsed() >= COMMIT_AFTER;
        if piece.len() >= PIECE || is_slow {
            (staged, piece) = write(staged, piece).await?;
            if !looked && staged.at() >= 32 {
                staged = look(app, upload, staged).await?;
                looked = true;
            }
            if looked && !staged.is_checked() && (is_slow || staged.pending() >= COMMIT_EVERY) {
                staged = commit(app, upload, staged).await?;
                committed_at = Instant::now();
            }
        }
    };
    let (staged, _) = write(staged, piece).await?;
    // Half a checked request cannot be checked, and too much is not what was announced.
    let keep = match end {
        End::Whole => staged.agrees(),
        End::TooMuch => false,
        End::Silent | End::Vanished | End::Evicted => !staged.is_checked(),
    };
    if keep {
        let ends = upload.length == Some(staged.at());
        let staged = if !looked && (ends || staged.at() >= 32) { look(app, upload, staged).await? } else { staged };
        commit(app, upload, staged).await?;
    } else {
        disk(move || staged.take_back()).await?;
    }
    match end {
        End::Whole if keep => Ok(()),
        End::Whole => Err(Problem::because(
            ErrorCode::HashMismatch,
            "The bytes of this request do not have the hash in Upload-Checksum; they were not kept.",
        )
        .with_status(StatusCode::from_u16(460).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY))),
        End::TooMuch => Err(ErrorCode::UploadTooLarge.into()),
        End::Silent => Err(Problem::because(
            ErrorCode::InvalidRequest,
            "The bytes stopped coming. What arrived is kept; ask for the offset and go on from there.",
        )
        .with_status(StatusCode::REQUEST_TIMEOUT)),
        End::Vanished => Err(Problem::because(ErrorCode::InvalidRequest, "The body ended too early.")),
        End::Evicted => Err(Problem::because(
            ErrorCode::UploadOffsetConflict,
            "A newer request took this upload over. What arrived is kept.",
        )),
    }
}

/// Why no more bytes come.
#[derive(Debug, Clone, Copy)]
enum End {
    Whole,
    Vanished,
    Silent,
    Evicted,
    TooMuch,
}

async fn disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| ObjectsError::from(io::Error::other(error)))?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Problem::from(ErrorCode::StorageFull).retry_after(60)
        }
        _ => ObjectsError::from(error).into(),
    })
}

async fn write(mut staged: Staged, mut piece: Vec<u8>) -> Answer<(Staged, Vec<u8>)> {
    disk(move || match staged.write(&piece) {
        Ok(()) => {
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

/// Opens the upload's file. If bytes that were committed are gone, the upload begins again at 0: none is returned.
async fn stage(app: &Shared, upload: &mut Upload) -> Answer<Option<Staged>> {
    let (shared, wanted) = (app.clone(), upload.clone());
    let opened = tokio::task::spawn_blocking(move || {
        shared.objects.staging.staged(&wanted.id, wanted.received, &wanted.midstate)
    });
    match opened.await.map_err(|error| ObjectsError::from(io::Error::other(error)))? {
        Ok(staged) => Ok(Some(staged)),
        Err(StagingError::Io(error)) => {
            Err(disk(|| Err::<(), _>(error)).await.err().unwrap_or(ErrorCode::Internal.into()))
        }
        Err(lost) => {
            tracing::error!(upload = %upload.id, error = %lost, "the upload begins again");
            app.objects.staging.remove(&upload.id).await?;
            (upload.received, upload.midstate) = (0, fresh_midstate());
            save(app, upload).await?;
            Ok(None)
        }
    }
}

/// That the committed bytes are there and nothing lies behind them; otherwise the upload begins again.
pub(super) async fn check(app: &Shared, upload: &mut Upload) -> Answer<()> {
    stage(app, upload).await.map(drop)
}

/// Looks at the first bytes; what is no recording is not kept.
async fn look(app: &Shared, upload: &mut Upload, staged: Staged) -> Answer<Staged> {
    let (staged, head) = disk(move || staged.head().map(|head| (staged, head))).await?;
    if is_recording(&head) {
        return Ok(staged);
    }
    drop(staged);
    if turn(app, upload, UploadStage::Failed).await? {
        app.objects.staging.remove(&upload.id).await?;
    }
    Err(ErrorCode::UnsupportedMedia.into())
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

/// Puts the bytes on the disk, then their count and hash into the database; the last bytes finish the upload.
async fn commit(app: &Shared, upload: &mut Upload, staged: Staged) -> Answer<Staged> {
    if staged.pending() == 0 && upload.length != Some(staged.at()) {
        return Ok(staged);
    }
    let mut staged = disk(move || staged.sync().map(|()| staged)).await?;
    upload.received = staged.at();
    upload.midstate = staged.midstate();
    if upload.length == Some(upload.received) {
        upload.stage = upload.stage.advance(UploadStage::Assembling)?;
        upload.sha256 = Some(staged.sha256());
    }
    save(app, upload).await?;
    staged.committed();
    if upload.stage == UploadStage::Assembling {
        settle(app, upload).await?;
    }
    Ok(staged)
}

/// Writes how far the upload is; another server that wrote in between wins.
pub(super) async fn save(app: &Shared, upload: &mut Upload) -> Answer<()> {
    let now = app.clock.now();
    upload.expires_at = now.plus_secs(KEPT_SECS);
    let mut tx = app.store.begin().await?;
    if !store::upload::advance(&mut tx, upload, now).await? {
        return Err(ErrorCode::UploadOffsetConflict.into());
    }
    tx.commit().await?;
    upload.generation += 1;
    Ok(())
}

/// Moves the upload to another stage; `false` if somebody else was faster.
pub(super) async fn turn(app: &Shared, upload: &mut Upload, to: UploadStage) -> Answer<bool> {
    upload.stage.advance(to)?;
    let mut tx = app.store.begin().await?;
    if !store::upload::move_to(&mut tx, upload, to, app.clock.now()).await? {
        return Ok(false);
    }
    tx.commit().await?;
    upload.stage = to;
    upload.generation += 1;
    Ok(true)
}

/// Finishes an upload whose bytes are all here. Every step may be repeated, so whoever meets an unfinished one after
/// a crash goes on with it.
pub(crate) async fn settle(app: &Shared, upload: &mut Upload) -> Answer<()> {
    if upload.stage != UploadStage::Assembling {
        return Ok(());
    }
    let key = upload_key(&upload.id);
    if app.objects.staging.stat(&upload.id).await?.is_some_and(|bytes| bytes > upload.received) {
        // A later write that was never committed; opening cuts it off.
        stage(app, upload).await?;
    }
    app.objects.adopt(&upload.id, &key).await?;
    let whole = app.objects.stat(&key).await? == Some(upload.received);
    let to = if whole { UploadStage::Ready } else { UploadStage::Failed };
    if !whole {
        tracing::error!(upload = %upload.id, "bytes of a finished upload are gone");
    }
    if !turn(app, upload, to).await?
        && let Some(now) = store::upload::find(app.store.read(), &upload.id, upload.worker_id).await?
    {
        *upload = now;
    }
    Ok(())
}

/// Ends uploads that were left unfinished for too long.
pub(super) async fn sweep(app: &Shared, now: Timestamp) -> Answer<()> {
    for mut upload in store::upload::stale(app.store.read(), now).await? {
        if turn(app, &mut upload, UploadStage::Expired).await? {
            app.objects.staging.remove(&upload.id).await?;
        }
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

//! The life of an upload, free of any protocol: begun, appended to, ended, made good after a crash.
//!
//! `http/upload.rs` speaks tus 1.0.0 over this; another protocol would be another such file. Offsets, lengths, hashes
//! and completion are decided here alone. What is written in which order: [`receive`].

mod error;
mod receive;
mod recover;

pub use error::UploadError;
pub use receive::{Incoming, Vanished, settle};
pub use recover::{finish, recover, sweep};

use shared_types::id::WorkerId;
use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;

use crate::app::{App, Shared};
use crate::crash;
use crate::limits::signed;
use crate::objects::{Held, ObjectsError, fresh_midstate, is_key, upload_key};
use crate::secret::{SecretKind, new_secret};
use crate::store::upload::Upload;
use crate::store::{self, Tx};
use receive::{announce, check, move_to, receive as fill_from, take_over, turn};

pub type Done<T> = Result<T, UploadError>;

const STORAGE_RETRY_SECS: u64 = 300;
/// Most bytes of one request that carries their hash: none of them counts before all are here.
pub const CHECKED_BYTES: u64 = 64 << 20;
const LEAST_ON_THE_WAY: u64 = 64 << 20;

/// A hash that a sender gives with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    pub algorithm: Algorithm,
    pub hash: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Self; 2] = [Self::Sha1, Self::Sha256];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// What a sender says about the bytes it is about to add.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// Where it believes the upload is.
    pub offset: u64,
    /// How many bytes it announces.
    pub announced: Option<u64>,
    /// The upload's length, where it is told only now.
    pub length: Option<u64>,
    pub checksum: Option<Checksum>,
}

/// An upload without a byte is of no use to anybody, and its sender may not even know of it: the answer that named it may
/// have been lost. It holds a place and its space for no longer than this.
const EMPTY_HOURS: u64 = 1;

/// Until when an upload is kept that gets no more bytes.
fn kept_until(app: &Shared, received: u64) -> Timestamp {
    let hours = app.config.limits.upload_hours;
    let hours = if received == 0 { hours.min(EMPTY_HOURS) } else { hours };
    app.clock.now().plus_secs(signed(hours.saturating_mul(3600)))
}

/// Begins an upload; its space is reserved in the same transaction. `length` is none where it is told later.
pub async fn begin(app: &Shared, worker_id: WorkerId, length: Option<u64>, metadata: Option<String>) -> Done<Upload> {
    let limits = &app.config.limits;
    if length.is_some_and(|length| length > limits.upload_bytes) {
        return Err(UploadError::TooLarge);
    }
    let now = app.clock.now();
    let upload = Upload {
        id: new_secret(SecretKind::Upload)?,
        worker_id,
        stage: UploadStage::Receiving,
        length,
        received: 0,
        midstate: fresh_midstate(),
        sha256: None,
        parts: None,
        metadata,
        generation: 0,
        expires_at: kept_until(app, 0),
    };
    let mut tx = app.store.begin().await?;
    // Two that begin at once count each other.
    store::worker::lock(&mut tx, worker_id).await?;
    // A withdrawal that came meanwhile was waited for, and holds: nobody would end this upload afterwards.
    let standing = store::consent::standing_in(&mut tx, worker_id).await?.ok_or(UploadError::Unknown)?;
    if standing.version.is_none() {
        return Err(UploadError::NoConsent);
    }
    let open = store::upload::open(&mut tx, worker_id).await?;
    if open.own >= signed(limits.worker_uploads) {
        return Err(UploadError::TooMany(limits.worker_uploads));
    }
    reserve(app, &mut tx, worker_id, length.unwrap_or(0)).await?;
    has_room(app, &mut tx, worker_id, length.unwrap_or(0)).await?;
    store::upload::insert(&mut tx, &upload, now).await?;
    crash::point("upload.creating");
    tx.commit().await?;
    crash::point("upload.created");
    Ok(upload)
}

/// That the worker's quota has room for so much more. The worker's row must be locked, or two count the same room.
async fn reserve(app: &Shared, tx: &mut Tx, worker_id: WorkerId, more: u64) -> Done<()> {
    let used = store::upload::used_in(tx, worker_id).await?;
    let most = app.config.limits.worker_bytes;
    if used.saturating_add(more) > most {
        return Err(UploadError::Quota { used, most });
    }
    Ok(())
}

/// That the disk has room for so much besides what all uploads have announced. Whoever announces more meanwhile waits until
/// this transaction has ended, or two workers count the same space.
async fn has_room(app: &Shared, tx: &mut Tx, worker_id: WorkerId, more: u64) -> Done<()> {
    store::alone::alone(tx, "space").await?;
    let open = store::upload::open(tx, worker_id).await?;
    is_free(app, open.awaited.saturating_add(more))
}

/// Free space of the disk that bytes come to first, and what of it is left to everything else.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    pub free_bytes: u64,
    pub least_bytes: u64,
}

impl Space {
    pub const fn is_full(self) -> bool {
        self.free_bytes < self.least_bytes
    }
}

pub fn space(app: &App) -> Result<Space, ObjectsError> {
    let least = app.config.limits.free_bytes;
    // A bucket is never full, and what is on its way there needs little.
    let least_bytes = if app.objects.bucket().is_some() { least.min(LEAST_ON_THE_WAY) } else { least };
    Ok(Space { free_bytes: app.objects.staging().free_bytes()?, least_bytes })
}

/// That the disk has room for so much and what is left to everything else. Before a bucket, one request's bytes count.
pub fn is_free(app: &App, more: u64) -> Done<()> {
    let Space { free_bytes: free, least_bytes } = space(app)?;
    let more = if app.objects.bucket().is_some() { more.min(CHECKED_BYTES) } else { more };
    if free < least_bytes.saturating_add(more) {
        tracing::error!(free, "uploads are refused because the disk is nearly full");
        return Err(UploadError::StorageFull(STORAGE_RETRY_SECS));
    }
    Ok(())
}

/// Whether space is looked at while bytes come: what was announced in the folder was looked at when the upload began.
fn is_looked_at_again(app: &App, upload: &Upload) -> bool {
    upload.length.is_none() || app.objects.bucket().is_some()
}

/// A worker's own upload as the database has it.
pub async fn find(app: &Shared, worker_id: WorkerId, id: &str) -> Done<Upload> {
    // Nothing that no upload is called reaches the database; PostgreSQL refuses a NUL with an error.
    if !is_key(id) {
        return Err(UploadError::Unknown);
    }
    store::upload::find(app.store.read(), id, worker_id).await?.ok_or(UploadError::Unknown)
}

/// The upload, held, with whatever a crash left undone made good. Only its owner can take it from a holder.
pub async fn take(app: &Shared, worker_id: WorkerId, id: &str) -> Done<(Held, Upload)> {
    find(app, worker_id, id).await?;
    let held = app.objects.hold(id).await;
    let mut upload = find(app, worker_id, id).await?;
    settle(app, &mut upload).await?;
    if upload.stage == UploadStage::Receiving && upload.expires_at < app.clock.now() {
        turn(app, &mut upload, UploadStage::Expired).await?;
    }
    match upload.stage {
        UploadStage::Receiving => check(app, &mut upload).await?,
        UploadStage::Assembling | UploadStage::Ready => {}
        UploadStage::Failed | UploadStage::Expired | UploadStage::Terminated => {
            app.objects.discard(&upload.growing()).await?;
        }
    }
    match upload.stage {
        UploadStage::Failed => Err(UploadError::NoRecording),
        UploadStage::Expired => Err(UploadError::Expired),
        UploadStage::Terminated => Err(UploadError::Unknown),
        _ => Ok((held, upload)),
    }
}

/// Adds bytes at the upload's end.
pub async fn append(app: &Shared, worker_id: WorkerId, id: &str, piece: Piece, bytes: Incoming) -> Done<Upload> {
    let (held, mut upload) = take(app, worker_id, id).await?;
    if piece.offset != upload.received {
        return Err(UploadError::Offset { at: upload.received, sent: piece.offset });
    }
    let most = app.config.limits.upload_bytes;
    let told = piece.length.filter(|length| upload.length != Some(*length));
    if let Some(length) = told {
        if upload.length.is_some() || length < upload.received {
            return Err(UploadError::Length);
        }
        if length > most {
            return Err(UploadError::TooLarge);
        }
        let more = length - upload.received;
        upload.length = Some(length);
        announce(app, &mut upload, more).await?;
    }
    let end = piece.announced.and_then(|announced| piece.offset.checked_add(announced)).unwrap_or(piece.offset);
    if end > upload.length.unwrap_or(most) {
        return Err(UploadError::TooLarge);
    }
    if piece.checksum.is_some() && end - piece.offset > CHECKED_BYTES {
        return Err(UploadError::CheckedTooLarge);
    }
    // A repeated last request finds the upload finished.
    if upload.stage != UploadStage::Receiving {
        return Ok(upload);
    }
    if is_looked_at_again(app, &upload) {
        is_free(app, end - piece.offset)?;
    }
    fill(app, held, upload, piece.checksum, bytes).await
}

/// The first bytes of an upload that was just begun.
pub async fn first(app: &Shared, upload: Upload, checksum: Option<Checksum>, bytes: Incoming) -> Done<Upload> {
    let held = app.objects.hold(&upload.id).await;
    fill(app, held, upload, checksum, bytes).await
}

/// In a task of its own: when the connection breaks the handler is dropped, and what arrived is still kept.
async fn fill(
    app: &Shared,
    held: Held,
    mut upload: Upload,
    checksum: Option<Checksum>,
    bytes: Incoming,
) -> Done<Upload> {
    let app = app.clone();
    let task = tokio::spawn(async move {
        take_over(&app, &mut upload).await?;
        fill_from(&app, &held, &mut upload, checksum, bytes).await?;
        Ok(upload)
    });
    task.await.map_err(|error| ObjectsError::from(std::io::Error::other(error)))?
}

/// Ends an upload; nothing of it is kept.
pub async fn terminate(app: &Shared, worker_id: WorkerId, id: &str) -> Done<()> {
    let (_held, upload) = take(app, worker_id, id).await?;
    upload.stage.advance(UploadStage::Terminated)?;
    let mut tx = app.store.begin().await?;
    if store::upload::is_bound(&mut tx, id).await? {
        return Err(UploadError::Bound);
    }
    if !move_to(app, &mut tx, &upload, UploadStage::Terminated).await? {
        return Err(UploadError::TakenOver);
    }
    tx.commit().await?;
    crash::point("upload.terminating");
    app.objects.discard(&upload.growing()).await?;
    // It is condemned as well: what cannot be removed now housekeeping removes.
    if let Err(error) = app.objects.remove(&upload_key(id)).await {
        tracing::error!(upload = id, %error, "the object of an upload that has ended is still there");
    }
    crash::point("upload.terminated");
    Ok(())
}

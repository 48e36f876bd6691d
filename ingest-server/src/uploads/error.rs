//! Why an upload does not go on.

use shared_types::lifecycle::InvalidTransition;

use crate::objects::ObjectsError;
use crate::secret::NoRandomness;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("there is no such upload of this worker")]
    Unknown,
    #[error("the upload was left unfinished for too long")]
    Expired,
    #[error("the first bytes are those of no recording")]
    NoRecording,
    #[error("the upload is at {at}, and {sent} was sent")]
    Offset { at: u64, sent: u64 },
    #[error("a newer request took the upload over; what arrived is kept")]
    TakenOver,
    #[error("the store has lost bytes of the upload, which begins again")]
    BegunAgain,
    #[error("the length is another than what is known already")]
    Length,
    #[error("more bytes than the upload may have")]
    TooLarge,
    #[error("more bytes in one request with a hash than are taken")]
    CheckedTooLarge,
    #[error("{0} uploads are unfinished already")]
    TooMany(u64),
    #[error("the consent was withdrawn")]
    NoConsent,
    #[error("{used} of {most} bytes are used up")]
    Quota { used: u64, most: u64 },
    /// Worth another try after so many seconds.
    #[error("the disk is full")]
    StorageFull(u64),
    #[error("the bytes do not have the hash that was sent with them")]
    Checksum,
    #[error("the sender was silent for too long; what arrived is kept")]
    Silent,
    #[error("the bytes came too slowly; what arrived is kept")]
    Slow,
    #[error("the body ended too early")]
    Vanished,
    #[error("the server is about to end; what arrived is kept")]
    Stopping,
    #[error("the upload belongs to a submission and stays")]
    Bound,
    #[error(transparent)]
    Stage(#[from] InvalidTransition),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

impl From<sqlx::Error> for UploadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<NoRandomness> for UploadError {
    fn from(error: NoRandomness) -> Self {
        Self::Objects(error.into())
    }
}

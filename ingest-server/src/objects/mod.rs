//! Stored bytes: a folder on this machine or a bucket of S3, signed addresses for them, and uploads that still grow.
//!
//! A key is the path of an object. Keys are made from ids only ([`upload_key`], [`submission_key`], [`job_key`]) and
//! looked at again before each use ([`is_key`]), so that none leads out of the folder. Both stores do the same: what
//! differs for a growing upload is where its committed bytes lie. With the folder they lie in the staging file. With a
//! bucket the staging file lives for one request; before an answer its whole parts go to a multipart upload and the
//! rest to an object of its own, and the upload's row names them ([`parts`]), so any replica goes on with any upload.

mod aside;
mod carry;
mod folder;
mod lock;
mod lying;
mod parts;
#[cfg(feature = "s3")]
mod s3;
#[cfg(not(feature = "s3"))]
#[path = "no_s3.rs"]
mod s3;
mod sign;
mod staging;
mod store;
mod sweep;

pub use carry::{keys, send, send_growing};
pub use folder::{FolderObjects, Incoming, LONGEST_OBJECT, hash_of};
pub use lock::{Lock, LockError};
pub use lying::{Lying, walk};
pub use parts::{PART_BYTES, Parts};
pub use s3::Bucket;
pub use sign::SignedFor;
pub use staging::{Held, Staged, Staging, StagingError, fresh_midstate};
pub use store::{Growing, Objects, View};
pub use sweep::Left;

use std::path::PathBuf;

use shared_types::id::{JobId, SubmissionId};

use crate::secret::digest;

#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    #[error("the object folder: {0}")]
    Io(#[from] std::io::Error),
    #[error("{0:?} is no name for an object")]
    Key(String),
    #[error("the object is longer than the {LONGEST_OBJECT} bytes that are allowed")]
    TooLong,
    #[error("{0} can be read by others on this machine; take that away (chmod 600) or remove the file for a new key")]
    KeyIsOpen(PathBuf),
    #[error("{0} does not hold a signing key; remove the file for a new one")]
    KeyIsWrong(PathBuf),
    /// The bucket did not do what it was asked; `code` is its own word for why, empty where it could not be reached;
    /// `passes` where the same may work in a while.
    #[error("the bucket could not {what}: {detail}")]
    Bucket { what: &'static str, code: String, detail: String, passes: bool },
    #[error("S3_BUCKET is set, and this program was built without S3")]
    NoS3,
    #[error("this address belongs to a server that keeps its objects in a folder")]
    NotHere,
    #[error(transparent)]
    Staging(#[from] StagingError),
    #[error("what the database says of an upload's parts cannot be read: {0}")]
    Parts(String),
    #[error(transparent)]
    Random(#[from] crate::secret::NoRandomness),
}

impl ObjectsError {
    /// Whether the bucket knows nothing of the multipart upload that it was asked about.
    fn is_of_no_upload(&self) -> bool {
        matches!(self, Self::Bucket { code, .. } if code == "NoSuchUpload")
    }
}

/// Where a finished upload lies.
pub fn upload_key(upload_id: &str) -> String {
    format!("uploads/{upload_id}")
}

/// Where something that belongs to a submission lies; `name` may have folders, such as `frames/{sha256}.jpg`.
pub fn submission_key(submission_id: SubmissionId, name: &str) -> String {
    format!("submissions/{submission_id}/{name}")
}

/// Where a submission's manifest lies, by what it says: a redacted recording has another one.
pub fn manifest_key(submission_id: SubmissionId, text: &str) -> String {
    submission_key(submission_id, &format!("manifest-{}.json", digest(text)))
}

/// Where a job's result lies, told apart by attempt, so that a late machine overwrites nothing.
pub fn job_key(job_id: JobId, attempt: u32, name: &str) -> String {
    format!("jobs/{job_id}/{attempt}/{name}")
}

/// Types by the name's end; a page is never among them.
pub fn kind(key: &str) -> &'static str {
    match key.rsplit_once('.').map_or("", |(_, end)| end) {
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mkv" => "video/x-matroska",
        "jpg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "json" => "application/json",
        "jsonl" => "application/jsonl",
        "vtt" => "text/vtt; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const LONGEST_KEY: usize = 300;
/// What file systems take as a name, less an ending of ours.
const LONGEST_SEGMENT: usize = 250;

/// Segments of `A-Z a-z 0-9 . _ -` that begin with no dot, parted by slashes.
pub fn is_key(key: &str) -> bool {
    let is_segment = |segment: &str| {
        !segment.is_empty()
            && segment.len() <= LONGEST_SEGMENT
            && !segment.starts_with('.')
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    key.len() <= LONGEST_KEY && key.split('/').all(is_segment)
}

#[cfg(test)]
mod tests {
    use super::is_key;

    #[test]
    fn a_key_stays_in_its_folder() {
        for key in ["uploads/csu_12", "submissions/0192/frames/ab.jpg", "a"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.b", "a b", "a\\b", "a%2fb", "ä", "a\0"] {
            assert!(!is_key(key), "{key}");
        }
        assert!(is_key(&"a".repeat(250)) && !is_key(&"a".repeat(251)), "no file system takes a longer name");
    }
}

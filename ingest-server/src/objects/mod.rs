//! Stored bytes: a folder on this machine, signed addresses for them, and uploads that are still growing.
//!
//! A key is the path of an object inside the folder. Keys are made from ids only ([`upload_key`], [`submission_key`],
//! [`job_key`]) and looked at again before each use ([`is_key`]), so that none leads out of the folder.

mod folder;
mod lock;
mod sign;
mod staging;

pub use folder::{FolderObjects, Incoming, LONGEST_OBJECT, hash_of};
pub use lock::{Lock, LockError};
pub use sign::SignedFor;
pub use staging::{Held, Staged, Staging, StagingError, fresh_midstate};

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
    #[error(transparent)]
    Random(#[from] crate::secret::NoRandomness),
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

const LONGEST_KEY: usize = 300;

/// Segments of `A-Z a-z 0-9 . _ -` that begin with no dot, parted by slashes.
pub fn is_key(key: &str) -> bool {
    let is_segment = |segment: &str| {
        !segment.is_empty()
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
    }
}

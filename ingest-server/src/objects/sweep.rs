//! What lies in a bucket for an upload and belongs to none: parts and tails that a replica wrote before it ended, or
//! before another one was faster.

use shared_types::timestamp::Timestamp;

use super::parts::{Parts, TAILS};
use super::{Bucket, ObjectsError, upload_key};

/// Something that may belong to a growing upload.
#[derive(Debug, Clone)]
pub struct Left {
    pub(super) key: String,
    /// Of a multipart upload; otherwise it is an object.
    pub(super) multipart: Option<String>,
    pub(super) since: Timestamp,
}

impl Left {
    /// The upload it was written for; none if it is not of our making.
    pub fn upload_id(&self) -> Option<&str> {
        match self.multipart {
            Some(_) => self.key.strip_prefix(&upload_key("")),
            None => self.key.strip_prefix(TAILS)?.rsplit_once('.').map(|(id, _)| id),
        }
    }

    /// Since when it lies there, by the bucket's clock.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether the upload's row names it; `parts` is that row's.
    pub fn is_named(&self, parts: &str) -> bool {
        let what = self.multipart.as_deref().unwrap_or(&self.key);
        if parts.is_empty() {
            return false;
        }
        // A row that cannot be read is no reason to remove anything.
        Parts::parse(parts).map_or(true, |parts| parts.names(what))
    }
}

impl Bucket {
    /// All that may belong to growing uploads.
    pub async fn left(&self) -> Result<Vec<Left>, ObjectsError> {
        let mut found = self.unfinished().await?;
        found.extend(self.list(TAILS).await?);
        found.retain(|left| left.upload_id().is_some());
        Ok(found)
    }

    pub async fn remove_left(&self, left: &Left) -> Result<(), ObjectsError> {
        match &left.multipart {
            Some(multipart) => self.abort(&left.key, multipart).await,
            None => self.remove(&left.key).await,
        }
    }
}

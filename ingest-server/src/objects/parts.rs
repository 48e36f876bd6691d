//! A growing upload in a bucket: whole parts of one size in a multipart upload, what is left in an object of its own.
//!
//! All of it is written before the upload's row names it, under names that no earlier row names; what a row does not
//! name is nobody's and is swept. Two replicas that take the same upload in at once send the same part numbers. The
//! row's generation lets one of them win, and the ETags in the row tell at the end whether the other wrote over it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::folder::blocking;
use super::store::Growing;
use super::{Bucket, ObjectsError, Staged, Staging, StagingError, upload_key};
use crate::crash;
use crate::secret::{SecretKind, new_secret};

/// Size of every part but the last; R2 wants them equal, S3 wants at least 5 MiB and at most 10,000 of them.
pub const PART_BYTES: u64 = 8 << 20;

/// Least bytes for which a tail is written while more are coming.
const LEAST_TAIL: u64 = 256 << 10;

/// Where the committed bytes of an upload lie, as its row keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    part_bytes: u64,
    /// The bucket's name of the multipart upload; none before the first whole part.
    multipart: Option<String>,
    /// In the metadata of the finished object, to know it again.
    token: String,
    etags: Vec<String>,
    /// Key of the object that holds what lies behind the last whole part.
    tail: Option<String>,
}

impl Parts {
    fn none(part_bytes: u64) -> Result<Self, ObjectsError> {
        Ok(Self { part_bytes, multipart: None, token: random()?, etags: Vec::new(), tail: None })
    }

    /// As the row keeps it.
    pub fn parse(text: &str) -> Result<Self, ObjectsError> {
        serde_json::from_str(text).map_err(|error| ObjectsError::Parts(error.to_string()))
    }

    fn text(&self) -> Result<String, ObjectsError> {
        serde_json::to_string(self).map_err(|error| ObjectsError::Parts(error.to_string()))
    }

    /// Whether the row names this multipart upload or this tail.
    pub fn names(&self, what: &str) -> bool {
        self.multipart.as_deref() == Some(what) || self.tail.as_deref() == Some(what)
    }

    fn of(growing: &Growing, part_bytes: u64) -> Result<Self, ObjectsError> {
        growing.parts.as_deref().map_or_else(|| Self::none(part_bytes), Self::parse)
    }
}

pub(super) fn random() -> Result<String, ObjectsError> {
    Ok(new_secret(SecretKind::Upload)?.split_off(SecretKind::Upload.prefix().len()))
}

/// Opens an upload with the bytes behind its last whole part.
pub(super) async fn open(bucket: &Bucket, staging: &Staging, growing: &Growing) -> Result<Staged, ObjectsError> {
    let parts = Parts::of(growing, bucket.part_bytes())?;
    let expected = growing.received.saturating_sub(parts.part_bytes * parts.etags.len() as u64);
    let tail = match &parts.tail {
        Some(key) => bucket.read(key, parts.part_bytes).await?.unwrap_or_default(),
        None => Vec::new(),
    };
    if tail.len() as u64 != expected {
        let found = growing.received - expected + tail.len() as u64;
        return Err(StagingError::Lost { received: growing.received, found }.into());
    }
    let staging = staging.clone();
    let Growing { id, received, midstate, .. } = growing.clone();
    blocking(move || Ok(staging.cached(&id, received, &tail, &midstate))).await?.map_err(ObjectsError::from)
}

/// Brings what was written to the bucket; `ends` if no byte follows. Gives what the row must say of it from now on, and
/// how far the parts go.
pub(super) async fn keep(
    bucket: &Bucket,
    growing: &Growing,
    mut staged: Staged,
    ends: bool,
) -> Result<(Staged, String, u64), ObjectsError> {
    let mut parts = Parts::of(growing, bucket.part_bytes())?;
    let key = upload_key(&growing.id);
    let (base, at) = (staged.base(), staged.at());
    let whole = base + (at - base) / parts.part_bytes * parts.part_bytes;
    // The last part may be short.
    let sent = if ends { at } else { whole };
    if ends && at == 0 {
        bucket.put(&key, Bytes::new()).await?;
    }
    if sent > base {
        let multipart = match parts.multipart.take() {
            Some(multipart) => multipart,
            None => bucket.begin(&key, &parts.token).await?,
        };
        let mut sending = JoinSet::new();
        for from in (base..sent).step_by(parts.part_bytes as usize) {
            // Bounds what all uploads together hold in memory.
            let slot = bucket.slot().await;
            let to = (from + parts.part_bytes).min(sent);
            let read;
            (staged, read) = blocking(move || staged.bytes(from, to).map(|bytes| (staged, bytes))).await?;
            let (bucket, key, multipart) = (bucket.clone(), key.clone(), multipart.clone());
            let number = from / parts.part_bytes + 1;
            sending.spawn(async move {
                let _slot = slot;
                (number, bucket.send_part(&key, &multipart, number, read.into()).await)
            });
        }
        // None is left on its way, not even after an error: it would land among those of the next request.
        let mut arrived = sending.join_all().await;
        arrived.sort_by_key(|(number, _)| *number);
        for (_, outcome) in arrived {
            parts.etags.push(outcome.map_err(|error| gone(error, growing.received))?);
        }
        parts.multipart = Some(multipart);
        crash::point("parts.sent");
    }
    parts.tail = None;
    if at > sent {
        let read;
        (staged, read) = blocking(move || staged.bytes(sent, at).map(|bytes| (staged, bytes))).await?;
        let tail = format!("{TAILS}{}.{}", growing.id, random()?);
        bucket.put(&tail, read.into()).await?;
        parts.tail = Some(tail);
        crash::point("parts.tail");
    }
    Ok((staged, parts.text()?, sent))
}

/// A bucket may end multipart uploads by itself, and a person can: what was sent of this one is nowhere then.
fn gone(error: ObjectsError, received: u64) -> ObjectsError {
    if error.is_of_no_upload() { StagingError::Lost { received, found: 0 }.into() } else { error }
}

/// Whether the tail has grown to twice its size, so that all the tails of a part together are at most twice the part,
/// however slowly it comes.
pub(super) fn is_worth_keeping(staged: &Staged) -> bool {
    let committed = staged.at() - staged.pending() - staged.base();
    staged.pending() >= LEAST_TAIL.max(committed)
}

/// Before every tail's key; the upload's id and a random word follow.
pub(super) const TAILS: &str = "tails/";

/// Removes the tail that a row no longer names. What cannot be removed now is swept.
pub(super) async fn drop_tail(bucket: &Bucket, earlier: Option<&str>, now: Option<&str>) {
    let tail = |text: Option<&str>| text.and_then(|text| Parts::parse(text).ok()).and_then(|parts| parts.tail);
    if let Some(key) = tail(earlier).filter(|key| tail(now).as_ref() != Some(key))
        && let Err(error) = bucket.remove(&key).await
    {
        tracing::warn!(key, %error, "the sweep will remove this");
    }
}

/// Makes the parts one object; `false` if they are gone. May be repeated, by any replica.
pub(super) async fn assemble(bucket: &Bucket, growing: &Growing) -> Result<bool, ObjectsError> {
    let parts = Parts::of(growing, bucket.part_bytes())?;
    let key = upload_key(&growing.id);
    let Some(multipart) = &parts.multipart else {
        return Ok(bucket.stat(&key).await?.is_some_and(|found| found.bytes == growing.received));
    };
    let Err(doubt) = bucket.complete(&key, multipart, &parts.etags).await else {
        crash::point("parts.completed");
        return Ok(true);
    };
    // It may have been done though the answer was lost, or by another replica.
    let found = bucket.stat(&key).await?;
    if found.is_some_and(|found| found.bytes == growing.received && found.token.as_ref() == Some(&parts.token)) {
        return Ok(true);
    }
    match &doubt {
        error if error.is_of_no_upload() => Ok(false),
        ObjectsError::Bucket { code, .. } if code == "InvalidPart" => {
            tracing::warn!(upload = %growing.id, "a part was written over; its bytes are compared");
            take_overwritten(bucket, growing, &key, multipart).await
        }
        _ => Err(doubt),
    }
}

/// Two replicas wrote the same part. As a rule the bytes are the same and only their tags differ: the hash tells.
async fn take_overwritten(
    bucket: &Bucket,
    growing: &Growing,
    key: &str,
    multipart: &str,
) -> Result<bool, ObjectsError> {
    let there = bucket.parts(key, multipart).await?;
    bucket.complete(key, multipart, &there).await?;
    let same = bucket.hash(key).await? == growing.sha256;
    if !same {
        bucket.remove(key).await?;
    }
    Ok(same)
}

/// Removes all that a bucket holds of an upload that does not go on. What cannot be removed now is swept.
pub(super) async fn discard(bucket: &Bucket, growing: &Growing) -> Result<(), ObjectsError> {
    let Some(text) = &growing.parts else { return Ok(()) };
    let parts = Parts::parse(text)?;
    if let Some(multipart) = &parts.multipart
        && let Err(error) = bucket.abort(&upload_key(&growing.id), multipart).await
    {
        tracing::warn!(upload = %growing.id, %error, "the sweep will end this");
    }
    drop_tail(bucket, Some(text), None).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::fresh_midstate;

    #[test]
    fn a_slow_line_rewrites_its_tail_seldom_and_risks_half_a_part() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path()).unwrap();
        let mut staged = staging.cached("a", 0, b"", &fresh_midstate()).unwrap();
        let piece = vec![0; 10_000];
        let (mut times, mut written, mut at_risk) = (0, 0, 0);
        while staged.at() < PART_BYTES {
            staged.write(&piece).unwrap();
            at_risk = at_risk.max(staged.pending());
            if is_worth_keeping(&staged) {
                staged.committed();
                (times, written) = (times + 1, written + staged.at());
            }
        }
        assert!(times <= 6 && written <= 2 * PART_BYTES, "{times} times, {written} bytes");
        assert!(at_risk <= PART_BYTES / 2 + 20_000, "{at_risk}");
    }
}

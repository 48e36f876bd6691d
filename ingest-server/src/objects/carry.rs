//! From the folder into a bucket, object by object, each compared with its hash after it arrived.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::folder::blocking;
use super::parts::{self, random};
use super::{Bucket, FolderObjects, Growing, ObjectsError, Staging, walk};

/// Every object of the folder, by its key.
pub fn keys(data_dir: &Path) -> Result<Vec<String>, ObjectsError> {
    let mut keys = Vec::new();
    walk(&data_dir.join("objects"), |some| {
        keys.extend(some.into_iter().map(|one| one.key));
        true
    })?;
    keys.sort();
    Ok(keys)
}

/// Brings an object over and reads it back; gives its hash, or none if what arrived differs.
pub async fn send(folder: &FolderObjects, bucket: &Bucket, key: &str) -> Result<Option<String>, ObjectsError> {
    let path = folder.path(key)?;
    let length = std::fs::metadata(&path)?.len();
    if length <= bucket.part_bytes() {
        bucket.put(key, blocking(move || std::fs::read(path)).await?.into()).await?;
    } else {
        send_parts(bucket, key, &path, length).await?;
    }
    let (here, there) = (folder.hash(key).await?, bucket.hash(key).await?);
    Ok(here.filter(|here| there.as_ref() == Some(here)))
}

async fn send_parts(bucket: &Bucket, key: &str, path: &Path, length: u64) -> Result<(), ObjectsError> {
    let multipart = bucket.begin(key, &random()?).await?;
    let mut sending = JoinSet::new();
    for from in (0..length).step_by(bucket.part_bytes() as usize) {
        let slot = bucket.slot().await;
        let (bucket, key, multipart, path) = (bucket.clone(), key.to_owned(), multipart.clone(), path.to_owned());
        let wanted = bucket.part_bytes().min(length - from) as usize;
        sending.spawn(async move {
            let _slot = slot;
            let read = move || {
                let mut bytes = vec![0; wanted];
                File::open(path)?.read_exact_at(&mut bytes, from).map(|()| bytes)
            };
            let bytes = Bytes::from(blocking(read).await?);
            let number = from / bucket.part_bytes() + 1;
            Ok::<_, ObjectsError>((number, bucket.send_part(&key, &multipart, number, bytes).await?))
        });
    }
    let arrived: Result<Vec<_>, _> = sending.join_all().await.into_iter().collect();
    let sent = match arrived {
        Ok(mut parts) => {
            parts.sort();
            let tags: Vec<String> = parts.into_iter().map(|(_, tag)| tag).collect();
            bucket.complete(key, &multipart, &tags).await
        }
        Err(error) => Err(error),
    };
    if sent.is_err() {
        // The error tells more than whether this succeeds; what stays is swept.
        let _ = bucket.abort(key, &multipart).await;
    }
    sent
}

/// Brings over what was received of an upload that still grows; gives what its row must say of it.
pub async fn send_growing(bucket: &Bucket, staging: &Staging, growing: Growing) -> Result<String, ObjectsError> {
    let (staging, from) = (staging.clone(), growing.clone());
    let staged = blocking(move || Ok(staging.staged(&from.id, from.received, &from.midstate))).await??;
    let (_, parts, _) = parts::keep(bucket, &growing, staged, false).await?;
    Ok(parts)
}

//! What lies in a store, object by object and some at a time: neither a folder nor a bucket is small enough to be held whole.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use shared_types::timestamp::Timestamp;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::spawn_blocking;

use super::{Objects, ObjectsError, is_key};

/// Before the keys of a bucket that are of our making; whatever else it holds is somebody else's. `tails/` belongs to
/// uploads that grow ([`super::Left`]).
const PREFIXES: [&str; 3] = ["jobs/", "submissions/", "uploads/"];
/// As many as S3 lists at once.
const AT_ONCE: usize = 1000;
/// Listed ahead of who looks at them.
const AHEAD: usize = 2;

/// An object as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lying {
    pub key: String,
    pub bytes: u64,
    /// When it was written, by the store's clock.
    pub since: Timestamp,
}

impl Objects {
    /// Every object, those of one folder after another. An error is the last to come: the store could not be looked
    /// through to its end.
    pub fn lying(&self) -> Receiver<Result<Vec<Lying>, ObjectsError>> {
        let (sender, receiver) = channel(AHEAD);
        // Where nobody receives any more, nobody has to hear of an error.
        if let Some(bucket) = self.bucket() {
            let bucket = bucket.clone();
            tokio::spawn(async move {
                for prefix in PREFIXES {
                    if let Err(error) = bucket.lying(prefix, &sender).await {
                        let _ = sender.send(Err(error)).await;
                        break;
                    }
                }
            });
        } else if let Some(folder) = self.folder() {
            let root = folder.root().to_owned();
            spawn_blocking(move || {
                let walked = walk(&root, |some| sender.blocking_send(Ok(some)).is_ok());
                if let Err(error) = walked {
                    let _ = sender.blocking_send(Err(error.into()));
                }
            });
        }
        receiver
    }
}

/// Hands over what lies below a folder until `take` has had enough. What is still coming in has a dot before its name and
/// is no object. Blocks.
pub fn walk(root: &Path, mut take: impl FnMut(Vec<Lying>) -> bool) -> io::Result<()> {
    let (mut some, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let Some(key) = path.strip_prefix(root).ok().and_then(Path::to_str).filter(|key| is_key(key)) else {
                continue;
            };
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(path),
                Ok(meta) => {
                    let since = Timestamp::from_millis(meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000);
                    some.push(Lying { key: key.to_owned(), bytes: meta.len(), since });
                }
                // Removed since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if some.len() == AT_ONCE && !take(std::mem::take(&mut some)) {
                return Ok(());
            }
        }
    }
    if !some.is_empty() {
        take(some);
    }
    Ok(())
}

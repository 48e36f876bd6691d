//! One server, or one move, at a time works in a data folder: two would cut each other's uploads. Replicas have a folder
//! each and share PostgreSQL and the bucket.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::time::Instant;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The folder is this process's until it ends or drops this; the system lets go of it after any kind of end.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "another ingest-server, or a move, works in {0}; stop it first, or give this one another folder with COLLECTOR_DATA_DIR"
    )]
    Taken(PathBuf),
    #[error("{0} cannot be locked: {1}")]
    Io(PathBuf, std::io::Error),
}

impl Lock {
    /// Waits a while for an earlier server that is just ending.
    pub async fn take(data_dir: &Path, patience: Duration) -> Result<Self, LockError> {
        let path = data_dir.join("serving.lock");
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(|error| LockError::Io(path.clone(), error))?;
        let until = Instant::now() + patience;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => tokio::time::sleep(LOOK_EVERY).await,
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(LockError::Taken(data_dir.to_owned())),
                Err(error) => return Err(LockError::Io(path, error.into())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), Duration::ZERO).await.unwrap();
        let second = Lock::take(folder.path(), Duration::ZERO).await.unwrap_err();
        assert!(second.to_string().contains("another ingest-server, or a move, works in"), "{second}");
        drop(first);
        Lock::take(folder.path(), Duration::ZERO).await.unwrap();
    }
}

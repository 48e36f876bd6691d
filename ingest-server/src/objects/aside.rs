//! Objects that are taken out of the way, or put in the place of others, without a loss: by `audit --repair` alone. In a
//! bucket that keeps versions they stay there as well.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::folder::{blocking, found, sync_parent};
use super::{FolderObjects, Objects, ObjectsError};

/// Beside `objects/` in the data folder, and before keys in a bucket; for a person to look at.
const ASIDE: &str = "set-aside";

impl Objects {
    /// Takes an object out of the way, to a place of its own: what lies there from before stays. Nobody counts on what lies
    /// there, and nobody removes it. False where there is no such object, or none any more.
    pub async fn set_aside(&self, key: &str) -> Result<bool, ObjectsError> {
        let place = Uuid::now_v7().to_string();
        if let Some(bucket) = self.bucket() {
            let copied = bucket.copy(key, &format!("{ASIDE}/{place}/{key}")).await;
            if copied.is_err() && bucket.stat(key).await?.is_none() {
                return Ok(false);
            }
            copied?;
            bucket.hide(key).await?;
            return Ok(true);
        }
        let Some(folder) = self.folder() else { return Ok(false) };
        let (from, to) = (folder.path(key)?, folder.root().with_file_name(ASIDE).join(place).join(key));
        blocking(move || {
            if found(fs::metadata(&from))?.is_none() {
                return Ok(false);
            }
            Ok(found(move_to(&from, &to))?.is_some())
        })
        .await
    }

    /// Puts the bytes of one object in the place of another; with `moves` the first one is there no longer.
    pub async fn bring(&self, from: &str, to: &str, moves: bool) -> Result<(), ObjectsError> {
        if let Some(bucket) = self.bucket() {
            bucket.copy(from, to).await?;
            return if moves { bucket.hide(from).await } else { Ok(()) };
        }
        let Some(folder) = self.folder() else { return Ok(()) };
        folder.bring(from, to, moves).await
    }
}

impl FolderObjects {
    async fn bring(&self, from: &str, to: &str, moves: bool) -> Result<(), ObjectsError> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        blocking(move || {
            if moves {
                return move_to(&from, &to);
            }
            let part = with_end(&to);
            prepare(&part)?;
            fs::copy(&from, &part)?;
            fs::File::open(&part)?.sync_all()?;
            move_to(&part, &to)
        })
        .await
    }
}

fn with_end(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn prepare(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    prepare(to)?;
    fs::rename(from, to)?;
    sync_parent(to)?;
    sync_parent(from)
}

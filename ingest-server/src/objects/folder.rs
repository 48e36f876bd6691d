//! The folder of finished objects: written under another name, made durable, then renamed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shared_types::timestamp::Timestamp;
use tokio::task::spawn_blocking;

use super::sign::{SignedFor, Signer};
use super::store::View;
use super::{ObjectsError, is_key};
use crate::crash;
use crate::secret::{SecretKind, hex, new_secret};

/// Most bytes of one object that is PUT.
pub const LONGEST_OBJECT: u64 = 4 << 30;
/// What is being PUT; the dot keeps it out of reach of every key.
const INCOMING: &str = ".incoming";
const PIECE: usize = 1 << 20;

#[derive(Debug)]
pub struct FolderObjects {
    folder: PathBuf,
    signer: Signer,
}

/// SHA-256 of a file from where it is read to its end. Blocks.
pub fn hash_of(mut file: File) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&piece[..read]),
        }
    }
}

impl FolderObjects {
    pub fn open(data_dir: &Path) -> Result<Self, ObjectsError> {
        let folder = data_dir.join("objects");
        fs::create_dir_all(folder.join(INCOMING))?;
        Ok(Self { signer: Signer::open(data_dir)?, folder })
    }

    /// Removes what was on its way when a server ended; it is sent again under a new name. Not for a command that runs
    /// beside the server.
    pub async fn forget_incoming(&self) -> Result<(), ObjectsError> {
        let incoming = self.folder.join(INCOMING);
        blocking(move || fs::read_dir(incoming)?.try_for_each(|left| fs::remove_file(left?.path()))).await
    }

    /// A relative address that may be read for `ttl_secs`.
    pub fn signed_get(&self, key: &str, now: Timestamp, ttl_secs: i64) -> String {
        self.signer.address(SignedFor::Get, key, now.plus_secs(ttl_secs))
    }

    /// A relative address that may be written for `ttl_secs`.
    pub fn signed_put(&self, key: &str, now: Timestamp, ttl_secs: i64) -> String {
        self.signer.address(SignedFor::Put, key, now.plus_secs(ttl_secs))
    }

    /// Whether this server signed that address and it has not run out.
    pub fn allows(&self, allows: SignedFor, key: &str, expires: i64, signature: &str, now: Timestamp) -> bool {
        is_key(key) && self.signer.allows(allows, key, expires, signature, now)
    }

    /// The folder that all keys lie below.
    pub(super) fn root(&self) -> &Path {
        &self.folder
    }

    pub fn path(&self, key: &str) -> Result<PathBuf, ObjectsError> {
        if is_key(key) { Ok(self.folder.join(key)) } else { Err(ObjectsError::Key(key.to_owned())) }
    }

    /// What an object is; none if there is no such.
    pub async fn view(&self, key: &str) -> Result<Option<View>, ObjectsError> {
        let path = self.path(key)?;
        blocking(move || {
            found(fs::metadata(path)).map(|meta| meta.filter(fs::Metadata::is_file).map(|meta| View::of_file(&meta)))
        })
        .await
    }

    /// SHA-256 of an object as it lies there now; none if there is no such.
    pub async fn hash(&self, key: &str) -> Result<Option<String>, ObjectsError> {
        let path = self.path(key)?;
        blocking(move || found(File::open(path))?.map(hash_of).transpose()).await
    }

    /// A small object as a whole; none if there is no such or it is longer than `most`.
    pub async fn read(&self, key: &str, most: u64) -> Result<Option<Vec<u8>>, ObjectsError> {
        let path = self.path(key)?;
        blocking(move || {
            let Some(file) = found(File::open(path))? else { return Ok(None) };
            let mut bytes = Vec::new();
            file.take(most + 1).read_to_end(&mut bytes)?;
            Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= most))
        })
        .await
    }

    /// Removes an object; one that is not there is fine. A folder is none.
    pub async fn remove(&self, key: &str) -> Result<(), ObjectsError> {
        let path = self.path(key)?;
        blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(()),
            removed => found(removed).map(drop),
        })
        .await
    }

    /// Begins to write an object.
    pub fn incoming(&self, key: &str) -> Result<Incoming, ObjectsError> {
        let to = self.path(key)?;
        let part = self.folder.join(INCOMING).join(new_secret(SecretKind::Upload)?);
        let file = File::create_new(&part)?;
        Ok(Incoming { file, part: Some(part), to, root: self.folder.clone(), bytes: 0 })
    }

    /// Stores a small object whole.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), ObjectsError> {
        let mut incoming = self.incoming(key)?;
        incoming.write(&bytes)?;
        blocking(move || incoming.keep().map_err(io::Error::other)).await
    }

    /// Moves a whole upload from its staging file to its object; done already, it is done again without harm.
    pub async fn adopt(&self, from: PathBuf, key: &str) -> Result<(), ObjectsError> {
        let (to, root) = (self.path(key)?, self.folder.clone());
        blocking(move || {
            prepare(&root, &to)?;
            let renamed = found(fs::rename(&from, &to))?.is_some();
            if renamed {
                crash::point("upload.renamed");
            }
            // Also where an earlier try renamed it: whether that one came as far as to sync is not known.
            sync_parent(&to)?;
            sync_parent(&from)
        })
        .await
    }
}

/// An object on its way; dropped before [`Incoming::keep`] nothing of it stays. Its calls block.
#[derive(Debug)]
pub struct Incoming {
    file: File,
    part: Option<PathBuf>,
    to: PathBuf,
    root: PathBuf,
    bytes: u64,
}

impl Incoming {
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectsError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > LONGEST_OBJECT {
            return Err(ObjectsError::TooLong);
        }
        Ok(self.file.write_all(bytes)?)
    }

    /// Makes it durable and gives it its name.
    pub fn keep(mut self) -> Result<(), ObjectsError> {
        self.file.sync_all()?;
        prepare(&self.root, &self.to)?;
        if let Some(part) = self.part.take() {
            fs::rename(part, &self.to)?;
        }
        Ok(sync_parent(&self.to)?)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_file(part);
        }
    }
}

/// Makes the folders above an object, each one durable in the one above it.
fn prepare(root: &Path, to: &Path) -> io::Result<()> {
    let Some(folder) = to.parent() else { return Ok(()) };
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for above in folder.ancestors().take_while(|above| above.starts_with(root)) {
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// None where there is nothing at the path.
pub(super) fn found<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs what waits for the disk away from the threads that answer.
pub(super) async fn blocking<T, F>(work: F) -> Result<T, ObjectsError>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    spawn_blocking(work).await.map_err(io::Error::other)?.map_err(ObjectsError::from)
}

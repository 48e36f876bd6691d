//! Uploads that still grow: one file each, and who may write it.
//!
//! A file may be longer than what the database says has been received, after a crash between write and commit; the
//! rest is cut off before anything is added. The database row is the truth.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha1::Sha1;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::folder::{blocking, found, sync_parent};
use super::{ObjectsError, is_key};
use crate::secret::{from_hex, hex};
use crate::uploads::{Algorithm, Checksum};

/// How much of a file is looked at to see what it is.
const HEAD: usize = 32;

#[derive(Debug, Clone)]
pub struct Staging {
    folder: PathBuf,
    held: Arc<Mutex<HashMap<String, Arc<Turn>>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Fewer bytes lie there than the database says.
    #[error("{received} bytes were received, and only {found} are there")]
    Lost { received: u64, found: u64 },
    #[error("the stored state of the hash cannot be read")]
    Midstate,
}

/// Whose turn it is to write an upload.
#[derive(Debug, Default)]
struct Turn {
    lock: Arc<tokio::sync::Mutex<()>>,
    holder: Mutex<CancellationToken>,
    waiting: AtomicUsize,
}

fn open_lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to write one upload, until it is dropped.
#[derive(Debug)]
pub struct Held {
    /// Somebody newer waits for the upload: keep what arrived and let go.
    pub evicted: CancellationToken,
    _place: Place,
    guard: Option<OwnedMutexGuard<()>>,
}

/// Somebody's interest in an upload; the last one to leave takes the entry away.
#[derive(Debug)]
struct Place {
    id: String,
    turn: Arc<Turn>,
    held: Arc<Mutex<HashMap<String, Arc<Turn>>>>,
    waits: bool,
}

impl Place {
    fn stop_waiting(&mut self) {
        if std::mem::take(&mut self.waits) {
            self.turn.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop_waiting();
        let mut held = open_lock(&self.held);
        // The table's own and this one.
        if Arc::strong_count(&self.turn) <= 2 {
            held.remove(&self.id);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Before the place is given up.
        drop(self.guard.take());
    }
}

impl Staging {
    pub(super) fn open(folder: &Path) -> Result<Self, ObjectsError> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), held: Arc::default() })
    }

    pub(super) fn path(&self, id: &str) -> Result<PathBuf, ObjectsError> {
        if is_key(id) && !id.contains('/') { Ok(self.folder.join(id)) } else { Err(ObjectsError::Key(id.to_owned())) }
    }

    /// Bytes that are free for uploads.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let space = rustix::fs::statvfs(&self.folder)?;
        Ok(space.f_bavail * space.f_frsize)
    }

    /// Takes an upload over: whoever holds it now is told to let go, because a client that asks again has given up
    /// on its earlier connection.
    pub async fn hold(&self, id: &str) -> Held {
        let turn = open_lock(&self.held).entry(id.to_owned()).or_default().clone();
        turn.waiting.fetch_add(1, Ordering::SeqCst);
        let mut place = Place { id: id.to_owned(), turn, held: self.held.clone(), waits: true };
        open_lock(&place.turn.holder).cancel();
        let guard = place.turn.lock.clone().lock_owned().await;
        place.stop_waiting();
        let evicted = CancellationToken::new();
        *open_lock(&place.turn.holder) = evicted.clone();
        // The lock is fair: who waits now came later.
        if place.turn.waiting.load(Ordering::SeqCst) > 0 {
            evicted.cancel();
        }
        Held { evicted, _place: place, guard: Some(guard) }
    }

    /// The uploads that have a file here.
    pub async fn ids(&self) -> Result<Vec<String>, ObjectsError> {
        let folder = self.folder.clone();
        blocking(move || {
            let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
            let names = names.filter_map(|name: io::Result<Option<String>>| name.transpose());
            names.filter(|name| name.as_ref().is_ok_and(|name| is_key(name)) || name.is_err()).collect()
        })
        .await
    }

    /// Removes an upload's bytes; none there is fine.
    pub async fn remove(&self, id: &str) -> Result<(), ObjectsError> {
        let path = self.path(id)?;
        blocking(move || match found(fs::remove_file(&path))? {
            Some(()) => sync_parent(&path),
            None => Ok(()),
        })
        .await
    }

    /// Bytes that lie there; none if there is no file.
    pub async fn stat(&self, id: &str) -> Result<Option<u64>, ObjectsError> {
        let path = self.path(id)?;
        blocking(move || Ok(found(fs::metadata(path))?.map(|meta| meta.len()))).await
    }

    /// Opens an upload at its received bytes and cuts off what lies behind them. Blocks.
    pub fn staged(&self, id: &str, received: u64, midstate: &str) -> Result<Staged, StagingError> {
        let path = self.path(id).map_err(io::Error::other)?;
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        if is_new {
            sync_parent(&path)?;
        }
        let length = file.metadata()?.len();
        if length < received {
            return Err(StagingError::Lost { received, found: length });
        }
        if length > received {
            file.set_len(received)?;
            file.sync_all()?;
        }
        Ok(Staged { file, base: 0, at: received, durable: received, hash: resumed(midstate)?, check: None })
    }

    /// Opens an upload whose committed bytes lie in a bucket: its file begins with the `tail` behind the last whole
    /// part and lives for one request. Blocks.
    pub(super) fn cached(&self, id: &str, received: u64, tail: &[u8], midstate: &str) -> Result<Staged, StagingError> {
        let path = self.path(id).map_err(io::Error::other)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(tail, 0)?;
        let base = received.checked_sub(tail.len() as u64).ok_or(StagingError::Midstate)?;
        Ok(Staged { file, base, at: received, durable: received, hash: resumed(midstate)?, check: None })
    }

    /// Removes what an earlier process left; with a bucket nothing in the folder is needed.
    pub(super) fn clear(&self) -> io::Result<()> {
        fs::read_dir(&self.folder)?.try_for_each(|left| fs::remove_file(left?.path()))
    }
}

fn resumed(midstate: &str) -> Result<Sha256, StagingError> {
    let state = from_hex(midstate).and_then(|bytes| SerializedState::<Sha256>::try_from(bytes.as_slice()).ok());
    state.and_then(|state| Sha256::deserialize(&state).ok()).ok_or(StagingError::Midstate)
}

/// The state of the running hash before the first byte.
pub fn fresh_midstate() -> String {
    hex(&Sha256::new().serialize())
}

/// An upload's file while it is written. Every call blocks.
#[derive(Debug)]
pub struct Staged {
    file: File,
    /// Where in the upload the file begins; 0 unless what lies before is in a bucket.
    base: u64,
    at: u64,
    /// As far as is committed.
    durable: u64,
    hash: Sha256,
    check: Option<Check>,
}

/// The hash of one request's bytes, where its sender gave one.
#[derive(Debug)]
enum Check {
    Sha1(Sha1, Vec<u8>),
    Sha256(Sha256, Vec<u8>),
}

impl Staged {
    /// What the bytes that come now must hash to.
    pub fn expect(&mut self, checksum: Checksum) {
        self.check = Some(match checksum.algorithm {
            Algorithm::Sha1 => Check::Sha1(Sha1::new(), checksum.hash),
            Algorithm::Sha256 => Check::Sha256(Sha256::new(), checksum.hash),
        });
    }

    pub fn is_checked(&self) -> bool {
        self.check.is_some()
    }

    pub fn at(&self) -> u64 {
        self.at
    }

    /// Bytes written and not yet committed.
    pub fn pending(&self) -> u64 {
        self.at - self.durable
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.at - self.base)?;
        self.at += bytes.len() as u64;
        self.hash.update(bytes);
        match &mut self.check {
            Some(Check::Sha1(hash, _)) => hash.update(bytes),
            Some(Check::Sha256(hash, _)) => hash.update(bytes),
            None => {}
        }
        Ok(())
    }

    /// Whether the bytes of this request are those their sender meant.
    pub fn agrees(&self) -> bool {
        match &self.check {
            Some(Check::Sha1(hash, value)) => hash.clone().finalize().as_slice() == value,
            Some(Check::Sha256(hash, value)) => hash.clone().finalize().as_slice() == value,
            None => true,
        }
    }

    /// The first bytes, by which the kind of file is told.
    pub fn head(&self) -> io::Result<Vec<u8>> {
        let mut head = vec![0; HEAD.min(usize::try_from(self.at).unwrap_or(HEAD))];
        self.file.read_exact_at(&mut head, 0)?;
        Ok(head)
    }

    /// Puts what was written on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The database knows of everything up to here.
    pub fn committed(&mut self) {
        self.durable = self.at;
    }

    /// Takes back what was not committed.
    pub fn take_back(&self) -> io::Result<()> {
        self.file.set_len(self.durable - self.base)
    }

    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Bytes of the upload from `from` to `to`, both inside the file.
    pub(super) fn bytes(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; (to - from) as usize];
        self.file.read_exact_at(&mut bytes, from - self.base)?;
        Ok(bytes)
    }

    /// Lets the file begin at `base` with what is left; the bytes before it are elsewhere.
    pub(super) fn rebase(&mut self, base: u64) -> io::Result<()> {
        let left = self.bytes(base, self.at)?;
        self.file.write_all_at(&left, 0)?;
        self.base = base;
        self.file.set_len(left.len() as u64)
    }

    pub fn midstate(&self) -> String {
        hex(&self.hash.serialize())
    }

    pub fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newer_request_evicts_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Arc::new(Staging::open(folder.path()).unwrap());
        let first = staging.hold("a").await;
        assert!(!first.evicted.is_cancelled());
        let other = staging.clone();
        let second = tokio::spawn(async move { other.hold("a").await });
        first.evicted.cancelled().await;
        drop(first);
        let second = second.await.unwrap();
        assert!(!second.evicted.is_cancelled());
        drop(second);
        assert!(open_lock(&staging.held).is_empty(), "nobody is interested any more");
    }

    #[test]
    fn the_hash_goes_on_where_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path()).unwrap();
        let mut staged = staging.staged("a", 0, &fresh_midstate()).unwrap();
        staged.write(b"hello ").unwrap();
        let midstate = staged.midstate();
        staged.write(b"never committed").unwrap();
        let mut again = staging.staged("a", 6, &midstate).unwrap();
        again.write(b"world").unwrap();
        assert_eq!(again.sha256(), hex(&Sha256::digest(b"hello world")));
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"hello world");
        assert!(matches!(staging.staged("a", 100, &midstate), Err(StagingError::Lost { .. })));
    }
}

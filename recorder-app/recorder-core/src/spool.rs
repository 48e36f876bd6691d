//! A recording on the disk: its folder, its manifest, and how a killed take is made whole.
//!
//! `video.mp4` and `events.jsonl` grow while the take runs; `recording.json` is written when the first picture is
//! taken and again at the end, each time under a temporary name first. What a killed recorder leaves behind is
//! therefore always a readable manifest in stage `capturing`, and a video whose whole fragments count. A take that still
//! runs looks just like that, so that a lock on a file of its own tells the two apart: the system lets go of it when the
//! recorder ends, however it ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capture::disk::free_bytes;
use media::journal::{hash_file, recover as recover_video, sync_folder};
use shared_types::quality::policy::Policy;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, RecordingStage, VIDEO_FILE};

use crate::submit::{LOCK_FILE, PROGRESS_FILE};
use crate::voice::{self, VOICE_FILE};
use crate::{cut, events};

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the folder {path} already holds something. Choose a folder that does not exist yet; nothing was changed")]
    Occupied { path: PathBuf },
    #[error("the folder {path} cannot be made: {source}. Choose a folder that you may write to")]
    NoFolder { path: PathBuf, source: io::Error },
    #[error("the take in {path} is still being recorded. Stop it first; nothing was changed")]
    Running { path: PathBuf },
    #[error("the disk of {path} is almost full. Free some space, or choose a folder on another disk")]
    Full { path: PathBuf },
    #[error(
        "the folder {path} is not a recording: there is no {MANIFEST_FILE} in it. Give the folder that `recorder record` made"
    )]
    NoRecording { path: PathBuf },
    #[error("the manifest {path} cannot be read: {source}. The video beside it is untouched")]
    BadManifest { path: PathBuf, source: serde_json::Error },
    #[error("the file {path} holds no whole piece of video: the take was killed within its first second. Record again")]
    NothingWhole { path: PathBuf },
    #[error(
        "the file {path} cannot be read or written: {source}. Check that the disk has room and that you may write there"
    )]
    Disk { path: PathBuf, source: io::Error },
}

/// What the take is to be judged by, where somebody asked for it.
pub const POLICY_FILE: &str = "policy.json";
/// Held while a take runs.
const TAKE_LOCK_FILE: &str = "take.lock";
/// What a take needs at most, as a rule: 12 MB a minute of video and 6 of the voice's journal.
pub(crate) const USUAL_BYTES_PER_SEC: f64 = 300_000.0;
/// A fragment is about so long.
const FRAGMENT_SECS: f64 = 1.0;
/// The voice of a killed take is ahead of its video by up to this much.
const VOICE_AHEAD_SECS: f64 = 2.5;
/// With less than this left a take is not begun, so that it does not end in its first minutes.
const ROOM_TO_BEGIN_BYTES: u64 = 128 << 20;
/// With less than this left a take ends, while its manifest can still be written.
const ROOM_TO_GO_ON_BYTES: u64 = 32 << 20;

/// The folder of one take.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    /// Whether the folder was made for this take.
    is_new: bool,
    /// Of a take that runs.
    lock: Option<Arc<TakeLock>>,
}

/// That a take runs in a folder, or is made whole there; both end with it.
#[derive(Debug)]
struct TakeLock {
    path: PathBuf,
    _file: fs::File,
}

impl TakeLock {
    /// None on a disk that knows no locks.
    fn take(folder: &Path) -> Result<Option<Self>, SpoolError> {
        let path = folder.join(TAKE_LOCK_FILE);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|source| SpoolError::Disk { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { path, _file: file })),
            Err(fs::TryLockError::WouldBlock) => Err(SpoolError::Running { path: folder.to_owned() }),
            Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(fs::TryLockError::Error(source)) => Err(SpoolError::Disk { path, source }),
        }
    }
}

impl Drop for TakeLock {
    fn drop(&mut self) {
        // One that stays is nobody's any more.
        drop(fs::remove_file(&self.path));
    }
}

impl Spool {
    /// Makes a new folder that only its owner may read. An empty one that exists is taken.
    pub fn create(folder: &Path) -> Result<Self, SpoolError> {
        let failed = |source| SpoolError::NoFolder { path: folder.to_owned(), source };
        let is_new = is_free(folder)?;
        if is_new {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut spool = Self { folder: folder.to_owned(), is_new, lock: None };
        let ready = spool.prepare();
        if ready.is_err() {
            spool.discard();
        }
        ready.map(|()| spool)
    }

    fn prepare(&mut self) -> Result<(), SpoolError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))
                .map_err(|source| SpoolError::NoFolder { path: self.folder.clone(), source })?;
        }
        if self.has_less_than(ROOM_TO_BEGIN_BYTES) {
            return Err(SpoolError::Full { path: self.folder.clone() });
        }
        self.lock = TakeLock::take(&self.folder)?.map(Arc::new);
        Ok(())
    }

    /// Opens the folder of a take that was made before.
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        let spool = Self { folder: folder.to_owned(), is_new: false, lock: None };
        if spool.manifest_path().is_file() {
            cut::settle(folder)?;
            Ok(spool)
        } else {
            Err(SpoolError::NoRecording { path: folder.to_owned() })
        }
    }

    /// Removes what a take of which nothing was recorded left behind; never anything else.
    pub(crate) fn discard(&self) {
        let beside = [PROGRESS_FILE, LOCK_FILE, TAKE_LOCK_FILE, POLICY_FILE].map(|name| self.folder.join(name));
        let files = [self.video_path(), self.events_path(), self.voice_path(), self.manifest_path()];
        for path in files.into_iter().chain(beside) {
            // What does not exist need not be removed, and what cannot be is no harm to anyone.
            drop(fs::remove_file(path));
        }
        if self.is_new {
            drop(fs::remove_dir(&self.folder));
        }
    }

    /// Whether the disk has so little room left that the take should end.
    pub(crate) fn is_full(&self) -> bool {
        self.has_less_than(ROOM_TO_GO_ON_BYTES)
    }

    fn has_less_than(&self, bytes: u64) -> bool {
        has_less_than(&self.folder, bytes)
    }

    /// How long the take can go on at a rate; `None` where the disk does not tell its room.
    pub(crate) fn secs_left(&self, bytes_per_sec: f64) -> Option<f64> {
        secs_left(&self.folder, bytes_per_sec)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn video_path(&self) -> PathBuf {
        self.folder.join(VIDEO_FILE)
    }

    pub fn events_path(&self) -> PathBuf {
        self.folder.join(EVENTS_FILE)
    }

    pub(crate) fn voice_path(&self) -> PathBuf {
        self.folder.join(VOICE_FILE)
    }

    pub fn manifest_path(&self) -> PathBuf {
        self.folder.join(MANIFEST_FILE)
    }

    pub fn read_manifest(&self) -> Result<Manifest, SpoolError> {
        let path = self.manifest_path();
        let text = fs::read(&path).map_err(|source| SpoolError::Disk { path: path.clone(), source })?;
        serde_json::from_slice(&text).map_err(|source| SpoolError::BadManifest { path, source })
    }

    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), SpoolError> {
        let path = self.manifest_path();
        fail::fail_point!("manifest.write", |_| Err(SpoolError::Disk {
            path: self.manifest_path(),
            source: io::ErrorKind::StorageFull.into()
        }));
        let written = serde_json::to_vec_pretty(manifest).map_err(io::Error::from);
        written.and_then(|text| replace_file(&path, &text)).map_err(|source| SpoolError::Disk { path, source })
    }

    /// Keeps what the take is to be judged by, also when it is made whole or cut, and nobody is there to say.
    pub(crate) fn keep_policy(&self, policy: &Policy) -> Result<(), SpoolError> {
        let path = self.folder.join(POLICY_FILE);
        let written = serde_json::to_vec_pretty(policy).map_err(io::Error::from);
        written.and_then(|text| replace_file(&path, &text)).map_err(|source| SpoolError::Disk { path, source })
    }

    /// That of its assignment, or the one that every campaign starts from.
    pub(crate) fn policy(&self) -> Result<Policy, SpoolError> {
        let path = self.folder.join(POLICY_FILE);
        let read = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Policy::default()),
            Err(error) => Err(error),
        };
        read.map_err(|source| SpoolError::Disk { path, source })
    }

    /// Hashes of the files beside the manifest.
    pub(crate) fn hash_files(&self, manifest: &mut Manifest) -> Result<(), SpoolError> {
        let mut files = BTreeMap::new();
        let names =
            [(VIDEO_FILE, self.video_path()), (EVENTS_FILE, self.events_path()), (VOICE_FILE, self.voice_path())];
        for (name, path) in names {
            if path.is_file() {
                let hash = hash_file(&path).map_err(|source| SpoolError::Disk { path, source })?;
                files.insert(name.to_owned(), hash);
            }
        }
        manifest.files = files;
        Ok(())
    }
}

/// How long a take that is put there could be, none where it would not be begun; `None` where the disk does not tell its
/// room.
pub fn room_secs(folder: &Path) -> Option<f64> {
    let there = folder.ancestors().find(|folder| folder.is_dir())?;
    if has_less_than(there, ROOM_TO_BEGIN_BYTES) { Some(0.0) } else { secs_left(there, USUAL_BYTES_PER_SEC) }
}

/// A disk that does not tell its room counts as roomy.
fn has_less_than(folder: &Path, bytes: u64) -> bool {
    fail::fail_point!("disk.full", |_| true);
    free_bytes(folder).is_some_and(|free| free < bytes)
}

fn secs_left(folder: &Path, bytes_per_sec: f64) -> Option<f64> {
    let free = free_bytes(folder)?.saturating_sub(ROOM_TO_GO_ON_BYTES);
    Some(free as f64 / bytes_per_sec.max(1.0))
}

/// Whether a take may be put there: `true` where nothing is yet, `false` where an empty folder is.
pub fn is_free(folder: &Path) -> Result<bool, SpoolError> {
    let occupied = || SpoolError::Occupied { path: folder.to_owned() };
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().map_or(Ok(false), |_| Err(occupied())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(occupied()),
        Err(source) => Err(SpoolError::NoFolder { path: folder.to_owned(), source }),
    }
}

/// What [`recover`] did.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// The take needed it; one that had ended properly is left as it was.
    pub needed: bool,
    pub fragments: usize,
    /// Where the last whole fragment begins; the take goes on for about a second after it.
    pub last_fragment_secs: f64,
    pub removed_bytes: u64,
    /// The voice goes on for so long after the video; what there is of it is in [`VOICE_FILE`] beside it.
    pub voice_secs_more: Option<f64>,
}

/// Makes a killed take whole: its video ends with the last whole fragment, its events with the last whole line. One that
/// still runs is left alone.
pub fn recover(folder: &Path) -> Result<Recovery, SpoolError> {
    let spool = Spool::open(folder)?;
    let manifest = spool.read_manifest()?;
    if manifest.stage != RecordingStage::Capturing {
        return Ok(recovery(&manifest, None));
    }
    let lock = TakeLock::take(folder)?;
    // It may have ended between the two.
    let mut manifest = spool.read_manifest()?;
    if manifest.stage != RecordingStage::Capturing {
        return Ok(recovery(&manifest, None));
    }
    let recovery = spool.make_whole(&mut manifest, false);
    drop(lock);
    recovery
}

fn recovery(manifest: &Manifest, removed_bytes: Option<u64>) -> Recovery {
    let last = manifest.fragments.iter().filter_map(|fragment| fragment.t).next_back();
    Recovery {
        needed: removed_bytes.is_some(),
        fragments: manifest.fragments.len(),
        last_fragment_secs: last.unwrap_or(0.0),
        removed_bytes: removed_bytes.unwrap_or(0),
        voice_secs_more: None,
    }
}

impl Spool {
    pub(crate) fn make_whole(&self, manifest: &mut Manifest, keep_voice: bool) -> Result<Recovery, SpoolError> {
        let path = self.video_path();
        let video = recover_video(&path).map_err(|source| SpoolError::Disk { path: path.clone(), source })?;
        if video.fragments.len() < 2 {
            return Err(SpoolError::NothingWhole { path });
        }
        let events_path = self.events_path();
        if events_path.is_file() {
            events::sort(&events_path).map_err(|source| SpoolError::Disk { path: events_path, source })?;
        }
        manifest.fragments = video.fragments;
        let voice_secs_more = self.voice_secs_more(manifest);
        if !keep_voice && voice_secs_more.is_none() {
            // All of it is in the video too, but for its last second.
            drop(fs::remove_file(self.voice_path()));
        }
        manifest.stage = RecordingStage::Stopped;
        manifest.quality = None;
        self.hash_files(manifest)?;
        self.write_manifest(manifest)?;
        Ok(Recovery { voice_secs_more, ..recovery(manifest, Some(video.removed_bytes)) })
    }

    /// How much longer the journal of the voice is than the video, where that is more than a kill explains: the encoder
    /// had ended, or hung, before the recorder did.
    fn voice_secs_more(&self, manifest: &Manifest) -> Option<f64> {
        let last = manifest.fragments.iter().filter_map(|fragment| fragment.t).next_back()?;
        let more = voice::secs(&self.voice_path())? - (last + FRAGMENT_SECS);
        (more > VOICE_AHEAD_SECS).then_some(more)
    }
}

/// Writes a file under a temporary name, brings it to the disk and gives it its name.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        // On a full disk every byte counts; the error that matters is the first.
        drop(fs::remove_file(&temporary));
    }
    written?;
    path.parent().map_or(Ok(()), sync_folder)
}

//! A recording on the disk: its folder, its manifest, and how a killed take is made whole.
//!
//! `video.mp4` and `events.jsonl` grow while the take runs; `recording.json` is written when the first picture is
//! taken and again at the end, each time under a temporary name first. What a killed recorder leaves behind is
//! therefore always a readable manifest in stage `capturing`, and a video whose whole fragments count.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use media::journal::{hash_file, recover as recover_video, sync_folder};
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, RecordingStage, VIDEO_FILE};

use crate::events;

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("{path} already holds something. Choose a folder that does not exist yet; nothing was changed")]
    Occupied { path: PathBuf },
    #[error("{path} is not a recording: there is no {MANIFEST_FILE} in it. Give the folder that `recorder record` made")]
    NoRecording { path: PathBuf },
    #[error("{path} cannot be read as a manifest: {source}. The video beside it is untouched")]
    BadManifest { path: PathBuf, source: serde_json::Error },
    #[error("{path} holds no whole piece of video: the take was killed within its first second. Record again")]
    NothingWhole { path: PathBuf },
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
}

/// The folder of one take.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// Makes a new folder that only its owner may read. An empty one that exists is taken.
    pub fn create(folder: &Path) -> Result<Self, SpoolError> {
        let disk = |source| SpoolError::Disk { path: folder.to_owned(), source };
        match fs::read_dir(folder) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(SpoolError::Occupied { path: folder.to_owned() });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder).map_err(disk)?,
            Err(error) => return Err(disk(error)),
        }
        #[cfg(unix)]
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(disk)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Opens the folder of a take that was made before.
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        let spool = Self { folder: folder.to_owned() };
        if spool.manifest_path().is_file() {
            Ok(spool)
        } else {
            Err(SpoolError::NoRecording { path: folder.to_owned() })
        }
    }

    pub fn video_path(&self) -> PathBuf {
        self.folder.join(VIDEO_FILE)
    }

    pub fn events_path(&self) -> PathBuf {
        self.folder.join(EVENTS_FILE)
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
        let written = serde_json::to_vec_pretty(manifest).map_err(io::Error::from);
        written
            .and_then(|text| replace_file(&path, &text))
            .map_err(|source| SpoolError::Disk { path, source })
    }

    /// Hashes of the files beside the manifest.
    pub(crate) fn hash_files(&self, manifest: &mut Manifest) -> Result<(), SpoolError> {
        let mut files = BTreeMap::new();
        for (name, path) in [(VIDEO_FILE, self.video_path()), (EVENTS_FILE, self.events_path())] {
            if path.is_file() {
                let hash = hash_file(&path).map_err(|source| SpoolError::Disk { path, source })?;
                files.insert(name.to_owned(), hash);
            }
        }
        manifest.files = files;
        Ok(())
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
}

/// Makes a killed take whole: its video ends with the last whole fragment, its events with the last whole line.
pub fn recover(folder: &Path) -> Result<Recovery, SpoolError> {
    let spool = Spool::open(folder)?;
    let mut manifest = spool.read_manifest()?;
    let last = |manifest: &Manifest| manifest.fragments.iter().filter_map(|fragment| fragment.t).next_back();
    if manifest.stage != RecordingStage::Capturing && manifest.stage != RecordingStage::Broken {
        return Ok(Recovery {
            needed: false,
            fragments: manifest.fragments.len(),
            last_fragment_secs: last(&manifest).unwrap_or(0.0),
            removed_bytes: 0,
        });
    }
    let path = spool.video_path();
    let video = recover_video(&path).map_err(|source| SpoolError::Disk { path: path.clone(), source })?;
    if video.fragments.len() < 2 {
        return Err(SpoolError::NothingWhole { path });
    }
    let events_path = spool.events_path();
    if events_path.is_file() {
        events::sort(&events_path).map_err(|source| SpoolError::Disk { path: events_path, source })?;
    }
    manifest.fragments = video.fragments;
    manifest.stage = RecordingStage::Stopped;
    manifest.quality = None;
    spool.hash_files(&mut manifest)?;
    spool.write_manifest(&manifest)?;
    Ok(Recovery {
        needed: true,
        fragments: manifest.fragments.len(),
        last_fragment_secs: last(&manifest).unwrap_or(0.0),
        removed_bytes: video.removed_bytes,
    })
}

/// Writes a file under a temporary name, brings it to the disk and gives it its name.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

//! Passes that are finished, kept until the whole run is, so that a killed run goes on where it was.
//!
//! Under a folder beside the result (or one that was named) lies a folder for each input, named by the digest of all
//! that went in. In it each finished pass has an entry `NAME-VERSION`, which takes its name when it is whole: a file
//! with what the pass found, or, for the inspection, a folder with its pictures as well. Entries of other versions are
//! removed. When the run's result has its name, the folder is no longer needed.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use media::journal::{hash_file, hex};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_types::summary::PassRun;

use super::input::Recording;

/// In the folder of a pass: what it found, beside its files.
const FOUND_FILE: &str = "found.json";
const LOCK_FILE: &str = "lock";
/// They are as private as the recording: after a day nobody is expected to take them up.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// A pass by its name and version.
pub(super) type Pass = (&'static str, u32);

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    run: PassRun,
    found: T,
}

pub(super) struct Finished {
    top: PathBuf,
    folder: PathBuf,
    /// Held as long as the run works here.
    _lock: File,
}

impl Finished {
    /// Opens the folder of this input. `known` are the passes of today; what others left is removed.
    pub(super) fn open(top: &Path, recording: &Recording, also: &[&str], known: &[Pass]) -> io::Result<Self> {
        let folder = top.join(digest(recording, also)?);
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join(LOCK_FILE))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::Error(error) => error,
            fs::TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another run works on the same recording here")
            }
        })?;
        let known: Vec<String> = known.iter().map(|pass| entry(*pass)).collect();
        for found in fs::read_dir(&folder)? {
            let found = found?;
            let name = found.file_name();
            let stays = name == LOCK_FILE || known.iter().any(|known| name == known.as_str());
            if !stays {
                remove(&found.path())?;
            }
        }
        sweep_older(top, lock.metadata()?.modified()?)?;
        Ok(Self { top: top.to_owned(), folder, _lock: lock })
    }

    /// What a pass found before, if it is whole.
    pub(super) fn found<T: DeserializeOwned>(&self, pass: Pass) -> Option<(PassRun, T)> {
        let path = self.folder.join(entry(pass));
        let path = if path.is_dir() { path.join(FOUND_FILE) } else { path };
        let kept: Kept<T> = serde_json::from_reader(BufReader::new(File::open(path).ok()?)).ok()?;
        Some((kept.run, kept.found))
    }

    /// Keeps what a pass found.
    pub(super) fn keep<T: Serialize>(&self, pass: Pass, run: &PassRun, found: T) -> io::Result<()> {
        let part = self.part(pass);
        write_whole(&part, &Kept { run: run.clone(), found })?;
        fs::rename(part, self.folder.join(entry(pass)))
    }

    /// An empty folder for the files of a pass that begins.
    pub(super) fn begin_folder(&self, pass: Pass) -> io::Result<PathBuf> {
        let part = self.part(pass);
        remove(&part)?;
        fs::create_dir(&part)?;
        Ok(part)
    }

    /// Where the files of a finished pass lie.
    pub(super) fn files(&self, pass: Pass) -> PathBuf {
        self.folder.join(entry(pass))
    }

    /// Keeps what a pass found together with the files in its folder.
    pub(super) fn keep_folder<T: Serialize>(&self, pass: Pass, run: &PassRun, found: T) -> io::Result<()> {
        let part = self.part(pass);
        write_whole(&part.join(FOUND_FILE), &Kept { run: run.clone(), found })?;
        remove(&self.files(pass))?;
        fs::rename(part, self.files(pass))
    }

    /// The run is over and its result safe.
    pub(super) fn clear(self) -> io::Result<()> {
        remove(&self.folder)?;
        // Other inputs may still have their passes here, or another run has just removed it.
        match fs::remove_dir(&self.top) {
            Err(error) if !matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn part(&self, pass: Pass) -> PathBuf {
        self.folder.join(format!("{}.part", entry(pass)))
    }
}

/// Removes what runs under `top` left that nobody took up for a day. A folder that is not there holds nothing.
pub(crate) fn sweep(top: &Path) -> io::Result<()> {
    // The clock of the disk, by which the folders' age is told.
    let now = tempfile::tempfile_in(top).and_then(|file| file.metadata()?.modified());
    match now.and_then(|now| sweep_older(top, now)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        swept => swept,
    }
}

fn sweep_older(top: &Path, now: SystemTime) -> io::Result<()> {
    for found in fs::read_dir(top)? {
        let folder = found?.path();
        let Ok(lock) = File::open(folder.join(LOCK_FILE)) else { continue };
        let age = now.duration_since(lock.metadata()?.modified()?).unwrap_or_default();
        if age > KEPT_FOR && lock.try_lock().is_ok() {
            remove(&folder)?;
        }
    }
    Ok(())
}

fn entry((name, version): Pass) -> String {
    format!("{name}-{version}")
}

fn write_whole<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer(&mut file, value)?;
    file.flush()?;
    file.get_ref().sync_data()
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Of the recording's files and of what else decides what the passes find.
fn digest(recording: &Recording, also: &[&str]) -> io::Result<String> {
    let mut all = Sha256::new();
    for path in [Some(&recording.video), recording.events_path.as_ref(), recording.manifest_path.as_ref()] {
        let hash = path.map(|path| hash_file(path)).transpose()?.map(|hash| hash.sha256);
        all.update(hash.unwrap_or_default());
        all.update(b"\n");
    }
    for text in also {
        all.update(text);
        all.update(b"\n");
    }
    Ok(hex(&all.finalize())[..32].to_owned())
}

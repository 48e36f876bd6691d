//! Where a job works: a folder among the system's temporary ones, removed with the job. A worker that is killed leaves it
//! behind with a whole recording inside, so the next one to start looks for such folders. Whose job still runs is told by
//! a lock, which the system takes off whoever dies.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "pipeline-job-";
const LOCK: &str = "lock";

pub(super) struct JobFolder {
    folder: TempDir,
    _lock: File,
}

impl JobFolder {
    pub(super) fn new_in(top: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(top)?;
        let lock = File::create(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes what killed workers left, and tells how many folders that were. One without a lock may be about to get it.
pub(super) fn sweep(top: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(top)? {
        let path = entry?.path();
        let is_of_job = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        let Some(lock) = is_of_job.then(|| File::open(path.join(LOCK)).ok()).flatten() else { continue };
        // Of another user it cannot be removed, and is none of ours.
        if lock.try_lock().is_ok() && fs::remove_dir_all(&path).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_worker_left_is_removed_and_nothing_else() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        let running = JobFolder::new_in(top.path()).unwrap();
        let killed = JobFolder::new_in(top.path()).unwrap();
        let left = at("pipeline-job-left");
        fs::create_dir_all(left.join("take")).unwrap();
        fs::write(left.join("take/video.mp4"), "a recording").unwrap();
        // The system takes the lock off a process that dies; its folder stays.
        fs::rename(killed.path().join(LOCK), left.join(LOCK)).unwrap();
        drop(killed);
        fs::create_dir(at("pipeline-job-new")).unwrap();
        fs::create_dir(at("somebody-else")).unwrap();

        assert_eq!(sweep(top.path()).unwrap(), 1);
        assert!(!left.exists());
        assert!(running.path().exists() && at("pipeline-job-new").exists() && at("somebody-else").exists());
        assert_eq!(sweep(top.path()).unwrap(), 0);
    }
}

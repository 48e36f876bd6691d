//! Takes that wait to be sent, in the order in which they go.
//!
//! The order lies in `queue.json` in the recorder's data folder. A take leaves it when its server has confirmed it; one
//! that cannot be sent stays, and the next has its turn.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::spool::{Spool, SpoolError, replace_file};
use crate::submit::SubmitError;

const QUEUE_FILE: &str = "queue.json";
const LOCK_FILE: &str = "queue.lock";

/// What waits, the next one first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    takes: Vec<PathBuf>,
}

/// Where in the order a take is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    First,
    Last,
}

impl Queue {
    /// An empty one where none was kept yet.
    pub fn load(data_folder: &Path) -> Result<Self, SpoolError> {
        let path = data_folder.join(QUEUE_FILE);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| SpoolError::Disk { path, source: error.into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(SpoolError::Disk { path, source }),
        }
    }

    /// Changes the kept order in one move: whoever else wants to, in this program or another, waits. What fails changes
    /// nothing.
    pub fn change<T>(
        data_folder: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        let path = data_folder.join(LOCK_FILE);
        let locked = fs::create_dir_all(data_folder).and_then(|()| {
            let lock = fs::File::create(&path)?;
            lock.lock()?;
            Ok(lock)
        });
        let lock = locked.map_err(|source| SpoolError::Disk { path, source })?;
        let mut queue = Self::load(data_folder)?;
        let before = queue.clone();
        let told = change(&mut queue)?;
        if queue != before {
            queue.save(data_folder)?;
        }
        drop(lock);
        Ok(told)
    }

    fn save(&self, data_folder: &Path) -> Result<(), SpoolError> {
        let path = data_folder.join(QUEUE_FILE);
        let kept = fs::create_dir_all(data_folder)
            .and_then(|()| serde_json::to_vec_pretty(self).map_err(io::Error::from))
            .and_then(|text| replace_file(&path, &text));
        kept.map_err(|source| SpoolError::Disk { path, source })
    }

    pub fn takes(&self) -> &[PathBuf] {
        &self.takes
    }

    /// Puts a take at a place; one that waits already changes its place only when it is to be the first.
    pub fn add(&mut self, folder: &Path, place: Place) -> Result<(), SpoolError> {
        Spool::open(folder)?;
        let folder = fs::canonicalize(folder).map_err(|source| SpoolError::Disk { path: folder.to_owned(), source })?;
        let waits = self.takes.contains(&folder);
        match place {
            Place::Last if waits => {}
            Place::Last => self.takes.push(folder),
            Place::First => {
                self.takes.retain(|take| *take != folder);
                self.takes.insert(0, folder);
            }
        }
        Ok(())
    }

    /// Whether it waited. A folder that is gone can be named as it was.
    pub fn remove(&mut self, folder: &Path) -> bool {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let before = self.takes.len();
        self.takes.retain(|take| *take != real && take != folder);
        self.takes.len() < before
    }
}

/// Sends all that waits, in order, with `send`; gives the takes that could not be sent, each with the reason. A take
/// that was sent leaves the kept order at once; what was added meanwhile has its turn too.
pub fn send_all(
    data_folder: &Path,
    mut send: impl FnMut(&Path) -> Result<(), SubmitError>,
) -> Result<Vec<(PathBuf, SubmitError)>, SpoolError> {
    let mut failed: Vec<(PathBuf, SubmitError)> = Vec::new();
    loop {
        let queue = Queue::load(data_folder)?;
        let next = queue.takes.iter().find(|take| failed.iter().all(|(tried, _)| tried != *take));
        let Some(next) = next.cloned() else { return Ok(failed) };
        match send(&next) {
            Ok(()) => {
                Queue::change(data_folder, |queue| Ok(queue.remove(&next)))?;
            }
            Err(error) => {
                let is_over = error.is_cancelled();
                failed.push((next, error));
                if is_over {
                    return Ok(failed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(base: &Path, name: &str) -> PathBuf {
        let folder = base.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(shared_types::recording::MANIFEST_FILE), "{}").unwrap();
        fs::canonicalize(folder).unwrap()
    }

    #[test]
    fn takes_go_in_their_order_and_what_fails_stays_behind() {
        let base = tempfile::tempdir().unwrap();
        let data = base.path().join("data");
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| take(base.path(), name));
        assert_eq!(Queue::load(&data).unwrap().takes(), [] as [PathBuf; 0]);
        let add = |folder: &Path, place| Queue::change(&data, |queue| queue.add(folder, place));
        for (folder, place) in [(&a, Place::Last), (&b, Place::Last), (&a, Place::Last), (&c, Place::First)] {
            add(folder, place).unwrap();
        }
        assert!(matches!(add(&base.path().join("no take"), Place::Last), Err(SpoolError::NoRecording { .. })));
        assert_eq!(Queue::load(&data).unwrap().takes(), [c.clone(), a.clone(), b.clone()]);

        let mut sent = Vec::new();
        let failed = send_all(&data, |folder| {
            sent.push(folder.to_owned());
            if folder == a {
                add(&d, Place::Last).unwrap();
                return Err(SubmitError::Busy);
            }
            Ok(())
        });
        let failed = failed.unwrap();
        assert_eq!(sent, [c, a.clone(), b.clone(), d], "one that was added meanwhile goes too");
        assert!(matches!(&failed[..], [(folder, SubmitError::Busy)] if *folder == a));
        let mut left = Queue::load(&data).unwrap();
        assert_eq!(left.takes(), std::slice::from_ref(&a));
        fs::remove_dir_all(&a).unwrap();
        assert!(left.remove(&a) && !left.remove(&b), "a take that was deleted can still be taken out");
    }

    #[test]
    fn changes_at_once_do_not_undo_each_other() {
        let base = tempfile::tempdir().unwrap();
        let takes: Vec<_> = (0..8).map(|number| take(base.path(), &number.to_string())).collect();
        std::thread::scope(|scope| {
            for folder in &takes {
                scope.spawn(|| Queue::change(base.path(), |queue| queue.add(folder, Place::Last)).unwrap());
            }
        });
        let mut kept = Queue::load(base.path()).unwrap().takes().to_vec();
        kept.sort();
        assert_eq!(kept, takes);
    }

    #[test]
    fn stopping_ends_the_row() {
        let base = tempfile::tempdir().unwrap();
        let mut queue = Queue::default();
        let folders = ["a", "b"].map(|name| take(base.path(), name));
        for folder in &folders {
            queue.add(folder, Place::Last).unwrap();
        }
        queue.save(base.path()).unwrap();
        let mut asked = 0;
        let failed = send_all(base.path(), |_| {
            asked += 1;
            Err(SubmitError::Client(ingest_client::ClientError::Cancelled))
        });
        assert_eq!((asked, failed.unwrap().len()), (1, 1));
        assert_eq!(Queue::load(base.path()).unwrap(), queue);
    }
}

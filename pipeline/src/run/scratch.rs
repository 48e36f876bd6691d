//! Where a run works until its result is whole.
//!
//! A folder beside the result holds `result`, which takes the result's name at the end; whatever happens, the rest is
//! removed, on Ctrl-C as well. What finished passes found lies elsewhere ([`super::finished`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use tempfile::TempDir;

/// What a shell tells of a program that a signal ended: 128 and the signal's number.
const ENDED_BY: i32 = 128;

pub(super) struct Scratch {
    folder: TempDir,
    stop: Arc<AtomicBool>,
    signals: Handle,
}

impl Scratch {
    pub(super) fn beside(out: &Path) -> io::Result<Self> {
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix(".pipeline-").tempdir_in(parent)?;
        fs::create_dir(folder.path().join("result"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let signals = end_on_signal(folder.path().to_owned(), stop.clone())?;
        Ok(Self { folder, stop, signals })
    }

    pub(super) fn result(&self) -> PathBuf {
        self.folder.path().join("result")
    }

    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Gives the result its name. An earlier result of that name is gone a moment before.
    pub(super) fn publish(self, out: &Path) -> io::Result<()> {
        if out.exists() {
            fs::rename(out, self.folder.path().join("earlier"))?;
        }
        fs::rename(self.result(), out)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.signals.close();
    }
}

/// A model cannot be interrupted in the middle of a thought, so the process ends instead, with nothing left behind.
fn end_on_signal(folder: PathBuf, stop: Arc<AtomicBool>) -> io::Result<Handle> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = signals.handle();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            // What cannot be removed is a temporary folder with a dot before its name.
            drop(fs::remove_dir_all(&folder));
            std::process::exit(ENDED_BY + signal);
        }
    })?;
    Ok(handle)
}

//! Sending a take's video while it is being made, where the worker chose that.
//!
//! The file only grows, so its bytes can go as soon as they are there. `upload.json` remembers the upload from its first
//! byte on: handing the take in goes on with it, a cut ends it at its server, and so does deleting the take. The end of
//! the take stops it where it is. Whatever befalls it never touches the take.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use ingest_client::{Client, ClientError, FileSource, UploadObserver, Waiting, upload};
use shared_types::api::submission::Track;
use shared_types::id::AssignmentId;
use shared_types::recording::{RecordingStage, VIDEO_FILE};

use crate::submit::{SubmitError, SubmitProgress, TrackProgress, begin, lock, write_progress};

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where a take goes while it is being made.
#[derive(Clone)]
pub struct EarlyUpload {
    pub client: Client,
    pub assignment: AssignmentId,
}

impl std::fmt::Debug for EarlyUpload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "EarlyUpload to {} for {}", self.client.server(), self.assignment)
    }
}

/// An early upload under way; dropping it stops it.
pub(crate) struct Sending {
    cancel: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), SubmitError>>>,
}

impl Sending {
    pub(crate) fn start(folder: &Path, early: EarlyUpload) -> io::Result<Self> {
        let cancel = Arc::new(AtomicBool::new(false));
        let (folder, seen) = (folder.to_owned(), cancel.clone());
        let run = move || send(&folder, &early, &seen);
        let thread = Builder::new().name("early-upload".to_owned()).spawn(run)?;
        Ok(Self { cancel, thread: Some(thread) })
    }

    /// Why it ended before the take did; told once.
    pub(crate) fn failure(&mut self) -> Option<SubmitError> {
        self.thread.take_if(|thread| thread.is_finished())?.join().ok()?.err()
    }

    /// Lets it end while something else is done.
    pub(crate) fn stop(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop();
        // What it has to say no longer matters; a thread that panicked has said so.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn send(folder: &Path, early: &EarlyUpload, cancel: &AtomicBool) -> Result<(), SubmitError> {
    let path = folder.join(VIDEO_FILE);
    while !path.is_file() {
        if cancel.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let _lock = lock(folder)?;
    let mut progress = begin(folder, &early.client, early.assignment)?;
    progress.stage = progress.stage.advance(RecordingStage::Uploading)?;
    // The end of the take ends the sending, so the source never does by itself.
    let source = FileSource::growing(&path, Arc::default())?;
    let mut keeper = Keeper { folder: folder.to_owned(), progress };
    match upload(&early.client, &source, None, &mut keeper, cancel) {
        Ok(_) | Err(ClientError::Cancelled) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Keeps the upload's id before its first byte is sent.
struct Keeper {
    folder: PathBuf,
    progress: SubmitProgress,
}

impl UploadObserver for Keeper {
    fn created(&mut self, upload_id: &str) -> io::Result<()> {
        self.progress.uploads.insert(Track::Video, TrackProgress::growing(upload_id));
        write_progress(&self.folder, &self.progress)
    }

    fn sent(&mut self, _: u64, _: Option<u64>) {}

    fn waiting(&mut self, _: &Waiting) {}
}

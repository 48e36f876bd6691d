//! Sending a take's video while it is being made, where the worker chose that.
//!
//! The file only grows, so its bytes can go as soon as they are there. `upload.json` remembers the upload from its first
//! byte on: handing the take in goes on with it, a cut ends it at its server, and so does deleting the take. The end of
//! the take stops it where it is, and leaves a connection that does not answer to itself. Whatever befalls it never touches
//! the take.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use ingest_client::upload::terminate;
use ingest_client::{Client, ClientError, FileSource, UploadObserver, Waiting, upload};
use shared_types::api::submission::Track;
use shared_types::id::AssignmentId;
use shared_types::recording::{RecordingStage, VIDEO_FILE};

use crate::submit::{SubmitError, SubmitProgress, TrackProgress, begin, lock, write_progress};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the end of the take waits for a request that is under way. A server that is gone may take a minute.
const GOODBYE: Duration = Duration::from_secs(2);

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
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<(), SubmitError>>>,
    /// Nothing ever comes of it; it is over with the thread.
    over: Receiver<()>,
}

#[derive(Default)]
struct Shared {
    cancel: AtomicBool,
    /// That of the handing in, and whether it may still be had. Without it nothing in the folder is touched.
    lock: Mutex<Lock>,
}

#[derive(Default)]
enum Lock {
    #[default]
    Untaken,
    Held(#[expect(dead_code, reason = "it is held")] File),
    LetGo,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lock> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    pub(crate) fn start(folder: &Path, early: EarlyUpload) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (folder, seen) = (folder.to_owned(), shared.clone());
        let (alive, over) = bounded(0);
        let run = move || {
            let sent = send(&folder, &early, &seen);
            *seen.lock() = Lock::LetGo;
            drop(alive);
            sent
        };
        let thread = Builder::new().name("early-upload".to_owned()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread), over })
    }

    /// Why it ended before the take did; told once.
    pub(crate) fn failure(&mut self) -> Option<SubmitError> {
        self.thread.take_if(|thread| thread.is_finished())?.join().ok()?.err()
    }

    /// Lets it end while something else is done.
    pub(crate) fn stop(&self) {
        self.shared.cancel.store(true, Ordering::Relaxed);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop();
        if self.over.recv_timeout(GOODBYE) == Err(RecvTimeoutError::Timeout) {
            // The take is no longer its own, and may be handed in, cut or deleted.
            *self.shared.lock() = Lock::LetGo;
        } else {
            // What it has to say no longer matters; a thread that panicked has said so.
            drop(self.thread.take().map(JoinHandle::join));
        }
    }
}

fn send(folder: &Path, early: &EarlyUpload, shared: &Arc<Shared>) -> Result<(), SubmitError> {
    let path = folder.join(VIDEO_FILE);
    let cancel = &shared.cancel;
    while !path.is_file() {
        if cancel.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    match &mut *shared.lock() {
        untaken @ Lock::Untaken => *untaken = Lock::Held(lock(folder)?),
        _ => return Ok(()),
    }
    let mut progress = begin(folder, &early.client, early.assignment)?;
    progress.stage = progress.stage.advance(RecordingStage::Uploading)?;
    // The end of the take ends the sending, so the source never does by itself.
    let source = FileSource::growing(&path, Arc::default())?;
    let mut keeper =
        Keeper { folder: folder.to_owned(), progress, shared: shared.clone(), client: early.client.clone() };
    match upload(&early.client, &source, None, &mut keeper, cancel) {
        Ok(_) | Err(ClientError::Cancelled) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Keeps the upload's id before its first byte is sent.
struct Keeper {
    folder: PathBuf,
    progress: SubmitProgress,
    shared: Arc<Shared>,
    client: Client,
}

impl UploadObserver for Keeper {
    fn created(&mut self, upload_id: &str) -> io::Result<()> {
        let lock = self.shared.lock();
        if !matches!(*lock, Lock::Held(_)) {
            drop(lock);
            // Nobody else knows of it; one that cannot be ended now holds no byte, and runs out at the server.
            drop(terminate(&self.client, upload_id));
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.progress.keep(Track::Video, TrackProgress::growing(upload_id));
        write_progress(&self.folder, &self.progress)
    }

    fn sent(&mut self, _: u64, _: Option<u64>) {}

    fn waiting(&mut self, _: &Waiting) {}
}

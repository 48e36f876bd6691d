//! The first look at a recording: every device measure, the voice, the pictures worth keeping, the fingerprints.
//!
//! This is where hostile bytes meet a parser, so it happens in a limited child process ([`child`]), which leaves pictures
//! and sound in a folder of ours; if it dies or stalls, the file counts as damaged and the pipeline goes on.

pub mod child;
mod pick;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use shared_types::fingerprint::Fingerprints;
use shared_types::quality::measurements::{FileMeasures, FileState, Measurements};

pub use pick::Want;

use super::limited::{ChildError, Limited};
use super::trace::Trace;
use super::voice::VoiceFile;

pub const NAME: &str = "inspect";
pub const VERSION: u32 = 7;

const VOICE_FILE: &str = "voice.f32";
const TRACE_FILE: &str = "trace.json";

/// What the child is to do, and in which folder it leaves what it finds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    pub video: PathBuf,
    pub events: Option<PathBuf>,
    pub manifest: Option<PathBuf>,
    /// Pictures to keep. Without input events nobody knows what was done: then a trace of the screen is left instead,
    /// with the pictures before and after whatever happened on it.
    pub wants: Vec<Want>,
    pub folder: PathBuf,
}

/// What the child found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Findings {
    pub measurements: Measurements,
    pub fingerprints: Fingerprints,
    /// Files in the folder, with the time from which each picture stood.
    pub pictures: Vec<KeptPicture>,
    /// For each want the index of its picture.
    pub wanted: Vec<Option<usize>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptPicture {
    /// From when it was shown, and when it was kept: it had stood still by then, or something was about to change it.
    pub t: f64,
    pub kept_at: f64,
    /// A page that stood still, and not soon after another one.
    pub is_page: bool,
    pub file: String,
}

/// Runs the child over one recording. `progress` is told the seconds of the recording that are done.
pub fn inspect(
    program: &Path,
    task: &Task,
    stop: &AtomicBool,
    progress: impl FnMut(f64),
) -> Result<Findings, ChildError> {
    let disk = |source| ChildError::Disk { path: task.video.clone(), source };
    let bytes = fs::metadata(&task.video).map_err(disk)?.len();
    let found = Limited { program, command: child::COMMAND, folder: &task.folder, stop }.run(task, progress)?;
    Ok(found.unwrap_or_else(|| damaged(bytes)))
}

/// The voice the child left.
pub fn open_voice(folder: &Path) -> io::Result<VoiceFile> {
    VoiceFile::open(&folder.join(VOICE_FILE))
}

/// The trace the child left; an empty one where there is none.
pub fn read_trace(folder: &Path) -> io::Result<Trace> {
    match fs::read(folder.join(TRACE_FILE)) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Trace::default()),
        Err(error) => Err(error),
    }
}

/// A file that brings its reader down is a damaged file.
fn damaged(bytes: u64) -> Findings {
    let file = FileMeasures { bytes, state: FileState::Corrupt, ..FileMeasures::default() };
    Findings { measurements: Measurements { file, ..Measurements::default() }, ..Findings::default() }
}

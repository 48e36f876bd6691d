//! The first look at a recording: every device measure, the voice, the pictures worth keeping, the fingerprints.
//!
//! This is where hostile bytes meet a parser, so it happens in a child process ([`child`]) that has given up memory,
//! time and files beforehand. The child leaves its findings in a folder of ours; if it dies or stalls, the file counts
//! as damaged and the pipeline goes on.

pub mod child;
pub(super) mod limits;
mod pick;
#[cfg(all(test, unix))]
mod tests;

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shared_types::fingerprint::Fingerprints;
use shared_types::quality::measurements::{FileMeasures, FileState, Measurements};

pub use pick::Want;

use super::trace::Trace;

pub const NAME: &str = "inspect";
pub const VERSION: u32 = 2;

/// Without a sign of life for this long the child is ended. Each second of a recording is one.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often is looked whether a child without a voice has ended.
const END_LOOK: Duration = Duration::from_millis(20);
const FINDINGS_FILE: &str = "findings.json";
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

#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error("the inspecting process could not be started: {0}")]
    Start(io::Error),
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
    #[error("stopped")]
    Stopped,
}

/// Runs the child over one recording. `progress` is told the seconds of the recording that are done.
pub fn inspect(
    program: &Path,
    task: &Task,
    stop: &AtomicBool,
    mut progress: impl FnMut(f64),
) -> Result<Findings, InspectError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| InspectError::Disk { path, source }
    };
    let bytes = fs::metadata(&task.video).map_err(disk(&task.video))?.len();
    let task_path = task.folder.join("task.json");
    let text = serde_json::to_vec(task).map_err(|error| InspectError::Start(error.into()))?;
    fs::write(&task_path, text).map_err(disk(&task_path))?;
    let child = Command::new(program)
        .arg(child::COMMAND)
        .arg(&task_path)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(InspectError::Start)?;
    let finished = watch(child, stop, &mut progress)?;
    let findings = task.folder.join(FINDINGS_FILE);
    let read = finished
        .then(|| fs::read(&findings).ok().and_then(|text| serde_json::from_slice::<Findings>(&text).ok()))
        .flatten();
    Ok(read.unwrap_or_else(|| damaged(bytes)))
}

/// The voice the child left, as 16 kHz mono.
pub fn read_voice(folder: &Path) -> io::Result<Vec<f32>> {
    let path = folder.join(VOICE_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(path)?;
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
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

/// Whether the child came to its end by itself and well.
pub(super) fn watch(child: Child, stop: &AtomicBool, progress: &mut impl FnMut(f64)) -> Result<bool, InspectError> {
    watch_for(child, stop, progress, PATIENCE)
}

fn watch_for(
    mut child: Child,
    stop: &AtomicBool,
    progress: &mut impl FnMut(f64),
    patience: Duration,
) -> Result<bool, InspectError> {
    let Some(stdout) = child.stdout.take() else { return Ok(false) };
    let (sink, lines) = sync_channel(16);
    let reader = std::thread::Builder::new()
        .name("inspect-progress".to_owned())
        .spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sink.send(line).is_err() {
                    return;
                }
            }
        })
        .map_err(InspectError::Start)?;
    let mut heard = Instant::now();
    let ended = loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => {
                heard = Instant::now();
                if let Ok(secs) = line.parse() {
                    progress(secs);
                }
            }
            // Silent for good; it ends now, or it has closed its mouth and goes on.
            Err(RecvTimeoutError::Disconnected) => match child.try_wait().map_err(InspectError::Start)? {
                Some(_) => break Ok(true),
                None => std::thread::park_timeout(END_LOOK),
            },
            Err(RecvTimeoutError::Timeout) => {}
        }
        if heard.elapsed() > patience {
            break Ok(false);
        }
        if stop.load(Ordering::Relaxed) {
            break Err(InspectError::Stopped);
        }
    };
    if !matches!(ended, Ok(true)) {
        // It may have ended in this moment; then there is nothing to kill.
        drop(child.kill());
    }
    let status = child.wait().map_err(InspectError::Start)?;
    drop(lines);
    // The reader ends with the child's output.
    drop(reader.join());
    ended.map(|ended| ended && status.success())
}

//! A process of its own in which bytes that nobody trusts meet a parser: it has given up memory, time and files beforehand
//! ([`limits`]).
//!
//! The parent leaves a task in a folder and starts this program again with a hidden command; the child does the task,
//! tells each second of the recording that is done, and leaves its outcome in the same folder. One that dies or stalls
//! leaves none, and what that means the pass decides. One that fails for a reason of this machine says so: that is no
//! fault of the recording.

mod limits;
#[cfg(all(test, unix))]
mod tests;

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::usage;

/// Without a sign of life for this long the child is ended. Each second of a recording is one.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often is looked whether a child without a voice has ended.
const END_LOOK: Duration = Duration::from_millis(20);
const TASK_FILE: &str = "task.json";
const OUTCOME_FILE: &str = "outcome.json";

#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error("the process that opens the recording could not be started: {0}")]
    Start(io::Error),
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
    /// Not the recording's fault; may work another time.
    #[error("the recording could not be opened here: {0}. It is not at fault; mend that and do it again")]
    Failed(String),
    #[error("stopped")]
    Stopped,
}

/// What a child leaves.
#[derive(Serialize, Deserialize)]
pub struct Left<O> {
    /// Or why the machine did not let it do the task.
    pub outcome: Result<O, String>,
    pub peak_memory_bytes: u64,
}

/// How a child came to its end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Well,
    /// By itself, and sorry for it.
    Failed,
    /// By a signal, a panic, or because it stalled.
    Died,
}

/// The status with which this program ends after an error; a panic has another.
const SORRY: i32 = 1;

/// Where and how a child works.
pub(super) struct Limited<'a> {
    /// This very program.
    pub(super) program: &'a Path,
    /// The hidden command that does the task.
    pub(super) command: &'static str,
    /// Holds the task, the outcome, and whatever else the child leaves.
    pub(super) folder: &'a Path,
    pub(super) stop: &'a AtomicBool,
}

impl Limited<'_> {
    /// Does one task. `None` where the child died, stalled, or left nothing of the right form.
    pub(super) fn run<T: Serialize, O: DeserializeOwned>(
        &self,
        task: &T,
        mut progress: impl FnMut(f64),
    ) -> Result<Option<O>, ChildError> {
        let (task_path, outcome_path) = (self.folder.join(TASK_FILE), self.folder.join(OUTCOME_FILE));
        let text = serde_json::to_vec(task).map_err(|error| ChildError::Start(error.into()))?;
        fs::write(&task_path, text).map_err(|source| ChildError::Disk { path: task_path.clone(), source })?;
        let child = Command::new(self.program)
            .arg(self.command)
            .arg(&task_path)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(ChildError::Start)?;
        let end = watch(child, self.stop, &mut progress, PATIENCE);
        let left = fs::read(&outcome_path).ok().and_then(|text| serde_json::from_slice::<Left<O>>(&text).ok());
        for path in [&task_path, &outcome_path] {
            // The outcome is not there where the child died.
            drop(fs::remove_file(path));
        }
        match (end?, left) {
            (End::Well, Some(Left { outcome, peak_memory_bytes })) => {
                usage::note_child(peak_memory_bytes);
                outcome.map(Some).map_err(ChildError::Failed)
            }
            (End::Failed, _) => {
                Err(ChildError::Failed("its outcome could not be written; the disk may be full".to_owned()))
            }
            (End::Well, None) | (End::Died, _) => Ok(None),
        }
    }
}

/// Waits for the child's end, and ends it where it stalls.
fn watch(
    mut child: Child,
    stop: &AtomicBool,
    progress: &mut impl FnMut(f64),
    patience: Duration,
) -> Result<End, ChildError> {
    let Some(stdout) = child.stdout.take() else { return Ok(End::Died) };
    let (sink, lines) = sync_channel(16);
    let reader = std::thread::Builder::new()
        .name("child-progress".to_owned())
        .spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sink.send(line).is_err() {
                    return;
                }
            }
        })
        .map_err(ChildError::Start)?;
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
            Err(RecvTimeoutError::Disconnected) => match child.try_wait().map_err(ChildError::Start)? {
                Some(_) => break Ok(true),
                None => std::thread::park_timeout(END_LOOK),
            },
            Err(RecvTimeoutError::Timeout) => {}
        }
        if heard.elapsed() > patience {
            break Ok(false);
        }
        if stop.load(Ordering::Relaxed) {
            break Err(ChildError::Stopped);
        }
    };
    if !matches!(ended, Ok(true)) {
        // It may have ended in this moment; then there is nothing to kill.
        drop(child.kill());
    }
    let status = child.wait().map_err(ChildError::Start)?;
    drop(lines);
    // The reader ends with the child's output.
    drop(reader.join());
    ended.map(|by_itself| match status.code() {
        Some(0) if by_itself => End::Well,
        Some(SORRY) if by_itself => End::Failed,
        _ => End::Died,
    })
}

/// In the child: gives up what it does not need, then does the task and leaves the outcome.
pub(super) fn work<T: DeserializeOwned, O: Serialize>(
    task_path: &Path,
    work: impl FnOnce(T) -> io::Result<O>,
) -> io::Result<()> {
    let done = || {
        limits::lower()?;
        work(serde_json::from_slice(&fs::read(task_path)?)?)
    };
    let outcome = done().map_err(|error| error.to_string());
    let left = Left { outcome, peak_memory_bytes: usage::own_peak_memory_bytes() };
    fs::write(task_path.with_file_name(OUTCOME_FILE), serde_json::to_vec(&left)?)
}

/// The child's signs of life, one a second of the recording.
pub(super) struct Pulse {
    told: f64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { told: -1.0 }
    }
}

impl Pulse {
    /// Breaks when the parent is gone: then nobody wants the outcome.
    pub(super) fn tell(&mut self, secs: f64) -> ControlFlow<()> {
        if secs - self.told < 1.0 {
            return ControlFlow::Continue(());
        }
        self.told = secs;
        let mut stdout = io::stdout();
        match writeln!(stdout, "{secs:.1}").and_then(|()| stdout.flush()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

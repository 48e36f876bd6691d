//! The limited child process that writes a recording anew without what is to go.

use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use media::decode::Picture;
use media::demux::DemuxError;
use media::rewrite::{Covering, RewriteError, rewrite};
use shared_types::quality::measurements::Span;
use shared_types::step::PixelBox;

use super::cover::{Cover, Matcher};
use super::recording::{OUTCOME_FILE, Outcome, Task};
use crate::passes::inspect::limits;

/// Name of the hidden command that runs the child.
pub const COMMAND: &str = "redact-child";

/// Runs the task described in a file.
pub fn run(task_path: &Path) -> io::Result<()> {
    limits::lower()?;
    let task: Task = serde_json::from_slice(&fs::read(task_path)?)?;
    let mut covered = Covered::new(&task.cover);
    let outcome = match rewrite(&task.video, &task.out, &mut covered) {
        Ok((fragments, file)) => Outcome::Made { fragments, file },
        Err(RewriteError::Read(DemuxError::Io(error))) => Outcome::Failed { reason: error.to_string() },
        Err(RewriteError::Read(_) | RewriteError::NoPicture) => Outcome::NothingPlays,
        Err(error) => Outcome::Failed { reason: error.to_string() },
    };
    let text = serde_json::to_vec(&outcome)?;
    fs::write(task_path.with_file_name(OUTCOME_FILE), text)
}

struct Covered {
    matcher: Matcher,
    mutes: Vec<Span>,
    told: f64,
}

impl Covered {
    fn new(cover: &Cover) -> Self {
        Self { matcher: cover.matcher(), mutes: cover.mutes.clone(), told: -1.0 }
    }
}

impl Covering for Covered {
    fn boxes(&mut self, picture: &mut Picture<'_>) -> Vec<PixelBox> {
        self.matcher.of_picture(picture)
    }

    fn muted(&self) -> &[Span] {
        &self.mutes
    }

    fn progress(&mut self, secs: f64) -> ControlFlow<()> {
        if secs - self.told >= 1.0 {
            self.told = secs;
            let mut stdout = io::stdout();
            if writeln!(stdout, "{secs:.1}").and_then(|()| stdout.flush()).is_err() {
                // The parent is gone; nobody wants the recording.
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

//! The limited child process that writes a recording anew without what is to go.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use media::decode::Picture;
use media::demux::DemuxError;
use media::rewrite::{Covering, RewriteError, rewrite};
use shared_types::quality::measurements::Span;
use shared_types::step::PixelBox;

use super::cover::{Cover, Matcher};
use super::recording::{Made, Task};
use crate::passes::limited::{self, Pulse};

/// Name of the hidden command that runs the child.
pub const COMMAND: &str = "redact-child";

/// Runs the task described in a file.
pub fn run(task_path: &Path) -> io::Result<()> {
    limited::work(task_path, |task| made(&task))
}

/// `None` is the recording's doing, an error this machine's.
fn made(task: &Task) -> io::Result<Option<Made>> {
    let mut covered = Covered::new(&task.cover);
    match rewrite(&task.video, &task.out, &mut covered) {
        Ok((fragments, file)) => Ok(Some(Made { fragments, file })),
        Err(RewriteError::Read(DemuxError::Io(error))) => Err(error),
        Err(RewriteError::Read(_) | RewriteError::NoPicture) => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

struct Covered {
    matcher: Matcher,
    mutes: Vec<Span>,
    pulse: Pulse,
}

impl Covered {
    fn new(cover: &Cover) -> Self {
        Self { matcher: cover.matcher(), mutes: cover.mutes.clone(), pulse: Pulse::default() }
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
        self.pulse.tell(secs)
    }
}

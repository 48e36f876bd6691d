//! The limited child process: decodes once and makes copy, sprite and waveform on the way.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use media::decode::{Picture, Sink, Sound, decode};
use media::demux::{DemuxError, Demuxer, length_secs};
use media::playback::{PlaybackWriteError, PlaybackWriter};
use media::time::MediaTime;
use shared_types::quality::measurements::Span;

use super::sprite::Sprite;
use super::waveform::Outline;
use super::{Made, PLAYBACK_FILE, Task, WAVEFORM_FILE};
use crate::passes::limited::{self, Pulse};
use crate::passes::redact::cover::Matcher;

/// Name of the hidden command that runs the child.
pub const COMMAND: &str = "playback-child";

#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error(transparent)]
    Read(#[from] DemuxError),
    #[error(transparent)]
    Write(#[from] PlaybackWriteError),
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Runs the task described in a file.
pub fn run(task_path: &Path) -> io::Result<()> {
    limited::work(task_path, |task| made(&task))
}

/// `None` is the recording's doing, an error this machine's.
fn made(task: &Task) -> io::Result<Option<Made>> {
    match make(task) {
        Ok(has_sprite) => Ok(Some(Made { has_sprite })),
        Err(MakeError::Read(DemuxError::Io(error)) | MakeError::Disk(error)) => Err(error),
        Err(MakeError::Read(_) | MakeError::Write(PlaybackWriteError::Nothing)) => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Tells whether there is a sprite.
fn make(task: &Task) -> Result<bool, MakeError> {
    let secs = length_secs(&task.video)?;
    let mut demuxer = Demuxer::open(&task.video)?;
    let writer = PlaybackWriter::create(&task.folder.join(PLAYBACK_FILE), demuxer.has_audio())?;
    let mut maker = Maker {
        writer,
        sprite: Sprite::new(secs),
        outline: Outline::new(secs),
        matcher: task.cover.matcher(),
        mutes: task.cover.mutes.clone(),
        pulse: Pulse::default(),
        failed: Ok(()),
    };
    let report = decode(&mut demuxer, &mut maker)?;
    maker.failed?;
    maker.sprite.catch_up(&mut maker.writer, report.end_secs);
    maker.writer.finish(MediaTime::from_secs(report.end_secs))?;
    let waveform = serde_json::to_vec(&maker.outline.finish()).map_err(io::Error::from)?;
    fs::write(task.folder.join(WAVEFORM_FILE), waveform)?;
    Ok(maker.sprite.save(&task.folder)?)
}

struct Maker {
    writer: PlaybackWriter,
    sprite: Sprite,
    outline: Outline,
    matcher: Matcher,
    mutes: Vec<Span>,
    pulse: Pulse,
    failed: Result<(), PlaybackWriteError>,
}

impl Maker {
    fn take_sound(&mut self, sound: &Sound<'_>) {
        self.outline.push(sound);
        self.failed = self.writer.sound(sound);
    }

    fn go_on(&mut self, secs: f64) -> ControlFlow<()> {
        if self.failed.is_err() {
            return ControlFlow::Break(());
        }
        self.pulse.tell(secs)
    }
}

impl Sink for Maker {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let secs = picture.t.secs();
        self.sprite.catch_up(&mut self.writer, secs);
        let covered = self.matcher.of_picture(picture);
        self.failed = self.writer.picture(picture, &covered);
        self.go_on(secs)
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        match sound.muted(&self.mutes) {
            None => self.take_sound(sound),
            Some(channels) => {
                let channels = channels.iter().map(Vec::as_slice).collect();
                self.take_sound(&Sound { t: sound.t, rate_hz: sound.rate_hz, channels, voice: &[] });
            }
        }
        self.go_on(sound.t)
    }
}

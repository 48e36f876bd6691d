//! A recording of which something must go: decoded, covered and encoded anew, as another append-only file of the same
//! form. Nothing of the old file's bytes is in the new one.

use std::ops::ControlFlow;
use std::path::Path;

use shared_types::quality::measurements::Span;
use shared_types::recording::{FileHash, Fragment};
use shared_types::step::PixelBox;

use crate::decode::{Picture, Sink, Sound, decode};
use crate::demux::{DemuxError, Demuxer};
use crate::encode::h264::H264Encoder;
use crate::encode::opus::{OPUS_FRAME_SAMPLES, OPUS_RATE_HZ, OpusEncoder};
use crate::encode::{EncodeError, EncodedPacket};
use crate::journal::Journal;
use crate::mux::{FragmentWriter, MuxError};
use crate::sound_line::SoundLine;
use crate::time::MediaTime;

/// Rate the encoder plans with; the stamps are the recording's own.
const PLANNED_FPS: u32 = 30;
/// A fragment begins with a key picture about this often, as in a recording.
const KEY_SECS: f64 = 1.0;

#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    #[error(transparent)]
    Read(#[from] DemuxError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Write(#[from] MuxError),
    #[error("the sound could not be brought to another rate: {0}")]
    Sound(#[from] ffmpeg_next::Error),
    #[error("the new recording could not be written: {0}")]
    Disk(#[from] std::io::Error),
    #[error("there is no picture in the recording")]
    NoPicture,
    #[error("stopped")]
    Stopped,
}

/// What is to be covered, asked for as the recording goes by.
pub trait Covering {
    /// Boxes of this picture, in its own pixels.
    fn boxes(&mut self, picture: &mut Picture<'_>) -> Vec<PixelBox>;
    /// Stretches of the sound.
    fn muted(&self) -> &[Span];
    /// How far it is, in seconds of the recording; `Break` ends it.
    fn progress(&mut self, secs: f64) -> ControlFlow<()>;
}

/// Writes `to`, which must not exist, and tells its fragments and hash.
pub fn rewrite(from: &Path, to: &Path, covering: &mut dyn Covering) -> Result<(Vec<Fragment>, FileHash), RewriteError> {
    let mut demuxer = Demuxer::open(from)?;
    let sound = if demuxer.has_audio() {
        Some(SoundTrack { encoder: OpusEncoder::open()?, line: SoundLine::new(OPUS_RATE_HZ) })
    } else {
        None
    };
    let mut writer = Rewriter { journal: Some(Journal::create(to)?), covering, picture: None, sound, failed: Ok(()) };
    let report = decode(&mut demuxer, &mut writer)?;
    writer.failed?;
    let Rewriter { picture, sound, .. } = writer;
    let (Some(mut picture), mut sound) = (picture, sound) else { return Err(RewriteError::NoPicture) };
    for packet in picture.encoder.finish()? {
        picture.file.video(packet)?;
    }
    if let Some(sound) = sound.as_mut() {
        sound.line.fill(OPUS_FRAME_SAMPLES);
        sound.write(&mut picture.file)?;
        for packet in sound.encoder.finish()? {
            picture.file.audio(packet)?;
        }
    }
    Ok(picture.file.finish(MediaTime::from_secs(report.end_secs))?)
}

struct Rewriter<'a> {
    journal: Option<Journal>,
    covering: &'a mut dyn Covering,
    picture: Option<PictureTrack>,
    sound: Option<SoundTrack>,
    failed: Result<(), RewriteError>,
}

struct PictureTrack {
    encoder: H264Encoder,
    file: FragmentWriter,
    last_key: f64,
}

struct SoundTrack {
    encoder: OpusEncoder,
    line: SoundLine,
}

impl SoundTrack {
    fn write(&mut self, file: &mut FragmentWriter) -> Result<(), RewriteError> {
        while let Some(block) = self.line.block(OPUS_FRAME_SAMPLES) {
            for packet in self.encoder.encode(&block)? {
                file.audio(packet)?;
            }
        }
        Ok(())
    }
}

impl Rewriter<'_> {
    fn take_picture(&mut self, picture: &mut Picture<'_>) -> Result<(), RewriteError> {
        let boxes = self.covering.boxes(picture);
        let secs = picture.t.secs();
        if self.picture.is_none() {
            let (width, height) = picture.size();
            let even = |side: u32| (side & !1).max(2);
            let (encoder, _) = H264Encoder::open(even(width), even(height), PLANNED_FPS)?;
            let journal = self.journal.take().ok_or(RewriteError::NoPicture)?;
            let sound = self.sound.as_ref().map(|track| &track.encoder);
            let file = FragmentWriter::create(journal, &encoder, sound, PLANNED_FPS)?;
            self.picture = Some(PictureTrack { encoder, file, last_key: f64::NEG_INFINITY });
        }
        let Some(track) = self.picture.as_mut() else { return Ok(()) };
        let key = secs - track.last_key >= KEY_SECS;
        if key {
            track.last_key = secs;
        }
        let packets: Vec<EncodedPacket> = track.encoder.encode_decoded(picture, &boxes, key)?;
        for packet in packets {
            track.file.video(packet)?;
        }
        // Sound from before the first picture waited for the file.
        self.sound.as_mut().map_or(Ok(()), |sound| sound.write(&mut track.file))
    }

    fn take_sound(&mut self, sound: &Sound<'_>) -> Result<(), RewriteError> {
        let Some(track) = self.sound.as_mut() else { return Ok(()) };
        match sound.muted(self.covering.muted()) {
            None => track.line.push(sound)?,
            Some(channels) => {
                let channels = channels.iter().map(Vec::as_slice).collect();
                track.line.push(&Sound { t: sound.t, rate_hz: sound.rate_hz, channels, voice: &[] })?;
            }
        }
        self.picture.as_mut().map_or(Ok(()), |picture| track.write(&mut picture.file))
    }

    fn go_on(&mut self, outcome: Result<(), RewriteError>, secs: f64) -> ControlFlow<()> {
        self.failed = outcome;
        if self.failed.is_err() {
            return ControlFlow::Break(());
        }
        let flow = self.covering.progress(secs);
        if flow.is_break() {
            self.failed = Err(RewriteError::Stopped);
        }
        flow
    }
}

impl Sink for Rewriter<'_> {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let secs = picture.t.secs();
        let outcome = self.take_picture(picture);
        self.go_on(outcome, secs)
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        let outcome = self.take_sound(sound);
        self.go_on(outcome, sound.t)
    }
}

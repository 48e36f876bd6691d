//! The playback copy of a recording: an MP4 whose index comes first, H.264 and AAC, so that a browser can play it from
//! the first bytes and jump anywhere.
//!
//! Times stay those of the recording: what is still is shown on, what decodes is kept, and what does not leaves the last
//! picture standing. The file is written under a temporary name; the index can only be put first when all else is there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ff::format::context::Output;
use ffmpeg_next as ff;
use shared_types::step::PixelBox;

use crate::decode::{Picture, Sound};
use crate::encode::aac::{AAC_FRAME_SAMPLES, AAC_RATE_HZ, AacEncoder};
use crate::encode::h264::{VIDEO_TICKS, video_ticks};
use crate::encode::playback::PlaybackEncoder;
use crate::encode::{EncodeError, EncodedPacket, init};
use crate::frame::RgbFrame;
use crate::sound_line::SoundLine;
use crate::time::MediaTime;

/// Pictures closer together than this are thinned out: more than 40 a second show nothing new of a screen.
const MIN_FRAME_TICKS: i64 = VIDEO_TICKS as i64 / 40;
/// A jump lands at most this far from a picture that decoding can begin with.
const KEY_TICKS: i64 = VIDEO_TICKS as i64 * 2;
/// Stamps that jump further than this are damage, not stillness.
const MAX_GAP_TICKS: i64 = VIDEO_TICKS as i64 * 3600;

#[derive(Debug, thiserror::Error)]
pub enum PlaybackWriteError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the playback copy could not be written: {0}")]
    Format(#[from] ff::Error),
    #[error("the playback copy could not be written: {0}")]
    Disk(#[from] io::Error),
    #[error("nothing in the recording can be played")]
    Nothing,
}

pub struct PlaybackWriter {
    path: PathBuf,
    partial: PathBuf,
    picture: Option<PictureTrack>,
    sound: Option<SoundTrack>,
    output: Option<Output>,
    /// Sound from before the file could be opened: its index needs the first picture's size.
    waiting: Vec<ff::Packet>,
}

struct PictureTrack {
    encoder: PlaybackEncoder,
    /// When the last encoded picture begins, and the last that decoding can begin with.
    last_ticks: i64,
    key_ticks: i64,
    /// The shown picture came too soon after the last and is not encoded.
    skipped: bool,
    /// The packet whose length is not known before the next one comes.
    held: Option<ff::Packet>,
}

struct SoundTrack {
    encoder: AacEncoder,
    line: SoundLine,
}

impl PlaybackWriter {
    /// Prepares a copy at `path`; `has_sound` tells whether the recording declares a track of sound.
    pub fn create(path: &Path, has_sound: bool) -> Result<Self, PlaybackWriteError> {
        init();
        let partial = path.with_extension("part");
        if partial.to_str().is_none() {
            // The bindings take names as text alone.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the folder's name is not Unicode").into());
        }
        let sound = if has_sound {
            Some(SoundTrack { encoder: AacEncoder::open()?, line: SoundLine::new(AAC_RATE_HZ) })
        } else {
            None
        };
        Ok(Self { path: path.to_owned(), partial, picture: None, sound, output: None, waiting: Vec::new() })
    }

    /// Size of the copy's picture, once there is one.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.picture.as_ref().map(|track| track.encoder.size())
    }

    /// The picture shown last, in another size.
    pub fn thumbnail(&mut self, width: u32, height: u32) -> Option<RgbFrame> {
        let track = self.picture.as_mut()?;
        let t = MediaTime::from_secs(track.last_ticks as f64 / f64::from(VIDEO_TICKS));
        track.encoder.thumbnail(width, height, t)
    }

    /// Shows a picture, with boxes of it (in its own pixels) filled.
    pub fn picture(&mut self, picture: &Picture<'_>, covered: &[PixelBox]) -> Result<(), PlaybackWriteError> {
        let ticks = video_ticks(picture.t);
        let Some(track) = self.picture.as_mut() else {
            return self.first_picture(picture, covered);
        };
        if ticks <= track.last_ticks || ticks - track.last_ticks >= MAX_GAP_TICKS {
            return Ok(());
        }
        self.show_on(ticks)?;
        let Some(track) = self.picture.as_mut() else { return Ok(()) };
        track.encoder.show(picture.frame(), covered);
        track.skipped = ticks - track.last_ticks < MIN_FRAME_TICKS;
        if track.skipped { Ok(()) } else { self.encode_picture(ticks) }
    }

    /// The first picture is media time zero, whatever its stamp says.
    fn first_picture(&mut self, picture: &Picture<'_>, covered: &[PixelBox]) -> Result<(), PlaybackWriteError> {
        let mut encoder = PlaybackEncoder::open(picture.frame())?;
        encoder.show(picture.frame(), covered);
        self.picture =
            Some(PictureTrack { encoder, last_ticks: -1, key_ticks: -KEY_TICKS, skipped: false, held: None });
        self.open_output()?;
        self.encode_picture(0)
    }

    /// Encodes what is shown again where it stands long, and a thinned-out picture that turned out to be the last.
    fn show_on(&mut self, until: i64) -> Result<(), PlaybackWriteError> {
        while let Some(track) = self.picture.as_mut() {
            let next = track.last_ticks + if track.skipped { MIN_FRAME_TICKS } else { KEY_TICKS };
            if next + MIN_FRAME_TICKS > until {
                return Ok(());
            }
            track.skipped = false;
            self.encode_picture(next)?;
        }
        Ok(())
    }

    fn encode_picture(&mut self, ticks: i64) -> Result<(), PlaybackWriteError> {
        let Some(track) = self.picture.as_mut() else { return Ok(()) };
        // A key picture is due before the distance grows past the limit.
        let key = ticks - track.key_ticks >= KEY_TICKS - MIN_FRAME_TICKS / 2;
        if key {
            track.key_ticks = ticks;
        }
        track.last_ticks = ticks;
        let packets = track.encoder.encode(ticks, key)?;
        self.write_pictures(packets)
    }

    fn write_pictures(&mut self, packets: Vec<EncodedPacket>) -> Result<(), PlaybackWriteError> {
        for packet in packets {
            let mut packet = packet.packet;
            packet.set_stream(0);
            packet.set_time_base(ff::Rational(1, VIDEO_TICKS));
            let begins = packet.pts().unwrap_or_default();
            let held = self.picture.as_mut().and_then(|track| track.held.replace(packet));
            if let Some(mut held) = held {
                held.set_duration((begins - held.pts().unwrap_or_default()).max(1));
                self.write(&held)?;
            }
        }
        Ok(())
    }

    pub fn sound(&mut self, sound: &Sound<'_>) -> Result<(), PlaybackWriteError> {
        let Some(track) = self.sound.as_mut() else { return Ok(()) };
        track.line.push(sound)?;
        self.encode_sound()
    }

    fn encode_sound(&mut self) -> Result<(), PlaybackWriteError> {
        while let Some(track) = self.sound.as_mut() {
            let Some(block) = track.line.block(AAC_FRAME_SAMPLES) else { return Ok(()) };
            let packets = track.encoder.encode(&block)?;
            self.write_sounds(packets)?;
        }
        Ok(())
    }

    fn write_sounds(&mut self, packets: Vec<EncodedPacket>) -> Result<(), PlaybackWriteError> {
        let stream = usize::from(self.picture.is_some());
        for packet in packets {
            let mut packet = packet.packet;
            packet.set_stream(stream);
            packet.set_time_base(ff::Rational(1, AAC_RATE_HZ as i32));
            packet.set_duration(AAC_FRAME_SAMPLES as i64);
            if self.output.is_some() {
                self.write(&packet)?;
            } else {
                self.waiting.push(packet);
            }
        }
        Ok(())
    }

    fn write(&mut self, packet: &ff::Packet) -> Result<(), PlaybackWriteError> {
        let Some(output) = self.output.as_mut() else { return Ok(()) };
        Ok(packet.write_interleaved(output)?)
    }

    fn open_output(&mut self) -> Result<(), PlaybackWriteError> {
        let mut output = ff::format::output_as(&self.partial, "mp4")?;
        if let Some(track) = &self.picture {
            output.add_stream_with(&track.encoder.encoder)?.set_time_base((1, VIDEO_TICKS));
        }
        if let Some(track) = &self.sound {
            output.add_stream_with(&track.encoder.encoder)?.set_time_base((1, AAC_RATE_HZ as i32));
        }
        let mut options = ff::Dictionary::new();
        options.set("movflags", "faststart");
        options.set("video_track_timescale", &VIDEO_TICKS.to_string());
        output.write_header_with(options)?;
        self.output = Some(output);
        let stream = usize::from(self.picture.is_some());
        for mut packet in std::mem::take(&mut self.waiting) {
            packet.set_stream(stream);
            self.write(&packet)?;
        }
        Ok(())
    }

    /// Ends the copy where the recording ends, and gives it its name.
    pub fn finish(mut self, end: MediaTime) -> Result<(), PlaybackWriteError> {
        let heard = self.sound.as_ref().is_some_and(|track| track.line.any());
        if self.picture.is_none() && !heard {
            return Err(PlaybackWriteError::Nothing);
        }
        if self.output.is_none() {
            self.open_output()?;
        }
        self.finish_picture(video_ticks(end))?;
        self.finish_sound()?;
        if let Some(mut output) = self.output.take() {
            output.write_trailer()?;
        }
        fs::rename(&self.partial, &self.path)?;
        Ok(())
    }

    fn finish_picture(&mut self, end: i64) -> Result<(), PlaybackWriteError> {
        let Some(track) = self.picture.as_ref() else { return Ok(()) };
        let believable = end - track.last_ticks < MAX_GAP_TICKS;
        let end = if believable { end } else { track.last_ticks };
        self.show_on(end)?;
        let Some(track) = self.picture.as_mut() else { return Ok(()) };
        let packets = track.encoder.finish()?;
        self.write_pictures(packets)?;
        let held = self.picture.as_mut().and_then(|track| track.held.take());
        if let Some(mut held) = held {
            held.set_duration((end - held.pts().unwrap_or_default()).max(MIN_FRAME_TICKS));
            self.write(&held)?;
        }
        Ok(())
    }

    fn finish_sound(&mut self) -> Result<(), PlaybackWriteError> {
        let Some(track) = self.sound.as_mut().filter(|track| track.line.any()) else { return Ok(()) };
        track.line.fill(AAC_FRAME_SAMPLES);
        self.encode_sound()?;
        let Some(track) = self.sound.as_mut() else { return Ok(()) };
        let packets = track.encoder.finish()?;
        self.write_sounds(packets)
    }
}

impl Drop for PlaybackWriter {
    fn drop(&mut self) {
        if self.output.take().is_some() {
            // What is half written is of no use; if it cannot be removed, its folder's owner will.
            drop(fs::remove_file(&self.partial));
        }
    }
}

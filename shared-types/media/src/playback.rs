//! The playback copy of a recording: an MP4 whose index comes first, H.264 and AAC, so that a browser can play it from
//! the first bytes and jump anywhere.
//!
//! Times stay those of the recording: what is still is shown on, what decodes is kept, and what does not leaves the last
//! picture standing. The file is written under a temporary name; the index can only be put first when all else is there.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ff::ChannelLayout;
use ff::format::context::Output;
use ff::format::sample::{Sample, Type};
use ff::software::resampling::Context as Resampler;
use ff::util::frame::Audio;
use ffmpeg_next as ff;

use crate::decode::{Picture, Sound};
use crate::encode::aac::{AAC_FRAME_SAMPLES, AAC_RATE_HZ, AacEncoder};
use crate::encode::h264::{VIDEO_TICKS, video_ticks};
use crate::encode::playback::PlaybackEncoder;
use crate::encode::{EncodeError, EncodedPacket, init};
use crate::frame::RgbFrame;
use crate::time::MediaTime;

/// Pictures closer together than this are thinned out: more than 40 a second show nothing new of a screen.
const MIN_FRAME_TICKS: i64 = VIDEO_TICKS as i64 / 40;
/// A jump lands at most this far from a picture that decoding can begin with.
const KEY_TICKS: i64 = VIDEO_TICKS as i64 * 2;
/// Stamps that jump further than this are damage, not stillness.
const MAX_GAP_TICKS: i64 = VIDEO_TICKS as i64 * 3600;
/// Differences between a stamp and the sound so far that are rounding.
const TOLERANCE_SAMPLES: i64 = AAC_RATE_HZ as i64 / 50;
const MAX_GAP_SAMPLES: i64 = AAC_RATE_HZ as i64 * 3600;

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
    resampler: Option<(u32, Resampler)>,
    pending: VecDeque<f32>,
    /// Samples taken so far.
    taken: i64,
    any: bool,
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
            let encoder = AacEncoder::open()?;
            Some(SoundTrack { encoder, resampler: None, pending: VecDeque::new(), taken: 0, any: false })
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

    pub fn picture(&mut self, picture: &Picture<'_>) -> Result<(), PlaybackWriteError> {
        let ticks = video_ticks(picture.t);
        let Some(track) = self.picture.as_mut() else {
            return self.first_picture(picture);
        };
        if ticks <= track.last_ticks || ticks - track.last_ticks >= MAX_GAP_TICKS {
            return Ok(());
        }
        self.show_on(ticks)?;
        let Some(track) = self.picture.as_mut() else { return Ok(()) };
        track.encoder.show(picture.frame());
        track.skipped = ticks - track.last_ticks < MIN_FRAME_TICKS;
        if track.skipped { Ok(()) } else { self.encode_picture(ticks) }
    }

    /// The first picture is media time zero, whatever its stamp says.
    fn first_picture(&mut self, picture: &Picture<'_>) -> Result<(), PlaybackWriteError> {
        let mut encoder = PlaybackEncoder::open(picture.frame())?;
        encoder.show(picture.frame());
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
        let mono = mix(&sound.channels);
        let samples = track.at_rate(&mono, sound.rate_hz)?;
        track.take(&samples, (sound.t * f64::from(AAC_RATE_HZ)).round() as i64);
        self.encode_sound()
    }

    fn encode_sound(&mut self) -> Result<(), PlaybackWriteError> {
        let mut block = Vec::with_capacity(AAC_FRAME_SAMPLES);
        while let Some(track) = self.sound.as_mut().filter(|track| track.pending.len() >= AAC_FRAME_SAMPLES) {
            block.clear();
            block.extend(track.pending.drain(..AAC_FRAME_SAMPLES));
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
        let heard = self.sound.as_ref().is_some_and(|track| track.any);
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
        let Some(track) = self.sound.as_mut().filter(|track| track.any) else { return Ok(()) };
        let short = track.pending.len() % AAC_FRAME_SAMPLES;
        if short > 0 {
            track.pending.extend(std::iter::repeat_n(0.0, AAC_FRAME_SAMPLES - short));
        }
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

impl SoundTrack {
    /// Takes samples whose first belongs at position `at`: holes become silence, what overlaps is left out.
    fn take(&mut self, samples: &[f32], at: i64) {
        let hole = at - self.taken;
        let mut skip = 0;
        if (TOLERANCE_SAMPLES..MAX_GAP_SAMPLES).contains(&hole) {
            self.pending.extend(std::iter::repeat_n(0.0, hole as usize));
            self.taken += hole;
        } else if hole <= -TOLERANCE_SAMPLES {
            skip = usize::try_from(-hole).unwrap_or(0).min(samples.len());
        }
        self.pending.extend(&samples[skip..]);
        self.taken += (samples.len() - skip) as i64;
        self.any |= skip < samples.len();
    }

    /// The same sound at the encoder's rate.
    fn at_rate(&mut self, mono: &[f32], rate_hz: u32) -> Result<Vec<f32>, PlaybackWriteError> {
        if rate_hz == AAC_RATE_HZ || mono.is_empty() {
            return Ok(mono.to_vec());
        }
        let (float, layout) = (Sample::F32(Type::Planar), ChannelLayout::MONO);
        let resampler = match self.resampler.take() {
            Some((rate, resampler)) if rate == rate_hz => resampler,
            _ => Resampler::get(float, layout, rate_hz, float, layout, AAC_RATE_HZ)?,
        };
        let (_, resampler) = self.resampler.insert((rate_hz, resampler));
        let mut input = Audio::new(float, mono.len(), layout);
        input.set_rate(rate_hz);
        input.plane_mut::<f32>(0)[..mono.len()].copy_from_slice(mono);
        // Room for all that comes out, and for what the filter held back before.
        let room = (mono.len() as u64 * u64::from(AAC_RATE_HZ) / u64::from(rate_hz)) as usize + 256;
        let mut output = Audio::new(float, room, layout);
        resampler.run(&input, &mut output)?;
        if output.samples() == 0 {
            return Ok(Vec::new());
        }
        Ok(output.plane::<f32>(0)[..output.samples()].to_vec())
    }
}

/// All channels as one, in -1 to 1; what is no number is silence.
fn mix(channels: &[&[f32]]) -> Vec<f32> {
    let Some(first) = channels.first() else { return Vec::new() };
    let share = 1.0 / channels.len() as f32;
    (0..first.len())
        .map(|index| {
            let sum: f32 = channels.iter().filter_map(|channel| channel.get(index)).sum();
            if sum.is_finite() { (sum * share).clamp(-1.0, 1.0) } else { 0.0 }
        })
        .collect()
}

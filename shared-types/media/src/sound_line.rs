//! Decoded sound as one even line of mono samples at an encoder's rate: holes become silence, overlaps are left out.

use std::collections::VecDeque;

use ff::ChannelLayout;
use ff::format::sample::{Sample, Type};
use ff::software::resampling::Context as Resampler;
use ff::util::frame::Audio;
use ffmpeg_next as ff;

use crate::decode::Sound;

/// Differences between a stamp and the sound so far that are rounding, as parts of a second.
const TOLERANCE_PARTS: i64 = 50;
const MAX_GAP_SECS: i64 = 3600;

/// A part of the line. A hole of an hour takes no memory.
enum Piece {
    Sound(VecDeque<f32>),
    Silence(usize),
}

pub(crate) struct SoundLine {
    rate_hz: u32,
    resampler: Option<(u32, Resampler)>,
    pending: VecDeque<Piece>,
    /// Samples in all pieces.
    waiting: usize,
    /// Samples taken so far.
    taken: i64,
    any: bool,
}

impl SoundLine {
    pub(crate) fn new(rate_hz: u32) -> Self {
        Self { rate_hz, resampler: None, pending: VecDeque::new(), waiting: 0, taken: 0, any: false }
    }

    /// Whether any sound came at all.
    pub(crate) fn any(&self) -> bool {
        self.any
    }

    pub(crate) fn push(&mut self, sound: &Sound<'_>) -> Result<(), ff::Error> {
        let mono = mix(&sound.channels);
        let samples = self.at_rate(&mono, sound.rate_hz)?;
        self.take(&samples, (sound.t * f64::from(self.rate_hz)).round() as i64);
        Ok(())
    }

    /// The next `samples` samples, once there are so many.
    pub(crate) fn block(&mut self, samples: usize) -> Option<Vec<f32>> {
        if self.waiting < samples {
            return None;
        }
        let mut block = Vec::with_capacity(samples);
        while block.len() < samples
            && let Some(piece) = self.pending.front_mut()
        {
            let room = samples - block.len();
            let is_used_up = match piece {
                Piece::Sound(sound) => {
                    block.extend(sound.drain(..room.min(sound.len())));
                    sound.is_empty()
                }
                Piece::Silence(left) => {
                    let taken = room.min(*left);
                    block.resize(block.len() + taken, 0.0);
                    *left -= taken;
                    *left == 0
                }
            };
            if is_used_up {
                self.pending.pop_front();
            }
        }
        self.waiting -= block.len();
        Some(block)
    }

    /// Adds silence up to a whole number of blocks.
    pub(crate) fn fill(&mut self, samples: usize) {
        let over = self.waiting % samples;
        if over > 0 {
            self.add(Piece::Silence(samples - over));
        }
    }

    fn add(&mut self, piece: Piece) {
        let samples = match &piece {
            Piece::Sound(sound) => sound.len(),
            Piece::Silence(samples) => *samples,
        };
        if samples > 0 {
            self.waiting += samples;
            self.pending.push_back(piece);
        }
    }

    /// Takes samples whose first belongs at position `at`.
    fn take(&mut self, samples: &[f32], at: i64) {
        let (tolerance, max_gap) = (i64::from(self.rate_hz) / TOLERANCE_PARTS, i64::from(self.rate_hz) * MAX_GAP_SECS);
        let hole = at - self.taken;
        let mut skip = 0;
        if (tolerance..max_gap).contains(&hole) {
            self.add(Piece::Silence(hole as usize));
            self.taken += hole;
        } else if hole <= -tolerance {
            skip = usize::try_from(-hole).unwrap_or(0).min(samples.len());
        }
        self.add(Piece::Sound(samples[skip..].iter().copied().collect()));
        self.taken += (samples.len() - skip) as i64;
        self.any |= skip < samples.len();
    }

    /// The same sound at the encoder's rate.
    fn at_rate(&mut self, mono: &[f32], rate_hz: u32) -> Result<Vec<f32>, ff::Error> {
        if rate_hz == self.rate_hz || mono.is_empty() {
            return Ok(mono.to_vec());
        }
        let (float, layout) = (Sample::F32(Type::Planar), ChannelLayout::MONO);
        let resampler = match self.resampler.take() {
            Some((rate, resampler)) if rate == rate_hz => resampler,
            _ => Resampler::get(float, layout, rate_hz, float, layout, self.rate_hz)?,
        };
        let (_, resampler) = self.resampler.insert((rate_hz, resampler));
        let mut input = Audio::new(float, mono.len(), layout);
        input.set_rate(rate_hz);
        input.plane_mut::<f32>(0)[..mono.len()].copy_from_slice(mono);
        // Room for all that comes out, and for what the filter held back before.
        let room = (mono.len() as u64 * u64::from(self.rate_hz) / u64::from(rate_hz)) as usize + 256;
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

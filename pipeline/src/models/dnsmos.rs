//! How clear speech is, as people would rate it from 1 to 5: DNSMOS P.835, for the speech itself (SIG), for the
//! background (BAK) and overall (OVRL).
//!
//! The network rates windows of 9.01 s at 16 kHz, for about 0.2 s of CPU each, so a long recording is sampled. Its raw
//! answers are mapped to the scale of the published ratings by the polynomials of its authors. It does not notice mild
//! clipping; that is measured elsewhere.

use std::path::Path;

use rten_tensor::NdTensor;

use super::net::{Net, NetError, Threads};
use crate::passes::voice::Voice;

pub const FILE: &str = "sig_bak_ovr.onnx";
pub const RATE_HZ: u32 = 16_000;
/// 9.01 s.
pub const WINDOW_SAMPLES: usize = 144_160;
/// Three seconds, a sentence: with less speech in all windows it is the room that is rated.
const LEAST_SPEECH_SAMPLES: usize = 3 * RATE_HZ as usize;

/// Second, first and zeroth power of the raw answer.
const SIG: [f64; 3] = [-0.083_972_78, 1.220_839_53, 0.005_243_9];
const BAK: [f64; 3] = [-0.131_668_88, 1.609_155_14, -0.396_045_46];
const OVRL: [f64; 3] = [-0.067_662_83, 1.115_464_68, 0.046_025_35];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechQuality {
    pub sig: f64,
    pub bak: f64,
    pub ovrl: f64,
}

/// A stretch of speech in samples at 16 kHz; `end` is the first one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voiced {
    pub start: usize,
    pub end: usize,
}

pub struct Dnsmos {
    net: Net,
}

impl Dnsmos {
    pub fn load(path: &Path) -> Result<Self, NetError> {
        Self::load_with(path, &Threads::new(2))
    }

    pub fn load_with(path: &Path, threads: &Threads) -> Result<Self, NetError> {
        Ok(Self { net: Net::load(path, threads)? })
    }

    /// Rates the first 9.01 s of samples at 16 kHz; shorter sound is repeated. `None` without any sample.
    pub fn score(&self, samples: &[f32]) -> Result<Option<SpeechQuality>, NetError> {
        if samples.is_empty() {
            return Ok(None);
        }
        let window: Vec<f32> = samples.iter().copied().cycle().take(WINDOW_SAMPLES).collect();
        let raw: NdTensor<f32, 2> = self.net.run(NdTensor::from_data([1, WINDOW_SAMPLES], window))?;
        match raw.into_data()[..] {
            [sig, bak, ovrl] => Ok(Some(calibrated([sig, bak, ovrl].map(f64::from)))),
            ref other => Err(self.net.failed(&format!("{} values in place of three", other.len()))),
        }
    }

    /// The mean over at most `max_windows` windows, those with the most speech in them. `None` where hardly anything is said.
    pub fn sampled<V: Voice + ?Sized>(
        &self,
        voice: &V,
        voiced: &[Voiced],
        max_windows: usize,
    ) -> Result<Option<SpeechQuality>, NetError> {
        let windows = richest_windows(voice.samples(), voiced, max_windows);
        let speech: usize = windows.iter().map(|start| speech_in(voiced, *start)).sum();
        if speech < LEAST_SPEECH_SAMPLES {
            return Ok(None);
        }
        let mut sum = [0.0; 3];
        let mut count = 0.0;
        for start in windows {
            let end = (start + WINDOW_SAMPLES).min(voice.samples());
            if let Some(quality) = self.score(&voice.stretch(start..end)?)? {
                sum = [sum[0] + quality.sig, sum[1] + quality.bak, sum[2] + quality.ovrl];
                count += 1.0;
            }
        }
        let [sig, bak, ovrl] = sum.map(|value| value / count);
        Ok((count > 0.0).then_some(SpeechQuality { sig, bak, ovrl }))
    }
}

fn calibrated([sig, bak, ovrl]: [f64; 3]) -> SpeechQuality {
    let polynomial = |[a, b, c]: [f64; 3], x: f64| a * x * x + b * x + c;
    SpeechQuality { sig: polynomial(SIG, sig), bak: polynomial(BAK, bak), ovrl: polynomial(OVRL, ovrl) }
}

fn speech_in(voiced: &[Voiced], start: usize) -> usize {
    let end = start + WINDOW_SAMPLES;
    voiced.iter().map(|span| span.end.min(end).saturating_sub(span.start.max(start))).sum()
}

/// The starts of windows side by side with the most speech; among equals the earlier. In order of time.
fn richest_windows(samples: usize, voiced: &[Voiced], max_windows: usize) -> Vec<usize> {
    let speech_in = |start: usize| speech_in(voiced, start);
    let last = samples.saturating_sub(WINDOW_SAMPLES);
    let mut starts: Vec<usize> = (0..samples).step_by(WINDOW_SAMPLES).map(|start| start.min(last)).collect();
    starts.dedup();
    starts.retain(|start| speech_in(*start) > 0);
    starts.sort_by_key(|start| std::cmp::Reverse(speech_in(*start)));
    starts.truncate(max_windows);
    starts.sort_unstable();
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_answers_are_mapped_to_the_published_scale() {
        let quality = calibrated([3.0, 4.0, 3.0]);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        close(quality.sig, 2.912_007_47);
        close(quality.bak, 3.933_873_02);
        close(quality.ovrl, 2.783_453_92);
    }

    #[test]
    fn windows_with_the_most_speech_are_taken() {
        let second = RATE_HZ as usize;
        let span = |from: usize, to: usize| Voiced { start: from * second, end: to * second };
        let check = |seconds: usize, voiced: &[Voiced], max: usize, expected: &[usize]| {
            assert_eq!(richest_windows(seconds * second, voiced, max), expected);
        };
        let voiced = [span(1, 2), span(19, 26), span(30, 33)];
        check(60, &voiced, 2, &[2 * WINDOW_SAMPLES, 3 * WINDOW_SAMPLES]);
        check(60, &voiced, 9, &[0, 2 * WINDOW_SAMPLES, 3 * WINDOW_SAMPLES]);
        check(5, &[span(1, 2)], 3, &[0]);
        check(12, &[span(10, 12)], 3, &[12 * second - WINDOW_SAMPLES]);
        check(60, &[], 3, &[]);
        check(0, &[], 3, &[]);
    }
}

//! The outline of the sound, as coarse as a page can draw it.

use media::decode::Sound;

use super::Waveform;

const MAX_PEAKS: usize = 1000;
/// A syllable; finer shows nothing more.
const MIN_EVERY_SECS: f64 = 0.05;

pub(super) struct Outline {
    every_secs: f64,
    count: usize,
    peaks: Vec<f32>,
}

impl Outline {
    pub(super) fn new(secs: f64) -> Self {
        let every_secs = (secs / MAX_PEAKS as f64).max(MIN_EVERY_SECS);
        let count = ((secs / every_secs).ceil() as usize).clamp(1, MAX_PEAKS);
        Self { every_secs, count, peaks: Vec::new() }
    }

    pub(super) fn push(&mut self, sound: &Sound<'_>) {
        // Silence is also drawn; only no sound at all is not.
        self.peaks.resize(self.count, 0.0);
        for channel in &sound.channels {
            for (index, sample) in channel.iter().enumerate() {
                let t = sound.t + index as f64 / f64::from(sound.rate_hz);
                // Sound from before the first picture is not part of the recording.
                if t >= 0.0
                    && let Some(peak) = self.peaks.get_mut((t / self.every_secs) as usize)
                {
                    // What is no number loses against the peak so far.
                    *peak = peak.max(sample.abs()).min(1.0);
                }
            }
        }
    }

    pub(super) fn finish(&self) -> Waveform {
        let peaks = self.peaks.iter().map(|peak| (peak * 1000.0).round() / 1000.0).collect();
        Waveform { every_secs: self.every_secs, peaks }
    }
}

//! How loud it is, every hundredth of a second.

use std::io;

use crate::models::whisper::SAMPLE_RATE;
use crate::passes::voice::{Voice, stretches};

pub(super) const FRAMES_PER_SEC: f64 = 100.0;
const FRAME: usize = SAMPLE_RATE as usize / 100;
/// Half a minute of sound is in memory at once.
const FRAMES_AT_ONCE: usize = 3000;
const SILENCE_DB: f32 = -100.0;

pub(super) struct Sound {
    levels_db: Vec<f32>,
}

impl Sound {
    pub(super) fn new<V: Voice + ?Sized>(voice: &V) -> io::Result<Self> {
        let level = |frame: &[f32]| {
            let power = frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len() as f32;
            (10.0 * power.log10()).max(SILENCE_DB)
        };
        let mut levels_db = Vec::with_capacity(voice.samples().div_ceil(FRAME));
        for part in stretches(voice, FRAME * FRAMES_AT_ONCE) {
            levels_db.extend(part?.1.chunks(FRAME).map(level));
        }
        Ok(Self { levels_db })
    }

    pub(super) fn duration(&self) -> f64 {
        self.levels_db.len() as f64 / FRAMES_PER_SEC
    }

    fn frame(&self, secs: f64) -> usize {
        ((secs * FRAMES_PER_SEC) as usize).min(self.levels_db.len())
    }

    /// The first moment from `start` on that is at most `drop_db` below the loudest up to `end`.
    pub(super) fn onset(&self, start: f64, end: f64, drop_db: f32) -> Option<f64> {
        let (from, to) = (self.frame(start), self.frame(end));
        let frames = self.levels_db.get(from..to)?;
        let loudest = frames.iter().copied().fold(SILENCE_DB, f32::max);
        let quiet = frames.iter().take_while(|level| **level < loudest - drop_db).count();
        (quiet < frames.len() && loudest > SILENCE_DB).then(|| start.max((from + quiet) as f64 / FRAMES_PER_SEC))
    }

    /// The middle of the quietest fifth of a second between two moments.
    pub(super) fn quietest(&self, start: f64, end: f64) -> f64 {
        const WIDTH: usize = 20;
        let (from, to) = (self.frame(start), self.frame(end));
        let frames = &self.levels_db[from..to];
        let power = |frames: &[f32]| frames.iter().map(|level| 10_f32.powf(level / 10.0)).sum::<f32>();
        let quietest = frames.windows(WIDTH).map(power).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        quietest.map_or(end, |(index, _)| (from + index + WIDTH / 2) as f64 / FRAMES_PER_SEC)
    }
}

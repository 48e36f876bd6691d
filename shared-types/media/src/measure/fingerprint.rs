//! Fingerprints of picture and sound, as [`shared_types::fingerprint`] compares them.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};
use shared_types::fingerprint::{PICTURE_STEP_SECS, SOUND_STEP_SECS};

use super::picture::LumaView;

/// Difference hash: a bit for each pair of neighbouring cells of a 9 x 8 grid.
///
/// A difference of less than two steps of brightness counts as none, so that flat areas do not flicker.
pub fn picture_hash(picture: LumaView<'_>) -> u64 {
    const COLUMNS: usize = 9;
    const ROWS: usize = 8;
    const MARGIN: f64 = 2.0;
    let (width, height) = (picture.width as usize, picture.height as usize);
    if width < COLUMNS || height < ROWS {
        return 0;
    }
    let mut sums = [[0_u64; COLUMNS]; ROWS];
    let mut counts = [[0_u64; COLUMNS]; ROWS];
    for (y, row) in picture.rows().enumerate() {
        let cell_row = (y * ROWS / height).min(ROWS - 1);
        for column in 0..COLUMNS {
            let cells = &row[column * width / COLUMNS..(column + 1) * width / COLUMNS];
            sums[cell_row][column] += cells.iter().map(|&luma| u64::from(luma)).sum::<u64>();
            counts[cell_row][column] += cells.len() as u64;
        }
    }
    let mut hash = 0;
    for row in 0..ROWS {
        for column in 0..COLUMNS - 1 {
            let cell = |column: usize| sums[row][column] as f64 / counts[row][column].max(1) as f64;
            hash = hash << 1 | u64::from(cell(column) > cell(column + 1) + MARGIN);
        }
    }
    hash
}

/// Bits of 64 by which a picture must differ from the one at the last change to be a change itself; an encoder's noise
/// turns up to three.
const CHANGE_BITS: u32 = 5;
/// Changes closer than this are one that goes on.
const ONE_CHANGE_SECS: f64 = 0.4;

/// Hashes a take's pictures, one each half second: the one shown at that time. Notes to the picture when it changes.
#[derive(Debug, Default)]
pub struct PictureFingerprinter {
    hashes: Vec<u64>,
    last: u64,
    /// The picture at the last change, and when it was last seen to go on.
    reference: Option<(u64, f64)>,
    changes: Vec<u32>,
}

impl PictureFingerprinter {
    pub fn push(&mut self, picture: LumaView<'_>, t: f64) {
        self.fill(t);
        self.last = picture_hash(picture);
        let Some((reference, since)) = self.reference else {
            self.reference = Some((self.last, f64::NEG_INFINITY));
            return;
        };
        if (self.last ^ reference).count_ones() >= CHANGE_BITS {
            if t - since >= ONE_CHANGE_SECS {
                self.changes.push((t.max(0.0) * 1000.0).round() as u32);
            }
            self.reference = Some((self.last, t));
        }
    }

    fn fill(&mut self, until: f64) {
        while (self.hashes.len() as f64) * PICTURE_STEP_SECS < until {
            self.hashes.push(self.last);
        }
    }

    /// The hashes, and the milliseconds at which the picture became another one.
    pub fn finish(mut self, end: f64) -> (Vec<u64>, Vec<u32>) {
        self.fill(end);
        (self.hashes, self.changes)
    }
}

const RATE_HZ: f64 = 16_000.0;
const WINDOW: usize = 8192;
const BANDS: usize = 33;
const LOWEST_HZ: f64 = 300.0;
const HIGHEST_HZ: f64 = 2000.0;
/// Windows quieter than this (mean square) carry no print: -60 dBFS.
const QUIET: f64 = 1e-6;

/// Hashes a take's sound, one each tenth of a second, from 16 kHz mono.
pub struct SoundFingerprinter {
    samples: Vec<f32>,
    taken: usize,
    before: Option<[f64; BANDS]>,
    hashes: Vec<u32>,
    fft: Arc<dyn RealToComplex<f32>>,
}

impl Default for SoundFingerprinter {
    fn default() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        Self { samples: Vec::new(), taken: 0, before: None, hashes: Vec::new(), fft }
    }
}

impl SoundFingerprinter {
    pub fn push(&mut self, samples: &[f32]) {
        let hop = (RATE_HZ * SOUND_STEP_SECS) as usize;
        self.samples.extend_from_slice(samples);
        while self.taken + WINDOW <= self.samples.len() {
            let hash = self.window_hash(self.taken);
            self.hashes.push(hash);
            self.taken += hop;
        }
        self.samples.drain(..self.taken.min(self.samples.len()));
        self.taken = 0;
    }

    pub fn finish(self) -> Vec<u32> {
        self.hashes
    }

    fn window_hash(&mut self, start: usize) -> u32 {
        let window = &self.samples[start..start + WINDOW];
        let loudness = window.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / WINDOW as f64;
        if loudness < QUIET {
            self.before = None;
            return 0;
        }
        let mut input: Vec<f32> = window
            .iter()
            .enumerate()
            .map(|(index, &sample)| {
                let phase = std::f32::consts::TAU * index as f32 / WINDOW as f32;
                sample * (0.5 - 0.5 * phase.cos())
            })
            .collect();
        let mut spectrum = self.fft.make_output_vec();
        if self.fft.process(&mut input, &mut spectrum).is_err() {
            return 0;
        }
        let edge = |band: usize| {
            let hz = LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ).powf(band as f64 / BANDS as f64);
            (hz / RATE_HZ * WINDOW as f64) as usize
        };
        let mut energy = [0.0; BANDS];
        for (band, energy) in energy.iter_mut().enumerate() {
            *energy = spectrum[edge(band)..edge(band + 1)].iter().map(|bin| f64::from(bin.norm_sqr())).sum();
        }
        let before = self.before.replace(energy);
        let Some(before) = before else { return 0 };
        (0..BANDS - 1).fold(0, |hash, band| {
            let rise = (energy[band] - energy[band + 1]) - (before[band] - before[band + 1]);
            hash << 1 | u32::from(rise > 0.0)
        })
    }
}

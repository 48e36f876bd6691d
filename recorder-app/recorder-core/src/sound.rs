//! The microphone's sound laid on the take's clock: 48 kHz, mono, every sample where its time says.
//!
//! A sound card's clock is not the computer's. Where a chunk's stamp and the count of samples drift apart, the
//! resampler runs a little faster or slower (at most 500 ppm, far below what can be heard); only real holes become
//! silence, and only sound whose place is taken is left out. All of it is counted for the manifest.

use audioadapter_buffers::direct::InterleavedSlice;
use media::frame::AudioChunk;
use media::time::{MediaTime, Monotonic};
use rubato::{Adjustable, Async, FixedAsync, Indexing, Resampler, SincInterpolationParameters, WindowFunction};
use shared_types::quality::measurements::Span;
use shared_types::recording::DriftInfo;

pub(crate) const RATE_HZ: f64 = 48_000.0;
/// Chunks of the device are cut to this many samples for the resampler.
const INPUT_FRAMES: usize = 480;
const SINC_LENGTH: usize = 64;
/// The most the resampler is bent.
const MAX_BEND: f64 = 500e-6;
/// An offset is taken back over this long.
const SETTLE_SECS: f64 = 8.0;
/// Stamps jitter with the scheduler; their mean over this many chunks does not.
const SMOOTH_CHUNKS: f64 = 50.0;
/// A larger offset is a hole in the sound, not drift.
const HOLE_SECS: f64 = 0.070;

#[derive(Debug, thiserror::Error)]
#[error("the sound could not be brought to 48 kHz: {0}")]
pub(crate) struct SoundError(String);

/// Takes chunks as they come, gives samples of the take in order.
pub(crate) struct SoundLine {
    zero: Monotonic,
    line: Option<Line>,
    /// Samples of the take that are ready and not yet taken.
    ready: Vec<f32>,
    /// All samples made so far, ready ones included.
    made: u64,
    gaps: Vec<Span>,
    drift: DriftInfo,
    /// How far the resampler is bent now; kept over holes.
    bend: f64,
    first_sample: Option<Monotonic>,
    offset_at_start: Option<f64>,
}

/// A resampler for one device at one rate.
struct Line {
    rate_hz: u32,
    resampler: Async<f32>,
    pending: Vec<f32>,
    /// Start-up delay of the resampler that is still to be left out.
    skip: usize,
    offset: f64,
    chunks: f64,
    output: Vec<f32>,
}

impl SoundLine {
    pub(crate) fn new(zero: Monotonic) -> Self {
        Self {
            zero,
            line: None,
            ready: Vec::new(),
            made: 0,
            gaps: Vec::new(),
            drift: DriftInfo::default(),
            bend: 0.0,
            first_sample: None,
            offset_at_start: None,
        }
    }

    /// Takes a chunk of the device.
    pub(crate) fn push(&mut self, chunk: &AudioChunk) -> Result<(), SoundError> {
        let channels = usize::from(chunk.channels.max(1));
        let mut mono: Vec<f32> =
            chunk.samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
        let rate = f64::from(chunk.rate_hz.max(1));
        let mut begins = chunk.at.nanos_since(self.zero) as f64 / 1e9;
        if begins < 0.0 {
            let early = ((-begins * rate).ceil() as usize).min(mono.len());
            mono.drain(..early);
            begins += early as f64 / rate;
        }
        begins += self.leave_out_early(&mut mono, begins, rate);
        if mono.is_empty() {
            return Ok(());
        }
        let behind = begins - self.position();
        let hole = behind > self.tolerated_secs();
        if hole || self.line.as_ref().is_some_and(|line| line.rate_hz != chunk.rate_hz) {
            self.drain_line()?;
        }
        if hole {
            self.fill(behind);
        }
        if self.line.is_none() {
            self.line = Some(Line::new(chunk.rate_hz, self.bend)?);
        }
        if self.first_sample.is_none() {
            let nanos = self.zero.nanos + (begins * 1e9) as i64;
            self.first_sample = Some(Monotonic::from_nanos(nanos));
            self.offset_at_start = Some(self.position() - begins);
        }
        self.follow(begins);
        if let Some(line) = self.line.as_mut() {
            line.pending.extend_from_slice(&mono);
        }
        self.run(INPUT_FRAMES)
    }

    /// How far a chunk may lie from where the count of samples puts it. One that begins a line is laid exactly.
    fn tolerated_secs(&self) -> f64 {
        if self.line.is_some() { HOLE_SECS } else { 0.0 }
    }

    /// Leaves out the samples whose place is already filled, as after silence that came in their stead; gives how long
    /// they are. What is only a little early is left to the resampler.
    fn leave_out_early(&mut self, mono: &mut Vec<f32>, begins: f64, rate: f64) -> f64 {
        let early = self.position() - begins;
        if early <= self.tolerated_secs() {
            return 0.0;
        }
        let samples = ((early * rate) as usize).min(mono.len());
        mono.drain(..samples);
        let secs = samples as f64 / rate;
        self.drift.skipped_ms += secs * 1e3;
        secs
    }

    /// Counts a chunk that has no place in the take.
    pub(crate) fn leave_out(&mut self, chunk: &AudioChunk) {
        let frames = chunk.samples.len() / usize::from(chunk.channels.max(1));
        self.drift.skipped_ms += frames as f64 / f64::from(chunk.rate_hz.max(1)) * 1e3;
    }

    /// Silence up to a moment of the take; what comes later for that time is left out.
    pub(crate) fn fill_to(&mut self, secs: f64) -> Result<(), SoundError> {
        self.drain_line()?;
        let missing = secs - self.position();
        if missing > 0.0 {
            self.fill(missing);
        }
        Ok(())
    }

    /// Silence at the end of what is there; a hole is counted, the first moment of a take is none.
    fn fill(&mut self, secs: f64) {
        if secs > HOLE_SECS {
            let start = self.made as f64 / RATE_HZ;
            // A hole that is filled bit by bit is one hole.
            match self.gaps.last_mut().filter(|last| start - last.end < 1e-3) {
                Some(last) => last.end = start + secs,
                None => self.gaps.push(Span::new(start, start + secs)),
            }
            self.drift.filled_ms += secs * 1e3;
        }
        let silence = (secs * RATE_HZ).round() as usize;
        self.ready.resize(self.ready.len() + silence, 0.0);
        self.made += silence as u64;
    }

    /// Where the next sample that comes in would lie, in seconds of the take.
    pub(crate) fn position(&self) -> f64 {
        let pending = self.line.as_ref().map_or(0.0, |line| {
            let unheard = line.resampler.output_delay() - line.skip.min(line.resampler.output_delay());
            line.pending.len() as f64 / f64::from(line.rate_hz) + unheard as f64 / RATE_HZ
        });
        self.made as f64 / RATE_HZ + pending
    }

    /// Compares stamp and count, and bends the resampler so that they meet.
    fn follow(&mut self, begins: f64) {
        let behind = begins - self.position();
        let Some(line) = self.line.as_mut() else { return };
        line.chunks = (line.chunks + 1.0).min(SMOOTH_CHUNKS);
        line.offset += (behind - line.offset) / line.chunks;
        if line.chunks >= SMOOTH_CHUNKS {
            let worst = self.drift.worst_offset_ms.unwrap_or(0.0).max(line.offset.abs() * 1e3);
            self.drift.worst_offset_ms = Some(worst);
            self.bend = (line.offset / SETTLE_SECS).clamp(-MAX_BEND, MAX_BEND);
            self.drift.ppm = Some(-self.bend * 1e6);
            line.bend(self.bend);
        }
    }

    fn run(&mut self, at_least: usize) -> Result<(), SoundError> {
        let Some(line) = self.line.as_mut() else { return Ok(()) };
        while line.pending.len() >= at_least.max(1) {
            let frames = line.pending.len().min(INPUT_FRAMES);
            let mut made = line.resample(frames)?;
            let skipped = line.skip.min(made.len());
            line.skip -= skipped;
            made.drain(..skipped);
            self.made += made.len() as u64;
            self.ready.append(&mut made);
        }
        Ok(())
    }

    /// Brings out what the resampler still holds, and closes the line.
    fn drain_line(&mut self) -> Result<(), SoundError> {
        let due = (self.position() * RATE_HZ).round() as u64;
        let Some(line) = self.line.as_mut() else { return Ok(()) };
        let tail = (line.resampler.output_delay() as f64 * f64::from(line.rate_hz) / RATE_HZ).ceil() as usize;
        line.pending.extend(std::iter::repeat_n(0.0, tail));
        self.run(1)?;
        self.line = None;
        // The last, partial piece came out as long as a whole one.
        self.cut_to(due);
        Ok(())
    }

    fn cut_to(&mut self, due: u64) {
        let spare = usize::try_from(self.made.saturating_sub(due)).unwrap_or(usize::MAX).min(self.ready.len());
        self.ready.truncate(self.ready.len() - spare);
        self.made -= spare as u64;
    }

    /// Takes `count` samples if as many are ready.
    pub(crate) fn take(&mut self, count: usize) -> Option<Vec<f32>> {
        (self.ready.len() >= count).then(|| self.ready.drain(..count).collect())
    }

    /// Ends the sound at the take's end: what is missing becomes silence, what is too much is left out.
    pub(crate) fn finish(&mut self, end: MediaTime) -> Result<(), SoundError> {
        self.drain_line()?;
        let due = (end.secs() * RATE_HZ).round() as u64;
        self.cut_to(due);
        let missing = due.saturating_sub(self.made);
        self.ready.resize(self.ready.len() + missing as usize, 0.0);
        self.made += missing;
        Ok(())
    }

    pub(crate) fn report(self) -> SoundReport {
        SoundReport {
            gaps: self.gaps,
            drift: self.drift,
            first_sample: self.first_sample,
            offset_ms: self.offset_at_start.map(|offset| offset * 1e3),
        }
    }
}

/// What the manifest tells of the sound.
#[derive(Debug, Clone, Default)]
pub(crate) struct SoundReport {
    pub(crate) gaps: Vec<Span>,
    pub(crate) drift: DriftInfo,
    pub(crate) first_sample: Option<Monotonic>,
    pub(crate) offset_ms: Option<f64>,
}

impl Line {
    fn new(rate_hz: u32, bend: f64) -> Result<Self, SoundError> {
        let ratio = RATE_HZ / f64::from(rate_hz);
        let parameters = SincInterpolationParameters::new(SINC_LENGTH, WindowFunction::BlackmanHarris2);
        let resampler = Async::new_sinc(ratio, 1.01, &parameters, INPUT_FRAMES, 1, FixedAsync::Input)
            .map_err(|error| SoundError(error.to_string()))?;
        let skip = resampler.output_delay();
        let output = vec![0.0; resampler.output_frames_max()];
        let mut line = Self { rate_hz, resampler, pending: Vec::new(), skip, offset: 0.0, chunks: 0.0, output };
        line.bend(bend);
        Ok(line)
    }

    fn bend(&mut self, bend: f64) {
        // Refused only outside the limits given at construction, which the caller's clamp keeps to.
        let bent = self.resampler.set_resample_ratio_relative(1.0 + bend, true);
        debug_assert!(bent.is_ok());
    }

    /// Resamples the first `frames` pending samples.
    fn resample(&mut self, frames: usize) -> Result<Vec<f32>, SoundError> {
        let failed = |error: &dyn std::fmt::Display| SoundError(error.to_string());
        let mut input = vec![0.0; INPUT_FRAMES];
        input[..frames].copy_from_slice(&self.pending[..frames]);
        self.pending.drain(..frames);
        let capacity = self.output.len();
        let from = InterleavedSlice::new(&input, 1, INPUT_FRAMES).map_err(|error| failed(&error))?;
        let mut to = InterleavedSlice::new_mut(&mut self.output, 1, capacity).map_err(|error| failed(&error))?;
        let indexing = Indexing::new().partial_len(frames);
        let (_, written) =
            self.resampler.process_into_buffer(&from, &mut to, Some(&indexing)).map_err(|error| failed(&error))?;
        Ok(self.output[..written].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use capture::mic::synthetic::{Plan, Signal};

    use super::*;

    const TONE_HZ: f64 = 20.0;

    /// Plays a tone through devices one after the other, each from its second on, and tells each second how far the
    /// tone lies from its true place: (seconds, milliseconds).
    fn misplacement(devices: &[(f64, Plan)], secs: f64) -> (Vec<(f64, f64)>, SoundReport) {
        let zero = Monotonic::from_nanos(5_000_000_000);
        let at = |secs: f64| Monotonic::from_nanos(zero.nanos + (secs * 1e9) as i64);
        let mut line = SoundLine::new(zero);
        let mut samples = Vec::new();
        for (index, (from, plan)) in devices.iter().enumerate() {
            let until = devices.get(index + 1).map_or(secs, |next| next.0);
            let mut device = plan.clone().device(zero);
            device.until(at(*from));
            for chunk in device.until(at(until)) {
                line.push(&chunk).unwrap();
                samples.append(&mut line.ready);
            }
        }
        line.finish(MediaTime::from_secs(secs)).unwrap();
        samples.append(&mut line.ready);
        assert_eq!(samples.len(), (secs * RATE_HZ) as usize);
        let rate = RATE_HZ as usize;
        let mut told = Vec::new();
        for second in 1..samples.len() / rate {
            let crossing = (second * rate..(second + 1) * rate).find(|&i| samples[i - 1] < 0.0 && samples[i] >= 0.0);
            let Some(i) = crossing else { continue };
            let fraction = f64::from(samples[i - 1]) / f64::from(samples[i - 1] - samples[i]);
            let turns = (i as f64 - 1.0 + fraction) / RATE_HZ * TONE_HZ;
            told.push((second as f64, (turns - turns.round()) / TONE_HZ * 1e3));
        }
        (told, line.report())
    }

    fn plan(rate_hz: u32, channels: u16, drift_ppm: f64, gaps: &[std::ops::Range<f64>]) -> Plan {
        let tone = Signal::Tone { hz: TONE_HZ, amplitude: 0.5 };
        Plan { drift_ppm, gaps: gaps.to_vec(), ..Plan::new(rate_hz, channels, tone) }
    }

    /// Milliseconds a minute, and how much of the change that line explains.
    fn trend(points: &[(f64, f64)]) -> (f64, f64) {
        let count = points.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (t, y) = (mean(&|point| point.0), mean(&|point| point.1));
        let covered = mean(&|point| (point.0 - t) * (point.1 - y));
        let (spread_t, spread_y) = (mean(&|point| (point.0 - t).powi(2)), mean(&|point| (point.1 - y).powi(2)));
        (covered / spread_t * 60.0, covered * covered / (spread_t * spread_y).max(1e-12))
    }

    #[test]
    fn sound_stays_in_its_place_over_rates_channels_drift_and_gaps() {
        let rows: &[(u32, u16, f64, &[std::ops::Range<f64>])] = &[
            (48_000, 1, 0.0, &[]),
            (44_100, 2, 0.0, &[]),
            (96_000, 8, 100.0, &[]),
            (16_000, 1, 200.0, &[]),
            (24_000, 6, -150.0, &[]),
            (48_000, 2, -200.0, &[]),
            (48_000, 1, 200.0, &[20.0..22.5]),
            (32_000, 4, 0.0, &[1.0..1.2, 9.0..9.1]),
            (8_000, 1, 0.0, &[3.0..3.5, 30.0..31.0]),
        ];
        for &(rate_hz, channels, drift_ppm, gaps) in rows {
            let (told, report) = misplacement(&[(0.0, plan(rate_hz, channels, drift_ppm, gaps))], 60.0);
            let worst = told.iter().filter(|(t, _)| *t >= 40.0).fold(0.0_f64, |worst, (_, ms)| worst.max(ms.abs()));
            assert!(worst <= 3.0, "{rate_hz} Hz, {channels} ch, {drift_ppm} ppm, {gaps:?}: {worst:.2} ms off");
            assert_eq!(report.gaps.len(), gaps.len(), "{rate_hz} Hz: {:?}", report.gaps);
        }
    }

    #[test]
    fn a_drifting_clock_is_followed_without_a_trend() {
        for drift_ppm in [-200.0, 200.0] {
            let (told, report) = misplacement(&[(0.0, plan(48_000, 1, drift_ppm, &[]))], 420.0);
            let settled: Vec<_> = told.into_iter().filter(|(t, _)| *t >= 60.0).collect();
            let (slope, r_squared) = trend(&settled);
            // Uncorrected it would be 12 ms a minute.
            assert!(slope.abs() <= 0.1, "{drift_ppm} ppm: {slope:.3} ms a minute, r squared {r_squared:.2}");
            let worst = settled.iter().fold(0.0_f64, |worst, (_, ms)| worst.max(ms.abs()));
            assert!(worst <= 3.0, "{drift_ppm} ppm: {worst:.2} ms");
            assert!((report.drift.ppm.unwrap() - drift_ppm).abs() < 20.0, "{:?}", report.drift);
        }
    }

    #[test]
    fn a_microphone_that_changes_its_rate_or_is_replaced_keeps_the_place() {
        let devices = [
            (0.0, plan(48_000, 2, 50.0, &[])),
            (20.0, plan(16_000, 1, -80.0, &[])),
            (21.5, plan(44_100, 1, 120.0, &[])),
        ];
        let (told, report) = misplacement(&devices, 60.0);
        let worst = told.iter().filter(|(t, _)| *t >= 45.0).fold(0.0_f64, |worst, (_, ms)| worst.max(ms.abs()));
        assert!(worst <= 3.0, "{worst:.2} ms: {told:?}");
        assert!(report.drift.filled_ms < 100.0, "{:?}", report.drift);
    }

    #[test]
    fn silence_that_came_in_stead_of_late_sound_keeps_its_place() {
        let zero = Monotonic::from_nanos(0);
        let mut device = Plan::new(48_000, 1, Signal::Tone { hz: 100.0, amplitude: 0.5 }).device(zero);
        let mut chunks = |secs: f64| device.until(Monotonic::from_nanos((secs * 1e9) as i64));
        let mut line = SoundLine::new(zero);
        for chunk in chunks(1.0) {
            line.push(&chunk).unwrap();
        }
        line.fill_to(3.0).unwrap();
        assert!((line.position() - 3.0).abs() < 1e-4, "{}", line.position());
        for chunk in chunks(5.0) {
            line.push(&chunk).unwrap();
        }
        line.finish(MediaTime::from_secs(5.0)).unwrap();
        assert_eq!(line.ready.len(), 5 * 48_000);
        let loud = |from: f64, to: f64| {
            let samples = &line.ready[(from * RATE_HZ) as usize..(to * RATE_HZ) as usize];
            (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt() > 0.3
        };
        assert!(loud(0.1, 0.9) && !loud(1.1, 2.9) && loud(3.1, 4.9));
        let report = line.report();
        assert_eq!(report.gaps.len(), 1);
        assert!((report.drift.filled_ms - 2000.0).abs() < 25.0, "{:?}", report.drift);
        assert!((report.drift.skipped_ms - 2000.0).abs() < 25.0, "{:?}", report.drift);
    }
}

//! A microphone made of arithmetic: tone, silence or given samples, from a device whose clock runs fast or slow and
//! that now and then delivers nothing.
//!
//! [`Plan::device`] gives chunks for any stretch of virtual time; [`start`] gives the same chunks in real time.

use std::f64::consts::TAU;
use std::ops::Range;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender};
use media::frame::AudioChunk;
use media::time::Monotonic;

use super::{MicError, MicInfo, Running, Source, Tap};
use crate::clock;

/// What the device hears, how its clock runs, and when it falls silent.
#[derive(Debug, Clone)]
pub struct Plan {
    pub id: String,
    pub rate_hz: u32,
    pub channels: u16,
    pub signal: Signal,
    /// How much faster than its nominal rate the device takes samples.
    pub drift_ppm: f64,
    /// Seconds since the start in which no chunk is delivered; the device's clock goes on.
    pub gaps: Vec<Range<f64>>,
}

#[derive(Debug, Clone)]
pub enum Signal {
    Silence,
    Tone {
        hz: f64,
        amplitude: f32,
    },
    /// One channel at the nominal rate, once, then silence.
    Samples(Arc<[f32]>),
    /// A function of true seconds since the start.
    Made(fn(f64) -> f32),
}

impl Plan {
    pub fn new(rate_hz: u32, channels: u16, signal: Signal) -> Self {
        Self { id: "synthetic".to_owned(), rate_hz, channels, signal, drift_ppm: 0.0, gaps: Vec::new() }
    }

    /// The device, switched on at `start`.
    pub fn device(self, start: Monotonic) -> Device {
        Device { plan: self, start, taken: 0 }
    }
}

pub struct Device {
    plan: Plan,
    start: Monotonic,
    /// Samples taken so far, of each channel.
    taken: u64,
}

impl Device {
    /// All chunks (of 20 ms by the device's clock) that are complete at `until` and were not given before.
    pub fn until(&mut self, until: Monotonic) -> Vec<AudioChunk> {
        let chunk_frames = u64::from(self.plan.rate_hz / 50).max(1);
        let mut chunks = Vec::new();
        while self.time_of(self.taken + chunk_frames) <= until.nanos_since(self.start) as f64 / 1e9 {
            let first = self.taken;
            self.taken += chunk_frames;
            let begin = self.time_of(first);
            if self.plan.gaps.iter().any(|gap| gap.contains(&begin)) {
                continue;
            }
            let channels = usize::from(self.plan.channels);
            let samples = (first..self.taken)
                .flat_map(|index| {
                    std::iter::repeat_n(self.plan.signal.at(self.time_of(index), self.plan.rate_hz), channels)
                })
                .collect();
            let at = Monotonic::from_nanos(self.start.nanos + (begin * 1e9).round() as i64);
            chunks.push(AudioChunk { rate_hz: self.plan.rate_hz, channels: self.plan.channels, samples, at });
        }
        chunks
    }

    /// When sample `index` is taken, in true seconds since the start.
    fn time_of(&self, index: u64) -> f64 {
        index as f64 / (f64::from(self.plan.rate_hz) * (1.0 + self.plan.drift_ppm * 1e-6))
    }
}

impl Signal {
    /// What is heard at a true time.
    fn at(&self, secs: f64, rate_hz: u32) -> f32 {
        match self {
            Self::Silence => 0.0,
            Self::Tone { hz, amplitude } => amplitude * (TAU * hz * secs).sin() as f32,
            Self::Made(made) => made(secs),
            Self::Samples(samples) => samples.get((secs * f64::from(rate_hz)).round() as usize).copied().unwrap_or(0.0),
        }
    }
}

/// Plays a plan in real time, from now.
pub fn start(plan: Plan, sink: Sender<AudioChunk>) -> Result<Running, MicError> {
    let info = MicInfo {
        id: plan.id.clone(),
        name: "Synthetic microphone".to_owned(),
        default: false,
        rate_hz: plan.rate_hz,
        channels: plan.channels,
    };
    let tap = Tap::new(sink);
    let counts = tap.counts.clone();
    let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
    let (_, events) = crossbeam_channel::bounded(1);
    let mut device = plan.device(clock::now());
    let thread = std::thread::Builder::new()
        .name("synthetic-mic".to_owned())
        .spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_millis(10)) {
                device.until(clock::now()).into_iter().for_each(|chunk| tap.give(chunk));
            }
        })
        .map_err(|error| MicError::Failed { name: info.name.clone(), reason: error.to_string() })?;
    let playing = Playing { stop: Some(stop), thread: Some(thread) };
    Ok(Running { info, events, counts, _source: Source::Thread(playing) })
}

/// The thread of [`start`]; dropping it ends it.
pub(super) struct Playing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already reported by its own hook.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Monotonic = Monotonic::from_nanos(5_000_000_000);

    fn after(secs: f64) -> Monotonic {
        Monotonic::from_nanos(START.nanos + (secs * 1e9) as i64)
    }

    fn frames(chunks: &[AudioChunk]) -> usize {
        chunks.iter().map(|chunk| chunk.samples.len() / usize::from(chunk.channels)).sum()
    }

    #[test]
    fn a_fast_clock_takes_more_samples_of_the_same_tone() {
        let signal = Signal::Tone { hz: 440.0, amplitude: 0.5 };
        let plan = Plan { drift_ppm: 200.0, ..Plan::new(48_000, 2, signal) };
        let chunks = plan.device(START).until(after(100.0));
        assert!((frames(&chunks) as i64 - 4_800_960).abs() <= 960, "{}", frames(&chunks));
        let last = chunks.last().unwrap();
        let secs = last.at.nanos_since(START) as f64 / 1e9;
        let heard = 0.5 * (TAU * 440.0 * secs).sin() as f32;
        assert!((last.samples[0] - heard).abs() < 1e-3, "the tone keeps true time");
        assert!(last.samples.chunks_exact(2).all(|pair| pair[0].to_bits() == pair[1].to_bits()));
    }

    #[test]
    fn a_gap_delivers_nothing_and_shifts_nothing() {
        let plan = Plan { gaps: vec![1.0..1.5], ..Plan::new(16_000, 1, Signal::Silence) };
        let mut device = plan.device(START);
        let mut chunks = device.until(after(1.2));
        chunks.extend(device.until(after(2.0)));
        assert_eq!(frames(&chunks), 24_000);
        let jump = chunks.windows(2).map(|pair| pair[1].at.nanos_since(pair[0].at)).max();
        assert_eq!(jump, Some(520_000_000));
    }

    #[test]
    fn given_samples_come_once_and_in_real_time_through_the_channel() {
        let given: Arc<[f32]> = (1..=1600).map(|index| index as f32 / 1600.0).collect();
        let (sink, chunks) = crossbeam_channel::bounded(64);
        let running = start(Plan::new(16_000, 1, Signal::Samples(given.clone())), sink).unwrap();
        let mut heard = Vec::new();
        while heard.len() < 2000 {
            heard.extend(chunks.recv_timeout(Duration::from_secs(10)).unwrap().samples);
        }
        assert_eq!(heard[..1600], given[..]);
        assert!(heard[1600..].iter().all(|&sample| sample == 0.0));
        assert_eq!(running.counts().dropped_chunks(), 0);
        running.stop();
        assert!(chunks.iter().count() < 64, "the thread is gone and its end of the channel with it");
    }
}

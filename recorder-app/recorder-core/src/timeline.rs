//! The one clock of a take: media time zero is the moment of the first picture, and pauses take no time.

use std::sync::OnceLock;

use media::frame::AudioChunk;
use media::time::{MediaTime, Monotonic};
use shared_types::recording::Pause;

use crate::control::{Control, Stretch};

/// Shared by all threads of a take; the first picture sets it going.
#[derive(Debug)]
pub(crate) struct Timeline {
    zero: OnceLock<Monotonic>,
    stop: OnceLock<Monotonic>,
    end: OnceLock<End>,
    control: Control,
}

/// Where a take ends, told by who looks at the screen. It lies here, and not among the ticks, so that it is known however
/// full the way to the encoder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) at: Monotonic,
    pub(crate) untold: Untold,
}

/// Ticks without a picture of which the encoder was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Untold {
    /// There was no room for them any more.
    These(Vec<Monotonic>),
    /// All since the last one: the display did not answer, and who counts them waits for it.
    Rest,
}

impl Timeline {
    pub(crate) fn new(control: &Control) -> Self {
        Self { zero: OnceLock::new(), stop: OnceLock::new(), end: OnceLock::new(), control: control.clone() }
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// The first picture was taken at `at`. Later calls change nothing.
    pub(crate) fn begin(&self, at: Monotonic) -> Monotonic {
        *self.zero.get_or_init(|| at)
    }

    pub(crate) fn zero(&self) -> Option<Monotonic> {
        self.zero.get().copied()
    }

    /// The take is to end: what is seen, heard or done after `at` is no part of it, however long its threads take to end.
    /// Later calls change nothing.
    pub(crate) fn stop(&self, at: Monotonic) {
        self.stop.get_or_init(|| at);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.get().is_some()
    }

    /// Whether a moment lies after the end that was asked for.
    pub(crate) fn is_over(&self, at: Monotonic) -> bool {
        self.stop.get().is_some_and(|stop| at > *stop)
    }

    /// Nothing more is told. Later calls change nothing.
    pub(crate) fn finish(&self, end: End) {
        self.end.get_or_init(|| end);
    }

    /// Where it ends; `now` where nobody said.
    pub(crate) fn end(&self, now: Monotonic) -> End {
        let unsaid = || End { at: self.last_recorded(now), untold: Untold::These(Vec::new()) };
        self.end.get().cloned().unwrap_or_else(unsaid)
    }

    /// Where a moment lies in the take; `None` before its beginning, inside a pause and after its end.
    pub(crate) fn place(&self, at: Monotonic) -> Option<MediaTime> {
        let zero = self.zero()?;
        let (t, is_paused) = walk(zero, &self.control.stretches(), at)?;
        (!is_paused && !self.is_over(at)).then_some(t)
    }

    /// The same; a moment inside a pause lies where the pause was made.
    pub(crate) fn elapsed(&self, at: Monotonic) -> Option<MediaTime> {
        Some(walk(self.zero()?, &self.control.stretches(), at)?.0)
    }

    /// The last moment of the take not after `at` that is no pause.
    pub(crate) fn last_recorded(&self, at: Monotonic) -> Monotonic {
        let at = self.stop.get().map_or(at, |stop| at.min(*stop));
        let stretches = self.control.stretches();
        let inside = stretches.iter().find(|pause| pause.from < at && pause.to.is_none_or(|to| to > at));
        inside.map_or(at, |pause| pause.from)
    }

    pub(crate) fn stretches(&self) -> Vec<Stretch> {
        self.control.stretches().clone()
    }

    /// The pauses of the take so far, `now` being the end of an open one.
    pub(crate) fn pauses(&self, now: Monotonic) -> Vec<Pause> {
        let Some(zero) = self.zero() else { return Vec::new() };
        let stretches = self.stretches();
        let made = stretches.iter().filter_map(|pause| {
            let (from, to) = (pause.from.max(zero), pause.to.unwrap_or(now));
            let (t, _) = walk(zero, &stretches, from)?;
            let nanos = to.nanos_since(from) + pause.uncounted_nanos;
            let rounded = |secs: f64| (secs * 1e3).round() / 1e3;
            let is_of_the_take = pause.to.is_none_or(|to| to >= zero) && nanos > 0;
            is_of_the_take.then(|| Pause { t: rounded(t.secs()), secs: rounded(nanos as f64 / 1e9) })
        });
        made.collect()
    }

    /// The parts of a chunk that belong to the take. Their stamps count from media time zero, as if there had been no
    /// pause.
    pub(crate) fn recorded(&self, chunk: AudioChunk) -> Vec<AudioChunk> {
        let Some(zero) = self.zero() else { return Vec::new() };
        let stretches = self.control.stretches();
        let stop = self.stop.get();
        if stretches.is_empty() && stop.is_none() {
            return vec![chunk];
        }
        let (channels, rate) = (usize::from(chunk.channels.max(1)), f64::from(chunk.rate_hz.max(1)));
        let frames = chunk.samples.len() / channels;
        let time_of = |frame: usize| Monotonic::from_nanos(chunk.at.nanos + (frame as f64 / rate * 1e9) as i64);
        let frame_at = |at: Monotonic| {
            let frame = (at.nanos_since(chunk.at) as f64 / 1e9 * rate - 1e-6).ceil();
            if frame <= 0.0 { 0 } else { (frame as usize).min(frames) }
        };
        let frames = stop.map_or(frames, |stop| frame_at(*stop));
        let mut parts = Vec::new();
        let mut begin = 0;
        let ends = stretches.iter().map(|pause| (frame_at(pause.from), pause.to.map_or(frames, frame_at)));
        for (end, next) in ends.chain(std::iter::once((frames, frames))) {
            let end = end.min(frames);
            if end > begin {
                let at = time_of(begin);
                let at = walk(zero, &stretches, at).map_or(at, |(t, _)| Monotonic::from_nanos(zero.nanos + t.nanos));
                let samples = chunk.samples[begin * channels..end * channels].to_vec();
                parts.push(AudioChunk { samples, at, ..chunk });
            }
            begin = begin.max(next);
        }
        parts
    }
}

/// Where `at` lies in the take, and whether inside a pause; `None` before its beginning.
fn walk(zero: Monotonic, stretches: &[Stretch], at: Monotonic) -> Option<(MediaTime, bool)> {
    if at < zero {
        return None;
    }
    let mut excised = 0;
    for pause in stretches {
        let from = pause.from.max(zero);
        if at < from {
            break;
        }
        match pause.to {
            Some(to) if to <= at => excised += to.nanos_since(from).max(0),
            // The moment of the pause itself is the end of what came before.
            _ => return Some((MediaTime::from_nanos(from.nanos_since(zero) - excised), at > from)),
        }
    }
    Some((MediaTime::from_nanos(at.nanos_since(zero) - excised), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Why;

    const fn at(millis: i64) -> Monotonic {
        Monotonic::from_nanos(millis * 1_000_000)
    }

    /// Zero at 1000 ms; pauses from 500 to 1200, 2000 to 3000 and 4000 on.
    fn control() -> Control {
        let control = Control::default();
        for (from, to) in [(500, 1200), (2000, 3000)] {
            control.pause_at(at(from));
            control.resume_at(at(to));
        }
        control.pause_at(at(4000));
        control
    }

    #[test]
    fn pauses_take_no_time() {
        let control = control();
        let timeline = Timeline::new(&control);
        assert_eq!(timeline.place(at(1500)), None, "nothing was seen yet");
        timeline.begin(at(1000));
        let rows = [
            (900, None, None),
            (1100, None, Some(0)),
            (1200, Some(0), Some(0)),
            (1500, Some(300), Some(300)),
            (2000, Some(800), Some(800)),
            (2500, None, Some(800)),
            (3000, Some(800), Some(800)),
            (4000, Some(1800), Some(1800)),
            (9000, None, Some(1800)),
        ];
        for (moment, placed, elapsed) in rows {
            let millis = |t: Option<MediaTime>| t.map(|t| t.nanos / 1_000_000);
            assert_eq!(
                (millis(timeline.place(at(moment))), millis(timeline.elapsed(at(moment)))),
                (placed, elapsed),
                "{moment}"
            );
        }
        assert_eq!(timeline.last_recorded(at(9000)), at(4000));
        assert_eq!(timeline.last_recorded(at(3500)), at(3500));
        let pauses: Vec<_> = timeline.pauses(at(4500)).iter().map(|pause| (pause.t, pause.secs)).collect();
        assert_eq!(pauses, [(0.0, 0.2), (0.8, 1.0), (1.8, 0.5)]);
    }

    #[test]
    fn a_sleep_that_the_clock_did_not_count_is_a_pause_without_length_on_it() {
        let control = Control::default();
        let timeline = Timeline::new(&control);
        // Before the take, in it, in a pause, and after that.
        control.slept(at(500), 7_000_000_000);
        timeline.begin(at(1000));
        control.slept(at(1500), 60_000_000_000);
        control.pause_at(at(2000));
        control.slept(at(2500), 9_000_000_000);
        control.resume_at(at(3000));
        control.slept(at(3500), 5_000_000_000);
        let pauses: Vec<_> = timeline.pauses(at(4000)).iter().map(|pause| (pause.t, pause.secs)).collect();
        assert_eq!(pauses, [(0.5, 60.0), (1.0, 10.0), (1.5, 5.0)]);
        let millis = |moment: i64| timeline.place(at(moment)).map(|t| t.nanos / 1_000_000);
        assert_eq!(
            [1499, 1500, 1501, 4000].map(millis),
            [499, 500, 501, 2000].map(Some),
            "no time of the take is lost"
        );
        assert_eq!(control.stretches().iter().filter(|stretch| stretch.why == Why::Slept).count(), 3);
    }

    #[test]
    fn a_locked_screen_is_a_pause_that_only_unlocking_ends() {
        let control = Control::default();
        let timeline = Timeline::new(&control);
        timeline.begin(at(1000));
        control.lock_at(at(2000));
        control.resume_at(at(2500));
        assert!(control.is_locked() && control.is_paused(), "nobody can go on in front of a lock");
        control.unlock_at(at(3000));
        assert!(!control.is_locked() && !control.is_paused());
        // Paused, then locked and unlocked: it was the worker who paused.
        control.pause_at(at(4000));
        control.lock_at(at(4500));
        control.unlock_at(at(5000));
        assert!(control.is_paused());
        control.resume_at(at(6000));
        // Locked, paused meanwhile, and unlocked; the computer slept, too.
        control.lock_at(at(7000));
        control.toggle_pause();
        control.slept(at(7500), 60_000_000_000);
        control.unlock_at(at(8000));
        assert!(control.is_paused());
        control.resume_at(at(9000));
        let pauses: Vec<_> = timeline.pauses(at(9500)).iter().map(|pause| (pause.t, pause.secs)).collect();
        assert_eq!(pauses, [(1.0, 1.0), (2.0, 2.0), (3.0, 62.0)]);
        let why: Vec<_> = control.stretches().iter().map(|stretch| stretch.why).collect();
        assert_eq!(why, [Why::Locked, Why::Asked, Why::Locked]);
    }

    #[test]
    fn a_chunk_is_split_at_pauses_to_the_sample() {
        let control = control();
        let timeline = Timeline::new(&control);
        timeline.begin(at(1000));
        // 3 s of stereo at 1 kHz from 1500 on: each sample is its own time in ms.
        let samples: Vec<f32> = (1500..4500).flat_map(|ms| [ms as f32; 2]).collect();
        let parts = timeline.recorded(AudioChunk { rate_hz: 1000, channels: 2, samples, at: at(1500) });
        let told: Vec<_> = parts
            .iter()
            .map(|part| {
                (part.at.nanos / 1_000_000, part.samples[0], part.samples[part.samples.len() - 1], part.samples.len())
            })
            .collect();
        assert_eq!(told, [(1300, 1500.0, 1999.0, 1000), (1800, 3000.0, 3999.0, 2000)]);
    }

    #[test]
    fn nothing_after_the_stop_is_of_the_take_however_late_it_ends() {
        let control = Control::default();
        let timeline = Timeline::new(&control);
        timeline.begin(at(1000));
        control.pause_at(at(2000));
        control.resume_at(at(2500));
        let chunk = |from: i64, to: i64| {
            let samples = (from..to).map(|ms| ms as f32).collect();
            AudioChunk { rate_hz: 1000, channels: 1, samples, at: at(from) }
        };
        let told = |chunk: AudioChunk| -> Vec<(f32, f32)> {
            let parts = timeline.recorded(chunk);
            parts.iter().map(|part| (part.samples[0], part.samples[part.samples.len() - 1])).collect()
        };
        assert_eq!(told(chunk(1900, 3600)), [(1900.0, 1999.0), (2500.0, 3599.0)]);
        timeline.stop(at(3000));
        timeline.stop(at(4000));
        assert_eq!(told(chunk(1900, 3600)), [(1900.0, 1999.0), (2500.0, 2999.0)]);
        assert_eq!(told(chunk(3000, 3600)), []);
        let millis = |moment: i64| timeline.place(at(moment)).map(|t| t.nanos / 1_000_000);
        assert_eq!([2999, 3000, 3001].map(millis), [Some(1499), Some(1500), None]);
        assert_eq!((timeline.last_recorded(at(9000)), timeline.end(at(9000)).at), (at(3000), at(3000)));
    }

    #[test]
    fn pausing_twice_and_sleeping_in_a_pause_change_nothing() {
        let control = Control::default();
        control.resume_at(at(1));
        control.pause_at(at(10));
        control.pause_at(at(20));
        control.leave_out(at(15), at(25));
        control.resume_at(at(30));
        control.resume_at(at(40));
        control.leave_out(at(20), at(50));
        control.leave_out(at(60), at(70));
        let told: Vec<_> = control.stretches().iter().map(|pause| (pause.from, pause.to.unwrap())).collect();
        assert_eq!(told, [(at(10), at(30)), (at(30), at(50)), (at(60), at(70))]);
    }
}

//! When the samples of a chunk were taken.
//!
//! A system's word on the age of a chunk is right on average and wrong now and then: at the start by up to a tenth of
//! a second, and for every part but the first when one block arrives as several callbacks. The count of samples, on
//! the other hand, goes on evenly. So a chunk's stamp is the end of the chunk before it, drawn slowly towards what the
//! system says, and taken from the system outright only where samples are missing.

use media::time::Monotonic;

const NANOS_PER_SEC: i64 = 1_000_000_000;
const NANOS_PER_MILLI: i64 = 1_000_000;
/// Longer capture delays than this are taken for a broken clock of the device.
const MAX_DELAY_NANOS: i64 = 500 * NANOS_PER_MILLI;
/// A callback so soon after another brings the rest of the same block.
const SAME_BLOCK_NANOS: i64 = 8 * NANOS_PER_MILLI;
/// A difference over this is a hole (or the end of a wrong start), not an error of the system's word.
const HOLE_NANOS: i64 = 60 * NANOS_PER_MILLI;
/// How many blocks in a row must say so.
const HOLE_BLOCKS: u32 = 3;
/// The first blocks draw quickly, to leave a wrong start behind.
const QUICK_BLOCKS: u32 = 12;
const QUICK_SHARE: i64 = 2;
const SLOW_SHARE: i64 = 32;

pub(super) struct Stamps {
    rate_hz: u32,
    /// The end of the chunk before, and when it arrived.
    before: Option<(Monotonic, Monotonic)>,
    blocks: u32,
    apart: u32,
}

impl Stamps {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self { rate_hz: rate_hz.max(1), before: None, blocks: 0, apart: 0 }
    }

    /// The time of the first of `frames` samples that arrive `now` and, by the system's word, began `delay_nanos` ago.
    pub(super) fn next(&mut self, now: Monotonic, delay_nanos: Option<i64>, frames: usize) -> Monotonic {
        let length_nanos = frames as i64 * NANOS_PER_SEC / i64::from(self.rate_hz);
        let delay = delay_nanos.filter(|delay| (1..=MAX_DELAY_NANOS).contains(delay)).unwrap_or(length_nanos);
        let said = Monotonic::from_nanos(now.nanos - delay);
        let at = match self.before {
            None => said,
            Some((end, arrived)) if now.nanos_since(arrived) < SAME_BLOCK_NANOS => end,
            Some((end, _)) => self.drawn(end, said),
        };
        self.before = Some((Monotonic::from_nanos(at.nanos + length_nanos), now));
        at
    }

    fn drawn(&mut self, end: Monotonic, said: Monotonic) -> Monotonic {
        let difference = said.nanos_since(end);
        self.apart = if difference.abs() > HOLE_NANOS { self.apart + 1 } else { 0 };
        if self.apart >= HOLE_BLOCKS {
            self.apart = 0;
            return said;
        }
        if self.apart > 0 {
            return end;
        }
        self.blocks = self.blocks.saturating_add(1);
        let share = if self.blocks <= QUICK_BLOCKS { QUICK_SHARE } else { SLOW_SHARE };
        Monotonic::from_nanos(end.nanos + difference / share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 48_000;

    /// Callbacks as (arrival in ms, delay said in ms, frames); gives how far each stamp is from the true time, in ms,
    /// for samples counted from 1000 ms on.
    fn errors(callbacks: impl IntoIterator<Item = (f64, Option<f64>, usize)>) -> Vec<f64> {
        let mut stamps = Stamps::new(RATE_HZ);
        let mut frames_before = 0;
        let nanos = |millis: f64| (millis * NANOS_PER_MILLI as f64) as i64;
        callbacks
            .into_iter()
            .map(|(arrival, delay, frames)| {
                let at = stamps.next(Monotonic::from_nanos(nanos(arrival)), delay.map(nanos), frames);
                let truth = 1000.0 + f64::from(frames_before) * 1000.0 / f64::from(RATE_HZ);
                frames_before += frames as i32;
                at.nanos as f64 / 1e6 - truth
            })
            .collect()
    }

    #[track_caller]
    fn check(errors: &[f64], from: usize, limit: f64) {
        let worst = errors[from..].iter().fold(0.0_f64, |worst, error| worst.max(error.abs()));
        assert!(worst <= limit, "{worst} ms: {errors:?}");
    }

    #[test]
    fn a_wrong_start_and_parts_of_one_block_do_not_move_the_sound() {
        // 40 ms blocks; the first is said to be 94 ms old; then each comes as three parts with the age of the first.
        let mut callbacks = vec![(1040.0, Some(94.0), 1920)];
        for block in 1..100 {
            let arrival = 1040.0 + f64::from(block) * 40.0;
            if block < 20 {
                callbacks.push((arrival, Some(40.0), 1920));
            } else {
                callbacks.extend([(arrival, Some(40.0), 186), (arrival + 0.1, Some(40.1), 1728)]);
                callbacks.push((arrival + 0.2, Some(40.2), 6));
            }
        }
        let errors = errors(callbacks);
        check(&errors, 8, 1.0);
        check(&errors, 13, 0.1);
    }

    #[test]
    fn late_callbacks_hardly_move_a_device_that_says_nothing() {
        for senseless in [None, Some(0.0), Some(501.0), Some(-3.0)] {
            let callbacks = (1..500).map(|block: i32| {
                let late = if block % 10 == 0 { 25.0 } else { 0.0 };
                (1000.0 + f64::from(block) * 10.0 + late, senseless, 480)
            });
            check(&errors(callbacks), 100, 4.0);
        }
    }

    #[test]
    fn a_hole_moves_the_sound_after_it_within_three_blocks_and_a_fast_clock_is_followed() {
        let with_hole = (1..200).map(|block: i32| {
            let missing = if block >= 100 { 500.0 } else { 0.0 };
            (1000.0 + f64::from(block) * 40.0 + missing, Some(40.0), 1920)
        });
        let moved: Vec<_> = errors(with_hole).into_iter().map(f64::round).collect();
        assert_eq!(moved[98..103], [0.0, 0.0, 0.0, 500.0, 500.0]);

        // 300 parts in a million: over 400 s the samples run 120 ms ahead of their nominal times.
        let fast = |block: i32| 1000.0 + f64::from(block) * 40.0 / 1.0003;
        let errors = errors((1..10_000).map(|block| (fast(block), Some(40.0), 1920)));
        let last = errors[errors.len() - 1];
        assert!((last - (fast(9_998) - 1000.0 - 9_998.0 * 40.0)).abs() < 1.0, "{last}");
    }
}

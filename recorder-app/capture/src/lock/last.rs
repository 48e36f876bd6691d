//! What was answered last, which counts for a while where nothing is answered.

use std::time::{Duration, Instant};

/// A bus or a system that does not answer for longer than this is gone.
const COUNTS_FOR: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Last(Option<(bool, Instant)>);

impl Last {
    /// Notes an answer, `None` where there was none; gives the one that counts. Without any, that is no.
    pub(super) fn told(&mut self, answer: Option<bool>, now: Instant) -> bool {
        if let Some(answer) = answer {
            self.0 = Some((answer, now));
        }
        self.counting(now).unwrap_or(false)
    }

    /// Whether there was an answer that still counts.
    #[cfg(any(target_os = "linux", test))]
    pub(super) fn counts(&self, now: Instant) -> bool {
        self.counting(now).is_some()
    }

    fn counting(&self, now: Instant) -> Option<bool> {
        self.0.filter(|(_, at)| now.duration_since(*at) < COUNTS_FOR).map(|(answer, _)| answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_answer_once_is_as_it_was_and_after_half_a_minute_it_is_open() {
        let began = Instant::now();
        let mut last = Last::default();
        let answers = [
            (0, None, false),
            (1, Some(true), true),
            (2, None, true),
            (30, None, true),
            (31, None, false),
            (32, Some(true), true),
            (33, Some(false), false),
            (34, None, false),
        ];
        for (secs, answer, expected) in answers {
            let now = began + Duration::from_secs(secs);
            assert_eq!(last.told(answer, now), expected, "after {secs} s");
            assert_eq!(last.counts(now), !matches!(secs, 0 | 31), "after {secs} s");
        }
    }
}

//! What was answered last, which counts for a while where nothing is answered.
//!
//! Who lets a question run out is spared the next ones: others are asked in turn with it, and would wait each time.

use std::time::{Duration, Instant};

/// A bus or a system that does not answer for longer than this is gone.
const COUNTS_FOR: Duration = Duration::from_secs(30);
/// A question that is not answered and took longer was waited for in vain; one that is refused is refused at once.
const IN_VAIN: Duration = Duration::from_millis(500);
const SPARED_FOR: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Last {
    answer: Option<(bool, Instant)>,
    /// Before this there is no other question.
    not_before: Option<Instant>,
}

impl Last {
    /// Asks, where that is not to be spared; `None` is no answer. Gives the answer that counts. Without any, that is no.
    pub(super) fn ask(&mut self, clock: impl Fn() -> Instant, question: impl FnOnce() -> Option<bool>) -> bool {
        let began = clock();
        if self.not_before.is_some_and(|moment| began < moment) {
            return self.counting(began).unwrap_or(false);
        }
        let answer = question();
        let now = clock();
        let is_in_vain = answer.is_none() && now.duration_since(began) >= IN_VAIN;
        self.not_before = is_in_vain.then(|| now + SPARED_FOR);
        if let Some(answer) = answer {
            self.answer = Some((answer, now));
        }
        self.counting(now).unwrap_or(false)
    }

    /// Whether there was an answer that still counts.
    #[cfg(any(target_os = "linux", test))]
    pub(super) fn counts(&self, now: Instant) -> bool {
        self.counting(now).is_some()
    }

    fn counting(&self, now: Instant) -> Option<bool> {
        self.answer.filter(|(_, at)| now.duration_since(*at) < COUNTS_FOR).map(|(answer, _)| answer)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

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
            assert_eq!(last.ask(|| now, || answer), expected, "after {secs} s");
            assert_eq!(last.counts(now), !matches!(secs, 0 | 31), "after {secs} s");
        }
    }

    #[test]
    fn who_lets_a_question_run_out_is_spared_the_next_ones_and_still_counts() {
        let now = Cell::new(Instant::now());
        let (mut last, mut asked) = (Last::default(), 0);
        assert!(last.ask(|| now.get(), || Some(true)));
        let until = now.get() + Duration::from_secs(12);
        let mut looks = 0;
        while now.get() < until {
            let run_out = || {
                asked += 1;
                now.set(now.get() + Duration::from_secs(1));
                None
            };
            assert!(last.ask(|| now.get(), run_out), "it is as it was");
            now.set(now.get() + Duration::from_millis(200));
            looks += 1;
        }
        assert!(asked <= 4 && looks >= 40, "{asked} questions in {looks} looks");
        now.set(now.get() + SPARED_FOR);
        assert!(!last.ask(|| now.get(), || Some(false)), "what it says then counts at once");
    }
}

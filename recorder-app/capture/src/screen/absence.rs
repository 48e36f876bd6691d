//! How long a monitor has been away.
//!
//! A lid that closes, or a cable that is put elsewhere, takes a monitor away for a moment. Counted is from the first look
//! that did not find it; a computer that slept meanwhile looked for it neither before nor after, so that its sleep does not
//! count, whatever its clock does.

use media::time::Monotonic;

const GONE_AFTER_NANOS: i64 = 5_000_000_000;
/// With more time than this between two looks the computer slept, or was as good as asleep.
const SLEPT_NANOS: i64 = 3_000_000_000;

/// What was seen of it the last times.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Absence {
    since: Option<Monotonic>,
    looked_at: Option<Monotonic>,
}

impl Absence {
    pub(super) fn found(&mut self) {
        *self = Self::default();
    }

    /// It was looked for and not found. True when it has been away for a while.
    pub(super) fn missed(&mut self, now: Monotonic) -> bool {
        let has_slept = self.looked_at.replace(now).is_none_or(|last| now.nanos_since(last) > SLEPT_NANOS);
        if has_slept {
            self.since = Some(now);
        }
        self.since.is_some_and(|since| now.nanos_since(since) >= GONE_AFTER_NANOS)
    }

    #[cfg(any(target_os = "linux", test))]
    pub(super) fn is_away(self) -> bool {
        self.since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_once_it_was_looked_for_during_five_seconds() {
        let at = |secs: i64| Monotonic::from_nanos(secs * 1_000_000_000);
        let mut absence = Absence::default();
        assert!((100..105).all(|secs| !absence.missed(at(secs))) && absence.is_away());
        assert!(absence.missed(at(105)));
        absence.found();
        assert!(!absence.is_away());
        // The first look after an hour, whether it was there before that or not.
        assert!(!absence.missed(at(4000)));
        assert!(!absence.missed(at(8000)), "it slept meanwhile");
        assert!((8001..8005).all(|secs| !absence.missed(at(secs))));
        assert!(absence.missed(at(8005)));
    }
}

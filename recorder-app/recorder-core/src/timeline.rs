//! The one clock of a take: media time zero is the moment of the first picture.

use std::sync::OnceLock;

use media::time::{MediaTime, Monotonic};

/// Shared by all threads of a take; the first picture sets it going.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    zero: OnceLock<Monotonic>,
}

impl Timeline {
    /// The first picture was taken at `at`. Later calls change nothing.
    pub(crate) fn begin(&self, at: Monotonic) -> Monotonic {
        *self.zero.get_or_init(|| at)
    }

    pub(crate) fn zero(&self) -> Option<Monotonic> {
        self.zero.get().copied()
    }

    /// Where a moment lies in the take; `None` before its beginning.
    pub(crate) fn place(&self, at: Monotonic) -> Option<MediaTime> {
        let nanos = at.nanos_since(self.zero()?);
        (nanos >= 0).then(|| MediaTime::from_nanos(nanos))
    }
}

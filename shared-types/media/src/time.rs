//! Time inside a recording.

use std::ops::{Add, Sub};

/// A moment on the one monotonic clock that stamps picture, sound and input events, in nanoseconds.
///
/// On Linux this is `CLOCK_MONOTONIC`, so that stamps of different threads and sources can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Monotonic {
    pub nanos: i64,
}

/// Time since a recording's first video frame, in nanoseconds; pauses and cuts are already out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime {
    pub nanos: i64,
}

impl Monotonic {
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// Nanoseconds from `earlier` to this moment; negative if this one is earlier.
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.nanos - earlier.nanos
    }
}

impl MediaTime {
    pub const ZERO: Self = Self { nanos: 0 };

    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    pub fn from_secs(secs: f64) -> Self {
        Self { nanos: (secs * 1e9).round() as i64 }
    }

    pub fn secs(self) -> f64 {
        self.nanos as f64 / 1e9
    }
}

impl Add for MediaTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { nanos: self.nanos + other.nanos }
    }
}

impl Sub for MediaTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { nanos: self.nanos - other.nanos }
    }
}

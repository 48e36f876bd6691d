//! Handing raw events on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError};
use media::time::Monotonic;

use super::{RawInput, RawKind};

/// Why reading ends without an error.
pub(super) struct Stopped;

pub(super) struct Out<'a> {
    pub(super) stop: &'a AtomicBool,
    pub(super) sink: &'a Sender<RawInput>,
}

impl Out<'_> {
    /// Waits for room; meanwhile the system keeps what happens.
    pub(super) fn send(&self, at: Monotonic, kind: RawKind) -> Result<(), Stopped> {
        let mut input = RawInput { at, kind };
        while !self.stop.load(Ordering::Relaxed) {
            match self.sink.send_timeout(input, Duration::from_millis(100)) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Timeout(unsent)) => input = unsent,
                Err(SendTimeoutError::Disconnected(_)) => return Err(Stopped),
            }
        }
        Err(Stopped)
    }

    /// False when there is no room.
    pub(super) fn offer(&self, at: Monotonic, kind: RawKind) -> bool {
        !matches!(self.sink.try_send(RawInput { at, kind }), Err(TrySendError::Full(_)))
    }
}

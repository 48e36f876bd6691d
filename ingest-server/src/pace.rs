//! How fast whoever sends a body must be. A slow line is fine, one that is kept open to hold a place is not.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Limits;

#[derive(Debug)]
pub struct Pace {
    idle: Duration,
    window: Duration,
    least_bytes: u64,
    began: Instant,
    arrived: u64,
}

impl Pace {
    pub fn new(limits: &Limits) -> Self {
        Self {
            idle: Duration::from_secs(limits.idle_secs),
            window: Duration::from_secs(limits.rate_secs),
            least_bytes: limits.least_rate_bytes.saturating_mul(limits.rate_secs),
            began: Instant::now(),
            arrived: 0,
        }
    }

    /// How long the next bytes are waited for.
    pub fn patience(&self) -> Duration {
        self.idle
    }

    /// Counts bytes that arrived; false where too few did in the time that is looked at.
    pub fn keeps_up(&mut self, bytes: usize) -> bool {
        self.arrived += bytes as u64;
        if self.began.elapsed() < self.window {
            return true;
        }
        let enough = self.arrived >= self.least_bytes;
        (self.began, self.arrived) = (Instant::now(), 0);
        enough
    }
}

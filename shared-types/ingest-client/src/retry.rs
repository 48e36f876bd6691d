//! How long to wait before the same request is made again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::ClientError;

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A server that asks for more is asked again anyway.
const LONGEST_ASKED: Duration = Duration::from_mins(10);

/// Waits that double from `first` to `most`, each shortened by chance by up to a half, so that many clients of a
/// server that comes back do not all knock at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    pub first: Duration,
    pub most: Duration,
    /// Failures in a row after which the last one is handed on; `None` goes on until cancelled.
    pub tries: Option<u32>,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_mins(1), tries: None }
    }
}

/// A pause before the next try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What happened and when it is tried again.
    pub sentence: String,
    pub delay: Duration,
}

impl Retry {
    pub const fn few(tries: u32) -> Self {
        Self { first: Duration::from_millis(500), most: Duration::from_secs(10), tries: Some(tries) }
    }

    /// Makes the request until it succeeds, fails for good, or is cancelled.
    pub fn run<T>(
        self,
        cancel: &AtomicBool,
        observer: &mut dyn FnMut(&Waiting),
        mut request: impl FnMut() -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut backoff = Backoff::new(self);
        loop {
            if cancel.load(Ordering::Relaxed) {
                return Err(ClientError::Cancelled);
            }
            match request() {
                Ok(answer) => return Ok(answer),
                Err(error) => backoff.wait(error, cancel, observer)?,
            }
        }
    }
}

/// Failures in a row, and the wait that follows the next.
#[derive(Debug)]
pub(crate) struct Backoff {
    retry: Retry,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(retry: Retry) -> Self {
        Self { retry, failures: 0 }
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Waits after a failure that may pass; hands any other on.
    pub(crate) fn wait(
        &mut self,
        error: ClientError,
        cancel: &AtomicBool,
        observer: &mut dyn FnMut(&Waiting),
    ) -> Result<(), ClientError> {
        if cancel.load(Ordering::Relaxed) {
            return Err(ClientError::Cancelled);
        }
        self.failures += 1;
        if !error.is_retryable() || self.retry.tries.is_some_and(|tries| self.failures >= tries) {
            return Err(error);
        }
        let delay = self.delay(&error);
        observer(&Waiting { sentence: sentence(&error, delay), delay });
        pause(delay, cancel)
    }

    fn delay(&self, error: &ClientError) -> Duration {
        let doubled = self.retry.first.saturating_mul(1_u32 << (self.failures - 1).min(16));
        let longest = doubled.min(self.retry.most);
        // Without chance from the system every wait is the full one.
        let chance = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        let delay = longest.mul_f64(0.5 + chance / 2.0);
        error.retry_after().map_or(delay, |asked| asked.min(LONGEST_ASKED).saturating_add(delay / 4))
    }
}

fn sentence(error: &ClientError, delay: Duration) -> String {
    let what = match error {
        ClientError::Unreachable { server, why } => format!("The server {server} cannot be reached: {why}."),
        ClientError::Api { error, .. } => error.message.clone(),
        other => format!("{other}."),
    };
    let secs = delay.as_secs_f64().ceil();
    format!("{what} Nothing is lost; trying again in {secs:.0} s.")
}

pub(crate) fn pause(delay: Duration, cancel: &AtomicBool) -> Result<(), ClientError> {
    let until = Instant::now() + delay;
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(ClientError::Cancelled);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(LOOK_EVERY));
    }
}

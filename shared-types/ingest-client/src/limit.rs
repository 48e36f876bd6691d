//! How much of the line uploads may use.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::retry::pause;
use crate::transport::Cancellable;

/// A rate that all uploads with a clone of it keep together. It may be changed while they run.
#[derive(Debug, Clone, Default)]
pub struct UploadLimit(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Zero: as fast as the line goes.
    bytes_per_sec: AtomicU64,
    /// When the bytes that went so far have had their time.
    free_at: Mutex<Option<Instant>>,
}

impl UploadLimit {
    pub fn new(bytes_per_sec: Option<u64>) -> Self {
        let limit = Self::default();
        limit.set(bytes_per_sec);
        limit
    }

    pub fn set(&self, bytes_per_sec: Option<u64>) {
        self.0.bytes_per_sec.store(bytes_per_sec.map_or(0, |limit| limit.max(1)), Ordering::Relaxed);
        // What a slower rate still owed is forgiven.
        *self.free_at() = None;
    }

    pub(crate) fn bytes_per_sec(&self) -> Option<u64> {
        Some(self.0.bytes_per_sec.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }

    fn wait(&self) -> Duration {
        self.free_at().map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
    }

    fn spend(&self, bytes: usize, bytes_per_sec: u64) {
        let mut free_at = self.free_at();
        let now = Instant::now();
        let from = free_at.map_or(now, |at| at.max(now));
        *free_at = Some(from + Duration::from_secs_f64(bytes as f64 / bytes_per_sec as f64));
    }

    /// Set in one move, so that what a thread that failed left behind is still sound.
    fn free_at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.free_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that keeps the limit, and stops when it is cancelled.
pub(crate) struct Limited<'a, R> {
    inner: Cancellable<'a, R>,
    limit: &'a UploadLimit,
}

impl<'a, R> Limited<'a, R> {
    pub(crate) fn new(inner: R, cancel: &'a AtomicBool, limit: &'a UploadLimit) -> Self {
        Self { inner: Cancellable { inner, cancel }, limit }
    }
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        pause(self.limit.wait(), self.inner.cancel).map_err(|_| io::Error::other("it was stopped"))?;
        let Some(limit) = self.limit.bytes_per_sec() else { return self.inner.read(buf) };
        // A tenth of a second's worth at a time, so that the line is used evenly.
        let most = buf.len().min(usize::try_from(limit / 10).unwrap_or(usize::MAX).max(1024));
        let read = self.inner.read(&mut buf[..most])?;
        self.limit.spend(read, limit);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(limit: &UploadLimit, bytes: usize) -> Duration {
        let (source, cancel, began) = (vec![7; bytes], AtomicBool::new(false), Instant::now());
        let mut read = Vec::new();
        Limited::new(&source[..], &cancel, limit).read_to_end(&mut read).unwrap();
        assert_eq!(read.len(), bytes);
        began.elapsed()
    }

    #[test]
    fn uploads_that_share_a_limit_keep_it_together() {
        let limit = UploadLimit::new(Some(100_000));
        let both = std::thread::scope(|scope| {
            let other = scope.spawn(|| read_all(&limit, 30_000));
            read_all(&limit, 30_000).max(other.join().unwrap())
        });
        // The last tenths of a second are not waited for.
        assert!(both >= Duration::from_millis(350), "{both:?}");
    }

    #[test]
    fn a_limit_that_is_lifted_holds_nobody_up_any_more() {
        let limit = UploadLimit::new(Some(1));
        limit.spend(3600, 1);
        assert!(limit.wait() > Duration::from_mins(50));
        limit.set(None);
        assert!(read_all(&limit, 1 << 20) < Duration::from_mins(1));
    }
}

//! Keeps a job's lease alive while it is done, and carries its progress to the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

use shared_types::api::job::{HeartbeatRequest, JobProgress, LeasedJob};

use super::{JobError, Machine};

/// A third of the lease, so that two heartbeats may be lost.
const HEARTBEAT: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    /// The work is to end: the machine stops, the lease is lost, or nobody wants it.
    end: AtomicBool,
    lost: AtomicBool,
    progress: Mutex<Option<JobProgress>>,
}

pub(super) struct Lease {
    shared: Arc<Shared>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
    }
}

impl Lease {
    pub(super) fn keep<'scope>(
        scope: &'scope Scope<'scope, '_>,
        machine: &'scope Machine<'_>,
        job: &'scope LeasedJob,
    ) -> Result<Self, JobError> {
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        Builder::new().name("lease".to_owned()).spawn_scoped(scope, move || beat(machine, job, &own))?;
        Ok(Self { shared })
    }

    pub(super) fn tell(&self, pass: &str, share: Option<f64>) {
        *self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(JobProgress { pass: pass.to_owned(), share });
    }

    pub(super) fn is_lost(&self) -> bool {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Set when the work is to end before it is done.
    pub(super) fn end(&self) -> &AtomicBool {
        &self.shared.end
    }
}

fn beat(machine: &Machine<'_>, job: &LeasedJob, shared: &Shared) {
    let mut last = Instant::now();
    while !shared.over.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK_EVERY);
        if machine.stop.load(Ordering::Relaxed) {
            shared.end.store(true, Ordering::Relaxed);
        }
        if last.elapsed() < HEARTBEAT {
            continue;
        }
        last = Instant::now();
        let progress = shared.progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = HeartbeatRequest { lease_token: job.lease_token.clone(), progress };
        let gone = match machine.client.heartbeat(job.job_id, &request) {
            Ok(heartbeat) => heartbeat.cancel,
            // A server that cannot be reached may be back before the lease ends.
            Err(error) => !error.is_retryable(),
        };
        if gone {
            shared.lost.store(true, Ordering::Relaxed);
            shared.end.store(true, Ordering::Relaxed);
        }
    }
}

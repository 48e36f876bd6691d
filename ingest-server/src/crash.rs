//! Named points between the steps that write, at which a test ends the process as a power cut would: by SIGKILL, with
//! nothing said to anybody. Only a development build has them; see docs/decisions/0010-named-points-to-die-at.md.

#[cfg(debug_assertions)]
use std::sync::OnceLock;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicU32, Ordering};

/// Every point, in the order in which a recording passes them.
pub const POINTS: &[&str] = &[
    "upload.creating",
    "upload.created",
    "upload.written",
    "upload.synced",
    "upload.committing",
    "upload.committed",
    "upload.adopting",
    "upload.renamed",
    "upload.adopted",
    "upload.readying",
    "upload.ready",
    "submission.binding",
    "submission.bound",
    "job.leasing",
    "job.leased",
    "object.written",
    "object.kept",
    "job.completing",
    "job.completed",
    "review.deciding",
    "review.decided",
    "upload.terminating",
    "upload.terminated",
    "condemned.removing",
    "condemned.removed",
    "erasure.asked",
    "erasure.finishing",
    "erasure.finished",
];

/// Those that are passed only where something is removed that was kept: the recording as it was before a redaction, and
/// media whose time is over.
pub const REMOVAL_POINTS: &[&str] =
    &["redaction.finishing", "redaction.finished", "retention.condemning", "retention.condemned"];

/// Those that are passed only where an upload comes to no good end: left behind, or begun again because bytes are gone.
pub const END_POINTS: &[&str] = &["upload.expiring", "upload.expired", "upload.restarting", "upload.restarted"];

/// Those of a withdrawal.
pub const LEAVE_POINTS: &[&str] = &["consent.withdrawing", "consent.withdrawn"];

/// Those that are passed only where the objects lie in a bucket.
pub const BUCKET_POINTS: &[&str] = &["parts.sent", "parts.tail", "parts.completed"];

/// Passed only where a backup is put back.
pub const RESTORE_POINTS: &[&str] = &["restore.placed"];

#[cfg(debug_assertions)]
const LISTS: [&[&str]; 6] = [POINTS, REMOVAL_POINTS, END_POINTS, LEAVE_POINTS, BUCKET_POINTS, RESTORE_POINTS];

#[cfg(debug_assertions)]
#[derive(Debug)]
struct Armed {
    point: String,
    /// How often the point is still passed.
    passes: AtomicU32,
}

#[cfg(debug_assertions)]
static ARMED: OnceLock<Armed> = OnceLock::new();

/// Chooses the point: `NAME`, or `NAME:N` for the N-th time it is reached.
#[cfg(debug_assertions)]
pub fn arm(at: &str) {
    let (point, nth) = at.split_once(':').unwrap_or((at, "1"));
    let passes = AtomicU32::new(nth.parse().unwrap_or(1));
    // Only the first choice counts; a process is armed once, when it starts.
    let _ = ARMED.set(Armed { point: point.to_owned(), passes });
}

#[cfg(not(debug_assertions))]
pub fn arm(_: &str) {}

/// Ends the process here if this point was chosen.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    let is_listed = LISTS.iter().any(|points| points.contains(&name));
    debug_assert!(is_listed, "{name} is in a list of points");
    let Some(armed) = ARMED.get().filter(|armed| armed.point == name) else { return };
    if armed.passes.fetch_sub(1, Ordering::SeqCst) == 1 {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

#[cfg(not(debug_assertions))]
pub fn point(_: &'static str) {}

//! What a take is told while it runs: to pause, to go on, to end; and by its own threads that the computer slept or the screen
//! is locked.
//!
//! A pause begins at the very moment it is asked for: that moment is stamped here, by the caller, and every picture,
//! sample and event is held against it, however late it comes to be handled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capture::clock;
use media::time::Monotonic;

/// Shared between the take and whoever drives it: each clone drives the same take.
#[derive(Debug, Clone, Default)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    ended: AtomicBool,
    stretches: Mutex<Vec<Stretch>>,
    /// What holds the open stretch; written while the stretches are held.
    is_asked: AtomicBool,
    is_locked: AtomicBool,
}

/// A pause on the monotonic clock; the last one may still be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Monotonic,
    pub(crate) to: Option<Monotonic>,
    /// How long the computer slept in it while that clock stood still.
    pub(crate) uncounted_nanos: i64,
    pub(crate) why: Why,
}

/// What a stretch began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Asked,
    /// The computer slept.
    Slept,
    /// The screen was locked.
    Locked,
}

impl Stretch {
    /// How long it was at the moment `now`, by the clock on the wall.
    pub(crate) fn nanos(&self, now: Monotonic) -> i64 {
        self.to.unwrap_or(now).nanos_since(self.from) + self.uncounted_nanos
    }
}

impl Control {
    /// Ends the take, also from within a pause.
    pub fn end(&self) {
        self.shared.ended.store(true, Ordering::Relaxed);
    }

    pub fn is_ended(&self) -> bool {
        self.shared.ended.load(Ordering::Relaxed)
    }

    /// For work that knows no pause.
    pub fn end_flag(&self) -> &AtomicBool {
        &self.shared.ended
    }

    /// From now on nothing is recorded. In a pause it changes nothing.
    pub fn pause(&self) {
        self.pause_at(clock::now());
    }

    /// From now on the take goes on.
    pub fn resume(&self) {
        self.resume_at(clock::now());
    }

    pub fn toggle_pause(&self) {
        let now = clock::now();
        if self.shared.is_asked.load(Ordering::Relaxed) { self.resume_at(now) } else { self.pause_at(now) }
    }

    /// Whether nothing is recorded at the moment, for whatever reason.
    pub fn is_paused(&self) -> bool {
        self.held().last().is_some_and(|last| last.to.is_none())
    }

    pub(crate) fn pause_at(&self, at: Monotonic) {
        self.begin(at, Why::Asked, &self.shared.is_asked);
    }

    pub(crate) fn resume_at(&self, at: Monotonic) {
        self.finish(at, &self.shared.is_asked);
    }

    /// The screen is locked: a pause that nobody can end before it is unlocked. A pause that is asked for meanwhile, or was
    /// before, stays.
    pub(crate) fn lock_at(&self, at: Monotonic) {
        self.begin(at, Why::Locked, &self.shared.is_locked);
    }

    pub(crate) fn unlock_at(&self, at: Monotonic) {
        self.finish(at, &self.shared.is_locked);
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.shared.is_locked.load(Ordering::Relaxed)
    }

    fn begin(&self, at: Monotonic, why: Why, holds: &AtomicBool) {
        let mut stretches = self.held();
        if stretches.last().is_none_or(|last| last.to.is_some_and(|to| to <= at)) {
            stretches.push(Stretch { from: at, to: None, uncounted_nanos: 0, why });
        }
        holds.store(stretches.last().is_some_and(|last| last.to.is_none()), Ordering::Relaxed);
    }

    fn finish(&self, at: Monotonic, held: &AtomicBool) {
        let mut stretches = self.held();
        held.store(false, Ordering::Relaxed);
        let is_held = [&self.shared.is_asked, &self.shared.is_locked].iter().any(|holds| holds.load(Ordering::Relaxed));
        if let Some(last) = stretches.last_mut().filter(|last| last.to.is_none() && !is_held) {
            last.to = Some(at.max(last.from));
        }
    }

    /// Time in which the computer slept and the clock went on, told afterwards. What a pause already takes out stays that pause.
    pub(crate) fn leave_out(&self, from: Monotonic, to: Monotonic) {
        let mut stretches = self.held();
        let from = stretches.last().map_or(from, |last| last.to.map_or(to, |ended| ended.max(from)));
        if from < to {
            stretches.push(Stretch { from, to: Some(to), uncounted_nanos: 0, why: Why::Slept });
        }
    }

    /// The computer slept until `at` while the clock stood still: a pause without length on it. In a pause it makes that
    /// one longer.
    pub(crate) fn slept(&self, at: Monotonic, nanos: i64) {
        let mut stretches = self.held();
        match stretches.last_mut() {
            Some(last) if last.to.is_none_or(|to| to > at) => last.uncounted_nanos += nanos,
            _ => stretches.push(Stretch { from: at, to: Some(at), uncounted_nanos: nanos, why: Why::Slept }),
        }
    }

    pub(crate) fn stretches(&self) -> MutexGuard<'_, Vec<Stretch>> {
        self.held()
    }

    /// Each change is one move, so that what a thread that failed left behind is still sound.
    fn held(&self) -> MutexGuard<'_, Vec<Stretch>> {
        self.shared.stretches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

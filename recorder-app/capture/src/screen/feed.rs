//! Pictures that a system pushes, kept for a recorder that asks for the latest.
//!
//! Where pictures are pushed they come when something changes: none while the screen is still, more than can be used
//! while it moves. The library that brings them runs on a thread of its own, `screen-feed`, where it may wait without
//! end and may panic. Of what it brings only the last picture is kept, by moving it, so that nothing grows.
//!
//! Such libraries keep their state in globals, so there is one feed at a time in a program. A feed that is dropped ends
//! with the next thing that comes; the one after it waits a little for that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use media::frame::BgraFrame;
use media::time::Monotonic;

use super::{Grab, ScreenError};
use crate::clock;

const THREAD: &str = "screen-feed";
/// How long a feed waits for the one before it to end.
const WAIT_FOR_OTHER: Duration = Duration::from_secs(3);
/// How long a feed that is dropped waits for its own end, so that the sharing is seen to stop.
const WAIT_FOR_END: Duration = Duration::from_millis(500);
/// Two stamps are never closer than this: a picture can come right after the one before it was asked for.
const LEAST_STEP_NANOS: i64 = 1_000_000;

static IN_USE: Mutex<bool> = Mutex::new(false);
static FREED: Condvar = Condvar::new();

/// Waits for what comes next: a picture, stamped with when it was shown, or word that nothing changed. The error is why
/// no more will come.
pub(super) type Next = Box<dyn FnMut() -> Result<Option<BgraFrame>, String>>;

#[derive(Debug)]
pub(super) enum FeedError {
    /// Another feed of this program has not ended.
    Busy,
    /// It could not be opened, or ended before its first picture.
    Ended(String),
    /// No picture came in time.
    Silent,
}

#[derive(Debug)]
pub(super) struct Feed {
    shared: Arc<Shared>,
    asked_at: Option<Monotonic>,
    size: (u32, u32),
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
    is_over: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The last picture, if nobody has taken it yet.
    fresh: Option<BgraFrame>,
    /// Why no more pictures come.
    ended: Option<String>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.news.notify_all();
    }

    /// Waits until `seen` is satisfied or the time is over.
    fn wait(&self, longest: Duration, seen: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.news.wait_timeout_while(self.state(), longest, |state| !seen(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Feed {
    /// Opens a feed on its thread and waits for its first picture.
    pub(super) fn open(
        patience: Duration,
        open: impl FnOnce() -> Result<Next, String> + Send + 'static,
    ) -> Result<Self, FeedError> {
        let claim = Claim::new().ok_or(FeedError::Busy)?;
        silence_panics();
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let run = move || {
            let result = caught(|| push(&theirs, open)).and_then(|result| result);
            let reason = result.err().unwrap_or_else(|| "it was stopped".to_owned());
            drop(claim);
            theirs.change(|state| state.ended = Some(reason));
        };
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(run);
        thread.map_err(|error| FeedError::Ended(error.to_string()))?;
        let mut feed = Self { shared, asked_at: None, size: (0, 0) };
        let state = feed.shared.wait(patience, |state| state.fresh.is_some() || state.ended.is_some());
        let size = match (&state.fresh, &state.ended) {
            (Some(picture), _) => (picture.width, picture.height),
            (None, Some(reason)) => return Err(FeedError::Ended(reason.clone())),
            (None, None) => return Err(FeedError::Silent),
        };
        drop(state);
        feed.size = size;
        Ok(feed)
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// As [`super::ScreenSource::latest`]; the error is why the feed ended. A picture is stamped with when it was shown,
    /// as far as that lies after the last question.
    pub(super) fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, String> {
        let now = clock::now();
        let earliest = self.asked_at.map_or(now, |asked| Monotonic::from_nanos(asked.nanos + LEAST_STEP_NANOS));
        self.asked_at = Some(now);
        let mut state = self.shared.state();
        if let Some(mut picture) = state.fresh.take() {
            drop(state);
            std::mem::swap(into, &mut picture);
            into.at = into.at.max(earliest).min(now);
            self.size = (into.width, into.height);
            return Ok(Grab::Changed);
        }
        into.at = now;
        state.ended.clone().map_or(Ok(Grab::Same), Err)
    }
}

/// Why a screen gives no pictures any more.
pub(super) fn lost(id: &str, reason: &str) -> ScreenError {
    ScreenError::Lost(format!("{id} gives no pictures: {reason}"))
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        drop(self.shared.wait(WAIT_FOR_END, |state| state.ended.is_some()));
    }
}

fn push(shared: &Shared, open: impl FnOnce() -> Result<Next, String>) -> Result<(), String> {
    let mut next = open()?;
    while !shared.is_over.load(Ordering::Relaxed) {
        if let Some(picture) = next()? {
            shared.change(|state| state.fresh = Some(picture));
        }
    }
    Ok(())
}

/// Asks such a library something, on a thread of its own; a panic comes back as what it said.
#[cfg(any(not(target_os = "linux"), test))]
pub(super) fn ask<T: Send + 'static>(question: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    silence_panics();
    let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || caught(question));
    let answer = thread.map_err(|error| error.to_string())?.join();
    answer.unwrap_or_else(|panic| Err(said(panic.as_ref())))
}

fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| said(panic.as_ref()))
}

/// The right to be the program's one feed.
struct Claim;

impl Claim {
    fn new() -> Option<Self> {
        let until = Instant::now() + WAIT_FOR_OTHER;
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        while *in_use {
            let left = until.checked_duration_since(Instant::now())?;
            in_use = FREED.wait_timeout(in_use, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *in_use = true;
        Some(Self)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        *IN_USE.lock().unwrap_or_else(PoisonError::into_inner) = false;
        FREED.notify_one();
    }
}

/// A panic of this thread comes back as an error; printed as well it would only frighten.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(THREAD) {
                usual(panic);
            }
        }));
    });
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it failed without a word".to_owned())
}

#[cfg(test)]
#[path = "feed_tests.rs"]
pub(super) mod tests;

//! Named points at which a test ends the pipeline as a power cut would: by SIGKILL, at the end of a pass, when its work
//! is done and nothing of it is kept yet. Only a development build has them; see
//! docs/decisions/0010-named-points-to-die-at.md.

#[cfg(debug_assertions)]
use std::sync::OnceLock;

#[cfg(debug_assertions)]
static ARMED: OnceLock<String> = OnceLock::new();

/// Chooses the pass; only the first choice counts.
#[cfg(debug_assertions)]
pub fn arm(pass: String) {
    let _ = ARMED.set(pass);
}

#[cfg(not(debug_assertions))]
pub fn arm(_: String) {}

/// Ends the process here if this pass was chosen.
#[cfg(debug_assertions)]
pub fn point(pass: &str) {
    if ARMED.get().is_some_and(|armed| armed == pass) {
        die();
    }
}

#[cfg(not(debug_assertions))]
pub fn point(_: &str) {}

/// A worker's process ended badly: the worker dies with it if that is what was chosen, before it can tell the server.
#[cfg(debug_assertions)]
pub fn follow() {
    if ARMED.get().is_some() {
        die();
    }
}

#[cfg(not(debug_assertions))]
pub fn follow() {}

#[cfg(debug_assertions)]
fn die() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

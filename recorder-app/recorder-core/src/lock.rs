//! The lock of the screen during a take: a pause that nobody asked for.
//!
//! What is on the screen while it is locked, what is typed to unlock it and what is said meanwhile are no part of a take. The
//! system is asked by a thread of its own, for which nobody waits, since an answer may take its time.

use std::io;
use std::thread::Builder;
use std::time::Duration;

use capture::clock;
use capture::lock::IsLocked;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::control::Control;

/// Nobody gets a password typed in this time.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Leaves out the time in which the screen is locked, as long as what is returned lives.
pub(crate) fn watch(mut is_locked: IsLocked, control: &Control) -> io::Result<Sender<()>> {
    let (alive, ended) = bounded(0);
    let control = control.clone();
    let look = move || {
        loop {
            match (control.is_locked(), is_locked()) {
                (false, true) => control.lock_at(clock::now()),
                (true, false) => control.unlock_at(clock::now()),
                _ => {}
            }
            if ended.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    };
    Builder::new().name("lock".to_owned()).spawn(look)?;
    Ok(alive)
}

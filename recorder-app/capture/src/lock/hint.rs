//! What logind says of the session, over the system's D-Bus.
//!
//! The session is the one that the program runs in, or, where it runs outside of all of them as a desktop's services do, the
//! one that its user sees. One that does not answer for a moment is as it was and is asked again soon; a computer without
//! logind, or without a bus, from time to time.

use std::time::{Duration, Instant};

use dbus::Error;
use dbus::blocking::Connection;
use dbus::blocking::stdintf::org_freedesktop_dbus::Properties;

use super::last::Last;

const SERVICE: &str = "org.freedesktop.login1";
const OWN_SESSION: &str = "/org/freedesktop/login1/session/auto";
const SESSION: &str = "org.freedesktop.login1.Session";
const PATIENCE: Duration = Duration::from_secs(1);
const AGAIN_AFTER: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Hint {
    bus: Option<Connection>,
    last: Last,
    /// Before this nobody is asked.
    not_before: Option<Instant>,
}

impl Hint {
    pub(super) fn is_locked(&mut self) -> bool {
        if self.not_before.is_some_and(|moment| Instant::now() < moment) {
            return false;
        }
        let is_locked = self.last.ask(Instant::now, || ask(&mut self.bus).ok());
        let now = Instant::now();
        self.not_before = (!self.last.counts(now)).then(|| now + AGAIN_AFTER);
        is_locked
    }
}

/// Over a connection that is kept where it gives an answer: a bus that ended needs another one.
fn ask(kept: &mut Option<Connection>) -> Result<bool, Error> {
    let bus = match kept.take() {
        Some(bus) => bus,
        None => Connection::new_system()?,
    };
    let answer = bus.with_proxy(SERVICE, OWN_SESSION, PATIENCE).get(SESSION, "LockedHint")?;
    *kept = Some(bus);
    Ok(answer)
}

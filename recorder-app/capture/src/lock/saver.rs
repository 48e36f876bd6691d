//! What the desktop's screen saver says of itself, over the session's D-Bus.
//!
//! Each desktop has its own, with the same question under another name: whether it lies over the screen. That is so while the
//! screen is locked, and already when it is about to be. One that does not run is not started for the question.

use std::time::{Duration, Instant};

use dbus::blocking::{BlockingSender as _, Connection};
use dbus::{Error, Message};

use super::last::Last;
use crate::display::Session;

/// Its name, which is its interface's as well, and its place.
type Name = (&'static str, &'static str);

/// KDE's, GNOME's, Cinnamon's, MATE's, Xfce's.
const SAVERS: [Name; 5] = [
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];
const PATIENCE: Duration = Duration::from_secs(1);
/// Those that have not answered are asked again after this; one that did is asked each time, if it does not hang.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Saver {
    address: Option<String>,
    bus: Option<Connection>,
    /// Those that answered, and what.
    running: Vec<(Name, Last)>,
    /// Before this only they are asked.
    not_before: Option<Instant>,
}

impl Saver {
    pub(super) fn of(session: &Session) -> Self {
        Self { address: session.bus().map(str::to_owned), bus: None, running: Vec::new(), not_before: None }
    }

    pub(super) fn is_active(&mut self) -> bool {
        let Some(address) = self.address.as_deref() else { return false };
        let is_due = self.not_before.is_none_or(|moment| Instant::now() >= moment);
        let has_ended = self.bus.as_ref().is_none_or(|bus| !bus.channel().is_connected());
        if has_ended && (is_due || !self.running.is_empty()) {
            self.bus = Connection::new_address(address).ok();
        }
        if is_due {
            let is_running = |name: &Name| self.running.iter().any(|(running, _)| running == name);
            let others: Vec<_> = SAVERS.into_iter().filter(|name| !is_running(name)).collect();
            self.running.extend(others.into_iter().map(|name| (name, Last::default())));
            self.not_before = Some(Instant::now() + LOOK_EVERY);
        }
        let mut is_active = false;
        self.running.retain_mut(|(name, last)| {
            is_active |= last.ask(Instant::now, || self.bus.as_ref().and_then(|bus| ask(bus, *name).ok()));
            last.counts(Instant::now())
        });
        is_active
    }
}

fn ask(bus: &Connection, (name, path): Name) -> Result<bool, Error> {
    let mut question = Message::call_with_args(name, path, name, "GetActive", ());
    question.set_auto_start(false);
    bus.send_with_reply_and_block(question, PATIENCE)?.read1().map_err(|_| Error::new_failed("it is no yes or no"))
}

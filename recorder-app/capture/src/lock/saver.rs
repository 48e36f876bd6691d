//! What the desktop's screen saver says of itself, over the session's D-Bus.
//!
//! Each desktop has its own, with the same question under another name: whether it lies over the screen. That is so while the
//! screen is locked, and already when it is about to be. One that does not run is not started for the question.

use std::time::{Duration, Instant};

use dbus::blocking::{BlockingSender as _, Connection};
use dbus::{Error, Message};

use crate::display::Session;

/// The name of each, which is its interface's as well, and its place: KDE's, GNOME's, Cinnamon's, MATE's, Xfce's.
const SAVERS: [(&str, &str); 5] = [
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];
const PATIENCE: Duration = Duration::from_secs(1);
/// Those that did not answer are asked again after this.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Saver {
    address: Option<String>,
    bus: Option<Connection>,
    /// Those that answered the last time.
    running: Vec<(&'static str, &'static str)>,
    /// Before this only they are asked.
    not_before: Option<Instant>,
}

impl Saver {
    pub(super) fn of(session: &Session) -> Self {
        Self { address: session.bus().map(str::to_owned), bus: None, running: Vec::new(), not_before: None }
    }

    pub(super) fn is_active(&mut self) -> bool {
        let Some(address) = self.address.as_deref() else { return false };
        if self.not_before.is_none_or(|moment| Instant::now() >= moment) {
            if self.running.is_empty() {
                // A bus that ended needs another connection.
                self.bus = Connection::new_address(address).ok();
            }
            self.running = SAVERS.to_vec();
            self.not_before = Some(Instant::now() + LOOK_EVERY);
        }
        let Some(bus) = &self.bus else { return false };
        let mut is_active = false;
        self.running.retain(|saver| {
            let answer = ask(bus, saver);
            is_active |= matches!(answer, Ok(true));
            answer.is_ok()
        });
        is_active
    }
}

fn ask(bus: &Connection, (name, path): &(&'static str, &'static str)) -> Result<bool, Error> {
    let mut question = Message::call_with_args(*name, *path, *name, "GetActive", ());
    question.set_auto_start(false);
    bus.send_with_reply_and_block(question, PATIENCE)?.read1().map_err(|_| Error::new_failed("it is no yes or no"))
}

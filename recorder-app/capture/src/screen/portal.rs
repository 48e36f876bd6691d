//! The screen that a Wayland desktop shares, and whether it still does.
//!
//! A sharing that ends, by the worker in the desktop's own menu or by the desktop, brings no error from scap, only no more
//! pictures, as a still screen does. The portal tells the end to the connection alone that asked for the sharing, and that
//! is scap's own. But for as long as a sharing lasts the portal keeps an object for it, in a place that anybody may look
//! at: below the name of the connection, of which the bus says whose it is, and with the name that scap gave it. So the
//! portal is asked, once a second, on a thread of its own, `sharing`, since an answer may take its time. Where nobody
//! can say, as with a portal that answers otherwise, nothing is told. `PipeWire`, which brings the pictures, may die while the
//! portal goes on showing the sharing; it is watched in the same way ([`super::pipewire`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use dbus::blocking::{BlockingSender as _, Connection};
use dbus::{Error, Message, Path};
use media::frame::BgraFrame;

use super::feed::{Feed, lost};
use super::{Grab, ScreenError, ScreenSource};
use crate::display::Session;

/// What the desktop lets the worker choose when the recording starts.
pub(super) const PORTAL: &str = "portal";

const SERVICE: &str = "org.freedesktop.portal.Desktop";
const SESSIONS: &str = "/org/freedesktop/portal/desktop/session";
/// What scap's names for its sessions begin with.
const OURS: &str = "scap_";
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the worker chose.
pub(super) struct PortalScreen {
    /// None of these may be over. They go first, for one of them ends the feed.
    sharings: Vec<Sharing>,
    feed: Feed,
}

impl PortalScreen {
    pub(super) fn new(feed: Feed, sharings: Vec<Sharing>) -> Self {
        Self { sharings, feed }
    }
}

impl ScreenSource for PortalScreen {
    fn system(&self) -> &'static str {
        "wayland"
    }

    fn size(&self) -> (u32, u32) {
        self.feed.size()
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let grab = self.feed.latest(into);
        // A picture that came before the end is still one.
        if grab != Ok(Grab::Changed) && self.sharings.iter().any(Sharing::is_over) {
            return Err(ScreenError::Unshared);
        }
        grab.map_err(|reason| lost(PORTAL, &reason))
    }
}

/// Watched until it is dropped.
pub(super) struct Sharing {
    is_over: Arc<AtomicBool>,
    _stop: Sender<()>,
}

impl Sharing {
    /// Asks again and again whether the screen is shared, `None` being no answer. It is over when it was and no longer is.
    /// The question is made on the thread that asks it.
    pub(super) fn watch<Question>(question: impl FnOnce() -> Question + Send + 'static) -> Self
    where
        Question: FnMut() -> Option<bool>,
    {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let (stop, stopped) = bounded(0);
        let run = move || {
            let mut is_shared = question();
            let mut was_shared = false;
            loop {
                match is_shared() {
                    Some(true) => was_shared = true,
                    Some(false) if was_shared => return told.store(true, Ordering::Relaxed),
                    _ => {}
                }
                if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        // Without the thread it is as where nobody can say.
        drop(Builder::new().name("sharing".to_owned()).spawn(run));
        Self { is_over, _stop: stop }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// The portal's sessions, as the session's D-Bus shows them.
pub(super) struct Sessions {
    address: Option<String>,
    bus: Option<Connection>,
}

impl Sessions {
    pub(super) fn of(session: &Session) -> Self {
        Self { address: session.bus().map(str::to_owned), bus: None }
    }

    /// Whether one of them is this program's sharing; `None` where nobody can say.
    pub(super) fn is_one_ours(&mut self) -> Option<bool> {
        let bus = match self.bus.take() {
            Some(bus) => bus,
            None => Connection::new_address(self.address.as_deref()?).ok()?,
        };
        let answer = is_one_ours(&bus).ok()?;
        // After an error another connection is made.
        self.bus = Some(bus);
        Some(answer)
    }
}

fn is_one_ours(bus: &Connection) -> Result<bool, Error> {
    for connection in children(bus, SESSIONS)? {
        // One that ended meanwhile is nobody's.
        if process_of(bus, &connection).is_ok_and(|process| process == std::process::id()) {
            let sessions = children(bus, &format!("{SESSIONS}/{connection}"))?;
            if sessions.iter().any(|session| session.starts_with(OURS)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// In the portal's paths the name `:1.42` of a connection is `1_42`.
fn process_of(bus: &Connection, connection: &str) -> Result<u32, Error> {
    let name = format!(":{}", connection.replace('_', "."));
    let daemon = "org.freedesktop.DBus";
    let question =
        Message::call_with_args(daemon, "/org/freedesktop/DBus", daemon, "GetConnectionUnixProcessID", (name,));
    bus.send_with_reply_and_block(question, PATIENCE)?.read1().map_err(|_| Error::new_failed("it is no number"))
}

/// The names of what lies below a path. A portal that does not run is not started for it.
fn children(bus: &Connection, path: &str) -> Result<Vec<String>, Error> {
    let path = Path::new(path).map_err(|_| Error::new_failed("it is no path"))?;
    let mut question = Message::call_with_args(SERVICE, path, "org.freedesktop.DBus.Introspectable", "Introspect", ());
    question.set_auto_start(false);
    let answer = bus.send_with_reply_and_block(question, PATIENCE)?;
    let told: &str = answer.read1().map_err(|_| Error::new_failed("it is no text"))?;
    let names = told.split("<node name=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    Ok(names.map(|(name, _)| name.to_owned()).collect())
}

#[cfg(test)]
#[path = "portal_tests.rs"]
mod tests;

//! The title of the window that the worker works in.
//!
//! A window manager names the active window in `_NET_ACTIVE_WINDOW` and tells when it changes. Without a window manager
//! the window with the keyboard's focus is taken, or, where the focus follows the pointer, the window under it; that
//! has no notification, so that [`Title::read`] is also called from time to time.

use media::time::Monotonic;
use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, InputFocus, Window,
};
use x11rb::rust_connection::RustConnection;

use crate::clock;
use crate::screen::windows::{Discretion, Telling, is_locked};

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        _NET_ACTIVE_WINDOW,
        _NET_WM_NAME,
        UTF8_STRING,
    }
}

pub(super) struct Title {
    root: Window,
    atoms: Atoms,
    discretion: Discretion,
    telling: Telling,
    is_locked: bool,
    /// When it was first seen that the screen is not locked any more.
    unlocked_at: Monotonic,
    watched: Option<Window>,
    last: Option<String>,
}

impl Title {
    /// Asks to be told of changes of the active window.
    pub(super) fn watch(conn: &RustConnection, root: Window, discretion: Discretion) -> Result<Self, ReplyError> {
        let atoms = Atoms::new(conn)?.reply()?;
        watch_properties(conn, root)?;
        let (telling, unlocked_at) = (Telling::All, Monotonic::default());
        Ok(Self { root, atoms, discretion, telling, is_locked: false, unlocked_at, watched: None, last: None })
    }

    /// How much may be told of what is done in the window that the last [`Title::read`] found.
    pub(super) fn telling(&self) -> Telling {
        self.telling
    }

    /// Whether what happened at a moment may have been meant for a lock: it is not known to the millisecond when that went.
    pub(super) fn was_locked(&self, at: Monotonic) -> bool {
        self.is_locked || at < self.unlocked_at
    }

    /// How much may be told of what is done in another window.
    pub(super) fn telling_of(&self, conn: &RustConnection, window: Window) -> Result<Telling, ReplyError> {
        self.discretion.telling(conn, window)
    }

    /// Whether a changed property can change the title.
    pub(super) fn concerns(&self, window: Window, property: Atom) -> bool {
        (window == self.root && property == self.atoms._NET_ACTIVE_WINDOW)
            || (Some(window) == self.watched
                && (property == self.atoms._NET_WM_NAME || property == u32::from(AtomEnum::WM_NAME)))
    }

    /// The title, if it is another one than the last time and may be told.
    pub(super) fn read(&mut self, conn: &RustConnection) -> Result<Option<String>, ReplyError> {
        if is_locked(conn, self.root)? {
            // Lockers take the keyboard, but neither the focus nor what is told of all keys.
            (self.telling, self.is_locked) = (Telling::Nothing, true);
            return Ok(None);
        }
        if std::mem::take(&mut self.is_locked) {
            // The server counts in milliseconds.
            let now = clock::now().nanos;
            self.unlocked_at = Monotonic::from_nanos(now - now % 1_000_000);
        }
        let Some((window, title)) = self.active(conn)? else {
            self.telling = Telling::All;
            return Ok(None);
        };
        self.telling = self.discretion.telling(conn, window)?;
        if self.watched != Some(window) {
            watch_properties(conn, window)?;
            self.watched = Some(window);
        }
        if self.telling != Telling::All {
            return Ok(None);
        }
        if self.last.as_deref() == Some(title.as_str()) {
            return Ok(None);
        }
        self.last = Some(title.clone());
        Ok(Some(title))
    }

    fn active(&self, conn: &RustConnection) -> Result<Option<(Window, String)>, ReplyError> {
        let property = conn.get_property(false, self.root, self.atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW, 0, 1)?;
        if let Some(property) = may_be_gone(property.reply())?
            && let Some(window) = property.value32().and_then(|mut values| values.next())
        {
            return if window == 0 { Ok(None) } else { self.named(conn, window) };
        }
        let focus = conn.get_input_focus()?.reply()?.focus;
        let pointed = [u32::from(InputFocus::NONE), u32::from(InputFocus::POINTER_ROOT), self.root].contains(&focus);
        let window = if pointed { conn.query_pointer(self.root)?.reply()?.child } else { focus };
        self.named(conn, window)
    }

    /// The window itself, or the nearest one around it that has a name.
    fn named(&self, conn: &RustConnection, mut window: Window) -> Result<Option<(Window, String)>, ReplyError> {
        while window != 0 && window != self.root {
            if let Some(name) = self.name(conn, window)? {
                return Ok(Some((window, name)));
            }
            let Some(tree) = may_be_gone(conn.query_tree(window)?.reply())? else { return Ok(None) };
            window = tree.parent;
        }
        Ok(None)
    }

    fn name(&self, conn: &RustConnection, window: Window) -> Result<Option<String>, ReplyError> {
        const MAX_WORDS: u32 = 256;
        for property in [self.atoms._NET_WM_NAME, AtomEnum::WM_NAME.into()] {
            let reply = conn.get_property(false, window, property, AtomEnum::ANY, 0, MAX_WORDS)?.reply();
            let Some(reply) = may_be_gone(reply)? else { return Ok(None) };
            if reply.value.is_empty() {
                continue;
            }
            let latin1 = reply.type_ == u32::from(AtomEnum::STRING);
            return Ok(Some(if latin1 {
                reply.value.iter().copied().map(char::from).collect()
            } else {
                String::from_utf8_lossy(&reply.value).into_owned()
            }));
        }
        Ok(None)
    }
}

/// A window that is gone by now answers with an error, which comes as an event that nobody reads.
fn watch_properties(conn: &RustConnection, window: Window) -> Result<(), ConnectionError> {
    let events = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    conn.change_window_attributes(window, &events)?;
    conn.flush()
}

/// Windows may close between two questions.
fn may_be_gone<T>(reply: Result<T, ReplyError>) -> Result<Option<T>, ReplyError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

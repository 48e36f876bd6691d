//! Mouse and keyboard of an X11 session.
//!
//! Buttons and keys are `XInput2` raw events of the root window: every program's events, without taking any from it and
//! without polling, so that none is missed. A raw event has no position; the pointer is asked for at once. The path of
//! the pointer is asked for 20 times a second, because moves made by programs give no raw event. Wheel notches are the
//! buttons 4 to 7, which the server also makes from the smooth scrolling of touchpads.
//!
//! Times are the server's own, which are milliseconds of the same monotonic clock, as long as they are plausible; so a
//! busy computer does not stretch the time between two clicks.
//!
//! Nothing is told of what is done in windows that are left out of the picture, nor while the screen is locked. Which window a key goes to is asked at
//! each key, since no window manager need tell of it; one that was such a window at the key before counts as one, so
//! that the key that closes it is left out too.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;
use media::time::Monotonic;
use rustix::event::{PollFd, PollFlags};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _, XIEventMask};
use x11rb::protocol::xproto::{ConnectionExt as _, QueryPointerReply};

use super::keymap::Keymap;
use super::out::{Out, Stopped};
use super::title::Title;
use super::{InputError, RawInput, RawKind};
use crate::clock;
use crate::display::{Display, Session};
use crate::screen::windows::{Discretion, Telling};

const NANOS_PER_MILLI: i64 = 1_000_000;
const POINTER_EVERY_NANOS: i64 = 50 * NANOS_PER_MILLI;
/// For changes of the title that nothing tells of.
const TITLE_EVERY_NANOS: i64 = 250 * NANOS_PER_MILLI;
/// An event that seems older than this has another clock.
const MAX_AGE_MILLIS: u32 = 2_000;

pub(super) struct Reader {
    display: Display,
    keymap: Keymap,
    title: Title,
    pointer: Option<(i16, i16)>,
    /// The buttons whose press was told, a bit each.
    held: u32,
}

impl Reader {
    pub(super) fn open(session: &Session) -> Result<Self, InputError> {
        let display = Display::open(session)?;
        let (conn, root) = (&display.conn, display.root);
        if conn.extension_information(xinput::X11_EXTENSION_NAME)?.is_none() {
            return Err(display.lacks("the extension XInput 2").into());
        }
        // From 2.1 on raw events also come while another program holds the pointer, for example for a menu.
        let version = conn.xinput_xi_query_version(2, 2)?.reply()?;
        if (version.major_version, version.minor_version) < (2, 1) {
            return Err(display.lacks("XInput 2.1").into());
        }
        let mask = XIEventMask::RAW_KEY_PRESS
            | XIEventMask::RAW_KEY_RELEASE
            | XIEventMask::RAW_BUTTON_PRESS
            | XIEventMask::RAW_BUTTON_RELEASE;
        let masks = [xinput::EventMask { deviceid: xinput::Device::ALL_MASTER.into(), mask: vec![mask] }];
        conn.xinput_xi_select_events(root, &masks)?.check()?;
        let keymap = Keymap::read(conn)?;
        let title = Title::watch(conn, root, Discretion::of(session, conn)?)?;
        Ok(Self { display, keymap, title, pointer: None, held: 0 })
    }

    pub(super) fn run(mut self, stop: &AtomicBool, sink: &Sender<RawInput>) -> Result<(), InputError> {
        let out = Out { stop, sink };
        let (mut pointer_due, mut title_due) = (0, 0);
        while !stop.load(Ordering::Relaxed) {
            while let Some(event) = self.display.conn.poll_for_event()? {
                if let Err(Stopped) = self.handle(&event, &out)? {
                    return Ok(());
                }
            }
            let now = clock::now().nanos;
            if now >= title_due {
                title_due = now + TITLE_EVERY_NANOS;
                if let Err(Stopped) = self.tell_title(&out)? {
                    return Ok(());
                }
            }
            if now >= pointer_due {
                pointer_due = now + POINTER_EVERY_NANOS;
                self.tell_pointer(&out)?;
            }
            // Answers may have brought events with them, for which the socket would not wake.
            if let Some(event) = self.display.conn.poll_for_event()? {
                if let Err(Stopped) = self.handle(&event, &out)? {
                    return Ok(());
                }
                continue;
            }
            self.wait(pointer_due)?;
        }
        Ok(())
    }

    fn wait(&self, until_nanos: i64) -> Result<(), InputError> {
        let nanos = (until_nanos - clock::now().nanos).clamp(0, POINTER_EVERY_NANOS);
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: nanos };
        let mut ready = [PollFd::new(self.display.conn.stream(), PollFlags::IN)];
        match rustix::event::poll(&mut ready, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(InputError::Lost(error.to_string())),
        }
    }

    fn handle(&mut self, event: &Event, out: &Out<'_>) -> Result<Result<(), Stopped>, InputError> {
        match event {
            Event::XinputRawButtonPress(press) => {
                let at = time_of(press.time);
                let pointer = self.query_pointer()?;
                if let Err(Stopped) = self.tell_title(out)? {
                    return Ok(Err(Stopped));
                }
                if self.title.was_locked(at) || !self.may_tell_of(&pointer)? {
                    return Ok(Ok(()));
                }
                let (x, y) = (pointer.root_x.into(), pointer.root_y.into());
                let wheel = |dx, dy| RawKind::Wheel { dx, dy, x, y };
                let kind = match press.detail {
                    4 => wheel(0, -1),
                    5 => wheel(0, 1),
                    6 => wheel(-1, 0),
                    7 => wheel(1, 0),
                    button => {
                        self.held |= bit_of(button);
                        RawKind::ButtonDown { button: button.min(255) as u8, x, y }
                    }
                };
                Ok(out.send(at, kind))
            }
            Event::XinputRawButtonRelease(release) if self.held & bit_of(release.detail) != 0 => {
                self.held &= !bit_of(release.detail);
                let at = time_of(release.time);
                let pointer = self.query_pointer()?;
                let (x, y) = (pointer.root_x.into(), pointer.root_y.into());
                Ok(out.send(at, RawKind::ButtonUp { button: release.detail.min(255) as u8, x, y }))
            }
            Event::XinputRawKeyPress(press) => {
                let at = time_of(press.time);
                let state = self.query_pointer()?.mask.into();
                let pressed = self.keymap.press(press.detail.min(255) as u8, state);
                let before = self.title.telling();
                if let Err(Stopped) = self.tell_title(out)? {
                    return Ok(Err(Stopped));
                }
                let may_tell =
                    before == Telling::All && self.title.telling() == Telling::All && !self.title.was_locked(at);
                match pressed.filter(|_| may_tell) {
                    Some((key, repeat)) => Ok(out.send(at, RawKind::KeyDown { key, repeat })),
                    None => Ok(Ok(())),
                }
            }
            Event::XinputRawKeyRelease(release) => {
                self.keymap.release(release.detail.min(255) as u8);
                let at = time_of(release.time);
                match self.title.telling() {
                    Telling::All if !self.title.was_locked(at) => Ok(out.send(at, RawKind::KeyUp)),
                    Telling::All | Telling::NothingOfIt | Telling::Nothing => Ok(Ok(())),
                }
            }
            Event::MappingNotify(_) => {
                self.keymap.reread(&self.display.conn)?;
                Ok(Ok(()))
            }
            Event::PropertyNotify(change) if self.title.concerns(change.window, change.atom) => self.tell_title(out),
            _ => Ok(Ok(())),
        }
    }

    fn tell_title(&mut self, out: &Out<'_>) -> Result<Result<(), Stopped>, InputError> {
        match self.title.read(&self.display.conn)? {
            Some(title) => Ok(out.send(clock::now(), RawKind::WindowTitle(title))),
            None => Ok(Ok(())),
        }
    }

    /// Whether what the pointer does where it is may be told.
    fn may_tell_of(&self, pointer: &QueryPointerReply) -> Result<bool, ReplyError> {
        Ok(self.title.telling() != Telling::Nothing
            && self.title.telling_of(&self.display.conn, pointer.child)? == Telling::All)
    }

    fn tell_pointer(&mut self, out: &Out<'_>) -> Result<(), InputError> {
        let at = clock::now();
        let pointer = self.query_pointer()?;
        let position = (pointer.root_x, pointer.root_y);
        if self.pointer != Some(position)
            && self.may_tell_of(&pointer)?
            && out.offer(at, RawKind::Pointer { x: position.0.into(), y: position.1.into() })
        {
            self.pointer = Some(position);
        }
        Ok(())
    }

    fn query_pointer(&self) -> Result<QueryPointerReply, ReplyError> {
        self.display.conn.query_pointer(self.display.root)?.reply()
    }
}

/// Of the first 32 buttons; the others are no mouse's.
fn bit_of(button: u32) -> u32 {
    1_u32.checked_shl(button).unwrap_or(0)
}

fn time_of(server_millis: u32) -> Monotonic {
    at(server_millis, clock::now())
}

/// The server's time as a moment of our clock, if it is one a short while ago, else now.
fn at(server_millis: u32, now: Monotonic) -> Monotonic {
    let now_millis = now.nanos / NANOS_PER_MILLI;
    let age_millis = (now_millis as u32).wrapping_sub(server_millis);
    if age_millis > MAX_AGE_MILLIS {
        return now;
    }
    Monotonic::from_nanos((now_millis - i64::from(age_millis)) * NANOS_PER_MILLI)
}

impl From<ConnectionError> for InputError {
    fn from(error: ConnectionError) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<ReplyError> for InputError {
    fn from(error: ReplyError) -> Self {
        Self::Lost(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_times_are_taken_when_plausible_and_survive_their_wrap() {
        let now = Monotonic::from_nanos(((1_i64 << 32) + 500) * NANOS_PER_MILLI + 123);
        let millis_ago = |server: u32| now.nanos_since(at(server, now)) / NANOS_PER_MILLI;
        assert_eq!(millis_ago(480), 20);
        assert_eq!(millis_ago(u32::MAX - 99), 600);
        assert_eq!(at(501, now), now, "a time to come is another clock's");
        assert_eq!(at(3_000_000_000, now), now);
    }
}

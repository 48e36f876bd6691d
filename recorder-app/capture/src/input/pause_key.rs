//! The key that pauses and resumes a take from whichever window the worker is in.
//!
//! On X11 it is grabbed on the root window: the press reaches the recorder alone. Num Lock and Caps Lock count as held
//! modifiers there, so each combination with them is grabbed too. Other systems have the button in the window.

use super::InputError;
#[cfg(target_os = "linux")]
use super::Running;
use crate::display::Session;

/// Its name as in `events.jsonl`.
pub const PAUSE_KEY: &str = "Ctrl+Alt+p";

/// Calls `pressed` at each press until what is returned is dropped.
#[cfg(target_os = "linux")]
pub fn watch(session: &Session, pressed: impl Fn() + Send + 'static) -> Result<Running, InputError> {
    let told = InputError::NoKey { key: PAUSE_KEY };
    let grab = x11::Grab::open(session).map_err(|error| error.on_wayland(told))?;
    Running::spawn("pause-key", move |stop| grab.run(stop, &pressed))
}

#[cfg(not(target_os = "linux"))]
pub fn watch(_session: &Session, _pressed: impl Fn() + Send + 'static) -> Result<super::Running, InputError> {
    Err(InputError::NoKey { key: PAUSE_KEY })
}

#[cfg(target_os = "linux")]
mod x11 {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::event::{PollFd, PollFlags, Timespec};
    use x11rb::connection::Connection as _;
    use x11rb::errors::ReplyError;
    use x11rb::protocol::Event;
    use x11rb::protocol::xproto::{ConnectionExt as _, GrabMode, ModMask};

    use super::{InputError, PAUSE_KEY};
    use crate::display::{Display, Session};

    const KEYSYM: u32 = b'p' as u32;
    const WAIT_NANOS: i64 = 50_000_000;

    pub(super) struct Grab {
        display: Display,
        code: u8,
    }

    impl Grab {
        pub(super) fn open(session: &Session) -> Result<Self, InputError> {
            let display = Display::open(session)?;
            let conn = &display.conn;
            let (first, last) = (conn.setup().min_keycode, conn.setup().max_keycode);
            let mapping = conn.get_keyboard_mapping(first, last - first + 1)?.reply()?;
            let per_code = usize::from(mapping.keysyms_per_keycode).max(1);
            let code = (first..=last)
                .zip(mapping.keysyms.chunks(per_code))
                .find(|(_, keysyms)| keysyms.first() == Some(&KEYSYM))
                .map(|(code, _)| code);
            let Some(code) = code else { return Err(display.lacks("a key P").into()) };
            for lock in [ModMask::from(0_u16), ModMask::LOCK, ModMask::M2, ModMask::LOCK | ModMask::M2] {
                let held = ModMask::CONTROL | ModMask::M1 | lock;
                let grab = conn.grab_key(true, display.root, held, code, GrabMode::ASYNC, GrabMode::ASYNC)?;
                match grab.check() {
                    Ok(()) => {}
                    Err(ReplyError::X11Error(_)) => return Err(InputError::KeyTaken { key: PAUSE_KEY }),
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(Self { display, code })
        }

        /// The grab ends with the connection.
        pub(super) fn run(self, stop: &AtomicBool, pressed: &dyn Fn()) -> Result<(), InputError> {
            let conn = &self.display.conn;
            // A key that is held down repeats: release and press come in pairs with one time.
            let mut let_go = None;
            while !stop.load(Ordering::Relaxed) {
                while let Some(event) = conn.poll_for_event()? {
                    match event {
                        Event::KeyPress(press) if press.detail == self.code && let_go != Some(press.time) => pressed(),
                        Event::KeyRelease(release) if release.detail == self.code => let_go = Some(release.time),
                        _ => {}
                    }
                }
                let mut ready = [PollFd::new(conn.stream(), PollFlags::IN)];
                match rustix::event::poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: WAIT_NANOS })) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(InputError::Lost(error.to_string())),
                }
            }
            Ok(())
        }
    }
}

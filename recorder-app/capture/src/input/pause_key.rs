//! The key that pauses and resumes a take from whichever window the worker is in.
//!
//! On X11 it is grabbed on the root window: the press reaches the recorder alone. Num Lock and Caps Lock count as held
//! modifiers there, so each combination with them is grabbed too. On Windows it is a hot key, of which the thread is told that
//! asked for it. There `AltGr` counts as Ctrl and Alt: with it the press is no pause, but a character that it would write is
//! lost. macOS has the button in the window.

use super::{InputError, Running};
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

#[cfg(target_os = "windows")]
pub fn watch(_session: &Session, pressed: impl Fn() + Send + 'static) -> Result<Running, InputError> {
    let (is_ours, answer) = crossbeam_channel::bounded(1);
    let running = Running::spawn("pause-key", move |stop| {
        hot_key::run(stop, &is_ours, &pressed);
        Ok(())
    })?;
    if answer.recv() == Ok(true) { Ok(running) } else { Err(InputError::KeyTaken { key: PAUSE_KEY }) }
}

#[cfg(target_os = "macos")]
pub fn watch(_session: &Session, _pressed: impl Fn() + Send + 'static) -> Result<Running, InputError> {
    Err(InputError::NoKey { key: PAUSE_KEY })
}

#[cfg(target_os = "windows")]
pub(super) use hot_key::is_alt_gr_held;

#[cfg(target_os = "windows")]
mod hot_key {
    #![expect(unsafe_code, reason = "hot keys have no safe form")]

    use std::sync::atomic::{AtomicBool, Ordering};

    use crossbeam_channel::Sender;
    use windows::Win32::Foundation::HWND;
    use windows::Win32::UI::Input::KeyboardAndMouse::{
        GetAsyncKeyState, GetKeyboardLayout, MOD_ALT, MOD_CONTROL, MOD_NOREPEAT, RegisterHotKey, UnregisterHotKey,
        VK_P, VkKeyScanExW,
    };
    use windows::Win32::UI::WindowsAndMessaging::{
        GetForegroundWindow, GetWindowThreadProcessId, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx,
        PM_REMOVE, PeekMessageW, QS_ALLINPUT, WM_HOTKEY,
    };

    use super::super::vk::{has_alt_gr, is_alt_gr};

    const ID: i32 = 1;
    const WAIT_MILLIS: u32 = 50;

    /// Says whether the key could be had, and then tells of it.
    pub(super) fn run(stop: &AtomicBool, is_ours: &Sender<bool>, pressed: &dyn Fn()) {
        // No window: the messages come to the thread.
        let nobody = HWND::default();
        let held = MOD_CONTROL | MOD_ALT | MOD_NOREPEAT;
        // SAFETY: a plain request for this thread, which gives the key back below.
        let asked = unsafe { RegisterHotKey(nobody, ID, held, VK_P.0.into()) };
        if is_ours.send(asked.is_ok()).is_err() || asked.is_err() {
            return;
        }
        let mut message = MSG::default();
        while !stop.load(Ordering::Relaxed) {
            // SAFETY: the message is written before it is read.
            while unsafe { PeekMessageW(&raw mut message, nobody, 0, 0, PM_REMOVE) }.as_bool() {
                if message.message == WM_HOTKEY && !is_alt_gr_held() {
                    pressed();
                }
            }
            // SAFETY: no handles are waited for, only messages and the time.
            unsafe { MsgWaitForMultipleObjectsEx(None, WAIT_MILLIS, QS_ALLINPUT, MWMO_INPUTAVAILABLE) };
        }
        // SAFETY: the key is this thread's.
        drop(unsafe { UnregisterHotKey(nobody, ID) });
    }

    /// Whether Ctrl and Alt are held by the key `AltGr` alone.
    pub(in super::super) fn is_alt_gr_held() -> bool {
        // SAFETY: a plain question.
        let is_down = |key: u16| unsafe { GetAsyncKeyState(key.into()) } < 0;
        is_alt_gr(layout_has_alt_gr(), is_down)
    }

    /// Of the window in front; each has a layout of its own.
    fn layout_has_alt_gr() -> bool {
        // SAFETY: plain questions; a window that is gone has no thread, and no thread is this one.
        let layout = unsafe { GetKeyboardLayout(GetWindowThreadProcessId(GetForegroundWindow(), None)) };
        // SAFETY: a plain question.
        has_alt_gr(|character| unsafe { VkKeyScanExW(character, layout) })
    }
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

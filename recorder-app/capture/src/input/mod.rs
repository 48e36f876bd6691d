//! What the worker's hand does: buttons, wheel, keys, pointer path and the active window's title.
//!
//! [`start`] gives raw events from the system, [`gesture`] turns them into the events of `events.jsonl`. A typed
//! character never leaves the module that reads the keyboard: [`KeyName`] has no place for it.

#[cfg(any(not(target_os = "linux"), test))]
mod discretion;
pub mod gesture;
mod key;
#[cfg(target_os = "linux")]
mod keymap;
#[cfg(any(target_os = "macos", test))]
mod mac_key;
#[cfg(target_os = "macos")]
mod macos;
mod out;
pub mod pause_key;
pub mod synthetic;
#[cfg(target_os = "linux")]
mod title;
#[cfg(any(target_os = "windows", test))]
mod vk;
#[cfg(target_os = "windows")]
mod windows;
#[cfg(target_os = "linux")]
mod x11;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use media::time::Monotonic;

use crate::display::{DisplayError, Session};

pub use key::{KeyName, Modifiers, NamedKey, Pressed};

/// One thing the hand did, or a new title of the window it works in. Positions are pixels of the whole desktop.
#[derive(Debug, Clone, PartialEq)]
pub struct RawInput {
    pub at: Monotonic,
    pub kind: RawKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RawKind {
    /// Buttons as X11 counts them: 1 left, 2 middle, 3 right, 8 back, 9 forward.
    ButtonDown {
        button: u8,
        x: i32,
        y: i32,
    },
    ButtonUp {
        button: u8,
        x: i32,
        y: i32,
    },
    /// Wheel notches, positive = right, down.
    Wheel {
        dx: i32,
        dy: i32,
        x: i32,
        y: i32,
    },
    KeyDown {
        key: KeyName,
        /// The system repeats a key that is held down.
        repeat: bool,
    },
    /// Some key was let go.
    KeyUp,
    Pointer {
        x: i32,
        y: i32,
    },
    WindowTitle(String),
}

#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error(
        "This desktop (Wayland) lets no program see mouse and keyboard, so clicks and keys are not recorded. You need not do \
         anything: what you do is read from the picture."
    )]
    Wayland,
    #[error(
        "Mouse and keyboard may not be read. Allow it under System Settings, Privacy & Security, Input Monitoring, then \
         open the recorder again."
    )]
    Forbidden,
    #[error("On this desktop {key} does not pause. Use the recorder's own button, or its command `pause`.")]
    NoKey { key: &'static str },
    #[error("The thread that reads mouse and keyboard could not be started: {0}. Close other programs and try again.")]
    Thread(std::io::Error),
    #[error(
        "The key {key} is taken by another program, so it does not pause. Use the window's button, or close that program."
    )]
    KeyTaken { key: &'static str },
    #[error(
        "The display stopped telling of mouse and keyboard: {0}. The picture goes on without them; if much is left to do, stop and start again."
    )]
    Lost(String),
}

/// How long the end of the reading is waited for.
const GOODBYE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(2);

/// Reading of mouse and keyboard under way; dropping it stops it.
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), InputError>>>,
}

/// Begins to read mouse and keyboard. What happens after this returns is not missed: the reading thread waits for a
/// full channel. Only pointer positions are left out then. The channel closes when the display is lost.
#[cfg(target_os = "linux")]
pub fn start(session: &Session, sink: Sender<RawInput>) -> Result<Running, InputError> {
    let reader = x11::Reader::open(session).map_err(|error| error.on_wayland(InputError::Wayland))?;
    Running::spawn("input", move |stop| reader.run(stop, &sink))
}

#[cfg(target_os = "macos")]
pub fn start(session: &Session, sink: Sender<RawInput>) -> Result<Running, InputError> {
    let discretion = discretion::Discretion::of(session);
    Running::spawn("input", move |stop| macos::run(discretion, stop, &sink))
}

#[cfg(target_os = "windows")]
pub fn start(session: &Session, sink: Sender<RawInput>) -> Result<Running, InputError> {
    let discretion = discretion::Discretion::of(session);
    Running::spawn("input", move |stop| windows::run(discretion, stop, &sink))
}

#[cfg(target_os = "linux")]
impl InputError {
    /// What is told instead where the reason is that the desktop is Wayland's.
    fn on_wayland(self, told: Self) -> Self {
        if matches!(self, Self::Display(DisplayError::Wayland)) { told } else { self }
    }
}

impl Running {
    fn spawn(
        name: &str,
        read: impl FnOnce(&AtomicBool) -> Result<(), InputError> + Send + 'static,
    ) -> Result<Self, InputError> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || read(&seen)).map_err(InputError::Thread)?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Whether input is still being read.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Stops, and says why it had stopped before if it had.
    pub fn stop(mut self) -> Result<(), InputError> {
        self.end()
    }

    /// A display that does not answer keeps its thread, for which nobody waits.
    fn end(&mut self) -> Result<(), InputError> {
        self.stop.store(true, Ordering::Relaxed);
        let until = Instant::now() + GOODBYE;
        while self.is_alive() {
            if Instant::now() >= until {
                self.thread = None;
                return Err(InputError::Lost("it does not answer".to_owned()));
            }
            std::thread::sleep(POLL);
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(InputError::Lost("its thread failed".to_owned())),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whoever wants the reason calls `stop`.
        drop(self.end());
    }
}

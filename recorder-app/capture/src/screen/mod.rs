//! The picture of a screen.
//!
//! A source is asked for the latest picture by the recorder's own clock; nothing is queued. The pointer is painted in.
//! The size may change from one picture to the next when the worker changes the resolution.

#[cfg(target_os = "linux")]
mod pointer;
#[cfg(target_os = "linux")]
mod shm;
pub mod synthetic;
#[cfg(target_os = "linux")]
mod x11;

use media::frame::BgraFrame;
use media::time::Monotonic;
use serde::Serialize;

use crate::display::{DisplayError, Session};

pub trait ScreenSource: Send {
    /// Width and height of the picture the next grab will most likely have.
    fn size(&self) -> (u32, u32);

    /// Where the picture of the last grab lies on the desktop: the place of its top left pixel.
    fn corner(&self) -> (i32, i32) {
        (0, 0)
    }

    /// Brings the latest picture. [`Grab::Changed`] fills `into` (re-using its memory) and stamps it. [`Grab::Same`]
    /// says that picture and pointer are those of this source's last `Changed`; then only `into.at` is written, so
    /// that a caller who passes several buffers around must go on using the one that was filled.
    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grab {
    Changed,
    Same,
}

/// One monitor. Its place and size are in pixels of the whole desktop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScreenInfo {
    pub id: String,
    pub name: String,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub primary: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error("There is no screen {id:?}. There is: {there}. `recorder devices` lists them.")]
    Unknown { id: String, there: String },
    #[error("The screen {id:?} was switched off or unplugged. Plug it in again, or record another screen.")]
    Gone { id: String },
    #[error("This display uses {what}, which cannot be recorded. Set it to 24-bit colour and start again.")]
    Colours { what: String },
    #[error("The shared memory for the picture could not be made: {0}. Close other programs and start again.")]
    Memory(std::io::Error),
    #[error("The display stopped answering: {0}. What was recorded so far is kept; start a new recording.")]
    Lost(String),
}

/// An empty buffer to hand to [`ScreenSource::latest`], which gives it its size.
pub fn blank_frame() -> BgraFrame {
    BgraFrame { width: 0, height: 0, stride: 0, data: Vec::new(), at: Monotonic::default() }
}

/// The monitors of the session, the primary one first.
#[cfg(target_os = "linux")]
pub fn list(session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    x11::list(session)
}

/// Opens one monitor by its id, or the primary one.
#[cfg(target_os = "linux")]
pub fn open(session: &Session, id: Option<&str>) -> Result<Box<dyn ScreenSource>, ScreenError> {
    Ok(Box::new(x11::X11Screen::open(session, id)?))
}

#[cfg(not(target_os = "linux"))]
pub fn list(_session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    Err(DisplayError::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub fn open(_session: &Session, _id: Option<&str>) -> Result<Box<dyn ScreenSource>, ScreenError> {
    Err(DisplayError::Unsupported.into())
}

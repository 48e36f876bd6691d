//! The picture of a screen.
//!
//! A source is asked for the latest picture by the recorder's own clock; nothing is queued. The pointer is painted in.
//! The size may change from one picture to the next when the worker changes the resolution.
//!
//! On Linux the session decides: X11 is asked for its picture, a Wayland desktop pushes its own (feature `wayland`), as
//! Windows and macOS do.

mod absence;
#[cfg(target_os = "linux")]
mod area;
#[cfg(any(not(target_os = "linux"), feature = "wayland", test))]
mod feed;
#[cfg(any(not(target_os = "linux"), test))]
mod moving;
#[cfg(all(target_os = "linux", feature = "wayland"))]
mod pipewire;
#[cfg(target_os = "linux")]
mod pointer;
#[cfg(all(target_os = "linux", any(feature = "wayland", test)))]
mod portal;
#[cfg(any(not(target_os = "linux"), feature = "wayland"))]
mod scap;
#[cfg(target_os = "linux")]
mod shm;
pub mod synthetic;
#[cfg(target_os = "linux")]
pub(crate) mod windows;
#[cfg(target_os = "linux")]
mod x11;

use media::frame::BgraFrame;
use media::time::Monotonic;
use serde::Serialize;

use crate::display::{DisplayError, Session};

pub trait ScreenSource: Send {
    /// What gives the pictures, as the manifest names it.
    fn system(&self) -> &'static str {
        "synthetic"
    }

    /// Width and height of the picture the next grab will most likely have.
    fn size(&self) -> (u32, u32);

    /// Where the picture of the last grab lies on the desktop: the place of its top left pixel.
    fn corner(&self) -> (i32, i32) {
        (0, 0)
    }

    /// The size of what is recorded as input events count it, which is not always in pixels.
    fn extent(&self) -> (u32, u32) {
        self.size()
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

/// One monitor or window. Its place and size are in pixels of the whole desktop; no size where only the recording will tell.
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
    #[error("There is no screen {id:?}. There is: {there}. Choose one that is there.")]
    Unknown { id: String, there: String },
    #[error("The screen {id:?} was switched off or unplugged, or the window was closed. Record another one.")]
    Gone { id: String },
    #[error("This display uses {what}, which cannot be recorded. Set it to 24-bit colour and start again.")]
    Colours { what: String },
    #[error("The shared memory for the picture could not be made: {0}. Close other programs and start again.")]
    Memory(std::io::Error),
    #[error(
        "Sharing the screen was not allowed. Start again, and allow it when the desktop asks; on macOS it is allowed \
         under System Settings, Privacy & Security, Screen Recording."
    )]
    Refused,
    #[error("No screen was chosen within ten seconds. Start again, and choose one as soon as the desktop asks.")]
    NotChosen,
    #[error(
        "This desktop lets no program record its screen ({reason}). Install xdg-desktop-portal and its part for your \
         desktop, such as xdg-desktop-portal-gnome, -kde or -wlr, log in again, or choose the X11 session at login."
    )]
    NoPortal { reason: String },
    #[error(
        "The screen is no longer shared: the sharing was ended in the desktop's own menu, or by the desktop. What was \
         recorded so far is kept; start again, and share the screen once more."
    )]
    Unshared,
    #[error("The desktop gave no picture of the chosen screen. Start again and choose another one.")]
    Silent,
    #[error(
        "The screen is still shared by the recording before. Move the mouse once, then start again; if that does not help, \
         close the recorder and open it again. Nothing recorded is lost."
    )]
    Busy,
    #[error("The chosen window is one of those that are never to be seen. Choose another one, or hide it no longer.")]
    LeftOut,
    #[error(
        "This desktop gives the picture of the screen whole, so no window can be left out of it. Share a single window, \
         or close what nobody should see, and start again with nothing left out."
    )]
    Unhidable,
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
    match x11::list(session) {
        #[cfg(feature = "wayland")]
        Err(ScreenError::Display(DisplayError::Wayland)) => Ok(scap::list()),
        listed => listed,
    }
}

/// The windows that can be recorded alone, the highest first. On Wayland the desktop offers them itself.
#[cfg(target_os = "linux")]
pub fn windows(session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    match x11::list_windows(session) {
        Err(ScreenError::Display(DisplayError::Wayland)) => Ok(Vec::new()),
        listed => listed,
    }
}

/// Single windows are not recorded on these systems: docs/platforms.md says why.
#[cfg(not(target_os = "linux"))]
pub fn windows(_session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    Ok(Vec::new())
}

/// The programs whose windows can be left out of the picture, by the names for [`Session::hiding_programs`]; `None` where
/// no window can be.
#[cfg(target_os = "linux")]
pub fn programs(session: &Session) -> Result<Option<Vec<String>>, ScreenError> {
    match x11::list_programs(session) {
        Err(ScreenError::Display(DisplayError::Wayland)) => Ok(None),
        listed => listed.map(Some),
    }
}

/// Programs are not offered on these systems: macOS leaves out only the windows that are open when a recording begins, and
/// Windows none but this program's own.
#[cfg(not(target_os = "linux"))]
pub fn programs(_session: &Session) -> Result<Option<Vec<String>>, ScreenError> {
    Ok(None)
}

/// Opens one monitor or window by its id, or the primary monitor. On Wayland the desktop asks which one it shall be.
#[cfg(target_os = "linux")]
pub fn open(session: &Session, id: Option<&str>) -> Result<Box<dyn ScreenSource>, ScreenError> {
    match x11::X11Screen::open(session, id) {
        #[cfg(feature = "wayland")]
        Err(ScreenError::Display(DisplayError::Wayland)) => Ok(Box::new(scap::open(session, id)?)),
        opened => Ok(Box::new(opened?)),
    }
}

#[cfg(not(target_os = "linux"))]
pub fn list(_session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    scap::list()
}

#[cfg(not(target_os = "linux"))]
pub fn open(session: &Session, id: Option<&str>) -> Result<Box<dyn ScreenSource>, ScreenError> {
    Ok(Box::new(scap::open(session, id)?))
}

/// The screen by itself: what it is called and how large it is, as the manifest and the picture need it.
pub fn describe(session: &Session, id: Option<&str>, source: &dyn ScreenSource) -> Result<ScreenInfo, ScreenError> {
    let mut info = list(session)?
        .into_iter()
        .chain(windows(session)?)
        .find(|info| id.is_none_or(|id| *id == info.id))
        .ok_or_else(|| ScreenError::Gone { id: id.unwrap_or_default().to_owned() })?;
    (info.width, info.height) = source.size();
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_for_the_window_as_well_as_for_the_terminal() {
        let id = || "HDMI-1".to_owned();
        let all = [
            ScreenError::Unknown { id: id(), there: "none".to_owned() },
            ScreenError::Gone { id: id() },
            ScreenError::Refused,
            ScreenError::NotChosen,
            ScreenError::NoPortal { reason: "it has none".to_owned() },
            ScreenError::Unshared,
            ScreenError::Silent,
            ScreenError::Busy,
            ScreenError::LeftOut,
            ScreenError::Unhidable,
            ScreenError::Lost("no connection".to_owned()),
        ];
        for error in all.map(|error| error.to_string()) {
            assert!(!error.contains('`') && error.ends_with('.') && error.contains(". "), "{error}");
        }
    }
}

//! Which desktop session is recorded, and the connection to it.
//!
//! The program reads the environment and passes it in as a [`Session`]. A Wayland desktop cannot be recorded through
//! its X11 stand-in (Xwayland shows other programs' windows as black), so that such a display counts as Wayland.

/// What the environment says of the desktop: the values of `DISPLAY` and `WAYLAND_DISPLAY`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    pub display: Option<String>,
    pub wayland_display: Option<String>,
    /// Windows with one of these in their title or class are left out of the picture, where the system can.
    hidden: Vec<String>,
    /// Nor are all windows of these programs in it, by their class.
    hidden_programs: Vec<String>,
    /// Where the session's D-Bus is found.
    bus: Option<String>,
    /// The id of what is recorded: where it is a single window, nothing of other programs' windows is told.
    shown: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    #[error(
        "No X11 display was found. Start the recorder inside a desktop session, or set DISPLAY, for example DISPLAY=:0."
    )]
    Missing,
    #[error(
        "This is a Wayland desktop, and this recorder was built for X11 sessions alone. \
         Choose the X11 (Xorg) session when you log in, or build it with the feature `wayland`."
    )]
    Wayland,
    #[error("The display {display} could not be opened: {reason}. Check that it is running and that you may use it.")]
    Refused { display: String, reason: String },
    #[error("The display {display} lacks {what}, which recording needs. Use a full X server such as Xorg.")]
    Lacking { display: String, what: &'static str },
}

impl Session {
    pub fn new(display: Option<String>, wayland_display: Option<String>) -> Self {
        Self { display, wayland_display, ..Self::default() }
    }

    /// The session of one X11 display, such as `:0`.
    pub fn of_display(name: impl Into<String>) -> Self {
        Self { display: Some(name.into()), ..Self::default() }
    }

    /// Says where the desktop's own services are asked.
    #[must_use]
    pub fn on_bus(mut self, address: Option<String>) -> Self {
        self.bus = address;
        self
    }

    /// Leaves out windows as well that have one of these words in their title or class.
    #[must_use]
    pub fn hiding(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.hidden.extend(words.into_iter().filter(|word| !word.trim().is_empty()));
        self
    }

    /// Leaves out all windows of these programs as well, as [`crate::screen::programs`] names them.
    #[must_use]
    pub fn hiding_programs(mut self, programs: impl IntoIterator<Item = String>) -> Self {
        self.hidden_programs.extend(programs.into_iter().filter(|program| !program.trim().is_empty()));
        self
    }

    /// Says which screen or window is recorded, for those who tell of its input.
    #[must_use]
    pub fn showing(mut self, id: Option<&str>) -> Self {
        self.shown = id.map(str::to_owned);
        self
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn bus(&self) -> Option<&str> {
        self.bus.as_deref()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// Whether a window of this title and program is left out.
    #[cfg(any(not(target_os = "linux"), test))]
    pub(crate) fn hides(&self, title: &str, program: &str) -> bool {
        let said = format!("{title}\n{program}").to_lowercase();
        self.hidden.iter().any(|word| said.contains(&word.to_lowercase()))
            || self.hidden_programs.iter().any(|hidden| hidden == program)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn hidden(&self) -> &[String] {
        &self.hidden
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn hidden_programs(&self) -> &[String] {
        &self.hidden_programs
    }

    #[cfg(any(target_os = "linux", test))]
    fn display_name(&self) -> Result<&str, DisplayError> {
        let set = |name: &'_ Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        match &self.display {
            Some(name) if !name.is_empty() => Ok(name),
            _ if set(&self.wayland_display) => Err(DisplayError::Wayland),
            _ => Err(DisplayError::Missing),
        }
    }
}

/// Has Windows tell this program all places in pixels, as pictures have them; otherwise it would scale them. Where the
/// program chose already, that choice stays.
#[cfg(target_os = "windows")]
#[expect(unsafe_code, reason = "there is no safe form of it")]
pub(crate) fn count_in_pixels() {
    use windows::Win32::UI::HiDpi::{DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2, SetProcessDpiAwarenessContext};
    // SAFETY: a plain call.
    drop(unsafe { SetProcessDpiAwarenessContext(DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2) });
}

#[cfg(target_os = "linux")]
pub(crate) use x11::Display;

#[cfg(target_os = "linux")]
mod x11 {
    use x11rb::connection::{Connection as _, RequestConnection as _};
    use x11rb::protocol::randr::{self, ConnectionExt as _};
    use x11rb::protocol::xproto::{ConnectionExt as _, Window};
    use x11rb::rust_connection::RustConnection;

    use super::{DisplayError, Session};

    /// An open connection and the root window of its screen.
    pub(crate) struct Display {
        pub(crate) name: String,
        pub(crate) conn: RustConnection,
        pub(crate) screen: usize,
        pub(crate) root: Window,
    }

    impl Display {
        pub(crate) fn open(session: &Session) -> Result<Self, DisplayError> {
            let name = session.display_name()?.to_owned();
            let refused = |reason: String| DisplayError::Refused { display: name.clone(), reason };
            let (conn, screen) = RustConnection::connect(Some(&name)).map_err(|error| refused(error.to_string()))?;
            let root = conn.setup().roots.get(screen).ok_or_else(|| refused("it has no screen".into()))?.root;
            let display = Self { name: name.clone(), conn, screen, root };
            match display.is_xwayland() {
                Ok(false) => Ok(display),
                Ok(true) => Err(DisplayError::Wayland),
                Err(error) => Err(refused(error.to_string())),
            }
        }

        pub(crate) fn lacks(&self, what: &'static str) -> DisplayError {
            DisplayError::Lacking { display: self.name.clone(), what }
        }

        /// Newer Xwayland says so by an extension of that name, older ones by the names of their outputs.
        fn is_xwayland(&self) -> Result<bool, x11rb::errors::ReplyError> {
            if self.conn.query_extension(b"XWAYLAND")?.reply()?.present {
                return Ok(true);
            }
            if self.conn.extension_information(randr::X11_EXTENSION_NAME)?.is_none() {
                return Ok(false);
            }
            let resources = self.conn.randr_get_screen_resources_current(self.root)?.reply()?;
            for output in resources.outputs {
                let info = self.conn.randr_get_output_info(output, resources.config_timestamp)?.reply()?;
                if info.name.starts_with(b"XWAYLAND") {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DisplayError, Session};

    #[test]
    fn a_missing_display_and_a_wayland_desktop_are_told_apart() {
        let name = |display: &str, wayland: &str| {
            Session::new(Some(display.to_owned()), Some(wayland.to_owned())).display_name().map(str::to_owned)
        };
        assert_eq!(name(":7", "wayland-0").unwrap(), ":7");
        assert!(matches!(name("", "wayland-0"), Err(DisplayError::Wayland)));
        assert!(matches!(name("", ""), Err(DisplayError::Missing)));
        assert!(matches!(Session::default().display_name(), Err(DisplayError::Missing)));
    }
}

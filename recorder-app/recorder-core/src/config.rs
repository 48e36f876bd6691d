//! The one place where the recorder reads its environment.

use std::path::PathBuf;

use capture::display::Session;

/// Programs whose windows are never to be seen in a take.
const PASSWORD_MANAGERS: [&str; 8] =
    ["1password", "bitwarden", "dashlane", "enpass", "keepass", "lastpass", "proton pass", "seahorse"];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Where the recorder keeps what it must remember; `None` where the system names no such place.
    pub data_folder: Option<PathBuf>,
    /// `COLLECTOR_TOKEN`: a token that is not to be seen on a command line.
    pub token: Option<String>,
    display: Option<String>,
    wayland_display: Option<String>,
    /// Where the desktop's own services are asked.
    bus: Option<String>,
}

impl Config {
    #[expect(clippy::disallowed_methods, reason = "the one place where the recorder reads its environment")]
    pub fn from_env() -> Self {
        Self::load(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn load(set: impl Fn(&str) -> Option<String>) -> Self {
        // Where it is not named, systemd has it in the folder of the session.
        let usual_bus = || Some(format!("unix:path={}/bus", set("XDG_RUNTIME_DIR")?));
        let own = set("COLLECTOR_DATA_DIR").map(PathBuf::from);
        Self {
            data_folder: own.or_else(|| Some(system_data_folder(&set)?.join("codesight-recorder"))),
            token: set("COLLECTOR_TOKEN"),
            display: set("DISPLAY"),
            wayland_display: set("WAYLAND_DISPLAY"),
            bus: set("DBUS_SESSION_BUS_ADDRESS").or_else(usual_bus),
        }
    }

    pub fn session(&self) -> Session {
        let secret = PASSWORD_MANAGERS.iter().map(|&name| name.to_owned());
        let session = Session::new(self.display.clone(), self.wayland_display.clone());
        session.on_bus(self.bus.clone()).hiding(secret)
    }
}

#[cfg(target_os = "windows")]
fn system_data_folder(set: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    set("LOCALAPPDATA").map(PathBuf::from)
}

#[cfg(target_os = "macos")]
fn system_data_folder(set: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    Some(PathBuf::from(set("HOME")?).join("Library/Application Support"))
}

#[cfg(not(any(target_os = "windows", target_os = "macos")))]
fn system_data_folder(set: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = || Some(PathBuf::from(set("HOME")?).join(".local/share"));
    set("XDG_DATA_HOME").map(PathBuf::from).or_else(home)
}

//! What the program is told when it is opened.

use std::path::PathBuf;

use recorder_core::devices::Session;

#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// An invite link, when the program was opened with one.
    pub(crate) invite_link: Option<String>,
    pub(crate) session: Session,
    /// The same as the recorder's without a window; `None` where the system names no such place.
    pub(crate) data: Option<PathBuf>,
}

impl Config {
    pub(crate) fn read() -> Self {
        let core = recorder_core::config::Config::from_env();
        Self {
            invite_link: std::env::args().skip(1).find(|argument| argument.starts_with("collector:")),
            session: core.session(),
            data: core.data_folder,
        }
    }
}

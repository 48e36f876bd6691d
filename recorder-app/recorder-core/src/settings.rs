//! What the worker chose, kept between starts in `settings.json` in the recorder's data folder.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::devices::MicWish;
use crate::spool::{SpoolError, replace_file};

const SETTINGS_FILE: &str = "settings.json";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The video is sent while it is recorded.
    pub sends_early: bool,
    /// For all uploads together; without it they go as fast as the line does.
    pub upload_bytes_per_sec: Option<u64>,
    /// Nothing of the queue is sent until its maker lets it go on.
    pub is_sending_paused: bool,
    /// Programs whose windows are left out of the picture, where the system can.
    pub hidden_programs: BTreeSet<String>,
    /// One that is not plugged in stays the worker's choice.
    pub microphone: MicWish,
}

impl Settings {
    /// What was kept. A file that cannot be understood counts as none: nothing is sent early then, and the window shows
    /// that nothing is hidden.
    pub fn load(data_folder: &Path) -> Self {
        let text = fs::read(data_folder.join(SETTINGS_FILE));
        text.ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    pub fn save(&self, data_folder: &Path) -> Result<(), SpoolError> {
        let path = data_folder.join(SETTINGS_FILE);
        let kept = serde_json::to_vec_pretty(self).map_err(io::Error::from).and_then(|text| replace_file(&path, &text));
        kept.map_err(|source| SpoolError::Disk { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_there_at_the_next_start_and_nothing_is_chosen_for_the_worker() {
        let folder = tempfile::tempdir().unwrap();
        let first = Settings::load(folder.path());
        assert_eq!((first.sends_early, first.upload_bytes_per_sec), (false, None));
        assert_eq!(first.microphone, MicWish::System);
        let hidden_programs = BTreeSet::from(["Mail".to_owned()]);
        let microphone = MicWish::Device("headset".to_owned());
        let upload_bytes_per_sec = Some(300_000);
        let chosen = Settings { sends_early: true, upload_bytes_per_sec, hidden_programs, microphone, ..first };
        chosen.save(folder.path()).unwrap();
        assert_eq!(Settings::load(folder.path()), chosen);
        for broken in ["", "{", "[]", r#"{"sends_early": 7}"#] {
            fs::write(folder.path().join(SETTINGS_FILE), broken).unwrap();
            assert_eq!(Settings::load(folder.path()), Settings::default(), "{broken}");
        }
    }
}

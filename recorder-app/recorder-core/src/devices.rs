//! The screens and microphones of this computer, and how a take is fed from them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use capture::display::{DisplayError, Session};
use capture::input::{self, InputError};
pub use capture::mic::{MicError, MicInfo};
pub use capture::screen::{ScreenError, ScreenInfo};
use capture::{lock, mic, screen};

use crate::control::Control;
use crate::session::{InputSource, MicChoice, MicSource, SessionError, Sources};

/// The monitors, the primary one first.
pub fn screens(session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    screen::list(session)
}

/// The single windows that can be recorded alone, the highest first.
pub fn windows(session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    screen::windows(session)
}

/// The programs whose windows can be left out of the picture; `None` where no window can be.
pub fn programs(session: &Session) -> Result<Option<Vec<String>>, ScreenError> {
    screen::programs(session)
}

/// The microphones, the default one first; never an empty list.
pub fn microphones() -> Result<Vec<MicInfo>, MicError> {
    let found = mic::list()?;
    if found.is_empty() { Err(MicError::NoneFound) } else { Ok(found) }
}

/// Lets Ctrl+Alt+P pause a take and go on, from whichever window the worker is in, until the answer is dropped.
pub fn pause_key(session: &Session, control: &Arc<Control>) -> Result<input::Running, InputError> {
    let control = control.clone();
    input::pause_key::watch(session, move || control.toggle_pause())
}

/// Which microphone a worker wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum MicWish {
    /// The one that the system uses, and another when it changes to that.
    #[default]
    System,
    /// The one of this id, and no other.
    Device(String),
}

pub fn microphone(wish: &MicWish) -> MicSource {
    match wish {
        MicWish::System => {
            let choice = MicChoice::Systems(Box::new(mic::default_id));
            MicSource { start: Box::new(|sink| mic::start(None, sink)), choice }
        }
        MicWish::Device(id) => {
            let (id, asked) = (id.clone(), id.clone());
            let choice = MicChoice::Workers(Box::new(move || mic::is_there(&asked)));
            MicSource { start: Box::new(move |sink| mic::start(Some(&id), sink)), choice }
        }
    }
}

/// A screen, a microphone (`None` records no sound) and the input events of the session.
pub fn sources(session: &Session, screen_id: &str, mic: Option<&MicWish>) -> Result<Sources, SessionError> {
    let screen = screen::open(session, Some(screen_id))?;
    let screen_info = screen::describe(session, Some(screen_id), screen.as_ref())?;
    let mic = mic.map(microphone);
    let session = session.clone().showing(Some(screen_id));
    let lock = Some(lock::watch(&session));
    let input = InputSource::Start(Box::new(move |sink| input::start(&session, sink)));
    Ok(Sources { screen, screen_info, mic, input, lock })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_microphone_that_is_left_to_the_system_changes_with_it() {
        assert!(matches!(microphone(&MicWish::System).choice, MicChoice::Systems(_)));
        assert!(matches!(microphone(&MicWish::Device("headset".to_owned())).choice, MicChoice::Workers(_)));
        // As the window writes it.
        let read = |text: &str| serde_json::from_str::<MicWish>(text).unwrap();
        assert_eq!(read(r#"{"kind": "system"}"#), MicWish::default());
        assert_eq!(read(r#"{"kind": "device", "id": "headset"}"#), MicWish::Device("headset".to_owned()));
    }
}

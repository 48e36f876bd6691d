//! What went wrong, as the window says it: what happened and what it means, then what to do next.

use recorder_core::ClientError;
use recorder_core::cut::CutError;
use recorder_core::devices::{DisplayError, MicError, ScreenError};
use recorder_core::enrol::EnrolError;
use recorder_core::session::SessionError;
use recorder_core::spool::SpoolError;
use recorder_core::submit::SubmitError;
use serde::Serialize;
use shared_types::recording::RecordingStage;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Trouble {
    pub(crate) what: String,
    pub(crate) next: String,
    /// The server's word for it, where it was the server that refused.
    pub(crate) code: Option<String>,
}

impl Trouble {
    pub(crate) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into(), code: None }
    }

    pub(crate) fn thread(error: &std::io::Error) -> Self {
        Self::new(
            format!("The computer has no room for another task: {error}."),
            "Close other programs, then try again.",
        )
    }

    /// From an error's text, in which the last sentence is the advice.
    pub(crate) fn told(error: &dyn std::fmt::Display) -> Self {
        let text = error.to_string();
        let text = text.trim().trim_end_matches('.');
        let (what, next) = text.rsplit_once(". ").unwrap_or((text, "Try again"));
        Self::new(sentence(what), sentence(next))
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.trim().trim_end_matches('.').chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// The errors whose own advice is for a terminal are told anew.
impl From<&MicError> for Trouble {
    fn from(error: &MicError) -> Self {
        match error {
            MicError::NoneFound => Self::new("No microphone was found.", "Plug one in, then look again."),
            MicError::Unknown { .. } => {
                Self::new("The chosen microphone is no longer there.", "Plug it in again, or choose another one.")
            }
            MicError::System(reason) => Self::new(
                format!("The sound system did not answer: {reason}."),
                "Restart the computer if this does not go away.",
            ),
            other => Self::told(other),
        }
    }
}

impl From<&ScreenError> for Trouble {
    fn from(error: &ScreenError) -> Self {
        match error {
            ScreenError::Unknown { .. } => {
                Self::new("The chosen screen is no longer there.", "Plug it in again, or choose another one.")
            }
            ScreenError::Display(DisplayError::Missing) => Self::new(
                "No screen that can be recorded was found.",
                "Log in to a desktop, then open the recorder there.",
            ),
            other => Self::told(other),
        }
    }
}

impl From<SessionError> for Trouble {
    fn from(error: SessionError) -> Self {
        match &error {
            SessionError::Mic(error) => error.into(),
            SessionError::Screen(error) => error.into(),
            SessionError::Spool(error) => error.into(),
            SessionError::Nothing(reason) => {
                Self::new(format!("Nothing was recorded: {reason}."), "Start the recording again.")
            }
            SessionError::Unfinished { reason, .. } => Self::new(
                format!("The recording stopped early: {reason}. What was recorded is still on the disk."),
                "Free some space on the disk, then close the recorder and open it again: it will save the recording.",
            ),
            _ => Self::told(&error),
        }
    }
}

impl From<&SpoolError> for Trouble {
    fn from(error: &SpoolError) -> Self {
        match error {
            SpoolError::Full { .. } => {
                Self::new("The disk is almost full, so that no recording fits.", "Free some space, then try again.")
            }
            SpoolError::NothingWhole { .. } => Self::new(
                "A recording ended within its first second, so that nothing of it can be used.",
                "Record again.",
            ),
            SpoolError::NoRecording { .. } => Self::new("This recording is no longer on the disk.", "Record again."),
            other => Self::told(other),
        }
    }
}

impl From<&ClientError> for Trouble {
    fn from(error: &ClientError) -> Self {
        match error {
            ClientError::Api { error, .. } => Self {
                what: error.message.clone(),
                next: error.hint.clone(),
                code: serde_json::to_value(error.code).ok().and_then(|code| Some(code.as_str()?.to_owned())),
            },
            other => Self::told(other),
        }
    }
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Self::from(&error)
    }
}

impl From<EnrolError> for Trouble {
    fn from(error: EnrolError) -> Self {
        match &error {
            EnrolError::Client(error) => error.into(),
            EnrolError::Invite { why, .. } => Self::new(
                format!("This is no invite: {why}."),
                "Copy the whole link from your message and paste it again.",
            ),
            EnrolError::NotEnrolled => {
                Self::new("You have not joined yet.", "Paste the invite link that you were sent.")
            }
            _ => Self::told(&error),
        }
    }
}

impl From<SubmitError> for Trouble {
    fn from(error: SubmitError) -> Self {
        Self::from(&error)
    }
}

impl From<&SubmitError> for Trouble {
    fn from(error: &SubmitError) -> Self {
        match error {
            SubmitError::Client(error) => error.into(),
            SubmitError::Spool(error) => error.into(),
            SubmitError::Unready { stage: RecordingStage::Capturing, .. } => Self::new(
                "This recording is not whole yet, so that it cannot be sent in.",
                "Close the recorder and open it again: it will save the recording.",
            ),
            SubmitError::NoAssignment => Self::new(
                "This recording was made for no goal, so that it cannot be sent in.",
                "Record again, beginning with one of your goals.",
            ),
            SubmitError::Changed { .. } => Self::new(
                "The files of this recording were changed after it was made, so that it cannot be sent in.",
                "Record again.",
            ),
            _ => Self::told(error),
        }
    }
}

impl From<CutError> for Trouble {
    fn from(error: CutError) -> Self {
        match error {
            CutError::Spool(error) => error.into(),
            CutError::Submit(error) => error.into(),
            CutError::Range { .. } => Self::new(
                "That is no stretch of time: its end is not after its beginning.",
                "Give the seconds of the recording, the earlier one first.",
            ),
            _ => Self::told(&error),
        }
    }
}

impl From<SpoolError> for Trouble {
    fn from(error: SpoolError) -> Self {
        Self::from(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    #[test]
    fn the_last_sentence_of_an_error_is_its_advice() {
        let told = Trouble::told(&"the disk is slow. It lost a picture. Close other programs");
        assert_eq!(told, Trouble::new("The disk is slow. It lost a picture.", "Close other programs."));
        assert_eq!(Trouble::told(&"it broke"), Trouble::new("It broke.", "Try again."));
    }
}

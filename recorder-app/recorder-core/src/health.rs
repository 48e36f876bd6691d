//! What a worker is told of what befalls a take: a kind for programs, a sentence with its remedy for people. What is said
//! of how the take is going, [`crate::advice`] says in the same form.
//!
//! Some kinds are over at some time; what is shown of them need not stay.

/// Kinds that end a take before its time.
pub(crate) const ENDING: [&str; 3] = ["screen_lost", "disk_full", "interrupted"];

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Health {
    MicRestarted,
    MicLost {
        why: MicLoss,
    },
    MicBack {
        name: String,
    },
    /// The chosen microphone is gone and the system records from another one.
    MicMoved {
        name: String,
    },
    /// The system uses another microphone now, and so does the take.
    MicChanged {
        name: String,
    },
    NoInputEvents {
        reason: String,
    },
    InputLost {
        reason: String,
    },
    EventsLost {
        reason: String,
    },
    ScreenLost {
        reason: String,
    },
    ResolutionChanged,
    DiskFull,
    EncoderChanged {
        from: String,
        to: String,
    },
    /// The encoder or the disk does not answer.
    EncoderStalled,
    Interrupted {
        reason: String,
    },
    EarlyUploadEnded {
        reason: String,
    },
    Slept {
        secs: f64,
    },
    Locked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MicLoss {
    Unplugged,
    Mute,
    /// The sound system does not answer.
    Unanswered,
    Failed(String),
}

impl Health {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::MicRestarted => "mic_restarted",
            Self::MicLost { .. } => "mic_lost",
            Self::MicBack { .. } => "mic_back",
            Self::MicMoved { .. } => "mic_moved",
            Self::MicChanged { .. } => "mic_changed",
            Self::NoInputEvents { .. } => "no_input_events",
            Self::InputLost { .. } => "input_lost",
            Self::EventsLost { .. } => "events_lost",
            Self::ScreenLost { .. } => "screen_lost",
            Self::ResolutionChanged => "resolution_changed",
            Self::DiskFull => "disk_full",
            Self::EncoderChanged { .. } => "encoder_changed",
            Self::EncoderStalled => "encoder_stalled",
            Self::Interrupted { .. } => "interrupted",
            Self::EarlyUploadEnded { .. } => "early_upload_ended",
            Self::Slept { .. } => "slept",
            Self::Locked => "locked",
        }
    }

    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::MicRestarted => {
                "The microphone fell silent and was started again. Say something and watch whether the meter moves."
                    .to_owned()
            }
            Self::MicLost { why } => {
                let next = match why {
                    MicLoss::Unplugged => "Plug it in again.",
                    MicLoss::Mute => "It starts, but gives no sound. Check that it is plugged in and switched on.",
                    MicLoss::Unanswered => {
                        "The computer's sound system does not answer. If that stays, stop, and restart the computer."
                    }
                    MicLoss::Failed(reason) => reason,
                };
                format!("The microphone is gone; the take goes on without your voice. {next}")
            }
            Self::MicBack { name } => {
                format!("The microphone {name:?} is back and is recorded from again. You need not do anything.")
            }
            Self::MicMoved { name } => format!(
                "The microphone {name:?} is gone, and the system records from another one in its place. \
                 Plug it in again, or stop and choose another one."
            ),
            Self::MicChanged { name } => format!(
                "The system changed to the microphone {name:?}, which is recorded from here on. \
                 If that is not what you want, choose another one in the sound settings."
            ),
            Self::NoInputEvents { reason } | Self::InputLost { reason } | Self::ScreenLost { reason } => reason.clone(),
            Self::EventsLost { reason } => format!(
                "Clicks and keys can no longer be written to the disk: {reason}. \
                 The recording itself goes on without them; check that the disk has room, and if much is left to do, \
                 stop and start again."
            ),
            Self::ResolutionChanged => {
                "The recorded screen or window has another size now, so it is shown smaller or with dark bars. \
                 Give it its old size again, and leave it until you stop."
                    .to_owned()
            }
            Self::DiskFull => {
                "The disk is almost full, so the take was ended. Free some space before the next one.".to_owned()
            }
            Self::EncoderChanged { from, to } => {
                format!("The video encoder {from} failed, and {to} went on in the same file. You need not do anything.")
            }
            Self::EncoderStalled => {
                "The computer does not get the recording onto its disk at the moment, so pictures are missing. \
                 Close other programs; if this stays, stop, and what was recorded before is kept."
                    .to_owned()
            }
            Self::Interrupted { reason } => format!(
                "The recording stopped early: {reason}. \
                 What was recorded until then is whole and kept; record again if it is too short."
            ),
            Self::EarlyUploadEnded { reason } => format!(
                "Sending while recording ended: {reason}. The recording goes on; what is missing is sent afterwards."
            ),
            Self::Slept { secs } => format!(
                "The computer slept for {}; that time is not in the recording. \
                 Go on, or stop if you are done; before a break, pause.",
                spell(*secs)
            ),
            Self::Locked => "The screen was locked; nothing of that time is in the recording. \
                 Unlock it to go on, or to stop if you are done; before a break, pause."
                .to_owned(),
        }
    }

    /// The kinds that are over with it.
    pub(crate) fn ends(&self) -> &'static [&'static str] {
        match self {
            Self::MicBack { .. } | Self::MicChanged { .. } => &["mic_lost", "mic_moved", "mic_restarted"],
            Self::MicLost { .. } => &["mic_moved", "mic_restarted"],
            _ => &[],
        }
    }
}

fn spell(secs: f64) -> String {
    let (count, unit) = if secs < 90.0 { (secs, "second") } else { (secs / 60.0, "minute") };
    let count = count.round();
    let plural = if (count - 1.0).abs() < 0.5 { "" } else { "s" };
    format!("{count:.0} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use capture::input::InputError;
    use capture::mic::MicError;
    use capture::screen::ScreenError;

    use super::*;

    /// All that can be told, with the reasons that the system's parts give.
    fn all() -> Vec<Health> {
        let name = || "Headset".to_owned();
        let loss = |why: MicLoss| Health::MicLost { why };
        let busy = MicError::Busy { name: name() }.to_string();
        vec![
            Health::MicRestarted,
            loss(MicLoss::Unplugged),
            loss(MicLoss::Mute),
            loss(MicLoss::Unanswered),
            loss(MicLoss::Failed(busy)),
            Health::MicBack { name: name() },
            Health::MicMoved { name: name() },
            Health::MicChanged { name: name() },
            Health::NoInputEvents { reason: InputError::Wayland.to_string() },
            Health::NoInputEvents { reason: InputError::Forbidden.to_string() },
            Health::InputLost { reason: InputError::Lost("the server is gone".to_owned()).to_string() },
            Health::EventsLost { reason: "no space left".to_owned() },
            Health::ScreenLost { reason: ScreenError::Gone { id: "HDMI-1".to_owned() }.to_string() },
            Health::ScreenLost { reason: ScreenError::Lost("the server is gone".to_owned()).to_string() },
            Health::ScreenLost { reason: ScreenError::Unshared.to_string() },
            Health::ResolutionChanged,
            Health::DiskFull,
            Health::EncoderChanged { from: "h264_nvenc".to_owned(), to: "libx264".to_owned() },
            Health::EncoderStalled,
            Health::Interrupted { reason: "the encoder failed".to_owned() },
            Health::EarlyUploadEnded { reason: "the server is not there".to_owned() },
            Health::Slept { secs: 61.0 },
            Health::Locked,
        ]
    }

    #[test]
    fn each_kind_says_what_happened_and_then_what_to_do_and_is_in_the_docs() {
        let docs = include_str!("../../../docs/formats.md");
        for health in all() {
            let (kind, sentence) = (health.kind(), health.sentence());
            assert!(sentence.ends_with('.') && sentence.contains(". "), "{kind}: {sentence}");
            assert!(!sentence.contains(".."), "{kind}: {sentence}");
            assert!(docs.contains(&format!("`{kind}`")), "docs/formats.md does not name {kind}");
        }
        let kinds: BTreeSet<&str> = all().iter().map(Health::kind).collect();
        assert_eq!(kinds.len(), 17, "each kind is in the table above");
        for kind in all().iter().flat_map(Health::ends).chain(&ENDING) {
            assert!(kinds.contains(kind), "{kind}");
        }
    }

    #[test]
    fn lengths_are_spelled_as_people_say_them() {
        assert_eq!(
            [3.2, 1.0, 60.0, 90.0, 3600.0].map(spell),
            ["3 seconds", "1 second", "60 seconds", "2 minutes", "60 minutes"]
        );
    }
}

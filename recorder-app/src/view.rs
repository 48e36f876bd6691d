//! What the page is shown. `ui/src/recorder/bridge.ts` has the same names.

use std::path::PathBuf;

use recorder_core::devices::{MicInfo, ScreenInfo};
use recorder_core::preflight::Finding;
use recorder_core::settings::Settings;
use serde::{Deserialize, Serialize};
use shared_types::api::assignment::AssignmentItem;
use shared_types::api::submission::SubmissionView;
use shared_types::id::RecordingId;
use shared_types::quality::judge::QualityReport;
use shared_types::recording::RecordingStage;

use crate::trouble::Trouble;

#[derive(Debug, Serialize)]
pub(crate) struct Standing {
    /// Another window of the recorder is open and has the takes.
    pub(crate) already_open: bool,
    pub(crate) enrolment: Option<Enrolled>,
    pub(crate) invite_link: Option<String>,
    pub(crate) is_recording: bool,
    pub(crate) settings: Settings,
    /// Newest first.
    pub(crate) takes: Vec<TakeView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Enrolled {
    pub(crate) server: String,
    pub(crate) host: String,
}

/// How the worker stands to the text of consent.
#[derive(Debug, Serialize)]
pub(crate) struct MyConsent {
    /// It was renewed, and is to be accepted anew.
    pub(crate) is_due: bool,
    pub(crate) is_withdrawn: bool,
}

/// An invite that was read, and not yet followed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InviteView {
    pub(crate) server: String,
    pub(crate) host: String,
    pub(crate) code: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct TakeView {
    /// Of the take's folder.
    pub(crate) id: RecordingId,
    pub(crate) stage: RecordingStage,
    pub(crate) assignment: AssignmentItem,
    pub(crate) secs: f64,
    pub(crate) bytes: u64,
    pub(crate) started_at: String,
    pub(crate) report: Option<QualityReport>,
    /// It was killed and made whole.
    pub(crate) recovered: bool,
    /// What ended it before its maker did, with what to do.
    pub(crate) ended_early: Option<String>,
}

/// A take that was deleted.
#[derive(Debug, Serialize)]
pub(crate) struct Discarded {
    pub(crate) standing: Standing,
    /// What is still to be done about it.
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DevicesView {
    pub(crate) screens: Vec<ScreenInfo>,
    /// Single windows that can be recorded alone.
    pub(crate) windows: Vec<ScreenInfo>,
    /// Programs whose windows can be left out of the picture; `None` where the system cannot.
    pub(crate) programs: Option<Vec<String>>,
    pub(crate) microphones: Vec<MicInfo>,
    /// How long a take could be; `None` where the disk does not tell its room.
    pub(crate) disk_secs: Option<f64>,
    /// Why a list is empty.
    pub(crate) problems: Vec<Trouble>,
}

/// What the microphone gave before a take.
#[derive(Debug, Serialize)]
pub(crate) struct ListenedView {
    pub(crate) finding: Finding,
    pub(crate) wav: Vec<u8>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Handed {
    pub(crate) assignment: AssignmentItem,
    pub(crate) view: SubmissionView,
}

/// News for the page; the names are the events'.
pub(crate) mod news {
    pub(crate) const STARTED: &str = "started";
    pub(crate) const LEVEL: &str = "level";
    pub(crate) const HEALTH: &str = "health";
    /// Trouble of this kind is over.
    pub(crate) const OVER: &str = "over";
    pub(crate) const FINISHED: &str = "finished";
    pub(crate) const FAILED: &str = "failed";
    /// The queue is another one now.
    pub(crate) const QUEUE: &str = "queue";
    /// Of the take that is sent now: its folder and how far it is.
    pub(crate) const UPLOAD: &str = "upload";
    pub(crate) const SUBMITTED: &str = "submitted";
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Level {
    pub(crate) secs: f64,
    pub(crate) peak_dbfs: Option<f64>,
    pub(crate) bytes: u64,
    pub(crate) paused: bool,
    /// Ctrl+Alt+P pauses from any window.
    pub(crate) pause_key: bool,
    pub(crate) speech_share: Option<f64>,
    pub(crate) disk_secs: Option<f64>,
}

/// The takes that wait to be sent, the next one first.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct QueueView {
    pub(crate) takes: Vec<QueuedTake>,
    pub(crate) is_sending: bool,
    pub(crate) is_paused: bool,
    /// What stands in the way of all of them.
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct QueuedTake {
    pub(crate) folder: PathBuf,
    /// `None` for a take that was not made in this window.
    pub(crate) take: Option<RecordingId>,
    /// `None` where the take is no longer on the disk, too.
    pub(crate) goal: Option<String>,
    pub(crate) bytes: u64,
    /// It is sent now.
    pub(crate) now: Option<SentView>,
    /// Why it could not be sent.
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct SentView {
    pub(crate) sent: u64,
    pub(crate) total: u64,
    /// Why nothing moves at the moment.
    pub(crate) waiting: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Submitted {
    pub(crate) take: Option<RecordingId>,
}

//! The reviewer's queue, one take, and the decision on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;

use crate::api::worker::PayoutView;
use crate::goal::Constraint;
use crate::id::{AssignmentId, CampaignId, RedactionId, SubmissionId};
use crate::payout::Money;
use crate::quality::flag::{Flag, Verdict};
use crate::quality::judge::QualityReport;
use crate::quality::policy::Narration;
use crate::redaction::{RedactionRange, RedactionTrack};
use crate::step::PixelBox;
use crate::submission::SubmissionStage;
use crate::timestamp::Timestamp;

/// `POST /admin/session`
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    pub email: String,
    pub password: String,
    /// The code of the authenticator app or a recovery code, where the login has a second factor.
    pub totp: Option<String>,
}

/// `GET /admin/session`: who is logged in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SessionView {
    pub email: String,
    pub role: AdminRole,
    pub has_second_factor: bool,
    /// The server demands a second factor, and this login has none yet: nothing else is open to it.
    pub must_add_second_factor: bool,
    /// Recovery codes that are left.
    pub recovery_codes: i64,
}

/// `GET /admin/session/logins`: where the same person is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LoginView {
    /// For ending it; it opens nothing.
    pub id: String,
    pub began_at: Timestamp,
    /// The last request, to the minute.
    pub seen_at: Timestamp,
    /// The address it was begun from; `here` is the server's own machine.
    pub address: String,
    /// What the browser called itself then.
    pub browser: String,
    /// The one that asks.
    pub is_this: bool,
}

/// `POST /admin/session/proof`: the code where there is a second factor, else the password.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ProofRequest {
    pub password: Option<String>,
    pub totp: Option<String>,
}

/// `POST /admin/session/totp`: what the authenticator app is given, shown this once.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TotpOffer {
    /// To be typed in.
    pub secret: String,
    /// To be opened on the phone itself.
    pub uri: String,
    /// The same as a QR code: rows of `0` and `1`.
    pub qr: Vec<String>,
}

/// `POST /admin/session/totp/confirm`
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct TotpConfirmRequest {
    pub totp: String,
}

/// Each opens the login once in place of the app; shown this once.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct RecoveryCodes {
    pub codes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum AdminRole {
    Reviewer,
    Admin,
}

/// A row of the queue, `GET /admin/submissions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SubmissionRow {
    pub id: SubmissionId,
    pub stage: SubmissionStage,
    pub attempt: u32,
    pub campaign_id: CampaignId,
    pub campaign: String,
    pub tier: String,
    pub goal: String,
    pub worker_alias: String,
    pub verdict: Option<Verdict>,
    pub flags: Vec<Flag>,
    pub duration_secs: Option<f64>,
    pub rating: Option<u8>,
    pub received_at: Timestamp,
}

/// `GET /admin/submissions/{id}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SubmissionDetail {
    #[serde(flatten)]
    #[ts(flatten)]
    pub row: SubmissionRow,
    pub assignment_id: AssignmentId,
    /// To be sent with the decision.
    pub version: i64,
    pub constraints: Vec<Constraint>,
    pub narration: Narration,
    /// What accepting it pays; for admins alone, so that who decides does not decide by it.
    pub pay: Option<Money>,
    pub report: Option<QualityReport>,
    /// Name to signed address: `playback.mp4`, `sprite.jpg`, `sprite.json`, `waveform.json`, `transcript.json`,
    /// `steps.jsonl`, `summary.json`, `frames/{sha256}.jpg`.
    pub artifacts: BTreeMap<String, String>,
    /// What reviewers had covered, newest first.
    pub redactions: Vec<RedactionView>,
    /// Newest first.
    pub history: Vec<HistoryEntry>,
    /// For admins alone.
    pub payout: Option<PayoutView>,
    /// The next one waiting for review, other than this.
    pub next_id: Option<SubmissionId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct HistoryEntry {
    pub at: Timestamp,
    /// `worker`, `pipeline` or the reviewer's e-mail.
    pub who: String,
    /// A sentence.
    pub what: String,
}

/// `POST /admin/submissions/{id}/review`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// 3 to 5 accept, 2 asks for a redo, 1 rejects.
    pub rating: u8,
    pub checklist: Checklist,
    /// Required for 1 and 2.
    pub reason: Option<Reason>,
    pub note: Option<String>,
    #[serde(default)]
    pub marks: Vec<Mark>,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    pub plays: Answer,
    pub narration: Answer,
    pub realistic: Answer,
    pub worth_pay: Answer,
}

/// `true`, `false` or `"na"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, TS)]
#[schemars(with = "serde_json::Value")]
#[ts(type = "boolean | \"na\"")]
pub enum Answer {
    Yes,
    No,
    NotApplicable,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
            Self::NotApplicable => serializer.serialize_str("na"),
        }
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(true) => Ok(Self::Yes),
            serde_json::Value::Bool(false) => Ok(Self::No),
            serde_json::Value::String(text) if text == "na" => Ok(Self::NotApplicable),
            _ => Err(serde::de::Error::custom("an answer is true, false or \"na\"")),
        }
    }
}

/// `POST /admin/submissions/{id}/redact`: a range to cover for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RedactRequest {
    pub start: f64,
    pub end: f64,
    #[serde(default)]
    pub track: RedactionTrack,
    /// Null covers the whole picture.
    #[serde(default, rename = "box")]
    pub bounds: Option<PixelBox>,
    /// From the take as it was shown; where it is given, a stale one is refused.
    #[serde(default)]
    pub version: Option<i64>,
}

impl RedactRequest {
    pub const fn range(&self) -> RedactionRange {
        RedactionRange { start: self.start, end: self.end, track: self.track, bounds: self.bounds }
    }
}

/// A range that a reviewer had covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct RedactionView {
    pub id: RedactionId,
    pub range: RedactionRange,
    /// The reviewer's e-mail.
    pub who: String,
    pub asked_at: Timestamp,
    /// Null while it is being made, when the take cannot be decided on or exported.
    pub done_at: Option<Timestamp>,
    /// It is done, and no bytes that the take gave up are still on the server.
    pub is_gone: bool,
}

/// A comment at a moment of the take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub t: f64,
    pub text: String,
}

/// Why a take was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    TooShort,
    NoAudio,
    PoorAudio,
    NoNarration,
    WrongScreen,
    UnreadableVideo,
    GoalNotAttempted,
    GoalPartly,
    Instructions,
    Unnatural,
    Rehearsed,
    DuplicateSelf,
    DuplicateOther,
    SyntheticVoice,
    PersonalDataShown,
    TechnicalOurs,
    Other,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Reviewed {
    pub stage: SubmissionStage,
    /// For admins alone.
    pub payout: Option<PayoutView>,
    pub next_id: Option<SubmissionId>,
}

/// `POST /admin/submissions/{id}/lock`: advisory, for ten minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Lock {
    /// Who holds it.
    pub held_by: String,
    pub until: Timestamp,
}

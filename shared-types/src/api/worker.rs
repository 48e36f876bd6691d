//! Registration with an invite, and what a worker sees of itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::review::Mark;
use crate::hidden::shows_only;
use crate::id::{AssignmentId, PayoutId, SubmissionId, WorkerId};
use crate::payout::{Money, PayoutStage};
use crate::timestamp::Timestamp;
use crate::worker::WorkerStage;

/// `GET /consent`: the text that is in force, for everybody to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ConsentText {
    pub version: String,
    /// Plain text; paragraphs are parted by empty lines.
    pub text: String,
    pub text_sha256: String,
    /// What is recorded and stored: `screen`, `voice`, `input_events`.
    pub scope: Vec<String>,
}

/// `POST /workers`
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    pub invite: String,
    pub name: String,
    pub fiverr_user: String,
    pub consent: ConsentGiven,
    pub device: Device,
}

shows_only!(RegisterRequest { consent, device });

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ConsentGiven {
    pub version: String,
    pub accepted_at: Timestamp,
}

/// `POST /me/consent`: consent to the text in force; with neither field it is withdrawn, for good.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ConsentChange {
    pub version: Option<String>,
    pub accepted_at: Option<Timestamp>,
    /// Version of the recorder that showed the text.
    pub app_version: Option<String>,
}

/// The computer somebody records on. `id` is random, made once by the recorder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub id: String,
    pub os: Option<String>,
    pub app_version: Option<String>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Registered {
    pub worker_id: WorkerId,
    /// Shown this once; only its hash is kept.
    pub token: String,
}

shows_only!(Registered { worker_id });

/// `GET /me`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Me {
    pub worker: WorkerView,
    pub ratings: Vec<RatingView>,
    pub payouts: Vec<PayoutView>,
    /// Oldest recorder version that may still submit.
    pub oldest_recorder_version: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct WorkerView {
    pub id: WorkerId,
    pub name: String,
    pub stage: WorkerStage,
    /// Of the text that was accepted last; none once it is withdrawn.
    pub consent_version: Option<String>,
    /// What must be accepted now; differs when the text was renewed.
    pub current_consent_version: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct RatingView {
    pub submission_id: SubmissionId,
    pub goal: String,
    pub rating: u8,
    pub note: Option<String>,
    pub marks: Vec<Mark>,
    pub decided_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PayoutView {
    pub id: PayoutId,
    pub assignment_id: AssignmentId,
    pub submission_id: SubmissionId,
    pub stage: PayoutStage,
    pub amount: Money,
    pub created_at: Timestamp,
}

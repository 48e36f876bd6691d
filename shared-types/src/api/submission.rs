//! Handing in a recording, and what became of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::review::{Mark, Reason};
use crate::api::worker::PayoutView;
use crate::id::{AssignmentId, ReceiptId, SubmissionId};
use crate::quality::judge::QualityReport;
use crate::recording::Manifest;
use crate::submission::SubmissionStage;
use crate::timestamp::Timestamp;

/// `POST /submissions`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// Made by the client, so that a repeated request is the same submission.
    pub id: SubmissionId,
    pub assignment_id: AssignmentId,
    pub uploads: Vec<UploadRef>,
    pub manifest: Manifest,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct UploadRef {
    pub track: Track,
    pub upload_id: String,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Track {
    Video,
    Events,
    Manifest,
}

impl Track {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Events => "events",
            Self::Manifest => "manifest",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Submitted {
    pub id: SubmissionId,
    pub stage: SubmissionStage,
    pub receipt_id: ReceiptId,
}

/// `GET /submissions/{id}`: for its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SubmissionView {
    pub id: SubmissionId,
    pub assignment_id: AssignmentId,
    pub stage: SubmissionStage,
    pub attempt: u32,
    pub receipt_id: ReceiptId,
    pub received_at: Timestamp,
    /// The machine's report, once there is one.
    pub report: Option<QualityReport>,
    pub rating: Option<u8>,
    pub reason: Option<Reason>,
    pub note: Option<String>,
    pub marks: Vec<Mark>,
    pub payout: Option<PayoutView>,
}

/// `GET /receipts/{id}`: that the server holds these bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Receipt {
    pub id: ReceiptId,
    pub submission_id: SubmissionId,
    pub received_at: Timestamp,
    pub files: Vec<UploadRef>,
}

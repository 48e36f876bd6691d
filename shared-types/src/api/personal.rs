//! What the server holds of a person, given to that person, and its erasure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::assignment::AssignmentItem;
use crate::api::submission::{SubmissionView, UploadRef};
use crate::api::worker::PayoutView;
use crate::hidden::shows_only;
use crate::id::{ErasureId, TokenId, WorkerId};
use crate::timestamp::Timestamp;
use crate::worker::WorkerStage;

/// `GET /me/export`: everything that is kept of a worker (GDPR, articles 15 and 20).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonalData {
    pub made_at: Timestamp,
    pub worker: PersonalWorker,
    pub consents: Vec<ConsentRecord>,
    pub devices: Vec<DeviceRow>,
    pub assignments: Vec<AssignmentItem>,
    pub takes: Vec<PersonalTake>,
    pub payouts: Vec<PayoutView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonalWorker {
    pub id: WorkerId,
    /// What reviewers and datasets see instead of the name.
    pub alias: String,
    pub name: String,
    pub fiverr_user: String,
    pub stage: WorkerStage,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentRecord {
    pub version: String,
    /// None where it was given before hashes were kept.
    pub text_sha256: Option<String>,
    /// BCP 47 tag of the text's language.
    pub language: String,
    /// As the recorder told it.
    pub accepted_at: Timestamp,
    pub received_at: Timestamp,
    pub app_version: Option<String>,
    pub withdrawn_at: Option<Timestamp>,
}

/// A computer that may act for the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceRow {
    pub token_id: TokenId,
    pub device_id: Option<String>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// A recording that was handed in, what became of it, and where its bytes can be fetched for an hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonalTake {
    pub submission: SubmissionView,
    /// `recording.json` as it was handed in.
    pub manifest: serde_json::Value,
    /// Each is given by `GET /uploads/{id}` unless its time is over.
    pub files: Vec<UploadRef>,
    /// What was made of it: transcript, Steps and the rest.
    pub artifacts: Vec<ArtifactLink>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactLink {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
    pub url: String,
}

shows_only!(ArtifactLink { name, bytes, sha256 });

/// `POST /admin/erasures`: for a worker who asked for it by other means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ErasureRequest {
    pub worker_id: WorkerId,
}

/// An erasure, as the one who asked and the admin see it; with `done_at` it is the certificate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ErasureView {
    pub id: ErasureId,
    pub worker_id: WorkerId,
    pub alias: String,
    pub asked_at: Timestamp,
    /// A month later (GDPR, article 12): by then it is done whatever is owed.
    pub due_at: Timestamp,
    /// Recordings and their bytes, which went at once.
    pub takes: u32,
    pub bytes: u64,
    /// When the name went too, which was kept for what was still to be paid.
    pub done_at: Option<Timestamp>,
    /// Whether pay is owed, so that the name is kept until it is paid or the month is over.
    pub is_owed_pay: bool,
}

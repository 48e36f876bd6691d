//! How much of everything there is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::job::{JobKind, JobStage};
use crate::payout::{Money, PayoutStage};
use crate::submission::SubmissionStage;
use crate::timestamp::Timestamp;
use crate::upload::UploadStage;

/// `GET /admin/stats`. What there is none of has no entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Stats {
    /// When it was counted: up to ten seconds ago.
    pub counted_at: Timestamp,
    pub submissions: Vec<SubmissionCount>,
    pub payouts: Vec<PayoutSum>,
    pub jobs: Vec<JobCount>,
    pub uploads: Vec<UploadCount>,
    /// Since when the job waits that has waited longest.
    pub oldest_job_at: Option<Timestamp>,
    /// Left on the disk that the server writes to.
    pub free_bytes: u64,
    /// The server takes no uploads any more, since the disk is nearly full.
    pub is_full: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SubmissionCount {
    pub stage: SubmissionStage,
    pub count: u32,
}

/// Of one stage and currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PayoutSum {
    pub stage: PayoutStage,
    pub count: u32,
    pub amount: Money,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct JobCount {
    pub kind: JobKind,
    pub stage: JobStage,
    pub count: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UploadCount {
    pub stage: UploadStage,
    pub count: u32,
    pub bytes: u64,
}

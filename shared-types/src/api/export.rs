//! Accepted submissions for `pipeline export`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::goal::Constraint;
use crate::hidden::shows_only;
use crate::id::{AssignmentId, CampaignId, SubmissionId};
use crate::timestamp::Timestamp;

/// `GET /exports/{campaign}/submissions`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ExportPage {
    pub items: Vec<ExportItem>,
    pub next_cursor: Option<String>,
    /// Submissions that must be in no dataset any more; on the first page only.
    pub tombstones: Vec<SubmissionId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ExportItem {
    pub submission_id: SubmissionId,
    pub assignment_id: AssignmentId,
    pub campaign_id: CampaignId,
    /// Stands for the worker, tells nothing of the person.
    pub worker_alias: String,
    pub tier: String,
    pub goal: String,
    pub constraints: Vec<Constraint>,
    pub rating: u8,
    pub accepted_at: Timestamp,
    pub artifacts: Vec<ExportArtifact>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ExportArtifact {
    pub name: String,
    pub url: String,
    pub bytes: u64,
    pub sha256: String,
}

shows_only!(ExportArtifact { name, bytes, sha256 });

//! Assignments as the worker's recorder sees them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::assignment::AssignmentStage;
use crate::goal::Constraint;
use crate::id::{AssignmentId, CampaignId, SubmissionId};
use crate::payout::Money;
use crate::quality::policy::Policy;
use crate::submission::SubmissionStage;
use crate::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AssignmentItem {
    pub id: AssignmentId,
    pub stage: AssignmentStage,
    pub campaign_id: CampaignId,
    pub tier: String,
    pub goal: String,
    pub constraints: Vec<Constraint>,
    pub policy: Policy,
    /// What it earns once accepted.
    pub pay: Money,
    pub expires_at: Option<Timestamp>,
    /// The latest attempt.
    pub submission: Option<SubmissionBrief>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SubmissionBrief {
    pub id: SubmissionId,
    pub stage: SubmissionStage,
    pub attempt: u32,
}

/// `POST /assignments/{id}/problem`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ProblemRequest {
    pub kind: ProblemKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum ProblemKind {
    Site,
    Goal,
    App,
    Privacy,
    Other,
}

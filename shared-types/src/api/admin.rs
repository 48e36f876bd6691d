//! The admin's lists and what an admin may make.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::review::AdminRole;
use crate::campaign::{Scenario, Tier};
use crate::hidden::shows_only;
use crate::id::{CampaignId, InviteId, JobId, SubmissionId, TokenId, WorkerId};
use crate::job::{JobKind, JobStage};
use crate::timestamp::Timestamp;
use crate::worker::WorkerStage;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CampaignView {
    pub id: CampaignId,
    pub name: String,
    pub description: String,
    pub currency: String,
    pub tiers: Vec<Tier>,
    pub scenarios: Vec<Scenario>,
    pub created_at: Timestamp,
}

/// `POST /admin/invites`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    pub campaign_id: CampaignId,
    pub tier: String,
    pub count: u32,
}

/// The codes, shown this once; only their hashes are kept.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct InvitesMade {
    pub codes: Vec<String>,
}

shows_only!(InvitesMade {});

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct InviteView {
    pub id: InviteId,
    pub campaign_id: CampaignId,
    pub tier: String,
    pub worker_id: Option<WorkerId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct WorkerRow {
    pub id: WorkerId,
    pub alias: String,
    pub name: String,
    pub fiverr_user: String,
    pub stage: WorkerStage,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct JobRow {
    pub id: JobId,
    pub kind: JobKind,
    pub stage: JobStage,
    pub submission_id: Option<SubmissionId>,
    pub attempt: u32,
    pub max_attempts: u32,
    /// When it may be begun again, where it waits.
    pub run_at: Timestamp,
    pub worker: Option<String>,
    pub last_error: Option<String>,
    pub updated_at: Timestamp,
}

/// `POST /admin/jobs/drain`: what becomes of the dead jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct DrainRequest {
    pub action: DrainAction,
    /// Null for every kind.
    pub kind: Option<JobKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum DrainAction {
    /// They are queued again.
    Retry,
    /// They are given up for good.
    Cancel,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Drained {
    pub count: u32,
    /// Those whose submission went another way meanwhile; they stay dead.
    pub left: u32,
}

/// `POST /admin/tokens`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    pub role: TokenRole,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum TokenRole {
    Worker,
    Pipeline,
    Admin,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TokenMade {
    pub id: TokenId,
    pub token: String,
}

shows_only!(TokenMade { id });

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TokenRow {
    pub id: TokenId,
    pub role: TokenRole,
    pub name: String,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AdminRow {
    pub id: String,
    pub email: String,
    pub role: AdminRole,
    pub has_second_factor: bool,
    pub created_at: Timestamp,
}

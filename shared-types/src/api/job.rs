//! Leased jobs: how a pipeline machine gets its work and hands in what came of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::fingerprint::Fingerprints;
use crate::hidden::shows_only;
use crate::id::{CampaignId, JobId, SubmissionId};
use crate::job::{JobKind, JobStage};
use crate::quality::judge::QualityReport;
use crate::quality::policy::Policy;
use crate::redaction::RedactionRange;
use crate::submission::SubmissionStage;
use crate::timestamp::Timestamp;

/// `POST /jobs/claim`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// Name of the machine, for the admin's eyes.
    pub worker: String,
    pub kinds: Vec<JobKind>,
    pub max: u32,
    /// Seconds to wait for work, at most 25.
    pub wait_s: u32,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LeasedJob {
    pub job_id: JobId,
    pub kind: JobKind,
    pub attempt: u32,
    pub lease_token: String,
    pub lease_until: Timestamp,
    /// Null for `export`.
    pub submission_id: Option<SubmissionId>,
    pub campaign_id: CampaignId,
    pub input: JobInput,
    pub goal: Option<String>,
    pub policy: Policy,
    /// What a `redact` job covers; empty for the others.
    #[serde(default)]
    pub redactions: Vec<RedactionRange>,
    /// Path of the route that signs the addresses of results.
    pub outputs_url: String,
}

shows_only!(LeasedJob { job_id, kind, attempt });

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct JobInput {
    pub video: Option<SignedObject>,
    pub events: Option<SignedObject>,
    pub manifest: Option<SignedObject>,
}

/// Bytes behind a signed address; the address may be relative to the server.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SignedObject {
    pub url: String,
    pub bytes: u64,
    pub sha256: String,
}

shows_only!(SignedObject { bytes, sha256 });

/// `POST /jobs/{id}/heartbeat`
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatRequest {
    pub lease_token: String,
    pub progress: Option<JobProgress>,
}

shows_only!(HeartbeatRequest { progress });

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct JobProgress {
    /// Name of the pass that is running.
    pub pass: String,
    /// 0 to 1, where it can be told.
    pub share: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Heartbeat {
    pub lease_until: Timestamp,
    /// The work is no longer wanted.
    pub cancel: bool,
}

/// `POST /jobs/{id}/outputs`
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct OutputsRequest {
    pub lease_token: String,
    pub names: Vec<String>,
}

shows_only!(OutputsRequest { names });

/// Name to signed address for a PUT.
pub type Outputs = BTreeMap<String, String>;

/// `POST /jobs/{id}/complete`
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct CompleteRequest {
    pub lease_token: String,
    pub result: JobResult,
    pub artifacts: Vec<Artifact>,
    pub fingerprints: Option<Fingerprints>,
}

shows_only!(CompleteRequest { artifacts });

/// What a job found, as far as the server needs it; the rest lies in the artifacts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct JobResult {
    pub quality: Option<QualityReport>,
    pub duration_secs: Option<f64>,
    pub steps: Option<u32>,
    pub words: Option<u32>,
    pub examples: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Completed {
    /// Where the submission stands now; null for `export`.
    pub stage: Option<SubmissionStage>,
    pub duplicate_of: Option<SubmissionId>,
}

/// `POST /jobs/{id}/fail`
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct FailRequest {
    pub lease_token: String,
    pub error: String,
    pub retryable: bool,
}

shows_only!(FailRequest { error, retryable });

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Failed {
    pub stage: JobStage,
}

//! A Dataset: a published set of training examples.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{CampaignId, SubmissionId};
use crate::lifecycle::lifecycle;
use crate::timestamp::Timestamp;

/// `dataset.json`: what a dataset holds. It is written last, so that a folder with it is whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DatasetManifest {
    /// The form of the examples: `codesight-1.0`.
    pub format: String,
    pub campaign_id: CampaignId,
    /// The newest acceptance in it; the same submissions give the same bytes.
    pub accepted_until: Option<Timestamp>,
    pub submissions: Vec<SubmissionId>,
    /// Submissions that were withdrawn and must be in no dataset.
    pub tombstones: Vec<SubmissionId>,
    /// Examples by split: `train`, `validation`, `test`, `test_site`.
    pub examples: BTreeMap<String, u32>,
    pub frames: u32,
    pub files: Vec<DatasetFile>,
    /// Version of the program that wrote it.
    pub pipeline_version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DatasetFile {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

lifecycle! {
    /// Life of a Dataset. Only publishing its manifest makes it visible.
    DatasetStage of "dataset" {
        Building "building" => [Published],
        Published "published" => [Withdrawn],
        Withdrawn "withdrawn" => [],
    }
}

//! CodeSight 1.0: one line of training data, and the manifest of a dataset.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::goal::ConstraintFinding;
use crate::quality::flag::Verdict;
use crate::step::Step;

/// The name and version of the form of an example.
pub const EXAMPLE_FORMAT: &str = "codesight-1.0";

/// One Step with what came before it: what a model sees, and what it should do next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Example {
    pub format: String,
    /// `{first 16 digits of the recording's SHA-256}-{index of the Step}`
    pub id: String,
    pub recording_sha256: String,
    /// From 0; the Steps of one recording are in order.
    pub index: u32,
    pub steps: u32,
    pub goal: Option<String>,
    pub constraints: Vec<ConstraintFinding>,
    /// The site the Step was made on, as far as the address shows it.
    pub site: Option<String>,
    /// Earlier Steps in a sentence each, oldest first.
    pub history: Vec<String>,
    pub step: Step,
    /// Size of the frames in pixels, so that positions can be scaled.
    pub picture: [u32; 2],
    pub verdict: Verdict,
    /// Whether this is the last Step of the recording.
    pub last: bool,
    pub provenance: BTreeMap<String, String>,
}

//! `summary.json`: a recording in a nutshell.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::goal::ConstraintFinding;
use crate::quality::flag::Verdict;
use crate::step::Intent;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Summary {
    /// SHA-256 of the recording's video file.
    pub input_sha256: String,
    pub verdict: Verdict,
    pub goal: Option<String>,
    pub constraints: Vec<ConstraintFinding>,
    pub intents: BTreeMap<Intent, u32>,
    pub products_seen: Vec<ProductSeen>,
    /// What the worker settled on; null where that cannot be told.
    pub decision: Option<String>,
    pub reason: Option<String>,
    pub costs: Costs,
    pub passes: Vec<PassRun>,
    /// Name and version of every model that took part.
    pub models: BTreeMap<String, String>,
    pub prompts: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ProductSeen {
    pub t: f64,
    pub title: String,
    pub price: Option<String>,
    pub rating: Option<String>,
}

/// What hosted models were paid; zero with local ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Costs {
    pub requests: u32,
    pub input_tokens: u64,
    pub output_tokens: u64,
}

/// What one pass took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PassRun {
    pub name: String,
    pub version: u32,
    pub secs: f64,
    pub cpu_secs: f64,
    /// The process's peak of memory up to the end of the pass.
    pub peak_memory_bytes: u64,
}

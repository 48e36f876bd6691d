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

/// What hosted models were asked and paid; zero with local ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Costs {
    /// Requests that were answered.
    pub requests: u32,
    /// Answers that were known from an earlier run and cost nothing.
    pub cached: u32,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Sound that was sent.
    pub audio_secs: f64,
    /// Tokens that this recording may use; null with local models.
    pub token_budget: Option<u64>,
    /// By the prices of the settings, with fractions of a cent; null without prices.
    pub amount_cents: Option<f64>,
    pub currency: Option<String>,
    pub steps_explained: u32,
    /// Steps that were given to a model and stayed as the rules left them.
    pub steps_left_to_rules: u32,
    /// Why, a sentence each.
    pub failures: Vec<String>,
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

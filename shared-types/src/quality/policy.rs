//! The policy: a campaign's limits. A policy file is TOML with any subset of these fields.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use super::flag::{Flag, Verdict};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    pub min_active_secs: f64,
    pub max_black_share: f64,
    pub min_level_dbfs: f64,
    /// Left open it follows `narration`: see [`Policy::speech_share_floor`].
    pub min_speech_share: Option<f64>,
    pub max_silence_secs: f64,
    pub min_snr_db: f64,
    pub max_clipped_share: f64,
    pub max_av_offset_ms: f64,
    pub min_frames_kept: f64,
    pub max_idle_share: f64,
    pub min_constraints_touched: f64,
    pub narration: Narration,
    /// ISO 639-1 code of the language to be spoken; of `en-US` the `en` counts.
    #[serde(deserialize_with = "language_code")]
    pub language: String,
    /// Whether private data is covered in the copy that reviewers play too; in texts, frames and exports it always is.
    pub redact_playback: bool,
    /// What single flags lead to, instead of the table's own verdict.
    pub verdicts: BTreeMap<Flag, Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Narration {
    /// Asked for; its lack means review.
    None,
    Required,
    Detailed,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_active_secs: 300.0,
            max_black_share: 0.05,
            min_level_dbfs: -60.0,
            min_speech_share: None,
            max_silence_secs: 60.0,
            min_snr_db: 10.0,
            max_clipped_share: 0.005,
            max_av_offset_ms: 80.0,
            min_frames_kept: 0.95,
            max_idle_share: 0.35,
            min_constraints_touched: 0.6,
            narration: Narration::Required,
            language: "en".to_owned(),
            redact_playback: true,
            verdicts: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// The speech share asked for: as set, else 0.30 for detailed narration and 0.10 otherwise.
    pub fn speech_share_floor(&self) -> f64 {
        self.min_speech_share.unwrap_or(if self.narration == Narration::Detailed { 0.30 } else { 0.10 })
    }
}

fn language_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let written = String::deserialize(deserializer)?;
    let code = written.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let is_code = (2..=3).contains(&code.len()) && code.bytes().all(|letter| letter.is_ascii_lowercase());
    if is_code {
        Ok(code)
    } else {
        Err(D::Error::custom(format!("{written:?} is no code of a language; English is \"en\"")))
    }
}

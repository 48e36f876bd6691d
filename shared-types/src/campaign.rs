//! A Campaign: a paid effort, its tiers (what is bought at which price) and its scenarios (what to shop for).
//!
//! A campaign file is TOML in the form of [`CampaignFile`]; `campaign import` reads it, `campaign export` writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::goal::Constraint;
use crate::quality::policy::Policy;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct CampaignFile {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// ISO 4217 code.
    pub currency: String,
    pub tiers: Vec<Tier>,
    pub scenarios: Vec<Scenario>,
}

/// What a worker is hired for: so many scenarios at one price, judged by one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub name: String,
    /// For the whole tier; each scenario's share is whole cents and the shares add up to this.
    pub price_cents: i64,
    pub scenario_count: u32,
    pub hours: u32,
    /// Whom it is for, in words: `entry level`.
    pub level: String,
    /// Narration and every other limit; fields left out are the default's.
    #[serde(default)]
    pub policy: Policy,
}

impl Tier {
    /// The share of the `index`-th of its scenarios; the first ones carry the cents that do not divide.
    pub fn share_cents(&self, index: u32) -> i64 {
        let count = i64::from(self.scenario_count.max(1));
        self.price_cents / count + i64::from(i64::from(index) < self.price_cents % count)
    }
}

/// One shopping goal with its demands as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub goal: String,
    #[serde(default)]
    pub constraints: Vec<Constraint>,
    /// Names of the tiers it is offered in; empty for all.
    #[serde(default)]
    pub tiers: Vec<String>,
}

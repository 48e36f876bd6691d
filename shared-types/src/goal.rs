//! A goal and what it demands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One demand of a goal, such as a price limit or a colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Constraint {
    pub kind: ConstraintKind,
    /// As the goal says it: `under $100`, `black`.
    pub text: String,
    /// Limits of a price, in the goal's currency.
    pub min: Option<f64>,
    pub max: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConstraintKind {
    Item,
    Price,
    Size,
    Colour,
    Place,
    Audience,
    /// How many of the item.
    Quantity,
    /// Any other wish: `easy`, `professional but not boring`.
    Quality,
}

/// A demand with what the recording showed of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ConstraintFinding {
    #[serde(flatten)]
    pub constraint: Constraint,
    /// Seen, said or acted on.
    pub touched: bool,
    /// What was finally chosen meets it; null where that cannot be told.
    pub met: Option<bool>,
    pub evidence: Vec<Evidence>,
}

/// Where in the recording something shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Evidence {
    pub t: f64,
    pub source: EvidenceSource,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceSource {
    Seen,
    Said,
    Acted,
}

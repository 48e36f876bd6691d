//! A Job: a durable piece of machine work that a pipeline machine leases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::lifecycle::lifecycle;

/// What is to be done: look at a take, understand it, cover a stretch of it for good, or publish a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    Inspect,
    Analyse,
    Redact,
    Export,
}

impl JobKind {
    pub const ALL: &'static [Self] = &[Self::Inspect, Self::Analyse, Self::Redact, Self::Export];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inspect => "inspect",
            Self::Analyse => "analyse",
            Self::Redact => "redact",
            Self::Export => "export",
        }
    }
}

lifecycle! {
    /// Life of a Job. A lease that runs out brings it back to `queued`; one that keeps failing ends `dead`.
    JobStage of "job" {
        Queued "queued" => [Leased, Cancelled],
        Leased "leased" => [Done, Queued, Dead, Cancelled],
        Done "done" => [],
        Dead "dead" => [Queued, Cancelled],
        Cancelled "cancelled" => [],
    }
}

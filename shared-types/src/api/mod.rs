//! What travels over HTTP: one file per noun, requests and answers. Unknown fields in requests are refused.

pub mod admin;
pub mod assignment;
pub mod audit;
pub mod export;
pub mod job;
pub mod personal;
pub mod review;
pub mod site;
pub mod stats;
pub mod submission;
pub mod worker;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page of a list; `next_cursor` is null on the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

//! A Payout: what is owed for a Submission, and whether it was paid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::lifecycle::lifecycle;

/// An amount of money in the currency's smallest unit; never a float.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Money {
    pub amount_cents: i64,
    /// ISO 4217 code, such as `USD`.
    pub currency: String,
}

lifecycle! {
    /// Life of a Payout.
    PayoutStage of "payout" {
        Accrued "accrued" => [Approved, Held, Void],
        Approved "approved" => [Batched, Held, Void],
        Batched "batched" => [Sent, Approved, Held],
        Sent "sent" => [Confirmed, Held],
        Confirmed "confirmed" => [],
        Held "held" => [Accrued, Approved, Void],
        Void "void" => [],
    }
}

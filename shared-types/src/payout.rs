//! A Payout: what is owed for a Submission, and whether it was paid.

use std::fmt;

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

/// `3.50 USD`, as people read it in logs and reports.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.amount_cents < 0 { "-" } else { "" };
        let cents = self.amount_cents.unsigned_abs();
        write!(f, "{sign}{}.{:02} {}", cents / 100, cents % 100, self.currency)
    }
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

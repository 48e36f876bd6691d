//! Hosted models, against a server on this computer that speaks their protocol and fails as it is told to.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod explain;
#[path = "../planted/mod.rs"]
mod planted;
mod server;
mod speech;
mod whole;

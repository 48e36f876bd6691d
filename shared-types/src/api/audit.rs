//! The audit log: what people with power did, in a chain of hashes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::timestamp::Timestamp;

/// What was done. New acts are added at the end; an old one keeps its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuditAct {
    LoggedIn,
    /// Was given addresses at which the take can be watched; looks within five minutes are one.
    TakeViewed,
    ReviewDecided,
    TakeRedacted,
    MediaRemoved,
    CampaignMade,
    InvitesMade,
    TokenMade,
    TokenRevoked,
    AdminMade,
    AdminRemoved,
    PasswordChanged,
    JobRetried,
    JobGivenUp,
    SecondFactorAdded,
    SecondFactorRemoved,
    RecoveryCodeUsed,
    Repaired,
    Restored,
    /// Was given names and Fiverr names of workers; looks within five minutes are one.
    WorkersViewed,
    ConsentWithdrawn,
    ErasureAsked,
    ErasureDone,
    /// A pipeline was given addresses of accepted takes for a dataset; pages within an hour are one.
    DatasetExported,
    /// By its person: this login, another one or all others.
    LoginEnded,
}

/// `GET /admin/audit`, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AuditRow {
    /// Counts up without holes.
    pub seq: i64,
    pub at: Timestamp,
    /// A login's e-mail, a token's name, `command line` or `server`.
    pub who: String,
    pub act: AuditAct,
    /// What it was done to: a noun and an id, such as `submission 0192…`.
    pub subject: String,
    /// A sentence.
    pub what: String,
    /// The request it came with, as in the server's log.
    pub request_id: Option<String>,
    /// Where a login came from; none for other acts, for this machine, and when its time is over.
    pub address: Option<String>,
    /// Of what was changed, as it was before; none where nothing was changed, or it was made.
    pub state_before_sha256: Option<String>,
    /// As it is after; none where nothing was changed, or it is gone.
    pub state_after_sha256: Option<String>,
    /// Of this entry and, through the one before it, of all before.
    pub sha256: String,
}

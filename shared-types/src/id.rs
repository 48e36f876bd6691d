//! Ids: UUIDv7 in lower case, one type a noun, so that two cannot be mistaken for each other.

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema, ts_rs::TS,
        )]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A paid effort with a budget and a quality policy.
    CampaignId,
    /// One goal offered to one worker.
    AssignmentId,
    /// Screen and voice on the worker's disk.
    RecordingId,
    /// A recording handed in for an assignment.
    SubmissionId,
    /// A durable piece of machine work.
    JobId,
    /// A person who records.
    WorkerId,
    /// What is owed for a submission.
    PayoutId,
    /// The server's word that it holds a submission's bytes.
    ReceiptId,
    /// A code that lets one person in.
    InviteId,
    /// A range that a reviewer had covered.
    RedactionId,
    /// A person's wish that all of its data go.
    ErasureId,
    /// A secret that a program shows, by the id it is listed under.
    TokenId,
}

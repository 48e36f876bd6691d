//! Every error a client of the server can meet: one table of code, sentence, hint and HTTP status.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! error_codes {
    ($($name:ident $code:literal $status:literal $message:literal $hint:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
        pub enum ErrorCode {
            $(#[serde(rename = $code)] $name,)+
        }

        impl ErrorCode {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status it travels with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// What happened, in a sentence.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)+ }
            }

            /// What to do next.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)+ }
            }
        }
    };
}

error_codes! {
    Unauthenticated "unauthenticated" 401 "This needs a valid token or login." "Log in again, or send the token as `Authorization: Bearer`.";
    CodeRequired "code_required" 401 "This login has a second factor." "Give the newest code of your authenticator app, or one of your recovery codes.";
    ProofRequired "proof_required" 403 "This needs your password or code again." "Give it once more; then what you asked for goes on.";
    SecondFactorRequired "second_factor_required" 403 "This server wants a second factor of every login." "Add an authenticator app under Security first.";
    Forbidden "forbidden" 403 "This account may not do that." "Ask an admin for the right role.";
    MethodNotAllowed "method_not_allowed" 405 "This address does not know this method." "Use one that the Allow header names.";
    NotFound "not_found" 404 "There is nothing at this address." "Check the id; it may have been removed.";
    InvalidRequest "invalid_request" 400 "The request was not understood." "Correct the field that is named and send it again.";
    InviteUsed "invite_used" 409 "This invite was already used on another computer." "Ask for a re-link code to move to a new computer.";
    InviteExpired "invite_expired" 410 "This invite has expired." "Ask for a new one.";
    TokenRevoked "token_revoked" 401 "This token was withdrawn." "Ask for a new invite or token.";
    ConsentRequired "consent_required" 403 "The current consent text has not been accepted." "Read and accept it, then try again.";
    UploadOffsetConflict "upload_offset_conflict" 409 "The upload is at another offset than the one sent." "Ask for the offset with HEAD and go on from there.";
    UploadExpired "upload_expired" 410 "This upload was left unfinished for too long and was removed." "Start the upload again; the recording is still on your disk.";
    UploadTooLarge "upload_too_large" 413 "This upload is larger than allowed." "Make a shorter recording, or ask for a higher limit.";
    QuotaExceeded "quota_exceeded" 403 "The space for your uploads is used up." "Wait until earlier recordings are reviewed, or ask for more.";
    StorageFull "storage_full" 507 "The server has no space left for uploads." "Nothing is lost; try again later.";
    UnsupportedMedia "unsupported_media" 415 "This is not a recording the server accepts." "Send the file that the recorder made.";
    HashMismatch "hash_mismatch" 422 "What arrived is not what was sent." "Send the file again; the recording is still on your disk.";
    AssignmentNotOpen "assignment_not_open" 409 "This assignment is no longer open." "Choose another one from the list.";
    StageConflict "stage_conflict" 409 "This is not possible at the current stage." "Load the current state and decide again.";
    VersionConflict "version_conflict" 409 "Somebody changed this in the meantime." "Load it again and repeat your decision.";
    LeaseLost "lease_lost" 409 "This job was given to another machine." "Stop working on it; nothing has to be undone.";
    RateLimited "rate_limited" 429 "Too many requests." "Wait as long as Retry-After says.";
    Unavailable "unavailable" 503 "The server is about to start again." "Try again in a moment; what arrived is kept.";
    Internal "internal" 500 "Something went wrong on the server." "Try again; if it stays, tell an admin the request id.";
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ApiError {
    pub code: ErrorCode,
    pub message: String,
    pub hint: String,
    pub request_id: String,
}

//! What can go wrong between a program and the server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use shared_types::error::{ApiError, ErrorCode};

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the address {given:?} cannot be used: {why}")]
    Address { given: String, why: &'static str },
    #[error("the server {server} cannot be reached: {why}. Check the connection and try again")]
    Unreachable { server: String, why: String },
    /// The server refused, in its own words.
    #[error("{} {} (request {})", error.message, error.hint, error.request_id)]
    Api { status: u16, error: ApiError, retry_after: Option<Duration> },
    /// Refused without such words, most likely by something between here and the server.
    #[error("{server} answered with status {status}. Check the address, and try again later")]
    Refused { server: String, status: u16, retry_after: Option<Duration> },
    #[error(
        "the answer of {server} was not understood: {what}. Check the address, and that both programs are up to date"
    )]
    Broken { server: String, what: String },
    #[error("what arrived is not what was asked for: {what}. Load it again")]
    Damaged { what: String },
    #[error("the file {path} cannot be read: {source}. Check that it is there and that you may read it")]
    File { path: PathBuf, source: io::Error },
    #[error("what was to be sent or kept could not be read or written: {0}. Check that the disk has room")]
    Local(#[source] io::Error),
    #[error("it was stopped")]
    Cancelled,
}

impl ClientError {
    /// Whether the same request may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Api { status, .. } | Self::Refused { status, .. } => {
                matches!(status, 408 | 423 | 425 | 429 | 460 | 500..=599)
            }
            _ => false,
        }
    }

    /// The server's code, where it gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Api { error, .. } => Some(error.code),
            _ => None,
        }
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } | Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api { retry_after, .. } | Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

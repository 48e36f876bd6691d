//! Random secrets and what is kept of them: a prefix that says what it opens, 192 random bits, and its SHA-256.

use sha2::{Digest, Sha256};

const BYTES: usize = 24;

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    Upload,
    Invite,
    Worker,
    Pipeline,
    Admin,
    Session,
    /// Of a browser from which somebody has logged in; it opens nothing.
    Device,
    Lease,
    /// Beside a hash, so that what is hashed cannot be guessed; it opens nothing.
    Salt,
}

impl SecretKind {
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Upload => "csu_",
            Self::Invite => "cin_",
            Self::Worker => "csw_",
            Self::Pipeline => "csp_",
            Self::Admin => "csa_",
            Self::Session => "css_",
            Self::Device => "csd_",
            Self::Lease => "csl_",
            Self::Salt => "cst_",
        }
    }

    /// Whether a text has the form of such a secret.
    pub fn is_of(self, text: &str) -> bool {
        let bits = text.strip_prefix(self.prefix()).and_then(from_hex);
        bits.is_some_and(|bits| bits.len() == BYTES)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandomness(String);

impl NoRandomness {
    pub fn because(error: &getrandom::Error) -> Self {
        Self(error.to_string())
    }
}

pub fn new_secret(kind: SecretKind) -> Result<String, NoRandomness> {
    let mut bits = [0_u8; BYTES];
    getrandom::fill(&mut bits).map_err(|error| NoRandomness::because(&error))?;
    Ok(format!("{}{}", kind.prefix(), hex(&bits)))
}

/// What the database keeps of a secret.
pub fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

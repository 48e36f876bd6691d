//! Addresses that may be used by whoever holds them, until they run out: an HMAC over method, key and end.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared_types::timestamp::Timestamp;

use super::ObjectsError;
use crate::secret::{from_hex, hex};

const KEY_FILE: &str = "signing.key";
const KEY_BYTES: usize = 32;

/// What a signed address allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedFor {
    Get,
    Put,
}

impl SignedFor {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
        }
    }
}

/// The key of this server's addresses; it never leaves this file.
pub(super) struct Signer {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// Reads the key, or makes it at the first start.
    pub(super) fn open(data_dir: &Path) -> Result<Self, ObjectsError> {
        let path = data_dir.join(KEY_FILE);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                make(data_dir)?;
                File::open(&path)?
            }
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(ObjectsError::KeyIsOpen(path));
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let key = from_hex(text.trim()).filter(|key| key.len() == KEY_BYTES);
        let mac = key.and_then(|key| Hmac::new_from_slice(&key).ok());
        Ok(Self { mac: mac.ok_or(ObjectsError::KeyIsWrong(path))? })
    }

    pub(super) fn address(&self, allows: SignedFor, key: &str, until: Timestamp) -> String {
        let expires = until.millis / 1000;
        let signature = hex(&self.over(allows, key, expires).finalize().into_bytes());
        format!("/api/v1/objects/{key}?expires={expires}&signature={signature}")
    }

    /// Whether the signature is ours and has not run out; takes as long for a wrong one as for a right one.
    pub(super) fn allows(&self, allows: SignedFor, key: &str, expires: i64, signature: &str, now: Timestamp) -> bool {
        let Some(signature) = from_hex(signature) else { return false };
        self.over(allows, key, expires).verify_slice(&signature).is_ok() && now.millis / 1000 < expires
    }

    fn over(&self, allows: SignedFor, key: &str, expires: i64) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(format!("{}\n{key}\n{expires}", allows.as_str()).as_bytes());
        mac
    }
}

/// Written whole under another name first, so that a start that is cut short leaves no half key.
fn make(data_dir: &Path) -> Result<(), ObjectsError> {
    let mut bits = [0_u8; KEY_BYTES];
    getrandom::fill(&mut bits).map_err(|error| std::io::Error::other(error.to_string()))?;
    let part = data_dir.join(format!("{KEY_FILE}.part"));
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    writeln!(file, "{}", hex(&bits))?;
    file.sync_all()?;
    std::fs::rename(&part, data_dir.join(KEY_FILE))?;
    File::open(data_dir)?.sync_all()?;
    Ok(())
}

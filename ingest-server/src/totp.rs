//! Codes by time, as every authenticator app makes them: RFC 6238 with SHA-1, six digits, thirty seconds.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use shared_types::timestamp::Timestamp;

use crate::secret::{NoRandomness, from_hex, hex};

const SECRET_BYTES: usize = 20;
const STEP_MILLIS: i64 = 30_000;
/// Clocks may differ by a step.
const SLACK: i64 = 1;
const ISSUER: &str = "CodeSight%20Collector";
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const RECOVERY_BYTES: usize = 10;
const RECOVERY_CODES: usize = 10;

/// What app and server share. It shows itself to nobody but the one who adds it.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Vec<u8>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret")
    }
}

impl TotpSecret {
    pub fn new() -> Result<Self, NoRandomness> {
        let mut bits = vec![0_u8; SECRET_BYTES];
        getrandom::fill(&mut bits).map_err(|error| NoRandomness::because(&error))?;
        Ok(Self(bits))
    }

    /// As the database has it.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }

    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// As it is typed into an app.
    pub fn base32(&self) -> String {
        base32(&self.0)
    }

    /// As it stands in the QR code.
    pub fn uri(&self, email: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let label: String = email
            .bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect();
        format!("otpauth://totp/{ISSUER}:{label}?secret={}&issuer={ISSUER}", self.base32())
    }

    fn code(&self, step: i64) -> Option<String> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).ok()?;
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 0x0f);
        let word = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
        Some(format!("{:06}", word % 1_000_000))
    }

    /// The step of time that a code belongs to, the newest first; none where it is wrong.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        use subtle::ConstantTimeEq;
        let current = now.millis / STEP_MILLIS;
        let is_right =
            |step: &i64| self.code(*step).is_some_and(|right| bool::from(right.as_bytes().ct_eq(code.as_bytes())));
        ((current - SLACK)..=(current + SLACK)).rev().find(is_right)
    }

    /// The code of a moment, as the app would show it.
    pub fn shown_at(&self, now: Timestamp) -> String {
        self.code(now.millis / STEP_MILLIS).unwrap_or_default()
    }
}

/// RFC 4648, without padding.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits)) as usize & 31]));
    }
    text
}

/// Codes for whoever has lost the app: `ABCD-EFGH-JKLM-NPQR`, each good for once.
pub fn new_recovery_codes() -> Result<Vec<String>, NoRandomness> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let mut bits = [0_u8; RECOVERY_BYTES];
            getrandom::fill(&mut bits).map_err(|error| NoRandomness::because(&error))?;
            let text = base32(&bits);
            let fours: Vec<&str> = (0..text.len()).step_by(4).map(|at| &text[at..at + 4]).collect();
            Ok(fours.join("-"))
        })
        .collect()
}

/// A recovery code as it is hashed, however it was typed.
pub fn plain_recovery_code(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = TotpSecret(b"12345678901234567890".to_vec());
        // Appendix B has eight digits; six are its last ones.
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = Timestamp::from_millis(secs * 1000);
            assert_eq!(secret.shown_at(at), code);
            assert_eq!(secret.step_of(code, at.plus_secs(30)), Some(secs / 30), "a slow clock");
            assert_eq!(secret.step_of(code, at.plus_secs(-30)), Some(secs / 30), "a fast clock");
            assert_eq!(secret.step_of(code, at.plus_secs(61)), None, "an old one");
        }
        for wrong in ["", "28708", "2870820", "000000", "２８７０８２"] {
            assert_eq!(secret.step_of(wrong, Timestamp::from_millis(59_000)), None, "{wrong}");
        }
    }

    #[test]
    fn texts_are_those_of_apps() {
        let secret = TotpSecret(b"12345678901234567890".to_vec());
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(base32(b"foob"), "MZXW6YQ");
        let uri = secret.uri("ada+x@example.org");
        assert!(uri.starts_with("otpauth://totp/CodeSight%20Collector:ada%2Bx%40example.org?secret=GEZD"), "{uri}");
        assert_eq!(format!("{secret:?}"), "TotpSecret");
        let codes = new_recovery_codes().unwrap();
        assert_eq!((codes.len(), codes[0].len(), codes[0].matches('-').count()), (10, 19, 3));
        assert_eq!(plain_recovery_code(&format!(" {} ", codes[0].to_lowercase())), codes[0].replace('-', ""));
    }
}

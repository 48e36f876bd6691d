//! Passwords of admins and reviewers: Argon2id, off the threads that answer requests.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 19_456;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;

/// Hashes at once: each takes 19 MiB and a core, and logging in is open to strangers.
static PLACES: Semaphore = Semaphore::const_new(4);
const SHORTEST: usize = 12;
/// Long enough, and among the first that are guessed.
const COMMON: [&str; 16] = [
    "password1234",
    "password12345",
    "passwordpassword",
    "123456789012",
    "1234567890123",
    "1q2w3e4r5t6y",
    "qwertyuiop123",
    "qwertyuiop[]",
    "qwerty123456",
    "iloveyou1234",
    "administrator",
    "adminadminadmin",
    "letmeinletmein",
    "welcome12345",
    "changemechangeme",
    "correcthorsebatterystaple",
];

/// Words that no digits and signs around them make good.
const STEMS: [&str; 10] = [
    "password",
    "passwort",
    "qwerty",
    "welcome",
    "letmein",
    "changeme",
    "administrator",
    "admin",
    "iloveyou",
    "secret",
];

/// Why it is no good password, in a sentence; nothing if it will do.
pub fn objection(password: &str, email: &str) -> Option<&'static str> {
    if password.chars().count() < SHORTEST {
        return Some("the password needs at least 12 characters; several words make a good one");
    }
    let plain = password.to_lowercase();
    let distinct: std::collections::BTreeSet<char> = plain.chars().collect();
    let name = email.split('@').next().unwrap_or_default().to_lowercase();
    let is_name = !name.is_empty() && plain.trim_matches(|letter: char| !letter.is_alphabetic()) == name;
    let letters: String = plain.chars().filter(|letter| letter.is_alphabetic()).collect();
    let is_stem = STEMS.contains(&letters.as_str());
    let is_weak = is_stem || COMMON.contains(&plain.as_str()) || distinct.len() < 5 || is_name;
    is_weak.then_some("this password is among the first that are guessed; several words make a good one")
}

#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(String);

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, ROUNDS, LANES, None).map_err(|error| PasswordError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The password as it is stored, in PHC form.
pub async fn hash(password: String) -> Result<String, PasswordError> {
    let _place = PLACES.acquire().await.map_err(|error| PasswordError(error.to_string()))?;
    let task = tokio::task::spawn_blocking(move || {
        let hashed = hasher()?.hash_password(password.as_bytes());
        hashed.map(|hash| hash.to_string()).map_err(|error| PasswordError(error.to_string()))
    });
    task.await.map_err(|error| PasswordError(error.to_string()))?
}

/// Whether it is the password behind the hash; a hash that cannot be read fits none.
pub async fn verify(password: String, stored: String) -> bool {
    // It is never closed.
    let Ok(_place) = PLACES.acquire().await else { return false };
    let task = tokio::task::spawn_blocking(move || {
        let (Ok(hasher), Ok(parsed)) = (hasher(), PasswordHash::new(&stored)) else { return false };
        hasher.verify_password(password.as_bytes(), &parsed).is_ok()
    });
    task.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::objection;

    #[test]
    fn what_is_guessed_first_is_refused() {
        for (password, is_good) in [
            ("correct horse battery", true),
            ("a sentence of more than seventy characters, with spaces between its many words", true),
            ("short", false),
            ("Password1234", false),
            ("Password123!", false),
            ("12-welcome-2026", false),
            ("aaaaaaaaaaaa", false),
            ("ada.lovelace12", false),
        ] {
            assert_eq!(objection(password, "ada.lovelace@example.org").is_none(), is_good, "{password}");
        }
    }
}

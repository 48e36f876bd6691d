//! Passwords of admins and reviewers: Argon2id, off the threads that answer requests.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

const MEMORY_KIB: u32 = 19_456;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;

#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(String);

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, ROUNDS, LANES, None).map_err(|error| PasswordError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The password as it is stored, in PHC form.
pub async fn hash(password: String) -> Result<String, PasswordError> {
    let task = tokio::task::spawn_blocking(move || {
        let hashed = hasher()?.hash_password(password.as_bytes());
        hashed.map(|hash| hash.to_string()).map_err(|error| PasswordError(error.to_string()))
    });
    task.await.map_err(|error| PasswordError(error.to_string()))?
}

/// Whether it is the password behind the hash; a hash that cannot be read fits none.
pub async fn verify(password: String, stored: String) -> bool {
    let task = tokio::task::spawn_blocking(move || {
        let (Ok(hasher), Ok(parsed)) = (hasher(), PasswordHash::new(&stored)) else { return false };
        hasher.verify_password(password.as_bytes(), &parsed).is_ok()
    });
    task.await.unwrap_or(false)
}

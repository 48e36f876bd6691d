//! Computers from which somebody has logged in: hashes of who it was and of a secret that only that computer's browser has.

use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;

use super::{StoreError, Tx, row};

/// How long one is remembered that is not used.
pub const LIFE_SECS: i64 = 180 * 86_400;

pub async fn is_known(pool: &AnyPool, key_sha256: &str, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/known_device/find.sql")).bind(key_sha256.to_owned());
    let found = query.bind(now.plus_secs(-LIFE_SECS).millis).fetch_one(pool).await?;
    Ok(row::number(&found, "found")? > 0)
}

/// Remembers one from now on, and forgets those that were not used for long.
pub async fn put(tx: &mut Tx, key_sha256: &str, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/known_device/lapsed.sql")).bind(now.plus_secs(-LIFE_SECS).millis);
    query.execute(&mut **tx).await?;
    let query = sqlx::query(include_str!("sql/known_device/put.sql")).bind(key_sha256.to_owned()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

//! Logins that failed, by what they are counted for. A key is there whether or not there is such an account.

use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;

use super::{StoreError, Tx, row};

/// Counts one; none where it has to wait. Whoever counts the same key at once comes after this transaction.
pub async fn count(tx: &mut Tx, key_sha256: &str, now: Timestamp) -> Result<Option<i64>, StoreError> {
    let query = sqlx::query(include_str!("sql/login_failure/count.sql")).bind(key_sha256.to_owned()).bind(now.millis);
    query.fetch_optional(&mut **tx).await?.map(|found| row::number(&found, "failures")).transpose()
}

/// Until when the next one has to wait.
pub async fn wait(tx: &mut Tx, key_sha256: &str, until: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/login_failure/wait.sql")).bind(key_sha256.to_owned()).bind(until.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

pub async fn waits_until(pool: &AnyPool, key_sha256: &str) -> Result<Option<Timestamp>, StoreError> {
    let query = sqlx::query(include_str!("sql/login_failure/find.sql")).bind(key_sha256.to_owned());
    query.fetch_optional(pool).await?.map(|found| row::at(&found, "wait_until")).transpose()
}

/// Takes one back.
pub async fn forgive(tx: &mut Tx, key_sha256: &str) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/login_failure/forgive.sql")).bind(key_sha256.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

pub async fn forget(tx: &mut Tx, key_sha256: &str) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/login_failure/forget.sql")).bind(key_sha256.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

/// Forgets what has not failed for long.
pub async fn lapse(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/login_failure/lapsed.sql")).bind(before.millis).execute(&mut **tx).await?;
    Ok(())
}

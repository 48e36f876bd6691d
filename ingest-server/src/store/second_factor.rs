//! Second factors of admins and reviewers: the secret of an authenticator app, and codes for whoever has lost it.

use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;

use super::{StoreError, Tx, row};
use crate::secret::digest;
use crate::totp::{TotpSecret, plain_recovery_code};

#[derive(Debug, Clone)]
pub struct Factor {
    pub secret: TotpSecret,
    /// None until a first code was shown to be right.
    pub confirmed_at: Option<Timestamp>,
}

pub async fn find(pool: &AnyPool, admin_id: &str) -> Result<Option<Factor>, StoreError> {
    let query = sqlx::query(include_str!("sql/second_factor/find.sql")).bind(admin_id.to_owned());
    let Some(found) = query.fetch_optional(pool).await? else { return Ok(None) };
    let secret = TotpSecret::from_hex(&row::text(&found, "secret")?)
        .ok_or(StoreError::Value { column: "totp.secret", value: "not shown".to_owned() })?;
    Ok(Some(Factor { secret, confirmed_at: row::maybe_at(&found, "confirmed_at")? }))
}

/// A secret that waits for its first code; false where one is in use already.
pub async fn begin(tx: &mut Tx, admin_id: &str, secret: &TotpSecret, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/second_factor/begin.sql")).bind(admin_id.to_owned());
    Ok(query.bind(secret.hex()).bind(now.millis).execute(&mut **tx).await?.rows_affected() == 1)
}

/// Takes it into use with its recovery codes; false where that was done before.
pub async fn confirm(tx: &mut Tx, admin_id: &str, codes: &[String], now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/second_factor/confirm.sql")).bind(admin_id.to_owned()).bind(now.millis);
    if query.execute(&mut **tx).await?.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query(include_str!("sql/second_factor/remove_codes.sql"))
        .bind(admin_id.to_owned())
        .execute(&mut **tx)
        .await?;
    for code in codes {
        let query = sqlx::query(include_str!("sql/second_factor/insert_code.sql")).bind(admin_id.to_owned());
        query.bind(digest(&plain_recovery_code(code))).execute(&mut **tx).await?;
    }
    Ok(true)
}

/// Uses up a step of time; false where it, or a later one, was used before.
pub async fn use_step(tx: &mut Tx, admin_id: &str, step: i64) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/second_factor/use_step.sql")).bind(admin_id.to_owned()).bind(step);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

/// Uses up a recovery code; false where it is none, or was used before.
pub async fn use_code(tx: &mut Tx, admin_id: &str, typed: &str, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/second_factor/use_code.sql")).bind(admin_id.to_owned());
    let query = query.bind(digest(&plain_recovery_code(typed))).bind(now.millis);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

pub async fn codes_left(pool: &AnyPool, admin_id: &str) -> Result<i64, StoreError> {
    let query = sqlx::query(include_str!("sql/second_factor/codes_left.sql")).bind(admin_id.to_owned());
    row::number(&query.fetch_one(pool).await?, "found")
}

/// Takes it away with its recovery codes; false where there is none.
pub async fn remove(tx: &mut Tx, admin_id: &str) -> Result<bool, StoreError> {
    sqlx::query(include_str!("sql/second_factor/remove_codes.sql"))
        .bind(admin_id.to_owned())
        .execute(&mut **tx)
        .await?;
    let query = sqlx::query(include_str!("sql/second_factor/remove.sql")).bind(admin_id.to_owned());
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

//! Admins and reviewers.

use shared_types::api::admin::AdminRow;
use shared_types::api::review::AdminRole;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use uuid::Uuid;

use super::{StoreError, Tx, row};

/// False where the e-mail is taken.
pub async fn insert(
    tx: &mut Tx,
    email: &str,
    password_hash: &str,
    role: AdminRole,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/admin/insert.sql")).bind(Uuid::now_v7().to_string()).bind(email);
    let query = query.bind(password_hash).bind(row::to_word(&role)).bind(now.millis);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

/// Each with its id, which is the list's cursor.
pub async fn list(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<(String, AdminRow)>, StoreError> {
    let query = sqlx::query(include_str!("sql/admin/list.sql")).bind(after.map(str::to_owned)).bind(limit);
    let rows = query.fetch_all(pool).await?;
    let admin = |found| {
        let row = AdminRow {
            email: row::text(found, "email")?,
            role: row::word(found, "role")?,
            created_at: row::at(found, "created_at")?,
        };
        Ok((row::text(found, "id")?, row))
    };
    rows.iter().map(admin).collect()
}

//! Admins and reviewers.

use shared_types::api::admin::AdminRow;
use shared_types::api::review::AdminRole;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use uuid::Uuid;

use super::{StoreError, Tx, row, second_factor};

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

/// Whose login it is; none where there is no such.
pub async fn email(tx: &mut Tx, id: &str) -> Result<Option<String>, StoreError> {
    let query = sqlx::query(include_str!("sql/admin/email.sql")).bind(id.to_owned());
    query.fetch_optional(&mut **tx).await?.map(|found| row::text(&found, "email")).transpose()
}

/// Gives a login another password and ends what was logged in with the old one. False where there is no such login.
pub async fn change_password(tx: &mut Tx, email: &str, password_hash: &str) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/admin/change_password.sql"));
    let query = query.bind(email.to_owned()).bind(password_hash.to_owned());
    let Some(found) = query.fetch_optional(&mut **tx).await? else { return Ok(false) };
    let id = row::text(&found, "id")?;
    sqlx::query(include_str!("sql/admin/remove_sessions.sql")).bind(id).execute(&mut **tx).await?;
    Ok(true)
}

/// Takes a login away with all that hangs on it; what the person did stays under the e-mail.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    second_factor::remove(tx, id).await?;
    sqlx::query(include_str!("sql/admin/remove_sessions.sql")).bind(id.to_owned()).execute(&mut **tx).await?;
    sqlx::query(include_str!("sql/admin/remove.sql")).bind(id.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

pub async fn list(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<AdminRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/admin/list.sql")).bind(after.map(str::to_owned)).bind(limit);
    let rows = query.fetch_all(pool).await?;
    let admin = |found| {
        Ok(AdminRow {
            id: row::text(found, "id")?,
            email: row::text(found, "email")?,
            role: row::word(found, "role")?,
            has_second_factor: row::maybe_at(found, "confirmed_at")?.is_some(),
            created_at: row::at(found, "created_at")?,
        })
    };
    rows.iter().map(admin).collect()
}

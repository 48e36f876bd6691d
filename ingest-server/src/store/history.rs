//! What happened to a submission, in sentences.

use shared_types::api::review::HistoryEntry;
use shared_types::id::SubmissionId;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use uuid::Uuid;

use super::{StoreError, Tx, row};

/// Adds a line; `who` is `worker`, `pipeline` or the reviewer's e-mail.
pub async fn add(tx: &mut Tx, id: SubmissionId, at: Timestamp, who: &str, what: &str) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/history/insert.sql"))
        .bind(Uuid::now_v7().to_string())
        .bind(id.to_string())
        .bind(at.millis)
        .bind(who)
        .bind(what)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Newest first.
pub async fn list(pool: &AnyPool, id: SubmissionId) -> Result<Vec<HistoryEntry>, StoreError> {
    let found = sqlx::query(include_str!("sql/history/list.sql")).bind(id.to_string()).fetch_all(pool).await?;
    let entry = |found: &sqlx::any::AnyRow| {
        Ok(HistoryEntry { at: row::at(found, "at")?, who: row::text(found, "who")?, what: row::text(found, "what")? })
    };
    found.iter().map(entry).collect()
}

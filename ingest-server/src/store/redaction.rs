//! Ranges that reviewers had covered for good.

use shared_types::api::review::RedactionView;
use shared_types::id::{RedactionId, SubmissionId};
use shared_types::redaction::RedactionRange;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;

use super::{StoreError, Tx, row};

pub async fn insert(
    tx: &mut Tx,
    id: RedactionId,
    submission_id: SubmissionId,
    range: &RedactionRange,
    who: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/redaction/insert.sql"))
        .bind(id.to_string())
        .bind(submission_id.to_string())
        .bind(row::to_json(range))
        .bind(who.to_owned())
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Newest first.
pub async fn list(pool: &AnyPool, submission_id: SubmissionId) -> Result<Vec<RedactionView>, StoreError> {
    let query = sqlx::query(include_str!("sql/redaction/list.sql")).bind(submission_id.to_string());
    let view = |found: &sqlx::any::AnyRow| {
        Ok(RedactionView {
            id: row::id(found, "id")?,
            range: row::json(found, "covered")?,
            who: row::text(found, "who")?,
            asked_at: row::at(found, "asked_at")?,
            done_at: row::maybe_at(found, "done_at")?,
            is_gone: row::number(found, "is_gone")? == 1,
        })
    };
    query.fetch_all(pool).await?.iter().map(view).collect()
}

/// Whether one of the submission's is still being made.
pub async fn is_open(tx: &mut Tx, submission_id: SubmissionId) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/redaction/open.sql")).bind(submission_id.to_string());
    Ok(row::number(&query.fetch_one(&mut **tx).await?, "waiting")? > 0)
}

pub async fn done(tx: &mut Tx, submission_id: SubmissionId, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/redaction/done.sql")).bind(submission_id.to_string()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

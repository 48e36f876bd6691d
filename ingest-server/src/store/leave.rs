//! What becomes of a worker's rows when the worker withdraws or is erased. The order of it all is in [`crate::leaving`].

use shared_types::id::{JobId, SubmissionId, WorkerId};
use shared_types::timestamp::Timestamp;
use shared_types::worker::WorkerStage;
use sqlx::AnyPool;

use super::{StoreError, Tx, row};

pub async fn submissions(tx: &mut Tx, worker: WorkerId) -> Result<Vec<SubmissionId>, StoreError> {
    let query = sqlx::query(include_str!("sql/leave/submissions.sql")).bind(worker.to_string());
    query.fetch_all(&mut **tx).await?.iter().map(|found| row::id(found, "id")).collect()
}

/// Jobs over a submission that are not over.
pub async fn jobs(tx: &mut Tx, id: SubmissionId) -> Result<Vec<JobId>, StoreError> {
    let query = sqlx::query(include_str!("sql/leave/jobs.sql")).bind(id.to_string());
    query.fetch_all(&mut **tx).await?.iter().map(|found| row::id(found, "id")).collect()
}

/// Whoever works on it has lost its lease.
pub async fn cancel_job(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/leave/cancel_job.sql")).bind(id.to_string()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// False where it was withdrawn before. Every other stage may turn to it.
pub async fn withdraw_submission(tx: &mut Tx, id: SubmissionId, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/leave/withdraw_submission.sql")).bind(id.to_string());
    Ok(query.bind(now.millis).execute(&mut **tx).await?.rows_affected() == 1)
}

/// All that are not decided on.
pub async fn cancel_assignments(tx: &mut Tx, worker: WorkerId, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/leave/cancel_assignments.sql")).bind(worker.to_string());
    query.bind(now.millis).execute(&mut **tx).await?;
    Ok(())
}

/// False where the stage was no longer `from`.
pub async fn turn_worker(
    tx: &mut Tx,
    worker: WorkerId,
    from: WorkerStage,
    to: WorkerStage,
) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/leave/turn_worker.sql")).bind(worker.to_string());
    Ok(query.bind(from.as_str()).bind(to.as_str()).execute(&mut **tx).await?.rows_affected() == 1)
}

/// Uploads that became no submission and have bytes here.
pub async fn unbound_uploads(pool: &AnyPool, worker: WorkerId) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query(include_str!("sql/leave/unbound_uploads.sql")).bind(worker.to_string());
    query.fetch_all(pool).await?.iter().map(|found| row::text(found, "id")).collect()
}

/// Some who withdrew and still have such uploads.
pub async fn unfinished(pool: &AnyPool) -> Result<Vec<WorkerId>, StoreError> {
    let found = sqlx::query(include_str!("sql/leave/unfinished.sql")).fetch_all(pool).await?;
    found.iter().map(|found| row::id(found, "id")).collect()
}

/// Bytes of a submission's files and artifacts.
pub async fn media_bytes(tx: &mut Tx, id: SubmissionId) -> Result<u64, StoreError> {
    let query = sqlx::query(include_str!("sql/leave/media.sql")).bind(id.to_string());
    Ok(row::number(&query.fetch_one(&mut **tx).await?, "bytes")?.max(0) as u64)
}

/// Whatever was said of a submission and by it, except its rating and what it was paid.
pub async fn blank_submission(tx: &mut Tx, id: SubmissionId, now: Timestamp) -> Result<(), StoreError> {
    let statements = [
        include_str!("sql/leave/remove_files.sql"),
        include_str!("sql/leave/remove_fingerprint.sql"),
        include_str!("sql/leave/remove_history.sql"),
        include_str!("sql/leave/remove_redactions.sql"),
        include_str!("sql/leave/blank_reviews.sql"),
        include_str!("sql/leave/blank_jobs.sql"),
    ];
    for text in statements {
        sqlx::query(text).bind(id.to_string()).execute(&mut **tx).await?;
    }
    let query = sqlx::query(include_str!("sql/leave/blank_submission.sql")).bind(id.to_string()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// The worker's tokens and devices: nothing opens with them any more.
pub async fn blank_access(tx: &mut Tx, worker: WorkerId, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/leave/blank_tokens.sql")).bind(worker.to_string()).bind(now.millis);
    query.execute(&mut **tx).await?;
    for text in [include_str!("sql/leave/blank_invites.sql"), include_str!("sql/leave/blank_assignments.sql")] {
        sqlx::query(text).bind(worker.to_string()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// The names, and what uploads that are over still tell.
pub async fn blank_worker(tx: &mut Tx, worker: WorkerId) -> Result<(), StoreError> {
    for text in [include_str!("sql/leave/blank_worker.sql"), include_str!("sql/leave/blank_uploads.sql")] {
        sqlx::query(text).bind(worker.to_string()).execute(&mut **tx).await?;
    }
    Ok(())
}

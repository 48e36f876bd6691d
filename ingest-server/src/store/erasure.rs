//! Erasures: who asked, what went, and whether the name went too.

use shared_types::api::personal::ErasureView;
use shared_types::id::{ErasureId, WorkerId};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{StoreError, Tx, row};

/// What went when it was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    pub takes: u32,
    pub bytes: u64,
}

pub async fn insert(
    tx: &mut Tx,
    worker: WorkerId,
    (asked_at, due_at): (Timestamp, Timestamp),
    gone: Gone,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/erasure/insert.sql"))
        .bind(Uuid::now_v7().to_string())
        .bind(worker.to_string())
        .bind(asked_at.millis)
        .bind(due_at.millis)
        .bind(i64::from(gone.takes))
        .bind(gone.bytes as i64)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn view(found: &AnyRow) -> Result<ErasureView, StoreError> {
    let done_at = row::maybe_at(found, "done_at")?;
    Ok(ErasureView {
        id: row::id(found, "id")?,
        worker_id: row::id(found, "worker_id")?,
        alias: row::text(found, "alias")?,
        asked_at: row::at(found, "asked_at")?,
        due_at: row::at(found, "due_at")?,
        takes: row::number(found, "takes")? as u32,
        bytes: row::number(found, "bytes")?.max(0) as u64,
        done_at,
        is_owed_pay: done_at.is_none() && row::number(found, "owed")? > 0,
    })
}

/// Newest first, those before one.
pub async fn list(pool: &AnyPool, before: Option<&str>, limit: i64) -> Result<Vec<ErasureView>, StoreError> {
    let query = sqlx::query(include_str!("sql/erasure/list.sql")).bind(before.map(str::to_owned)).bind(limit);
    query.fetch_all(pool).await?.iter().map(view).collect()
}

pub async fn of_worker(tx: &mut Tx, worker: WorkerId) -> Result<Option<ErasureView>, StoreError> {
    let query = sqlx::query(include_str!("sql/erasure/of_worker.sql")).bind(worker.to_string());
    query.fetch_optional(&mut **tx).await?.as_ref().map(view).transpose()
}

/// Some whose name is still here, oldest first.
pub async fn open(pool: &AnyPool) -> Result<Vec<WorkerId>, StoreError> {
    let found = sqlx::query(include_str!("sql/erasure/open.sql")).fetch_all(pool).await?;
    found.iter().map(|found| row::id(found, "worker_id")).collect()
}

/// Whose erasure it is.
pub async fn worker(tx: &mut Tx, id: ErasureId) -> Result<Option<WorkerId>, StoreError> {
    let query = sqlx::query(include_str!("sql/erasure/find.sql")).bind(id.to_string());
    query.fetch_optional(&mut **tx).await?.map(|found| row::id(&found, "worker_id")).transpose()
}

/// False where it was done before.
pub async fn done(tx: &mut Tx, worker: WorkerId, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/erasure/done.sql")).bind(worker.to_string()).bind(now.millis);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

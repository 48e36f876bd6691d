//! What people agreed to. Rows stay, withdrawn ones too: they show what a recording was made under.

use shared_types::api::personal::ConsentRecord;
use shared_types::id::WorkerId;
use shared_types::timestamp::Timestamp;
use shared_types::worker::WorkerStage;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{StoreError, Tx, row};

/// A text that somebody accepted.
#[derive(Debug, Clone, Copy)]
pub struct Accepted<'a> {
    pub version: &'a str,
    pub text_sha256: &'a str,
    pub language: &'a str,
    pub accepted_at: Timestamp,
    pub app_version: Option<&'a str>,
}

pub async fn insert(tx: &mut Tx, worker: WorkerId, given: &Accepted<'_>, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/consent/insert.sql"))
        .bind(Uuid::now_v7().to_string())
        .bind(worker.to_string())
        .bind(given.version.to_owned())
        .bind(given.text_sha256.to_owned())
        .bind(given.language.to_owned())
        .bind(given.accepted_at.millis)
        .bind(now.millis)
        .bind(given.app_version.map(str::to_owned))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Where a worker stands, and the version it accepted last and did not withdraw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub stage: WorkerStage,
    pub version: Option<String>,
}

pub async fn standing(pool: &AnyPool, worker: WorkerId) -> Result<Option<Standing>, StoreError> {
    let query = sqlx::query(include_str!("sql/consent/standing.sql")).bind(worker.to_string());
    query.fetch_optional(pool).await?.as_ref().map(read_standing).transpose()
}

pub async fn standing_in(tx: &mut Tx, worker: WorkerId) -> Result<Option<Standing>, StoreError> {
    let query = sqlx::query(include_str!("sql/consent/standing.sql")).bind(worker.to_string());
    query.fetch_optional(&mut **tx).await?.as_ref().map(read_standing).transpose()
}

fn read_standing(found: &AnyRow) -> Result<Standing, StoreError> {
    Ok(Standing { stage: row::word(found, "stage")?, version: row::maybe_text(found, "version")? })
}

pub async fn withdraw(tx: &mut Tx, worker: WorkerId, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/consent/withdraw.sql")).bind(worker.to_string()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// All that one worker gave, oldest first.
pub async fn list(pool: &AnyPool, worker: WorkerId) -> Result<Vec<ConsentRecord>, StoreError> {
    let query = sqlx::query(include_str!("sql/consent/list.sql")).bind(worker.to_string());
    let record = |found: &AnyRow| {
        Ok(ConsentRecord {
            version: row::text(found, "version")?,
            text_sha256: row::maybe_text(found, "text_sha256")?,
            language: row::text(found, "language")?,
            accepted_at: row::at(found, "accepted_at")?,
            received_at: row::at(found, "received_at")?,
            app_version: row::maybe_text(found, "app_version")?,
            withdrawn_at: row::maybe_at(found, "withdrawn_at")?,
        })
    };
    query.fetch_all(pool).await?.iter().map(record).collect()
}

//! Stored uploads: how far each one is, and what goes on from there.

use shared_types::id::WorkerId;
use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{StoreError, Tx, row};
use crate::objects::Growing;

/// How long the uploads of a worker who has no token left wait for another one.
const TOKENLESS_SECS: i64 = 24 * 60 * 60;

#[derive(Debug, Clone)]
pub struct Upload {
    pub id: String,
    pub worker_id: WorkerId,
    pub stage: UploadStage,
    /// None while the sender has not told it.
    pub length: Option<u64>,
    pub received: u64,
    /// State of the running SHA-256 over the received bytes.
    pub midstate: String,
    pub sha256: Option<String>,
    /// Where the received bytes lie in a bucket; none with the folder.
    pub parts: Option<String>,
    pub metadata: Option<String>,
    pub generation: i64,
    pub expires_at: Timestamp,
}

impl Upload {
    /// What the store of objects has to know of it.
    pub fn growing(&self) -> Growing {
        Growing {
            id: self.id.clone(),
            received: self.received,
            midstate: self.midstate.clone(),
            sha256: self.sha256.clone(),
            // A finished one has become an object.
            parts: self.parts.clone().filter(|_| self.stage != UploadStage::Ready),
        }
    }
}

/// All uploads that are under way.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// Those of one worker.
    pub own: i64,
    /// Bytes that are announced and have not arrived.
    pub awaited: u64,
}

pub(super) fn upload(found: &AnyRow) -> Result<Upload, StoreError> {
    Ok(Upload {
        id: row::text(found, "id")?,
        worker_id: row::id(found, "worker_id")?,
        stage: row::word(found, "stage")?,
        length: row::maybe_number(found, "length_bytes")?.map(|length| length as u64),
        received: row::number(found, "received_bytes")? as u64,
        midstate: row::text(found, "midstate")?,
        sha256: row::maybe_text(found, "sha256")?,
        parts: row::maybe_text(found, "parts")?,
        metadata: row::maybe_text(found, "metadata")?,
        generation: row::number(found, "generation")?,
        expires_at: row::at(found, "expires_at")?,
    })
}

pub async fn insert(tx: &mut Tx, upload: &Upload, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/upload/insert.sql"))
        .bind(&upload.id)
        .bind(upload.worker_id.to_string())
        .bind(upload.length.map(|length| length as i64))
        .bind(&upload.midstate)
        .bind(&upload.metadata)
        .bind(upload.expires_at.millis)
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A worker's own upload.
pub async fn find(pool: &AnyPool, id: &str, worker_id: WorkerId) -> Result<Option<Upload>, StoreError> {
    let query = sqlx::query(include_str!("sql/upload/find.sql")).bind(id).bind(worker_id.to_string());
    query.fetch_optional(pool).await?.as_ref().map(upload).transpose()
}

pub async fn open(tx: &mut Tx, worker_id: WorkerId) -> Result<Open, StoreError> {
    let query = sqlx::query(include_str!("sql/upload/open.sql")).bind(worker_id.to_string());
    let found = query.fetch_one(&mut **tx).await?;
    Ok(Open { own: row::number(&found, "own")?, awaited: row::number(&found, "awaited")?.max(0) as u64 })
}

/// Writes how far an upload is now; `false` if somebody else wrote since it was read.
pub async fn advance(tx: &mut Tx, upload: &Upload, now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("sql/upload/advance.sql"))
        .bind(&upload.id)
        .bind(upload.generation)
        .bind(upload.received as i64)
        .bind(&upload.midstate)
        .bind(upload.length.map(|length| length as i64))
        .bind(upload.stage.as_str())
        .bind(&upload.sha256)
        .bind(upload.expires_at.millis)
        .bind(now.millis)
        .bind(&upload.parts)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves an upload on; `false` if somebody else wrote since it was read.
pub async fn move_to(tx: &mut Tx, upload: &Upload, to: UploadStage, now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("sql/upload/move.sql"))
        .bind(&upload.id)
        .bind(upload.generation)
        .bind(upload.stage.as_str())
        .bind(to.as_str())
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a submission is made of it.
pub async fn is_bound(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    let found = sqlx::query(include_str!("sql/upload/bound.sql")).bind(id).fetch_one(&mut **tx).await?;
    Ok(row::number(&found, "bound")? > 0)
}

/// Some that were left unfinished for too long, or whose workers cannot go on: they were banned, or have had no token for a
/// day, in which they may be given another.
pub async fn stale(pool: &AnyPool, now: Timestamp) -> Result<Vec<Upload>, StoreError> {
    let grace = now.plus_secs(-TOKENLESS_SECS);
    let found =
        sqlx::query(include_str!("sql/upload/stale.sql")).bind(now.millis).bind(grace.millis).fetch_all(pool).await?;
    found.iter().map(upload).collect()
}

/// Some finished ones that nobody handed in since `before`.
pub async fn unused(pool: &AnyPool, before: Timestamp) -> Result<Vec<Upload>, StoreError> {
    let found = sqlx::query(include_str!("sql/upload/unused.sql")).bind(before.millis).fetch_all(pool).await?;
    found.iter().map(upload).collect()
}

/// Those whose bytes are all here and that are not finished yet.
pub async fn assembling(pool: &AnyPool) -> Result<Vec<Upload>, StoreError> {
    let found = sqlx::query(include_str!("sql/upload/assembling.sql")).fetch_all(pool).await?;
    found.iter().map(upload).collect()
}

/// Whoever's upload it is.
pub async fn find_any(pool: &AnyPool, id: &str) -> Result<Option<Upload>, StoreError> {
    let query = sqlx::query(include_str!("sql/upload/find_any.sql")).bind(id);
    query.fetch_optional(pool).await?.as_ref().map(upload).transpose()
}

/// Keeps a finished upload from being ended while a submission is made of it; `false` if it is not finished.
pub async fn pin(tx: &mut Tx, id: &str, worker_id: WorkerId, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/upload/pin.sql")).bind(id.to_owned()).bind(worker_id.to_string());
    Ok(query.bind(now.millis).execute(&mut **tx).await?.rows_affected() == 1)
}

/// Bytes of a worker's uploads that are reserved or wait for their review.
pub async fn used(pool: &AnyPool, worker_id: WorkerId) -> Result<u64, StoreError> {
    let query = sqlx::query(include_str!("sql/upload/used.sql")).bind(worker_id.to_string());
    Ok(row::number(&query.fetch_one(pool).await?, "used")?.max(0) as u64)
}

/// The same inside a change.
pub async fn used_in(tx: &mut Tx, worker_id: WorkerId) -> Result<u64, StoreError> {
    let query = sqlx::query(include_str!("sql/upload/used.sql")).bind(worker_id.to_string());
    Ok(row::number(&query.fetch_one(&mut **tx).await?, "used")?.max(0) as u64)
}

/// How many finished uploads nobody handed in since `before`, and their bytes.
pub async fn unused_sum(pool: &AnyPool, before: Timestamp) -> Result<(u64, u64), StoreError> {
    let query = sqlx::query(include_str!("sql/upload/unused_sum.sql")).bind(before.millis);
    let found = query.fetch_one(pool).await?;
    Ok((row::number(&found, "items")?.max(0) as u64, row::number(&found, "bytes")?.max(0) as u64))
}

/// What an upload's row says of its bytes in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldParts {
    /// There is no such upload.
    Unknown,
    /// Nothing is needed any more.
    Closed,
    /// Empty where nothing lies there yet.
    Open(String),
}

pub async fn held_parts(pool: &AnyPool, id: &str) -> Result<HeldParts, StoreError> {
    let found = sqlx::query(include_str!("sql/upload/held_parts.sql")).bind(id).fetch_optional(pool).await?;
    let Some(found) = found else { return Ok(HeldParts::Unknown) };
    Ok(match row::word(&found, "stage")? {
        UploadStage::Receiving | UploadStage::Assembling => HeldParts::Open(row::text(&found, "parts")?),
        _ => HeldParts::Closed,
    })
}

/// Ends a worker's finished uploads of the same bytes that became no submission, and gives the ids of those that were
/// ended. One that is being handed in at this moment is left alone: its generation is another by then.
pub async fn terminate_copies(
    tx: &mut Tx,
    worker_id: WorkerId,
    sha256: &str,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query(include_str!("sql/upload/unbound_copies.sql"));
    let found = query.bind(worker_id.to_string()).bind(sha256.to_owned()).fetch_all(&mut **tx).await?;
    let mut ended = Vec::new();
    for found in &found {
        let id = row::text(found, "id")?;
        let query = sqlx::query(include_str!("sql/upload/terminate_copy.sql")).bind(id.clone());
        let query = query.bind(row::number(found, "generation")?).bind(now.millis);
        if query.execute(&mut **tx).await?.rows_affected() == 1 {
            ended.push(id);
        }
    }
    Ok(ended)
}

/// Ends a finished upload, whose bytes are no longer here.
pub async fn terminate(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/upload/terminate.sql")).bind(id.to_owned()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

//! Workers and what they see of themselves.

use shared_types::api::admin::WorkerRow;
use shared_types::api::worker::{PayoutView, RatingView};
use shared_types::id::WorkerId;
use shared_types::timestamp::Timestamp;
use shared_types::worker::WorkerStage;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{StoreError, Tx, payout, row};

#[derive(Debug, Clone)]
pub struct NewWorker {
    pub id: WorkerId,
    pub alias: String,
    pub name: String,
    pub fiverr_user: String,
    pub stage: WorkerStage,
    pub created_at: Timestamp,
}

pub async fn insert(tx: &mut Tx, new: &NewWorker) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/worker/insert.sql"))
        .bind(new.id.to_string())
        .bind(new.alias.as_str())
        .bind(new.name.as_str())
        .bind(new.fiverr_user.as_str())
        .bind(new.stage.as_str())
        .bind(new.created_at.millis)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn is_alias_taken(tx: &mut Tx, alias: &str) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/worker/alias_taken.sql")).bind(alias);
    Ok(row::number(&query.fetch_one(&mut **tx).await?, "found")? > 0)
}

pub async fn find(pool: &AnyPool, id: WorkerId) -> Result<Option<WorkerRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/worker/find.sql")).bind(id.to_string());
    query.fetch_optional(pool).await?.as_ref().map(worker).transpose()
}

fn worker(found: &AnyRow) -> Result<WorkerRow, StoreError> {
    Ok(WorkerRow {
        id: row::id(found, "id")?,
        alias: row::text(found, "alias")?,
        name: row::text(found, "name")?,
        fiverr_user: row::text(found, "fiverr_user")?,
        stage: row::word(found, "stage")?,
        created_at: row::at(found, "created_at")?,
    })
}

pub async fn list(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<WorkerRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/worker/list.sql")).bind(after.map(str::to_owned)).bind(limit);
    let rows = query.fetch_all(pool).await?;
    rows.iter().map(worker).collect()
}

/// The latest hundred, newest first.
pub async fn ratings(pool: &AnyPool, id: WorkerId) -> Result<Vec<RatingView>, StoreError> {
    let query = sqlx::query(include_str!("sql/worker/ratings.sql")).bind(id.to_string());
    let rating = |found: &AnyRow| {
        let rating = row::number(found, "rating")?;
        Ok(RatingView {
            submission_id: row::id(found, "submission_id")?,
            goal: row::text(found, "goal")?,
            rating: u8::try_from(rating)
                .map_err(|_| StoreError::Value { column: "rating", value: rating.to_string() })?,
            note: row::maybe_text(found, "note")?,
            marks: row::json(found, "marks")?,
            decided_at: row::at(found, "created_at")?,
        })
    };
    query.fetch_all(pool).await?.iter().map(rating).collect()
}

/// The latest hundred, newest first.
pub async fn payouts(pool: &AnyPool, id: WorkerId) -> Result<Vec<PayoutView>, StoreError> {
    let query = sqlx::query(include_str!("sql/worker/payouts.sql")).bind(id.to_string());
    query.fetch_all(pool).await?.iter().map(payout::view).collect()
}

/// All of them, oldest first.
pub async fn all_payouts(pool: &AnyPool, id: WorkerId) -> Result<Vec<PayoutView>, StoreError> {
    let query = sqlx::query(include_str!("sql/worker/all_payouts.sql")).bind(id.to_string());
    query.fetch_all(pool).await?.iter().map(payout::view).collect()
}

/// Makes others who change something of this worker wait until this change is done.
pub async fn lock(tx: &mut Tx, id: WorkerId) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/worker/lock.sql")).bind(id.to_string()).execute(&mut **tx).await?;
    Ok(())
}

//! What the one who runs the server asks the database: counts for metrics, what it should hold, what does not add up.

use std::path::Path;

use shared_types::api::stats::PayoutSum;
use shared_types::id::SubmissionId;
use shared_types::payout::{Money, PayoutStage};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use uuid::Uuid;

use super::{Store, StoreError, Tx, row};

/// Rows of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Of jobs.
    pub kind: Option<String>,
    pub stage: String,
    pub found: i64,
    /// Of uploads.
    pub bytes: Option<i64>,
}

pub async fn jobs(pool: &AnyPool) -> Result<Vec<Counted>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/jobs.sql")).fetch_all(pool).await?;
    let counted = |found| {
        let (kind, stage) = (Some(row::text(found, "kind")?), row::text(found, "stage")?);
        Ok(Counted { kind, stage, found: row::number(found, "found")?, bytes: None })
    };
    rows.iter().map(counted).collect()
}

pub async fn submissions(pool: &AnyPool) -> Result<Vec<Counted>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/submissions.sql")).fetch_all(pool).await?;
    let counted = |found| {
        let (kind, stage) = (None, row::text(found, "stage")?);
        Ok(Counted { kind, stage, found: row::number(found, "found")?, bytes: None })
    };
    rows.iter().map(counted).collect()
}

pub async fn uploads(pool: &AnyPool) -> Result<Vec<Counted>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/uploads.sql")).fetch_all(pool).await?;
    let counted = |found| {
        let (kind, stage) = (None, row::text(found, "stage")?);
        Ok(Counted { kind, stage, found: row::number(found, "found")?, bytes: Some(row::number(found, "bytes")?) })
    };
    rows.iter().map(counted).collect()
}

/// By stage and currency.
pub async fn payouts(pool: &AnyPool) -> Result<Vec<PayoutSum>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/payouts.sql")).fetch_all(pool).await?;
    let sum = |found| {
        let amount = Money { amount_cents: row::number(found, "cents")?, currency: row::text(found, "currency")? };
        Ok(PayoutSum { stage: row::word(found, "stage")?, count: row::number(found, "found")? as u32, amount })
    };
    rows.iter().map(sum).collect()
}

/// Since when the job waits that has waited longest.
pub async fn oldest_job(pool: &AnyPool) -> Result<Option<Timestamp>, StoreError> {
    let found = sqlx::query(include_str!("sql/operations/oldest_job.sql")).fetch_one(pool).await?;
    row::maybe_at(&found, "run_at")
}

/// An object that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub key: String,
    pub bytes: u64,
    pub sha256: String,
    /// `submission ID` or `upload ID`.
    pub owner: String,
}

/// Every object that a row counts on, by its key.
pub async fn objects(pool: &AnyPool) -> Result<Vec<Expected>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/objects.sql")).fetch_all(pool).await?;
    let expected = |found| {
        Ok(Expected {
            key: row::text(found, "object_key")?,
            bytes: row::number(found, "bytes")? as u64,
            sha256: row::maybe_text(found, "sha256")?.unwrap_or_default(),
            owner: row::text(found, "owner")?,
        })
    };
    rows.iter().map(expected).collect()
}

/// Accepted submissions without a row in the ledger.
pub async fn unpaid(pool: &AnyPool) -> Result<Vec<SubmissionId>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/unpaid.sql")).fetch_all(pool).await?;
    rows.iter().map(|found| row::id(found, "id")).collect()
}

/// Rows of the ledger for submissions that are not accepted: row, submission, its stage.
pub async fn undue(pool: &AnyPool) -> Result<Vec<(String, String, String)>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/undue.sql")).fetch_all(pool).await?;
    let undue = |found| Ok((row::text(found, "id")?, row::text(found, "submission_id")?, row::text(found, "stage")?));
    rows.iter().map(undue).collect()
}

/// A row of the ledger whose payout is missing or says something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    pub ledger_id: String,
    pub submission_id: String,
    pub earned: Money,
    /// None where it is missing.
    pub payout: Option<Money>,
}

pub async fn unmatched(pool: &AnyPool) -> Result<Vec<Unmatched>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/without_payout.sql")).fetch_all(pool).await?;
    let unmatched = |found| {
        let (cents, currency) = (row::maybe_number(found, "payout_cents")?, row::maybe_text(found, "payout_currency")?);
        let earned =
            Money { amount_cents: row::number(found, "amount_cents")?, currency: row::text(found, "currency")? };
        Ok(Unmatched {
            ledger_id: row::text(found, "id")?,
            submission_id: row::text(found, "submission_id")?,
            earned,
            payout: cents.zip(currency).map(|(amount_cents, currency)| Money { amount_cents, currency }),
        })
    };
    rows.iter().map(unmatched).collect()
}

/// The payout that a row of the ledger lacks; false where it is there meanwhile.
pub async fn insert_payout(tx: &mut Tx, ledger_id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/operations/insert_payout.sql")).bind(Uuid::now_v7().to_string());
    let query = query.bind(ledger_id.to_owned()).bind(PayoutStage::Accrued.as_str()).bind(now.millis);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

/// Submissions that wait for a job which is not there, with their stage.
pub async fn stuck(pool: &AnyPool) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sqlx::query(include_str!("sql/operations/stuck.sql")).fetch_all(pool).await?;
    rows.iter().map(|found| Ok((row::text(found, "id")?, row::text(found, "stage")?))).collect()
}

/// Ends every unfinished upload: after a restore their bytes are not here.
pub async fn end_uploads(tx: &mut Tx) -> Result<u64, StoreError> {
    Ok(sqlx::query(include_str!("sql/operations/end_uploads.sql")).execute(&mut **tx).await?.rows_affected())
}

impl Store {
    /// Writes the whole `SQLite` database into a new file, as of one moment, while others go on using it.
    pub async fn snapshot(&self, into: &Path) -> Result<(), StoreError> {
        let query = sqlx::query("vacuum into $1").bind(into.display().to_string());
        query.execute(&self.write).await?;
        Ok(())
    }
}

/// How many tables a `PostgreSQL` database has already.
pub async fn tables(store: &Store) -> Result<i64, StoreError> {
    let found = sqlx::query(include_str!("sql/operations/tables_postgres.sql")).fetch_one(store.read()).await?;
    row::number(&found, "found")
}

/// Ends every login.
pub async fn end_logins(tx: &mut Tx) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/operations/end_logins.sql")).execute(&mut **tx).await?;
    Ok(())
}

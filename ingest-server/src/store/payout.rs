//! The ledger and the payouts made of it.

use shared_types::api::worker::PayoutView;
use shared_types::id::{PayoutId, SubmissionId};
use shared_types::payout::{Money, PayoutStage};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::submission::Standing;
use super::{StoreError, Tx, row};

/// Writes down what an accepted submission earned. The key of the ledger's row is the assignment's: a second one for it
/// cannot be written.
pub async fn accrue(tx: &mut Tx, standing: &Standing, now: Timestamp) -> Result<PayoutView, StoreError> {
    let (ledger_id, payout_id) = (Uuid::now_v7().to_string(), PayoutId(Uuid::now_v7()));
    let (worker, assignment) = (standing.worker_id.to_string(), standing.assignment_id.to_string());
    sqlx::query(include_str!("sql/payout/earn.sql"))
        .bind(ledger_id.clone())
        .bind(worker.clone())
        .bind(standing.campaign_id.to_string())
        .bind(assignment.clone())
        .bind(standing.id.to_string())
        .bind(standing.pay.amount_cents)
        .bind(standing.pay.currency.clone())
        .bind(format!("base:{assignment}"))
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    sqlx::query(include_str!("sql/payout/insert.sql"))
        .bind(payout_id.to_string())
        .bind(ledger_id)
        .bind(worker)
        .bind(assignment)
        .bind(standing.id.to_string())
        .bind(PayoutStage::Accrued.as_str())
        .bind(standing.pay.amount_cents)
        .bind(standing.pay.currency.clone())
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(PayoutView {
        id: payout_id,
        assignment_id: standing.assignment_id,
        submission_id: standing.id,
        stage: PayoutStage::Accrued,
        amount: standing.pay.clone(),
        created_at: now,
    })
}

/// A row of the table as people see it.
pub(super) fn view(found: &AnyRow) -> Result<PayoutView, StoreError> {
    Ok(PayoutView {
        id: row::id(found, "id")?,
        assignment_id: row::id(found, "assignment_id")?,
        submission_id: row::id(found, "submission_id")?,
        stage: row::word(found, "stage")?,
        amount: Money { amount_cents: row::number(found, "amount_cents")?, currency: row::text(found, "currency")? },
        created_at: row::at(found, "created_at")?,
    })
}

pub async fn of_submission(pool: &AnyPool, id: SubmissionId) -> Result<Option<PayoutView>, StoreError> {
    let query = sqlx::query(include_str!("sql/payout/of_submission.sql")).bind(id.to_string());
    query.fetch_optional(pool).await?.as_ref().map(view).transpose()
}

pub async fn list(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<PayoutView>, StoreError> {
    let query = sqlx::query(include_str!("sql/payout/list.sql")).bind(after.map(str::to_owned)).bind(limit);
    query.fetch_all(pool).await?.iter().map(view).collect()
}

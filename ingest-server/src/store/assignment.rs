//! Assignments: who shops for what, and how far it is.

use shared_types::api::assignment::{AssignmentItem, SubmissionBrief};
use shared_types::assignment::AssignmentStage;
use shared_types::id::{AssignmentId, CampaignId, WorkerId};
use shared_types::payout::Money;
use shared_types::timestamp::Timestamp;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::campaign::{TierRow, fits};
use super::{StoreError, Tx, row};

/// Gives a worker the tier's number of scenarios, those that were given out least first.
pub async fn insert_for(
    tx: &mut Tx,
    campaign: CampaignId,
    tier: &TierRow,
    worker: WorkerId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/campaign/least_used.sql")).bind(campaign.to_string());
    let mut chosen = Vec::new();
    for found in query.fetch_all(&mut **tx).await? {
        let tiers: Vec<String> = row::json(&found, "tiers")?;
        if fits(&tiers, &tier.tier.name) {
            chosen.push(row::text(&found, "id")?);
        }
    }
    for (index, scenario) in (0..tier.tier.scenario_count).zip(chosen) {
        sqlx::query(include_str!("sql/assignment/insert.sql"))
            .bind(Uuid::now_v7().to_string())
            .bind(campaign.to_string())
            .bind(tier.id.as_str())
            .bind(scenario)
            .bind(worker.to_string())
            .bind(AssignmentStage::Open.as_str())
            .bind(tier.tier.share_cents(index))
            .bind(now.millis)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

fn item(found: &AnyRow) -> Result<AssignmentItem, StoreError> {
    let submission = match row::maybe_id(found, "submission_id")? {
        Some(id) => Some(SubmissionBrief {
            id,
            stage: row::word(found, "submission_stage")?,
            attempt: u32::try_from(row::number(found, "attempt")?).unwrap_or_default(),
        }),
        None => None,
    };
    Ok(AssignmentItem {
        id: row::id(found, "id")?,
        stage: row::word(found, "stage")?,
        campaign_id: row::id(found, "campaign_id")?,
        tier: row::text(found, "tier")?,
        goal: row::text(found, "goal")?,
        constraints: row::json(found, "constraints")?,
        policy: row::json(found, "policy")?,
        pay: Money { amount_cents: row::number(found, "pay_cents")?, currency: row::text(found, "currency")? },
        expires_at: row::maybe_at(found, "expires_at")?,
        submission,
    })
}

/// The worker's own only.
pub async fn find(tx: &mut Tx, id: AssignmentId, worker: WorkerId) -> Result<Option<AssignmentItem>, StoreError> {
    let query = sqlx::query(include_str!("sql/assignment/find.sql")).bind(id.to_string()).bind(worker.to_string());
    query.fetch_optional(&mut **tx).await?.as_ref().map(item).transpose()
}

pub async fn list(
    tx: &mut Tx,
    worker: WorkerId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<AssignmentItem>, StoreError> {
    let query = sqlx::query(include_str!("sql/assignment/list.sql")).bind(worker.to_string());
    let rows = query.bind(after.map(str::to_owned)).bind(limit).fetch_all(&mut **tx).await?;
    rows.iter().map(item).collect()
}

/// Saves a move that `advance` allowed; false where the stage was no longer `from`.
pub async fn save(
    tx: &mut Tx,
    item: &AssignmentItem,
    from: AssignmentStage,
    problem: Option<String>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/assignment/advance.sql"));
    let query = query.bind(item.id.to_string()).bind(from.as_str()).bind(item.stage.as_str());
    let query = query.bind(item.expires_at.map(|at| at.millis)).bind(problem).bind(now.millis);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

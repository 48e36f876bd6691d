//! The reviewers' queue, one take, and the decisions on it.

use shared_types::api::review::{ReviewRequest, SubmissionDetail, SubmissionRow};
use shared_types::id::SubmissionId;
use shared_types::payout::Money;
use shared_types::quality::policy::Policy;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{StoreError, Tx, row};

/// Which submissions to list; what is none is not asked.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub stage: Option<String>,
    pub campaign: Option<String>,
    pub worker: Option<String>,
    pub flag: Option<String>,
    /// The last one seen.
    pub after: Option<(i64, String)>,
}

fn listed(found: &AnyRow) -> Result<SubmissionRow, StoreError> {
    let verdict = match row::maybe_text(found, "verdict")? {
        Some(_) => Some(row::word(found, "verdict")?),
        None => None,
    };
    Ok(SubmissionRow {
        id: row::id(found, "id")?,
        stage: row::word(found, "stage")?,
        attempt: row::number(found, "attempt")? as u32,
        campaign_id: row::id(found, "campaign_id")?,
        campaign: row::text(found, "campaign")?,
        tier: row::text(found, "tier")?,
        goal: row::text(found, "goal")?,
        worker_alias: row::text(found, "alias")?,
        verdict,
        flags: row::maybe_json(found, "flags")?.unwrap_or_default(),
        duration_secs: row::maybe_float(found, "duration_secs")?,
        rating: row::maybe_number(found, "rating")?.map(|rating| rating as u8),
        received_at: row::at(found, "received_at")?,
    })
}

/// One statement with the condition that leads into an index: a planner finds none behind "is null or".
macro_rules! led_by {
    ($($file:literal),*) => {
        concat!(include_str!("sql/review/list.sql"), $(include_str!($file),)* include_str!("sql/review/list_end.sql"))
    };
}
const LIST: &str = led_by!();
const LIST_OF_WORKER: &str = led_by!("sql/review/list_of_worker.sql");
const LIST_OF_STAGE: &str = led_by!("sql/review/list_of_stage.sql");
const LIST_OF_CAMPAIGN: &str = led_by!("sql/review/list_of_campaign.sql");
const LIST_OF_BOTH: &str = led_by!("sql/review/list_of_stage.sql", "sql/review/list_of_campaign.sql");
/// All forms of the list, for the test of plans.
pub const LISTS: [&str; 5] = [LIST, LIST_OF_WORKER, LIST_OF_STAGE, LIST_OF_CAMPAIGN, LIST_OF_BOTH];

/// Oldest first: who waits longest is judged first.
pub async fn list(pool: &AnyPool, filter: &Filter, limit: i64) -> Result<Vec<SubmissionRow>, StoreError> {
    let text = match (&filter.worker, &filter.stage, &filter.campaign) {
        (Some(_), ..) => LIST_OF_WORKER,
        (None, Some(_), Some(_)) => LIST_OF_BOTH,
        (None, Some(_), None) => LIST_OF_STAGE,
        (None, None, Some(_)) => LIST_OF_CAMPAIGN,
        (None, None, None) => LIST,
    };
    let rows = sqlx::query(text)
        .bind(filter.stage.clone())
        .bind(filter.campaign.clone())
        .bind(filter.worker.clone())
        .bind(filter.flag.as_ref().map(|flag| format!("%\"{flag}\"%")))
        .bind(filter.after.as_ref().map(|(at, _)| *at))
        .bind(filter.after.as_ref().map(|(_, id)| id.clone()))
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.iter().map(listed).collect()
}

/// Without its artifacts, redactions, history, payout and successor, which lie elsewhere.
pub async fn detail(pool: &AnyPool, id: SubmissionId) -> Result<Option<SubmissionDetail>, StoreError> {
    let query = sqlx::query(include_str!("sql/review/detail.sql")).bind(id.to_string());
    let Some(found) = query.fetch_optional(pool).await? else { return Ok(None) };
    let policy: Policy = row::json(&found, "policy")?;
    Ok(Some(SubmissionDetail {
        row: listed(&found)?,
        assignment_id: row::id(&found, "assignment_id")?,
        version: row::number(&found, "version")?,
        constraints: row::json(&found, "constraints")?,
        narration: policy.narration,
        pay: Some(Money { amount_cents: row::number(&found, "pay_cents")?, currency: row::text(&found, "currency")? }),
        report: row::maybe_json(&found, "report")?,
        artifacts: std::collections::BTreeMap::new(),
        redactions: Vec::new(),
        history: Vec::new(),
        payout: None,
        next_id: None,
    }))
}

/// The one that has waited longest, other than this.
pub async fn next(pool: &AnyPool, other_than: SubmissionId) -> Result<Option<SubmissionId>, StoreError> {
    let query = sqlx::query(include_str!("sql/review/next.sql")).bind(other_than.to_string());
    query.fetch_optional(pool).await?.as_ref().map(|found| row::id(found, "id")).transpose()
}

pub async fn insert(
    tx: &mut Tx,
    id: SubmissionId,
    reviewer: &str,
    decision: &ReviewRequest,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/review/insert.sql"))
        .bind(Uuid::now_v7().to_string())
        .bind(id.to_string())
        .bind(reviewer.to_owned())
        .bind(i64::from(decision.rating))
        .bind(row::to_json(&decision.checklist))
        .bind(decision.reason.as_ref().map(row::to_word))
        .bind(decision.note.clone())
        .bind(row::to_json(&decision.marks))
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

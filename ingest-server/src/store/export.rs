//! Accepted submissions, for datasets.

use shared_types::api::export::ExportItem;
use shared_types::id::{CampaignId, SubmissionId};
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{StoreError, row};

/// Without their artifacts.
pub async fn accepted(
    pool: &AnyPool,
    campaign: CampaignId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ExportItem>, StoreError> {
    let query = sqlx::query(include_str!("sql/export/accepted.sql")).bind(campaign.to_string());
    let rows = query.bind(after.map(str::to_owned)).bind(limit).fetch_all(pool).await?;
    let item = |found: &AnyRow| {
        Ok(ExportItem {
            submission_id: row::id(found, "id")?,
            assignment_id: row::id(found, "assignment_id")?,
            campaign_id: row::id(found, "campaign_id")?,
            worker_alias: row::text(found, "alias")?,
            tier: row::text(found, "tier")?,
            goal: row::text(found, "goal")?,
            constraints: row::json(found, "constraints")?,
            rating: row::number(found, "rating")? as u8,
            accepted_at: row::at(found, "accepted_at")?,
            artifacts: Vec::new(),
        })
    };
    rows.iter().map(item).collect()
}

pub async fn tombstones(pool: &AnyPool, campaign: CampaignId) -> Result<Vec<SubmissionId>, StoreError> {
    let query = sqlx::query(include_str!("sql/export/tombstones.sql")).bind(campaign.to_string());
    query.fetch_all(pool).await?.iter().map(|found| row::id(found, "id")).collect()
}

//! Invites; only the hashes of their codes are stored.

use shared_types::api::admin::InviteView;
use shared_types::id::{CampaignId, InviteId, WorkerId};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use uuid::Uuid;

use super::{StoreError, Tx, campaign, row};
use crate::secret::{SecretKind, digest, new_secret};

const LIFE_SECS: i64 = 14 * 24 * 60 * 60;

#[derive(Debug, Clone)]
pub struct Invite {
    pub id: InviteId,
    pub campaign_id: CampaignId,
    pub tier_id: String,
    pub worker_id: Option<WorkerId>,
    pub device_id: Option<String>,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// The codes; nothing where the campaign or the tier does not exist.
pub async fn make(
    tx: &mut Tx,
    campaign_id: CampaignId,
    tier: &str,
    count: u32,
    now: Timestamp,
) -> Result<Option<Vec<String>>, StoreError> {
    let tiers = campaign::tiers_in(tx, campaign_id).await?;
    let Some(tier) = tiers.into_iter().find(|row| row.tier.name.eq_ignore_ascii_case(tier)) else { return Ok(None) };
    let mut codes = Vec::new();
    for _ in 0..count {
        let code = new_secret(SecretKind::Invite)?;
        sqlx::query(include_str!("sql/invite/insert.sql"))
            .bind(Uuid::now_v7().to_string())
            .bind(digest(&code))
            .bind(campaign_id.to_string())
            .bind(tier.id.as_str())
            .bind(now.millis)
            .bind(now.plus_secs(LIFE_SECS).millis)
            .execute(&mut **tx)
            .await?;
        codes.push(code);
    }
    Ok(Some(codes))
}

pub async fn find(tx: &mut Tx, code: &str) -> Result<Option<Invite>, StoreError> {
    let query = sqlx::query(include_str!("sql/invite/find.sql")).bind(digest(code));
    let Some(found) = query.fetch_optional(&mut **tx).await? else { return Ok(None) };
    Ok(Some(Invite {
        id: row::id(&found, "id")?,
        campaign_id: row::id(&found, "campaign_id")?,
        tier_id: row::text(&found, "tier_id")?,
        worker_id: row::maybe_id(&found, "worker_id")?,
        device_id: row::maybe_text(&found, "device_id")?,
        expires_at: row::at(&found, "expires_at")?,
        used_at: row::maybe_at(&found, "used_at")?,
    }))
}

/// Uses the invite up; false where somebody was faster.
pub async fn take(
    tx: &mut Tx,
    id: InviteId,
    worker: WorkerId,
    device: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/invite/take.sql")).bind(id.to_string()).bind(now.millis);
    let done = query.bind(worker.to_string()).bind(device).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn list(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<InviteView>, StoreError> {
    let query = sqlx::query(include_str!("sql/invite/list.sql")).bind(after.map(str::to_owned)).bind(limit);
    let rows = query.fetch_all(pool).await?;
    let invite = |found| {
        Ok(InviteView {
            id: row::id(found, "id")?,
            campaign_id: row::id(found, "campaign_id")?,
            tier: row::text(found, "tier")?,
            worker_id: row::maybe_id(found, "worker_id")?,
            created_at: row::at(found, "created_at")?,
            expires_at: row::at(found, "expires_at")?,
            used_at: row::maybe_at(found, "used_at")?,
        })
    };
    rows.iter().map(invite).collect()
}

//! Campaigns with their tiers and scenarios.

use schemars::JsonSchema;
use serde::Serialize;
use shared_types::api::admin::CampaignView;
use shared_types::campaign::{CampaignFile, Scenario, Tier};
use shared_types::id::CampaignId;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::alone::alone;
use super::{Store, StoreError, Tx, row};

/// The campaign that a new server begins with.
pub const STARTER: &str = include_str!("../../campaigns/starter.toml");

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TierRow {
    pub id: String,
    pub campaign_id: CampaignId,
    #[serde(flatten)]
    pub tier: Tier,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ScenarioRow {
    pub id: String,
    pub campaign_id: CampaignId,
    #[serde(flatten)]
    pub scenario: Scenario,
}

/// Why a campaign file cannot be used, in a sentence; nothing if it can.
pub fn objection(file: &CampaignFile) -> Option<String> {
    if file.name.trim().is_empty() {
        return Some("The campaign has no name.".to_owned());
    }
    if file.currency.len() != 3 || !file.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(format!("The currency \"{}\" is no ISO 4217 code such as USD.", file.currency));
    }
    if file.tiers.is_empty() {
        return Some("The campaign has no tiers.".to_owned());
    }
    for (at, tier) in file.tiers.iter().enumerate() {
        if file.tiers[..at].iter().any(|other| other.name == tier.name) {
            return Some(format!("There are two tiers with the name {}.", tier.name));
        }
        if tier.price_cents < 0 || tier.scenario_count == 0 {
            return Some(format!("The tier {} needs a price of at least 0 and at least one scenario.", tier.name));
        }
        let fitting = file.scenarios.iter().filter(|scenario| fits(&scenario.tiers, &tier.name)).count();
        if fitting < tier.scenario_count as usize {
            return Some(format!(
                "The tier {} sells {} scenarios, and {fitting} are offered in it.",
                tier.name, tier.scenario_count
            ));
        }
    }
    let unknown = |name: &&String| !file.tiers.iter().any(|tier| tier.name == **name);
    let unknown = file.scenarios.iter().flat_map(|scenario| &scenario.tiers).find(unknown);
    unknown.map(|name| format!("A scenario names the tier {name}, which the campaign does not have."))
}

/// A scenario that names no tier is offered in all.
pub fn fits(tiers: &[String], tier: &str) -> bool {
    tiers.is_empty() || tiers.iter().any(|name| name == tier)
}

/// Always a new campaign, also where one has the same name.
pub async fn insert(tx: &mut Tx, file: &CampaignFile, now: Timestamp) -> Result<CampaignId, StoreError> {
    let id = CampaignId(Uuid::now_v7());
    sqlx::query(include_str!("sql/campaign/insert.sql"))
        .bind(id.to_string())
        .bind(file.name.as_str())
        .bind(file.description.as_str())
        .bind(file.currency.as_str())
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    for (position, tier) in (0_i64..).zip(&file.tiers) {
        sqlx::query(include_str!("sql/campaign/insert_tier.sql"))
            .bind(Uuid::now_v7().to_string())
            .bind(id.to_string())
            .bind(tier.name.as_str())
            .bind(position)
            .bind(tier.price_cents)
            .bind(i64::from(tier.scenario_count))
            .bind(i64::from(tier.hours))
            .bind(tier.level.as_str())
            .bind(row::to_json(&tier.policy))
            .execute(&mut **tx)
            .await?;
    }
    for (position, scenario) in (0_i64..).zip(&file.scenarios) {
        sqlx::query(include_str!("sql/campaign/insert_scenario.sql"))
            .bind(Uuid::now_v7().to_string())
            .bind(id.to_string())
            .bind(position)
            .bind(scenario.goal.as_str())
            .bind(row::to_json(&scenario.constraints))
            .bind(row::to_json(&scenario.tiers))
            .execute(&mut **tx)
            .await?;
    }
    Ok(id)
}

/// Installs the starter campaign where there is none at all.
pub async fn install_starter(store: &Store, now: Timestamp) -> Result<Option<CampaignId>, StoreError> {
    let mut tx = store.begin().await?;
    alone(&mut tx, "the starter campaign").await?;
    let found = sqlx::query(include_str!("sql/campaign/count.sql")).fetch_one(&mut *tx).await?;
    if row::number(&found, "found")? > 0 {
        return Ok(None);
    }
    let wrong = |error: toml::de::Error| StoreError::Value { column: "starter.toml", value: error.to_string() };
    let file: CampaignFile = toml::from_str(STARTER).map_err(wrong)?;
    let id = insert(&mut tx, &file, now).await?;
    tx.commit().await?;
    Ok(Some(id))
}

fn number(found: &AnyRow, column: &'static str) -> Result<u32, StoreError> {
    let value = row::number(found, column)?;
    u32::try_from(value).map_err(|_| StoreError::Value { column, value: value.to_string() })
}

fn tier_row(found: &AnyRow) -> Result<TierRow, StoreError> {
    Ok(TierRow {
        id: row::text(found, "id")?,
        campaign_id: row::id(found, "campaign_id")?,
        tier: Tier {
            name: row::text(found, "name")?,
            price_cents: row::number(found, "price_cents")?,
            scenario_count: number(found, "scenario_count")?,
            hours: number(found, "hours")?,
            level: row::text(found, "level")?,
            policy: row::json(found, "policy")?,
        },
    })
}

fn scenario_row(found: &AnyRow) -> Result<ScenarioRow, StoreError> {
    Ok(ScenarioRow {
        id: row::text(found, "id")?,
        campaign_id: row::id(found, "campaign_id")?,
        scenario: Scenario {
            goal: row::text(found, "goal")?,
            constraints: row::json(found, "constraints")?,
            tiers: row::json(found, "tiers")?,
        },
    })
}

/// In the order of the campaign.
pub async fn tiers(pool: &AnyPool, campaign: CampaignId) -> Result<Vec<TierRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/campaign/tiers.sql")).bind(campaign.to_string());
    query.fetch_all(pool).await?.iter().map(tier_row).collect()
}

pub async fn tiers_in(tx: &mut Tx, campaign: CampaignId) -> Result<Vec<TierRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/campaign/tiers.sql")).bind(campaign.to_string());
    query.fetch_all(&mut **tx).await?.iter().map(tier_row).collect()
}

pub async fn all_tiers(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<TierRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/campaign/all_tiers.sql")).bind(after.map(str::to_owned)).bind(limit);
    query.fetch_all(pool).await?.iter().map(tier_row).collect()
}

pub async fn all_scenarios(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<ScenarioRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/campaign/all_scenarios.sql")).bind(after.map(str::to_owned)).bind(limit);
    query.fetch_all(pool).await?.iter().map(scenario_row).collect()
}

async fn view(pool: &AnyPool, found: &AnyRow) -> Result<CampaignView, StoreError> {
    let id: CampaignId = row::id(found, "id")?;
    let scenarios = sqlx::query(include_str!("sql/campaign/scenarios.sql")).bind(id.to_string());
    let scenarios = scenarios.fetch_all(pool).await?;
    Ok(CampaignView {
        id,
        name: row::text(found, "name")?,
        description: row::text(found, "description")?,
        currency: row::text(found, "currency")?,
        tiers: tiers(pool, id).await?.into_iter().map(|row| row.tier).collect(),
        scenarios: scenarios.iter().map(|row| Ok(scenario_row(row)?.scenario)).collect::<Result<_, StoreError>>()?,
        created_at: row::at(found, "created_at")?,
    })
}

pub async fn find(pool: &AnyPool, id: CampaignId) -> Result<Option<CampaignView>, StoreError> {
    let query = sqlx::query(include_str!("sql/campaign/find.sql")).bind(id.to_string());
    match query.fetch_optional(pool).await? {
        Some(found) => Ok(Some(view(pool, &found).await?)),
        None => Ok(None),
    }
}

pub async fn list(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<CampaignView>, StoreError> {
    let query = sqlx::query(include_str!("sql/campaign/list.sql")).bind(after.map(str::to_owned)).bind(limit);
    let mut campaigns = Vec::new();
    for found in query.fetch_all(pool).await? {
        campaigns.push(view(pool, &found).await?);
    }
    Ok(campaigns)
}

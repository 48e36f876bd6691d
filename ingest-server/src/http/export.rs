//! What `pipeline export` reads: accepted submissions with the addresses of their results.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Method;
use shared_types::api::export::{ExportArtifact, ExportPage};
use shared_types::error::ErrorCode;
use shared_types::id::CampaignId;

use crate::app::Shared;
use crate::http::error::Answer;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store;

const ADDRESS_SECS: i64 = 3600;

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/exports/{campaign}/submissions";
    vec![route(Method::GET, path, Who::Pipeline, "Accepted submissions of a campaign.", list).gives::<ExportPage>()]
}

async fn list(State(app): State<Shared>, Path(campaign): Path<String>, asked: Asked) -> Answer<Json<ExportPage>> {
    let campaign: CampaignId = campaign.parse().map_err(|_| ErrorCode::NotFound)?;
    let after = cursor(asked)?;
    let pool = app.store.read();
    let now = app.clock.now();
    let mut items = store::export::accepted(pool, campaign, after.as_deref(), LIMIT).await?;
    let ids: Vec<_> = items.iter().map(|item| item.submission_id).collect();
    let mut stored = store::artifact::of_all(pool, app.store.engine(), &ids).await?;
    for item in &mut items {
        for artifact in stored.remove(&item.submission_id).unwrap_or_default() {
            let url = app.objects.signed_get(&artifact.object_key, now, ADDRESS_SECS).await?;
            let store::artifact::StoredArtifact { name, bytes, sha256, .. } = artifact;
            item.artifacts.push(ExportArtifact { name, url, bytes, sha256 });
        }
    }
    let tombstones = if after.is_none() { store::export::tombstones(pool, campaign).await? } else { Vec::new() };
    let page = page(items, |item| item.submission_id.to_string());
    Ok(Json(ExportPage { items: page.items, next_cursor: page.next_cursor, tombstones }))
}

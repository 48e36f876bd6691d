//! What `pipeline export` reads: accepted submissions with the addresses of their results.

use axum::extract::{Path, State};
use axum::http::Method;
use axum::{Extension, Json};
use shared_types::api::audit::AuditAct;
use shared_types::api::export::{ExportArtifact, ExportPage};
use shared_types::error::ErrorCode;
use shared_types::id::CampaignId;

use crate::app::{App, Shared};
use crate::http::error::Answer;
use crate::http::guard::PipelineCaller;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store;

const ADDRESS_SECS: i64 = 3600;
/// Pages that are asked for within so long are one entry of the audit log.
const SAME_EXPORT_SECS: i64 = 3600;

/// Who could fetch takes is in the audit log before they can; an export asks for page after page.
async fn note_export(app: &App, caller: &PipelineCaller, campaign: CampaignId) -> Answer<()> {
    let (now, subject) = (app.clock.now(), format!("campaign {campaign}"));
    let (act, since) = (AuditAct::DatasetExported, now.plus_secs(-SAME_EXPORT_SECS));
    if store::audit::is_recent(app.store.read(), &caller.name, act, &subject, since).await? {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    let what = format!("addresses of accepted takes, for {} minutes", ADDRESS_SECS / 60);
    store::audit::append(&mut tx, &caller.actor(), act, &subject, &what, now).await?;
    Ok(tx.commit().await?)
}

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/exports/{campaign}/submissions";
    vec![route(Method::GET, path, Who::Pipeline, "Accepted submissions of a campaign.", list).gives::<ExportPage>()]
}

async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<PipelineCaller>,
    Path(campaign): Path<String>,
    asked: Asked,
) -> Answer<Json<ExportPage>> {
    let campaign: CampaignId = campaign.parse().map_err(|_| ErrorCode::NotFound)?;
    let after = cursor(asked)?;
    let pool = app.store.read();
    let now = app.clock.now();
    let mut items = store::export::accepted(pool, campaign, after.as_deref(), LIMIT).await?;
    if !items.is_empty() {
        note_export(&app, &caller, campaign).await?;
    }
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

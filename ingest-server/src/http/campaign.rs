//! Routes of the noun campaign.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::admin::CampaignView;
use shared_types::campaign::CampaignFile;
use shared_types::error::ErrorCode;

use crate::acts;
use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store::campaign::{self, ScenarioRow, TierRow};

pub(super) fn routes() -> Vec<Route> {
    let get = Method::GET;
    vec![
        route(get.clone(), "/api/v1/admin/campaigns", Who::Admin, "All campaigns.", list)
            .gives::<Page<CampaignView>>()
            .asks(&["cursor"]),
        route(Method::POST, "/api/v1/admin/campaigns", Who::Admin, "Makes a new campaign, replacing none.", make)
            .takes::<CampaignFile>()
            .gives::<CampaignView>()
            .status(201)
            .needs_proof(),
        route(get.clone(), "/api/v1/admin/tiers", Who::Admin, "All tiers.", tiers)
            .gives::<Page<TierRow>>()
            .asks(&["cursor"]),
        route(get, "/api/v1/admin/scenarios", Who::Admin, "All scenarios.", scenarios)
            .gives::<Page<ScenarioRow>>()
            .asks(&["cursor"]),
    ]
}

async fn list(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<CampaignView>>> {
    let rows = campaign::list(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.to_string())))
}

async fn make(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    body: Result<Json<CampaignFile>, JsonRejection>,
) -> Answer<(StatusCode, Json<CampaignView>)> {
    let Json(file) = body?;
    if let Some(objection) = campaign::objection(&file) {
        return Err(Problem::because(ErrorCode::InvalidRequest, objection));
    }
    let mut tx = app.store.begin().await?;
    let id = acts::make_campaign(&mut tx, &caller.actor(), &file, app.clock.now()).await?;
    tx.commit().await?;
    let view = campaign::find(app.store.read(), id).await?.ok_or(ErrorCode::Internal)?;
    Ok((StatusCode::CREATED, Json(view)))
}

async fn tiers(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<TierRow>>> {
    let rows = campaign::all_tiers(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.clone())))
}

async fn scenarios(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<ScenarioRow>>> {
    let rows = campaign::all_scenarios(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.clone())))
}

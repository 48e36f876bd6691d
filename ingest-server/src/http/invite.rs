//! Routes of the noun invite.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::admin::{InviteRequest, InviteView, InvitesMade};
use shared_types::error::ErrorCode;

use crate::acts;
use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store;

/// Invites that one request makes.
const MOST: u32 = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/admin/invites", Who::Admin, "All invites, without codes.", list)
            .gives::<Page<InviteView>>()
            .asks(&["cursor"]),
        route(Method::POST, "/api/v1/admin/invites", Who::Admin, "Makes invites for a tier.", make)
            .takes::<InviteRequest>()
            .gives::<InvitesMade>()
            .status(201)
            .needs_proof(),
    ]
}

async fn list(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<InviteView>>> {
    let rows = store::invite::list(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.to_string())))
}

async fn make(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    body: Result<Json<InviteRequest>, JsonRejection>,
) -> Answer<(StatusCode, Json<InvitesMade>)> {
    let Json(request) = body?;
    if !(1..=MOST).contains(&request.count) {
        return Err(Problem::because(ErrorCode::InvalidRequest, format!("count must be 1 to {MOST}.")));
    }
    let (campaign, tier, now) = (request.campaign_id, request.tier.as_str(), app.clock.now());
    let mut tx = app.store.begin().await?;
    let made = acts::make_invites(&mut tx, &caller.actor(), (campaign, tier, request.count), now).await?;
    let codes = made.ok_or_else(|| Problem::because(ErrorCode::NotFound, "There is no such campaign or tier."))?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(InvitesMade { codes })))
}

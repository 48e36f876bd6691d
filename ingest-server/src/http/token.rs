//! Routes of the noun token.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::admin::{TokenMade, TokenRequest, TokenRole, TokenRow};
use shared_types::api::audit::AuditAct;
use shared_types::error::ErrorCode;

use crate::acts;
use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store;
use crate::store::change::Audited;

const LONGEST_NAME: usize = 200;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/admin/tokens", Who::Admin, "All tokens, without secrets.", list)
            .gives::<Page<TokenRow>>()
            .asks(&["cursor"]),
        route(Method::POST, "/api/v1/admin/tokens", Who::Admin, "Makes a token and shows it once.", make)
            .takes::<TokenRequest>()
            .gives::<TokenMade>()
            .status(201)
            .needs_proof(),
        route(Method::DELETE, "/api/v1/admin/tokens/{id}", Who::Admin, "Revokes a token.", revoke).status(204),
    ]
}

async fn list(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<TokenRow>>> {
    let rows = store::token::list(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.to_string())))
}

async fn make(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    body: Result<Json<TokenRequest>, JsonRejection>,
) -> Answer<(StatusCode, Json<TokenMade>)> {
    let Json(request) = body?;
    if request.role == TokenRole::Worker {
        return Err(Problem::because(ErrorCode::InvalidRequest, "A worker gets its token with an invite."));
    }
    if request.name.trim().is_empty() || request.name.chars().count() > LONGEST_NAME {
        return Err(Problem::because(ErrorCode::InvalidRequest, "name must have 1 to 200 characters."));
    }
    let (name, now) = (request.name.trim(), app.clock.now());
    let mut tx = app.store.begin().await?;
    let made = acts::make_token(&mut tx, &caller.actor(), request.role, name, now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn revoke(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let (id, now) = (id.parse().map_err(|_| ErrorCode::NotFound)?, app.clock.now());
    let mut tx = app.store.begin().await?;
    let change = Audited::begin(&mut tx, format!("token {id}")).await?;
    if !store::token::revoke(&mut tx, id, now).await? {
        return Err(ErrorCode::NotFound.into());
    }
    change.end(&mut tx, &caller.actor(), AuditAct::TokenRevoked, "it opens nothing now", now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

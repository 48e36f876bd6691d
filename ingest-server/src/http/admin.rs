//! Routes of the noun admin: who may log in, and taking that away.

use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::admin::AdminRow;
use shared_types::api::audit::AuditAct;
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store;
use crate::store::change::Audited;

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/admin/admins/{id}";
    vec![
        route(Method::GET, "/api/v1/admin/admins", Who::Admin, "Admins and reviewers.", list)
            .gives::<Page<AdminRow>>()
            .asks(&["cursor"]),
        route(Method::DELETE, path, Who::Admin, "Takes a login away, at once.", remove).status(204).needs_proof(),
        route(
            Method::DELETE,
            "/api/v1/admin/admins/{id}/totp",
            Who::Admin,
            "Takes the second factor of somebody who has lost it.",
            remove_totp,
        )
        .status(204)
        .needs_proof(),
    ]
}

async fn list(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<AdminRow>>> {
    let rows = store::admin::list(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.clone())))
}

async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    if caller.session.as_ref().is_some_and(|session| session.admin_id == id) {
        return Err(Problem::because(ErrorCode::StageConflict, "You cannot take your own login away."));
    }
    let mut tx = app.store.begin().await?;
    let email = store::admin::email(&mut tx, &id).await?.ok_or(ErrorCode::NotFound)?;
    let change = Audited::begin(&mut tx, format!("admin {email}")).await?;
    store::admin::remove(&mut tx, &id).await?;
    let what = "the login is gone, and who was logged in is out";
    change.end(&mut tx, &caller.actor(), AuditAct::AdminRemoved, what, app.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_totp(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let mut tx = app.store.begin().await?;
    let email = store::admin::email(&mut tx, &id).await?.ok_or(ErrorCode::NotFound)?;
    let change = Audited::begin(&mut tx, format!("admin {email}")).await?;
    if !store::second_factor::remove(&mut tx, &id).await? {
        return Err(Problem::because(ErrorCode::StageConflict, "This login has no second factor."));
    }
    let (act, now) = (AuditAct::SecondFactorRemoved, app.clock.now());
    change.end(&mut tx, &caller.actor(), act, "for somebody who has lost it", now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

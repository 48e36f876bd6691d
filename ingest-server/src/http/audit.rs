//! The audit log, for admins.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use shared_types::api::Page;
use shared_types::api::audit::AuditRow;
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/admin/audit", Who::Admin, "What people with power did, newest first.", list)
            .gives::<Page<AuditRow>>()
            .asks(&["cursor"]),
    ]
}

async fn list(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<AuditRow>>> {
    let before = cursor(asked)?.map(|cursor| cursor.parse::<i64>()).transpose();
    let before =
        before.map_err(|_| Problem::because(ErrorCode::InvalidRequest, "The cursor is none of this list's."))?;
    let rows = store::audit::list(app.store.read(), before, LIMIT).await?;
    Ok(Json(page(rows, |row| row.seq.to_string())))
}

//! Payouts, for admins.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use shared_types::api::Page;
use shared_types::api::worker::PayoutView;

use crate::app::Shared;
use crate::http::error::Answer;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/admin/payouts", Who::Admin, "What is owed.", list)
            .gives::<Page<PayoutView>>()
            .asks(&["cursor"]),
    ]
}

async fn list(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<PayoutView>>> {
    let rows = store::payout::list(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.to_string())))
}

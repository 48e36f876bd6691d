//! Routes of the noun me: what a worker sees of itself.

use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::worker::{Me, WorkerView};
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::http::consent;
use crate::http::error::{Answer, Problem};
use crate::http::guard::WorkerCaller;
use crate::http::route::{Route, Who, route};
use crate::store;
use crate::uploads::space;

const OLDEST_RECORDER: &str = "0.1.0";
/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/me", Who::Worker, "The worker, its ratings and payouts.", show).gives::<Me>(),
        route(Method::GET, "/readyz", Who::Anyone, "The database answers, and the disk has room.", ready),
    ]
}

async fn show(State(app): State<Shared>, Extension(caller): Extension<WorkerCaller>) -> Answer<Json<Me>> {
    let pool = app.store.read();
    let worker = store::worker::find(pool, caller.worker_id).await?.ok_or(ErrorCode::NotFound)?;
    let consent = store::consent::standing(pool, caller.worker_id).await?;
    Ok(Json(Me {
        worker: WorkerView {
            id: worker.id,
            name: worker.name,
            stage: worker.stage,
            consent_version: consent.and_then(|consent| consent.version),
            current_consent_version: consent::VERSION.to_owned(),
        },
        ratings: store::worker::ratings(pool, caller.worker_id).await?,
        payouts: store::worker::payouts(pool, caller.worker_id).await?,
        oldest_recorder_version: OLDEST_RECORDER.to_owned(),
    }))
}

async fn ready(State(app): State<Shared>) -> Answer<&'static str> {
    let asked = sqlx::query(include_str!("../store/sql/campaign/count.sql")).fetch_one(app.store.read());
    if !matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(_))) {
        return Err(Problem::because(ErrorCode::Unavailable, "The database does not answer."));
    }
    if app.stopping.is_cancelled() || space(&app)?.is_full() {
        let code = if app.stopping.is_cancelled() { ErrorCode::Unavailable } else { ErrorCode::StorageFull };
        return Err(Problem::from(code).with_status(StatusCode::SERVICE_UNAVAILABLE));
    }
    Ok("ok\n")
}

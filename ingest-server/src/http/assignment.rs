//! Routes of the noun assignment.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::assignment::{AssignmentItem, ProblemRequest};
use shared_types::assignment::AssignmentStage;
use shared_types::error::ErrorCode;
use shared_types::timestamp::Timestamp;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::WorkerCaller;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store::row::to_json;
use crate::store::{self, Tx};

const RESERVED_SECS: i64 = 24 * 60 * 60;
const RECORDING_SECS: i64 = 7 * 24 * 60 * 60;
const LONGEST_TEXT: usize = 2000;

pub(super) fn routes() -> Vec<Route> {
    let post = Method::POST;
    vec![
        route(Method::GET, "/api/v1/assignments", Who::Worker, "The worker's goals.", list)
            .gives::<Page<AssignmentItem>>()
            .asks(&["cursor"]),
        route(post.clone(), "/api/v1/assignments/{id}/claim", Who::Worker, "Reserves a goal for a day.", claim)
            .gives::<AssignmentItem>()
            .needs_consent(),
        route(post.clone(), "/api/v1/assignments/{id}/start", Who::Worker, "Recording begins.", start)
            .gives::<AssignmentItem>()
            .needs_consent(),
        route(post.clone(), "/api/v1/assignments/{id}/return", Who::Worker, "Gives a goal back.", give_back)
            .gives::<AssignmentItem>(),
        route(post, "/api/v1/assignments/{id}/problem", Who::Worker, "Says what stands in the way.", problem)
            .takes::<ProblemRequest>()
            .gives::<AssignmentItem>(),
    ]
}

/// A stage whose time ran out ends when somebody looks.
async fn lapse(tx: &mut Tx, item: &mut AssignmentItem, now: Timestamp) -> Answer<()> {
    let from = item.stage;
    let to = match from {
        AssignmentStage::Reserved => AssignmentStage::Open,
        AssignmentStage::Recording => AssignmentStage::Expired,
        _ => return Ok(()),
    };
    if item.expires_at.is_none_or(|at| at >= now) {
        return Ok(());
    }
    item.stage = from.advance(to)?;
    item.expires_at = None;
    store::assignment::save(tx, item, from, None, now).await?;
    Ok(())
}

async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    asked: Asked,
) -> Answer<Json<Page<AssignmentItem>>> {
    let after = cursor(asked)?;
    let mut tx = app.store.begin().await?;
    let mut items = store::assignment::list(&mut tx, caller.worker_id, after.as_deref(), LIMIT).await?;
    for item in &mut items {
        lapse(&mut tx, item, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(Json(page(items, |item| item.id.to_string())))
}

/// One move of the worker's own assignment; repeated it changes nothing.
async fn turn(
    app: &Shared,
    caller: &WorkerCaller,
    id: &str,
    to: AssignmentStage,
    lasts: Option<i64>,
    problem: Option<String>,
) -> Answer<Json<AssignmentItem>> {
    let now = app.clock.now();
    let id = id.parse().map_err(|_| ErrorCode::NotFound)?;
    let mut tx = app.store.begin().await?;
    let found = store::assignment::find(&mut tx, id, caller.worker_id).await?;
    let mut item = found.ok_or(ErrorCode::NotFound)?;
    lapse(&mut tx, &mut item, now).await?;
    if item.stage != to {
        let from = item.stage;
        if to == AssignmentStage::Reserved && from != AssignmentStage::Open {
            return Err(ErrorCode::AssignmentNotOpen.into());
        }
        item.stage = from.advance(to)?;
        item.expires_at = lasts.map(|secs| now.plus_secs(secs));
        if !store::assignment::save(&mut tx, &item, from, problem, now).await? {
            return Err(ErrorCode::StageConflict.into());
        }
    }
    tx.commit().await?;
    Ok(Json(item))
}

type Item = Answer<Json<AssignmentItem>>;

async fn claim(State(app): State<Shared>, Extension(caller): Extension<WorkerCaller>, Path(id): Path<String>) -> Item {
    turn(&app, &caller, &id, AssignmentStage::Reserved, Some(RESERVED_SECS), None).await
}

async fn start(State(app): State<Shared>, Extension(caller): Extension<WorkerCaller>, Path(id): Path<String>) -> Item {
    turn(&app, &caller, &id, AssignmentStage::Recording, Some(RECORDING_SECS), None).await
}

async fn give_back(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
) -> Item {
    turn(&app, &caller, &id, AssignmentStage::Returned, None, None).await
}

async fn problem(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    body: Result<Json<ProblemRequest>, JsonRejection>,
) -> Item {
    let Json(request) = body?;
    if request.text.chars().count() > LONGEST_TEXT {
        let text = format!("The text is longer than {LONGEST_TEXT} characters.");
        return Err(Problem::because(ErrorCode::InvalidRequest, text));
    }
    turn(&app, &caller, &id, AssignmentStage::Problem, None, Some(to_json(&request))).await
}

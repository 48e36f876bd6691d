//! Jobs as an admin sees them: the list, and what becomes of those that died.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;
use shared_types::api::Page;
use shared_types::api::admin::{DrainAction, DrainRequest, Drained, JobRow};
use shared_types::api::audit::AuditAct;
use shared_types::error::ErrorCode;
use shared_types::id::JobId;
use shared_types::job::{JobKind, JobStage};

use crate::app::{App, Shared};
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::outcome;
use crate::http::page::{LIMIT, page};
use crate::http::route::{Route, Who, route};
use crate::store;
use crate::store::audit::Actor;
use crate::store::change::Audited;

pub(super) fn routes() -> Vec<Route> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        route(get, "/api/v1/admin/jobs", Who::Admin, "All jobs, or with ?stage= those of one stage.", list)
            .gives::<Page<JobRow>>()
            .asks(&["stage", "cursor"]),
        route(post.clone(), "/api/v1/admin/jobs/{id}/retry", Who::Admin, "Queues a dead job again.", retry).status(204),
        route(post, "/api/v1/admin/jobs/drain", Who::Admin, "Queues all dead jobs again, or gives them up.", drain)
            .takes::<DrainRequest>()
            .gives::<Drained>()
            .needs_proof(),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    cursor: Option<String>,
    stage: Option<JobStage>,
}

async fn list(State(app): State<Shared>, asked: Result<Query<Asked>, QueryRejection>) -> Answer<Json<Page<JobRow>>> {
    let Query(asked) = asked?;
    let rows = store::job::list(app.store.read(), asked.stage, asked.cursor.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.to_string())))
}

async fn retry(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let id = id.parse().map_err(|_| ErrorCode::NotFound)?;
    queue_again(&app, &caller.actor(), id).await?;
    app.work.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

/// A submission that failed with its job is received anew.
async fn queue_again(app: &App, actor: &Actor, id: JobId) -> Answer<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let job = store::job::lock(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    job.stage.advance(JobStage::Queued)?;
    let change = Audited::begin(&mut tx, format!("job {id}")).await?;
    if !store::job::retry(&mut tx, id, now).await? {
        return Err(ErrorCode::StageConflict.into());
    }
    // A take that waits for its redaction stayed what it was.
    if let Some(submission_id) = job.submission_id.filter(|_| job.kind != JobKind::Redact) {
        outcome::resume(&mut tx, submission_id, job.kind, now).await?;
    }
    change.end(&mut tx, actor, AuditAct::JobRetried, "a dead job is queued again", now).await?;
    Ok(tx.commit().await?)
}

async fn give_up(app: &App, actor: &Actor, id: JobId) -> Answer<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let job = store::job::lock(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    // A redaction that was asked for is never given up: its take would stay closed for good.
    if job.kind == JobKind::Redact {
        return Err(ErrorCode::StageConflict.into());
    }
    let change = Audited::begin(&mut tx, format!("job {id}")).await?;
    if !store::job::cancel(&mut tx, id, now).await? {
        return Err(ErrorCode::StageConflict.into());
    }
    change.end(&mut tx, actor, AuditAct::JobGivenUp, "a dead job is given up", now).await?;
    Ok(tx.commit().await?)
}

/// Each in a change of its own. One whose submission went another way meanwhile stays where it is.
async fn drain(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    body: Result<Json<DrainRequest>, JsonRejection>,
) -> Answer<Json<Drained>> {
    let Json(request) = body?;
    let actor = caller.actor();
    let (mut drained, mut after) = (Drained { count: 0, left: 0 }, None);
    loop {
        let some = store::job::dead(app.store.read(), request.kind, after).await?;
        let Some(last) = some.last() else { break };
        after = Some(*last);
        for id in some {
            let done = match request.action {
                DrainAction::Retry => queue_again(&app, &actor, id).await,
                DrainAction::Cancel => give_up(&app, &actor, id).await,
            };
            match done {
                Ok(()) => drained.count += 1,
                Err(Problem { code: ErrorCode::StageConflict | ErrorCode::VersionConflict, .. }) => drained.left += 1,
                Err(problem) => return Err(problem),
            }
        }
    }
    app.work.notify_waiters();
    Ok(Json(drained))
}

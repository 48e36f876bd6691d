//! Routes of the nouns consent and erasure, and the person's own data: a worker agrees to a new text, withdraws, reads
//! all that is kept, has it erased; an admin does the last for whoever asked by other means.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::assignment::AssignmentItem;
use shared_types::api::personal::{
    ArtifactLink, ErasureRequest, ErasureView, PersonalData, PersonalTake, PersonalWorker,
};
use shared_types::api::submission::UploadRef;
use shared_types::api::worker::{ConsentChange, WorkerView};
use shared_types::error::ErrorCode;
use shared_types::id::{SubmissionId, WorkerId};

use crate::app::{App, Shared};
use crate::crash;
use crate::http::consent;
use crate::http::error::{Answer, Problem};
use crate::http::guard::{AdminCaller, WorkerCaller};
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::leaving::{self, LeaveError};
use crate::store;
use crate::store::audit::Actor;

/// How long the addresses in an export hold.
const ADDRESS_SECS: i64 = 3600;

pub(super) fn routes() -> Vec<Route> {
    let post = Method::POST;
    vec![
        route(Method::GET, "/api/v1/me/export", Who::Worker, "All that is kept of the worker.", export)
            .gives::<PersonalData>(),
        route(post.clone(), "/api/v1/me/consent", Who::Worker, "Accepts the text in force, or withdraws.", change)
            .takes::<ConsentChange>()
            .gives::<WorkerView>(),
        route(post.clone(), "/api/v1/me/erasure", Who::Worker, "Erases all that is kept of the worker.", erase_me)
            .gives::<ErasureView>()
            .status(202),
        route(Method::GET, "/api/v1/admin/erasures", Who::Admin, "Erasures, the newest first.", list)
            .gives::<Page<ErasureView>>()
            .asks(&["cursor"]),
        route(post.clone(), "/api/v1/admin/erasures", Who::Admin, "Erases what is kept of a worker.", erase)
            .takes::<ErasureRequest>()
            .gives::<ErasureView>()
            .status(202)
            .needs_proof(),
        route(post, "/api/v1/admin/erasures/{id}/finish", Who::Admin, "The names go now.", finish)
            .gives::<ErasureView>()
            .needs_proof(),
    ]
}

impl From<LeaveError> for Problem {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::Unknown => ErrorCode::NotFound.into(),
            LeaveError::Changed => ErrorCode::VersionConflict.into(),
            LeaveError::Stage(error) => error.into(),
            LeaveError::Store(error) => error.into(),
            LeaveError::Bytes(error) => error.into(),
        }
    }
}

fn actor(caller: &WorkerCaller) -> Actor {
    Actor { name: format!("worker {}", caller.worker_id), request_id: None }
}

async fn change(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    body: Result<Option<Json<ConsentChange>>, JsonRejection>,
) -> Answer<Json<WorkerView>> {
    let Json(change) = body?.unwrap_or_default();
    let (worker_id, now) = (caller.worker_id, app.clock.now());
    let mut tx = app.store.begin().await?;
    match (&change.version, change.accepted_at) {
        (Some(version), Some(accepted_at)) => {
            if version != consent::VERSION {
                return Err(ErrorCode::ConsentRequired.into());
            }
            store::worker::lock(&mut tx, worker_id).await?;
            let standing = store::consent::standing_in(&mut tx, worker_id).await?.ok_or(ErrorCode::NotFound)?;
            if let Some(has_left) = consent::left(standing.stage) {
                return Err(has_left);
            }
            if standing.version.as_deref() != Some(consent::VERSION) {
                consent::accept(&mut tx, worker_id, (accepted_at, change.app_version.as_deref()), now).await?;
            }
        }
        (None, None) => leaving::withdraw(&mut tx, worker_id, &actor(&caller), now).await?,
        _ => {
            let why = "Send version and accepted_at to accept the text, or neither to withdraw.";
            return Err(Problem::because(ErrorCode::InvalidRequest, why));
        }
    }
    let withdraws = change.version.is_none();
    if withdraws {
        crash::point("consent.withdrawing");
    }
    tx.commit().await?;
    if withdraws {
        crash::point("consent.withdrawn");
    }
    if withdraws && let Err(error) = leaving::remove_bytes(&app, worker_id).await {
        tracing::error!(worker = %worker_id, "a withdrawal did not get through; housekeeping tries again: {error}");
    }
    let pool = app.store.read();
    let worker = store::worker::find(pool, worker_id).await?.ok_or(ErrorCode::NotFound)?;
    let standing = store::consent::standing(pool, worker_id).await?;
    Ok(Json(WorkerView {
        id: worker.id,
        name: worker.name,
        stage: worker.stage,
        consent_version: standing.and_then(|standing| standing.version),
        current_consent_version: consent::VERSION.to_owned(),
    }))
}

async fn erase_me(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
) -> Answer<(StatusCode, Json<ErasureView>)> {
    Ok((StatusCode::ACCEPTED, Json(begin(&app, caller.worker_id, &actor(&caller)).await?)))
}

async fn erase(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    body: Result<Json<ErasureRequest>, JsonRejection>,
) -> Answer<(StatusCode, Json<ErasureView>)> {
    let Json(request) = body?;
    Ok((StatusCode::ACCEPTED, Json(begin(&app, request.worker_id, &caller.actor()).await?)))
}

/// The answer waits for the bytes; what it cannot remove now housekeeping does.
async fn begin(app: &Shared, worker: WorkerId, actor: &Actor) -> Answer<ErasureView> {
    let mut tx = app.store.begin().await?;
    let asked = leaving::erase(&mut tx, worker, actor, app.clock.now()).await?;
    tx.commit().await?;
    crash::point("erasure.asked");
    match leaving::finish(app, worker, actor, false).await {
        Ok(done) => Ok(done),
        Err(error) => {
            tracing::error!(%worker, "an erasure did not get through; housekeeping tries again: {error}");
            Ok(asked)
        }
    }
}

async fn finish(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<Json<ErasureView>> {
    let id = id.parse().map_err(|_| ErrorCode::NotFound)?;
    let mut tx = app.store.begin().await?;
    let worker = store::erasure::worker(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    drop(tx);
    Ok(Json(leaving::finish(&app, worker, &caller.actor(), true).await?))
}

async fn list(State(app): State<Shared>, asked: Asked) -> Answer<Json<Page<ErasureView>>> {
    let rows = store::erasure::list(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.to_string())))
}

async fn export(State(app): State<Shared>, Extension(caller): Extension<WorkerCaller>) -> Answer<Json<PersonalData>> {
    let (pool, id) = (app.store.read(), caller.worker_id);
    let worker = store::worker::find(pool, id).await?.ok_or(ErrorCode::NotFound)?;
    let mut tx = app.store.begin().await?;
    let submissions = store::leave::submissions(&mut tx, id).await?;
    let assignments = all_assignments(&mut tx, id).await?;
    drop(tx);
    let mut takes = Vec::with_capacity(submissions.len());
    for submission in submissions {
        takes.push(take(&app, submission, id).await?);
    }
    Ok(Json(PersonalData {
        made_at: app.clock.now(),
        worker: PersonalWorker {
            id,
            alias: worker.alias,
            name: worker.name,
            fiverr_user: worker.fiverr_user,
            stage: worker.stage,
            created_at: worker.created_at,
        },
        consents: store::consent::list(pool, id).await?,
        devices: store::token::of_worker(pool, id).await?,
        assignments,
        takes,
        payouts: store::worker::all_payouts(pool, id).await?,
    }))
}

async fn all_assignments(tx: &mut store::Tx, worker: WorkerId) -> Answer<Vec<AssignmentItem>> {
    let mut all: Vec<AssignmentItem> = Vec::new();
    loop {
        let after = all.last().map(|item| item.id.to_string());
        let some = store::assignment::list(tx, worker, after.as_deref(), LIMIT).await?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}

async fn take(app: &App, id: SubmissionId, worker: WorkerId) -> Answer<PersonalTake> {
    let pool = app.store.read();
    let submission = store::submission::view(pool, id, worker).await?.ok_or(ErrorCode::NotFound)?;
    let text = store::submission::manifest_of(pool, id).await?;
    let files = store::submission::files(pool, id).await?.into_iter();
    let mut artifacts = Vec::new();
    for stored in store::artifact::list(pool, id).await? {
        let url = app.objects.signed_get(&stored.object_key, app.clock.now(), ADDRESS_SECS).await?;
        artifacts.push(ArtifactLink { name: stored.name, bytes: stored.bytes, sha256: stored.sha256, url });
    }
    Ok(PersonalTake {
        submission,
        manifest: serde_json::from_str(&text).unwrap_or_default(),
        files: files
            .map(|file| UploadRef {
                track: file.track,
                upload_id: file.upload_id,
                bytes: file.bytes,
                sha256: file.sha256,
            })
            .collect(),
        artifacts,
    })
}

//! Routes of the noun submission: finished uploads become a recording handed in for an assignment.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::submission::{Receipt, SubmissionView, SubmitRequest, Submitted, Track, UploadRef};
use shared_types::assignment::AssignmentStage;
use shared_types::error::ErrorCode;
use shared_types::id::{ReceiptId, WorkerId};
use shared_types::job::JobKind;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, VIDEO_FILE};
use shared_types::submission::SubmissionStage;
use shared_types::upload::UploadStage;
use uuid::Uuid;

use crate::app::Shared;
use crate::crash;
use crate::http::consent;
use crate::http::error::{Answer, Problem};
use crate::http::guard::WorkerCaller;
use crate::http::route::{Route, Who, route};
use crate::objects::upload_key;
use crate::secret::digest;
use crate::store;
use crate::store::row::to_json;
use crate::store::submission::{NewSubmission, StoredFile};
use crate::uploads::settle;

/// A manifest names every fragment of hours of recording.
const LONGEST_MANIFEST: u64 = 32 << 20;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/api/v1/submissions", Who::Worker, "Hands in a recording.", submit)
            .takes::<SubmitRequest>()
            .longest_body(LONGEST_MANIFEST as usize)
            .gives::<Submitted>()
            .status(201)
            .needs_consent(),
        route(Method::GET, "/api/v1/submissions/{id}", Who::Worker, "What became of a recording.", show)
            .gives::<SubmissionView>(),
        route(Method::GET, "/api/v1/receipts/{id}", Who::Worker, "That the server holds these bytes.", receipt)
            .gives::<Receipt>(),
    ]
}

async fn submit(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    body: Body,
) -> Answer<(StatusCode, Json<Submitted>)> {
    let bytes = axum::body::to_bytes(body, LONGEST_MANIFEST as usize).await;
    let bytes = bytes.map_err(|_| Problem::because(ErrorCode::InvalidRequest, "The body is too long or not whole."))?;
    let request: SubmitRequest = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::because(ErrorCode::InvalidRequest, format!("The body was not understood: {error}."))
    })?;
    let request_sha256 = digest(&to_json(&request));
    if let Some(answer) = repeated(&app, &caller, &request, &request_sha256).await? {
        return Ok((StatusCode::OK, Json(answer)));
    }
    check_form(&request)?;
    check_manifest(&request)?;
    for upload in &request.uploads {
        check_bytes(&app, caller.worker_id, upload, &request.manifest).await?;
    }
    bind(&app, &caller, &request, request_sha256).await
}

/// The answer to a request that came before; another one under the same id is refused.
async fn repeated(
    app: &Shared,
    caller: &WorkerCaller,
    request: &SubmitRequest,
    request_sha256: &str,
) -> Answer<Option<Submitted>> {
    let mut tx = app.store.begin().await?;
    let Some(earlier) = store::submission::find(&mut tx, request.id).await? else { return Ok(None) };
    if earlier.worker_id != caller.worker_id {
        return Err(ErrorCode::NotFound.into());
    }
    if earlier.request_sha256 != request_sha256 {
        return Err(Problem::because(
            ErrorCode::StageConflict,
            "Another recording was handed in under this id already; make a new id.",
        ));
    }
    Ok(Some(Submitted { id: request.id, stage: earlier.stage, receipt_id: earlier.receipt_id }))
}

fn check_form(request: &SubmitRequest) -> Answer<()> {
    let tracks: BTreeSet<Track> = request.uploads.iter().map(|upload| upload.track).collect();
    if tracks.len() != request.uploads.len() {
        return Err(Problem::because(ErrorCode::InvalidRequest, "Each track may have one upload."));
    }
    if !tracks.contains(&Track::Video) {
        return Err(Problem::because(ErrorCode::InvalidRequest, "The upload of the video is missing."));
    }
    let files: BTreeSet<&str> = request.uploads.iter().map(|upload| upload.upload_id.as_str()).collect();
    if files.len() != request.uploads.len() {
        return Err(Problem::because(ErrorCode::InvalidRequest, "Each upload may be one track."));
    }
    Ok(())
}

/// That the manifest was made for this goal and names the files that are handed in.
fn check_manifest(request: &SubmitRequest) -> Answer<()> {
    let manifest = &request.manifest;
    if manifest.assignment_id.is_some_and(|id| id != request.assignment_id) {
        let detail = "This recording was made for another goal; hand it in for that one, or record this goal anew.";
        return Err(Problem::because(ErrorCode::StageConflict, detail));
    }
    let mut files = request.uploads.iter().map(|upload| file_of(upload.track));
    if let Some(file) = files.find(|file| *file != MANIFEST_FILE && !manifest.files.contains_key(*file)) {
        return Err(Problem::because(ErrorCode::InvalidRequest, format!("The manifest does not name {file}.")));
    }
    Ok(())
}

const fn file_of(track: Track) -> &'static str {
    match track {
        Track::Video => VIDEO_FILE,
        Track::Events => EVENTS_FILE,
        Track::Manifest => MANIFEST_FILE,
    }
}

/// That the upload is the caller's, finished, and what the request and the manifest say it is.
async fn check_bytes(app: &Shared, worker_id: WorkerId, named: &UploadRef, manifest: &Manifest) -> Answer<()> {
    let track = named.track.as_str();
    let found = store::upload::find(app.store.read(), &named.upload_id, worker_id).await?;
    let missing = || Problem::because(ErrorCode::NotFound, format!("There is no such upload for the track {track}."));
    let mut upload = found.ok_or_else(missing)?;
    settle(app, &mut upload).await?;
    if upload.stage != UploadStage::Ready {
        return Err(Problem::because(
            ErrorCode::StageConflict,
            format!("The upload of the track {track} is {}; it must be finished first.", upload.stage),
        ));
    }
    let differs = |from: &str| {
        let detail = format!("The upload of the track {track} is not what {from} says.");
        Err(Problem::because(ErrorCode::HashMismatch, detail))
    };
    if upload.received != named.bytes || upload.sha256.as_deref() != Some(named.sha256.as_str()) {
        return differs("the request");
    }
    if let Some(file) = manifest.files.get(file_of(named.track))
        && (file.bytes != named.bytes || file.sha256 != named.sha256)
    {
        return differs("the manifest");
    }
    if named.track == Track::Manifest {
        let bytes = app.objects.read(&upload_key(&named.upload_id), LONGEST_MANIFEST).await?.unwrap_or_default();
        if serde_json::from_slice::<Manifest>(&bytes).ok().as_ref() != Some(manifest) {
            return differs("the manifest in the request");
        }
    }
    Ok(())
}

/// Submission, its files, the assignment's stage and the job, in one transaction.
async fn bind(
    app: &Shared,
    caller: &WorkerCaller,
    request: &SubmitRequest,
    request_sha256: String,
) -> Answer<(StatusCode, Json<Submitted>)> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    // The same request may have run beside this one.
    if let Some(earlier) = store::submission::find(&mut tx, request.id).await? {
        if earlier.worker_id != caller.worker_id {
            return Err(ErrorCode::NotFound.into());
        }
        if earlier.request_sha256 != request_sha256 {
            return Err(ErrorCode::StageConflict.into());
        }
        let answer = Submitted { id: request.id, stage: earlier.stage, receipt_id: earlier.receipt_id };
        return Ok((StatusCode::OK, Json(answer)));
    }
    // A withdrawal that came meanwhile is waited for, and holds.
    store::worker::lock(&mut tx, caller.worker_id).await?;
    consent::check(store::consent::standing_in(&mut tx, caller.worker_id).await?)?;
    let target = store::submission::target(&mut tx, request.assignment_id, caller.worker_id).await?;
    let target = target.ok_or(ErrorCode::NotFound)?;
    let recording = match target.stage {
        AssignmentStage::Reserved => target.stage.advance(AssignmentStage::Recording)?,
        stage => stage,
    };
    if ![AssignmentStage::Recording, AssignmentStage::Redo].contains(&recording) {
        return Err(ErrorCode::AssignmentNotOpen.into());
    }
    let submitted = recording.advance(AssignmentStage::Submitted)?;
    let mut files = Vec::new();
    for named in &request.uploads {
        // The row stays locked until the commit, so that nothing ends the upload in between.
        let is_ready = store::upload::pin(&mut tx, &named.upload_id, caller.worker_id, now).await?;
        if !is_ready || store::upload::is_bound(&mut tx, &named.upload_id).await? {
            return Err(Problem::because(
                ErrorCode::StageConflict,
                format!("The upload of the track {} belongs to another submission or was ended.", named.track.as_str()),
            ));
        }
        files.push(StoredFile {
            track: named.track,
            upload_id: named.upload_id.clone(),
            bytes: named.bytes,
            sha256: named.sha256.clone(),
            object_key: upload_key(&named.upload_id),
        });
    }
    let new = NewSubmission {
        id: request.id,
        assignment_id: request.assignment_id,
        worker_id: caller.worker_id,
        campaign_id: target.campaign_id,
        attempt: target.attempts + 1,
        stage: SubmissionStage::Received.advance(SubmissionStage::Inspecting)?,
        receipt_id: ReceiptId(Uuid::now_v7()),
        request_sha256,
        manifest: to_json(&request.manifest),
        received_at: now,
    };
    if !store::submission::take_assignment(&mut tx, &new, target.stage, submitted).await? {
        return Err(ErrorCode::AssignmentNotOpen.into());
    }
    store::submission::insert(&mut tx, &new, &files).await?;
    let lines: Vec<String> = files.iter().map(|file| format!("{} {}\n", file.track.as_str(), file.sha256)).collect();
    let input = digest(&lines.concat());
    store::job::queue(&mut tx, JobKind::Inspect, Some(new.id), new.campaign_id, &input, now).await?;
    store::history::add(&mut tx, new.id, now, "worker", "The recording was handed in.").await?;
    crash::point("submission.binding");
    tx.commit().await?;
    crash::point("submission.bound");
    app.work.notify_waiters();
    let answer = Submitted { id: new.id, stage: new.stage, receipt_id: new.receipt_id };
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn show(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
) -> Answer<Json<SubmissionView>> {
    let id = id.parse().map_err(|_| ErrorCode::NotFound)?;
    let found = store::submission::view(app.store.read(), id, caller.worker_id).await?;
    found.map(Json).ok_or_else(|| ErrorCode::NotFound.into())
}

async fn receipt(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
) -> Answer<Json<Receipt>> {
    let id = id.parse().map_err(|_| ErrorCode::NotFound)?;
    let found = store::submission::receipt(app.store.read(), id, caller.worker_id).await?;
    found.map(Json).ok_or_else(|| ErrorCode::NotFound.into())
}

//! A reviewer has a stretch of a take covered for good: the pipeline makes the recording and everything of it anew, and
//! when that is here the earlier bytes are removed. Until then the take is neither decided on nor exported.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::audit::AuditAct;
use shared_types::api::job::{Artifact, CompleteRequest, Completed};
use shared_types::api::review::{RedactRequest, RedactionView};
use shared_types::api::submission::Track;
use shared_types::error::ErrorCode;
use shared_types::id::{RedactionId, SubmissionId};
use shared_types::job::JobKind;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, VIDEO_FILE};
use shared_types::submission::SubmissionStage;
use shared_types::timestamp::Timestamp;
use uuid::Uuid;

use crate::app::{App, Shared};
use crate::crash;
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::outcome::turn;
use crate::http::review::submission_id;
use crate::http::route::{Route, Who, route};
use crate::objects::{manifest_key, upload_key};
use crate::store::change::Audited;
use crate::store::job::Job;
use crate::store::submission::{Change, StoredFile};
use crate::store::{self, Tx};

const LONGEST_MANIFEST: u64 = 32 << 20;

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/admin/submissions/{id}/redact";
    vec![
        route(Method::POST, path, Who::Reviewer, "Covers a stretch of a take for good.", redact)
            .takes::<RedactRequest>()
            .gives::<RedactionView>()
            .status(202)
            .needs_proof(),
    ]
}

pub(super) fn still_open() -> Problem {
    Problem::because(
        ErrorCode::StageConflict,
        "A stretch of this take is being redacted. Look again when that is done; a job that failed is among the jobs.",
    )
}

async fn redact(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
    body: Result<Json<RedactRequest>, JsonRejection>,
) -> Answer<(StatusCode, Json<RedactionView>)> {
    let Json(request) = body?;
    let range = request.range();
    if let Some(objection) = range.objection() {
        return Err(Problem::because(ErrorCode::InvalidRequest, objection));
    }
    let (id, now) = (submission_id(&id)?, app.clock.now());
    let mut tx = app.store.begin().await?;
    let standing = store::submission::standing(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    if request.version.is_some_and(|version| version != standing.version) {
        return Err(ErrorCode::VersionConflict.into());
    }
    if !is_redactable(standing.stage) {
        let stage = standing.stage;
        let why = format!("A take that is {stage} cannot be redacted: wait until it has been analysed.");
        return Err(Problem::because(ErrorCode::StageConflict, why));
    }
    if standing.media_removed_at.is_some() {
        let why = "Nothing is left of this take to redact: its media were removed.";
        return Err(Problem::because(ErrorCode::StageConflict, why));
    }
    if store::redaction::is_open(&mut tx, id).await? {
        return Err(still_open());
    }
    let change = Audited::begin(&mut tx, format!("submission {id}")).await?;
    let redaction = RedactionId(Uuid::now_v7());
    store::redaction::insert(&mut tx, redaction, id, &range, &caller.name, now).await?;
    let (kind, campaign) = (JobKind::Redact, standing.campaign_id);
    store::job::queue(&mut tx, kind, Some(id), campaign, &redaction.to_string(), now).await?;
    // Whoever has the take open sees it as it was before.
    turn(&mut tx, &standing, standing.stage, &Change::default(), now).await?;
    let line = format!("asked to redact {:.1} s to {:.1} s", range.start, range.end);
    store::history::add(&mut tx, id, now, &caller.name, &line).await?;
    change.end(&mut tx, &caller.actor(), AuditAct::TakeRedacted, &line, now).await?;
    tx.commit().await?;
    app.work.notify_waiters();
    let view = RedactionView { id: redaction, range, who: caller.name, asked_at: now, done_at: None, is_gone: false };
    Ok((StatusCode::ACCEPTED, Json(view)))
}

fn is_redactable(stage: SubmissionStage) -> bool {
    use SubmissionStage::{Accepted, InReview, Quarantined, Ready, Redo, Rejected};
    [Ready, InReview, Redo, Accepted, Rejected, Quarantined].contains(&stage)
}

fn track_of(name: &str) -> Option<Track> {
    match name {
        VIDEO_FILE => Some(Track::Video),
        EVENTS_FILE => Some(Track::Events),
        MANIFEST_FILE => Some(Track::Manifest),
        _ => None,
    }
}

/// The new manifest among a redaction's results, as text.
pub(super) async fn manifest_of(app: &App, request: &CompleteRequest, keys: &[String]) -> Answer<String> {
    let named = request.artifacts.iter().zip(keys).find(|(artifact, _)| artifact.name == MANIFEST_FILE);
    let refused = |why: &str| Problem::because(ErrorCode::InvalidRequest, why);
    let (_, key) = named.ok_or_else(|| refused("The redacted recording has no manifest."))?;
    let bytes = app.objects.read(key, LONGEST_MANIFEST).await?.unwrap_or_default();
    serde_json::from_slice::<Manifest>(&bytes).map_err(|_| refused("The redacted recording's manifest is none."))?;
    String::from_utf8(bytes).map_err(|_| refused("The redacted recording's manifest is no text."))
}

/// Puts the new recording and all that was made of it in the place of the earlier ones, and condemns those.
pub(super) async fn finish(
    tx: &mut Tx,
    job: &Job,
    id: SubmissionId,
    request: &CompleteRequest,
    (keys, manifest): (&[String], &str),
    now: Timestamp,
) -> Answer<Completed> {
    let standing = store::submission::standing(tx, id).await?.ok_or(ErrorCode::NotFound)?;
    store::artifact::condemn_all(tx, id, now).await?;
    let mut made: Vec<(Track, &Artifact, &String)> = Vec::new();
    for (artifact, key) in request.artifacts.iter().zip(keys) {
        match track_of(&artifact.name) {
            Some(track) => made.push((track, artifact, key)),
            None => store::artifact::put(tx, id, job.id, artifact, key, now).await?,
        }
    }
    let files = store::submission::files_in(tx, id).await?;
    // The manifest is kept in the database; the object that brought it is of no use to anybody.
    for (_, _, key) in made.iter().filter(|(track, ..)| !files.iter().any(|file| file.track == *track)) {
        store::condemned::put(tx, key, now).await?;
    }
    for file in files {
        let new = made.iter().find(|(track, ..)| *track == file.track);
        let missing = || format!("The redacted recording lacks its {}.", file.track.as_str());
        let (_, artifact, key) = new.ok_or_else(|| Problem::because(ErrorCode::InvalidRequest, missing()))?;
        store::condemned::put(tx, &file.object_key, now).await?;
        store::upload::terminate(tx, &file.upload_id, now).await?;
        for copy in store::upload::terminate_copies(tx, standing.worker_id, &file.sha256, now).await? {
            store::condemned::put(tx, &upload_key(&copy), now).await?;
        }
        let (bytes, sha256, object_key) = (artifact.bytes, artifact.sha256.clone(), (*key).clone());
        store::submission::replace_file(tx, id, &StoredFile { bytes, sha256, object_key, ..file }).await?;
    }
    let earlier = store::submission::replace_manifest(tx, id, manifest).await?;
    if earlier != manifest {
        store::condemned::put(tx, &manifest_key(id, &earlier), now).await?;
    }
    store::redaction::done(tx, id, now).await?;
    turn(tx, &standing, standing.stage, &Change::default(), now).await?;
    // That its bytes are gone `is_gone` says, and only when they are.
    store::history::add(tx, id, now, "pipeline", "redacted; the earlier recording is given to nobody any more").await?;
    crash::point("redaction.finishing");
    Ok(Completed { stage: Some(standing.stage), duplicate_of: None })
}

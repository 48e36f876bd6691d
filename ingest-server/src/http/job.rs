//! Leased jobs: claimed, kept alive, completed or given back by pipeline machines.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::{Extension, Json};
use futures_util::{StreamExt, TryStreamExt, stream};
use shared_types::api::job::{
    Artifact, ClaimRequest, CompleteRequest, Completed, FailRequest, Failed, Heartbeat, HeartbeatRequest, JobInput,
    JobProgress, LeasedJob, Outputs, OutputsRequest, SignedObject,
};
use shared_types::api::submission::Track;
use shared_types::error::ErrorCode;
use shared_types::id::{JobId, SubmissionId};
use shared_types::job::{JobKind, JobStage};
use shared_types::submission::SubmissionStage;
use shared_types::timestamp::Timestamp;

use crate::app::{App, Shared};
use crate::http::error::{Answer, Problem};
use crate::http::guard::PipelineCaller;
use crate::http::outcome::{self, Outcome};
use crate::http::redaction;
use crate::http::route::{Route, Who, route};
use crate::limits::{Limits, signed};
use crate::objects::{is_key, job_key, manifest_key};
use crate::secret::{SecretKind, digest, new_secret};
use crate::store::job::{End, Job};
use crate::store::submission::Change;
use crate::store::{self, Tx};
use crate::{condemned, crash};

/// How long its signed addresses work.
const ADDRESS_SECS: i64 = 3600;
const LONGEST_WAIT_SECS: u32 = 25;
const MOST_JOBS: u32 = 16;
const MOST_NAMES: usize = 2000;
/// Whoever claims does not wait much longer for an answer than it asked to.
const DESCRIBED: Duration = Duration::from_secs(15);
const LOOKED_AT_AT_ONCE: usize = 16;
const LONGEST_BACKOFF_SECS: i64 = 3600;
const LONGEST_ERROR: usize = 2000;

type Body<T> = Result<Json<T>, JsonRejection>;

pub(super) fn routes() -> Vec<Route> {
    let post = Method::POST;
    vec![
        route(post.clone(), "/api/v1/jobs/claim", Who::Pipeline, "Leases jobs, waiting for some if asked.", claim)
            .takes::<ClaimRequest>()
            .gives::<Vec<LeasedJob>>(),
        route(post.clone(), "/api/v1/jobs/{id}/heartbeat", Who::Pipeline, "Keeps a lease alive.", heartbeat)
            .takes::<HeartbeatRequest>()
            .gives::<Heartbeat>(),
        route(post.clone(), "/api/v1/jobs/{id}/outputs", Who::Pipeline, "Signs addresses for results.", outputs)
            .takes::<OutputsRequest>()
            .gives::<Outputs>(),
        route(post.clone(), "/api/v1/jobs/{id}/complete", Who::Pipeline, "Hands in what came of a job.", complete)
            .takes::<CompleteRequest>()
            .gives::<Completed>(),
        route(post, "/api/v1/jobs/{id}/fail", Who::Pipeline, "Gives a job back.", fail)
            .takes::<FailRequest>()
            .gives::<Failed>(),
    ]
}

async fn claim(
    State(app): State<Shared>,
    Extension(_): Extension<PipelineCaller>,
    body: Body<ClaimRequest>,
) -> Answer<Json<Vec<LeasedJob>>> {
    let Json(request) = body?;
    if request.kinds.is_empty() {
        return Err(Problem::because(ErrorCode::InvalidRequest, "Name at least one of the kinds of jobs."));
    }
    let wait = Duration::from_secs(u64::from(request.wait_s.min(LONGEST_WAIT_SECS)));
    condemned::try_remove_some(&app).await;
    let until = tokio::time::Instant::now() + wait;
    let look_every = Duration::from_secs(app.config.limits.look_secs.max(1));
    loop {
        // Listening begins before the look, so that work queued in between is not missed.
        let woken = app.work.notified();
        let mut leased = Vec::new();
        for _ in 0..request.max.clamp(1, MOST_JOBS) {
            match lease_one(&app, &request).await {
                Ok(Some(job)) => leased.push(job),
                Err(problem) if leased.is_empty() => return Err(problem),
                // After an error those that are leased already must not wait for their leases to lapse.
                Ok(None) | Err(_) => break,
            }
        }
        let now = tokio::time::Instant::now();
        if !leased.is_empty() || now >= until || app.stopping.is_cancelled() {
            return Ok(Json(leased));
        }
        // Either is a reason to look again.
        tokio::select! {
            () = woken => {}
            () = app.stopping.cancelled() => {}
            () = tokio::time::sleep(look_every.min(until - now)) => {}
        }
    }
}

/// One that cannot be described while the bucket is away waits for it, and no attempt is counted: no machine has seen it.
async fn lease_one(app: &App, request: &ClaimRequest) -> Answer<Option<LeasedJob>> {
    let Some(job) = lease(app, request).await? else { return Ok(None) };
    let described = tokio::time::timeout(DESCRIBED, describe(app, &job)).await;
    match described.unwrap_or_else(|_| Err(ErrorCode::Unavailable.into())) {
        Err(problem) if problem.code == ErrorCode::Unavailable => {
            let now = app.clock.now();
            let mut tx = app.store.begin().await?;
            store::job::unclaim(&mut tx, &job, now.plus_secs(backoff_secs(&app.config.limits, 1)?), now).await?;
            tx.commit().await?;
            Err(problem)
        }
        described => described.map(Some),
    }
}

async fn lease(app: &App, request: &ClaimRequest) -> Answer<Option<Job>> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let engine = app.store.engine();
    for job in store::job::lapsed(&mut tx, engine, now).await? {
        give_back(app, &mut tx, &job, "its machine was not heard of in time", true, now).await?;
    }
    let token = new_secret(SecretKind::Lease)?;
    let until = now.plus_secs(signed(app.config.limits.lease_secs));
    let job = store::job::claim(&mut tx, engine, &request.kinds, &request.worker, (&token, until), now).await?;
    crash::point("job.leasing");
    tx.commit().await?;
    crash::point("job.leased");
    Ok(job)
}

/// Queues a job again after a pause, or gives it up: then its submission has failed.
async fn give_back(
    app: &App,
    tx: &mut Tx,
    job: &Job,
    error: &str,
    may_retry: bool,
    now: Timestamp,
) -> Answer<JobStage> {
    let again = may_retry && job.attempt < job.max_attempts;
    let stage = job.stage.advance(if again { JobStage::Queued } else { JobStage::Dead })?;
    let error: String = error.chars().take(LONGEST_ERROR).collect();
    let end = End {
        stage,
        run_at: now.plus_secs(backoff_secs(&app.config.limits, job.attempt)?),
        error: Some(&error),
        result: None,
    };
    if !store::job::end(tx, job, &end, now).await? {
        return Err(ErrorCode::LeaseLost.into());
    }
    if stage == JobStage::Dead {
        store::job::condemn_leavings(tx, job.id, &[], now).await?;
    }
    if let (JobStage::Dead, Some(id), JobKind::Redact) = (stage, job.submission_id, job.kind) {
        // The take stays what it was, and closed until the redaction is made.
        store::history::add(tx, id, now, "pipeline", &format!("could not redact: {error}")).await?;
    } else if let (JobStage::Dead, Some(id)) = (stage, job.submission_id) {
        let standing = store::submission::standing(tx, id).await?.ok_or(ErrorCode::NotFound)?;
        // A submission that was withdrawn meanwhile stays so; its job must not hold up the queue.
        let Ok(to) = standing.stage.advance(SubmissionStage::Failed) else { return Ok(stage) };
        outcome::turn(tx, &standing, to, &Change::default(), now).await?;
        store::history::add(tx, id, now, "pipeline", &format!("could not {}: {error}", job.kind.as_str())).await?;
    }
    Ok(stage)
}

/// Twice as long after each attempt, a fifth more or less, so that machines do not come back all at once.
fn backoff_secs(limits: &Limits, attempt: u32) -> Answer<i64> {
    let mut chance = [0_u8; 1];
    getrandom::fill(&mut chance).map_err(|_| Problem::from(ErrorCode::Internal))?;
    let doubled = signed(limits.backoff_secs).saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let secs = doubled.min(LONGEST_BACKOFF_SECS);
    Ok(secs * (80 + i64::from(chance[0]) * 40 / 255) / 100)
}

async fn describe(app: &App, job: &Job) -> Answer<LeasedJob> {
    let now = app.clock.now();
    let mut leased = LeasedJob {
        job_id: job.id,
        kind: job.kind,
        attempt: job.attempt,
        lease_token: job.lease_token.clone().unwrap_or_default(),
        lease_until: now.plus_secs(signed(app.config.limits.lease_secs)),
        submission_id: job.submission_id,
        campaign_id: job.campaign_id,
        input: JobInput::default(),
        goal: None,
        policy: shared_types::quality::policy::Policy::default(),
        redactions: Vec::new(),
        outputs_url: format!("/api/v1/jobs/{}/outputs", job.id),
    };
    let Some(id) = job.submission_id else { return Ok(leased) };
    let task = store::job::task(app.store.read(), id).await?.ok_or(ErrorCode::NotFound)?;
    leased.goal = Some(task.goal);
    leased.policy = task.policy;
    if job.kind == JobKind::Redact {
        // Those that are done already change nothing any more; the plan of what is covered names them all.
        let all = store::redaction::list(app.store.read(), id).await?;
        leased.redactions = all.into_iter().rev().map(|redaction| redaction.range).collect();
    }
    leased.input.manifest = Some(manifest(app, id, &task.manifest, now).await?);
    for file in store::submission::files(app.store.read(), id).await? {
        let url = app.objects.signed_get(&file.object_key, now, ADDRESS_SECS).await?;
        let object = SignedObject { url, bytes: file.bytes, sha256: file.sha256 };
        match file.track {
            Track::Video => leased.input.video = Some(object),
            Track::Events => leased.input.events = Some(object),
            // The one that was handed in with the submission counts.
            Track::Manifest => {}
        }
    }
    Ok(leased)
}

/// The manifest came in the request; as an object it can be fetched like the other files.
async fn manifest(app: &App, id: SubmissionId, text: &str, now: Timestamp) -> Answer<SignedObject> {
    let key = manifest_key(id, text);
    if app.objects.stat(&key).await? != Some(text.len() as u64) {
        app.objects.put(&key, text.as_bytes().to_vec()).await?;
    }
    let url = app.objects.signed_get(&key, now, ADDRESS_SECS).await?;
    Ok(SignedObject { url, bytes: text.len() as u64, sha256: digest(text) })
}

/// The job, if the lease is still this one's.
async fn leased(tx: &mut Tx, id: JobId, token: &str) -> Answer<Job> {
    let job = store::job::lock(tx, id).await?.ok_or(ErrorCode::NotFound)?;
    still_leased(&job, token)?;
    Ok(job)
}

fn still_leased(job: &Job, token: &str) -> Answer<()> {
    let is_this_ones = job.stage == JobStage::Leased && job.lease_token.as_deref() == Some(token);
    if is_this_ones { Ok(()) } else { Err(ErrorCode::LeaseLost.into()) }
}

fn job_id(id: &str) -> Answer<JobId> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}

async fn heartbeat(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Body<HeartbeatRequest>,
) -> Answer<Json<Heartbeat>> {
    let Json(request) = body?;
    let until = beat(&app, (job_id(&id)?, &request.lease_token), request.progress.as_ref()).await?;
    Ok(Json(Heartbeat { lease_until: until, cancel: false }))
}

async fn beat(app: &App, (id, token): (JobId, &str), progress: Option<&JobProgress>) -> Answer<Timestamp> {
    let now = app.clock.now();
    let until = now.plus_secs(signed(app.config.limits.lease_secs));
    let mut tx = app.store.begin().await?;
    leased(&mut tx, id, token).await?;
    if !store::job::heartbeat(&mut tx, id, (token, until), progress, now).await? {
        return Err(ErrorCode::LeaseLost.into());
    }
    tx.commit().await?;
    Ok(until)
}

/// Keeps a lease alive while its machine waits for what takes the server long.
async fn kept<T>(app: &App, lease: (JobId, &str), work: impl Future<Output = Answer<T>>) -> Answer<T> {
    let mut work = pin!(work);
    let pause = Duration::from_secs((app.config.limits.lease_secs / 3).max(1));
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(pause) => {
                beat(app, lease, None).await?;
            }
        }
    }
}

async fn outputs(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Body<OutputsRequest>,
) -> Answer<Json<Outputs>> {
    let Json(request) = body?;
    let mut tx = app.store.begin().await?;
    let job = leased(&mut tx, job_id(&id)?, &request.lease_token).await?;
    if request.names.len() > MOST_NAMES {
        let most = format!("At most {MOST_NAMES} names can be signed at once.");
        return Err(Problem::because(ErrorCode::InvalidRequest, most));
    }
    let now = app.clock.now();
    let (mut signed, mut known) = (BTreeMap::new(), store::job::outputs(&mut tx, job.id).await?);
    for name in request.names {
        let key = key_of(&job, &name)?;
        if is_in_the_way(&known, &key) {
            let why = format!("\"{name}\" cannot be a result and a folder of results at once.");
            return Err(Problem::because(ErrorCode::InvalidRequest, why));
        }
        known.insert(key.clone());
        store::job::may_write(&mut tx, job.id, &key).await?;
        signed.insert(name, app.objects.signed_put(&key, now, ADDRESS_SECS).await?);
    }
    tx.commit().await?;
    Ok(Json(signed))
}

/// Whether one of the keys is a folder of the other, which a file system cannot keep.
fn is_in_the_way(known: &BTreeSet<String>, key: &str) -> bool {
    let inside = format!("{key}/");
    let is_folder = known.range(inside.clone()..).next().is_some_and(|next| next.starts_with(&inside));
    is_folder || key.match_indices('/').any(|(at, _)| known.contains(&key[..at]))
}

fn key_of(job: &Job, name: &str) -> Answer<String> {
    let key = job_key(job.id, job.attempt, name);
    let refused = || Problem::because(ErrorCode::InvalidRequest, format!("\"{name}\" is no name for a result."));
    if is_key(name) && is_key(&key) { Ok(key) } else { Err(refused()) }
}

async fn complete(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Body<CompleteRequest>,
) -> Answer<Json<Completed>> {
    let Json(request) = body?;
    let id = job_id(&id)?;
    let mut tx = app.store.begin().await?;
    let job = store::job::find(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    drop(tx);
    if let Some(earlier) = given_before(&job, &request.lease_token) {
        return Ok(Json(earlier));
    }
    still_leased(&job, &request.lease_token)?;
    let keys = kept(&app, (id, &request.lease_token), arrived(&app, &job, &request.artifacts)).await?;
    let manifest = match job.kind {
        JobKind::Redact => Some(redaction::manifest_of(&app, &request, &keys).await?),
        _ => None,
    };
    let survey = kept(&app, (id, &request.lease_token), outcome::survey(&app, &job, &request)).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    // Another request may have been faster; the job is looked at again where nobody can change it.
    let job = store::job::lock(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    if let Some(earlier) = given_before(&job, &request.lease_token) {
        return Ok(Json(earlier));
    }
    let job = leased(&mut tx, job.id, &request.lease_token).await?;
    let Outcome { answer, queued } = match job.submission_id {
        Some(submission_id) if manifest.is_some() => {
            let made = (keys.as_slice(), manifest.as_deref().unwrap_or_default());
            let answer = redaction::finish(&mut tx, &job, submission_id, &request, made, now).await?;
            Outcome { answer, queued: false }
        }
        Some(submission_id) => {
            for (artifact, key) in request.artifacts.iter().zip(&keys) {
                store::artifact::put(&mut tx, submission_id, job.id, artifact, key, now).await?;
            }
            outcome::of_job(&mut tx, &job, submission_id, (&request, survey), now).await?
        }
        None => Outcome { answer: Completed { stage: None, duplicate_of: None }, queued: false },
    };
    store::job::condemn_leavings(&mut tx, job.id, &keys, now).await?;
    let stage = job.stage.advance(JobStage::Done)?;
    let end = End { stage, run_at: now, error: None, result: Some(store::row::to_json(&answer)) };
    if !store::job::end(&mut tx, &job, &end, now).await? {
        return Err(ErrorCode::LeaseLost.into());
    }
    crash::point("job.completing");
    tx.commit().await?;
    crash::point("job.completed");
    if job.kind == JobKind::Redact {
        crash::point("redaction.finished");
    }
    condemned::try_remove_some(&app).await;
    if queued {
        app.work.notify_waiters();
    }
    Ok(Json(answer))
}

/// The same completion again gets the same answer.
fn given_before(job: &Job, token: &str) -> Option<Completed> {
    let is_same = job.stage == JobStage::Done && job.lease_token.as_deref() == Some(token);
    job.result.as_deref().filter(|_| is_same).and_then(|text| serde_json::from_str(text).ok())
}

/// Where the results lie, after each was compared with its hash.
async fn arrived(app: &App, job: &Job, artifacts: &[Artifact]) -> Answer<Vec<String>> {
    let mut looks = Vec::with_capacity(artifacts.len());
    for artifact in artifacts {
        looks.push(has_arrived(app, job, artifact));
    }
    // A bucket takes its time for each.
    stream::iter(looks).buffered(LOOKED_AT_AT_ONCE).try_collect().await
}

async fn has_arrived(app: &App, job: &Job, artifact: &Artifact) -> Answer<String> {
    let key = key_of(job, &artifact.name)?;
    let is_same = app.objects.stat(&key).await? == Some(artifact.bytes)
        && app.objects.hash(&key).await?.as_deref() == Some(artifact.sha256.as_str());
    let differs = || format!("The result {} is not what was told of it.", artifact.name);
    if is_same { Ok(key) } else { Err(Problem::because(ErrorCode::HashMismatch, differs())) }
}

async fn fail(State(app): State<Shared>, Path(id): Path<String>, body: Body<FailRequest>) -> Answer<Json<Failed>> {
    let Json(request) = body?;
    let mut tx = app.store.begin().await?;
    let job = leased(&mut tx, job_id(&id)?, &request.lease_token).await?;
    let stage = give_back(&app, &mut tx, &job, &request.error, request.retryable, app.clock.now()).await?;
    tx.commit().await?;
    Ok(Json(Failed { stage }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_differ() {
        let limits = Limits { backoff_secs: 20, ..Limits::default() };
        for attempt in 1..=12 {
            let whole = (20_i64 << (attempt - 1)).min(LONGEST_BACKOFF_SECS);
            let secs: Vec<i64> = (0..100).map(|_| backoff_secs(&limits, attempt).unwrap()).collect();
            assert!(secs.iter().all(|secs| (whole * 8 / 10..=whole * 12 / 10).contains(secs)), "{attempt}: {secs:?}");
            assert!(secs.iter().any(|one| *one != secs[0]), "{attempt}: all the same");
        }
    }
}

//! What a finished job means for its submission: sent back, on to the analysis, or ready for review.

use std::sync::Arc;

use shared_types::api::job::{CompleteRequest, Completed};
use shared_types::assignment::AssignmentStage;
use shared_types::error::ErrorCode;
use shared_types::id::SubmissionId;
use shared_types::job::JobKind;
use shared_types::quality::flag::Verdict;
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::submission::SubmissionStage;
use shared_types::timestamp::Timestamp;

use crate::app::App;
use crate::http::error::{Answer, Problem};
use crate::store::fingerprint::{self, Asked, Survey};
use crate::store::job::Job;
use crate::store::submission::{Change, Standing};
use crate::store::{self, Tx};

pub(super) struct Outcome {
    pub(super) answer: Completed,
    /// Whether another job now waits.
    pub(super) queued: bool,
}

/// What the fingerprints of a finished job repeat among those that are there, looked at before anything is locked.
pub(super) async fn survey(app: &App, job: &Job, request: &CompleteRequest) -> Answer<Option<(Asked, Survey)>> {
    let (Some(id), Some(prints)) = (job.submission_id, &request.fingerprints) else { return Ok(None) };
    let mut tx = app.store.begin().await?;
    let standing = store::submission::standing(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    drop(tx);
    let (assignment_id, secs) = (standing.assignment_id, request.result.duration_secs.unwrap_or(0.0));
    let asked = Asked { assignment_id, prints: Arc::new(prints.clone()), secs };
    let survey = fingerprint::survey(app.store.read(), &asked).await?;
    Ok(Some((asked, survey)))
}

pub(super) async fn of_job(
    tx: &mut Tx,
    job: &Job,
    id: SubmissionId,
    (request, survey): (&CompleteRequest, Option<(Asked, Survey)>),
    now: Timestamp,
) -> Answer<Outcome> {
    let standing = store::submission::standing(tx, id).await?.ok_or(ErrorCode::NotFound)?;
    let Some(report) = request.result.quality.clone() else {
        return Err(Problem::because(ErrorCode::InvalidRequest, "The result has no quality report."));
    };
    let (report, duplicate_of) = with_repeats(tx, &standing, report, survey).await?;
    let rejected = report.verdict == Verdict::Reject;
    let to = match (rejected, job.kind) {
        (true, _) => SubmissionStage::SentBack,
        (false, JobKind::Inspect) => SubmissionStage::Analysing,
        (false, _) => SubmissionStage::Ready,
    };
    let to = standing.stage.advance(to)?;
    let sentence = match to {
        SubmissionStage::SentBack => format!("sent back: {}", reasons(&report)),
        SubmissionStage::Analysing => "inspected".to_owned(),
        _ => "analysed, ready for review".to_owned(),
    };
    let change =
        Change { duration_secs: request.result.duration_secs, duplicate_of, report: Some(report), ..Change::default() };
    turn(tx, &standing, to, &change, now).await?;
    store::history::add(tx, id, now, "pipeline", &sentence).await?;
    if rejected {
        let redo = standing.assignment_stage.advance(AssignmentStage::Redo)?;
        turn_assignment(tx, &standing, redo, now).await?;
    }
    let queued = to == SubmissionStage::Analysing;
    if queued {
        let digest = store::submission::video_sha256(tx, id).await?;
        store::job::queue(tx, JobKind::Analyse, Some(id), standing.campaign_id, &digest, now).await?;
    }
    Ok(Outcome { answer: Completed { stage: Some(to), duplicate_of }, queued })
}

/// The report with what only the server can know: whether another submission looks or sounds the same, or was made by the
/// same clicks and keys. It is judged in the transaction that keeps the fingerprints, so two copies that come at once do
/// not both pass. A later job sends no fingerprints and knows nothing of others, so what was found before stays.
async fn with_repeats(
    tx: &mut Tx,
    standing: &Standing,
    mut report: QualityReport,
    survey: Option<(Asked, Survey)>,
) -> Answer<(QualityReport, Option<SubmissionId>)> {
    let mut duplicate_of = None;
    if let Some((asked, survey)) = survey {
        let found = fingerprint::find_repeated(tx, &asked, survey).await?;
        fingerprint::put(tx, standing.id, standing.assignment_id, &asked.prints).await?;
        if let Some((other, measures)) = found.recording {
            report.measurements.duplicate = Some(measures);
            duplicate_of = Some(other);
        }
        report.measurements.replay = found.input.map(|(_, measures)| measures).or(report.measurements.replay);
    } else if let Some(before) = store::submission::report(tx, standing.id).await? {
        let now = &mut report.measurements;
        now.duplicate = now.duplicate.take().or(before.measurements.duplicate);
        now.replay = now.replay.take().or(before.measurements.replay);
    }
    if report.measurements.duplicate.is_none() && report.measurements.replay.is_none() {
        return Ok((report, None));
    }
    Ok((judge(report.measurements, &standing.policy), duplicate_of))
}

fn reasons(report: &QualityReport) -> String {
    let rejecting = report.flags.iter().filter(|raised| raised.verdict == Verdict::Reject);
    rejecting.map(|raised| raised.sentence.as_str()).collect::<Vec<_>>().join(" ")
}

/// Saves a move; somebody who was faster is a conflict.
pub(super) async fn turn(
    tx: &mut Tx,
    standing: &Standing,
    to: SubmissionStage,
    change: &Change,
    now: Timestamp,
) -> Answer<()> {
    let saved = store::submission::turn(tx, standing, to, change, now).await?;
    if saved { Ok(()) } else { Err(ErrorCode::VersionConflict.into()) }
}

pub(super) async fn turn_assignment(
    tx: &mut Tx,
    standing: &Standing,
    to: AssignmentStage,
    now: Timestamp,
) -> Answer<()> {
    let saved = store::submission::turn_assignment(tx, standing, to, now).await?;
    if saved { Ok(()) } else { Err(ErrorCode::VersionConflict.into()) }
}

/// Brings a failed submission back to where its job works on it.
pub(super) async fn resume(tx: &mut Tx, id: SubmissionId, kind: JobKind, now: Timestamp) -> Answer<()> {
    let standing = store::submission::standing(tx, id).await?.ok_or(ErrorCode::NotFound)?;
    let mut stage = standing.stage.advance(SubmissionStage::Received)?.advance(SubmissionStage::Inspecting)?;
    if kind == JobKind::Analyse {
        stage = stage.advance(SubmissionStage::Analysing)?;
    }
    turn(tx, &standing, stage, &Change::default(), now).await
}

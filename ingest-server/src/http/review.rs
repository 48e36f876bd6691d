//! The review: queue, one take, the decision on it. A reviewer sees the worker's alias and nothing of the person.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::Method;
use axum::{Extension, Json};
use serde::Deserialize;
use shared_types::api::Page;
use shared_types::api::audit::AuditAct;
use shared_types::api::review::{Lock, Mark, ReviewRequest, Reviewed, SubmissionDetail, SubmissionRow};
use shared_types::api::worker::PayoutView;
use shared_types::assignment::AssignmentStage;
use shared_types::error::ErrorCode;
use shared_types::id::SubmissionId;
use shared_types::submission::SubmissionStage;

use crate::app::Shared;
use crate::crash;
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::outcome::{turn, turn_assignment};
use crate::http::page::LIMIT;
use crate::http::redaction;
use crate::http::route::{Route, Who, route};
use crate::store;
use crate::store::change::Audited;
use crate::store::review::Filter;
use crate::store::submission::Change;

const ADDRESS_SECS: i64 = 3600;
/// Further looks at the page within this time are the same view.
const SAME_VIEW_SECS: i64 = 300;
const LOCK_SECS: i64 = 600;
const LONGEST_TEXT: usize = 4000;
const MOST_MARKS: usize = 100;

pub(super) fn routes() -> Vec<Route> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        route(get.clone(), "/api/v1/admin/submissions", Who::Reviewer, "The queue, oldest first.", list)
            .gives::<Page<SubmissionRow>>()
            .asks(&["stage", "campaign", "worker", "flag", "cursor"]),
        route(get, "/api/v1/admin/submissions/{id}", Who::Reviewer, "One take with all that is known of it.", show)
            .gives::<SubmissionDetail>(),
        route(post.clone(), "/api/v1/admin/submissions/{id}/lock", Who::Reviewer, "Says who looks at it.", lock)
            .gives::<Lock>(),
        route(post, "/api/v1/admin/submissions/{id}/review", Who::Reviewer, "The decision.", decide)
            .takes::<ReviewRequest>()
            .gives::<Reviewed>(),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    stage: Option<String>,
    campaign: Option<String>,
    worker: Option<String>,
    flag: Option<String>,
    /// Milliseconds and id of the last one seen, with a dot between.
    cursor: Option<String>,
}

async fn list(
    State(app): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Answer<Json<Page<SubmissionRow>>> {
    let Query(asked) = asked?;
    let after = asked.cursor.as_deref().map(|cursor| {
        let parts = cursor.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
        parts.ok_or_else(|| Problem::because(ErrorCode::InvalidRequest, "The cursor is none of this list's."))
    });
    if asked.stage.as_deref().is_some_and(|stage| SubmissionStage::ALL.iter().all(|known| known.as_str() != stage)) {
        return Err(Problem::because(ErrorCode::InvalidRequest, "There is no such stage of a submission."));
    }
    let is_flag = |flag: &str| flag.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if asked.flag.as_deref().is_some_and(|flag| !is_flag(flag)) {
        return Err(Problem::because(ErrorCode::InvalidRequest, "There is no such flag."));
    }
    let filter = Filter {
        stage: asked.stage,
        campaign: asked.campaign,
        worker: asked.worker,
        flag: asked.flag,
        after: after.transpose()?,
    };
    let items = store::review::list(app.store.read(), &filter, LIMIT).await?;
    let last = items.last().filter(|_| items.len() as i64 == LIMIT);
    let next_cursor = last.map(|last| format!("{}.{}", last.received_at.millis, last.id));
    Ok(Json(Page { items, next_cursor }))
}

pub(super) fn submission_id(id: &str) -> Answer<SubmissionId> {
    id.parse().map_err(|_| ErrorCode::NotFound.into())
}

async fn show(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<Json<SubmissionDetail>> {
    let id = submission_id(&id)?;
    let (pool, now) = (app.store.read(), app.clock.now());
    let mut detail = store::review::detail(pool, id).await?.ok_or(ErrorCode::NotFound)?;
    for artifact in store::artifact::list(pool, id).await? {
        let url = app.objects.signed_media(&artifact.object_key, now, ADDRESS_SECS).await?;
        detail.artifacts.insert(artifact.name, url);
    }
    if !detail.artifacts.is_empty() {
        note_view(&app, &caller, id).await?;
    }
    detail.redactions = store::redaction::list(pool, id).await?;
    detail.history = store::history::list(pool, id).await?;
    if caller.sees_money() {
        detail.payout = store::payout::of_submission(pool, id).await?;
    } else {
        detail.pay = None;
    }
    detail.next_id = store::review::next(pool, id).await?;
    Ok(Json(detail))
}

/// Who could watch a take is in the audit log before they can.
async fn note_view(app: &Shared, caller: &AdminCaller, id: SubmissionId) -> Answer<()> {
    let (now, subject) = (app.clock.now(), format!("submission {id}"));
    let (act, since) = (AuditAct::TakeViewed, now.plus_secs(-SAME_VIEW_SECS));
    if store::audit::is_recent(app.store.read(), &caller.name, act, &subject, since).await? {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    let what = format!("addresses of its media, for {} minutes", ADDRESS_SECS / 60);
    store::audit::append(&mut tx, &caller.actor(), act, &subject, &what, now).await?;
    Ok(tx.commit().await?)
}

async fn lock(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<Json<Lock>> {
    let (id, now) = (submission_id(&id)?, app.clock.now());
    let mut tx = app.store.begin().await?;
    store::submission::standing(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    let lock = store::lock::take(&mut tx, id, &caller.name, now.plus_secs(LOCK_SECS), now).await?;
    tx.commit().await?;
    Ok(Json(lock))
}

async fn decide(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
    body: Result<Json<ReviewRequest>, JsonRejection>,
) -> Answer<Json<Reviewed>> {
    let Json(decision) = body?;
    objection(&decision)?;
    let (id, now) = (submission_id(&id)?, app.clock.now());
    let mut tx = app.store.begin().await?;
    let standing = store::submission::standing(&mut tx, id).await?.ok_or(ErrorCode::NotFound)?;
    if standing.version != decision.version {
        return Err(ErrorCode::VersionConflict.into());
    }
    if store::redaction::is_open(&mut tx, id).await? {
        return Err(redaction::still_open());
    }
    let (to, assignment, sentence) = match decision.rating {
        1 => (SubmissionStage::Rejected, AssignmentStage::Rejected, "rejected"),
        2 => (SubmissionStage::Redo, AssignmentStage::Redo, "asked for another attempt"),
        _ => (SubmissionStage::Accepted, AssignmentStage::Accepted, "accepted"),
    };
    let in_review = match standing.stage {
        SubmissionStage::InReview => standing.stage,
        stage => stage.advance(SubmissionStage::InReview)?,
    };
    let to = in_review.advance(to)?;
    let assignment = standing.assignment_stage.advance(assignment)?;
    let entry = Audited::begin(&mut tx, format!("submission {id}")).await?;
    let change = Change { rating: Some(decision.rating), ..Change::default() };
    turn(&mut tx, &standing, to, &change, now).await?;
    turn_assignment(&mut tx, &standing, assignment, now).await?;
    store::review::insert(&mut tx, id, &caller.name, &decision, now).await?;
    let line = format!("{sentence}, {} of 5", decision.rating);
    store::history::add(&mut tx, id, now, &caller.name, &line).await?;
    let payout = match to {
        SubmissionStage::Accepted => Some(store::payout::accrue(&mut tx, &standing, now).await?),
        _ => None,
    };
    let what = match &payout {
        Some(PayoutView { amount, .. }) => format!("{line}, for {amount}"),
        None => line,
    };
    entry.end(&mut tx, &caller.actor(), AuditAct::ReviewDecided, &what, now).await?;
    crash::point("review.deciding");
    tx.commit().await?;
    crash::point("review.decided");
    let next_id = store::review::next(app.store.read(), id).await?;
    Ok(Json(Reviewed { stage: to, payout: payout.filter(|_| caller.sees_money()), next_id }))
}

fn objection(decision: &ReviewRequest) -> Answer<()> {
    let refuse = |why: &str| Err(Problem::because(ErrorCode::InvalidRequest, why));
    if !(1..=5).contains(&decision.rating) {
        return refuse("A rating is a whole number from 1 to 5.");
    }
    if decision.rating <= 2 && decision.reason.is_none() {
        return refuse("A rating of 1 or 2 needs its reason.");
    }
    let long = |text: &str| text.chars().count() > LONGEST_TEXT;
    let wrong_mark = |mark: &Mark| long(&mark.text) || !mark.t.is_finite() || mark.t < 0.0;
    if decision.note.as_deref().is_some_and(long) || decision.marks.iter().any(wrong_mark) {
        return refuse("A note or a mark is longer than 4,000 characters, or lies outside the take.");
    }
    if decision.marks.len() > MOST_MARKS {
        return refuse("A decision has at most 100 marks.");
    }
    Ok(())
}

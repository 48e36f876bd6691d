//! A person leaves: withdraws the consent, or wants everything gone. Both begin in one transaction; what lies outside the
//! database follows, and housekeeping repeats what a crash left undone. docs/decisions/0043-leaving-and-being-forgotten.md.

use shared_types::api::audit::AuditAct;
use shared_types::api::personal::ErasureView;
use shared_types::id::WorkerId;
use shared_types::lifecycle::InvalidTransition;
use shared_types::timestamp::Timestamp;
use shared_types::worker::WorkerStage;

use crate::app::Shared;
use crate::objects::{manifest_key, upload_key};
use crate::store::audit::Actor;
use crate::store::change::Audited;
use crate::store::erasure::Gone;
use crate::store::{self, StoreError, Tx};
use crate::uploads::{self, UploadError};
use crate::{condemned, crash};

/// "Without undue delay and in any event within one month" (GDPR, article 12).
const MONTH_SECS: i64 = 30 * 86_400;

#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    #[error("there is no such worker")]
    Unknown,
    #[error("the worker was changed meanwhile")]
    Changed,
    #[error(transparent)]
    Stage(#[from] InvalidTransition),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bytes(#[from] UploadError),
}

impl From<sqlx::Error> for LeaveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

pub type Left<T> = Result<T, LeaveError>;

/// Nothing of the worker is used from now on: takes leave the datasets, jobs over them end, goals are cancelled. Pay for
/// accepted work stays. Repeated, it changes nothing.
pub async fn withdraw(tx: &mut Tx, worker: WorkerId, actor: &Actor, now: Timestamp) -> Left<()> {
    store::worker::lock(tx, worker).await?;
    let standing = store::consent::standing_in(tx, worker).await?.ok_or(LeaveError::Unknown)?;
    if [WorkerStage::Withdrawn, WorkerStage::Erased].contains(&standing.stage) {
        return Ok(());
    }
    let change = Audited::begin(tx, format!("worker {worker}")).await?;
    if standing.stage != WorkerStage::Banned {
        let to = standing.stage.advance(WorkerStage::Withdrawn)?;
        if !store::leave::turn_worker(tx, worker, standing.stage, to).await? {
            return Err(LeaveError::Changed);
        }
    }
    store::consent::withdraw(tx, worker, now).await?;
    for id in store::leave::submissions(tx, worker).await? {
        for job in store::leave::jobs(tx, id).await? {
            store::job::lock(tx, job).await?;
            store::leave::cancel_job(tx, job, now).await?;
            store::job::condemn_leavings(tx, job, &[], now).await?;
        }
        if store::leave::withdraw_submission(tx, id, now).await? {
            store::history::add(tx, id, now, "worker", "The consent was withdrawn.").await?;
        }
    }
    store::leave::cancel_assignments(tx, worker, now).await?;
    let what = "the consent; the recordings leave the datasets";
    change.end(tx, actor, AuditAct::ConsentWithdrawn, what, now).await?;
    Ok(())
}

/// Withdraws, and condemns whatever was recorded or made of it. What stays: alias, stages, ratings, ledger and audit log,
/// none of which says who it was; and the names until [`finish`].
pub async fn erase(tx: &mut Tx, worker: WorkerId, actor: &Actor, now: Timestamp) -> Left<ErasureView> {
    withdraw(tx, worker, actor, now).await?;
    if let Some(earlier) = store::erasure::of_worker(tx, worker).await? {
        return Ok(earlier);
    }
    let mut gone = Gone::default();
    for id in store::leave::submissions(tx, worker).await? {
        gone.takes += 1;
        gone.bytes += store::leave::media_bytes(tx, id).await?;
        let manifest = store::submission::manifest(tx, id).await?;
        store::condemned::put(tx, &manifest_key(id, &manifest), now).await?;
        let files = store::submission::files_in(tx, id).await?;
        store::artifact::condemn_all(tx, id, now).await?;
        store::leave::blank_submission(tx, id, now).await?;
        for file in files {
            store::condemned::put(tx, &file.object_key, now).await?;
            store::upload::terminate(tx, &file.upload_id, now).await?;
            for copy in store::upload::terminate_copies(tx, worker, &file.sha256, now).await? {
                store::condemned::put(tx, &upload_key(&copy), now).await?;
            }
        }
        store::history::add(tx, id, now, "server", "The recording was erased: its maker asked for it.").await?;
    }
    store::leave::blank_access(tx, worker, now).await?;
    store::erasure::insert(tx, worker, (now, now.plus_secs(MONTH_SECS)), gone).await?;
    let what = format!("{} recordings of {} bytes are gone; the name goes when no pay is owed", gone.takes, gone.bytes);
    store::audit::append(tx, actor, AuditAct::ErasureAsked, &format!("worker {worker}"), &what, now).await?;
    store::erasure::of_worker(tx, worker).await?.ok_or(LeaveError::Unknown)
}

/// Ends the worker's uploads that became no submission, and removes all bytes that were condemned.
pub async fn remove_bytes(app: &Shared, worker: WorkerId) -> Left<()> {
    for id in store::leave::unbound_uploads(app.store.read(), worker).await? {
        match uploads::terminate(app, worker, &id).await {
            // Each of these says that the bytes are gone or condemned; not so `TakenOver`: another server writes it.
            Ok(())
            | Err(UploadError::Unknown | UploadError::Expired | UploadError::NoRecording | UploadError::Bound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(condemned::remove(app).await?)
}

/// The names go, if no pay is owed, or the month is over, or an admin says so. Gives the erasure as it then is.
pub async fn finish(app: &Shared, worker: WorkerId, actor: &Actor, is_forced: bool) -> Left<ErasureView> {
    remove_bytes(app, worker).await?;
    let open = finish_names(app, worker, actor, is_forced).await?;
    app.store.empty_log().await?;
    Ok(open)
}

async fn finish_names(app: &Shared, worker: WorkerId, actor: &Actor, is_forced: bool) -> Left<ErasureView> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    store::worker::lock(&mut tx, worker).await?;
    let open = store::erasure::of_worker(&mut tx, worker).await?.ok_or(LeaveError::Unknown)?;
    let may_go = is_forced || !open.is_owed_pay || open.due_at <= now;
    // The certificate says that no byte is left, so it waits for those that could not be removed yet.
    if open.done_at.is_some() || !may_go || store::condemned::waits(&mut tx, worker).await? {
        return Ok(open);
    }
    let change = Audited::begin(&mut tx, format!("worker {worker}")).await?;
    if !store::erasure::done(&mut tx, worker, now).await? {
        return Ok(open);
    }
    let stage = store::consent::standing_in(&mut tx, worker).await?.ok_or(LeaveError::Unknown)?.stage;
    store::leave::turn_worker(&mut tx, worker, stage, stage.advance(WorkerStage::Erased)?).await?;
    store::leave::blank_worker(&mut tx, worker).await?;
    let what = if open.is_owed_pay { "the name is gone, though pay was owed" } else { "the name is gone" };
    change.end(&mut tx, actor, AuditAct::ErasureDone, what, now).await?;
    let done = store::erasure::of_worker(&mut tx, worker).await?.ok_or(LeaveError::Unknown)?;
    crash::point("erasure.finishing");
    tx.commit().await?;
    crash::point("erasure.finished");
    Ok(done)
}

/// Goes on with every withdrawal whose bytes are still here, and every erasure that is not done.
pub async fn go_on(app: &Shared) -> Result<(), StoreError> {
    for worker in store::leave::unfinished(app.store.read()).await? {
        if app.stopping.is_cancelled() {
            break;
        }
        if let Err(error) = remove_bytes(app, worker).await {
            tracing::error!(%worker, "a withdrawal did not get through; the next round tries again: {error}");
        }
    }
    for worker in store::erasure::open(app.store.read()).await? {
        if app.stopping.is_cancelled() {
            break;
        }
        // One that does not get through keeps no other waiting.
        if let Err(error) = finish(app, worker, &Actor::server(), false).await {
            tracing::error!(%worker, "an erasure did not get through; the next round tries again: {error}");
        }
    }
    Ok(())
}

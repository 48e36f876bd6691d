//! Stored jobs: queued in the transaction that makes them true, leased to one machine at a time, ended once.

use std::collections::BTreeSet;

use shared_types::api::admin::JobRow;
use shared_types::api::job::JobProgress;
use shared_types::id::{CampaignId, JobId, SubmissionId};
use shared_types::job::{JobKind, JobStage};
use shared_types::quality::policy::Policy;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::alone::ring;
use super::{Engine, StoreError, Tx, condemned, row};

#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub submission_id: Option<SubmissionId>,
    pub campaign_id: CampaignId,
    pub stage: JobStage,
    pub attempt: u32,
    pub max_attempts: u32,
    pub lease_token: Option<String>,
    /// The answer that its completion was given, to be given again.
    pub result: Option<String>,
}

/// What a job over a submission works by.
#[derive(Debug, Clone)]
pub struct Task {
    pub goal: String,
    pub policy: Policy,
    /// `recording.json` as it was handed in.
    pub manifest: String,
}

/// How a job ended, or how it goes on.
#[derive(Debug, Clone)]
pub struct End<'a> {
    pub stage: JobStage,
    pub run_at: Timestamp,
    pub error: Option<&'a str>,
    pub result: Option<String>,
}

/// How often a job is begun before it is given up.
pub const MAX_ATTEMPTS: i64 = 5;

/// Queues a job; one of the same kind over the same input is there already and stays.
pub async fn queue(
    tx: &mut Tx,
    kind: JobKind,
    submission_id: Option<SubmissionId>,
    campaign_id: CampaignId,
    input_digest: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/job/queue.sql"))
        .bind(Uuid::now_v7().to_string())
        .bind(kind.as_str())
        .bind(submission_id.map(|id| id.to_string()))
        .bind(campaign_id.to_string())
        .bind(input_digest)
        .bind(now.millis)
        .bind(MAX_ATTEMPTS)
        .execute(&mut **tx)
        .await?;
    ring(tx).await
}

fn job(found: &AnyRow) -> Result<Job, StoreError> {
    Ok(Job {
        id: row::id(found, "id")?,
        kind: row::word(found, "kind")?,
        submission_id: row::maybe_id(found, "submission_id")?,
        campaign_id: row::id(found, "campaign_id")?,
        stage: row::word(found, "stage")?,
        attempt: row::number(found, "attempt")? as u32,
        max_attempts: row::number(found, "max_attempts")? as u32,
        lease_token: row::maybe_text(found, "lease_token")?,
        result: row::maybe_text(found, "result")?,
    })
}

pub async fn find(tx: &mut Tx, id: JobId) -> Result<Option<Job>, StoreError> {
    let query = sqlx::query(include_str!("sql/job/find.sql")).bind(id.to_string());
    query.fetch_optional(&mut **tx).await?.as_ref().map(job).transpose()
}

/// A job that nobody else changes until this change is done. Whoever changes a job and its submission begins here, so
/// that two never wait for each other.
pub async fn lock(tx: &mut Tx, id: JobId) -> Result<Option<Job>, StoreError> {
    sqlx::query(include_str!("sql/job/lock.sql")).bind(id.to_string()).execute(&mut **tx).await?;
    find(tx, id).await
}

/// Jobs whose machine was not heard of in time, and that nobody else is just giving back.
pub async fn lapsed(tx: &mut Tx, engine: Engine, now: Timestamp) -> Result<Vec<Job>, StoreError> {
    let text = match engine {
        Engine::Sqlite => include_str!("sql/job/lapsed_sqlite.sql"),
        Engine::Postgres => include_str!("sql/job/lapsed_postgres.sql"),
    };
    let query = sqlx::query(text).bind(now.millis);
    query.fetch_all(&mut **tx).await?.iter().map(job).collect()
}

/// Leases the job that waits longest; the attempt counts from here, so that a job that kills its machine runs out.
pub async fn claim(
    tx: &mut Tx,
    engine: Engine,
    kinds: &[JobKind],
    worker: &str,
    lease: (&str, Timestamp),
    now: Timestamp,
) -> Result<Option<Job>, StoreError> {
    let text = match engine {
        Engine::Sqlite => include_str!("sql/job/claim_sqlite.sql"),
        Engine::Postgres => include_str!("sql/job/claim_postgres.sql"),
    };
    let mut query = sqlx::query(text).bind(now.millis);
    for index in 0..JobKind::ALL.len() {
        query = query.bind(kinds.get(index).or(kinds.first()).map_or("", |kind| kind.as_str()));
    }
    let Some(found) = query.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let id: JobId = row::id(&found, "id")?;
    sqlx::query(include_str!("sql/job/lease.sql"))
        .bind(id.to_string())
        .bind(lease.0)
        .bind(lease.1.millis)
        .bind(worker)
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    find(tx, id).await
}

/// Queues a job again that was leased to nobody after all.
pub async fn unclaim(tx: &mut Tx, job: &Job, run_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/job/unclaim.sql")).bind(job.id.to_string());
    let query = query.bind(job.lease_token.clone()).bind(run_at.millis).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

pub async fn task(pool: &AnyPool, id: SubmissionId) -> Result<Option<Task>, StoreError> {
    let query = sqlx::query(include_str!("sql/job/task.sql")).bind(id.to_string());
    let task = |found: &AnyRow| {
        Ok(Task {
            goal: row::text(found, "goal")?,
            policy: row::json(found, "policy")?,
            manifest: row::text(found, "manifest")?,
        })
    };
    query.fetch_optional(pool).await?.as_ref().map(task).transpose()
}

/// False where the lease is lost.
pub async fn heartbeat(
    tx: &mut Tx,
    id: JobId,
    lease: (&str, Timestamp),
    progress: Option<&JobProgress>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("sql/job/heartbeat.sql"))
        .bind(id.to_string())
        .bind(lease.0)
        .bind(lease.1.millis)
        .bind(progress.map(row::to_json))
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Remembers that a job may put a result at this key.
pub async fn may_write(tx: &mut Tx, id: JobId, object_key: &str) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/job/output.sql")).bind(id.to_string()).bind(object_key.to_owned());
    query.execute(&mut **tx).await?;
    condemned::spare(tx, object_key).await
}

/// Where a job may put results.
pub async fn outputs(tx: &mut Tx, id: JobId) -> Result<BTreeSet<String>, StoreError> {
    let query = sqlx::query(include_str!("sql/job/outputs.sql")).bind(id.to_string());
    query.fetch_all(&mut **tx).await?.iter().map(|found| row::text(found, "object_key")).collect()
}

/// Condemns whatever a job that has ended may have written, other than what it handed in: leavings of earlier attempts.
pub async fn condemn_leavings(tx: &mut Tx, id: JobId, kept: &[String], now: Timestamp) -> Result<(), StoreError> {
    for object_key in outputs(tx, id).await? {
        if !kept.contains(&object_key) {
            condemned::put(tx, &object_key, now).await?;
        }
    }
    let query = sqlx::query(include_str!("sql/job/forget_outputs.sql")).bind(id.to_string());
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Ends a lease; false where it is not this one any more.
pub async fn end(tx: &mut Tx, job: &Job, end: &End<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("sql/job/end.sql"))
        .bind(job.id.to_string())
        .bind(job.lease_token.clone())
        .bind(end.stage.as_str())
        .bind(end.run_at.millis)
        .bind(end.error.map(str::to_owned))
        .bind(end.result.clone())
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A page of jobs, by id; all or those of one stage.
pub async fn list(
    pool: &AnyPool,
    stage: Option<JobStage>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<JobRow>, StoreError> {
    // Each has the condition that leads into an index: a planner finds none behind "is null or".
    let text = match stage {
        Some(_) => include_str!("sql/job/list_of_stage.sql"),
        None => include_str!("sql/job/list.sql"),
    };
    let mut query = sqlx::query(text).bind(after.map(str::to_owned)).bind(limit);
    if let Some(stage) = stage {
        query = query.bind(stage.as_str());
    }
    let listed = |found: &AnyRow| {
        Ok(JobRow {
            id: row::id(found, "id")?,
            kind: row::word(found, "kind")?,
            stage: row::word(found, "stage")?,
            submission_id: row::maybe_id(found, "submission_id")?,
            attempt: row::number(found, "attempt")? as u32,
            max_attempts: row::number(found, "max_attempts")? as u32,
            run_at: row::at(found, "run_at")?,
            worker: row::maybe_text(found, "worker")?,
            last_error: row::maybe_text(found, "last_error")?,
            updated_at: row::at(found, "updated_at")?,
        })
    };
    query.fetch_all(pool).await?.iter().map(listed).collect()
}

/// Dead jobs of one kind or all, some at a time, from after an id.
pub async fn dead(pool: &AnyPool, kind: Option<JobKind>, after: Option<JobId>) -> Result<Vec<JobId>, StoreError> {
    let query = sqlx::query(include_str!("sql/job/dead.sql")).bind(kind.map(JobKind::as_str));
    let query = query.bind(after.map(|id| id.to_string()));
    query.fetch_all(pool).await?.iter().map(|found| row::id(found, "id")).collect()
}

/// Queues a dead job again, with as many attempts as a new one; false where it is not dead. Its attempts go on to be
/// counted, so that a machine of an earlier one never writes where a later one does.
pub async fn retry(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/job/retry.sql")).bind(id.to_string()).bind(now.millis);
    let done = query.bind(MAX_ATTEMPTS).execute(&mut **tx).await?.rows_affected() == 1;
    ring(tx).await?;
    Ok(done)
}

/// Takes a dead job out of the list for good; false where it is not dead.
pub async fn cancel(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/job/cancel.sql")).bind(id.to_string()).bind(now.millis);
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

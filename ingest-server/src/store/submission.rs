//! Stored submissions: what was handed in for an assignment, and out of which uploads.

use shared_types::api::submission::{Receipt, SubmissionView, Track, UploadRef};
use shared_types::api::worker::PayoutView;
use shared_types::assignment::AssignmentStage;
use shared_types::id::{AssignmentId, CampaignId, ReceiptId, SubmissionId, WorkerId};
use shared_types::payout::Money;
use shared_types::quality::flag::Flag;
use shared_types::quality::judge::QualityReport;
use shared_types::quality::policy::Policy;
use shared_types::submission::SubmissionStage;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{StoreError, Tx, row};

/// What a repeated request is held against.
#[derive(Debug, Clone)]
pub struct Earlier {
    pub worker_id: WorkerId,
    pub stage: SubmissionStage,
    pub receipt_id: ReceiptId,
    pub request_sha256: String,
}

/// The assignment a recording is handed in for.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub campaign_id: CampaignId,
    pub stage: AssignmentStage,
    /// Recordings that were handed in for it before.
    pub attempts: i64,
}

#[derive(Debug, Clone)]
pub struct NewSubmission {
    pub id: SubmissionId,
    pub assignment_id: AssignmentId,
    pub worker_id: WorkerId,
    pub campaign_id: CampaignId,
    pub attempt: i64,
    pub stage: SubmissionStage,
    pub receipt_id: ReceiptId,
    pub request_sha256: String,
    pub manifest: String,
    pub received_at: Timestamp,
}

/// One file of a submission and where its bytes lie.
#[derive(Debug, Clone)]
pub struct StoredFile {
    pub track: Track,
    pub upload_id: String,
    pub bytes: u64,
    pub sha256: String,
    pub object_key: String,
}

pub async fn find(tx: &mut Tx, id: SubmissionId) -> Result<Option<Earlier>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/find.sql")).bind(id.to_string());
    let earlier = |found: &AnyRow| {
        Ok(Earlier {
            worker_id: row::id(found, "worker_id")?,
            stage: row::word(found, "stage")?,
            receipt_id: row::id(found, "receipt_id")?,
            request_sha256: row::text(found, "request_sha256")?,
        })
    };
    query.fetch_optional(&mut **tx).await?.as_ref().map(earlier).transpose()
}

/// A worker's own assignment.
pub async fn target(tx: &mut Tx, id: AssignmentId, worker_id: WorkerId) -> Result<Option<Target>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/assignment.sql"));
    let found = query.bind(id.to_string()).bind(worker_id.to_string()).fetch_optional(&mut **tx).await?;
    let target = |found: &AnyRow| {
        Ok(Target {
            campaign_id: row::id(found, "campaign_id")?,
            stage: row::word(found, "stage")?,
            attempts: row::number(found, "attempts")?,
        })
    };
    found.as_ref().map(target).transpose()
}

/// Moves the assignment on; `false` if it is at another stage by now.
pub async fn take_assignment(
    tx: &mut Tx,
    new: &NewSubmission,
    from: AssignmentStage,
    to: AssignmentStage,
) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("sql/submission/take_assignment.sql"))
        .bind(new.assignment_id.to_string())
        .bind(new.worker_id.to_string())
        .bind(from.as_str())
        .bind(to.as_str())
        .bind(new.received_at.millis)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn insert(tx: &mut Tx, new: &NewSubmission, files: &[StoredFile]) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/submission/insert.sql"))
        .bind(new.id.to_string())
        .bind(new.assignment_id.to_string())
        .bind(new.worker_id.to_string())
        .bind(new.campaign_id.to_string())
        .bind(new.attempt)
        .bind(new.stage.as_str())
        .bind(new.receipt_id.to_string())
        .bind(&new.request_sha256)
        .bind(&new.manifest)
        .bind(new.received_at.millis)
        .execute(&mut **tx)
        .await?;
    for file in files {
        sqlx::query(include_str!("sql/submission/insert_file.sql"))
            .bind(new.id.to_string())
            .bind(file.track.as_str())
            .bind(&file.upload_id)
            .bind(file.bytes as i64)
            .bind(&file.sha256)
            .bind(&file.object_key)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

pub async fn files(pool: &AnyPool, id: SubmissionId) -> Result<Vec<StoredFile>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/files.sql")).bind(id.to_string());
    query.fetch_all(pool).await?.iter().map(stored_file).collect()
}

pub async fn files_in(tx: &mut Tx, id: SubmissionId) -> Result<Vec<StoredFile>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/files.sql")).bind(id.to_string());
    query.fetch_all(&mut **tx).await?.iter().map(stored_file).collect()
}

fn stored_file(found: &AnyRow) -> Result<StoredFile, StoreError> {
    Ok(StoredFile {
        track: row::word(found, "track")?,
        upload_id: row::text(found, "upload_id")?,
        bytes: row::number(found, "bytes")? as u64,
        sha256: row::text(found, "sha256")?,
        object_key: row::text(found, "object_key")?,
    })
}

/// Puts other bytes in the place of a submission's file.
pub async fn replace_file(tx: &mut Tx, id: SubmissionId, file: &StoredFile) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/submission/replace_file.sql"))
        .bind(id.to_string())
        .bind(file.track.as_str())
        .bind(file.bytes as i64)
        .bind(&file.sha256)
        .bind(&file.object_key)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What a submission's manifest says.
pub async fn manifest(tx: &mut Tx, id: SubmissionId) -> Result<String, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/manifest.sql")).bind(id.to_string());
    row::text(&query.fetch_one(&mut **tx).await?, "manifest")
}

/// The same outside a change.
pub async fn manifest_of(pool: &AnyPool, id: SubmissionId) -> Result<String, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/manifest.sql")).bind(id.to_string());
    row::text(&query.fetch_one(pool).await?, "manifest")
}

/// Puts another manifest in the place of a submission's, and gives the earlier one.
pub async fn replace_manifest(tx: &mut Tx, id: SubmissionId, manifest: &str) -> Result<String, StoreError> {
    let earlier = self::manifest(&mut *tx, id).await?;
    let query = sqlx::query(include_str!("sql/submission/replace_manifest.sql")).bind(id.to_string());
    query.bind(manifest.to_owned()).execute(&mut **tx).await?;
    Ok(earlier)
}

/// A submission as its own worker sees it.
pub async fn view(pool: &AnyPool, id: SubmissionId, worker_id: WorkerId) -> Result<Option<SubmissionView>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/view.sql")).bind(id.to_string()).bind(worker_id.to_string());
    let Some(found) = query.fetch_optional(pool).await? else { return Ok(None) };
    let assignment_id = row::id(&found, "assignment_id")?;
    let payout = match row::maybe_id(&found, "payout_id")? {
        Some(payout_id) => Some(PayoutView {
            id: payout_id,
            assignment_id,
            submission_id: id,
            stage: row::word(&found, "payout_stage")?,
            amount: Money {
                amount_cents: row::number(&found, "payout_cents")?,
                currency: row::text(&found, "payout_currency")?,
            },
            created_at: row::at(&found, "payout_created_at")?,
        }),
        None => None,
    };
    let reason = match row::maybe_text(&found, "reason")? {
        Some(_) => Some(row::word(&found, "reason")?),
        None => None,
    };
    Ok(Some(SubmissionView {
        id,
        assignment_id,
        stage: row::word(&found, "stage")?,
        attempt: row::number(&found, "attempt")? as u32,
        receipt_id: row::id(&found, "receipt_id")?,
        received_at: row::at(&found, "received_at")?,
        report: row::maybe_json(&found, "report")?,
        rating: row::maybe_number(&found, "rating")?.map(|rating| rating as u8),
        reason,
        note: row::maybe_text(&found, "note")?,
        marks: row::maybe_json(&found, "marks")?.unwrap_or_default(),
        payout,
    }))
}

pub async fn receipt(pool: &AnyPool, id: ReceiptId, worker_id: WorkerId) -> Result<Option<Receipt>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/receipt.sql")).bind(id.to_string());
    let Some(found) = query.bind(worker_id.to_string()).fetch_optional(pool).await? else { return Ok(None) };
    let submission_id = row::id(&found, "id")?;
    let file = |file: StoredFile| UploadRef {
        track: file.track,
        upload_id: file.upload_id,
        bytes: file.bytes,
        sha256: file.sha256,
    };
    let files = files(pool, submission_id).await?.into_iter().map(file).collect();
    Ok(Some(Receipt { id, submission_id, received_at: row::at(&found, "received_at")?, files }))
}

/// Where a submission and its assignment stand, and what accepting it pays.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: SubmissionId,
    pub stage: SubmissionStage,
    pub version: i64,
    /// Their time was over, or their maker is gone.
    pub media_removed_at: Option<Timestamp>,
    pub assignment_id: AssignmentId,
    pub worker_id: WorkerId,
    pub campaign_id: CampaignId,
    pub assignment_stage: AssignmentStage,
    pub pay: Money,
    pub policy: Policy,
}

/// What a move of a submission writes besides its stage; what is none stays as it was.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub report: Option<QualityReport>,
    pub duration_secs: Option<f64>,
    pub duplicate_of: Option<SubmissionId>,
    pub rating: Option<u8>,
}

pub async fn standing(tx: &mut Tx, id: SubmissionId) -> Result<Option<Standing>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/standing.sql")).bind(id.to_string());
    let standing = |found: &AnyRow| {
        Ok(Standing {
            id,
            stage: row::word(found, "stage")?,
            version: row::number(found, "version")?,
            media_removed_at: row::maybe_at(found, "media_removed_at")?,
            assignment_id: row::id(found, "assignment_id")?,
            worker_id: row::id(found, "worker_id")?,
            campaign_id: row::id(found, "campaign_id")?,
            assignment_stage: row::word(found, "assignment_stage")?,
            pay: Money { amount_cents: row::number(found, "pay_cents")?, currency: row::text(found, "currency")? },
            policy: row::json(found, "policy")?,
        })
    };
    query.fetch_optional(&mut **tx).await?.as_ref().map(standing).transpose()
}

/// Saves a move that `advance` allowed; false where somebody changed the submission in the meantime.
pub async fn turn(
    tx: &mut Tx,
    from: &Standing,
    to: SubmissionStage,
    change: &Change,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let flags = change.report.as_ref().map(|report| {
        let flags: Vec<Flag> = report.flags.iter().map(|raised| raised.flag).collect();
        row::to_json(&flags)
    });
    let done = sqlx::query(include_str!("sql/submission/turn.sql"))
        .bind(from.id.to_string())
        .bind(from.version)
        .bind(to.as_str())
        .bind(change.report.as_ref().map(row::to_json))
        .bind(change.report.as_ref().map(|report| row::to_word(&report.verdict)))
        .bind(flags)
        // As text: sqlx gives PostgreSQL an absent double as another type than a present one, and a prepared statement
        // that has seen the one refuses the other.
        .bind(change.duration_secs.map(|secs| secs.to_string()))
        .bind(change.duplicate_of.map(|id| id.to_string()))
        .bind(change.rating.map(i64::from))
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn turn_assignment(
    tx: &mut Tx,
    from: &Standing,
    to: AssignmentStage,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("sql/submission/turn_assignment.sql"))
        .bind(from.assignment_id.to_string())
        .bind(from.assignment_stage.as_str())
        .bind(to.as_str())
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What the machine last said of it.
pub async fn report(tx: &mut Tx, id: SubmissionId) -> Result<Option<QualityReport>, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/report.sql")).bind(id.to_string());
    row::maybe_json(&query.fetch_one(&mut **tx).await?, "report")
}

/// What jobs over a submission are told apart by.
pub async fn video_sha256(tx: &mut Tx, id: SubmissionId) -> Result<String, StoreError> {
    let query = sqlx::query(include_str!("sql/submission/video_sha256.sql")).bind(id.to_string());
    row::text(&query.fetch_one(&mut **tx).await?, "sha256")
}

//! Stored artifacts: what jobs made of a submission, by name.

use shared_types::api::job::Artifact;
use shared_types::id::{JobId, SubmissionId};
use sqlx::AnyPool;

use super::{StoreError, Tx, row};

#[derive(Debug, Clone)]
pub struct StoredArtifact {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
    pub object_key: String,
}

/// Names an object as the submission's artifact; a later job's takes the place of an earlier one's.
pub async fn put(
    tx: &mut Tx,
    submission_id: SubmissionId,
    job_id: JobId,
    artifact: &Artifact,
    object_key: &str,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/artifact/put.sql"))
        .bind(submission_id.to_string())
        .bind(&artifact.name)
        .bind(job_id.to_string())
        .bind(artifact.bytes as i64)
        .bind(&artifact.sha256)
        .bind(object_key)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn list(pool: &AnyPool, submission_id: SubmissionId) -> Result<Vec<StoredArtifact>, StoreError> {
    let query = sqlx::query(include_str!("sql/artifact/list.sql")).bind(submission_id.to_string());
    let artifact = |found: &sqlx::any::AnyRow| {
        Ok(StoredArtifact {
            name: row::text(found, "name")?,
            bytes: row::number(found, "bytes")? as u64,
            sha256: row::text(found, "sha256")?,
            object_key: row::text(found, "object_key")?,
        })
    };
    query.fetch_all(pool).await?.iter().map(artifact).collect()
}

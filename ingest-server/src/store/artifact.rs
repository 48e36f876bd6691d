//! Stored artifacts: what jobs made of a submission, by name.

use std::collections::HashMap;

use shared_types::api::job::Artifact;
use shared_types::id::{JobId, SubmissionId};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{Engine, StoreError, Tx, condemned, row};

#[derive(Debug, Clone)]
pub struct StoredArtifact {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
    pub object_key: String,
}

/// Names an object as the submission's artifact; a later job's takes the place of an earlier one's, whose bytes must go.
pub async fn put(
    tx: &mut Tx,
    submission_id: SubmissionId,
    job_id: JobId,
    artifact: &Artifact,
    object_key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/artifact/find.sql")).bind(submission_id.to_string()).bind(&artifact.name);
    if let Some(found) = query.fetch_optional(&mut **tx).await? {
        let earlier = row::text(&found, "object_key")?;
        if earlier != object_key {
            condemned::put(tx, &earlier, now).await?;
        }
    }
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
    query.fetch_all(pool).await?.iter().map(stored).collect()
}

/// Those of several submissions, in one question.
pub async fn of_all(
    pool: &AnyPool,
    engine: Engine,
    ids: &[SubmissionId],
) -> Result<HashMap<SubmissionId, Vec<StoredArtifact>>, StoreError> {
    let text = match engine {
        Engine::Sqlite => include_str!("sql/artifact/of_all_sqlite.sql"),
        Engine::Postgres => include_str!("sql/artifact/of_all_postgres.sql"),
    };
    let ids: Vec<_> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    for found in &sqlx::query(text).bind(format!("[{}]", ids.join(","))).fetch_all(pool).await? {
        all.entry(row::id(found, "submission_id")?).or_default().push(stored(found)?);
    }
    Ok(all)
}

fn stored(found: &AnyRow) -> Result<StoredArtifact, StoreError> {
    Ok(StoredArtifact {
        name: row::text(found, "name")?,
        bytes: row::number(found, "bytes")? as u64,
        sha256: row::text(found, "sha256")?,
        object_key: row::text(found, "object_key")?,
    })
}

/// Forgets all artifacts of a submission, whose bytes must go.
pub async fn condemn_all(tx: &mut Tx, submission_id: SubmissionId, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/artifact/keys.sql")).bind(submission_id.to_string());
    for found in query.fetch_all(&mut **tx).await? {
        condemned::put(tx, &row::text(&found, "object_key")?, now).await?;
    }
    let query = sqlx::query(include_str!("sql/artifact/remove_all.sql")).bind(submission_id.to_string());
    query.execute(&mut **tx).await?;
    Ok(())
}

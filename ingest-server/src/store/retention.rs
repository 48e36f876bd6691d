//! Submissions whose media's time is over, and that it was removed.

use shared_types::id::SubmissionId;
use shared_types::submission::SubmissionStage;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;

use super::{StoreError, Tx, row};

/// Parameters for stages in the SQL files.
const MOST_STAGES: usize = 6;

/// What is looked for: submissions in one of these stages that did not change since a moment.
#[derive(Debug, Clone, Copy)]
pub struct Since<'a> {
    pub stages: &'a [SubmissionStage],
    pub before: Timestamp,
}

impl Since<'_> {
    /// Always as many; the first stands for those that are missing.
    fn words(&self) -> impl Iterator<Item = &'static str> {
        (0..MOST_STAGES).map(|at| self.stages.get(at).or(self.stages.first()).map_or("", |stage| stage.as_str()))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Due {
    pub id: SubmissionId,
    pub bytes: u64,
}

/// Some of them, by id, from after one.
pub async fn due(pool: &AnyPool, since: Since<'_>, after: Option<SubmissionId>) -> Result<Vec<Due>, StoreError> {
    let mut query = sqlx::query(include_str!("sql/retention/due.sql")).bind(since.before.millis);
    for word in since.words() {
        query = query.bind(word);
    }
    let found = query.bind(after.map(|id| id.to_string())).fetch_all(pool).await?;
    let due = |found| Ok(Due { id: row::id(found, "id")?, bytes: row::number(found, "bytes")?.max(0) as u64 });
    found.iter().map(due).collect()
}

/// Where its media lie.
pub async fn keys(tx: &mut Tx, id: SubmissionId) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query(include_str!("sql/retention/keys.sql")).bind(id.to_string());
    query.fetch_all(&mut **tx).await?.iter().map(|found| row::text(found, "object_key")).collect()
}

/// Writes down that they are gone; `false` if it is not due any more.
pub async fn mark(tx: &mut Tx, id: SubmissionId, since: Since<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/retention/mark.sql")).bind(id.to_string()).bind(now.millis);
    let mut query = query.bind(since.before.millis);
    for word in since.words() {
        query = query.bind(word);
    }
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

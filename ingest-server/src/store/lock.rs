//! Who looks at a submission just now; advice for other reviewers, nothing more.

use shared_types::api::review::Lock;
use shared_types::id::SubmissionId;
use shared_types::timestamp::Timestamp;

use super::{StoreError, Tx, row};

/// Takes or renews it, unless somebody else holds it; gives whose it is.
pub async fn take(
    tx: &mut Tx,
    id: SubmissionId,
    who: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<Lock, StoreError> {
    let query = sqlx::query(include_str!("sql/lock/take.sql")).bind(id.to_string()).bind(who.to_owned());
    query.bind(until.millis).bind(now.millis).execute(&mut **tx).await?;
    let found = sqlx::query(include_str!("sql/lock/find.sql")).bind(id.to_string()).fetch_one(&mut **tx).await?;
    Ok(Lock { held_by: row::text(&found, "held_by")?, until: row::at(&found, "held_until")? })
}

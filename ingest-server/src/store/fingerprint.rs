//! Stored fingerprints, and which submission a new one repeats.

use shared_types::fingerprint::{Fingerprints, compare};
use shared_types::id::{AssignmentId, SubmissionId};
use shared_types::quality::measurements::{DuplicateMeasures, Span};

use super::alone::alone;
use super::{StoreError, Tx, row};

/// The submission of another assignment that this one repeats most, with how much. All are compared, which a bench of
/// thousands of recordings will feel.
pub async fn find_repeated(
    tx: &mut Tx,
    assignment_id: AssignmentId,
    prints: &Fingerprints,
    secs: f64,
) -> Result<Option<(SubmissionId, DuplicateMeasures)>, StoreError> {
    // Two copies that come at once must meet: the later one sees what the earlier one put.
    alone(tx, "fingerprints").await?;
    let query = sqlx::query(include_str!("sql/fingerprint/others.sql")).bind(assignment_id.to_string());
    let mut best: Option<(SubmissionId, DuplicateMeasures)> = None;
    for found in query.fetch_all(&mut **tx).await? {
        let (other, earlier): (SubmissionId, Fingerprints) =
            (row::id(&found, "submission_id")?, row::json(&found, "prints")?);
        let (shared, spans) = if earlier.sha256 == prints.sha256 {
            (1.0, vec![Span::new(0.0, secs)])
        } else {
            let Some(likeness) = compare(prints, &earlier) else { continue };
            (likeness.shared, likeness.spans)
        };
        if best.as_ref().is_none_or(|(_, best)| best.shared < shared) {
            best = Some((other, DuplicateMeasures { of: other.to_string(), shared, spans }));
        }
    }
    Ok(best)
}

pub async fn put(
    tx: &mut Tx,
    id: SubmissionId,
    assignment_id: AssignmentId,
    prints: &Fingerprints,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/fingerprint/put.sql"))
        .bind(id.to_string())
        .bind(assignment_id.to_string())
        .bind(&prints.sha256)
        .bind(row::to_json(prints))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

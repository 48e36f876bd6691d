//! Stored fingerprints, and which submission a new one repeats.

use shared_types::fingerprint::{Fingerprints, Likeness, compare, compare_acts};
use shared_types::id::{AssignmentId, SubmissionId};
use shared_types::quality::measurements::{DuplicateMeasures, Span};

use super::alone::alone;
use super::{StoreError, Tx, row};

/// What a new submission repeats.
#[derive(Debug, Default)]
pub struct Repeats {
    /// In picture or sound.
    pub recording: Option<(SubmissionId, DuplicateMeasures)>,
    /// In its input events alone.
    pub input: Option<DuplicateMeasures>,
}

/// The submissions of other assignments that this one repeats most, with how much. All are compared, which a bench of
/// thousands of recordings will feel.
pub async fn find_repeated(
    tx: &mut Tx,
    assignment_id: AssignmentId,
    prints: &Fingerprints,
    secs: f64,
) -> Result<Repeats, StoreError> {
    // Two copies that come at once must meet: the later one sees what the earlier one put.
    alone(tx, "fingerprints").await?;
    let query = sqlx::query(include_str!("sql/fingerprint/others.sql")).bind(assignment_id.to_string());
    let mut repeats = Repeats::default();
    for found in query.fetch_all(&mut **tx).await? {
        let (other, earlier): (SubmissionId, Fingerprints) =
            (row::id(&found, "submission_id")?, row::json(&found, "prints")?);
        let measures =
            |Likeness { shared, spans }: Likeness| DuplicateMeasures { of: other.to_string(), shared, spans };
        let likeness = if earlier.sha256 == prints.sha256 {
            Some(Likeness { shared: 1.0, spans: vec![Span::new(0.0, secs)] })
        } else {
            compare(prints, &earlier)
        };
        if let Some(likeness) = likeness
            && repeats.recording.as_ref().is_none_or(|(_, best)| best.shared < likeness.shared)
        {
            repeats.recording = Some((other, measures(likeness)));
        }
        if let Some(likeness) = compare_acts(&prints.acts, &earlier.acts)
            && repeats.input.as_ref().is_none_or(|best| best.shared < likeness.shared)
        {
            repeats.input = Some(measures(likeness));
        }
    }
    Ok(repeats)
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

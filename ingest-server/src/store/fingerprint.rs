//! Stored fingerprints, and which submission a new one repeats.
//!
//! Every other one is compared: no index finds all that the comparison calls alike, since its tolerance is in bits and in
//! time. So it is done where it holds nobody up: [`survey`] reads them page by page, before the transaction that keeps the
//! new one and without a lock, and the transaction compares only those that came meanwhile. They are counted (`seq`) in the
//! order in which their transactions were committed. docs/decisions/0045-fingerprints-are-surveyed-first.md.

use std::sync::Arc;

use shared_types::fingerprint::{Fingerprints, Likeness, compare, compare_acts};
use shared_types::id::{AssignmentId, SubmissionId};
use shared_types::quality::measurements::{DuplicateMeasures, Span};
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::alone::alone;
use super::{StoreError, Tx, row};

const PAGE: i64 = 50;

/// What a new submission repeats.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repeats {
    /// In picture or sound.
    pub recording: Option<(SubmissionId, DuplicateMeasures)>,
    /// In its input events alone.
    pub input: Option<(SubmissionId, DuplicateMeasures)>,
}

/// A new submission's fingerprints and what is asked of them.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Earlier attempts at the same one do not count.
    pub assignment_id: AssignmentId,
    pub prints: Arc<Fingerprints>,
    /// How long the recording is.
    pub secs: f64,
}

/// What was found among those that were there, up to one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    seq: i64,
    repeats: Repeats,
}

impl Survey {
    /// Of none.
    const NONE: Self = Self { seq: -1, repeats: Repeats { recording: None, input: None } };
}

/// A page of others, not parsed yet.
type Page = Vec<(SubmissionId, String)>;

impl Repeats {
    fn look(&mut self, asked: &Asked, other: SubmissionId, earlier: &Fingerprints) {
        let measures =
            |Likeness { shared, spans }: Likeness| DuplicateMeasures { of: other.to_string(), shared, spans };
        let likeness = if earlier.sha256 == asked.prints.sha256 {
            Some(Likeness { shared: 1.0, spans: vec![Span::new(0.0, asked.secs)] })
        } else {
            compare(&asked.prints, earlier)
        };
        if let Some(likeness) = likeness
            && self.recording.as_ref().is_none_or(|(_, best)| best.shared < likeness.shared)
        {
            self.recording = Some((other, measures(likeness)));
        }
        if let Some(likeness) = compare_acts(&asked.prints.acts, &earlier.acts)
            && self.input.as_ref().is_none_or(|(_, best)| best.shared < likeness.shared)
        {
            self.input = Some((other, measures(likeness)));
        }
    }

    fn look_at_page(mut self, asked: &Asked, page: &Page) -> Result<Self, StoreError> {
        for (other, text) in page {
            let earlier: Fingerprints = serde_json::from_str(text)
                .map_err(|error| StoreError::Value { column: "prints", value: error.to_string() })?;
            self.look(asked, *other, &earlier);
        }
        Ok(self)
    }

    fn others(&self) -> impl Iterator<Item = SubmissionId> {
        [&self.recording, &self.input].into_iter().flatten().map(|(other, _)| *other)
    }
}

fn page(found: &[AnyRow]) -> Result<(i64, Page), StoreError> {
    let seq = found.last().map_or(Ok(-1), |last| row::number(last, "seq"))?;
    let one = |found: &AnyRow| Ok((row::id(found, "submission_id")?, row::text(found, "prints")?));
    Ok((seq, found.iter().map(one).collect::<Result<_, StoreError>>()?))
}

/// Compares with all that are there now. It takes as long as they are many, and neither a lock nor a thread that answers.
pub async fn survey(pool: &AnyPool, asked: &Asked) -> Result<Survey, StoreError> {
    let Survey { mut seq, mut repeats } = Survey::NONE;
    loop {
        let query = sqlx::query(include_str!("sql/fingerprint/others.sql")).bind(asked.assignment_id.to_string());
        let found = query.bind(seq).bind(PAGE).fetch_all(pool).await?;
        if found.is_empty() {
            return Ok(Survey { seq, repeats });
        }
        let (last, some) = page(&found)?;
        let of = asked.clone();
        let compared = tokio::task::spawn_blocking(move || repeats.look_at_page(&of, &some)).await;
        repeats = compared.map_err(|error| StoreError::Value { column: "prints", value: error.to_string() })??;
        seq = last;
    }
}

/// The submissions of other assignments that this one repeats most, with how much.
pub async fn find_repeated(tx: &mut Tx, asked: &Asked, survey: Survey) -> Result<Repeats, StoreError> {
    // Two copies that come at once must meet: the later one sees what the earlier one put.
    alone(tx, "fingerprints").await?;
    let mut survey = survey;
    for other in survey.repeats.clone().others() {
        if !is_there(tx, other).await? {
            // It was erased meanwhile, and the second best is not known.
            survey = Survey::NONE;
        }
    }
    let Survey { mut seq, mut repeats } = survey;
    loop {
        let query = sqlx::query(include_str!("sql/fingerprint/others.sql")).bind(asked.assignment_id.to_string());
        let found = query.bind(seq).bind(PAGE).fetch_all(&mut **tx).await?;
        if found.is_empty() {
            return Ok(repeats);
        }
        let (last, some) = page(&found)?;
        repeats = repeats.look_at_page(asked, &some)?;
        seq = last;
    }
}

async fn is_there(tx: &mut Tx, id: SubmissionId) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/fingerprint/exists.sql")).bind(id.to_string());
    Ok(row::number(&query.fetch_one(&mut **tx).await?, "found")? > 0)
}

/// After [`find_repeated`], in the same transaction.
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

//! An act that changes something: its entry in the audit log has the hash of what was changed, as it was before and as it
//! is after, so that a copy of either can be held against the log. Here is what counts as the state of each noun. Names of
//! workers and texts of people are not in it: a hash of so little could be guessed, and stays for ever.

use serde_json::Value;
use shared_types::api::audit::AuditAct;
use shared_types::timestamp::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Column, Row};

use super::audit::{Actor, Beside, write};
use super::{StoreError, Tx, row};
use crate::secret::digest;

/// What is read of a noun; the first statement finds nothing where there is no such.
fn statements(noun: &str) -> &'static [&'static str] {
    match noun {
        "admin" => &[include_str!("sql/change/admin.sql")],
        "campaign" => &[
            include_str!("sql/change/campaign.sql"),
            include_str!("sql/change/tiers.sql"),
            include_str!("sql/change/scenarios.sql"),
        ],
        "job" => &[include_str!("sql/change/job.sql")],
        "submission" => &[
            include_str!("sql/change/submission.sql"),
            include_str!("sql/change/reviews.sql"),
            include_str!("sql/change/ledger.sql"),
            include_str!("sql/change/payout.sql"),
        ],
        "token" => &[include_str!("sql/change/token.sql")],
        "worker" => &[include_str!("sql/change/worker.sql"), include_str!("sql/change/consents.sql")],
        _ => &[],
    }
}

/// Begun before the act, in its transaction.
#[derive(Debug)]
pub struct Audited {
    subject: String,
    before: Option<String>,
}

impl Audited {
    /// `subject` is that of the entry: a noun and an id.
    pub async fn begin(tx: &mut Tx, subject: String) -> Result<Self, StoreError> {
        // Nothing else of a login orders two changes of it.
        if let Some(email) = subject.strip_prefix("admin ") {
            sqlx::query(include_str!("sql/change/lock_admin.sql")).bind(email.to_owned()).execute(&mut **tx).await?;
        }
        let before = state(tx, &subject).await?;
        Ok(Self { subject, before })
    }

    /// Of something that is made.
    pub fn of_new(subject: String) -> Self {
        Self { subject, before: None }
    }

    /// Writes down what was done. It goes last in a transaction, as [`super::audit::append`] does.
    pub async fn end(
        self,
        tx: &mut Tx,
        actor: &Actor,
        act: AuditAct,
        what: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let state_after = state(tx, &self.subject).await?;
        let beside = Beside { state_before: self.before, state_after, address: None };
        write(tx, actor, (act, &self.subject, what), beside, now).await
    }
}

/// The hash of all that is read; none where there is no such thing.
async fn state(tx: &mut Tx, subject: &str) -> Result<Option<String>, StoreError> {
    let (noun, id) = subject.split_once(' ').unwrap_or((subject, ""));
    let mut all: Vec<Vec<Vec<(String, Value)>>> = Vec::new();
    for text in statements(noun) {
        let found = sqlx::query(*text).bind(id.to_owned()).fetch_all(&mut **tx).await?;
        let rows: Result<Vec<_>, _> = found.iter().map(cells).collect();
        all.push(rows?);
    }
    let is_there = all.first().is_some_and(|rows| !rows.is_empty());
    Ok(is_there.then(|| digest(&row::to_json(&all))))
}

/// By name, alike on both engines: text, whole numbers and null.
fn cells(found: &AnyRow) -> Result<Vec<(String, Value)>, StoreError> {
    let cell = |name: &str| {
        let text = found.try_get::<Option<String>, _>(name).map(Value::from);
        text.or_else(|_| found.try_get::<Option<i64>, _>(name).map(Value::from))
    };
    found.columns().iter().map(|column| Ok((column.name().to_owned(), cell(column.name())?))).collect()
}

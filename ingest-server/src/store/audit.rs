//! The audit log: appended to in the transaction of the act itself, so that neither is there without the other. Each
//! row's hash is made over its fields and the hash of the row before it.

use shared_types::api::audit::{AuditAct, AuditRow};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{StoreError, Tx, row};
use crate::secret::digest;

const READ_AT_ONCE: i64 = 500;

/// Who does something: a login's e-mail or a token's name, and the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub name: String,
    pub request_id: Option<String>,
}

impl Actor {
    /// Whoever may run commands on the server's machine.
    pub fn command_line() -> Self {
        Self { name: "command line".to_owned(), request_id: None }
    }

    /// The server by itself.
    pub fn server() -> Self {
        Self { name: "server".to_owned(), request_id: None }
    }
}

/// Writes down what was done. It goes last in a transaction: the next to append waits for its commit.
pub async fn append(
    tx: &mut Tx,
    actor: &Actor,
    act: AuditAct,
    subject: &str,
    what: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/audit/begin.sql")).execute(&mut **tx).await?;
    let end = sqlx::query(include_str!("sql/audit/lock.sql")).fetch_one(&mut **tx).await?;
    let (before, seq) = (row::text(&end, "sha256")?, row::number(&end, "seq")?);
    let mut entry = AuditRow {
        seq,
        at: now,
        who: actor.name.clone(),
        act,
        subject: subject.to_owned(),
        what: what.to_owned(),
        request_id: actor.request_id.clone(),
        sha256: String::new(),
    };
    entry.sha256 = hash(&entry, &row::to_word(&act), &before);
    sqlx::query(include_str!("sql/audit/insert.sql"))
        .bind(entry.seq)
        .bind(now.millis)
        .bind(entry.who)
        .bind(row::to_word(&act))
        .bind(entry.subject)
        .bind(entry.what)
        .bind(entry.request_id)
        .bind(before)
        .bind(entry.sha256.clone())
        .execute(&mut **tx)
        .await?;
    sqlx::query(include_str!("sql/audit/end.sql")).bind(entry.sha256).execute(&mut **tx).await?;
    Ok(())
}

/// As JSON, so that no two rows read alike.
fn hash(entry: &AuditRow, act: &str, before: &str) -> String {
    let fields =
        (before, entry.seq, entry.at.millis, &entry.who, act, &entry.subject, &entry.what, entry.request_id.as_deref());
    digest(&row::to_json(&fields))
}

fn entry(found: &AnyRow) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        seq: row::number(found, "seq")?,
        at: row::at(found, "at")?,
        who: row::text(found, "who")?,
        act: row::word(found, "act")?,
        subject: row::text(found, "subject")?,
        what: row::text(found, "what")?,
        request_id: row::maybe_text(found, "request_id")?,
        sha256: row::text(found, "sha256")?,
    })
}

/// Newest first, those before one.
pub async fn list(pool: &AnyPool, before: Option<i64>, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/audit/list.sql")).bind(before).bind(limit);
    query.fetch_all(pool).await?.iter().map(entry).collect()
}

/// Whether somebody did this to that after a time.
pub async fn is_recent(
    pool: &AnyPool,
    who: &str,
    act: AuditAct,
    subject: &str,
    after: Timestamp,
) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/audit/find_recent.sql"));
    let query = query.bind(subject.to_owned()).bind(after.millis).bind(who.to_owned()).bind(row::to_word(&act));
    Ok(query.fetch_optional(pool).await?.is_some())
}

/// What the chain came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// So many entries, and the hash of the last.
    Whole { entries: i64, sha256: String },
    /// The first entry that is not as it was written, and why.
    Broken { seq: i64, why: &'static str },
}

/// An entry after the end of the chain. The entries are asked for first: what is appended meanwhile moves the end too.
async fn beyond_end(pool: &AnyPool) -> Result<Option<i64>, StoreError> {
    let newest = list(pool, None, 1).await?.first().map_or(0, |entry| entry.seq);
    let end = sqlx::query(include_str!("sql/audit/find_end.sql")).fetch_optional(pool).await?;
    let last = end.map_or(Ok(0), |end| row::number(&end, "seq"))?;
    Ok((newest > last).then_some(last + 1))
}

/// Reads the whole chain and makes every hash anew.
pub async fn verify(pool: &AnyPool) -> Result<Chain, StoreError> {
    let end = sqlx::query(include_str!("sql/audit/find_end.sql")).fetch_optional(pool).await?;
    let (last, last_sha256) = match &end {
        Some(end) => (row::number(end, "seq")?, row::text(end, "sha256")?),
        None => (0, String::new()),
    };
    let (mut seq, mut before) = (0, String::new());
    loop {
        let query = sqlx::query(include_str!("sql/audit/from.sql")).bind(seq).bind(READ_AT_ONCE);
        let rows = query.fetch_all(pool).await?;
        if rows.is_empty() {
            break;
        }
        for found in &rows {
            seq += 1;
            let broken = |why| Ok(Chain::Broken { seq, why });
            if row::number(found, "seq")? != seq {
                return broken("it is missing");
            }
            // An act that this program does not know is not of its making either.
            let Ok(entry) = entry(found) else { return broken("it cannot be read") };
            if row::text(found, "before_sha256")? != before {
                return broken("it does not follow on the one before it");
            }
            if hash(&entry, &row::text(found, "act")?, &before) != entry.sha256 {
                return broken("it was changed after it was written");
            }
            before = entry.sha256;
            // What was appended after the end was read is looked at the next time.
            if seq == last {
                break;
            }
        }
        if seq == last {
            break;
        }
    }
    if seq < last {
        return Ok(Chain::Broken { seq: seq + 1, why: "it is missing, and all after it" });
    }
    if let Some(seq) = beyond_end(pool).await? {
        return Ok(Chain::Broken { seq, why: "it was not appended by the server" });
    }
    if before != last_sha256 {
        return Ok(Chain::Broken { seq: last, why: "the end of the chain names another hash" });
    }
    Ok(Chain::Whole { entries: seq, sha256: before })
}

//! The audit log: appended to in the transaction of the act itself, so that neither is there without the other. Each
//! row's hash is made over its fields and the hash of the row before it. Nothing of that is ever removed, so where somebody
//! logged in from is not in it: the row has a hash of it with a salt, and both lie beside it until their time is over.

use shared_types::api::audit::{AuditAct, AuditRow};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{StoreError, Tx, row};
use crate::secret::{SecretKind, digest, new_secret};

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
    write(tx, actor, (act, subject, what), Beside::default(), now).await
}

/// The same with where it was done from.
pub async fn append_from(
    tx: &mut Tx,
    actor: &Actor,
    (act, subject, what): (AuditAct, &str, &str),
    address: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let beside = Beside { address: Some(address.to_owned()), ..Beside::default() };
    write(tx, actor, (act, subject, what), beside, now).await
}

/// What an entry may have besides its words.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Hashes of what was changed ([`super::change`]).
    pub state_before: Option<String>,
    pub state_after: Option<String>,
    pub address: Option<String>,
}

pub(super) async fn write(
    tx: &mut Tx,
    actor: &Actor,
    (act, subject, what): (AuditAct, &str, &str),
    beside: Beside,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/audit/begin.sql")).execute(&mut **tx).await?;
    let end = sqlx::query(include_str!("sql/audit/lock.sql")).fetch_one(&mut **tx).await?;
    let (before, seq) = (row::text(&end, "sha256")?, row::number(&end, "seq")?);
    let salt = beside.address.is_some().then(|| new_secret(SecretKind::Salt)).transpose()?;
    let address_sha256 = salt.as_deref().zip(beside.address.as_deref()).map(|(salt, address)| salted(salt, address));
    let mut entry = AuditRow {
        seq,
        at: now,
        who: actor.name.clone(),
        act,
        subject: subject.to_owned(),
        what: what.to_owned(),
        request_id: actor.request_id.clone(),
        address: beside.address,
        state_before_sha256: beside.state_before,
        state_after_sha256: beside.state_after,
        sha256: String::new(),
    };
    entry.sha256 = hash(&entry, &row::to_word(&act), address_sha256.as_deref(), &before);
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
        .bind(entry.state_before_sha256)
        .bind(entry.state_after_sha256)
        .bind(address_sha256)
        .execute(&mut **tx)
        .await?;
    if let (Some(salt), Some(address)) = (salt, entry.address) {
        let query = sqlx::query(include_str!("sql/audit/keep_address.sql")).bind(entry.seq).bind(now.millis);
        query.bind(salt).bind(address).execute(&mut **tx).await?;
    }
    sqlx::query(include_str!("sql/audit/end.sql")).bind(entry.sha256).execute(&mut **tx).await?;
    Ok(())
}

fn salted(salt: &str, address: &str) -> String {
    digest(&row::to_json(&(salt, address)))
}

/// As JSON, so that no two rows read alike. One that has nothing besides its words is hashed as all were before there was more.
fn hash(entry: &AuditRow, act: &str, address_sha256: Option<&str>, before: &str) -> String {
    let words =
        (before, entry.seq, entry.at.millis, &entry.who, act, &entry.subject, &entry.what, entry.request_id.as_deref());
    let beside = (entry.state_before_sha256.as_deref(), entry.state_after_sha256.as_deref(), address_sha256);
    digest(&if beside == (None, None, None) { row::to_json(&words) } else { row::to_json(&(words, beside)) })
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
        address: row::maybe_text(found, "address")?,
        state_before_sha256: row::maybe_text(found, "state_before_sha256")?,
        state_after_sha256: row::maybe_text(found, "state_after_sha256")?,
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

/// How many addresses are older than that.
pub async fn old_addresses(pool: &AnyPool, before: Timestamp) -> Result<u64, StoreError> {
    let query = sqlx::query(include_str!("sql/audit/old_addresses.sql")).bind(before.millis);
    Ok(row::number(&query.fetch_one(pool).await?, "found")?.max(0) as u64)
}

/// Forgets them; the entries stay, and the chain holds.
pub async fn forget_addresses(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    let query = sqlx::query(include_str!("sql/audit/forget_addresses.sql")).bind(before.millis);
    Ok(query.execute(&mut **tx).await?.rows_affected())
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
            let address_sha256 = row::maybe_text(found, "address_sha256")?;
            if hash(&entry, &row::text(found, "act")?, address_sha256.as_deref(), &before) != entry.sha256 {
                return broken("it was changed after it was written");
            }
            // One whose time was over is gone.
            if let (Some(salt), Some(address)) = (row::maybe_text(found, "salt")?, &entry.address)
                && address_sha256 != Some(salted(&salt, address))
            {
                return broken("its address was changed after it was written");
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

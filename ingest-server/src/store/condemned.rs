//! Objects whose bytes must go. They are written down in the transaction that makes them useless and removed after it, so
//! that a crash between the two leaves nothing behind.

use shared_types::id::WorkerId;
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;

use super::{AnyExecutor, StoreError, Tx, row};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condemned {
    pub object_key: String,
    /// It was removed before, while signed addresses could still bring it back.
    pub is_last: bool,
}

pub async fn put(tx: &mut Tx, object_key: &str, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/condemned/put.sql")).bind(object_key.to_owned()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Something new may come to lie there: a job that was given up and is tried again counts its attempts anew.
pub async fn spare(tx: &mut Tx, object_key: &str) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/condemned/spare.sql")).bind(object_key.to_owned());
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Whether it is written down already.
pub async fn is_there<'e>(executor: impl AnyExecutor<'e>, object_key: &str) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/condemned/find.sql")).bind(object_key.to_owned());
    Ok(query.fetch_optional(executor).await?.is_some())
}

pub async fn due(pool: &AnyPool, now: Timestamp, limit: i64) -> Result<Vec<Condemned>, StoreError> {
    let query = sqlx::query(include_str!("sql/condemned/due.sql")).bind(now.millis).bind(limit);
    let condemned = |found: &sqlx::any::AnyRow| {
        Ok(Condemned { object_key: row::text(found, "object_key")?, is_last: row::number(found, "is_last")? == 1 })
    };
    query.fetch_all(pool).await?.iter().map(condemned).collect()
}

/// Its bytes are gone: it is looked at once more at `again`, and forgotten after that.
pub async fn removed(tx: &mut Tx, one: &Condemned, again: Timestamp) -> Result<(), StoreError> {
    let query = if one.is_last {
        sqlx::query(include_str!("sql/condemned/forget.sql")).bind(one.object_key.clone())
    } else {
        sqlx::query(include_str!("sql/condemned/again.sql")).bind(one.object_key.clone()).bind(again.millis)
    };
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Its bytes are still there: it is tried again at `again`.
pub async fn put_off(tx: &mut Tx, one: &Condemned, again: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/condemned/put_off.sql")).bind(one.object_key.clone()).bind(again.millis);
    // Another server may have removed it meanwhile.
    query.bind(i64::from(one.is_last)).execute(&mut **tx).await?;
    Ok(())
}

/// Whether anything that a worker sent, or that was made of it, is condemned and was not removed yet.
pub async fn waits(tx: &mut Tx, worker: WorkerId) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/condemned/waits.sql")).bind(worker.to_string());
    Ok(row::number(&query.fetch_one(&mut **tx).await?, "found")? > 0)
}

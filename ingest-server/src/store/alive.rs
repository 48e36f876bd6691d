//! When servers of this database were there. Times in which none was are kept: what was stored then is not this
//! database's, which is an older one than the store, or another.

use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;

use super::{StoreError, Tx, row};

/// Longer than any server is silent.
const ABSENT_SECS: i64 = 10 * 60;

/// A time in which no server of this database was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    pub began_at: Timestamp,
    pub ended_at: Timestamp,
}

impl Absence {
    pub fn holds(&self, t: Timestamp) -> bool {
        self.began_at < t && t <= self.ended_at
    }
}

/// Notes that a server is there, and how long none was: nobody could go on with an upload, or hand one in, meanwhile.
pub async fn tell(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    let last = sqlx::query(include_str!("sql/alive/last.sql")).fetch_optional(&mut **tx).await?;
    let last = last.as_ref().map(|found| row::number(found, "at")).transpose()?.map(Timestamp::from_millis);
    if let Some(last) = last.filter(|last| last.plus_secs(ABSENT_SECS) < now) {
        // Of several that come back at once, one writes it down.
        let query = sqlx::query(include_str!("sql/alive/first.sql")).bind(last.millis).bind(now.millis);
        if query.execute(&mut **tx).await?.rows_affected() == 0 {
            return Ok(());
        }
        note_absence(tx, last, now).await?;
        let query = sqlx::query(include_str!("sql/alive/lengthen.sql")).bind(now.millis - last.millis);
        query.execute(&mut **tx).await?;
    }
    sqlx::query(include_str!("sql/alive/tell.sql")).bind(now.millis).execute(&mut **tx).await?;
    Ok(())
}

/// Notes a time in which others than servers of this database may have stored something: since a backup was made, until it
/// was put back, however short that is.
pub async fn note_absence(tx: &mut Tx, began_at: Timestamp, ended_at: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/alive/absent.sql")).bind(began_at.millis).bind(ended_at.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

pub async fn absences(pool: &AnyPool) -> Result<Vec<Absence>, StoreError> {
    let found = sqlx::query(include_str!("sql/alive/absences.sql")).fetch_all(pool).await?;
    let at = |found: &sqlx::any::AnyRow, name| Ok::<_, StoreError>(Timestamp::from_millis(row::number(found, name)?));
    found
        .iter()
        .map(|found| Ok(Absence { began_at: at(found, "began_at")?, ended_at: at(found, "ended_at")? }))
        .collect()
}

//! Logins of admins and reviewers; the cookie's value is stored as its hash.

use shared_types::api::review::{AdminRole, LoginView};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Tx, row};

/// Seconds without a request, and in all, after which a login ends.
pub const IDLE_SECS: i64 = 30 * 60;
pub const LONGEST_SECS: i64 = 12 * 60 * 60;

#[derive(Debug, Clone)]
pub struct Login {
    pub admin_id: String,
    pub email: String,
    pub role: AdminRole,
    pub seen_at: Timestamp,
    /// When password or code were shown last.
    pub proven_at: Timestamp,
    pub has_second_factor: bool,
}

/// The login behind a cookie, if it has not run out.
pub async fn find(store: &Store, id_sha256: &str, now: Timestamp) -> Result<Option<Login>, StoreError> {
    let found = sqlx::query(include_str!("sql/session/find.sql")).bind(id_sha256).fetch_optional(store.read()).await?;
    let Some(found) = found else { return Ok(None) };
    let (created, seen) = (row::at(&found, "created_at")?, row::at(&found, "seen_at")?);
    if created.plus_secs(LONGEST_SECS) < now || seen.plus_secs(IDLE_SECS) < now {
        return Ok(None);
    }
    Ok(Some(Login {
        admin_id: row::text(&found, "id")?,
        email: row::text(&found, "email")?,
        role: row::word(&found, "role")?,
        seen_at: seen,
        proven_at: row::at(&found, "proven_at")?,
        has_second_factor: row::maybe_at(&found, "confirmed_at")?.is_some(),
    }))
}

/// What a login is tried against.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    pub role: AdminRole,
    pub password_hash: String,
}

pub async fn account(pool: &AnyPool, email: &str) -> Result<Option<Account>, StoreError> {
    let found = sqlx::query(include_str!("sql/session/login.sql")).bind(email).fetch_optional(pool).await?;
    let account = |found: &AnyRow| {
        Ok(Account {
            id: row::text(found, "id")?,
            role: row::word(found, "role")?,
            password_hash: row::text(found, "password_hash")?,
        })
    };
    found.as_ref().map(account).transpose()
}

/// Forgets everybody's that ran out.
pub async fn lapse(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/session/lapsed.sql"))
        .bind(now.plus_secs(-LONGEST_SECS).millis)
        .bind(now.plus_secs(-IDLE_SECS).millis)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn begin(
    tx: &mut Tx,
    account_id: &str,
    id_sha256: &str,
    (address, browser): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/session/begin.sql")).bind(id_sha256.to_owned());
    let query = query.bind(account_id.to_owned()).bind(now.millis);
    query.bind(address.to_owned()).bind(browser.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

/// A login's name among those of its person: half of its hash, which nobody can make a cookie of.
fn name(id_sha256: &str) -> &str {
    id_sha256.get(..32).unwrap_or(id_sha256)
}

/// A person's logins that have not run out, the one used last first; `own` is the one that asks.
pub async fn list(pool: &AnyPool, admin_id: &str, own: &str, now: Timestamp) -> Result<Vec<LoginView>, StoreError> {
    let query = sqlx::query(include_str!("sql/session/of_admin.sql")).bind(admin_id.to_owned());
    let query = query.bind(now.plus_secs(-LONGEST_SECS).millis).bind(now.plus_secs(-IDLE_SECS).millis);
    let view = |found: &AnyRow| {
        let id_sha256 = row::text(found, "id_sha256")?;
        Ok(LoginView {
            id: name(&id_sha256).to_owned(),
            began_at: row::at(found, "created_at")?,
            seen_at: row::at(found, "seen_at")?,
            address: row::text(found, "address")?,
            browser: row::text(found, "browser")?,
            is_this: id_sha256 == own,
        })
    };
    query.fetch_all(pool).await?.iter().map(view).collect()
}

/// Ends one of a person's logins, by its name in the list; `false` where there is no such.
pub async fn end_one(tx: &mut Tx, admin_id: &str, id: &str) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/session/end_one.sql")).bind(admin_id.to_owned()).bind(id.to_owned());
    Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
}

pub async fn seen(tx: &mut Tx, id_sha256: &str, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/session/seen.sql")).bind(id_sha256.to_owned()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Password or code were shown again.
pub async fn proven(tx: &mut Tx, id_sha256: &str, now: Timestamp) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/session/proven.sql")).bind(id_sha256.to_owned()).bind(now.millis);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Another cookie opens the login from now on, and the earlier one nothing.
pub async fn renew(tx: &mut Tx, id_sha256: &str, new_sha256: &str) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("sql/session/renew.sql")).bind(id_sha256.to_owned());
    query.bind(new_sha256.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

/// Ends every other login of the same person; how many.
pub async fn end_others(tx: &mut Tx, admin_id: &str, id_sha256: &str) -> Result<u64, StoreError> {
    let query = sqlx::query(include_str!("sql/session/end_others.sql")).bind(admin_id.to_owned());
    Ok(query.bind(id_sha256.to_owned()).execute(&mut **tx).await?.rows_affected())
}

pub async fn end(tx: &mut Tx, id_sha256: &str) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/session/end.sql")).bind(id_sha256.to_owned()).execute(&mut **tx).await?;
    Ok(())
}

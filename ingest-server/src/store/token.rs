//! Bearer tokens; only their hashes are stored.

use shared_types::api::admin::{TokenMade, TokenRole, TokenRow};
use shared_types::api::personal::DeviceRow;
use shared_types::id::{TokenId, WorkerId};
use shared_types::timestamp::Timestamp;
use sqlx::AnyPool;
use uuid::Uuid;

use super::{StoreError, Tx, row};
use crate::secret::{SecretKind, digest, new_secret};

#[derive(Debug, Clone)]
pub struct Token {
    pub id: TokenId,
    pub role: TokenRole,
    pub name: String,
    pub worker_id: Option<WorkerId>,
    pub revoked_at: Option<Timestamp>,
}

pub async fn find(pool: &AnyPool, secret_sha256: &str) -> Result<Option<Token>, StoreError> {
    let found = sqlx::query(include_str!("sql/token/find.sql")).bind(secret_sha256).fetch_optional(pool).await?;
    found
        .map(|found| {
            Ok(Token {
                id: row::id(&found, "id")?,
                role: row::word(&found, "role")?,
                name: row::text(&found, "name")?,
                worker_id: row::maybe_id(&found, "worker_id")?,
                revoked_at: row::maybe_at(&found, "revoked_at")?,
            })
        })
        .transpose()
}

/// A new token; for a worker's, whose it is and on which device.
/// A worker's has the worker's alias for its name.
pub async fn make(
    tx: &mut Tx,
    role: TokenRole,
    name: &str,
    owner: Option<(WorkerId, &str)>,
    now: Timestamp,
) -> Result<TokenMade, StoreError> {
    let kind = match role {
        TokenRole::Worker => SecretKind::Worker,
        TokenRole::Pipeline => SecretKind::Pipeline,
        TokenRole::Admin => SecretKind::Admin,
    };
    let (id, token) = (TokenId(Uuid::now_v7()), new_secret(kind)?);
    sqlx::query(include_str!("sql/token/insert.sql"))
        .bind(id.to_string())
        .bind(digest(&token))
        .bind(row::to_word(&role))
        .bind(name)
        .bind(owner.map(|(worker, _)| worker.to_string()))
        .bind(owner.map(|(_, device)| device.to_owned()))
        .bind(now.millis)
        .execute(&mut **tx)
        .await?;
    Ok(TokenMade { id, token })
}

/// Revokes what a worker's computer holds; false where nothing was left to revoke.
pub async fn revoke_device(tx: &mut Tx, worker: WorkerId, device: &str, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/token/revoke_device.sql"));
    let done = query.bind(worker.to_string()).bind(device).bind(now.millis).execute(&mut **tx).await?;
    Ok(done.rows_affected() > 0)
}

/// Whether there is such a token; one that is revoked already stays as it is.
pub async fn revoke(tx: &mut Tx, id: TokenId, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(include_str!("sql/token/revoke.sql"));
    query.bind(id.to_string()).bind(now.millis).execute(&mut **tx).await?;
    let found = sqlx::query(include_str!("sql/token/exists.sql")).bind(id.to_string()).fetch_one(&mut **tx).await?;
    Ok(row::number(&found, "found")? > 0)
}

pub async fn list(pool: &AnyPool, after: Option<&str>, limit: i64) -> Result<Vec<TokenRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/token/list.sql")).bind(after.map(str::to_owned)).bind(limit);
    let rows = query.fetch_all(pool).await?;
    let token = |found| {
        Ok(TokenRow {
            id: row::id(found, "id")?,
            role: row::word(found, "role")?,
            name: row::text(found, "name")?,
            created_at: row::at(found, "created_at")?,
            revoked_at: row::maybe_at(found, "revoked_at")?,
        })
    };
    rows.iter().map(token).collect()
}

/// The computers that act or acted for a worker, oldest first.
pub async fn of_worker(pool: &AnyPool, worker: WorkerId) -> Result<Vec<DeviceRow>, StoreError> {
    let query = sqlx::query(include_str!("sql/token/of_worker.sql")).bind(worker.to_string());
    let device = |found: &sqlx::any::AnyRow| {
        Ok(DeviceRow {
            token_id: row::id(found, "id")?,
            device_id: row::maybe_text(found, "device_id")?,
            created_at: row::at(found, "created_at")?,
            revoked_at: row::maybe_at(found, "revoked_at")?,
        })
    };
    query.fetch_all(pool).await?.iter().map(device).collect()
}

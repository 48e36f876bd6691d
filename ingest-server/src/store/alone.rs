//! What only one transaction at a time may do, where it looks before it writes. SQLite has one writer anyway;
//! PostgreSQL, with several replicas, is told by a lock that ends with the transaction.

use super::{StoreError, Tx};

/// Waits until no other transaction holds the same words.
pub async fn alone(tx: &mut Tx, what: &str) -> Result<(), StoreError> {
    if is_postgres(tx) {
        sqlx::query(include_str!("sql/alone/hold_postgres.sql")).bind(what).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Tells all replicas, once the transaction is committed, that there is work.
pub async fn ring(tx: &mut Tx) -> Result<(), StoreError> {
    if is_postgres(tx) {
        sqlx::query(include_str!("sql/alone/ring_postgres.sql")).execute(&mut **tx).await?;
    }
    Ok(())
}

fn is_postgres(tx: &Tx) -> bool {
    tx.backend_name() == "PostgreSQL"
}

//! Hears of work that another replica queued. PostgreSQL carries the word; SQLite has no other replica.

use sqlx::postgres::PgListener;

use super::{Engine, Store, StoreError};

const WORK: &str = "collector_work";

#[derive(Debug)]
pub struct Bell {
    listener: PgListener,
}

impl Store {
    /// None where there are no others to hear of.
    pub async fn bell(&self) -> Result<Option<Bell>, StoreError> {
        if self.engine == Engine::Sqlite {
            return Ok(None);
        }
        let mut listener = PgListener::connect(&self.url).await?;
        listener.listen(WORK).await?;
        Ok(Some(Bell { listener }))
    }
}

impl Bell {
    /// Waits for a ring. One that was missed while the connection was away counts as one.
    pub async fn rings(&mut self) -> Result<(), StoreError> {
        self.listener.try_recv().await?;
        Ok(())
    }
}

//! What every handler shares.

use std::sync::Arc;

use shared_types::timestamp::Timestamp;
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::config::Config;
use crate::objects::{FolderObjects, ObjectsError};
use crate::store::{Store, StoreError};

pub type Shared = Arc<App>;

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub objects: FolderObjects,
    pub clock: Clock,
    /// Wakes machines that wait for jobs.
    pub work: Notify,
}

/// Gives the time; a test's clock stands where it was put.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    Fixed(Timestamp),
}

impl Clock {
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::from_time(OffsetDateTime::now_utc()),
            Self::Fixed(at) => at,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

impl App {
    /// Opens the database, brings its tables up to date, and the object folder.
    pub async fn open(config: Config, clock: Clock) -> Result<Shared, OpenError> {
        let store = Store::open(&config.database_url).await?;
        store.migrate().await?;
        let objects = FolderObjects::open(&config.data_dir)?;
        Ok(Arc::new(Self { config, store, objects, clock, work: Notify::new() }))
    }
}

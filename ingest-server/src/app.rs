//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use shared_types::api::stats::Stats;
use shared_types::timestamp::Timestamp;
use time::OffsetDateTime;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::objects::{Objects, ObjectsError};
use crate::rate::Rate;
use crate::store::{Store, StoreError};

pub type Shared = Arc<App>;

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub objects: Objects,
    pub clock: Clock,
    /// Wakes machines that wait for jobs.
    pub work: Notify,
    pub rates: Rates,
    pub metrics: Metrics,
    /// Room in memory for bodies that are read whole, in KiB.
    pub bodies: Arc<Semaphore>,
    /// As they were counted last.
    pub stats: Mutex<Option<Stats>>,
    /// Cancelled when the server is told to stop: who waits may stop waiting.
    pub stopping: CancellationToken,
}

/// How often somebody may do what costs the server something.
#[derive(Debug)]
pub struct Rates {
    /// Requests of one address.
    pub requests: Rate,
    /// Uploads that one worker begins.
    pub uploads: Rate,
}

/// Gives the time; a test's clock stands where it was put.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    Fixed(Timestamp),
    /// Moved by a test while the server runs; milliseconds.
    Hands(&'static AtomicI64),
}

impl Clock {
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::from_time(OffsetDateTime::now_utc()),
            Self::Fixed(at) => at,
            Self::Hands(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
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
    /// Opens the database, brings its tables up to date, and the store of objects.
    pub async fn open(config: Config, clock: Clock) -> Result<Shared, OpenError> {
        let store = Store::open(&config.database_url).await?;
        store.migrate().await?;
        let objects = Objects::open(&config).await?;
        let rates = Rates {
            requests: Rate::new(config.limits.address_requests_per_minute),
            uploads: Rate::new(config.limits.worker_uploads_per_minute),
        };
        let (work, metrics, stopping) = (Notify::new(), Metrics::default(), CancellationToken::new());
        let (stats, bodies) = (Mutex::default(), room_for_bodies(&config.limits));
        Ok(Arc::new(Self { config, store, objects, clock, work, rates, metrics, bodies, stats, stopping }))
    }
}

fn room_for_bodies(limits: &Limits) -> Arc<Semaphore> {
    let kib = usize::try_from(limits.body_bytes / 1024).unwrap_or(usize::MAX);
    Arc::new(Semaphore::new(kib.min(Semaphore::MAX_PERMITS)))
}

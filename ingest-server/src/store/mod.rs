//! The database: `SQLite` or `PostgreSQL` behind one set of SQL files.
//!
//! A change runs in a [`Tx`] from [`Store::begin`]. `SQLite` has one writer connection and begins IMMEDIATE, so that a
//! transaction that has begun can also commit; readers have connections of their own and never wait (WAL). Each
//! noun's file holds its functions, `sql/<noun>/<verb>.sql` their text, with `$1` parameters on both engines.

pub mod admin;
pub mod alive;
pub mod alone;
pub mod artifact;
pub mod assignment;
pub mod audit;
mod bell;
pub mod campaign;
pub mod change;
pub mod condemned;
pub mod consent;
pub mod erasure;
pub mod export;
pub mod fingerprint;
pub mod history;
pub mod invite;
pub mod job;
pub mod known_device;
pub mod leave;
pub mod lock;
pub mod login_failure;
pub mod operations;
pub mod owner;
pub mod payout;
pub mod redaction;
pub mod retention;
pub mod review;
pub mod row;
pub mod second_factor;
pub mod session;
pub mod submission;
pub mod token;
pub mod transfer;
pub mod upload;
pub mod worker;

use std::str::FromStr;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Executor, Transaction};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;

pub type Tx = Transaction<'static, Any>;

/// What a question may be asked of that is asked in a change as well as outside of one.
pub trait AnyExecutor<'e>: Executor<'e, Database = Any> {}
impl<'e, E: Executor<'e, Database = Any>> AnyExecutor<'e> for E {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

pub struct Store {
    write: AnyPool,
    read: AnyPool,
    engine: Engine,
    /// For connections of another kind.
    url: String,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the address: it may hold a password.
        f.debug_struct("Store").field("engine", &self.engine).finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database's tables cannot be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("DATABASE_URL must begin with sqlite:// or postgres://")]
    Url,
    #[error("the database holds something unexpected in {column}: {value}")]
    Value { column: &'static str, value: String },
    #[error(transparent)]
    Random(#[from] crate::secret::NoRandomness),
}

impl Store {
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        install_default_drivers();
        let options = |text: &str| AnyConnectOptions::from_str(text).map_err(StoreError::from);
        let first = |statement: &'static str| {
            AnyPoolOptions::new().after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(statement).await.map(drop) })
            })
        };
        if url.starts_with("sqlite:") {
            let file = url.split('?').next().unwrap_or(url);
            let write = first(
                "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                 pragma busy_timeout = 5000; pragma secure_delete = on",
            )
            .max_connections(1)
            .connect_with(options(&format!("{file}?mode=rwc"))?)
            .await?;
            let read = first("pragma query_only = on; pragma busy_timeout = 5000")
                .max_connections(SQLITE_READERS)
                .connect_with(options(&format!("{file}?mode=rwc"))?)
                .await?;
            return Ok(Self { write, read, engine: Engine::Sqlite, url: url.to_owned() });
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            // Questions of some milliseconds: compiling one costs ten times its answer, and several cores for one keep
            // the others waiting, also while everything is counted for the overview.
            let short = first("set jit = off; set max_parallel_workers_per_gather = 0");
            let pool = short.max_connections(POSTGRES_CONNECTIONS).connect_with(options(url)?).await?;
            return Ok(Self { write: pool.clone(), read: pool, engine: Engine::Postgres, url: url.to_owned() });
        }
        Err(StoreError::Url)
    }

    pub async fn migrate(&self) -> Result<(), StoreError> {
        let migrator = match self.engine {
            Engine::Sqlite => &SQLITE,
            Engine::Postgres => &POSTGRES,
        };
        Ok(migrator.run(&self.write).await?)
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Begins a change; dropped without `commit` it never was.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self.engine {
            Engine::Sqlite => self.write.begin_with("begin immediate").await?,
            Engine::Postgres => self.write.begin().await?,
        })
    }

    /// For reading only.
    pub fn read(&self) -> &AnyPool {
        &self.read
    }

    /// Brings what was written over or deleted out of the log beside the `SQLite` file too, in which its earlier pages
    /// stand until then. A reader that goes on for seconds puts that off until it is asked again. `PostgreSQL` sees to its own.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        if self.engine == Engine::Sqlite {
            sqlx::query("pragma wal_checkpoint(truncate)").execute(&self.write).await?;
        }
        Ok(())
    }

    /// Waits until nothing uses the database, and closes it.
    pub async fn close(&self) {
        self.write.close().await;
        self.read.close().await;
    }
}

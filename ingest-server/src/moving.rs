//! `ingest-server move`: from SQLite and the folder to PostgreSQL and a bucket.
//!
//! Objects go first, each read back and compared; a journal in the data folder remembers them, so that a run that was
//! cut short goes on where it ended. The rows follow in one transaction of PostgreSQL, which is compared before it is
//! committed: until that moment the old store is the only one, and nothing in it is changed or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;
use tokio::task::JoinSet;

use crate::app::Clock;
use crate::config::{BucketConfig, Config, hidden};
use crate::objects::{self, Bucket, FolderObjects, Lock, LockError, Objects, ObjectsError};
use crate::store::{Store, StoreError, Tx, transfer};

const JOURNAL: &str = "move.jsonl";
/// Objects on their way at once.
const AT_ONCE: usize = 8;
const TELL_EVERY_SECS: i64 = 5;

#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error("a server is running with this data folder; stop it first, and start no other until this is done")]
    Running,
    #[error("DATABASE_URL is no SQLite database; move goes from SQLite and a folder to PostgreSQL and a bucket")]
    NotEmbedded,
    #[error("--to-database must be an address that begins with postgres://")]
    NotPostgres,
    #[error(
        "an earlier move from this folder went to {0}; finish that one, or remove {JOURNAL} from the data folder to begin anew"
    )]
    OtherTarget(String),
    #[error("the database that was named has rows in its table {0}; give an empty one")]
    NotEmpty(String),
    #[error(
        "the object {0} is not what the database says of it; nothing was changed. Restore it from a backup, or look at the submission it belongs to"
    )]
    Damaged(String),
    #[error("the object {0} did not arrive as it was sent; run this again")]
    Arrived(String),
    #[error("the table {0} did not arrive as it was sent; nothing was changed")]
    Rows(String),
    #[error("the journal {JOURNAL}: {0}")]
    Journal(#[from] io::Error),
    #[error(transparent)]
    Lock(LockError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

/// What has been done already, a line each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    To(String),
    Object { key: String, bytes: u64 },
    Growing { id: String, received: u64, parts: String },
}

struct Journal {
    file: File,
    objects: BTreeMap<String, u64>,
    growing: BTreeMap<String, (u64, String)>,
}

impl Journal {
    fn open(data_dir: &Path, target: &str) -> Result<Self, MoveError> {
        let path = data_dir.join(JOURNAL);
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let (mut objects, mut growing, mut known) = (BTreeMap::new(), BTreeMap::new(), None);
        for line in BufReader::new(&file).lines() {
            // A line that a kill cut short tells nothing.
            match serde_json::from_str(&line?) {
                Ok(Line::To(target)) => known = Some(target),
                Ok(Line::Object { key, bytes }) => {
                    objects.insert(key, bytes);
                }
                Ok(Line::Growing { id, received, parts }) => {
                    growing.insert(id, (received, parts));
                }
                Err(_) => {}
            }
        }
        let mut journal = Self { file, objects, growing };
        match known {
            Some(known) if known != target => return Err(MoveError::OtherTarget(known)),
            Some(_) => journal.end_line()?,
            None => journal.add(&Line::To(target.to_owned()))?,
        }
        Ok(journal)
    }

    /// Parts what follows from a line that was cut short.
    fn end_line(&mut self) -> io::Result<()> {
        self.file.write_all(b"\n")
    }

    fn add(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())
    }
}

/// Moves everything. Dropped at any moment, the next run goes on.
pub async fn run(config: &Config, to_database: &str, to: &BucketConfig, clock: Clock) -> Result<(), MoveError> {
    if !config.database_url.starts_with("sqlite:") || config.bucket.is_some() {
        return Err(MoveError::NotEmbedded);
    }
    if !to_database.starts_with("postgres:") && !to_database.starts_with("postgresql:") {
        return Err(MoveError::NotPostgres);
    }
    let _lock = Lock::take(&config.data_dir, Duration::ZERO).await.map_err(|error| match error {
        LockError::Taken(_) => MoveError::Running,
        LockError::Io(..) => MoveError::Lock(error),
    })?;
    let mut bucket = Bucket::open(to)?;
    bucket.check().await?;
    let target = Store::open(to_database).await?;
    target.migrate().await?;
    let source = Store::open(&config.database_url).await?;
    source.migrate().await?;
    let shown = hidden(to_database);
    let host = shown.rsplit_once('@').map_or(shown.as_str(), |(_, host)| host);
    let mut journal = Journal::open(&config.data_dir, &format!("{host} and the bucket {}", to.name))?;
    // Held to the end: other commands cannot write to a store that is being left.
    let mut from = source.begin().await?;
    let tables = transfer::tables(&mut from).await?;
    let mut into = target.begin().await?;
    for table in &tables {
        if !table.is_empty(&mut into).await? {
            return Err(MoveError::NotEmpty(table.name.clone()));
        }
    }
    drop(into);
    let growing = move_growing(config, &bucket, &mut from, &mut journal).await?;
    move_objects(config, &bucket, &mut from, &mut journal, clock).await?;
    let mut into = target.begin().await?;
    for table in &tables {
        let sent = table.copy(&mut from, &mut into, &growing).await?;
        if table.tally(&mut into).await? != sent {
            return Err(MoveError::Rows(table.name.clone()));
        }
        tracing::info!("{}: {} rows", table.name, sent.rows);
    }
    into.commit().await?;
    drop(from);
    source.close().await;
    target.close().await;
    Ok(())
}

/// Uploads on their way go on in the bucket.
async fn move_growing(
    config: &Config,
    bucket: &Bucket,
    from: &mut Tx,
    journal: &mut Journal,
) -> Result<BTreeMap<String, String>, MoveError> {
    let objects = Objects::open(config).await?;
    let mut found = BTreeMap::new();
    for upload in transfer::growing(from).await? {
        if upload.stage == UploadStage::Assembling {
            // Becomes an object here and goes over as one.
            objects.assemble(&upload.growing()).await?;
            continue;
        }
        if upload.received == 0 {
            continue;
        }
        let parts = match journal.growing.get(&upload.id) {
            Some((received, parts)) if *received == upload.received => parts.clone(),
            _ => {
                let parts = objects::send_growing(bucket, objects.staging(), upload.growing()).await?;
                let line = Line::Growing { id: upload.id.clone(), received: upload.received, parts: parts.clone() };
                journal.add(&line)?;
                parts
            }
        };
        found.insert(upload.id, parts);
    }
    Ok(found)
}

async fn move_objects(
    config: &Config,
    bucket: &Bucket,
    from: &mut Tx,
    journal: &mut Journal,
    clock: Clock,
) -> Result<(), MoveError> {
    let folder = std::sync::Arc::new(FolderObjects::open(&config.data_dir)?);
    let told = transfer::told_hashes(from).await?;
    let mut waiting = Vec::new();
    let keys = objects::keys(&config.data_dir)?;
    let there: BTreeSet<&String> = keys.iter().collect();
    if let Some(missing) = told.keys().find(|key| !there.contains(key)) {
        return Err(MoveError::Damaged(missing.clone()));
    }
    for gone in journal.objects.keys().filter(|key| !there.contains(key)) {
        // The old server ran again after it went over, and removed it: an erasure holds there too.
        bucket.remove(gone).await?;
    }
    for key in keys {
        let bytes = std::fs::metadata(folder.path(&key)?)?.len();
        if journal.objects.get(&key) != Some(&bytes) {
            waiting.push((key, bytes));
        }
    }
    let (all, mut told_at, mut done, mut moved) = (waiting.len(), clock.now(), 0_usize, 0_u64);
    tracing::info!("{all} objects to bring over, {} are there already", journal.objects.len());
    let mut sending = JoinSet::new();
    let mut waiting = waiting.into_iter();
    loop {
        while sending.len() < AT_ONCE
            && let Some((key, bytes)) = waiting.next()
        {
            let (folder, bucket) = (folder.clone(), bucket.clone());
            sending.spawn(async move { (objects::send(&folder, &bucket, &key).await, key, bytes) });
        }
        let Some(arrived) = sending.join_next().await else { return Ok(()) };
        let (sent, key, bytes) = arrived.map_err(io::Error::other)?;
        let sha256 = sent?.ok_or_else(|| MoveError::Arrived(key.clone()))?;
        if told.get(&key).is_some_and(|told| *told != sha256) {
            return Err(MoveError::Damaged(key));
        }
        journal.add(&Line::Object { key, bytes })?;
        (done, moved) = (done + 1, moved + bytes);
        let now = clock.now();
        if has_passed(told_at, now) || done == all {
            tracing::info!("{done} of {all} objects, {} MB", moved / 1_000_000);
            told_at = now;
        }
    }
}

fn has_passed(since: Timestamp, now: Timestamp) -> bool {
    since.plus_secs(TELL_EVERY_SECS) <= now
}

//! `ingest-server backup` and `restore`: one tar file with the database as of one moment, the objects that it counts on,
//! and last `backup.json`, which lists both by their hashes: a file that was cut short lacks it.
//!
//! The database is copied first and the objects after it, so that what the copy names is there; what is removed in between
//! is told as missing. The signing key is not in it: a restored server makes another.

mod database;
mod restore;

pub use restore::restore;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_types::timestamp::Timestamp;
use tokio::task::spawn_blocking;

use crate::app::Shared;
use crate::objects::{LockError, ObjectsError};
use crate::secret::hex;
use crate::store::operations::Expected;
use crate::store::{Engine, StoreError};

const FORMAT: u32 = 1;
const LIST: &str = "backup.json";
const OBJECTS: &str = "objects/";

/// What a backup holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct List {
    format: u32,
    version: String,
    made_at: Timestamp,
    engine: String,
    database: Held,
    objects: Vec<Held>,
    /// Whether the bytes of the objects are in the file.
    has_objects: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    name: String,
    bytes: u64,
    sha256: String,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    #[error("{0} is there already, and a backup replaces nothing: give another name")]
    Exists(PathBuf),
    #[error(
        "the objects lie in a bucket, which is copied by its own means (versions, replication): give --without-objects for a \
         backup of the database with a list of them"
    )]
    InBucket,
    #[error("there is no folder {0}: make it first")]
    NoFolder(PathBuf),
    #[error("{0} is not empty: a backup is put into an empty folder and database, so that nothing is lost")]
    NotEmpty(String),
    #[error("{0} is no backup of this program: {1}")]
    NotOurs(PathBuf, String),
    #[error("{name} in the backup is not what its list says; take another backup")]
    Damaged { name: String },
    #[error("this is a backup of {held}, and DATABASE_URL names {wanted}")]
    OtherEngine { held: String, wanted: &'static str },
    #[error("{program} is needed for PostgreSQL and did not run: {why}. Install Debian's postgresql-client")]
    Program { program: &'static str, why: String },
    #[error("the work was broken off: {0}")]
    Broken(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    #[error(transparent)]
    Lock(#[from] LockError),
}

type Done<T> = Result<T, BackupError>;

fn at(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::Io(path.clone(), error)
}

const fn name_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    }
}

const fn database_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "collector.db",
        Engine::Postgres => "collector.dump",
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Counts and hashes what is read through it.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Hashing<R> {
    fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    fn held(self, name: &str) -> Held {
        Held { name: name.to_owned(), bytes: self.bytes, sha256: hex(&self.hash.finalize()) }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.hash.update(&into[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// A new file that nobody else reads.
fn create(path: &Path) -> Done<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(at(path))
}

/// Removes what is left when the work is broken off.
struct Scratch(Vec<PathBuf>);

impl Drop for Scratch {
    fn drop(&mut self) {
        for path in &self.0 {
            // What is not there any more took its name.
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes a backup; the server may run.
pub async fn make(app: &Shared, file: &Path, without_objects: bool) -> Done<()> {
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        return Err(BackupError::NoFolder(folder.to_owned()));
    }
    if app.objects.folder().is_none() && !without_objects {
        return Err(BackupError::InBucket);
    }
    let (part, database) = (with_end(file, ".part"), with_end(file, ".database"));
    let _scratch = Scratch(vec![part.clone(), database.clone()]);
    database::copy(app, &database).await?;
    let expected = database::objects_in(app, &database).await?;
    let (list, lacking) = {
        let (app, to) = (app.clone(), file.to_owned());
        let work = move || write(&app, &to, (&part, &database), &expected, without_objects);
        spawn_blocking(work).await.map_err(|error| BackupError::Broken(error.to_string()))??
    };
    for key in &lacking {
        tracing::warn!("the object {key} is missing or damaged; ingest-server audit tells more");
    }
    let (name, count) = (file.display(), list.objects.len());
    if without_objects {
        tracing::info!("{name} has the database; the {count} objects that it names are kept where they are");
    } else {
        tracing::info!("{name} has the database and {count} objects");
    }
    Ok(())
}

/// Blocks. The list that was written, and the keys of what was not as the database has it.
fn write(
    app: &Shared,
    file: &Path,
    (part, database): (&Path, &Path),
    expected: &[Expected],
    without_objects: bool,
) -> Done<(List, Vec<String>)> {
    let engine = app.store.engine();
    let mut tar = tar::Builder::new(io::BufWriter::new(create(part)?));
    let now = app.clock.now();
    let held = append(&mut tar, database_name(engine), File::open(database).map_err(at(database))?, now)
        .map_err(at(database))?;
    let (mut objects, mut lacking) = (Vec::new(), Vec::new());
    for Expected { key, bytes, sha256, .. } in expected {
        let Some(folder) = app.objects.folder().filter(|_| !without_objects) else {
            objects.push(Held { name: key.clone(), bytes: *bytes, sha256: sha256.clone() });
            continue;
        };
        let path = folder.path(key)?;
        let object = match File::open(&path) {
            Ok(object) => object,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                lacking.push(key.clone());
                continue;
            }
            Err(error) => return Err(at(&path)(error)),
        };
        let mut stored = append(&mut tar, &format!("{OBJECTS}{key}"), object, now).map_err(at(&path))?;
        stored.name.clone_from(key);
        if stored.sha256 != *sha256 {
            lacking.push(key.clone());
        }
        objects.push(stored);
    }
    let list = List {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        engine: name_of(engine).to_owned(),
        database: held,
        objects,
        has_objects: !without_objects,
    };
    let text = serde_json::to_vec_pretty(&list).map_err(|error| BackupError::Broken(error.to_string()))?;
    let mut header = header(text.len() as u64, now);
    let mut finish = |mut tar: tar::Builder<io::BufWriter<File>>| {
        tar.append_data(&mut header, LIST, text.as_slice())?;
        let file = tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    };
    finish(tar).map_err(at(part))?;
    // A name that somebody else took meanwhile is theirs.
    fs::hard_link(part, file).map_err(at(file))?;
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        .map_err(at(file))?;
    Ok((list, lacking))
}

fn header(bytes: u64, now: Timestamp) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(now.millis as u64 / 1000);
    header
}

/// What is appended is as long as the file was when it was opened.
fn append<W: Write>(tar: &mut tar::Builder<W>, name: &str, mut file: File, now: Timestamp) -> io::Result<Held> {
    let bytes = file.seek(io::SeekFrom::End(0))?;
    file.rewind()?;
    let mut reader = Hashing::new(file.take(bytes));
    tar.append_data(&mut header(bytes, now), name, &mut reader)?;
    Ok(reader.held(name))
}

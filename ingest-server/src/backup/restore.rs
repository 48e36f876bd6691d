//! A backup is unpacked beside its place, compared with its list, and only then moved there, the database last.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared_types::api::audit::AuditAct;
use tokio::task::spawn_blocking;

use super::{
    BackupError, Done, FORMAT, Hashing, Held, LIST, List, OBJECTS, at, create, database, database_name, name_of,
};
use crate::app::Clock;
use crate::config::Config;
use crate::crash;
use crate::objects::{Lock, is_key, walk};
use crate::store::audit::{Actor, append};
use crate::store::{Engine, Store, StoreError, alive, operations};

const FOLDER: &str = ".restoring";
const LONGEST_LIST: u64 = 1 << 30;

/// Puts a backup into the empty place that the settings name. Unfinished uploads begin anew, and everybody logs in again.
pub async fn restore(config: Config, file: &Path) -> Done<()> {
    let _lock = Lock::take(&config.data_dir, Duration::ZERO).await?;
    let engine = if config.database_url.starts_with("sqlite:") { Engine::Sqlite } else { Engine::Postgres };
    let objects = config.data_dir.join("objects");
    is_empty(&config, engine, &objects).await?;
    let folder = config.data_dir.join(FOLDER);
    let list = {
        let (folder, file) = (folder.clone(), file.to_owned());
        let work = move || unpack(&file, &folder, engine);
        spawn_blocking(work).await.map_err(|error| BackupError::Broken(error.to_string()))??
    };
    fs::create_dir_all(folder.join(OBJECTS)).map_err(at(&folder))?;
    // There is nothing in it; whatever lies there without a key is a server's scratch.
    if objects.exists() {
        fs::remove_dir_all(&objects).map_err(at(&objects))?;
    }
    fs::rename(folder.join(OBJECTS), &objects).map_err(at(&objects))?;
    let unpacked = folder.join(database_name(engine));
    // No login of the backup opens anything at any moment, so these end before anybody could find the database.
    if let Some(path) = database_path(&config) {
        begin_anew(&format!("sqlite://{}", unpacked.display()), &list).await?;
        fs::rename(&unpacked, &path).map_err(at(&path))?;
        crash::point("restore.placed");
    } else {
        database::fill_without_logins(&config.database_url, &unpacked).await?;
        crash::point("restore.placed");
        begin_anew(&config.database_url, &list).await?;
    }
    File::open(&config.data_dir).and_then(|folder| folder.sync_all()).map_err(at(&config.data_dir))?;
    fs::remove_dir_all(&folder).map_err(at(&folder))?;
    tracing::info!("the backup of {} is in place, with {} objects", list.made_at, list.objects.len());
    if !list.has_objects {
        tracing::warn!("its objects are elsewhere: put them into objects/, then run ingest-server audit");
    }
    Ok(())
}

/// Where the `SQLite` file lies.
fn database_path(config: &Config) -> Option<PathBuf> {
    let path = config.database_url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}

async fn is_empty(config: &Config, engine: Engine, objects: &Path) -> Done<()> {
    let mut is_empty = true;
    walk(objects, |_| {
        is_empty = false;
        false
    })
    .map_err(at(objects))?;
    if !is_empty {
        return Err(BackupError::NotEmpty(objects.display().to_string()));
    }
    match database_path(config) {
        Some(path) if path.exists() => return Err(BackupError::NotEmpty(path.display().to_string())),
        Some(_) => return Ok(()),
        None => {}
    }
    debug_assert_eq!(engine, Engine::Postgres, "the other engine has a file");
    let store = Store::open(&config.database_url).await?;
    let tables = operations::tables(&store).await;
    store.close().await;
    if tables? > 0 { Err(BackupError::NotEmpty("the database".to_owned())) } else { Ok(()) }
}

/// Blocks. The list, after everything was compared with it.
fn unpack(file: &Path, folder: &Path, engine: Engine) -> Done<List> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(folder)(error)),
        _ => fs::create_dir_all(folder).map_err(at(folder))?,
    }
    let mut tar = tar::Archive::new(io::BufReader::new(File::open(file).map_err(at(file))?));
    let not_ours = |why: String| BackupError::NotOurs(file.to_owned(), why);
    let (mut list, mut found): (Option<List>, BTreeMap<String, Held>) = (None, BTreeMap::new());
    for entry in tar.entries().map_err(|error| not_ours(error.to_string()))? {
        let mut entry = entry.map_err(|error| not_ours(error.to_string()))?;
        let name = entry.path().map_err(|error| not_ours(error.to_string()))?.display().to_string();
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(not_ours(format!("{name} is no plain file")));
        }
        if name == LIST {
            let mut text = Vec::new();
            (&mut entry).take(LONGEST_LIST).read_to_end(&mut text).map_err(at(file))?;
            list = Some(serde_json::from_slice(&text).map_err(|error| not_ours(error.to_string()))?);
            continue;
        }
        // Keys lead nowhere else.
        let is_ours = name == database_name(Engine::Sqlite)
            || name == database_name(Engine::Postgres)
            || name.strip_prefix(OBJECTS).is_some_and(is_key);
        if !is_ours {
            return Err(not_ours(format!("it holds {name}")));
        }
        let to = folder.join(&name);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let (mut reader, mut into) = (Hashing::new(entry), create(&to)?);
        io::copy(&mut reader, &mut into).map_err(at(&to))?;
        into.sync_all().map_err(at(&to))?;
        found.insert(name.clone(), reader.held(&name));
    }
    let list = list.ok_or_else(|| not_ours("it ends too early".to_owned()))?;
    if list.format != FORMAT {
        return Err(not_ours(format!("its format {} is not known to this version", list.format)));
    }
    if list.engine != name_of(engine) {
        return Err(BackupError::OtherEngine { held: list.engine, wanted: name_of(engine) });
    }
    let same = |held: &Held, name: &str| {
        found.get(name).is_some_and(|found| (found.bytes, &found.sha256) == (held.bytes, &held.sha256))
    };
    if !same(&list.database, database_name(engine)) {
        return Err(BackupError::Damaged { name: database_name(engine).to_owned() });
    }
    for held in list.objects.iter().filter(|_| list.has_objects) {
        if !same(held, &format!("{OBJECTS}{}", held.name)) {
            return Err(BackupError::Damaged { name: held.name.clone() });
        }
    }
    Ok(list)
}

async fn begin_anew(database_url: &str, list: &List) -> Done<()> {
    let (store, now) = (Store::open(database_url).await?, Clock::System.now());
    store.migrate().await?;
    let mut tx = store.begin().await?;
    operations::end_uploads(&mut tx).await?;
    operations::end_logins(&mut tx).await?;
    alive::note_absence(&mut tx, list.made_at, now).await?;
    let what = format!("from the backup of {}", list.made_at);
    append(&mut tx, &Actor::command_line(), AuditAct::Restored, "server", &what, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    // One file alone is put into its place.
    store.empty_log().await?;
    store.close().await;
    Ok(())
}

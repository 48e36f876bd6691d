//! `ingest-server audit`: where database, objects, ledger and audit log do not say the same. With `repair`, what can be
//! mended without a loss is mended: a lost object comes back from another one with the same hash, what is missing in the
//! ledger is written, and objects that nobody knows are set aside. Nothing is removed, so that no only copy is.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shared_types::api::audit::AuditAct;
use shared_types::submission::SubmissionStage;
use tokio::task::spawn_blocking;

use crate::app::Shared;
use crate::objects::{ObjectsError, is_key};
use crate::store::audit::{Actor, Chain, append, verify};
use crate::store::operations::{self, Expected};
use crate::store::{self, StoreError};

/// Beside `objects/` in the data folder; for a person to look at.
const ASIDE: &str = "set-aside";

/// How to look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub repair: bool,
    /// Sizes alone.
    pub quick: bool,
}

/// Something that does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    pub sentence: String,
    pub is_mended: bool,
}

impl std::fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)?;
        if self.is_mended { f.write_str(" Mended.") } else { Ok(()) }
    }
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub discrepancies: Vec<Discrepancy>,
    pub objects: usize,
    pub audit_entries: i64,
    pub audit_sha256: String,
}

impl Found {
    fn tell(&mut self, sentence: String, is_mended: bool) {
        self.discrepancies.push(Discrepancy { sentence, is_mended });
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

impl From<io::Error> for LookError {
    fn from(error: io::Error) -> Self {
        Self::Objects(error.into())
    }
}

type Done<T> = Result<T, LookError>;

pub async fn look(app: &Shared, how: Look) -> Done<Found> {
    let mut found = Found { discrepancies: Vec::new(), objects: 0, audit_entries: 0, audit_sha256: String::new() };
    match verify(app.store.read()).await? {
        Chain::Whole { entries, sha256 } => (found.audit_entries, found.audit_sha256) = (entries, sha256),
        Chain::Broken { seq, why } => {
            let advice = "Somebody else than the server wrote to it; compare it with a backup.";
            found.tell(format!("The audit log is broken at entry {seq}: {why}. {advice}"), false);
        }
    }
    objects(app, how, &mut found).await?;
    ledger(app, how, &mut found).await?;
    for (id, stage) in operations::stuck(app.store.read()).await? {
        let advice = "Look for its dead job at /admin/jobs and queue that again.";
        found.tell(format!("The submission {id} is {stage}, and no job works on it or waits. {advice}"), false);
    }
    Ok(found)
}

/// Objects in the folder by their keys, with their sizes. Blocks.
pub fn keys_in(root: &Path) -> io::Result<BTreeMap<String, u64>> {
    let (mut keys, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let Some(key) = path.strip_prefix(root).ok().and_then(Path::to_str) else { continue };
            if !is_key(key) {
                continue;
            }
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(path),
                Ok(meta) => drop(keys.insert(key.to_owned(), meta.len())),
                // Removed since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(keys)
}

/// Copies of manifests are made anew from the database whenever they are asked for.
fn is_remade(key: &str) -> bool {
    key.starts_with("submissions/") && key.rsplit('/').next().is_some_and(|name| name.starts_with("manifest-"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Done<T> {
    Ok(spawn_blocking(work).await.map_err(io::Error::other)??)
}

/// What is wrong with an object that a row counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Missing,
    Size(u64),
    Content,
}

async fn wrong(app: &Shared, expected: &Expected, quick: bool) -> Done<Option<Wrong>> {
    Ok(match app.objects.stat(&expected.key).await? {
        None => Some(Wrong::Missing),
        Some(bytes) if bytes != expected.bytes => Some(Wrong::Size(bytes)),
        Some(_) if quick || expected.sha256.is_empty() => None,
        Some(_) => {
            let now = app.objects.hash(&expected.key).await?;
            (now.as_deref() != Some(expected.sha256.as_str())).then_some(Wrong::Content)
        }
    })
}

async fn objects(app: &Shared, how: Look, found: &mut Found) -> Done<()> {
    let (root, aside) = (app.config.data_dir.join("objects"), app.config.data_dir.join(ASIDE));
    // The folder first: what is put there meanwhile is named by a row before it is there. What a bucket has too much is
    // removed by the sweep, and nothing in it is mended here.
    let in_folder = app.objects.folder().is_some();
    let there = if in_folder {
        let root = root.clone();
        blocking(move || keys_in(&root)).await?
    } else {
        BTreeMap::new()
    };
    let expected = operations::objects(app.store.read()).await?;
    found.objects = expected.len();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for one in &expected {
        match wrong(app, one, how.quick).await? {
            None => good.push(one),
            Some(wrong) => bad.push((one, wrong)),
        }
    }
    let mut unknown = Vec::new();
    for (key, bytes) in &there {
        let is_known = is_remade(key) || expected.iter().any(|one| one.key == *key);
        if !is_known && !operations::is_named(app.store.read(), key).await? {
            unknown.push((key.clone(), *bytes));
        }
    }
    for (one, wrong) in bad {
        let Expected { key, bytes, owner, .. } = one;
        let what = match wrong {
            Wrong::Missing => "is missing".to_owned(),
            Wrong::Size(now) => format!("has {now} bytes in place of {bytes}"),
            Wrong::Content => "has other content than its SHA-256 says".to_owned(),
        };
        let source = source(app, one, &good, &unknown).await?;
        let is_mended = match (&source, how.repair && in_folder) {
            (Some(source), true) => {
                bring_back(&root, &aside, source, key, app.store.read()).await?;
                repaired(app, &format!("object {key}"), "brought back from another one with the same hash").await?;
                unknown.retain(|(key, _)| key != source);
                true
            }
            _ => false,
        };
        let advice = match (&source, is_mended) {
            (_, true) => "",
            (Some(_), false) if in_folder => " --repair brings it back from another one with the same hash.",
            (Some(source), false) => &format!(" In the bucket, {source} has the same bytes: copy it to its place."),
            (None, false) => " No other object has its hash: take it out of a backup.",
        };
        found.tell(format!("The object {key} of {owner} {what}.{advice}"), is_mended);
    }
    for (key, bytes) in unknown {
        let advice = if how.repair { "It was set aside." } else { "--repair sets it aside, and removes nothing." };
        if how.repair {
            let (from, to) = (root.join(&key), aside.join(&key));
            blocking(move || move_to(&from, &to)).await?;
            repaired(app, &format!("object {key}"), "set aside, since no row knows it").await?;
        }
        found.tell(format!("The object {key} with {bytes} bytes belongs to nothing. {advice}"), how.repair);
    }
    Ok(())
}

/// The key of another object with the same bytes.
async fn source(
    app: &Shared,
    wanted: &Expected,
    good: &[&Expected],
    unknown: &[(String, u64)],
) -> Done<Option<String>> {
    if wanted.sha256.is_empty() {
        return Ok(None);
    }
    let known = good.iter().filter(|one| one.sha256 == wanted.sha256).map(|one| one.key.clone());
    let fitting = unknown.iter().filter(|(_, bytes)| *bytes == wanted.bytes).map(|(key, _)| key.clone());
    for key in known.chain(fitting) {
        // Looked at also where a row says so: with `quick` nobody has yet.
        if app.objects.hash(&key).await?.as_deref() == Some(wanted.sha256.as_str()) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// What stands in the place is set aside; a source that a row knows is copied, one that nobody knows is moved.
async fn bring_back(root: &Path, aside: &Path, source: &str, key: &str, pool: &sqlx::AnyPool) -> Done<()> {
    let is_known = operations::is_named(pool, source).await?;
    let (from, to, damaged) = (root.join(source), root.join(key), aside.join(key));
    blocking(move || {
        if to.exists() {
            move_to(&to, &damaged)?;
        }
        if !is_known {
            return move_to(&from, &to);
        }
        let part = with_end(&to);
        prepare(&part)?;
        fs::copy(&from, &part)?;
        fs::File::open(&part)?.sync_all()?;
        move_to(&part, &to)
    })
    .await
}

fn with_end(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn prepare(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    prepare(to)?;
    fs::rename(from, to)?;
    let sync = |path: &Path| path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all());
    sync(to)?;
    sync(from)
}

async fn repaired(app: &Shared, subject: &str, what: &str) -> Done<()> {
    let mut tx = app.store.begin().await?;
    append(&mut tx, &Actor::command_line(), AuditAct::Repaired, subject, what, app.clock.now()).await?;
    Ok(tx.commit().await.map_err(StoreError::from)?)
}

async fn ledger(app: &Shared, how: Look, found: &mut Found) -> Done<()> {
    let (pool, now) = (app.store.read(), app.clock.now());
    for id in operations::unpaid(pool).await? {
        let mut is_mended = false;
        if how.repair {
            let mut tx = app.store.begin().await?;
            let standing = store::submission::standing(&mut tx, id).await?;
            // Somebody else may have written it meanwhile; the ledger's key refuses a second one.
            if let Some(standing) = standing.filter(|standing| standing.stage == SubmissionStage::Accepted) {
                let payout = store::payout::accrue(&mut tx, &standing, now).await?;
                let what = format!("earned {}", payout.amount);
                let subject = format!("submission {id}");
                append(&mut tx, &Actor::command_line(), AuditAct::Repaired, &subject, &what, now).await?;
                tx.commit().await.map_err(StoreError::from)?;
                is_mended = true;
            }
        }
        let advice = if is_mended { "" } else { " --repair writes what its assignment pays." };
        found.tell(format!("The submission {id} is accepted, and the ledger has nothing for it.{advice}"), is_mended);
    }
    for one in operations::unmatched(pool).await? {
        let operations::Unmatched { ledger_id, submission_id, earned, payout } = one;
        if let Some(payout) = payout {
            let advice = "Pay nothing of it before you know why.";
            let sentence = format!(
                "The payout of submission {submission_id} is {payout}, and its row {ledger_id} of the ledger says {earned}. {advice}"
            );
            found.tell(sentence, false);
            continue;
        }
        let mut is_mended = false;
        if how.repair {
            let mut tx = app.store.begin().await?;
            is_mended = operations::insert_payout(&mut tx, &ledger_id, now).await?;
            let subject = format!("submission {submission_id}");
            append(&mut tx, &Actor::command_line(), AuditAct::Repaired, &subject, "its payout is written", now).await?;
            tx.commit().await.map_err(StoreError::from)?;
        }
        let advice = if is_mended { "" } else { " --repair writes it." };
        let sentence = format!("The submission {submission_id} earned {earned}, and has no payout.{advice}");
        found.tell(sentence, is_mended);
    }
    for (ledger_id, submission_id, stage) in operations::undue(pool).await? {
        let advice = "Nothing is changed by itself: reverse the row if it is wrong.";
        found.tell(
            format!("The row {ledger_id} of the ledger pays submission {submission_id}, which is {stage}. {advice}"),
            false,
        );
    }
    Ok(())
}

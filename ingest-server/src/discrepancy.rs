//! `ingest-server audit`: where database, objects, ledger and audit log do not say the same. With `repair`, what can be
//! mended without a loss is mended: a lost object comes back from another one with the same hash, what is missing in the
//! ledger is written, and objects that nobody knows are set aside, so that no only copy is removed. What an erasure, a
//! redaction or another end gave up goes as it does by the server's own sweep: set aside it would be kept.

use shared_types::api::audit::AuditAct;
use shared_types::submission::SubmissionStage;

use crate::app::Shared;
use crate::objects::{Lying, ObjectsError};
use crate::store::audit::{Actor, Chain, append, verify};
use crate::store::change::Audited;
use crate::store::operations::{self, Expected};
use crate::store::owner::Standing;
use crate::store::{self, StoreError};
use crate::strays::{self, SweepError};

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

impl From<SweepError> for LookError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Objects(error) => Self::Objects(error),
            SweepError::Store(error) => Self::Store(error),
        }
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
    // These first: what is put there meanwhile is named by a row before it is there.
    let mut unknown = strays::of_nobody(app).await?;
    let expected = operations::objects(app.store.read()).await?;
    found.objects = expected.len();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for one in &expected {
        match wrong(app, one, how.quick).await? {
            None => good.push(one),
            Some(wrong) => bad.push((one, wrong)),
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
        let advice = match (&source, how.repair) {
            (Some(source), true) => {
                bring_back(app, source, key).await?;
                repaired(app, &format!("object {key}"), "brought back from another one with the same hash").await?;
                unknown.retain(|(one, _)| source.stays || one.key != source.key);
                ""
            }
            (Some(_), false) => " --repair brings it back from another one with the same hash.",
            (None, _) => " No other object has its hash: take it out of a backup.",
        };
        let is_mended = source.is_some() && how.repair;
        found.tell(format!("The object {key} of {owner} {what}.{advice}"), is_mended);
    }
    for (one, _) in &unknown {
        // All that was read in between took its time.
        if let Some(standing) = strays::standing(app, one).await? {
            nobodys(app, how, (one, standing), found).await?;
        }
    }
    if how.repair {
        crate::condemned::try_remove(app).await;
    }
    Ok(())
}

/// Tells of an object that belongs to nothing, and takes it away where that is wanted. A server beside may be quicker.
async fn nobodys(app: &Shared, how: Look, (one, standing): (&Lying, Standing), found: &mut Found) -> Done<()> {
    let (key, now) = (&one.key, app.clock.now());
    let is_over = strays::is_over(one, standing, now);
    let (nothing, advice, is_mended) = match standing {
        Standing::Unknown if how.repair => {
            if !app.objects.set_aside(key).await? {
                return Ok(());
            }
            repaired(app, &format!("object {key}"), "set aside, since no row knows it").await?;
            ("belongs to nothing: the database never knew it", "It was set aside.", true)
        }
        Standing::Unknown => {
            let advice = "--repair sets it aside, and removes nothing.";
            ("belongs to nothing: the database never knew it", advice, false)
        }
        _ if how.repair && is_over => {
            if strays::condemn(app, std::slice::from_ref(one), now).await? == 0 {
                return Ok(());
            }
            repaired(app, &format!("object {key}"), "given up to be removed, since nothing counts on it any more")
                .await?;
            ("belongs to nothing any more", "Its bytes go.", true)
        }
        _ if is_over => ("belongs to nothing any more", "--repair removes it, as the server does once a day.", false),
        _ => ("belongs to nothing any more", "The server removes it when it is more than a day old.", false),
    };
    found.tell(format!("The object {key} with {} bytes {nothing}. {advice}", one.bytes), is_mended);
    Ok(())
}

/// Another object with the same bytes.
struct Source {
    key: String,
    /// A row counts on it as well, or it goes by itself.
    stays: bool,
}

async fn source(
    app: &Shared,
    wanted: &Expected,
    good: &[&Expected],
    unknown: &[(Lying, Standing)],
) -> Done<Option<Source>> {
    if wanted.sha256.is_empty() {
        return Ok(None);
    }
    let known = good.iter().filter(|one| one.sha256 == wanted.sha256);
    let known = known.map(|one| Source { key: one.key.clone(), stays: true });
    let fitting = unknown.iter().filter(|(one, _)| one.bytes == wanted.bytes);
    let fitting = fitting.map(|(one, standing)| Source { key: one.key.clone(), stays: *standing == Standing::Left });
    for source in known.chain(fitting) {
        // Looked at also where a row says so: with `quick` nobody has yet.
        if app.objects.hash(&source.key).await?.as_deref() == Some(wanted.sha256.as_str()) {
            return Ok(Some(source));
        }
    }
    Ok(None)
}

/// What stands in the place is set aside; a source that nobody knows is moved there.
async fn bring_back(app: &Shared, source: &Source, key: &str) -> Done<()> {
    if app.objects.stat(key).await?.is_some() {
        app.objects.set_aside(key).await?;
    }
    Ok(app.objects.bring(&source.key, key, !source.stays).await?)
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
            let change = Audited::begin(&mut tx, format!("submission {id}")).await?;
            // Somebody else may have written it meanwhile; the ledger's key refuses a second one.
            if let Some(standing) = standing.filter(|standing| standing.stage == SubmissionStage::Accepted) {
                let payout = store::payout::accrue(&mut tx, &standing, now).await?;
                let what = format!("earned {}", payout.amount);
                change.end(&mut tx, &Actor::command_line(), AuditAct::Repaired, &what, now).await?;
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
            let change = Audited::begin(&mut tx, format!("submission {submission_id}")).await?;
            is_mended = operations::insert_payout(&mut tx, &ledger_id, now).await?;
            change.end(&mut tx, &Actor::command_line(), AuditAct::Repaired, "its payout is written", now).await?;
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

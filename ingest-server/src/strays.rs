//! Strays: objects that belong to nothing, in the folder as in a bucket. A server that died at the wrong moment left them,
//! or a machine that sent something when nobody waited for it any more.
//!
//! Rows come first. An upload's row is there before its first byte and names its object until the upload has ended for
//! good; a job writes only where a row says so, and that row is committed before the address is signed. So what no row
//! names nobody is about to name either, in this replica or another. Age is a second net, for clocks that differ and for
//! what nobody thought of: whatever is younger than a day stays. What the database never knew stays for longer
//! (`COLLECTOR_UNKNOWN_OBJECT_DAYS`), and for ever where it was there before the database was made or put back from a
//! backup: then it is the database that may be the wrong one, and bytes of strangers are not removed on a guess.
//!
//! Nothing is removed here. An object is condemned, in a transaction that looks again, and goes the way of all others.

use shared_types::timestamp::Timestamp;

use crate::app::App;
use crate::limits::signed;
use crate::objects::{Lying, ObjectsError};
use crate::store::owner::{Noun, Owner, Standing, named_after};
use crate::store::{self, StoreError};

const DAY_SECS: i64 = 24 * 60 * 60;

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SweepError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// How old what belongs to nothing has to be.
#[derive(Debug, Clone, Copy)]
struct Ages {
    left_before: Timestamp,
    /// None where they stay for ever.
    unknown_before: Option<Timestamp>,
    /// Since when the database would know of them.
    watched_since: Timestamp,
}

impl Ages {
    async fn at(app: &App, now: Timestamp) -> Result<Self, StoreError> {
        let days = signed(app.config.limits.unknown_object_days);
        let watched_since = store::operations::watches_since(app.store.read()).await?;
        let unknown_before = Some(now.plus_secs(-days.saturating_mul(DAY_SECS)));
        Ok(Self {
            left_before: now.plus_secs(-DAY_SECS),
            unknown_before: unknown_before.filter(|_| days > 0 && watched_since.is_some()),
            watched_since: watched_since.unwrap_or(now),
        })
    }

    fn are_over(&self, one: &Lying, standing: Standing) -> bool {
        match standing {
            Standing::Wanted => false,
            Standing::Left => one.since < self.left_before,
            Standing::Unknown => {
                let is_old = self.unknown_before.is_some_and(|before| one.since < before);
                is_old && one.since >= self.watched_since && one.since < self.left_before
            }
        }
    }
}

/// Those that follow each other and are named after the same.
fn groups(some: &[Lying]) -> impl Iterator<Item = &[Lying]> {
    some.chunk_by(|one, next| named_after(&one.key) == named_after(&next.key))
}

/// Condemns what belongs to nothing and is old enough, until the server is told to stop; how many.
pub async fn sweep(app: &App, now: Timestamp) -> Result<usize, SweepError> {
    let (ages, mut condemned) = (Ages::at(app, now).await?, 0);
    let mut lying = app.objects.lying();
    while let Some(some) = lying.recv().await {
        for group in groups(&some?) {
            if app.stopping.is_cancelled() {
                return Ok(condemned);
            }
            let owner = Owner::find(app.store.read(), &group[0].key).await?;
            if group.iter().any(|one| ages.are_over(one, owner.standing(&one.key))) {
                condemned += condemn(app, group, &ages, now).await?;
            }
        }
    }
    crate::condemned::try_remove(app).await;
    Ok(condemned)
}

/// Looks again where nobody can change what was seen: while a job is locked, none of its outputs is signed.
async fn condemn(app: &App, group: &[Lying], ages: &Ages, now: Timestamp) -> Result<usize, SweepError> {
    let mut tx = app.store.begin().await?;
    if let Some((Noun::Job, id)) = named_after(&group[0].key)
        && let Ok(id) = id.parse()
    {
        store::job::lock(&mut tx, id).await?;
    }
    let (owner, mut condemned) = (Owner::find(&mut *tx, &group[0].key).await?, 0);
    for one in group {
        let standing = owner.standing(&one.key);
        if !ages.are_over(one, standing) || store::condemned::is_there(&mut *tx, &one.key).await? {
            continue;
        }
        let Lying { key, bytes, .. } = one;
        tracing::warn!(key, bytes, ?standing, "an object that belongs to nothing is removed");
        store::condemned::put(&mut tx, key, now).await?;
        condemned += 1;
    }
    tx.commit().await?;
    Ok(condemned)
}

/// How many objects that no row was ever about [`sweep`] would remove, and their bytes.
pub async fn unknown(app: &App, now: Timestamp) -> Result<(u64, u64), SweepError> {
    let (ages, mut items, mut bytes) = (Ages::at(app, now).await?, 0, 0);
    for one in of_nobody(app).await? {
        if one.1 == Standing::Unknown && ages.are_over(&one.0, one.1) {
            items += 1;
            bytes += one.0.bytes;
        }
    }
    Ok((items, bytes))
}

/// Every object that belongs to nothing, whatever its age.
pub async fn of_nobody(app: &App) -> Result<Vec<(Lying, Standing)>, SweepError> {
    let (pool, mut found) = (app.store.read(), Vec::new());
    let mut lying = app.objects.lying();
    while let Some(some) = lying.recv().await {
        for group in groups(&some?) {
            let owner = Owner::find(pool, &group[0].key).await?;
            for one in group {
                let standing = owner.standing(&one.key);
                if standing != Standing::Wanted && !store::condemned::is_there(pool, &one.key).await? {
                    found.push((one.clone(), standing));
                }
            }
        }
    }
    Ok(found)
}

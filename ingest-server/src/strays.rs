//! Strays: objects that belong to nothing, in the folder as in a bucket. A server that died at the wrong moment left them,
//! or a machine that sent something when nobody waited for it any more.
//!
//! Rows come first. An upload's row is there before its first byte and names its object until the upload has ended for
//! good; a job writes only where a row says so, and that row is committed before the address is signed. So what no row
//! names nobody is about to name either, in this replica or another. Age is a second net, for clocks that differ and for
//! what nobody thought of: whatever is younger than a day stays. What the database never knew stays for ever: it may be
//! the database that is the wrong one, and bytes of strangers are not removed on a guess. `audit` tells them. The same holds
//! for what was stored while no server of this database was there ([`store::alive`]): the database is older than the store.
//!
//! Nothing is removed here. An object is condemned, in a transaction that looks again, and goes the way of all others.

use shared_types::timestamp::Timestamp;

use crate::app::App;
use crate::objects::{Lying, ObjectsError};
use crate::store::alive::Absence;
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

/// Whether it was given up for good by what it is named after.
pub fn is_over(one: &Lying, standing: Standing, now: Timestamp) -> bool {
    standing == Standing::Left && one.since < now.plus_secs(-DAY_SECS)
}

/// What the rows say, for what was stored while they could know of it.
fn judged(owner: &Owner, one: &Lying, absences: &[Absence]) -> Standing {
    match owner.standing(&one.key) {
        Standing::Left if absences.iter().any(|absence| absence.holds(one.since)) => Standing::Unknown,
        standing => standing,
    }
}

/// The times in which no server was there, the one that ends now too.
async fn absences(app: &App) -> Result<Vec<Absence>, StoreError> {
    let mut tx = app.store.begin().await?;
    store::alive::tell(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    store::alive::absences(app.store.read()).await
}

/// Those that follow each other and are named after the same.
fn groups(some: &[Lying]) -> impl Iterator<Item = &[Lying]> {
    some.chunk_by(|one, next| named_after(&one.key) == named_after(&next.key))
}

/// Condemns what was given up and is old enough, until the server is told to stop; how many.
pub async fn sweep(app: &App, now: Timestamp) -> Result<usize, SweepError> {
    let absences = absences(app).await?;
    let (mut condemned, mut lying) = (0, app.objects.lying());
    while let Some(some) = lying.recv().await {
        for group in groups(&some?) {
            if app.stopping.is_cancelled() {
                return Ok(condemned);
            }
            let owner = Owner::find(app.store.read(), &group[0].key).await?;
            if group.iter().any(|one| is_over(one, judged(&owner, one, &absences), now)) {
                condemned += condemn(app, group, now).await?;
            }
        }
    }
    crate::condemned::try_remove(app).await;
    Ok(condemned)
}

/// Condemns what is over among objects that are named after the same; how many. It looks again where nobody can change
/// what was seen: while a job is locked, none of its outputs is signed.
pub async fn condemn(app: &App, group: &[Lying], now: Timestamp) -> Result<usize, StoreError> {
    let absences = store::alive::absences(app.store.read()).await?;
    let mut tx = app.store.begin().await?;
    if let Some((Noun::Job, id)) = named_after(&group[0].key)
        && let Ok(id) = id.parse()
    {
        store::job::lock(&mut tx, id).await?;
    }
    let (owner, mut condemned) = (Owner::find(&mut *tx, &group[0].key).await?, 0);
    for one in group {
        if !is_over(one, judged(&owner, one, &absences), now) || store::condemned::is_there(&mut *tx, &one.key).await? {
            continue;
        }
        let Lying { key, bytes, .. } = one;
        tracing::warn!(key, bytes, "an object that belongs to nothing any more is removed");
        store::condemned::put(&mut tx, key, now).await?;
        condemned += 1;
    }
    tx.commit().await?;
    Ok(condemned)
}

/// How one belongs to nothing now; none where something counts on it, or where it is condemned already.
pub async fn standing(app: &App, one: &Lying) -> Result<Option<Standing>, StoreError> {
    let owner = Owner::find(app.store.read(), &one.key).await?;
    let standing = judged(&owner, one, &absences(app).await?);
    let is_told = standing != Standing::Wanted && !store::condemned::is_there(app.store.read(), &one.key).await?;
    Ok(is_told.then_some(standing))
}

/// Every object that belongs to nothing, whatever its age.
pub async fn of_nobody(app: &App) -> Result<Vec<(Lying, Standing)>, SweepError> {
    let absences = absences(app).await?;
    let (pool, mut found) = (app.store.read(), Vec::new());
    let mut lying = app.objects.lying();
    while let Some(some) = lying.recv().await {
        for group in groups(&some?) {
            let owner = Owner::find(pool, &group[0].key).await?;
            for one in group {
                let standing = judged(&owner, one, &absences);
                if standing != Standing::Wanted && !store::condemned::is_there(pool, &one.key).await? {
                    found.push((one.clone(), standing));
                }
            }
        }
    }
    Ok(found)
}

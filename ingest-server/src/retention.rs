//! How long each class of data is kept, and what would go now.

use shared_types::api::audit::AuditAct;
use shared_types::submission::SubmissionStage;
use shared_types::timestamp::Timestamp;

use crate::app::Shared;
use crate::limits::{Limits, signed};
use crate::objects::manifest_key;
use crate::store::StoreError;
use crate::store::audit::Actor;
use crate::store::change::Audited;
use crate::store::retention::{Due, Since};
use crate::uploads::{Done, UploadError};
use crate::{condemned, crash, store};

const DAY_SECS: i64 = 86_400;

/// Data that is kept equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Finished uploads that nobody handed in.
    UnusedUploads,
    /// Media of takes that came to nothing: sent back, rejected, withdrawn, failed or quarantined; what was said about them
    /// stays.
    RejectedMedia,
    /// Media of accepted takes; the ledger, the review and the dataset's rows stay.
    AcceptedMedia,
    /// Where people logged in from; the entries of the audit log stay.
    LoginAddresses,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::UnusedUploads, Self::RejectedMedia, Self::AcceptedMedia, Self::LoginAddresses];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnusedUploads => "unused_uploads",
            Self::RejectedMedia => "rejected_media",
            Self::AcceptedMedia => "accepted_media",
            Self::LoginAddresses => "login_addresses",
        }
    }

    const fn days(self, limits: &Limits) -> u64 {
        match self {
            Self::UnusedUploads => limits.unused_upload_days,
            Self::RejectedMedia => limits.rejected_media_days,
            Self::AcceptedMedia => limits.accepted_media_days,
            Self::LoginAddresses => limits.login_address_days,
        }
    }

    const fn stages(self) -> &'static [SubmissionStage] {
        use SubmissionStage as Stage;
        match self {
            Self::UnusedUploads | Self::LoginAddresses => &[],
            Self::RejectedMedia => {
                &[Stage::Rejected, Stage::Redo, Stage::SentBack, Stage::Withdrawn, Stage::Failed, Stage::Quarantined]
            }
            Self::AcceptedMedia => &[Stage::Accepted],
        }
    }
}

/// What is over its time in one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    pub class: Class,
    /// 0 is for ever.
    pub days: u64,
    pub items: u64,
    pub bytes: u64,
}

fn before(days: u64, now: Timestamp) -> Timestamp {
    now.plus_secs(-signed(days).saturating_mul(DAY_SECS))
}

/// What [`apply`] and [`crate::uploads::sweep`] would remove. It changes nothing.
pub async fn look(app: &Shared, now: Timestamp) -> Result<Vec<Over>, StoreError> {
    let mut all = Vec::new();
    for class in Class::ALL {
        let days = class.days(&app.config.limits);
        let mut over = Over { class, days, items: 0, bytes: 0 };
        if days > 0 && class == Class::UnusedUploads {
            let uploads = store::upload::unused_sum(app.store.read(), before(days, now)).await?;
            (over.items, over.bytes) = uploads;
        } else if days > 0 && class == Class::LoginAddresses {
            over.items = store::audit::old_addresses(app.store.read(), before(days, now)).await?;
        } else if days > 0 {
            let mut after = None;
            loop {
                let some = due(app, class, now, after).await?;
                let Some(last) = some.last() else { break };
                after = Some(last.id);
                over.items += some.len() as u64;
                over.bytes += some.iter().map(|due| due.bytes).sum::<u64>();
            }
        }
        all.push(over);
    }
    Ok(all)
}

async fn due(
    app: &Shared,
    class: Class,
    now: Timestamp,
    after: Option<shared_types::id::SubmissionId>,
) -> Result<Vec<Due>, StoreError> {
    let since = Since { stages: class.stages(), before: before(class.days(&app.config.limits), now) };
    store::retention::due(app.store.read(), since, after).await
}

/// Forgets addresses, and condemns and removes the media of submissions, whose time is over, until the server is told to
/// stop; tells how many submissions. Unused uploads are ended by [`crate::uploads::sweep`].
pub async fn apply(app: &Shared, now: Timestamp) -> Done<u64> {
    let days = Class::LoginAddresses.days(&app.config.limits);
    if days > 0 {
        let mut tx = app.store.begin().await?;
        store::audit::forget_addresses(&mut tx, before(days, now)).await?;
        tx.commit().await?;
    }
    let mut removed = 0;
    for class in [Class::RejectedMedia, Class::AcceptedMedia] {
        let days = class.days(&app.config.limits);
        if days == 0 {
            continue;
        }
        let since = Since { stages: class.stages(), before: before(days, now) };
        let mut after = None;
        loop {
            let some = due(app, class, now, after).await?;
            let Some(last) = some.last() else { break };
            after = Some(last.id);
            for due in &some {
                if app.stopping.is_cancelled() {
                    return Ok(removed);
                }
                removed += u64::from(condemn(app, due, since, now).await?);
            }
        }
    }
    condemned::remove(app).await?;
    Ok(removed)
}

async fn condemn(app: &Shared, due: &Due, since: Since<'_>, now: Timestamp) -> Result<bool, UploadError> {
    let mut tx = app.store.begin().await?;
    let change = Audited::begin(&mut tx, format!("submission {}", due.id)).await?;
    if !store::retention::mark(&mut tx, due.id, since, now).await? {
        return Ok(false);
    }
    let mut keys = store::retention::keys(&mut tx, due.id).await?;
    keys.push(manifest_key(due.id, &store::submission::manifest(&mut tx, due.id).await?));
    for key in keys {
        store::condemned::put(&mut tx, &key, now).await?;
    }
    // What it says holds at once: the bytes go after it, and nobody is given their address any more.
    let what = "The media go: their time is over.";
    store::history::add(&mut tx, due.id, now, "server", what).await?;
    change.end(&mut tx, &Actor::server(), AuditAct::MediaRemoved, what, now).await?;
    crash::point("retention.condemning");
    tx.commit().await?;
    crash::point("retention.condemned");
    Ok(true)
}

//! Routes of the noun worker: registration with an invite, and the admin's list.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{Method, StatusCode};
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::admin::{TokenRole, WorkerRow};
use shared_types::api::audit::AuditAct;
use shared_types::api::worker::{RegisterRequest, Registered};
use shared_types::error::ErrorCode;
use shared_types::id::WorkerId;
use shared_types::worker::WorkerStage;
use uuid::Uuid;

use crate::app::Shared;
use crate::http::consent;
use crate::http::error::{Answer, Problem};
use crate::http::guard::AdminCaller;
use crate::http::page::{Asked, LIMIT, cursor, page};
use crate::http::route::{Route, Who, route};
use crate::store::worker::NewWorker;
use crate::store::{self, Tx};

const LONGEST_FIELD: usize = 200;
/// The audit log's subject of whoever reads the list.
const WORKERS: &str = "workers";
/// Looks within so long are one.
const SAME_VIEW_SECS: i64 = 300;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/api/v1/workers", Who::Invite, "Registers with an invite.", register)
            .takes::<RegisterRequest>()
            .gives::<Registered>()
            .status(201),
        route(Method::GET, "/api/v1/admin/workers", Who::Admin, "Everybody who registered.", list)
            .gives::<Page<WorkerRow>>()
            .asks(&["cursor"]),
    ]
}

fn check(request: &RegisterRequest) -> Answer<()> {
    let fields = [
        ("invite", &request.invite),
        ("name", &request.name),
        ("fiverr_user", &request.fiverr_user),
        ("device.id", &request.device.id),
    ];
    for (name, value) in fields {
        if value.trim().is_empty() || value.chars().count() > LONGEST_FIELD {
            let text = format!("{name} must have 1 to {LONGEST_FIELD} characters.");
            return Err(Problem::because(ErrorCode::InvalidRequest, text));
        }
    }
    let too_long = |value: &Option<String>| value.as_ref().is_some_and(|value| value.chars().count() > LONGEST_FIELD);
    if too_long(&request.device.os) || too_long(&request.device.app_version) {
        return Err(Problem::because(ErrorCode::InvalidRequest, "A field of the device is too long."));
    }
    if request.consent.version != consent::VERSION {
        return Err(ErrorCode::ConsentRequired.into());
    }
    Ok(())
}

async fn register(
    State(app): State<Shared>,
    body: Result<Json<RegisterRequest>, JsonRejection>,
) -> Answer<(StatusCode, Json<Registered>)> {
    let Json(request) = body?;
    check(&request)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let Some(invite) = store::invite::find(&mut tx, &request.invite).await? else {
        return Err(Problem::because(ErrorCode::NotFound, "This invite is not known here."));
    };
    let device = request.device.id.as_str();
    let given = (request.consent.accepted_at, request.device.app_version.as_deref());
    let worker_id = match invite.worker_id {
        Some(worker_id) if invite.device_id.as_deref() == Some(device) => {
            // An erasure that came meanwhile was waited for, and holds.
            store::worker::lock(&mut tx, worker_id).await?;
            let standing = store::consent::standing_in(&mut tx, worker_id).await?.ok_or(ErrorCode::NotFound)?;
            if let Some(objection) = consent::left(standing.stage).or_else(|| consent::barred(standing.stage)) {
                return Err(objection);
            }
            // The computer's token is the way back; where an admin took it away there is none.
            if !store::token::revoke_device(&mut tx, worker_id, device, now).await? {
                return Err(ErrorCode::TokenRevoked.into());
            }
            if standing.version.as_deref() != Some(consent::VERSION) {
                consent::accept(&mut tx, worker_id, given, now).await?;
            }
            worker_id
        }
        Some(_) => return Err(ErrorCode::InviteUsed.into()),
        None if invite.expires_at < now => return Err(ErrorCode::InviteExpired.into()),
        None => {
            let id = WorkerId(Uuid::now_v7());
            let stage = WorkerStage::Registered.advance(WorkerStage::Consented)?.advance(WorkerStage::Active)?;
            let new = NewWorker {
                id,
                alias: alias(&mut tx).await?,
                name: request.name.trim().to_owned(),
                fiverr_user: request.fiverr_user.trim().to_owned(),
                stage,
                created_at: now,
            };
            store::worker::insert(&mut tx, &new).await?;
            consent::accept(&mut tx, id, given, now).await?;
            if !store::invite::take(&mut tx, invite.id, id, device, now).await? {
                return Err(ErrorCode::InviteUsed.into());
            }
            let tiers = store::campaign::tiers_in(&mut tx, invite.campaign_id).await?;
            let tier = tiers.iter().find(|tier| tier.id == invite.tier_id).ok_or(ErrorCode::Internal)?;
            store::assignment::insert_for(&mut tx, invite.campaign_id, tier, id, now).await?;
            id
        }
    };
    let owner = Some((worker_id, device));
    let made = store::token::make(&mut tx, TokenRole::Worker, "", owner, now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Registered { worker_id, token: made.token })))
}

/// Four random hexadecimal digits, and more of them once those are taken.
async fn alias(tx: &mut Tx) -> Answer<String> {
    let random = crate::secret::new_secret(crate::secret::SecretKind::Worker)?;
    let random = random.trim_start_matches("csw_").to_uppercase();
    for digits in [4, 6, 8] {
        let alias = format!("worker-{}", &random[..digits]);
        if !store::worker::is_alias_taken(tx, &alias).await? {
            return Ok(alias);
        }
    }
    Ok(format!("worker-{random}"))
}

/// Who could read names is in the audit log before they can.
async fn note_view(app: &Shared, caller: &AdminCaller) -> Answer<()> {
    let now = app.clock.now();
    let (act, since) = (AuditAct::WorkersViewed, now.plus_secs(-SAME_VIEW_SECS));
    if store::audit::is_recent(app.store.read(), &caller.name, act, WORKERS, since).await? {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    store::audit::append(&mut tx, &caller.actor(), act, WORKERS, "names and Fiverr names", now).await?;
    Ok(tx.commit().await?)
}

async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    asked: Asked,
) -> Answer<Json<Page<WorkerRow>>> {
    note_view(&app, &caller).await?;
    let rows = store::worker::list(app.store.read(), cursor(asked)?.as_deref(), LIMIT).await?;
    Ok(Json(page(rows, |row| row.id.to_string())))
}

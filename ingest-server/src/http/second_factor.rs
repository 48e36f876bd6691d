//! A login's second factor: added with a first code, taken away with a proof.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use qrcodegen::{QrCode, QrCodeEcc};
use shared_types::api::audit::AuditAct;
use shared_types::api::review::{RecoveryCodes, TotpConfirmRequest, TotpOffer};
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::{AdminCaller, Session};
use crate::http::route::{Route, Who, route};
use crate::http::session::renew;
use crate::store;
use crate::store::change::Audited;
use crate::totp::{TotpSecret, new_recovery_codes};

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/admin/session/totp";
    vec![
        route(Method::POST, path, Who::Reviewer, "Offers a secret for an authenticator app.", offer)
            .gives::<TotpOffer>()
            .needs_proof()
            .for_newcomers(),
        route(
            Method::POST,
            "/api/v1/admin/session/totp/confirm",
            Who::Reviewer,
            "Takes the app into use with its first code; gives recovery codes.",
            confirm,
        )
        .takes::<TotpConfirmRequest>()
        .gives::<RecoveryCodes>()
        .for_newcomers(),
        route(Method::DELETE, path, Who::Reviewer, "Takes the second factor away.", remove).status(204).needs_proof(),
    ]
}

/// Only people have second factors.
pub(super) fn session(caller: &AdminCaller) -> Answer<&Session> {
    let why = "This is about a login; a token has neither password nor second factor.";
    caller.session.as_ref().ok_or_else(|| Problem::because(ErrorCode::InvalidRequest, why))
}

async fn offer(State(app): State<Shared>, Extension(caller): Extension<AdminCaller>) -> Answer<Json<TotpOffer>> {
    let session = session(&caller)?;
    let secret = TotpSecret::new()?;
    let mut tx = app.store.begin().await?;
    if !store::second_factor::begin(&mut tx, &session.admin_id, &secret, app.clock.now()).await? {
        return Err(Problem::because(
            ErrorCode::StageConflict,
            "This login has a second factor; take that away first.",
        ));
    }
    tx.commit().await?;
    let uri = secret.uri(&caller.name);
    // An address is far shorter than what a QR code holds, unless the e-mail is absurdly long.
    let qr = QrCode::encode_text(&uri, QrCodeEcc::Medium).map(|code| rows(&code)).unwrap_or_default();
    Ok(Json(TotpOffer { secret: secret.base32(), uri, qr }))
}

fn rows(code: &QrCode) -> Vec<String> {
    let size = code.size();
    let row = |y| (0..size).map(|x| if code.get_module(x, y) { '1' } else { '0' }).collect();
    (0..size).map(row).collect()
}

async fn confirm(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    body: Result<Json<TotpConfirmRequest>, JsonRejection>,
) -> Answer<impl IntoResponse> {
    let Json(request) = body?;
    let (session, now) = (session(&caller)?, app.clock.now());
    let factor = store::second_factor::find(app.store.read(), &session.admin_id).await?;
    let open = factor.filter(|factor| factor.confirmed_at.is_none());
    let open = open
        .ok_or_else(|| Problem::because(ErrorCode::StageConflict, "No authenticator app waits for its first code."))?;
    let step = open.secret.step_of(&request.totp.replace(' ', ""), now);
    let wrong = || {
        Problem::because(
            ErrorCode::InvalidRequest,
            "The code is not right. Check the clock of the phone, and take the newest code.",
        )
    };
    let step = step.ok_or_else(wrong)?;
    let codes = new_recovery_codes()?;
    let mut tx = app.store.begin().await?;
    let change = Audited::begin(&mut tx, format!("admin {}", caller.name)).await?;
    let is_first = store::second_factor::use_step(&mut tx, &session.admin_id, step).await?;
    if !is_first || !store::second_factor::confirm(&mut tx, &session.admin_id, &codes, now).await? {
        return Err(ErrorCode::VersionConflict.into());
    }
    // Whoever got in with the password alone is out.
    store::session::end_others(&mut tx, &session.admin_id, &session.id_sha256).await?;
    change.end(&mut tx, &caller.actor(), AuditAct::SecondFactorAdded, "an authenticator app", now).await?;
    let cookie = renew(&mut tx, session).await?;
    tx.commit().await?;
    Ok((cookie, Json(RecoveryCodes { codes })))
}

async fn remove(State(app): State<Shared>, Extension(caller): Extension<AdminCaller>) -> Answer<impl IntoResponse> {
    let session = session(&caller)?;
    let mut tx = app.store.begin().await?;
    let change = Audited::begin(&mut tx, format!("admin {}", caller.name)).await?;
    if !store::second_factor::remove(&mut tx, &session.admin_id).await? {
        return Err(Problem::because(ErrorCode::StageConflict, "This login has no second factor."));
    }
    let (act, now) = (AuditAct::SecondFactorRemoved, app.clock.now());
    change.end(&mut tx, &caller.actor(), act, "by its owner", now).await?;
    let cookie = renew(&mut tx, session).await?;
    tx.commit().await?;
    Ok((StatusCode::NO_CONTENT, cookie))
}

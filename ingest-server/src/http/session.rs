//! Logging in and out, and proving again who one is. What guessing costs: [`crate::login`].

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use shared_types::api::Page;
use shared_types::api::audit::AuditAct;
use shared_types::api::review::{LoginRequest, LoginView, ProofRequest, SessionView};
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::{AdminCaller, COOKIE, DEVICE_COOKIE, Session, cookie, request_id, same_origin};
use crate::http::limit::{HERE, client};
use crate::http::route::{Route, Who, route};
use crate::http::second_factor;
use crate::login::{Claim, LoginError, device_key};
use crate::secret::{SecretKind, digest, new_secret};
use crate::store::audit::Actor;
use crate::store::{self, Tx};

const LONGEST_FIELD: usize = 1000;
const LONGEST_BROWSER: usize = 200;
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/admin/session";
    vec![
        route(Method::POST, path, Who::Anyone, "Logs in; the answer sets the cookie.", log_in)
            .takes::<LoginRequest>()
            .status(204),
        route(Method::GET, path, Who::Reviewer, "Who is logged in.", show).gives::<SessionView>().for_newcomers(),
        route(Method::DELETE, path, Who::Reviewer, "Logs out.", log_out).status(204).for_newcomers(),
        route(
            Method::DELETE,
            "/api/v1/admin/session/others",
            Who::Reviewer,
            "Ends every other login of the same person.",
            end_others,
        )
        .status(204)
        .for_newcomers(),
        route(Method::GET, "/api/v1/admin/session/logins", Who::Reviewer, "Where the same person is logged in.", list)
            .gives::<Page<LoginView>>()
            .for_newcomers(),
        route(
            Method::DELETE,
            "/api/v1/admin/session/logins/{id}",
            Who::Reviewer,
            "Ends one login of the same person.",
            end_one,
        )
        .status(204)
        .for_newcomers(),
        route(
            Method::POST,
            "/api/v1/admin/session/proof",
            Who::Reviewer,
            "Shows password or code again, for what touches money, access or erasure.",
            prove,
        )
        .takes::<ProofRequest>()
        .status(204)
        .for_newcomers(),
    ]
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let refused = |why: &str| Self::because(ErrorCode::Unauthenticated, why);
        match error {
            LoginError::Wait(secs) => Self::from(ErrorCode::RateLimited).retry_after(secs),
            LoginError::Wrong => refused("E-mail or password is not right."),
            LoginError::NeedsCode => ErrorCode::CodeRequired.into(),
            LoginError::WrongCode => Self::because(
                ErrorCode::CodeRequired,
                "The code is not right, or it was used before: wait for the next one.",
            ),
            LoginError::Store(error) => error.into(),
        }
    }
}

/// The header that brings a login's cookie.
fn opens(id: &str) -> (HeaderName, String) {
    (header::SET_COOKIE, format!("{COOKIE}={id}; {ATTRIBUTES}"))
}

/// Gives a login another cookie: what the earlier one opened, it opened with less.
pub(super) async fn renew(tx: &mut Tx, session: &Session) -> Answer<AppendHeaders<[(HeaderName, String); 1]>> {
    let id = new_secret(SecretKind::Session)?;
    store::session::renew(tx, &session.id_sha256, &digest(&id)).await?;
    Ok(AppendHeaders([opens(&id)]))
}

async fn log_in(
    State(app): State<Shared>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Result<Json<LoginRequest>, JsonRejection>,
) -> Answer<Response> {
    if !same_origin(&headers) {
        return Err(Problem::because(ErrorCode::Forbidden, "This request came from another site."));
    }
    let Json(request) = body?;
    let code_bytes = request.totp.as_ref().map_or(0, String::len);
    if request.email.len().max(request.password.len()).max(code_bytes) > LONGEST_FIELD {
        return Err(LoginError::Wrong.into());
    }
    let (email, now) = (request.email.trim().to_lowercase(), app.clock.now());
    let request_id = request_id(&extensions);
    let client = client(&app.config, &extensions, &headers);
    let device = cookie(&headers, DEVICE_COOKIE);
    let claim = Claim { email: &email, client: &client, device: device.as_deref(), request_id: request_id.clone() };
    let (account, mut tx) = claim.log_in(&app, request.password, request.totp.as_deref(), now).await?;
    // Whoever gave the browser the cookie that it brings must not be in with it.
    if let Some(earlier) = cookie(&headers, COOKIE) {
        store::session::end(&mut tx, &digest(&earlier)).await?;
    }
    let id = new_secret(SecretKind::Session)?;
    let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let browser: String = browser.chars().take(LONGEST_BROWSER).collect();
    store::session::begin(&mut tx, &account.id, &digest(&id), (&client, &browser), now).await?;
    // A browser keeps its secret for all who log in from it.
    let device = match device.filter(|device| SecretKind::Device.is_of(device)) {
        Some(device) => device,
        None => new_secret(SecretKind::Device)?,
    };
    store::known_device::put(&mut tx, &device_key(&email, &device), now).await?;
    let (actor, subject) = (Actor { name: email.clone(), request_id }, format!("admin {email}"));
    let what = if request.totp.is_some() { "with password and code" } else { "with the password" };
    let act = AuditAct::LoggedIn;
    if client == HERE {
        store::audit::append(&mut tx, &actor, act, &subject, &format!("{what}, from this machine"), now).await?;
    } else {
        store::audit::append_from(&mut tx, &actor, (act, &subject, what), &client, now).await?;
    }
    tx.commit().await?;
    let life_secs = store::known_device::LIFE_SECS;
    let of_device = format!("{DEVICE_COOKIE}={device}; {ATTRIBUTES}; Max-Age={life_secs}");
    let cookies = [opens(&id), (header::SET_COOKIE, of_device)];
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookies)).into_response())
}

async fn show(State(app): State<Shared>, Extension(caller): Extension<AdminCaller>) -> Answer<Json<SessionView>> {
    let (mut has_second_factor, mut recovery_codes) = (false, 0);
    if let Some(session) = caller.session.as_ref().filter(|session| session.has_second_factor) {
        has_second_factor = true;
        recovery_codes = store::second_factor::codes_left(app.store.read(), &session.admin_id).await?;
    }
    let must_add_second_factor = app.config.demand_totp && caller.session.is_some() && !has_second_factor;
    let (email, role) = (caller.name, caller.role);
    Ok(Json(SessionView { email, role, has_second_factor, must_add_second_factor, recovery_codes }))
}

async fn prove(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Result<Json<ProofRequest>, JsonRejection>,
) -> Answer<StatusCode> {
    let Json(request) = body?;
    let (session, now) = (second_factor::session(&caller)?, app.clock.now());
    let longest = [&request.password, &request.totp].into_iter().flatten().map(String::len).max();
    if longest.is_some_and(|bytes| bytes > LONGEST_FIELD) {
        return Err(refused());
    }
    let client = client(&app.config, &extensions, &headers);
    let device = cookie(&headers, DEVICE_COOKIE);
    let request_id = caller.request_id.clone();
    let claim = Claim { email: &caller.name, client: &client, device: device.as_deref(), request_id };
    let proven = claim.prove(&app, &session.admin_id, request.password, request.totp.as_deref(), now).await;
    let mut tx = proven.map_err(|error| match error {
        // 401 would say that the login has ended.
        LoginError::Wrong => refused(),
        LoginError::NeedsCode | LoginError::WrongCode => Problem::from(error).with_status(StatusCode::FORBIDDEN),
        error => error.into(),
    })?;
    store::session::proven(&mut tx, &session.id_sha256, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refused() -> Problem {
    Problem::because(ErrorCode::ProofRequired, "The password is not right.")
}

async fn list(State(app): State<Shared>, Extension(caller): Extension<AdminCaller>) -> Answer<Json<Page<LoginView>>> {
    let session = second_factor::session(&caller)?;
    let own = &session.id_sha256;
    let items = store::session::list(app.store.read(), &session.admin_id, own, app.clock.now()).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

async fn note_end(app: &Shared, tx: &mut Tx, caller: &AdminCaller, what: &str) -> Answer<()> {
    let (subject, now) = (format!("admin {}", caller.name), app.clock.now());
    Ok(store::audit::append(tx, &caller.actor(), AuditAct::LoginEnded, &subject, what, now).await?)
}

async fn end_one(
    State(app): State<Shared>,
    Extension(caller): Extension<AdminCaller>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let session = second_factor::session(&caller)?;
    let mut tx = app.store.begin().await?;
    if !store::session::end_one(&mut tx, &session.admin_id, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    note_end(&app, &mut tx, &caller, "another one of its own").await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_others(State(app): State<Shared>, Extension(caller): Extension<AdminCaller>) -> Answer<StatusCode> {
    let session = second_factor::session(&caller)?;
    let mut tx = app.store.begin().await?;
    let ended = store::session::end_others(&mut tx, &session.admin_id, &session.id_sha256).await?;
    if ended > 0 {
        note_end(&app, &mut tx, &caller, &format!("all others of its own: {ended}")).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn log_out(State(app): State<Shared>, Extension(caller): Extension<AdminCaller>) -> Answer<Response> {
    if let Some(session) = &caller.session {
        let mut tx = app.store.begin().await?;
        store::session::end(&mut tx, &session.id_sha256).await?;
        note_end(&app, &mut tx, &caller, "logged out").await?;
        tx.commit().await?;
    }
    let cookie = format!("{COOKIE}=; {ATTRIBUTES}; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

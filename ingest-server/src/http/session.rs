//! Logging in and out.
//!
//! An unknown e-mail and a wrong password get the same answer after the same work. After a few failures an account waits
//! longer each time; it is never locked for good.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use shared_types::api::audit::AuditAct;
use shared_types::api::review::{LoginRequest, SessionView};
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::http::error::{Answer, Problem, RequestId};
use crate::http::guard::{AdminCaller, COOKIE, same_origin};
use crate::http::route::{Route, Who, route};
use crate::password;
use crate::secret::{SecretKind, digest, new_secret};
use crate::store;
use crate::store::audit::Actor;

const FREE_FAILURES: i64 = 5;
const LONGEST_DELAY_SECS: i64 = 15 * 60;
const LONGEST_FIELD: usize = 1000;
/// Argon2id of nobody's password, with the parameters of everybody's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm8$q6m1pq0uJq2Y2k0Zc8oYpmUqQ3rYgP0i0o2lqkq0h1E";

pub(super) fn routes() -> Vec<Route> {
    let path = "/api/v1/admin/session";
    vec![
        route(Method::POST, path, Who::Anyone, "Logs in; the answer sets the cookie.", log_in)
            .takes::<LoginRequest>()
            .status(204),
        route(Method::GET, path, Who::Reviewer, "Who is logged in.", show).gives::<SessionView>(),
        route(Method::DELETE, path, Who::Reviewer, "Logs out.", log_out).status(204),
    ]
}

async fn log_in(
    State(app): State<Shared>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Result<Json<LoginRequest>, JsonRejection>,
) -> Answer<Response> {
    if !same_origin(&headers) {
        return Err(Problem::because(ErrorCode::Forbidden, "This request came from another site."));
    }
    let Json(request) = body?;
    if request.email.len() > LONGEST_FIELD || request.password.len() > LONGEST_FIELD {
        return Err(wrong());
    }
    let now = app.clock.now();
    let email = request.email.trim().to_lowercase();
    let account = store::session::account(app.store.read(), &email).await?;
    let stored = account.as_ref().map_or(NOBODY, |account| account.password_hash.as_str());
    if let Some(until) = account.as_ref().and_then(|account| account.locked_until).filter(|until| *until > now) {
        let secs = (until.millis - now.millis) as u64 / 1000 + 1;
        return Err(Problem::from(ErrorCode::RateLimited).retry_after(secs));
    }
    let fits = password::verify(request.password, stored.to_owned()).await;
    let Some(account) = account else { return Err(wrong()) };
    let mut tx = app.store.begin().await?;
    if !fits {
        let over = account.failed_logins + 1 - FREE_FAILURES;
        let delay = (over >= 0).then(|| (1_i64 << over.clamp(0, 20)).min(LONGEST_DELAY_SECS));
        store::session::failed(&mut tx, &account.id, delay.map(|secs| now.plus_secs(secs))).await?;
        tx.commit().await?;
        return Err(wrong());
    }
    let id = new_secret(SecretKind::Session)?;
    store::session::begin(&mut tx, &account.id, &digest(&id), now).await?;
    let actor = Actor { name: email.clone(), request_id: Some(request_id) };
    store::audit::append(&mut tx, &actor, AuditAct::LoggedIn, &format!("admin {email}"), "with the password", now)
        .await?;
    tx.commit().await?;
    let cookie = format!("{COOKIE}={id}; Path=/; Secure; HttpOnly; SameSite=Strict");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

fn wrong() -> Problem {
    Problem::because(ErrorCode::Unauthenticated, "E-mail or password is not right.")
}

async fn show(Extension(caller): Extension<AdminCaller>) -> Json<SessionView> {
    Json(SessionView { email: caller.name, role: caller.role })
}

async fn log_out(State(app): State<Shared>, Extension(caller): Extension<AdminCaller>) -> Answer<Response> {
    if let Some(session) = &caller.session {
        let mut tx = app.store.begin().await?;
        store::session::end(&mut tx, session).await?;
        tx.commit().await?;
    }
    let cookie = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

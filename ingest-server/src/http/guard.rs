//! Who is asking: a bearer token or the admin's cookie, checked against the route's rule before its handler runs.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared_types::api::admin::TokenRole;
use shared_types::api::review::AdminRole;
use shared_types::error::ErrorCode;
use shared_types::id::{TokenId, WorkerId};
use shared_types::timestamp::Timestamp;

use crate::app::Shared;
use crate::http::body::gather;
use crate::http::consent;
use crate::http::error::{Problem, RequestId};
use crate::http::limit::{client, is_own};
use crate::http::route::{Rule, Who};
use crate::limits::signed;
use crate::secret::digest;
use crate::store;
use crate::store::audit::Actor;

/// The cookie of an admin's login; `__Host-` ties it to this host and to TLS (browsers except loopback).
pub const COOKIE: &str = "__Host-collector";
/// The cookie by which a browser is known again when somebody guesses at its person's account. It opens nothing.
pub const DEVICE_COOKIE: &str = "__Host-collector-device";
const SEEN_EVERY_SECS: i64 = 60;

/// A worker's recorder, in the extensions of requests to routes for workers.
#[derive(Debug, Clone)]
pub struct WorkerCaller {
    pub worker_id: WorkerId,
    pub token_id: TokenId,
}

/// A pipeline machine.
#[derive(Debug, Clone)]
pub struct PipelineCaller {
    /// `token` and its name.
    pub name: String,
    pub request_id: Option<String>,
}

impl PipelineCaller {
    /// As the audit log names it.
    pub fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), request_id: self.request_id.clone() }
    }
}

/// A login.
#[derive(Debug, Clone)]
pub struct Session {
    pub id_sha256: String,
    pub admin_id: String,
    pub proven_at: Timestamp,
    pub has_second_factor: bool,
}

/// A person (or an admin's token) on the review and admin routes.
#[derive(Debug, Clone)]
pub struct AdminCaller {
    /// E-mail, or `token` and its name.
    pub name: String,
    pub role: AdminRole,
    /// Where it is a login.
    pub session: Option<Session>,
    pub request_id: Option<String>,
}

impl AdminCaller {
    /// Who only reviews does not know what a take pays.
    pub fn sees_money(&self) -> bool {
        self.role == AdminRole::Admin
    }

    /// As the audit log names it.
    pub fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), request_id: self.request_id.clone() }
    }
}

/// Which route of the table answered, in the extensions of its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered(pub(super) &'static str);

pub(super) async fn guard(State((app, rule)): State<(Shared, Rule)>, request: Request, next: Next) -> Response {
    // A body may not be shared between threads, so only the head is looked at while others are waited for.
    let (mut head, body) = request.into_parts();
    let body = match (admit(&app, rule, &mut head).await, rule.longest_body) {
        (Err(problem), _) => Err(problem),
        (Ok(()), None) => Ok((body, None)),
        (Ok(()), Some(longest)) => gather(&app, body, longest).await,
    };
    let mut response = match body {
        // The room is kept until the answer: the handler holds what is parsed of the body.
        Ok((body, _room)) => next.run(Request::from_parts(head, body)).await,
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(Answered(rule.path));
    response
}

async fn admit(app: &Shared, rule: Rule, head: &mut Parts) -> Result<(), Problem> {
    let who = rule.who;
    let is_open = matches!(who, Who::Anyone | Who::Invite | Who::Signed);
    if is_open || (who == Who::Operator && is_own(&app.config, &head.extensions, &head.headers)) {
        return Ok(());
    }
    let caller = match bearer(&head.headers) {
        Some(secret) => by_token(app, &secret).await?,
        None => by_session(app, head).await?,
    };
    let caller = match caller {
        Caller::Admin(caller) => Caller::Admin(AdminCaller { request_id: request_id(&head.extensions), ..caller }),
        Caller::Pipeline(caller) => {
            Caller::Pipeline(PipelineCaller { request_id: request_id(&head.extensions), ..caller })
        }
        Caller::Worker(caller) => Caller::Worker(caller),
    };
    if let Caller::Admin(caller) = &caller
        && !is_safe(&head.method)
    {
        // The audit log has the request's id, which is in this line as well.
        let from = client(&app.config, &head.extensions, &head.headers);
        tracing::info!(who = caller.name.as_str(), from, "somebody with power asks for a change");
    }
    match (who, caller) {
        (Who::Worker, Caller::Worker(caller)) => {
            if rule.needs_consent {
                consent::check(store::consent::standing(app.store.read(), caller.worker_id).await?)?;
            }
            head.extensions.insert(caller);
        }
        (Who::Pipeline, Caller::Pipeline(caller)) => drop(head.extensions.insert(caller)),
        (Who::Reviewer, Caller::Admin(caller)) => {
            check_login(app, rule, &caller)?;
            drop(head.extensions.insert(caller));
        }
        (Who::Admin | Who::Operator, Caller::Admin(caller)) if caller.role == AdminRole::Admin => {
            check_login(app, rule, &caller)?;
            drop(head.extensions.insert(caller));
        }
        _ => return Err(ErrorCode::Forbidden.into()),
    }
    Ok(())
}

/// What a login must have shown besides its cookie. A token is a program's: nobody sits there to be asked.
fn check_login(app: &Shared, rule: Rule, caller: &AdminCaller) -> Result<(), Problem> {
    let Some(session) = &caller.session else { return Ok(()) };
    if app.config.demand_totp && !session.has_second_factor && !rule.is_for_newcomers {
        return Err(ErrorCode::SecondFactorRequired.into());
    }
    let until = session.proven_at.plus_secs(signed(app.config.limits.proof_secs));
    if rule.needs_proof && until < app.clock.now() {
        return Err(ErrorCode::ProofRequired.into());
    }
    Ok(())
}

enum Caller {
    Worker(WorkerCaller),
    Pipeline(PipelineCaller),
    Admin(AdminCaller),
}

/// The id that a request was given at the door.
pub(super) fn request_id(extensions: &Extensions) -> Option<String> {
    extensions.get::<RequestId>().map(|RequestId(id)| id.clone())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim().to_owned())
}

async fn by_token(app: &Shared, secret: &str) -> Result<Caller, Problem> {
    let Some(token) = store::token::find(app.store.read(), &digest(secret)).await? else {
        return Err(ErrorCode::Unauthenticated.into());
    };
    if token.revoked_at.is_some() {
        return Err(ErrorCode::TokenRevoked.into());
    }
    // Whoever makes a token names it: that must not read like a person, or like the server.
    let (name, request_id) = (format!("token {}", token.name), None);
    Ok(match (token.role, token.worker_id) {
        (TokenRole::Worker, Some(worker_id)) => Caller::Worker(WorkerCaller { worker_id, token_id: token.id }),
        (TokenRole::Worker, None) => return Err(ErrorCode::Unauthenticated.into()),
        (TokenRole::Pipeline, _) => Caller::Pipeline(PipelineCaller { name, request_id }),
        (TokenRole::Admin, _) => Caller::Admin(AdminCaller { name, role: AdminRole::Admin, session: None, request_id }),
    })
}

async fn by_session(app: &Shared, head: &Parts) -> Result<Caller, Problem> {
    let Some(id) = cookie(&head.headers, COOKIE) else { return Err(ErrorCode::Unauthenticated.into()) };
    if !is_safe(&head.method) && !same_origin(&head.headers) {
        return Err(Problem::because(ErrorCode::Forbidden, "This request came from another site."));
    }
    let id_sha256 = digest(&id);
    let Some(login) = store::session::find(&app.store, &id_sha256, app.clock.now()).await? else {
        return Err(ErrorCode::Unauthenticated.into());
    };
    // One write a minute is enough to know that somebody is there.
    if login.seen_at.plus_secs(SEEN_EVERY_SECS) < app.clock.now() {
        let mut tx = app.store.begin().await?;
        store::session::seen(&mut tx, &id_sha256, app.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(Caller::Admin(AdminCaller {
        name: login.email,
        role: login.role,
        session: Some(Session {
            id_sha256,
            admin_id: login.admin_id,
            proven_at: login.proven_at,
            has_second_factor: login.has_second_factor,
        }),
        request_id: None,
    }))
}

pub(super) fn cookie(headers: &HeaderMap, named: &str) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == named).map(|(_, value)| value.to_owned())
}

fn is_safe(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Fetch metadata first, then Origin against Host; a request with neither is refused.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == text("host")
}

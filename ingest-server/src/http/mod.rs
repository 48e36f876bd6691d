//! Everything that speaks HTTP. A noun's routes lie in its file; each says who may call it ([`route::Who`]), and
//! nothing else decides that: the guard runs before the handler.

pub mod admin;
pub mod assignment;
pub mod audit;
mod body;
pub mod campaign;
pub mod consent;
pub mod dead_job;
pub mod download;
pub mod error;
pub mod export;
pub mod guard;
pub mod invite;
pub mod job;
pub mod limit;
pub mod me;
pub mod metrics;
pub mod object;
pub mod openapi;
mod outcome;
pub mod page;
pub mod pages;
pub mod payout;
pub mod personal;
pub mod redaction;
pub mod review;
pub mod route;
pub mod second_factor;
pub mod session;
pub mod stats;
pub mod submission;
pub mod token;
pub mod upload;
pub mod worker;

use std::convert::Infallible;
use std::net::IpAddr;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use tower::util::option_layer;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::Shared;
use crate::http::route::Route;

/// Every route of the server, in the order of the contract.
pub fn routes() -> Vec<Route> {
    [
        consent::routes(),
        worker::routes(),
        me::routes(),
        personal::routes(),
        assignment::routes(),
        upload::routes(),
        submission::routes(),
        job::routes(),
        dead_job::routes(),
        object::routes(),
        export::routes(),
        session::routes(),
        second_factor::routes(),
        review::routes(),
        redaction::routes(),
        payout::routes(),
        campaign::routes(),
        invite::routes(),
        token::routes(),
        admin::routes(),
        audit::routes(),
        stats::routes(),
        metrics::routes(),
        pages::routes(),
        download::routes(),
        openapi::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What pages may load; media and results of jobs also from where the signed addresses lead.
fn csp(media_origin: Option<&str>) -> HeaderValue {
    let media = media_origin.map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{media}; \
         media-src 'self' blob:{media}; connect-src 'self'{media}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    // Settings let no origin through that is not plain ASCII.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()";

/// The whole service.
pub fn router(app: Shared) -> Router {
    around(route::mount(routes(), &app), app)
}

/// Routes with what is around all of them: ids, headers, limits, and an answer also after a panic.
pub fn around(routes: Router<Shared>, app: Shared) -> Router {
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let headers = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, csp(app.objects.media_origin())))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(set(HeaderName::from_static("permissions-policy"), PERMISSIONS))
        .layer(option_layer(
            app.config
                .public_url
                .starts_with("https://")
                .then(|| set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000")),
        ))
        .layer(set(header::CACHE_CONTROL, "no-store"));
    routes
        .fallback(|| async { error::Problem::from(shared_types::error::ErrorCode::NotFound) })
        .method_not_allowed_fallback(|| async {
            error::Problem::from(shared_types::error::ErrorCode::MethodNotAllowed)
        })
        .layer(CatchPanicLayer::custom(error::after_panic))
        .layer(axum::middleware::from_fn_with_state(app.clone(), limit::cors))
        .layer(axum::middleware::from_fn_with_state(app.clone(), limit::rate))
        .layer(headers)
        .layer(axum::middleware::from_fn_with_state(app.clone(), error::with_request_id))
        .with_state(app)
}

/// The service as one connection uses it.
pub fn of_peer(
    router: Router,
    peer: IpAddr,
) -> impl tower::Service<
    hyper::Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send,
> + Clone {
    tower::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(limit::Peer(peer));
        router.clone().oneshot(request)
    })
}

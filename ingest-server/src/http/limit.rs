//! Before any route: how often one address may ask, and which other sites' pages may upload.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::config::Config;
use crate::http::error::Problem;

/// Who is at the other end of the connection; in the extensions of every request that came over one.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
const EXPOSED: &str = "Location, Upload-Offset, Upload-Length, Upload-Defer-Length, Upload-Expires, Upload-Metadata, \
    Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, Retry-After, X-Request-Id";
const SENT: &str = "Authorization, Content-Type, Tus-Resumable, Upload-Offset, Upload-Length, Upload-Defer-Length, \
    Upload-Metadata, Upload-Checksum, X-HTTP-Method-Override, X-Request-ID, X-Requested-With";

/// The address that asks. What a proxy says is believed only of a proxy; this machine's own programs have none.
fn address(config: &Config, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
    if !peer.is_loopback() && !config.trusted_proxies.iter().any(|network| network.contains(peer)) {
        return Some(peer);
    }
    // The last entry is the proxy's own; what stands before it anybody could have written.
    let told = headers.get_all(FORWARDED).iter().next_back().and_then(|value| value.to_str().ok());
    let told = told.and_then(|told| told.rsplit(',').next()?.trim().parse().ok());
    told.or(if peer.is_loopback() { None } else { Some(peer) })
}

/// Whether a program of this machine asks for itself, and no proxy for another.
pub(super) fn is_own(config: &Config, extensions: &Extensions, headers: &HeaderMap) -> bool {
    let peer = extensions.get::<Peer>().copied();
    // A proxy that says nothing of whom it speaks for may still say that it is one.
    let is_forwarded =
        ["forwarded", "via", "x-forwarded-proto", "x-real-ip"].iter().any(|name| headers.contains_key(*name));
    peer.is_some_and(|Peer(peer)| peer.is_loopback() && !is_forwarded && address(config, peer, headers).is_none())
}

/// This machine's own programs.
pub(super) const HERE: &str = "here";

/// Where a request comes from, as tries to log in are counted.
pub(super) fn client(config: &Config, extensions: &Extensions, headers: &HeaderMap) -> String {
    let peer = extensions.get::<Peer>().copied();
    peer.and_then(|Peer(peer)| address(config, peer, headers)).map_or_else(|| HERE.to_owned(), share)
}

/// Whose share an address counts against: a home has a whole /64 of IPv6.
pub fn share(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            },
            |mapped| mapped.to_string(),
        ),
    }
}

pub(super) async fn rate(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let address = peer.and_then(|Peer(peer)| address(&app.config, peer, request.headers()));
    if let Some(address) = address
        && let Err(secs) = app.rates.requests.take(&share(address), app.clock.now())
    {
        return Problem::from(ErrorCode::RateLimited).retry_after(secs).into_response();
    }
    next.run(request).await
}

/// Closed unless a setting names the site, and then open for uploads alone. Tokens travel in a header, so no cookie is
/// ever let through.
pub(super) async fn cors(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let is_upload = request.uri().path().starts_with("/api/v1/uploads");
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_named =
        |origin: &HeaderValue| app.config.cors_origins.iter().any(|named| named.as_bytes() == origin.as_bytes());
    let Some(origin) = origin.filter(|origin| is_upload && is_named(origin)) else { return next.run(request).await };
    let asks_first =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    // The other pages' own policy keeps them apart otherwise.
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    if asks_first {
        let methods = HeaderValue::from_static("POST, HEAD, PATCH, DELETE, GET, OPTIONS");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_is_believed() {
        let config = Config {
            trusted_proxies: vec!["10.0.0.9".parse().unwrap(), "172.31.87.0/24".parse().unwrap()],
            ..Config::of_folder(std::path::Path::new("unused"))
        };
        for (peer, forwarded, expected) in [
            ("203.0.113.7", Some("198.51.100.1"), Some("203.0.113.7")),
            ("203.0.113.7", None, Some("203.0.113.7")),
            ("10.0.0.9", Some("198.51.100.1"), Some("198.51.100.1")),
            ("10.0.0.9", Some("1.1.1.1, 198.51.100.1"), Some("198.51.100.1")),
            ("10.0.0.9", Some("nobody"), Some("10.0.0.9")),
            ("172.31.87.1", Some("198.51.100.1"), Some("198.51.100.1")),
            ("172.31.88.1", Some("198.51.100.1"), Some("172.31.88.1")),
            ("127.0.0.1", Some("198.51.100.1"), Some("198.51.100.1")),
            ("127.0.0.1", None, None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(forwarded) = forwarded {
                headers.insert(FORWARDED, HeaderValue::from_static(forwarded));
            }
            let found = address(&config, peer.parse().unwrap(), &headers);
            assert_eq!(found, expected.map(|text| text.parse().unwrap()), "{peer} {forwarded:?}");
        }
        assert_eq!(share("2001:db8:1:2:3:4:5:6".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(share("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }
}

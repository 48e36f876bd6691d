//! Routes of the noun object: stored bytes behind signed addresses. Nothing is served as a page.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use serde::Deserialize;
use shared_types::error::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::app::Shared;
use crate::crash;
use crate::http::error::{Answer, Problem};
use crate::http::route::{Form, Header, Route, Who, route};
use crate::objects::{Incoming, LONGEST_OBJECT, ObjectsError, SignedFor, View, kind};
use crate::uploads::is_free;

const PATH: &str = "/api/v1/objects/{*key}";
/// Bytes read or written at once.
const PIECE: usize = 256 << 10;
const IDLE: std::time::Duration = std::time::Duration::from_secs(30);

const SIGNATURE: &[&str] = &["expires", "signature"];
pub(super) const RANGE: Header = Header::optional("Range", Form::Text);

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, PATH, Who::Signed, "A stored object, or a range of it.", get)
            .asks(SIGNATURE)
            .headers(&[RANGE]),
        route(Method::PUT, PATH, Who::Signed, "Stores an object whole.", put)
            .asks(SIGNATURE)
            .bytes("application/octet-stream")
            .status(204),
    ]
}

#[derive(Debug, Deserialize)]
struct Signature {
    expires: i64,
    signature: String,
}

type Signed = Result<Query<Signature>, QueryRejection>;

fn check(app: &Shared, allows: SignedFor, key: &str, signed: &Signature) -> Answer<()> {
    if app.objects.allows(allows, key, signed.expires, &signed.signature, app.clock.now()) {
        return Ok(());
    }
    Err(Problem::because(ErrorCode::Forbidden, "This address is not signed by this server, or it has run out."))
}

async fn get(
    State(app): State<Shared>,
    Path(key): Path<String>,
    signed: Signed,
    headers: HeaderMap,
) -> Answer<Response> {
    check(&app, SignedFor::Get, &key, &signed?.0)?;
    answer(&app, &key, kind(&key), &headers).await
}

/// The bytes of an object, as far as they are asked for.
pub(super) async fn answer(app: &Shared, key: &str, kind: &'static str, asked: &HeaderMap) -> Answer<Response> {
    let view = match app.objects.view(key).await {
        Ok(found) => found.ok_or(ErrorCode::NotFound)?,
        Err(ObjectsError::Key(_)) => return Err(ErrorCode::NotFound.into()),
        Err(error) => return Err(error.into()),
    };
    let (mut response, wanted) = head(&view, kind, asked);
    if let Some((from, to)) = wanted {
        let bytes = app.objects.stream(key, from, to).await?.ok_or(ErrorCode::NotFound)?;
        *response.body_mut() = Body::from_stream(ReaderStream::with_capacity(bytes, PIECE));
    }
    Ok(response)
}

/// The bytes of a file of ours, as far as they are asked for.
pub(super) async fn answer_file(path: &std::path::Path, kind: &'static str, asked: &HeaderMap) -> Answer<Response> {
    let mut file = match tokio::fs::File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(ErrorCode::NotFound.into()),
        Err(error) => return Err(ObjectsError::from(error).into()),
    };
    let meta = file.metadata().await.map_err(ObjectsError::from)?;
    if !meta.is_file() {
        return Err(ErrorCode::NotFound.into());
    }
    let (mut response, wanted) = head(&View::of_file(&meta), kind, asked);
    if let Some((from, to)) = wanted {
        file.seek(std::io::SeekFrom::Start(from)).await.map_err(ObjectsError::from)?;
        *response.body_mut() = Body::from_stream(ReaderStream::with_capacity(file.take(to - from), PIECE));
    }
    Ok(response)
}

/// An answer without its body, and which bytes belong in it: from, and the first one no longer wanted.
fn head(view: &View, kind: &'static str, asked: &HeaderMap) -> (Response, Option<(u64, u64)>) {
    let View { bytes: length, tag, .. } = view;
    let length = *length;
    let text = |name| asked.get(name).and_then(|value| value.to_str().ok());
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    if text(header::IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return (response, None);
    }
    let same = text(header::IF_RANGE).is_none_or(|expected| expected == tag);
    let range = text(header::RANGE).filter(|_| same).map_or(Range::Whole, |range| parse(range, length));
    let (from, to) = match range {
        Range::Whole => (0, length),
        Range::Part(from, to) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            (from, to)
        }
        Range::Outside => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            insert(&mut response, header::CONTENT_RANGE, format!("bytes */{length}"));
            return (response, None);
        }
    };
    if response.status() == StatusCode::PARTIAL_CONTENT {
        insert(&mut response, header::CONTENT_RANGE, format!("bytes {from}-{}/{length}", to - 1));
    }
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    (response, Some((from, to)))
}

fn insert(response: &mut Response, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    Whole,
    /// From, and the first byte no longer wanted.
    Part(u64, u64),
    Outside,
}

/// One range; several, or what is not understood, are answered with the whole, as RFC 9110 allows.
fn parse(text: &str, length: u64) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
        return Range::Whole;
    };
    match (first.trim(), last.trim()) {
        ("", last) => match last.parse::<u64>() {
            Ok(0) => Range::Outside,
            Ok(_) if length == 0 => Range::Outside,
            Ok(tail) => Range::Part(length.saturating_sub(tail), length),
            Err(_) => Range::Whole,
        },
        (first, last) => {
            let last = if last.is_empty() { Ok(u64::MAX - 1) } else { last.parse::<u64>() };
            match (first.parse::<u64>(), last) {
                (Ok(first), Ok(last)) if first <= last && first < length => {
                    Range::Part(first, last.saturating_add(1).min(length))
                }
                (Ok(first), Ok(last)) if first <= last => Range::Outside,
                _ => Range::Whole,
            }
        }
    }
}

async fn put(
    State(app): State<Shared>,
    Path(key): Path<String>,
    signed: Signed,
    headers: HeaderMap,
    body: Body,
) -> Answer<StatusCode> {
    check(&app, SignedFor::Put, &key, &signed?.0)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > LONGEST_OBJECT) {
        return Err(ErrorCode::UploadTooLarge.into());
    }
    is_free(&app, announced.unwrap_or(0))?;
    let mut incoming = app.objects.incoming(&key)?;
    let mut body = body.into_data_stream();
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        let next = tokio::time::timeout(IDLE, body.next()).await;
        let next = next.map_err(|_| Problem::because(ErrorCode::InvalidRequest, "The bytes stopped coming."))?;
        let Some(bytes) = next else { break };
        let bytes = bytes.map_err(|_| Problem::because(ErrorCode::InvalidRequest, "The body ended too early."))?;
        piece.extend_from_slice(&bytes);
        if piece.len() >= PIECE {
            is_free(&app, 0)?;
            (incoming, piece) = write(incoming, piece).await?;
        }
    }
    let (incoming, _) = write(incoming, piece).await?;
    crash::point("object.written");
    blocking(move || incoming.keep()).await?;
    crash::point("object.kept");
    Ok(StatusCode::NO_CONTENT)
}

async fn write(mut incoming: Incoming, mut piece: Vec<u8>) -> Answer<(Incoming, Vec<u8>)> {
    blocking(move || {
        incoming.write(&piece)?;
        piece.clear();
        Ok((incoming, piece))
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, ObjectsError> + Send + 'static) -> Answer<T> {
    let done =
        tokio::task::spawn_blocking(work).await.map_err(|error| ObjectsError::from(std::io::Error::other(error)))?;
    done.map_err(|error| match error {
        ObjectsError::TooLong => ErrorCode::UploadTooLarge.into(),
        ObjectsError::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Problem::from(ErrorCode::StorageFull).retry_after(60)
        }
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Range, parse};

    #[test]
    fn ranges() {
        for (text, expected) in [
            ("bytes=0-0", Range::Part(0, 1)),
            ("bytes=2-", Range::Part(2, 10)),
            ("bytes=2-999", Range::Part(2, 10)),
            ("bytes=-3", Range::Part(7, 10)),
            ("bytes=-99", Range::Part(0, 10)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=5-2", Range::Whole),
            ("bytes=0-1,4-5", Range::Whole),
            ("lines=1-2", Range::Whole),
        ] {
            assert_eq!(parse(text, 10), expected, "{text}");
        }
    }
}

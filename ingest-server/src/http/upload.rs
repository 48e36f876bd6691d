//! Routes of the noun upload: tus 1.0.0 with creation, creation-with-upload, creation-defer-length, checksum,
//! termination and expiration. <https://tus.io/protocols/resumable-upload>
//!
//! Only the protocol lies here: headers in, headers out. What becomes of an upload is decided in [`crate::uploads`].

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use shared_types::error::ErrorCode;
use shared_types::id::WorkerId;
use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::app::Shared;
use crate::http::consent;
use crate::http::error::{Answer, Problem};
use crate::http::guard::WorkerCaller;
use crate::http::object::{self, RANGE};
use crate::http::route::{Form, Header, Route, Who, route};
use crate::objects::upload_key;
use crate::store;
use crate::store::upload::Upload;
use crate::uploads::{self, Algorithm, CHECKED_BYTES, Checksum, Incoming, Piece, UploadError, Vanished};

const UPLOADS: &str = "/api/v1/uploads";
const UPLOAD: &str = "/api/v1/uploads/{id}";

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration";
const BYTES: &str = "application/offset+octet-stream";
const LONGEST_METADATA: usize = 4096;
/// Not registered with IANA; tus names it for a checksum that does not agree.
const CHECKSUM_MISMATCH: u16 = 460;

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

const TUS: Header = Header::required("Tus-Resumable", Form::OneOf(&[VERSION]));
const OFFSET: Header = Header::required("Upload-Offset", Form::Number);
const OFFSET_OF_PATCH: Header = Header::optional("Upload-Offset", Form::Number);
const LENGTH: Header = Header::optional("Upload-Length", Form::Number);
const DEFERRED: Header = Header::optional("Upload-Defer-Length", Form::OneOf(&["1"]));
const METADATA: Header = Header::optional("Upload-Metadata", Form::Text);
const CHECKSUM: Header = Header::optional("Upload-Checksum", Form::Text);
const INSTEAD: Header = Header::required("X-HTTP-Method-Override", Form::OneOf(&["PATCH", "DELETE"]));

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::OPTIONS, UPLOADS, Who::Anyone, "What this server knows of tus.", options).status(204),
        route(Method::POST, UPLOADS, Who::Worker, "Begins an upload.", create)
            .headers(&[TUS, LENGTH, DEFERRED, METADATA, CHECKSUM])
            .bytes(BYTES)
            .status(201)
            .needs_consent(),
        route(Method::OPTIONS, UPLOAD, Who::Anyone, "What this server knows of tus.", options).status(204),
        route(Method::HEAD, UPLOAD, Who::Worker, "How far an upload is.", head).headers(&[TUS]),
        route(Method::PATCH, UPLOAD, Who::Worker, "Adds bytes at the upload's end.", patch)
            .headers(&[TUS, OFFSET, LENGTH, CHECKSUM])
            .bytes(BYTES)
            .status(204),
        route(Method::DELETE, UPLOAD, Who::Worker, "Ends an upload; nothing of it is kept.", terminate)
            .headers(&[TUS])
            .status(204),
        route(Method::POST, UPLOAD, Who::Worker, "PATCH or DELETE, named in X-HTTP-Method-Override.", instead)
            .headers(&[TUS, INSTEAD, OFFSET_OF_PATCH, LENGTH, CHECKSUM])
            .bytes(BYTES)
            .status(204),
        route(Method::GET, UPLOAD, Who::Worker, "The bytes of a finished upload, or a range of them.", get)
            .headers(&[RANGE]),
    ]
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        use ErrorCode as Code;
        match error {
            UploadError::Unknown => Code::NotFound.into(),
            UploadError::Expired => Code::UploadExpired.into(),
            UploadError::NoRecording => Code::UnsupportedMedia.into(),
            UploadError::Offset { at, sent } => {
                Self::because(Code::UploadOffsetConflict, format!("The upload is at {at}, and {sent} was sent."))
            }
            UploadError::TakenOver => Self::because(
                Code::UploadOffsetConflict,
                "A newer request took this upload over. What arrived is kept.",
            ),
            UploadError::BegunAgain => Self::because(
                Code::UploadOffsetConflict,
                "The store has lost what arrived of this upload; it is at 0 again. Send it from its beginning.",
            ),
            UploadError::NoConsent => Code::ConsentRequired.into(),
            UploadError::Length => wrong("Upload-Length is another than what is known already."),
            UploadError::TooLarge => Code::UploadTooLarge.into(),
            UploadError::CheckedTooLarge => Self::because(
                Code::UploadTooLarge,
                format!("A request with Upload-Checksum may have {CHECKED_BYTES} bytes; send the rest in others."),
            ),
            UploadError::TooMany(most) => Self::because(
                Code::QuotaExceeded,
                format!("{most} uploads are unfinished already; finish or end one of them first."),
            ),
            UploadError::Quota { used, most } => Self::because(
                Code::QuotaExceeded,
                format!("Your uploads take up {used} of {most} bytes, and this one does not fit in beside them."),
            ),
            UploadError::StorageFull(secs) => Self::from(Code::StorageFull).retry_after(secs),
            UploadError::Checksum => Self::because(
                Code::HashMismatch,
                "The bytes of this request do not have the hash in Upload-Checksum; they were not kept.",
            )
            .with_status(StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)),
            UploadError::Silent => Self::because(
                Code::InvalidRequest,
                "The bytes stopped coming. What arrived is kept; ask for the offset and go on from there.",
            )
            .with_status(StatusCode::REQUEST_TIMEOUT),
            UploadError::Slow => Self::because(
                Code::InvalidRequest,
                "The bytes came too slowly. What arrived is kept; ask for the offset and go on from there.",
            )
            .with_status(StatusCode::REQUEST_TIMEOUT),
            UploadError::Vanished => wrong("The body ended too early."),
            UploadError::Stopping => Self::from(Code::Unavailable).retry_after(1),
            UploadError::Bound => Self::because(Code::StageConflict, "This upload belongs to a submission and stays."),
            UploadError::Stage(error) => error.into(),
            UploadError::Store(error) => error.into(),
            UploadError::Objects(error) => error.into(),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn wrong(detail: impl Into<String>) -> Problem {
    Problem::because(ErrorCode::InvalidRequest, detail)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<u64>> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let told = |value: &HeaderValue| value.to_str().ok().filter(|text| digits(text))?.parse().ok();
    let value = headers.get(name);
    value.map(|value| told(value).ok_or_else(|| wrong(format!("{name} must be a number of bytes.")))).transpose()
}

/// Every answer names the version, errors too.
fn tus(answer: Answer<Response>) -> Response {
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, HeaderValue::from_static(VERSION));
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert(TUS_VERSION, HeaderValue::from_static(VERSION));
    }
    response
}

fn version(headers: &HeaderMap) -> Answer<()> {
    if text(headers, &TUS_RESUMABLE) == Some(VERSION) {
        return Ok(());
    }
    Err(wrong("Tus-Resumable must be 1.0.0.").with_status(StatusCode::PRECONDITION_FAILED))
}

fn carries_bytes(headers: &HeaderMap) -> bool {
    text(headers, &header::CONTENT_TYPE) == Some(BYTES)
}

fn checksum(headers: &HeaderMap) -> Answer<Option<Checksum>> {
    let Some(value) = headers.get("upload-checksum") else { return Ok(None) };
    let parts = value.to_str().ok().and_then(|value| value.split_once(' '));
    let (name, value) = parts.ok_or_else(|| wrong("Upload-Checksum must be an algorithm and a hash in base64."))?;
    let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
    let algorithm = algorithm.ok_or_else(|| wrong("Upload-Checksum must be of sha1 or sha256."))?;
    let hash = STANDARD.decode(value.trim()).ok().filter(|hash| hash.len() == algorithm.bytes());
    Ok(Some(Checksum { algorithm, hash: hash.ok_or_else(|| wrong("The hash in Upload-Checksum is not whole."))? }))
}

/// `Upload-Metadata` as it was sent, after a look at its form: `key base64,key base64`. It is given back by HEAD and
/// never used as a name or a type.
fn metadata(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(value) = headers.get(&UPLOAD_METADATA) else { return Ok(None) };
    let refused = || wrong("Upload-Metadata must be pairs of a key and a value in base64, parted by commas.");
    let text = value.to_str().map_err(|_| refused())?.trim();
    if text.len() > LONGEST_METADATA {
        return Err(wrong(format!("Upload-Metadata is longer than {LONGEST_METADATA} bytes.")));
    }
    let mut keys = std::collections::BTreeSet::new();
    for pair in text.split(',').filter(|_| !text.is_empty()) {
        let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        if key.is_empty() || !keys.insert(key) || STANDARD.decode(value.trim()).is_err() {
            return Err(refused());
        }
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn incoming(body: Body) -> Incoming {
    body.into_data_stream().map(|bytes| bytes.map_err(|_| Vanished)).boxed()
}

/// Where the upload is, in headers.
fn told(status: StatusCode, upload: &Upload) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(upload.received));
    if upload.stage == UploadStage::Receiving
        && let Some(at) = http_date(upload.expires_at)
    {
        headers.insert(UPLOAD_EXPIRES, at);
    }
    response
}

/// RFC 9110's form.
fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let form =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let at = OffsetDateTime::from_unix_timestamp(at.millis / 1000).ok()?;
    HeaderValue::try_from(at.format(form).ok()?).ok()
}

async fn options(State(app): State<Shared>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(TUS_VERSION, HeaderValue::from_static(VERSION));
    headers.insert("tus-extension", HeaderValue::from_static(EXTENSIONS));
    headers.insert("tus-checksum-algorithm", HeaderValue::from_static("sha1,sha256"));
    headers.insert("tus-max-size", HeaderValue::from(app.config.limits.upload_bytes));
    tus(Ok(response))
}

async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    tus(begin(&app, caller.worker_id, &headers, body).await)
}

async fn begin(app: &Shared, worker_id: WorkerId, headers: &HeaderMap, body: Body) -> Answer<Response> {
    version(headers)?;
    let length = number(headers, &UPLOAD_LENGTH)?;
    match (length, text(headers, &UPLOAD_DEFER_LENGTH)) {
        (Some(_), None) | (None, Some("1")) => {}
        _ => return Err(wrong("Send either Upload-Length or Upload-Defer-Length: 1.")),
    }
    let with_bytes = carries_bytes(headers);
    let announced = number(headers, &header::CONTENT_LENGTH)?.filter(|_| with_bytes);
    if announced.is_some_and(|announced| announced > length.unwrap_or(app.config.limits.upload_bytes)) {
        return Err(ErrorCode::UploadTooLarge.into());
    }
    let (checksum, metadata) = (checksum(headers)?, metadata(headers)?);
    let turn = app.rates.uploads.take(&worker_id.to_string(), app.clock.now());
    turn.map_err(|secs| Problem::from(ErrorCode::RateLimited).retry_after(secs))?;
    let mut upload = uploads::begin(app, worker_id, length, metadata).await?;
    let location = format!("{UPLOADS}/{}", upload.id);
    if with_bytes || length == Some(0) {
        let body = if with_bytes { body } else { Body::empty() };
        upload = uploads::first(app, upload, checksum, incoming(body)).await?;
    }
    let mut response = told(StatusCode::CREATED, &upload);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn head(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut response = tus(how_far(&app, &caller, &id, &headers).await);
    // The protocol demands it of errors too.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn how_far(app: &Shared, caller: &WorkerCaller, id: &str, headers: &HeaderMap) -> Answer<Response> {
    version(headers)?;
    let (_held, upload) = uploads::take(app, caller.worker_id, id).await?;
    let mut response = told(StatusCode::OK, &upload);
    let headers = response.headers_mut();
    match upload.length {
        Some(length) => headers.insert(UPLOAD_LENGTH, HeaderValue::from(length)),
        None => headers.insert(UPLOAD_DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    if let Some(metadata) = upload.metadata.and_then(|metadata| HeaderValue::try_from(metadata).ok()) {
        headers.insert(UPLOAD_METADATA, metadata);
    }
    Ok(response)
}

async fn patch(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    tus(add(&app, &caller, &id, &headers, body).await)
}

async fn add(app: &Shared, caller: &WorkerCaller, id: &str, headers: &HeaderMap, body: Body) -> Answer<Response> {
    version(headers)?;
    if !carries_bytes(headers) {
        let problem = wrong(format!("Content-Type must be {BYTES}."));
        return Err(problem.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let piece = Piece {
        offset: number(headers, &UPLOAD_OFFSET)?.ok_or_else(|| wrong("Upload-Offset is missing."))?,
        announced: number(headers, &header::CONTENT_LENGTH)?,
        length: number(headers, &UPLOAD_LENGTH)?,
        checksum: checksum(headers)?,
    };
    consent::check_stage(store::consent::standing(app.store.read(), caller.worker_id).await?)?;
    let upload = uploads::append(app, caller.worker_id, id, piece, incoming(body)).await?;
    Ok(told(StatusCode::NO_CONTENT, &upload))
}

async fn terminate(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    tus(end(&app, &caller, &id, &headers).await)
}

async fn end(app: &Shared, caller: &WorkerCaller, id: &str, headers: &HeaderMap) -> Answer<Response> {
    version(headers)?;
    uploads::terminate(app, caller.worker_id, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// For clients in an environment that knows neither PATCH nor DELETE.
async fn instead(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    tus(match text(&headers, &METHOD_OVERRIDE) {
        Some("PATCH") => add(&app, &caller, &id, &headers, body).await,
        Some("DELETE") => end(&app, &caller, &id, &headers).await,
        _ => {
            let problem = wrong("A POST here needs X-HTTP-Method-Override: PATCH or DELETE.");
            Err(problem.with_status(StatusCode::METHOD_NOT_ALLOWED))
        }
    })
}

async fn get(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let mut upload = uploads::find(&app, caller.worker_id, &id).await?;
    uploads::settle(&app, &mut upload).await?;
    if upload.stage != UploadStage::Ready {
        return Err(ErrorCode::NotFound.into());
    }
    object::answer(&app, &upload_key(&id), "application/octet-stream", &headers).await
}

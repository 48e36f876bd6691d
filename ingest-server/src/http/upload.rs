//! Routes of the noun upload: tus 1.0.0 with creation, creation-with-upload, creation-defer-length, checksum,
//! termination and expiration. <https://tus.io/protocols/resumable-upload>

mod receive;

pub(crate) use receive::settle;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared_types::error::ErrorCode;
use shared_types::timestamp::Timestamp;
use shared_types::upload::UploadStage;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::guard::WorkerCaller;
use crate::http::object;
use crate::http::route::{Route, Who, route};
use crate::objects::{Held, ObjectsError, fresh_midstate, upload_key};
use crate::secret::{SecretKind, new_secret};
use crate::store;
use crate::store::upload::Upload;
use receive::{Checksum, KEPT_SECS, LONGEST, receive, save, sweep, turn};

const UPLOADS: &str = "/api/v1/uploads";
const UPLOAD: &str = "/api/v1/uploads/{id}";

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration";
const BYTES: &str = "application/offset+octet-stream";

/// Unfinished uploads of one worker.
const MOST_OPEN: i64 = 8;
/// Free space that uploads leave to everything else.
const RESERVE: u64 = 1 << 30;
const LONGEST_METADATA: usize = 4096;

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::OPTIONS, UPLOADS, Who::Anyone, "What this server knows of tus.", options).status(204),
        route(Method::POST, UPLOADS, Who::Worker, "Begins an upload.", create).status(201),
        route(Method::OPTIONS, UPLOAD, Who::Anyone, "What this server knows of tus.", options).status(204),
        route(Method::HEAD, UPLOAD, Who::Worker, "How far an upload is.", head),
        route(Method::PATCH, UPLOAD, Who::Worker, "Adds bytes at the upload's end.", patch).status(204),
        route(Method::DELETE, UPLOAD, Who::Worker, "Ends an upload; nothing of it is kept.", terminate).status(204),
        route(Method::GET, UPLOAD, Who::Worker, "The bytes of a finished upload, or a range of them.", get),
    ]
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn wrong(detail: impl Into<String>) -> Problem {
    Problem::because(ErrorCode::InvalidRequest, detail)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<u64>> {
    let told = |value: &HeaderValue| value.to_str().ok()?.parse().ok();
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

fn checksum(headers: &HeaderMap) -> Answer<Checksum> {
    let Some(value) = headers.get("upload-checksum") else { return Ok(None) };
    let parts = value.to_str().ok().and_then(|value| value.split_once(' '));
    let (algorithm, value) =
        parts.ok_or_else(|| wrong("Upload-Checksum must be an algorithm and a hash in base64."))?;
    let length = match algorithm {
        "sha1" => 20,
        "sha256" => 32,
        _ => return Err(wrong("Upload-Checksum must be of sha1 or sha256.")),
    };
    let hash = STANDARD.decode(value.trim()).ok().filter(|hash| hash.len() == length);
    Ok(Some((algorithm.to_owned(), hash.ok_or_else(|| wrong("The hash in Upload-Checksum is not whole."))?)))
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

async fn options() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(TUS_VERSION, HeaderValue::from_static(VERSION));
    headers.insert("tus-extension", HeaderValue::from_static(EXTENSIONS));
    headers.insert("tus-checksum-algorithm", HeaderValue::from_static("sha1,sha256"));
    headers.insert("tus-max-size", HeaderValue::from(LONGEST));
    tus(Ok(response))
}

async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    tus(begin(app, caller, headers, body).await)
}

async fn begin(app: Shared, caller: WorkerCaller, headers: HeaderMap, body: Body) -> Answer<Response> {
    version(&headers)?;
    let length = number(&headers, &UPLOAD_LENGTH)?;
    match (length, text(&headers, &UPLOAD_DEFER_LENGTH)) {
        (Some(_), None) | (None, Some("1")) => {}
        _ => return Err(wrong("Send either Upload-Length or Upload-Defer-Length: 1.")),
    }
    if length.is_some_and(|length| length > LONGEST) {
        return Err(ErrorCode::UploadTooLarge.into());
    }
    let metadata = text(&headers, &UPLOAD_METADATA).map(str::to_owned);
    if metadata.as_ref().is_some_and(|metadata| metadata.len() > LONGEST_METADATA) {
        return Err(wrong("Upload-Metadata is too long."));
    }
    let check = checksum(&headers)?;
    let now = app.clock.now();
    sweep(&app, now).await?;
    let free = app.objects.staging.free_bytes().map_err(ObjectsError::from)?;
    let upload = Upload {
        id: new_secret(SecretKind::Upload)?,
        worker_id: caller.worker_id,
        stage: UploadStage::Receiving,
        length,
        received: 0,
        midstate: fresh_midstate(),
        sha256: None,
        metadata,
        generation: 0,
        expires_at: now.plus_secs(KEPT_SECS),
    };
    let mut tx = app.store.begin().await?;
    let open = store::upload::open(&mut tx, caller.worker_id).await?;
    if open.own >= MOST_OPEN {
        return Err(Problem::because(
            ErrorCode::QuotaExceeded,
            format!("{MOST_OPEN} uploads are unfinished already; finish or end one of them first."),
        ));
    }
    if free < RESERVE.saturating_add(open.awaited).saturating_add(length.unwrap_or(0)) {
        return Err(Problem::from(ErrorCode::StorageFull).retry_after(300));
    }
    store::upload::insert(&mut tx, &upload, now).await?;
    tx.commit().await?;
    let location = format!("{UPLOADS}/{}", upload.id);
    let with_bytes = carries_bytes(&headers);
    let upload = if with_bytes || length == Some(0) {
        let body = if with_bytes { body } else { Body::empty() };
        take_in(&app, upload, check, body).await?
    } else {
        upload
    };
    let mut response = told(StatusCode::CREATED, &upload);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// In a task of its own: when the connection breaks the handler is dropped, and what arrived is still kept.
async fn take_in(app: &Shared, upload: Upload, check: Checksum, body: Body) -> Answer<Upload> {
    let held = app.objects.staging.hold(&upload.id).await;
    take_in_held(app, held, upload, check, body).await
}

async fn take_in_held(app: &Shared, held: Held, mut upload: Upload, check: Checksum, body: Body) -> Answer<Upload> {
    let app = app.clone();
    let task = tokio::spawn(async move {
        receive(&app, &held, &mut upload, check, body).await?;
        Ok(upload)
    });
    task.await.map_err(|error| ObjectsError::from(std::io::Error::other(error)))?
}

async fn find(app: &Shared, caller: &WorkerCaller, id: &str) -> Answer<Upload> {
    let found = store::upload::find(app.store.read(), id, caller.worker_id).await?;
    found.ok_or_else(|| ErrorCode::NotFound.into())
}

/// The upload, held, with whatever a crash left undone made good. Only its owner can take it from a holder.
async fn held(app: &Shared, caller: &WorkerCaller, id: &str) -> Answer<(Held, Upload)> {
    find(app, caller, id).await?;
    let held = app.objects.staging.hold(id).await;
    let mut upload = find(app, caller, id).await?;
    settle(app, &mut upload).await?;
    if upload.stage == UploadStage::Receiving && upload.expires_at < app.clock.now() {
        turn(app, &mut upload, UploadStage::Expired).await?;
    }
    match upload.stage {
        UploadStage::Receiving => receive::check(app, &mut upload).await?,
        UploadStage::Assembling | UploadStage::Ready => {}
        UploadStage::Failed | UploadStage::Expired | UploadStage::Terminated => {
            app.objects.staging.remove(id).await?;
        }
    }
    match upload.stage {
        UploadStage::Failed => Err(ErrorCode::UnsupportedMedia.into()),
        UploadStage::Expired => Err(ErrorCode::UploadExpired.into()),
        UploadStage::Terminated => Err(ErrorCode::NotFound.into()),
        _ => Ok((held, upload)),
    }
}

async fn head(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    tus(how_far(&app, &caller, &id, &headers).await)
}

async fn how_far(app: &Shared, caller: &WorkerCaller, id: &str, headers: &HeaderMap) -> Answer<Response> {
    version(headers)?;
    let (_held, upload) = held(app, caller, id).await?;
    let mut response = told(StatusCode::OK, &upload);
    let headers = response.headers_mut();
    match upload.length {
        Some(length) => headers.insert(UPLOAD_LENGTH, HeaderValue::from(length)),
        None => headers.insert(UPLOAD_DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    if let Some(metadata) = upload.metadata.and_then(|metadata| HeaderValue::try_from(metadata).ok()) {
        headers.insert(UPLOAD_METADATA, metadata);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
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
    let offset = number(headers, &UPLOAD_OFFSET)?.ok_or_else(|| wrong("Upload-Offset is missing."))?;
    let announced = number(headers, &header::CONTENT_LENGTH)?;
    let length = number(headers, &UPLOAD_LENGTH)?;
    let check = checksum(headers)?;
    let (held, mut upload) = held(app, caller, id).await?;
    if offset != upload.received {
        return Err(Problem::because(
            ErrorCode::UploadOffsetConflict,
            format!("The upload is at {}, and {offset} was sent.", upload.received),
        ));
    }
    if let Some(length) = length
        && upload.length != Some(length)
    {
        if upload.length.is_some() || length < upload.received {
            return Err(wrong("Upload-Length is another than what is known already."));
        }
        if length > LONGEST {
            return Err(ErrorCode::UploadTooLarge.into());
        }
        upload.length = Some(length);
        save(app, &mut upload).await?;
    }
    let end = announced.and_then(|announced| offset.checked_add(announced)).unwrap_or(offset);
    if end > upload.length.unwrap_or(LONGEST) {
        return Err(ErrorCode::UploadTooLarge.into());
    }
    // A repeated last request finds the upload finished.
    if upload.stage == UploadStage::Receiving {
        upload = take_in_held(app, held, upload, check, body).await?;
    }
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
    let (_held, upload) = held(app, caller, id).await?;
    upload.stage.advance(UploadStage::Terminated)?;
    let mut tx = app.store.begin().await?;
    if store::upload::is_bound(&mut tx, id).await? {
        return Err(Problem::because(ErrorCode::StageConflict, "This upload belongs to a submission and stays."));
    }
    if !store::upload::move_to(&mut tx, &upload, UploadStage::Terminated, app.clock.now()).await? {
        return Err(ErrorCode::UploadOffsetConflict.into());
    }
    tx.commit().await?;
    app.objects.staging.remove(id).await?;
    app.objects.remove(&upload_key(id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn get(
    State(app): State<Shared>,
    Extension(caller): Extension<WorkerCaller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let mut upload = find(&app, &caller, &id).await?;
    settle(&app, &mut upload).await?;
    if upload.stage != UploadStage::Ready {
        return Err(ErrorCode::NotFound.into());
    }
    object::answer(&app, &upload_key(&id), "application/octet-stream", &headers).await
}

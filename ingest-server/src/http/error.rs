//! The error code as an answer: `{code, message, hint, request_id}`.

use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared_types::error::{ApiError, ErrorCode};
use tracing::Instrument;

use crate::app::Shared;
use crate::http::guard::Answered;
use crate::objects::ObjectsError;
use crate::secret::NoRandomness;
use crate::store::StoreError;

/// Why a request is refused.
#[derive(Debug, Clone)]
pub struct Problem {
    pub code: ErrorCode,
    /// What exactly, where the code's own sentence does not say.
    pub detail: Option<String>,
    pub retry_after_secs: Option<u64>,
    /// Another status than the code's, where a protocol fixes one.
    pub status: Option<StatusCode>,
}

pub type Answer<T> = Result<T, Problem>;

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        Self { code, detail: None, retry_after_secs: None, status: None }
    }
}

impl Problem {
    pub fn because(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::from(code) }
    }

    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    #[must_use]
    pub fn retry_after(self, secs: u64) -> Self {
        Self { retry_after_secs: Some(secs), ..self }
    }
}

/// What went wrong inside is logged here and told to nobody outside.
fn internal(error: &dyn std::error::Error) -> Problem {
    tracing::error!(error = %error, "a request failed");
    ErrorCode::Internal.into()
}

/// A bucket that errs was asked several times by then.
const BUCKET_RETRY_SECS: u64 = 10;

/// `PostgreSQL` keeps no NUL in a text, and says so with this code.
const NUL_IN_TEXT: &str = "22021";

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => error.into(),
            error => internal(&error),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code().map(|code| code == NUL_IN_TEXT));
        if code == Some(true) {
            return Self::because(ErrorCode::InvalidRequest, "A text has a NUL in it.");
        }
        internal(&StoreError::from(error))
    }
}

impl From<NoRandomness> for Problem {
    fn from(error: NoRandomness) -> Self {
        internal(&error)
    }
}

impl From<ObjectsError> for Problem {
    fn from(error: ObjectsError) -> Self {
        let problem = internal(&error);
        match error {
            ObjectsError::Bucket { passes: true, .. } => {
                Self::from(ErrorCode::Unavailable).retry_after(BUCKET_RETRY_SECS)
            }
            _ => problem,
        }
    }
}

impl From<shared_types::lifecycle::InvalidTransition> for Problem {
    fn from(error: shared_types::lifecycle::InvalidTransition) -> Self {
        Self::because(ErrorCode::StageConflict, format!("This is not possible: {error}."))
    }
}

impl From<JsonRejection> for Problem {
    fn from(error: JsonRejection) -> Self {
        Self::because(ErrorCode::InvalidRequest, error.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(error: QueryRejection) -> Self {
        Self::because(ErrorCode::InvalidRequest, error.body_text())
    }
}

/// The problem as a body, until [`with_request_id`] knows the request's id.
#[derive(Debug, Clone)]
struct Unsent(Problem);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.status.unwrap_or(status).into_response();
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response.extensions_mut().insert(Unsent(self));
        response
    }
}

pub(super) fn after_panic(_: Box<dyn std::any::Any + Send + 'static>) -> axum::http::Response<Body> {
    Problem::from(ErrorCode::Internal).into_response()
}

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Gives each request an id, in all its log lines, its `X-Request-Id` and the body of an error.
pub(super) async fn with_request_id(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let request_id = uuid::Uuid::now_v7().to_string();
    // Never the query: signed addresses carry their key in it.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let span = tracing::info_span!("request", request_id, %method, path);
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    let route = response.extensions().get::<Answered>().map(|Answered(path)| *path);
    app.metrics.answered(route, method.as_str(), response.status().as_u16(), began.elapsed());
    if let Some(Unsent(problem)) = response.extensions_mut().remove::<Unsent>() {
        let error = ApiError {
            code: problem.code,
            message: problem.detail.unwrap_or_else(|| problem.code.message().to_owned()),
            hint: problem.code.hint().to_owned(),
            request_id: request_id.clone(),
        };
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(axum::http::header::CONTENT_LENGTH);
        let status = parts.status;
        let mut whole = (status, Json(error)).into_response();
        for (name, value) in &parts.headers {
            whole.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        response = whole;
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

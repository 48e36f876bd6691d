//! The least that a receiver of uploads can be, for bench/upload.sh: axum reads each piece, counts it and forgets it.
//! What ours costs above this is what it does with the bytes.
//!
//!   sink ADDRESS

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use futures_util::TryStreamExt;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let begin = || async { (StatusCode::CREATED, [(header::LOCATION, "/files/one")]) };
    let files = Router::new().route("/files", get(|| async {}).post(begin)).route("/files/{id}", patch(add));
    axum::serve(tokio::net::TcpListener::bind(address).await?, files).await
}

async fn add(headers: HeaderMap, body: Body) -> Response {
    let told = headers.get("upload-offset").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let count = |sum, bytes: bytes::Bytes| async move { Ok(sum + bytes.len()) };
    match body.into_data_stream().try_fold(told.unwrap_or(0), count).await {
        Ok(offset) => (StatusCode::NO_CONTENT, [("upload-offset", offset.to_string())]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

//! Bodies that are read whole before their handler runs.

use axum::body::Body;
use axum::http::StatusCode;
use bytes::BytesMut;
use futures_util::StreamExt;
use shared_types::error::ErrorCode;

use crate::http::error::{Answer, Problem};
use crate::limits::Limits;
use crate::pace::Pace;

/// The whole body, at most `longest` bytes, of a sender that neither stops nor drips.
pub(super) async fn gather(limits: &Limits, body: Body, longest: usize) -> Answer<Body> {
    let refused = |detail: String| Problem::because(ErrorCode::InvalidRequest, detail);
    let late = || {
        refused("The body came too slowly or stopped; send it again.".to_owned())
            .with_status(StatusCode::REQUEST_TIMEOUT)
    };
    let (mut pace, mut stream, mut whole) = (Pace::new(limits), body.into_data_stream(), BytesMut::new());
    while let Some(bytes) = tokio::time::timeout(pace.patience(), stream.next()).await.map_err(|_| late())? {
        let bytes = bytes.map_err(|_| refused("The body ended too early.".to_owned()))?;
        if whole.len() + bytes.len() > longest {
            return Err(
                refused(format!("The body is longer than {longest} bytes.")).with_status(StatusCode::PAYLOAD_TOO_LARGE)
            );
        }
        whole.extend_from_slice(&bytes);
        if !pace.keeps_up(bytes.len()) {
            return Err(late());
        }
    }
    Ok(Body::from(whole.freeze()))
}

//! Bodies that are read whole before their handler runs. All together they may take up so much memory; the first bytes of
//! each are not counted, so that whoever logs in or asks for little is never kept out by those who send much.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::BytesMut;
use futures_util::StreamExt;
use shared_types::error::ErrorCode;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::pace::Pace;

/// Of each body; connections are counted, and that bounds these.
const UNCOUNTED: usize = 64 << 10;
/// However steadily it comes: a place in memory is no place to stay.
const LONGEST: Duration = Duration::from_mins(5);
const FULL_RETRY_SECS: u64 = 5;

/// Room in memory, for as long as it is held; none where it is not counted.
pub(super) type Room = Option<OwnedSemaphorePermit>;

/// The whole body, at most `longest` bytes, of a sender that neither stops nor drips.
pub(super) async fn gather(app: &Shared, body: Body, longest: usize) -> Answer<(Body, Room)> {
    let refused = |detail: String| Problem::because(ErrorCode::InvalidRequest, detail);
    let late = || {
        refused("The body came too slowly or stopped; send it again.".to_owned())
            .with_status(StatusCode::REQUEST_TIMEOUT)
    };
    let (mut pace, mut stream, mut whole) = (Pace::new(&app.config.limits), body.into_data_stream(), BytesMut::new());
    let (mut room, until) = (None, Instant::now() + LONGEST);
    loop {
        let patience = pace.patience().min(until.duration_since(Instant::now()));
        let next = tokio::time::timeout(patience, stream.next()).await.map_err(|_| late())?;
        let Some(bytes) = next else { return Ok((Body::from(whole.freeze()), room)) };
        let bytes = bytes.map_err(|_| refused("The body ended too early.".to_owned()))?;
        if whole.len() + bytes.len() > longest {
            return Err(
                refused(format!("The body is longer than {longest} bytes.")).with_status(StatusCode::PAYLOAD_TOO_LARGE)
            );
        }
        take_room(app, &mut room, whole.len() + bytes.len())?;
        whole.extend_from_slice(&bytes);
        if !pace.keeps_up(bytes.len()) {
            return Err(late());
        }
    }
}

/// Holds room for so many bytes of one body.
fn take_room(app: &Shared, room: &mut Room, bytes: usize) -> Answer<()> {
    let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let wanted = bytes.saturating_sub(UNCOUNTED).div_ceil(1024);
    if wanted <= held {
        return Ok(());
    }
    let full = || {
        let why = "The server is taking in as much as it can hold at the moment; send this again.";
        Problem::because(ErrorCode::Unavailable, why).retry_after(FULL_RETRY_SECS)
    };
    let more = u32::try_from(wanted - held).map_err(|_| full())?;
    let more = app.bodies.clone().try_acquire_many_owned(more).map_err(|_| full())?;
    match room {
        Some(room) => room.merge(more),
        None => *room = Some(more),
    }
    Ok(())
}

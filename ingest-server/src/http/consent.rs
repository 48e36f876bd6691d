//! Routes of the noun consent.

use axum::Json;
use axum::http::Method;
use shared_types::api::worker::ConsentText;
use shared_types::error::ErrorCode;
use shared_types::id::WorkerId;
use shared_types::timestamp::Timestamp;
use shared_types::worker::WorkerStage;

use crate::http::error::{Answer, Problem};
use crate::http::route::{Route, Who, route};
use crate::secret::digest;
use crate::store::consent::{Accepted, Standing};
use crate::store::{self, Tx};

/// The text that must be accepted now.
pub const VERSION: &str = "2026-11";
const TEXT: &str = include_str!("../../consent/en-1.txt");
const LANGUAGE: &str = "en";

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/consent", Who::Anyone, "The consent that is in force.", show)
            .gives::<ConsentText>(),
    ]
}

async fn show() -> Json<ConsentText> {
    Json(ConsentText {
        version: VERSION.to_owned(),
        text: TEXT.to_owned(),
        text_sha256: digest(TEXT),
        scope: ["screen", "voice", "input_events"].map(str::to_owned).to_vec(),
    })
}

/// Writes down that a worker accepted the text in force.
pub(super) async fn accept(
    tx: &mut Tx,
    worker: WorkerId,
    (accepted_at, app_version): (Timestamp, Option<&str>),
    now: Timestamp,
) -> Answer<()> {
    let text_sha256 = digest(TEXT);
    let (version, text_sha256) = (VERSION, text_sha256.as_str());
    let given = Accepted { version, text_sha256, language: LANGUAGE, accepted_at, app_version };
    Ok(store::consent::insert(tx, worker, &given, now).await?)
}

/// That a worker may record and hand in now.
pub(super) fn check(standing: Option<Standing>) -> Answer<()> {
    let standing = standing.ok_or(ErrorCode::Unauthenticated)?;
    if let Some(objection) = left(standing.stage).or_else(|| barred(standing.stage)) {
        return Err(objection);
    }
    if standing.version.as_deref() != Some(VERSION) {
        return Err(ErrorCode::ConsentRequired.into());
    }
    Ok(())
}

/// That a worker is there and was not told to stop. What was begun under an earlier text may still be finished.
pub(super) fn check_stage(standing: Option<Standing>) -> Answer<()> {
    let stage = standing.ok_or(ErrorCode::Unauthenticated)?.stage;
    left(stage).or_else(|| barred(stage)).map_or(Ok(()), Err)
}

/// The objection to somebody who was told to stop. What is theirs they may still read, withdraw and have erased.
pub(super) fn barred(stage: WorkerStage) -> Option<Problem> {
    let why = match stage {
        WorkerStage::Suspended => "Your account is paused, so nothing more is recorded or handed in for now.",
        WorkerStage::Banned => "Your account is closed, so nothing more is recorded or handed in.",
        _ => return None,
    };
    Some(Problem::because(ErrorCode::Forbidden, why))
}

/// The objection to somebody who comes back.
pub(super) fn left(stage: WorkerStage) -> Option<Problem> {
    let is_gone = [WorkerStage::Withdrawn, WorkerStage::Erased].contains(&stage);
    let why = "You withdrew your consent, so nothing more is recorded or handed in. A new invite begins anew.";
    is_gone.then(|| Problem::because(ErrorCode::ConsentRequired, why))
}

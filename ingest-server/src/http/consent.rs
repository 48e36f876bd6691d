//! Routes of the noun consent.

use axum::Json;
use axum::http::Method;
use shared_types::api::worker::ConsentText;

use crate::http::route::{Route, Who, route};
use crate::secret::digest;

/// The text that must be accepted now.
pub const VERSION: &str = "2026-11";
const TEXT: &str = include_str!("../../consent/en-1.txt");

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

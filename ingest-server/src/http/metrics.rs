//! `/metrics`, for Prometheus on this machine or with an admin's token.

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};

use crate::app::Shared;
use crate::http::error::{Answer, Problem};
use crate::http::route::{Route, Who, route};
use crate::metrics::{self, MetricsError};

pub(super) fn routes() -> Vec<Route> {
    vec![route(Method::GET, "/metrics", Who::Operator, "Numbers for Prometheus.", show).media("text/plain")]
}

impl From<MetricsError> for Problem {
    fn from(error: MetricsError) -> Self {
        match error {
            MetricsError::Store(error) => error.into(),
            MetricsError::Objects(error) => error.into(),
        }
    }
}

async fn show(State(app): State<Shared>) -> Answer<Response> {
    let page = metrics::page(&app).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response())
}

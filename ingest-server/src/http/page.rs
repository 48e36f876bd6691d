//! Keyset pages: the cursor is the id of the last item seen.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;
use shared_types::api::Page;

use crate::http::error::Answer;

/// Items on one page.
pub const LIMIT: i64 = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    pub cursor: Option<String>,
}

pub type Asked = Result<Query<Paging>, QueryRejection>;

pub fn cursor(asked: Asked) -> Answer<Option<String>> {
    Ok(asked?.0.cursor)
}

/// A page of items that were read up to [`LIMIT`].
pub fn page<T>(items: Vec<T>, id: impl Fn(&T) -> String) -> Page<T> {
    let is_full = items.len() as i64 >= LIMIT;
    let next_cursor = items.last().filter(|_| is_full).map(id);
    Page { items, next_cursor }
}

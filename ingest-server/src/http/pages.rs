//! The screens, built into the program: the worker's page at `/`, the review pages under `/admin`, their assets.

use axum::extract::Path;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use rust_embed::Embed;
use shared_types::error::ErrorCode;

use crate::http::error::Problem;
use crate::http::route::{Route, Who, route};

#[derive(Embed)]
#[folder = "$OUT_DIR/ui"]
struct Ui;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/", Who::Anyone, "The page for workers.", || async { page("site.html") }),
        route(Method::GET, "/admin", Who::Anyone, "The review pages; they log in by themselves.", || async {
            page("admin.html")
        }),
        route(Method::GET, "/admin/{*page}", Who::Anyone, "The review pages.", || async { page("admin.html") }),
        route(Method::GET, "/assets/{*file}", Who::Anyone, "Scripts and styles of the pages.", asset),
        route(Method::GET, "/healthz", Who::Anyone, "The process runs.", || async { "ok\n" }),
    ]
}

fn page(name: &str) -> Response {
    match Ui::get(name) {
        Some(file) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], file.data).into_response(),
        None => Problem::from(ErrorCode::NotFound).into_response(),
    }
}

async fn asset(Path(file): Path<String>) -> Response {
    let Some(found) = Ui::get(&format!("assets/{file}")) else {
        return Problem::from(ErrorCode::NotFound).into_response();
    };
    let kind = mime_guess::from_path(&file).first_or_octet_stream();
    // The names carry a hash of what is in them.
    let headers =
        [(header::CONTENT_TYPE, kind.as_ref()), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, found.data).into_response()
}

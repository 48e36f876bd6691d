//! The committed `OpenAPI` document is the one that the table of routes makes.

use std::path::Path;

use ingest_server::http::openapi::{FILE, text};

#[test]
fn the_committed_document_is_up_to_date() {
    let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE));
    let remedy = "run `cargo run -p ingest-server --bin export-openapi` and commit what it writes";
    assert!(committed.is_ok_and(|committed| committed == text()), "{FILE} is stale: {remedy}");
}

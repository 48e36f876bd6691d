//! The committed `OpenAPI` document is the one that the table of routes makes.

use std::path::Path;

use ingest_server::http::openapi::{FILE, document, text};

#[test]
fn the_committed_document_is_up_to_date() {
    let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE));
    let remedy = "run `cargo run -p ingest-server --bin export-openapi` and commit what it writes";
    assert!(committed.is_ok_and(|committed| committed == text()), "{FILE} is stale: {remedy}");
}

/// A field that a request does not have cannot be slipped in.
#[test]
fn every_body_is_closed() {
    let document = document();
    let mut bodies = 0;
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let Some(pointer) = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) else { continue };
            bodies += 1;
            let schema = document.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
            assert_eq!(schema["additionalProperties"], false, "{method} {path} takes {pointer}");
        }
    }
    assert!(bodies >= 15, "{bodies}");
}

//! Writes the `OpenAPI` document into the repository: `cargo run --bin export-openapi`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(ingest_server::http::openapi::FILE);
    std::fs::write(path, ingest_server::http::openapi::text())
}

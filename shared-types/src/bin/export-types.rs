//! Writes the generated TypeScript types and JSON Schemas into the repository: `cargo run --bin export-types`.

use std::path::Path;

use shared_types::generated::{SCHEMAS_DIR, TYPES_DIR, files};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = files()?;
    for dir in [TYPES_DIR, SCHEMAS_DIR] {
        std::fs::create_dir_all(top.join(dir))?;
        for entry in std::fs::read_dir(top.join(dir))? {
            let path = entry?.path();
            let kept = files.iter().any(|file| path.ends_with(&file.path));
            if !kept && path.extension().is_some_and(|extension| extension == "ts" || extension == "json") {
                std::fs::remove_file(path)?;
            }
        }
    }
    for file in files {
        std::fs::write(top.join(&file.path), &file.text)?;
    }
    Ok(())
}

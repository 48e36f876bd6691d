//! The generated files in the repository are those that the types generate, and there are no others beside them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use shared_types::generated::{SCHEMAS_DIR, TYPES_DIR, files};

const REMEDY: &str = "Run `cargo run -p shared-types --bin export-types` and commit what it writes.";

#[test]
fn generated_files_are_up_to_date() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = files().unwrap();
    let mut wrong = Vec::new();
    for file in &files {
        match fs::read_to_string(top.join(&file.path)) {
            Ok(text) if text == file.text => {}
            Ok(_) => wrong.push(format!("{} differs from its type", file.path)),
            Err(error) => wrong.push(format!("{} cannot be read: {error}", file.path)),
        }
    }
    let expected: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(expected.len(), files.len(), "two types are written to one file");
    for dir in [TYPES_DIR, SCHEMAS_DIR] {
        for entry in fs::read_dir(top.join(dir)).unwrap() {
            let path = format!("{dir}/{}", entry.unwrap().file_name().to_string_lossy());
            if !expected.contains(path.as_str()) {
                wrong.push(format!("{path} belongs to no type"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{REMEDY}", wrong.join("\n"));
}

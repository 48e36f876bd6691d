//! Fetching and importing models, with a stand-in for pip: what a user without a network, with a broken package or with
//! a file of their own meets.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use pipeline::models::catalog::{self, Model, ModelFile, Recipe, Source, Wheel};
use pipeline::models::error::ModelError;
use pipeline::models::fetch::Fetcher;
use pipeline::models::files::ModelFiles;
use pipeline::models::import::{Imported, import};
use pipeline::models::progress::Progress;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const CONTENT: &[u8] = b"weights of a made model";

fn sha256(bytes: &[u8]) -> &'static str {
    media::journal::hex(&Sha256::digest(bytes)).leak()
}

fn zipped(member: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(member, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A model of one file, in a package of the same name at version 1.0; each source has its package.
fn made_model(sources: &[(&'static str, &[u8])]) -> &'static Model {
    let sources: Vec<Source> = sources
        .iter()
        .map(|(package, wheel)| Source {
            wheels: vec![Wheel { package, version: "1.0", bytes: wheel.len() as u64, sha256: sha256(wheel) }].leak(),
            recipe: Recipe::Take(&["made/model.bin"]),
        })
        .collect();
    let file = ModelFile { name: "made.bin", bytes: CONTENT.len() as u64, sha256: sha256(CONTENT) };
    Box::leak(Box::new(Model {
        name: "made",
        purpose: "tests",
        licence: "MIT",
        files: vec![file].leak(),
        sources: sources.leak(),
        addresses: &[],
    }))
}

/// A folder for models and, beside it, a program in the place of pip. It is called as pip is: `download … --dest DIR PKG==VER`.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { root: TempDir::new().unwrap() }
    }

    fn models(&self) -> PathBuf {
        self.root.path().join("models")
    }

    fn client(&self, body: &str) -> Vec<OsString> {
        let path = self.root.path().join("pip");
        fs::write(&path, format!("#!/bin/sh\nset -e\nfor word in \"$@\"; do last=$word; done\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        vec!["sh".into(), path.into()]
    }

    /// A client that has these packages and no others.
    fn client_with(&self, packages: &[(&str, &[u8])]) -> Vec<OsString> {
        for (package, wheel) in packages {
            fs::write(self.root.path().join(format!("{package}.whl")), wheel).unwrap();
        }
        let root = self.root.path().display();
        self.client(&format!(
            "while [ \"$1\" != --dest ]; do shift; done\nwheel={root}/${{last%%==*}}.whl\n\
             [ -e \"$wheel\" ] || {{ echo \"ERROR: No matching distribution found for $last\" >&2; exit 1; }}\ncp \"$wheel\" \"$2\""
        ))
    }

    fn ensure(&self, model: &'static Model, client: Vec<OsString>) -> Result<ModelFiles, ModelError> {
        self.ensure_unless(model, client, &AtomicBool::new(false))
    }

    fn ensure_unless(
        &self,
        model: &'static Model,
        client: Vec<OsString>,
        stop: &AtomicBool,
    ) -> Result<ModelFiles, ModelError> {
        let (models_dir, progress) = (self.models(), Progress::kept());
        Fetcher { models_dir: &models_dir, clients: vec![client], progress: &progress, stop }.ensure_model(model)
    }

    fn left_over(&self) -> Vec<String> {
        let entries =
            fs::read_dir(self.models()).map_or_else(|_| Vec::new(), |entries| entries.flatten().collect::<Vec<_>>());
        entries.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

#[test]
fn a_model_is_fetched_once_and_nothing_else_is_left() {
    let place = Place::new();
    let wheel = zipped("made/model.bin", CONTENT);
    let model = made_model(&[("first", &wheel)]);
    let files = place.ensure(model, place.client_with(&[("first", &wheel)])).unwrap();
    assert_eq!(fs::read(&files.paths[0]).unwrap(), CONTENT);
    assert_eq!(place.left_over(), ["made"]);
    let no_client = || vec![OsString::from("/no/such/python")];
    assert_eq!(place.ensure(model, no_client()).unwrap(), files, "what is here needs no client");

    // A file that was copied here by hand has no note of its hash: it is checked and taken.
    fs::remove_file(files.dir.join("made.bin.sha256")).unwrap();
    place.ensure(model, no_client()).unwrap();
    assert!(files.dir.join("made.bin.sha256").is_file());

    // A file of the right size that is not it is fetched again.
    fs::write(&files.paths[0], vec![0; CONTENT.len()]).unwrap();
    fs::remove_file(files.dir.join("made.bin.sha256")).unwrap();
    place.ensure(model, place.client_with(&[("first", &wheel)])).unwrap();
    assert_eq!(fs::read(&files.paths[0]).unwrap(), CONTENT);
}

#[test]
fn the_second_source_serves_when_the_first_is_gone_or_changed() {
    let wheel = zipped("made/model.bin", CONTENT);
    let changed = zipped("made/model.bin", b"something else entirely");
    let model = made_model(&[("first", &wheel), ("second", &wheel)]);
    for first in [None, Some(("first", changed.as_slice()))] {
        let place = Place::new();
        let packages: Vec<_> = first.into_iter().chain([("second", wheel.as_slice())]).collect();
        place.ensure(model, place.client_with(&packages)).unwrap();
        assert_eq!(place.left_over(), ["made"]);
    }
}

#[test]
fn a_failure_tells_what_was_tried_and_what_to_do() {
    let wheel = zipped("made/model.bin", CONTENT);
    let changed = zipped("made/model.bin", b"something else entirely");
    let wrong_content = made_model(&[("first", &changed)]);
    let model = made_model(&[("first", &wheel)]);
    let check = |model: &'static Model, client: &dyn Fn(&Place) -> Vec<OsString>, expected: &str| {
        let place = Place::new();
        let error = place.ensure(model, client(&place)).unwrap_err().to_string();
        for part in [expected, "pipeline models fetch made", "pipeline models import FILE", "COLLECTOR_MODELS_DIR"] {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
        assert!(place.left_over().is_empty(), "{:?}", place.left_over());
    };
    check(model, &|place| place.client_with(&[]), "No matching distribution found for first==1.0");
    check(model, &|place| place.client_with(&[("first", &changed)]), "it was thrown away");
    check(wrong_content, &|place| place.client_with(&[("first", &changed)]), "must be");
    check(model, &|_| vec!["/no/such/python".into()], "no pip could be started");
    check(model, &|place| place.client("echo 'No module named pip' >&2; exit 1"), "pip is not");
    let offline = "echo \"WARNING: Retrying after connection broken by 'X'\" >&2; echo 'ERROR: none' >&2; exit 1";
    check(model, &|place| place.client(offline), "the package index could not be reached; ERROR: none");
    check(model, &|place| place.client("exit 3"), "without saying why");
}

#[test]
fn a_stopped_fetch_leaves_nothing_and_a_killed_one_is_cleared_away() {
    let place = Place::new();
    let wheel = zipped("made/model.bin", CONTENT);
    let model = made_model(&[("first", &wheel)]);
    let stop = AtomicBool::new(false);
    stop.store(true, Ordering::Relaxed);
    let error = place.ensure_unless(model, place.client("exec sleep 600"), &stop).unwrap_err();
    assert!(matches!(error, ModelError::Stopped { name: "made" }), "{error}");
    assert!(place.left_over().is_empty());

    let abandoned = place.models().join(".fetch-killed");
    fs::create_dir_all(&abandoned).unwrap();
    fs::write(abandoned.join("lock"), b"").unwrap();
    place.ensure(model, place.client_with(&[("first", &wheel)])).unwrap();
    assert_eq!(place.left_over(), ["made"]);
}

/// What whisper.cpp's loader reads first of a file of the base model, and padding to a believable size.
fn ggml_like(bytes: usize) -> Vec<u8> {
    let numbers: [u32; 12] = [0x6767_6d6c, 51_865, 1500, 512, 8, 6, 448, 512, 8, 6, 80, 1];
    let mut file: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    file.resize(bytes, 0);
    file
}

fn import_bytes(place: &Place, name: &str, bytes: &[u8]) -> Result<Imported, ModelError> {
    let path = place.root.path().join(name);
    fs::write(&path, bytes).unwrap();
    import(&path, &place.models())
}

#[test]
fn an_imported_whisper_is_used_whatever_whisper_is_asked_for() {
    let place = Place::new();
    let imported = import_bytes(&place, "mine", &ggml_like(2 << 20)).unwrap();
    let Imported::Whisper { path } = imported else { panic!("{imported:?}") };
    assert_eq!(fs::read(&path).unwrap().len(), 2 << 20);
    for name in [catalog::DEFAULT_WHISPER, catalog::SMALL_WHISPER] {
        let files = pipeline::models::fetch::ensure(name, &place.models(), &Progress::kept()).unwrap();
        assert_eq!(files.paths, std::slice::from_ref(&path));
    }
    let lines = pipeline::models::commands::list(&place.models()).unwrap();
    let here: Vec<&str> = lines.iter().filter(|line| line.is_present).map(|line| line.name).collect();
    assert_eq!(here, [catalog::DEFAULT_WHISPER, catalog::SMALL_WHISPER]);
}

#[test]
fn what_is_no_model_is_refused_in_a_sentence_and_not_kept() {
    let ct2 = b"\x06\0\0\0\x0c\0WhisperSpec\0\x03\0\0\0";
    let rows: [(&str, Vec<u8>, &str); 5] = [
        ("ggml-base.bin", b"<html>not found</html>".to_vec(), "it is none of"),
        ("cut.bin", ggml_like(4000), "far too short"),
        ("model.bin", ct2.to_vec(), "must lie beside it"),
        ("other.rten", b"RTEN\x02\0\0\0".to_vec(), "not one of the catalogue"),
        ("other.whl", zipped("made/model.bin", CONTENT), "does not know"),
    ];
    for (name, bytes, expected) in rows {
        let place = Place::new();
        let error = import_bytes(&place, name, &bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(place.left_over().is_empty(), "{name}: {:?}", place.left_over());
    }
    let place = Place::new();
    let folder: &Path = place.root.path();
    assert!(import(folder, &place.models()).unwrap_err().to_string().contains("it is a folder"));
}

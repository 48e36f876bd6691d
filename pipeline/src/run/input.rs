//! What a run is given: a recording folder or a bare media file, with what lies beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shared_types::event::{BadEventLine, InputEvent, parse_events};
use shared_types::quality::policy::Policy;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, VIDEO_FILE};

use super::RunOptions;

#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("there is no file or folder {path}. Give a recording folder or a video file")]
    NotFound { path: PathBuf },
    #[error("there is no {VIDEO_FILE} in {path}. Give the folder that the recorder made, or a video file")]
    NoVideo { path: PathBuf },
    #[error("{path}: {source}. Give an {EVENTS_FILE} made by the recorder")]
    Events { path: PathBuf, source: BadEventLine },
    #[error("{path} is not a manifest: {source}. Give the video file alone, with its events as --events")]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error("{path} is not a policy, line {line}: {}. Its fields are described in docs/formats.md", source.message())]
    Policy { path: PathBuf, line: usize, source: Box<toml::de::Error> },
    #[error("{path} already holds something else. Give --out a new folder; nothing was changed")]
    Occupied { path: PathBuf },
    #[error("{path} cannot be read: {source}. Check its permissions")]
    Unreadable { path: PathBuf, source: io::Error },
}

pub(super) struct Recording {
    pub(super) video: PathBuf,
    pub(super) events_path: Option<PathBuf>,
    pub(super) manifest_path: Option<PathBuf>,
    pub(super) events: Option<Vec<InputEvent>>,
    pub(super) goal: Option<String>,
    pub(super) policy: Policy,
}

impl Recording {
    pub(super) fn open(options: &RunOptions) -> Result<Self, InputError> {
        let path = &options.input;
        let metadata = fs::metadata(path).map_err(|source| not_read(path, source))?;
        let (video, manifest_path, beside) = if metadata.is_dir() {
            let video = path.join(VIDEO_FILE);
            if !video.is_file() {
                return Err(InputError::NoVideo { path: path.clone() });
            }
            let existing = |name: &str| Some(path.join(name)).filter(|path| path.is_file());
            (video, existing(MANIFEST_FILE), existing(EVENTS_FILE))
        } else {
            (path.clone(), None, None)
        };
        let events_path = options.events.clone().or(beside);
        let events = events_path.as_deref().map(read_events).transpose()?;
        let manifest = manifest_path.as_deref().map(read_manifest).transpose()?;
        let policy = options.policy.as_deref().map(read_policy).transpose()?.unwrap_or_default();
        let goal = options.goal.clone().or_else(|| manifest.and_then(|manifest| manifest.goal));
        let goal = goal.filter(|goal| !goal.trim().is_empty());
        if !may_be_replaced(&options.out)? {
            return Err(InputError::Occupied { path: options.out.clone() });
        }
        let video = fs::canonicalize(&video).map_err(|source| not_read(&video, source))?;
        Ok(Self { video, events_path, manifest_path, events, goal, policy })
    }
}

/// A folder that is not there, is empty, or holds an earlier result.
fn may_be_replaced(out: &Path) -> Result<bool, InputError> {
    match fs::read_dir(out) {
        Ok(mut entries) => Ok(entries.next().is_none() || out.join("summary.json").is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(not_read(out, error)),
    }
}

fn read_events(path: &Path) -> Result<Vec<InputEvent>, InputError> {
    parse_events(&read_text(path)?).map_err(|source| InputError::Events { path: path.to_owned(), source })
}

fn read_manifest(path: &Path) -> Result<Manifest, InputError> {
    serde_json::from_str(&read_text(path)?).map_err(|source| InputError::Manifest { path: path.to_owned(), source })
}

fn read_policy(path: &Path) -> Result<Policy, InputError> {
    let text = read_text(path)?;
    toml::from_str(&text).map_err(|source: toml::de::Error| {
        let before = source.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        InputError::Policy { path: path.to_owned(), line, source: Box::new(source) }
    })
}

fn read_text(path: &Path) -> Result<String, InputError> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|source| not_read(path, source))
}

fn not_read(path: &Path, source: io::Error) -> InputError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => InputError::NotFound { path },
        _ => InputError::Unreadable { path, source },
    }
}

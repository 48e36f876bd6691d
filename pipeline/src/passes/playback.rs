//! What the reviewer's page plays: a copy that any browser can play and jump in, a sheet of thumbnails, and the outline
//! of the sound.
//!
//! All of it comes from one decoding pass in a child process with the same limits as the inspection's. If the child dies
//! or stalls, the recording counts as one that cannot be played.

pub mod child;
mod sprite;
mod waveform;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use super::limited::{ChildError, Limited};
use super::redact::cover::Cover;

pub const NAME: &str = "playback";
pub const VERSION: u32 = 2;

pub const PLAYBACK_FILE: &str = "playback.mp4";
pub const SPRITE_FILE: &str = "sprite.jpg";
pub const SPRITE_INDEX_FILE: &str = "sprite.json";
pub const WAVEFORM_FILE: &str = "waveform.json";

/// What the child is to do, and in which folder it leaves the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Task {
    video: PathBuf,
    folder: PathBuf,
    /// What it must not show or play.
    cover: Cover,
}

/// What the child made. It says `None` of a recording of which nothing plays, and nothing if it died.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    has_sprite: bool,
}

/// The tiles of the thumbnail sheet, row by row: tile `n` shows what was shown at `n * every_secs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpriteIndex {
    pub tile_width: u32,
    pub tile_height: u32,
    pub columns: u32,
    pub every_secs: f64,
    pub count: u32,
}

/// The loudest sample of each stretch of `every_secs`, in 0 to 1. Without sound there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waveform {
    pub every_secs: f64,
    pub peaks: Vec<f32>,
}

/// The files that were made. A recording without a picture has no sprite.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaybackFiles {
    pub playback: PathBuf,
    pub sprite: Option<PathBuf>,
    pub sprite_index: Option<PathBuf>,
    pub waveform: PathBuf,
}

impl PlaybackFiles {
    /// All of them, to be handed on under their file names.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let sprite = self.sprite.iter().chain(&self.sprite_index);
        [&self.playback, &self.waveform].into_iter().chain(sprite).map(PathBuf::as_path)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("nothing in the recording can be played")]
    NothingPlays,
}

/// Makes the files of one recording in a folder that exists, without what `cover` names. `program` is this program;
/// `progress` is told the seconds of the recording that are done.
pub fn make(
    program: &Path,
    video: &Path,
    folder: &Path,
    cover: Cover,
    stop: &AtomicBool,
    progress: impl FnMut(f64),
) -> Result<PlaybackFiles, PlaybackError> {
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(|source| ChildError::Disk { path: path.to_owned(), source });
    let task = Task { video: absolute(video)?, folder: absolute(folder)?, cover };
    let made = Limited { program, command: child::COMMAND, folder: &task.folder, stop }
        .run::<_, Option<Made>>(&task, progress);
    // Only what was on the way lies there, and not always.
    drop(fs::remove_file(task.folder.join(PLAYBACK_FILE).with_extension("part")));
    let Made { has_sprite } = made?.flatten().ok_or(PlaybackError::NothingPlays)?;
    let sprite = |name: &str| has_sprite.then(|| folder.join(name));
    Ok(PlaybackFiles {
        playback: folder.join(PLAYBACK_FILE),
        sprite: sprite(SPRITE_FILE),
        sprite_index: sprite(SPRITE_INDEX_FILE),
        waveform: folder.join(WAVEFORM_FILE),
    })
}

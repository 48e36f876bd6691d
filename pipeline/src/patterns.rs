//! `pipeline patterns`: what many recordings have in common.
//!
//! 1. [`load`]: Examples of datasets and result folders become recordings again.
//! 2. [`sequences`]: what the Steps were for, in order, without repeats; the ways that many recordings share are found
//!    by `PrefixSpan`.
//! 3. [`strategies`]: how each recording went about it, by site and by worker.
//! 4. [`narration`]: the sentences that were said, in groups of like ones.
//! 5. [`report`]: the same for people, as a page and as Markdown. `patterns.json` has it for programs.
//!
//! No model takes part, and the same recordings give the same bytes.

pub mod load;
pub mod narration;
pub mod report;
pub mod sequences;
pub mod strategies;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::load::LoadError;
use self::load::{Recording, load};
use self::narration::Narration;
use self::sequences::Ways;
use self::strategies::Strategies;

const RESULT: &str = "patterns.json";

#[derive(Debug, Clone)]
pub struct PatternsOptions {
    /// Datasets, result folders, or folders of those.
    pub folders: Vec<PathBuf>,
    pub out: PathBuf,
    /// Share of the recordings that a way must be found in.
    pub min_share: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum PatternsError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("{0} already holds something else. Give --out a new folder; nothing was changed")]
    Occupied(PathBuf),
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
}

impl PatternsError {
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Load(_) | Self::Occupied(_))
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Patterns {
    pub recordings: u32,
    pub workers: u32,
    pub sites: u32,
    pub steps: u32,
    pub ways: Ways,
    pub strategies: Strategies,
    pub narration: Narration,
}

/// Finds the patterns of recordings that are in memory.
pub fn find(recordings: &[Recording], min_share: f64) -> Patterns {
    let count = |of: fn(&Recording) -> Option<&str>| {
        recordings.iter().filter_map(of).collect::<std::collections::BTreeSet<_>>().len() as u32
    };
    Patterns {
        recordings: recordings.len() as u32,
        workers: count(|recording| recording.worker.as_deref()),
        sites: count(|recording| recording.site.as_deref()),
        steps: recordings.iter().map(|recording| recording.steps.len() as u32).sum(),
        ways: sequences::ways(recordings, min_share),
        strategies: strategies::of_all(recordings),
        narration: narration::clusters(recordings),
    }
}

/// Reads, finds and writes; an earlier result in the folder is replaced.
pub fn run_patterns(options: &PatternsOptions) -> Result<Patterns, PatternsError> {
    let out = &options.out;
    let disk = |source| PatternsError::Disk { path: out.clone(), source };
    let may_be_replaced = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none() || out.join(RESULT).is_file(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !may_be_replaced {
        return Err(PatternsError::Occupied(out.clone()));
    }
    let recordings = load(&options.folders)?;
    let patterns = find(&recordings, options.min_share);
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(disk)?;
    let folder = tempfile::Builder::new().prefix(".patterns-").tempdir_in(parent).map_err(disk)?;
    let result = folder.path().join("result");
    fs::create_dir(&result).map_err(disk)?;
    let mut json = serde_json::to_vec_pretty(&patterns).map_err(|error| disk(error.into()))?;
    json.push(b'\n');
    let files = [
        (RESULT, json),
        ("report.md", report::markdown(&patterns).into_bytes()),
        ("report.html", report::html(&patterns).into_bytes()),
    ];
    for (name, bytes) in files {
        fs::write(result.join(name), bytes).map_err(disk)?;
    }
    if out.exists() {
        fs::rename(out, folder.path().join("earlier")).map_err(disk)?;
    }
    fs::rename(&result, out).map_err(disk)?;
    Ok(patterns)
}

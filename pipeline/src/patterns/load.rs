//! Recordings from the Examples that were made of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use shared_types::example::Example;
use shared_types::goal::ConstraintFinding;
use shared_types::step::Step;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("there is no folder {0}. Give datasets, or results of `pipeline run`")]
    NotFound(PathBuf),
    #[error(
        "{0} holds no Examples: neither a dataset (`data/*.jsonl`), nor a result of `pipeline run` (`examples.jsonl`), \
         nor folders with one of those"
    )]
    NoExamples(PathBuf),
    #[error("{path}, line {line}, is no Example: {source}. Make it again with this version")]
    Example { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("{path} cannot be read: {source}. Check its permissions")]
    Unreadable { path: PathBuf, source: io::Error },
}

/// What the Examples of one recording say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    pub sha256: String,
    pub goal: Option<String>,
    /// An alias; results of single runs know none.
    pub worker: Option<String>,
    /// Where most of its Steps were made.
    pub site: Option<String>,
    pub constraints: Vec<ConstraintFinding>,
    pub steps: Vec<Step>,
}

/// All recordings of the folders, each once, in the order of their hashes.
pub fn load(folders: &[PathBuf]) -> Result<Vec<Recording>, LoadError> {
    let mut examples: BTreeMap<String, BTreeMap<u32, Example>> = BTreeMap::new();
    for folder in folders {
        if !folder.is_dir() {
            return Err(LoadError::NotFound(folder.clone()));
        }
        let files = files_of(folder)?;
        if files.is_empty() {
            return Err(LoadError::NoExamples(folder.clone()));
        }
        for file in files {
            read(&file, &mut examples)?;
        }
    }
    Ok(examples.into_iter().map(|(sha256, rows)| recording(sha256, rows.into_values().collect())).collect())
}

/// The files with Examples in a folder, or in the folders in it.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = own_files(folder)?;
    if files.is_empty() {
        for below in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
            files.extend(own_files(&below)?);
        }
    }
    Ok(files)
}

fn own_files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let result = folder.join("examples.jsonl");
    if result.is_file() {
        return Ok(vec![result]);
    }
    let data = folder.join("data");
    if !folder.join("dataset.json").is_file() || !data.is_dir() {
        return Ok(Vec::new());
    }
    let is_shard = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
    Ok(entries(&data)?.into_iter().filter(is_shard).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: folder.to_owned(), source };
    let found = fs::read_dir(folder).map_err(unreadable)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = found.collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path, examples: &mut BTreeMap<String, BTreeMap<u32, Example>>) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        let example: Example = serde_json::from_str(&line).map_err(|source| LoadError::Example {
            path: path.to_owned(),
            line: number + 1,
            source,
        })?;
        examples.entry(example.recording_sha256.clone()).or_default().insert(example.index, example);
    }
    Ok(())
}

fn recording(sha256: String, examples: Vec<Example>) -> Recording {
    let mut sites: BTreeMap<&str, u32> = BTreeMap::new();
    for site in examples.iter().filter_map(|example| example.site.as_deref()) {
        *sites.entry(site).or_default() += 1;
    }
    // Of equally many the first by name.
    let site = sites.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))).map(|(site, _)| (*site).to_owned());
    let first = examples.first();
    Recording {
        sha256,
        goal: first.and_then(|example| example.goal.clone()),
        worker: first.and_then(|example| example.provenance.get("worker").cloned()),
        site,
        constraints: first.map(|example| example.constraints.clone()).unwrap_or_default(),
        steps: examples.into_iter().map(|example| example.step).collect(),
    }
}

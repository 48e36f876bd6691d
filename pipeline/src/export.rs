//! `pipeline export`: the accepted submissions of a campaign as a dataset folder, CodeSight 1.0.
//!
//! The folder takes its name last and `dataset.json` is written last, so that what can be seen is whole. The same
//! submissions give the same bytes. A worker's takes all lie in one split, chosen by the worker's alias, so that no
//! voice or habit is in both training and test; `test_site` holds sites that training never saw, once there are
//! enough sites to spare one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ingest_client::{Client, ClientError};
use media::journal::hash_file;
use sha2::{Digest, Sha256};
use shared_types::api::export::{ExportArtifact, ExportItem};
use shared_types::dataset::{DatasetFile, DatasetManifest};
use shared_types::example::{EXAMPLE_FORMAT, Example};
use shared_types::generated::{self, SCHEMAS_DIR};
use shared_types::id::CampaignId;
use shared_types::recording::FileHash;

const EXAMPLES_FILE: &str = "examples.jsonl";
/// Only an analysis that covers private data leaves it.
const REDACTION_FILE: &str = "redaction.json";
const EXAMPLES_PER_SHARD: usize = 10_000;
/// From so many sites on, one in ten is kept from training.
const SITES_TO_SPARE_ONE: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
    #[error("{0} already holds something that is no dataset. Give --out another folder.")]
    Occupied(PathBuf),
    #[error("the examples of submission {submission}, line {line}, are not right: {source}")]
    Example { submission: String, line: usize, source: serde_json::Error },
    #[error("submission {submission} names a picture that is none: {name}")]
    Frame { submission: String, name: String },
    #[error("submission {0} has no examples.jsonl: it was accepted before its analysis ended")]
    NoExamples(String),
    #[error(
        "submission {0} was analysed by a version that covers nothing private, so nothing of it is exported. Redact any \
         moment of it on the review page: that analyses it anew"
    )]
    NotRedacted(String),
    #[error("stopped")]
    Stopped,
}

impl ExportError {
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Occupied(_))
    }
}

/// Writes the dataset of a campaign; an earlier dataset in the folder is replaced.
pub fn export(
    client: &Client,
    campaign: CampaignId,
    out: &Path,
    stop: &AtomicBool,
) -> Result<DatasetManifest, ExportError> {
    if !may_be_replaced(out) {
        return Err(ExportError::Occupied(out.to_owned()));
    }
    let disk = |source| ExportError::Disk { path: out.to_owned(), source };
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(disk)?;
    let folder = tempfile::Builder::new().prefix(".export-").tempdir_in(parent).map_err(disk)?;
    let dataset = folder.path().join("dataset");
    for name in ["data", "frames", "schema"] {
        fs::create_dir_all(dataset.join(name)).map_err(disk)?;
    }
    let (items, tombstones) = accepted(client, campaign)?;
    let mut examples = Vec::new();
    for item in &items {
        examples.extend(bring(client, item, &dataset, stop)?);
    }
    let counts = write_splits(&dataset, &examples).map_err(disk)?;
    write_schemas(&dataset).map_err(disk)?;
    fs::write(dataset.join("README.md"), card(&items, &counts)).map_err(disk)?;
    let files = list(&dataset).map_err(disk)?;
    let manifest = DatasetManifest {
        format: EXAMPLE_FORMAT.to_owned(),
        campaign_id: campaign,
        accepted_until: items.iter().map(|item| item.accepted_at).max(),
        submissions: items.iter().map(|item| item.submission_id).collect(),
        tombstones,
        examples: counts,
        frames: files.iter().filter(|file| file.path.starts_with("frames/")).count() as u32,
        files,
        pipeline_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(|error| disk(error.into()))?;
    text.push(b'\n');
    fs::write(dataset.join("dataset.json"), text).map_err(disk)?;
    if out.exists() {
        fs::rename(out, folder.path().join("earlier")).map_err(disk)?;
    }
    fs::rename(&dataset, out).map_err(disk)?;
    Ok(manifest)
}

fn may_be_replaced(out: &Path) -> bool {
    match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none() || out.join("dataset.json").is_file(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

type Accepted = (Vec<ExportItem>, Vec<shared_types::id::SubmissionId>);

fn accepted(client: &Client, campaign: CampaignId) -> Result<Accepted, ExportError> {
    let (mut items, mut tombstones, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let page = client.export_page(campaign, cursor.as_deref())?;
        items.extend(page.items);
        tombstones.extend(page.tombstones);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    items.retain(|item| !tombstones.contains(&item.submission_id));
    items.sort_by_key(|item| item.submission_id);
    Ok((items, tombstones))
}

/// The examples of one submission, with the frames they show brought into the dataset.
fn bring(client: &Client, item: &ExportItem, dataset: &Path, stop: &AtomicBool) -> Result<Vec<Example>, ExportError> {
    let by_name: BTreeMap<&str, &ExportArtifact> =
        item.artifacts.iter().map(|artifact| (artifact.name.as_str(), artifact)).collect();
    let submission = item.submission_id.to_string();
    let listed = by_name.get(EXAMPLES_FILE).ok_or_else(|| ExportError::NoExamples(submission.clone()))?;
    if !by_name.contains_key(REDACTION_FILE) {
        return Err(ExportError::NotRedacted(submission));
    }
    let mut text = Vec::new();
    client.download(&listed.url, &mut text, &hash_of(listed), stop)?;
    let text = String::from_utf8_lossy(&text);
    let mut examples = Vec::new();
    for (line, row) in text.lines().enumerate() {
        let mut example: Example = serde_json::from_str(row).map_err(|source| ExportError::Example {
            submission: submission.clone(),
            line: line + 1,
            source,
        })?;
        let more = [
            ("submission", submission.clone()),
            ("worker", item.worker_alias.clone()),
            ("tier", item.tier.clone()),
            ("rating", item.rating.to_string()),
        ];
        example.provenance.extend(more.map(|(name, value)| (name.to_owned(), value)));
        for frame in [&example.step.frame_before, &example.step.frame_after].into_iter().flatten() {
            if stop.load(Ordering::Relaxed) {
                return Err(ExportError::Stopped);
            }
            if !is_frame(frame) {
                return Err(ExportError::Frame { submission, name: frame.clone() });
            }
            let path = dataset.join(frame);
            let Some(artifact) = by_name.get(frame.as_str()).filter(|_| !path.exists()) else { continue };
            let disk = |source| ExportError::Disk { path: path.clone(), source };
            let mut file = fs::File::create(&path).map_err(disk)?;
            client.download(&artifact.url, &mut file, &hash_of(artifact), stop)?;
            file.flush().map_err(disk)?;
        }
        examples.push(example);
    }
    Ok(examples)
}

fn hash_of(artifact: &ExportArtifact) -> FileHash {
    FileHash { bytes: artifact.bytes, sha256: artifact.sha256.clone() }
}

/// `frames/{sha256}.jpg` and nothing else: the name becomes a path here.
fn is_frame(name: &str) -> bool {
    let digits = name.strip_prefix("frames/").and_then(|rest| rest.strip_suffix(".jpg"));
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// 0 to 99, the same for the same text everywhere.
fn percent(text: &str) -> u8 {
    Sha256::digest(text.as_bytes())[0] % 100
}

fn split(example: &Example, spared: &BTreeSet<&str>) -> &'static str {
    if example.site.as_deref().is_some_and(|site| spared.contains(site)) {
        return "test_site";
    }
    match percent(example.provenance.get("worker").map_or("", String::as_str)) {
        0..80 => "train",
        80..90 => "validation",
        _ => "test",
    }
}

fn write_splits(dataset: &Path, examples: &[Example]) -> io::Result<BTreeMap<String, u32>> {
    let sites: BTreeSet<&str> = examples.iter().filter_map(|example| example.site.as_deref()).collect();
    let enough = sites.len() >= SITES_TO_SPARE_ONE;
    let spared: BTreeSet<&str> = sites.into_iter().filter(|site| enough && percent(site) < 10).collect();
    let mut by_split: BTreeMap<&str, Vec<&Example>> = BTreeMap::new();
    for example in examples {
        by_split.entry(split(example, &spared)).or_default().push(example);
    }
    for (split, rows) in &by_split {
        for (number, shard) in rows.chunks(EXAMPLES_PER_SHARD).enumerate() {
            let mut text = Vec::new();
            for row in shard {
                serde_json::to_writer(&mut text, row)?;
                text.push(b'\n');
            }
            fs::write(dataset.join(format!("data/{split}-{number:05}.jsonl")), text)?;
        }
    }
    Ok(by_split.into_iter().map(|(split, rows)| (split.to_owned(), rows.len() as u32)).collect())
}

fn write_schemas(dataset: &Path) -> io::Result<()> {
    let files = generated::files().map_err(io::Error::other)?;
    for name in ["example", "dataset"] {
        let path = format!("{SCHEMAS_DIR}/{name}.schema.json");
        if let Some(file) = files.iter().find(|file| file.path == path) {
            fs::write(dataset.join(format!("schema/{name}.schema.json")), &file.text)?;
        }
    }
    Ok(())
}

fn card(items: &[ExportItem], counts: &BTreeMap<String, u32>) -> String {
    let mut text = format!(
        "# Shopping sessions, CodeSight 1.0\n\n{} accepted recordings of people who shopped for a goal and said aloud \
         what they thought, as one example a Step: `data/*.jsonl`, pictures in `frames/`, forms in `schema/`.\n\n\
         | Split | Examples |\n| --- | --- |\n",
        items.len()
    );
    text.extend(counts.iter().map(|(split, count)| format!("| {split} | {count} |\n")));
    let workers: BTreeSet<&str> = items.iter().map(|item| item.worker_alias.as_str()).collect();
    text.extend([format!(
        "\nFrom {} workers, who are named by aliases. All takes of one worker lie in one split. `dataset.json` has \
         the hash of every file, and the recordings that were withdrawn since.\n",
        workers.len()
    )]);
    text
}

fn list(dataset: &Path) -> io::Result<Vec<DatasetFile>> {
    let (mut files, mut folders) = (Vec::new(), vec![dataset.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let hash = hash_file(&path)?;
            let name = path.strip_prefix(dataset).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
            files.push(DatasetFile { path: name, bytes: hash.bytes, sha256: hash.sha256 });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

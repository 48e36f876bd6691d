//! What a job made, and its way to the server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use ingest_client::Client;
use media::journal::hash_file;
use shared_types::api::job::{Artifact, JobResult, LeasedJob, OutputsRequest};
use shared_types::fingerprint::Fingerprints;

use super::JobError;
use super::lease::Lease;

/// Addresses asked for in one call; they do not live long.
const NAMES_AT_ONCE: usize = 200;

#[derive(Default)]
pub(super) struct Results {
    pub(super) result: JobResult,
    /// Names as the server will know them, with where they lie.
    pub(super) files: Vec<(String, PathBuf)>,
    pub(super) fingerprints: Option<Fingerprints>,
}

/// Sends every file to the address the server signs for it.
pub(super) fn hand_in(
    client: &Client,
    job: &LeasedJob,
    lease: &Lease,
    files: &[(String, PathBuf)],
) -> Result<Vec<Artifact>, JobError> {
    let mut artifacts = Vec::with_capacity(files.len());
    for some in files.chunks(NAMES_AT_ONCE) {
        let names = some.iter().map(|(name, _)| name.clone()).collect();
        let outputs = client.outputs(job.job_id, &OutputsRequest { lease_token: job.lease_token.clone(), names })?;
        for (name, path) in some {
            if lease.end().load(Ordering::Relaxed) {
                return Err(if lease.is_lost() { JobError::Lost } else { JobError::Stopped });
            }
            lease.tell("sending", Some(artifacts.len() as f64 / files.len() as f64));
            let hash = hash_file(path)?;
            let url = outputs.get(name).ok_or(JobError::Lost)?;
            client.put_object(url, path, lease.end())?;
            artifacts.push(Artifact { name: name.clone(), bytes: hash.bytes, sha256: hash.sha256 });
        }
    }
    Ok(artifacts)
}

/// Every file under a folder by its path from there, in order of name.
pub(super) fn files_under(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                found.push((name.to_string_lossy().replace('\\', "/"), path.clone()));
            }
        }
    }
    found.sort();
    Ok(found)
}

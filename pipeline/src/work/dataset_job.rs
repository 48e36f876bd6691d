//! The job `export`: the campaign's dataset, handed in file by file.

use std::path::Path;

use shared_types::api::job::{JobResult, LeasedJob};

use super::lease::Lease;
use super::results::{Results, files_under};
use super::{JobError, Machine};
use crate::export;

pub(super) fn export(
    machine: &Machine<'_>,
    job: &LeasedJob,
    lease: &Lease,
    folder: &Path,
) -> Result<Results, JobError> {
    lease.tell("export", None);
    let out = folder.join("dataset");
    let manifest = export::export(machine.client, job.campaign_id, &out, lease.end())?;
    let examples = manifest.examples.values().sum();
    let result = JobResult { examples: Some(examples), ..JobResult::default() };
    Ok(Results { result, files: files_under(&out)?, fingerprints: None })
}

//! The job `inspect`: the device's verdict again, on what arrived, and fingerprints. What the review page plays is made by
//! the analysis, which knows what of it is private: no copy with private data in it ever reaches the server.

use std::path::Path;

use shared_types::api::job::{JobResult, LeasedJob};
use shared_types::event::parse_events;
use shared_types::quality::judge::judge;
use shared_types::recording::Manifest;

use super::lease::Lease;
use super::results::Results;
use super::{JobError, Machine, Take, fetch, worth_keeping};
use crate::passes::inspect::{self, Task};
use crate::passes::trace::acts::acts;

pub(super) fn inspect(
    machine: &Machine<'_>,
    job: &LeasedJob,
    lease: &Lease,
    folder: &Path,
) -> Result<Results, JobError> {
    lease.tell("fetching", None);
    let take = fetch(machine, job, lease, folder)?;
    read_beside(&take)?;
    let looked = folder.join("looked");
    std::fs::create_dir(&looked)?;
    let task = Task {
        video: take.video.clone(),
        events: take.events,
        manifest: take.manifest,
        wants: Vec::new(),
        folder: looked,
    };
    let mut findings = inspect::inspect(machine.program, &task, lease.end(), |_| lease.tell(inspect::NAME, None))?;
    let trace = inspect::read_trace(&task.folder)?;
    trace.measure(&acts(&trace), &mut findings.measurements);
    let report = judge(findings.measurements, &job.policy);
    Ok(Results {
        result: JobResult {
            duration_secs: report.measurements.active_secs,
            quality: Some(report),
            ..JobResult::default()
        },
        files: Vec::new(),
        fingerprints: worth_keeping(findings.fingerprints),
    })
}

/// What lies beside the video must be of its form: no other try makes it so, and the video is not at fault.
fn read_beside(take: &Take) -> Result<(), JobError> {
    if let Some(path) = &take.events {
        parse_events(&String::from_utf8_lossy(&std::fs::read(path)?))?;
    }
    if let Some(path) = &take.manifest {
        serde_json::from_slice::<Manifest>(&std::fs::read(path)?).map_err(JobError::Manifest)?;
    }
    Ok(())
}

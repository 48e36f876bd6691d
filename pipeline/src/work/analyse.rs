//! The job `analyse`: `pipeline run` on what arrived, as a process of its own, so that it can be ended at any moment
//! and cannot take the machine's other work with it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::de::DeserializeOwned;
use shared_types::api::job::{JobResult, LeasedJob};
use shared_types::quality::judge::QualityReport;
use shared_types::quality::policy::Policy;
use shared_types::transcript::Transcript;

use super::lease::Lease;
use super::results::{Results, files_under};
use super::{JobError, Machine, fetch};
use crate::crash;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Lines of the process's talk that an error keeps.
const LAST_LINES: usize = 5;

pub(super) fn analyse(
    machine: &Machine<'_>,
    job: &LeasedJob,
    lease: &Lease,
    folder: &Path,
) -> Result<Results, JobError> {
    lease.tell("fetching", None);
    let take = fetch(machine, job, lease, folder)?;
    run_over(machine, job, lease, folder, Over { take: &take.folder, policy: &job.policy, passes: machine.passes })
}

/// What an analysis goes over.
pub(super) struct Over<'a> {
    pub(super) take: &'a Path,
    pub(super) policy: &'a Policy,
    /// Where its finished passes wait.
    pub(super) passes: &'a Path,
}

/// `pipeline run` over a recording folder, with everything that the review page shows.
pub(super) fn run_over(
    machine: &Machine<'_>,
    job: &LeasedJob,
    lease: &Lease,
    folder: &Path,
    Over { take, policy, passes }: Over<'_>,
) -> Result<Results, JobError> {
    let (result, policy_file, log) = (folder.join("result"), folder.join("policy.toml"), folder.join("log"));
    let text = toml::to_string(policy).map_err(std::io::Error::other)?;
    fs::write(&policy_file, text)?;
    let mut command = Command::new(machine.program);
    command.arg("run").arg("--end-with-stdin").arg("--playback").arg(take).arg("--out").arg(&result);
    command.arg("--policy").arg(&policy_file).arg("--passes").arg(passes);
    if let Some(goal) = &job.goal {
        command.arg("--goal").arg(goal);
    }
    command.arg("--threads").arg(machine.threads.to_string());
    if machine.is_hosted {
        command.args(["--provider", "openai"]);
    }
    lease.tell("run", None);
    run(command, lease, &log)?;
    let quality: QualityReport = read(&result, "quality.json")?;
    let transcript: Transcript = read(&result, "transcript.json")?;
    let lines = |name: &str| fs::read_to_string(result.join(name)).map(|text| text.lines().count() as u32);
    // The report is for people without a server; the review page shows the same.
    let files = files_under(&result)?.into_iter().filter(|(name, _)| name != "report.html").collect();
    Ok(Results {
        result: JobResult {
            duration_secs: quality.measurements.active_secs,
            quality: Some(quality),
            steps: Some(lines("steps.jsonl")?),
            words: Some(transcript.segments.iter().map(|segment| segment.words.len() as u32).sum()),
            examples: Some(lines("examples.jsonl")?),
        },
        files,
        fingerprints: None,
    })
}

/// The process holds the other end of a pipe of this one, so that it ends when this machine's worker does.
fn run(mut command: Command, lease: &Lease, log: &Path) -> Result<(), JobError> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(File::create(log)?).spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if lease.end().load(Ordering::Relaxed) {
            // It may have ended in this moment; then there is nothing to kill.
            drop(child.kill());
            child.wait()?;
            return Err(if lease.is_lost() { JobError::Lost } else { JobError::Stopped });
        }
        std::thread::sleep(LOOK_EVERY);
    };
    if status.success() {
        return Ok(());
    }
    crash::follow();
    let said = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    let words = lines[lines.len().saturating_sub(LAST_LINES)..].join(" ");
    Err(JobError::Analysis { status: status.to_string(), words })
}

fn read<T: DeserializeOwned>(folder: &Path, name: &'static str) -> Result<T, JobError> {
    let text = fs::read(folder.join(name))?;
    serde_json::from_slice(&text).map_err(|source| JobError::Result { name, source })
}

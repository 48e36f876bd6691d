//! `pipeline work`: leases jobs from a server, does them, hands in what came of them.
//!
//! Each of `--concurrency` threads holds one job at a time; a thread of its own keeps the job's lease alive and learns
//! whether the work is still wanted. A machine that dies simply stops: its lease runs out and the job is given to
//! another. Results are told to the server in one call, so a job that was done twice counts once.

mod analyse;
mod dataset_job;
mod folder;
mod inspect;
mod lease;
mod redact;
mod results;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, available_parallelism};
use std::time::{Duration, Instant};

use ingest_client::{Client, ClientError};
use shared_types::api::job::{ClaimRequest, CompleteRequest, FailRequest, LeasedJob, SignedObject};
use shared_types::event::BadEventLine;
use shared_types::fingerprint::Fingerprints;
use shared_types::job::JobKind;
use shared_types::recording::{EVENTS_FILE, FileHash, MANIFEST_FILE, VIDEO_FILE};

use self::folder::JobFolder;
use self::lease::Lease;
use self::results::Results;
use crate::export::ExportError;
use crate::passes::limited::ChildError;
use crate::passes::redact::recording::RedactError;
use crate::run::sweep;

/// Seconds a claim waits for work; short, so that a signal is soon obeyed.
const WAIT_SECS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How often is looked for what killed analyses left: it is as private as the recordings.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub struct WorkOptions {
    pub server: String,
    pub token: String,
    pub kinds: Vec<JobKind>,
    /// End when there is no more work, instead of waiting for some.
    pub once: bool,
    pub concurrency: u16,
    /// Threads for the models of each job; by default all jobs together use half as many as there are cores.
    pub threads: Option<u16>,
    /// Whether a hosted model explains the Steps.
    pub is_hosted: bool,
    /// Where the finished passes of an analysis wait for its end; should it be killed, the next attempt goes on there.
    pub passes: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("a working thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// Why one job was not done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the working folder: {0}")]
    Disk(#[from] std::io::Error),
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error(transparent)]
    Redact(#[from] RedactError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("the analysis ended with {status}. Its last words: {words}")]
    Analysis { status: String, words: String },
    #[error("{name} of the result cannot be read: {source}")]
    Result { name: &'static str, source: serde_json::Error },
    #[error("the job names no video")]
    NoVideo,
    #[error("{0}. Such a log was not written by the recorder; reject the take, or ask for it anew")]
    Events(#[from] BadEventLine),
    #[error("the manifest that was handed in is not one: {0}. Ask for the take anew")]
    Manifest(serde_json::Error),
    #[error("stopped")]
    Stopped,
    /// Another machine has it, or nobody wants it any more.
    #[error("the job is no longer this machine's")]
    Lost,
}

impl JobError {
    /// Whether another try, here or elsewhere, may help.
    fn is_retryable(&self) -> bool {
        !matches!(self, Self::NoVideo | Self::Events(_) | Self::Manifest(_))
    }
}

/// What a job needs of its machine.
pub(crate) struct Machine<'a> {
    client: &'a Client,
    program: &'a Path,
    /// For the models of one job.
    threads: usize,
    is_hosted: bool,
    passes: &'a Path,
    stop: &'a AtomicBool,
}

/// Works until told to stop; with `once` until there is nothing left to do.
pub fn work(options: &WorkOptions, program: &Path, stop: &Arc<AtomicBool>) -> Result<(), WorkError> {
    let client = Client::new(&options.server, Some(&options.token))?;
    let name = machine_name();
    match folder::sweep(&std::env::temp_dir()) {
        Ok(0) => {}
        Ok(removed) => say(&format!("Removed what {removed} interrupted jobs had left.")),
        Err(error) => say(&format!("What interrupted jobs may have left cannot be looked for: {error}")),
    }
    let threads =
        threads_each(options.threads, available_parallelism().map_or(1, usize::from), options.concurrency.into());
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for index in 0..options.concurrency.max(1) {
            let (client, name) = (&client, format!("{name}/{index}"));
            let run = move || {
                let (is_hosted, passes) = (options.is_hosted, options.passes.as_path());
                let machine = Machine { client, program, threads, is_hosted, passes, stop };
                one_after_another(options, &machine, &name)
            };
            let started = Builder::new().name(format!("work-{index}")).spawn_scoped(scope, run);
            workers.push(started.map_err(WorkError::Thread)?);
        }
        for thread in workers {
            match thread.join() {
                Ok(ended) => ended?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })
}

/// Half of the cores for all jobs together; a model gains nothing by more than four.
fn threads_each(asked: Option<u16>, cores: usize, jobs: usize) -> usize {
    asked.map_or((cores / 2 / jobs.max(1)).clamp(1, 4), usize::from)
}

/// For the admin's eyes only.
fn machine_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{}", if host.is_empty() { "machine" } else { host }, std::process::id())
}

fn one_after_another(options: &WorkOptions, machine: &Machine<'_>, name: &str) -> Result<(), WorkError> {
    let mut pause = FIRST_PAUSE;
    let mut swept: Option<Instant> = None;
    while !machine.stop.load(Ordering::Relaxed) {
        if swept.is_none_or(|swept| swept.elapsed() > SWEEP_EVERY) {
            swept = Some(Instant::now());
            if let Err(error) = sweep(machine.passes) {
                say(&format!("What killed analyses left in {} cannot be removed: {error}", machine.passes.display()));
            }
        }
        let request = ClaimRequest {
            worker: name.to_owned(),
            kinds: options.kinds.clone(),
            max: 1,
            wait_s: if options.once { 0 } else { WAIT_SECS },
        };
        let jobs = match machine.client.claim_jobs(&request) {
            Ok(jobs) => jobs,
            Err(error) if error.is_retryable() => {
                say(&format!("No work could be asked for: {error} Trying again in {} s.", pause.as_secs()));
                wait(pause, machine.stop);
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        pause = FIRST_PAUSE;
        if jobs.is_empty() && options.once {
            return Ok(());
        }
        for job in &jobs {
            take_on(machine, job);
        }
    }
    Ok(())
}

/// Does a job and tells the server how it went; what the server cannot be told, the lease's end will.
fn take_on(machine: &Machine<'_>, job: &LeasedJob) {
    let what = job.submission_id.map_or_else(|| job.campaign_id.to_string(), |id| id.to_string());
    say(&format!("{} {what}, attempt {}", job.kind.as_str(), job.attempt));
    let began = Instant::now();
    let told = match do_job(machine, job) {
        Ok(stage) => {
            say(&format!("{} {what}: {stage}, {:.0} s", job.kind.as_str(), began.elapsed().as_secs_f64()));
            return;
        }
        Err(JobError::Lost) => {
            say(&format!("{} {what}: {}", job.kind.as_str(), JobError::Lost));
            return;
        }
        Err(error) => {
            say(&format!("{} {what} failed: {error}", job.kind.as_str()));
            let fail = FailRequest {
                lease_token: job.lease_token.clone(),
                error: error.to_string(),
                retryable: error.is_retryable(),
            };
            machine.client.fail(job.job_id, &fail)
        }
    };
    if let Err(error) = told {
        say(&format!("The server could not be told: {error}"));
    }
}

fn do_job(machine: &Machine<'_>, job: &LeasedJob) -> Result<String, JobError> {
    let folder = JobFolder::new_in(&std::env::temp_dir())?;
    std::thread::scope(|scope| {
        let lease = Lease::keep(scope, machine, job)?;
        let made = match job.kind {
            JobKind::Inspect => inspect::inspect(machine, job, &lease, folder.path()),
            JobKind::Analyse => analyse::analyse(machine, job, &lease, folder.path()),
            JobKind::Redact => redact::redact(machine, job, &lease, folder.path()),
            JobKind::Export => dataset_job::export(machine, job, &lease, folder.path()),
        };
        let made = if lease.is_lost() { Err(JobError::Lost) } else { made };
        let Results { result, files, fingerprints } = made?;
        let artifacts = results::hand_in(machine.client, job, &lease, &files)?;
        let request = CompleteRequest { lease_token: job.lease_token.clone(), result, artifacts, fingerprints };
        let completed = machine.client.complete(job.job_id, &request)?;
        Ok(completed.stage.map_or_else(|| "done".to_owned(), |stage| stage.to_string()))
    })
}

/// A recording as it was handed in, brought here and compared with its hashes.
pub(crate) struct Take {
    pub(crate) folder: PathBuf,
    pub(crate) video: PathBuf,
    pub(crate) events: Option<PathBuf>,
    pub(crate) manifest: Option<PathBuf>,
}

fn fetch(machine: &Machine<'_>, job: &LeasedJob, lease: &Lease, folder: &Path) -> Result<Take, JobError> {
    let folder = folder.join("take");
    std::fs::create_dir(&folder)?;
    let bring = |object: Option<&SignedObject>, name: &str| -> Result<Option<PathBuf>, JobError> {
        let Some(object) = object else { return Ok(None) };
        let path = folder.join(name);
        let mut file = std::fs::File::create(&path)?;
        let expected = FileHash { bytes: object.bytes, sha256: object.sha256.clone() };
        machine.client.download(&object.url, &mut file, &expected, lease.end())?;
        file.flush()?;
        Ok(Some(path))
    };
    let video = bring(job.input.video.as_ref(), VIDEO_FILE)?.ok_or(JobError::NoVideo)?;
    let events = bring(job.input.events.as_ref(), EVENTS_FILE)?;
    let manifest = bring(job.input.manifest.as_ref(), MANIFEST_FILE)?;
    Ok(Take { folder, video, events, manifest })
}

/// Fingerprints of nothing match nothing.
fn worth_keeping(prints: Fingerprints) -> Option<Fingerprints> {
    (!prints.sha256.is_empty()).then_some(prints)
}

fn wait(pause: Duration, stop: &AtomicBool) {
    let until = Instant::now() + pause;
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn say(text: &str) {
    // Nobody is there to be told when stderr is closed.
    drop(writeln!(std::io::stderr(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::threads_each;

    #[test]
    fn jobs_side_by_side_share_the_cores() {
        for (asked, cores, jobs, each) in
            [(None, 2, 1, 1), (None, 16, 1, 4), (None, 16, 4, 2), (None, 4, 8, 1), (None, 8, 0, 4), (Some(3), 2, 5, 3)]
        {
            assert_eq!(threads_each(asked, cores, jobs), each, "{cores} cores, {jobs} jobs");
        }
    }
}

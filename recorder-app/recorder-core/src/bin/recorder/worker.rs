//! `recorder join`, `goals`, `claim` and `submit`: the road of a worker without a window.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use ingest_client::{Client, ClientError, UploadLimit, Waiting};
use recorder_core::config::Config;
use recorder_core::enrol::{EnrolError, Enrolment, Person, join, parse_invite};
use recorder_core::queue::{Place, Queue, send_all};
use recorder_core::spool::{Spool, SpoolError};
use recorder_core::submit::{SentBytes, SubmitError, SubmitListener, submit};
use shared_types::api::assignment::AssignmentItem;
use shared_types::assignment::AssignmentStage;
use shared_types::id::AssignmentId;
use time::OffsetDateTime;

use crate::talk::{fault, print_json, print_line, say};
use crate::{USAGE, consent, talk};

#[derive(Args)]
pub(crate) struct JoinArgs {
    /// The link of the invite.
    #[arg(value_name = "LINK")]
    link: String,
    /// Your name.
    #[arg(long, value_name = "N")]
    name: String,
    /// Your name on Fiverr.
    #[arg(long, value_name = "U")]
    fiverr_user: String,
    /// You have read the text that this command shows without it, and agree.
    #[arg(long)]
    accept_consent: bool,
}

#[derive(Args)]
pub(crate) struct SubmitArgs {
    /// Folder of the take; without it all that waits in the queue is sent, in its order.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Address of the server; the one that this computer has joined by default.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Token of the worker; that of the enrolment, or `COLLECTOR_TOKEN`, by default.
    #[arg(long, value_name = "T", requires = "server")]
    token: Option<String>,
    /// Assignment to hand the take in for; the one it was recorded for by default.
    #[arg(long, value_name = "ID")]
    assignment: Option<AssignmentId>,
    /// Send at most so many kilobytes a second, and leave the rest of the line to others.
    #[arg(long, value_name = "KB", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

#[derive(Args)]
pub(crate) struct QueueArgs {
    /// Folders of takes to put at the end of the queue; without any it is only shown.
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Put them in front.
    #[arg(long, conflicts_with = "remove")]
    first: bool,
    /// Take them out of the queue; the takes themselves stay.
    #[arg(long)]
    remove: bool,
}

/// Set by Ctrl-C or a request to end; a second Ctrl-C ends at once.
pub(crate) fn stop_on_signals() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

pub(crate) fn folder(config: &Config) -> Result<&Path, EnrolError> {
    config.data_folder.as_deref().ok_or(EnrolError::NoFolder)
}

pub(crate) fn enrolment(config: &Config) -> Result<Enrolment, EnrolError> {
    Enrolment::load(folder(config)?)?.ok_or(EnrolError::NotEnrolled)
}

pub(crate) fn failure(error: &EnrolError) -> ExitCode {
    fault(error);
    if let EnrolError::Client(error) = error {
        consent::hint(error);
    }
    match error {
        EnrolError::Invite { .. } | EnrolError::NotEnrolled | EnrolError::Client(ClientError::Address { .. }) => {
            ExitCode::from(USAGE)
        }
        _ => ExitCode::FAILURE,
    }
}

pub(crate) fn run_join(args: &JoinArgs) -> ExitCode {
    let config = Config::from_env();
    let joined = (|| {
        let invite = parse_invite(&args.link)?;
        let folder = folder(&config)?;
        let consent = Client::new(&invite.server, None)?.consent()?;
        if !args.accept_consent {
            say(&consent.text);
            say(&format!(
                "This is the consent text {} of {}. If you agree, run the same command with --accept-consent.",
                consent.version, invite.server
            ));
            return Ok(None);
        }
        let person = Person { name: args.name.clone(), fiverr_user: args.fiverr_user.clone() };
        join(folder, &invite, &person, &consent, OffsetDateTime::now_utc()).map(Some)
    })();
    match joined {
        Ok(Some(enrolment)) => {
            say(&format!("This computer has joined {}. `recorder goals` shows what there is to do.", enrolment.server));
            print_line(&enrolment.worker_id.to_string());
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::FAILURE,
        Err(error) => failure(&error),
    }
}

pub(crate) fn run_goals() -> ExitCode {
    let found = enrolment(&Config::from_env()).and_then(|enrolment| Ok(enrolment.client()?.assignments()?));
    match found {
        Ok(items) => {
            print_json(&items);
            ExitCode::SUCCESS
        }
        Err(error) => failure(&error),
    }
}

pub(crate) fn run_claim(id: AssignmentId) -> ExitCode {
    let claimed = enrolment(&Config::from_env()).and_then(|enrolment| Ok(enrolment.client()?.claim_assignment(id)?));
    match claimed {
        Ok(item) => {
            print_json(&item);
            ExitCode::SUCCESS
        }
        Err(error) => failure(&error),
    }
}

/// The assignment that a take is made for, and who makes it. The server is told that the take begins.
pub(crate) fn begin_assignment(config: &Config, id: AssignmentId) -> Result<(AssignmentItem, Enrolment), EnrolError> {
    let enrolment = enrolment(config)?;
    let client = enrolment.client()?;
    let found = client.assignments()?.into_iter().find(|item| item.id == id);
    let item = match found {
        Some(item) if item.stage != AssignmentStage::Open => item,
        _ => client.claim_assignment(id)?,
    };
    if item.stage != AssignmentStage::Recording {
        client.start(id)?;
    }
    Ok((item, enrolment))
}

pub(crate) fn upload_limit(kilobytes_per_sec: Option<u64>) -> UploadLimit {
    UploadLimit::new(kilobytes_per_sec.map(|kilobytes| kilobytes.saturating_mul(1000)))
}

pub(crate) fn run_submit(args: &SubmitArgs) -> ExitCode {
    let config = Config::from_env();
    let client = match client(args, &config) {
        Ok(client) => client.with_upload_limit(upload_limit(args.limit)),
        Err(error) => return failure(&error),
    };
    let stop = match stop_on_signals() {
        Ok(stop) => stop,
        Err(error) => {
            fault(&format!("Ctrl-C cannot be listened for: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let Some(take) = &args.folder else {
        return send_queue(args, &config, &client, &stop);
    };
    match send(take, args, &client, &stop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => submit_failure(&error),
    }
}

fn send(take: &Path, args: &SubmitArgs, client: &Client, stop: &AtomicBool) -> Result<(), SubmitError> {
    let assignment = args.assignment.or_else(|| recorded_for(take)).ok_or(SubmitError::NoAssignment)?;
    let mut terminal = Terminal { live: std::io::stderr().is_terminal() };
    let submitted = submit(take, client, assignment, &mut terminal, stop);
    terminal.clear();
    let submitted = submitted?;
    say(&format!("{} has the whole recording, and its hashes agree.", client.server()));
    print_line(&submitted.id.to_string());
    Ok(())
}

fn send_queue(args: &SubmitArgs, config: &Config, client: &Client, stop: &AtomicBool) -> ExitCode {
    let data = match folder(config) {
        Ok(data) => data,
        Err(error) => return failure(&error),
    };
    match Queue::load(data) {
        Ok(queue) if queue.takes().is_empty() => {
            fault(
                &"nothing waits to be sent. Give the folder of a take, or put it into the queue with `recorder queue <DIR>`",
            );
            return ExitCode::from(USAGE);
        }
        Ok(_) => {}
        Err(error) => return talk::spool_failure(&error),
    }
    let failed = send_all(data, |take| {
        say(&format!("Sending {}.", take.display()));
        send(take, args, client, stop)
    });
    match failed {
        Ok(failed) => {
            for (take, error) in &failed {
                say(&format!("{} still waits.", take.display()));
                submit_failure(error);
            }
            if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => talk::spool_failure(&error),
    }
}

pub(crate) fn run_queue(args: &QueueArgs) -> ExitCode {
    let config = Config::from_env();
    let data = match folder(&config) {
        Ok(data) => data,
        Err(error) => return failure(&error),
    };
    let change = |queue: &mut Queue| {
        // The last of several that are to be first is put there first.
        let folders: Vec<_> =
            if args.first { args.folders.iter().rev().collect() } else { args.folders.iter().collect() };
        for take in folders {
            if args.remove {
                if !queue.remove(take) {
                    say(&format!("{} did not wait.", take.display()));
                }
            } else {
                queue.add(take, if args.first { Place::First } else { Place::Last })?;
            }
        }
        Ok(queue.clone())
    };
    // What is no take leaves no trace in the data folder, not even a lock.
    let takes = args.folders.iter().filter(|_| !args.remove);
    let changed = match takes.map(|take| Spool::open(take)).find_map(Result::err) {
        Some(error) => Err(error),
        None if args.folders.is_empty() => Queue::load(data),
        None => Queue::change(data, change),
    };
    match changed {
        Ok(queue) => {
            print_json(&queue.takes());
            ExitCode::SUCCESS
        }
        Err(error) => talk::spool_failure(&error),
    }
}

fn submit_failure(error: &SubmitError) -> ExitCode {
    if error.is_cancelled() {
        say("Stopped. Nothing is lost; the same command goes on where this one ended.");
        return ExitCode::FAILURE;
    }
    match error {
        SubmitError::Spool(error @ SpoolError::NoRecording { .. }) => talk::spool_failure(error),
        SubmitError::OtherAssignment { .. } | SubmitError::AlreadySubmitted { .. } | SubmitError::NoAssignment => {
            fault(error);
            ExitCode::from(USAGE)
        }
        _ => {
            fault(error);
            if let SubmitError::Client(error) = error {
                consent::hint(error);
            }
            ExitCode::FAILURE
        }
    }
}

/// The token of the enrolment is for its own server alone.
fn client(args: &SubmitArgs, config: &Config) -> Result<Client, EnrolError> {
    let given = args.token.as_ref().or(config.token.as_ref());
    let Some(server) = &args.server else {
        return enrolment(config)?.client();
    };
    let client = Client::new(server, None)?;
    if let Some(token) = given {
        return Ok(client.with_token(token));
    }
    let enrolment = enrolment(config)?;
    if enrolment.server == client.server() { enrolment.client() } else { Err(EnrolError::NotEnrolled) }
}

fn recorded_for(folder: &Path) -> Option<AssignmentId> {
    Spool::open(folder).ok()?.read_manifest().ok()?.assignment_id
}

/// How much is sent, on one line, where there is a terminal.
struct Terminal {
    live: bool,
}

impl Terminal {
    fn clear(&self) {
        if self.live {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }
}

impl SubmitListener for Terminal {
    fn progress(&mut self, SentBytes { sent_bytes, total_bytes }: SentBytes) {
        if self.live {
            let share = sent_bytes as f64 / total_bytes.max(1) as f64;
            let bar = "#".repeat((share * 30.0) as usize);
            let (sent, total) = (sent_bytes as f64 / 1e6, total_bytes as f64 / 1e6);
            drop(write!(std::io::stderr(), "\r\x1b[K[{bar:<30}] {sent:.1} of {total:.1} MB"));
        }
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.clear();
        say(&waiting.sentence);
    }
}

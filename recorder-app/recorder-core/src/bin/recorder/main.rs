//! `recorder`: the recorder without a window.

mod consent;
mod cut;
mod drive;
mod record;
mod talk;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use recorder_core::check::{CheckError, check, read_policy};
use recorder_core::spool::recover;
use shared_types::id::AssignmentId;
use shared_types::quality::flag::Verdict;

/// Record a screen, a voice and the input events of a shopping task, and check the take.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  recorder record --out take --seconds 300 --goal \"Find blue jeans under $80\""
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List screens, windows and microphones as JSON.
    #[command(after_help = "Example:\n  recorder devices")]
    Devices,
    /// Record a take into a new folder; Ctrl-C ends it.
    #[command(
        after_help = "Example:\n  recorder record --out take --seconds 300 --goal \"Find blue jeans under $80\"\n\nCtrl+Alt+P, or SIGUSR1 to this program, pauses and goes on; nothing of a pause is kept."
    )]
    Record(record::RecordArgs),
    /// Judge a finished take; the report is JSON. Ends with 0 accept, 3 review, 4 reject.
    #[command(after_help = "Example:\n  recorder check take\n  recorder check take.mp4 --events take.events.jsonl")]
    Check(CheckArgs),
    /// Make a killed take whole.
    #[command(after_help = "Example:\n  recorder recover take")]
    Recover {
        /// Folder of the take.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Remove a stretch of time from a take: picture, sound and events, for good.
    #[command(
        after_help = "Example:\n  recorder cut take --from 61.5 --to 75\n\nWhole fragments go, of about a second each, so a little more than asked may be removed, never less."
    )]
    Cut(cut::CutArgs),
    /// Upload a take and hand it in; prints the submission's id. Run again, it goes on where it was interrupted.
    #[command(
        after_help = "Example:\n  recorder submit take\n  recorder submit take --server https://HOST --token csw_… --assignment ID"
    )]
    Submit(worker::SubmitArgs),
    /// Put takes into the queue of those to be sent, or change its order; prints it as JSON, the next one first.
    #[command(
        after_help = "Example:\n  recorder queue take-1 take-2\n  recorder queue --first take-2\n  recorder submit"
    )]
    Queue(worker::QueueArgs),
    /// Make this computer yours at a server, with the link of an invite; prints the worker's id.
    #[command(
        after_help = "Example:\n  recorder join \"collector://invite/CODE?server=https://HOST\" --name Ada --fiverr-user ada --accept-consent"
    )]
    Join(worker::JoinArgs),
    /// Read the text of consent in force, accept one that was renewed, or withdraw.
    #[command(
        after_help = "Example:\n  recorder consent\n  recorder consent --accept\n\nA take that waits is sent as it is once a renewed text is accepted."
    )]
    Consent(consent::ConsentArgs),
    /// List your assignments as JSON.
    #[command(after_help = "Example:\n  recorder goals")]
    Goals,
    /// Take an open assignment; prints it as JSON.
    #[command(after_help = "Example:\n  recorder claim 0190d2a4-0000-7000-8000-000000000001")]
    Claim {
        /// Id from `recorder goals`.
        #[arg(value_name = "ID")]
        id: AssignmentId,
    },
}

#[derive(Args)]
struct CheckArgs {
    /// A recording folder, or a video file.
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
    /// Input events of a bare video file.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Goal of the take. Whether it was followed is judged by the pipeline; the device does not.
    #[arg(long, value_name = "TEXT")]
    goal: Option<String>,
    /// Limits to judge by, as TOML.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return wrong_use(&error),
        Err(help) => help.exit(),
    };
    match cli.command {
        Command::Devices => record::devices(),
        Command::Record(args) => record::run(&args),
        Command::Check(args) => run_check(&args),
        Command::Recover { folder } => match recover(&folder) {
            Ok(recovery) => talk::recovered(&folder, &recovery),
            Err(error) => talk::spool_failure(&error),
        },
        Command::Cut(args) => cut::run(&args),
        Command::Submit(args) => worker::run_submit(&args),
        Command::Queue(args) => worker::run_queue(&args),
        Command::Join(args) => worker::run_join(&args),
        Command::Consent(args) => consent::run(&args),
        Command::Goals => worker::run_goals(),
        Command::Claim { id } => worker::run_claim(id),
    }
}

/// Says in one sentence what is wrong with the command line; clap's own answer takes a paragraph.
fn wrong_use(error: &clap::Error) -> ExitCode {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        talk::say(
            "Say what to do: devices, record, check, recover, cut, submit, queue, join, consent, goals or claim. `recorder --help` shows an example.",
        );
        return ExitCode::from(USAGE);
    }
    let text = error.to_string();
    let said =
        text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let said = said.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let said = said.trim_start_matches("error: ").trim_end_matches('.');
    talk::fault(&format!("{said}. `recorder --help` shows an example"));
    ExitCode::from(USAGE)
}

fn run_check(args: &CheckArgs) -> ExitCode {
    let report =
        read_policy(args.policy.as_deref()).and_then(|policy| check(&args.path, args.events.as_deref(), &policy));
    match report {
        Ok(report) => {
            let code = match report.verdict {
                Verdict::Accept => 0,
                Verdict::Review => 3,
                Verdict::Reject => 4,
            };
            talk::print_json(&report);
            ExitCode::from(code)
        }
        Err(error) => check_failure(&error),
    }
}

fn check_failure(error: &CheckError) -> ExitCode {
    talk::fault(error);
    if error.is_usage() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
}

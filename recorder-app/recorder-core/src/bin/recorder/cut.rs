//! `recorder cut`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use recorder_core::Client;
use recorder_core::config::Config;
use recorder_core::cut::{CutError, CutReport, cut};
use recorder_core::spool::SpoolError;

use crate::talk::{fault, print_line, say};
use crate::{USAGE, talk, worker};

#[derive(Args)]
pub(crate) struct CutArgs {
    /// Folder of the take.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where the cut begins, in seconds of the take.
    #[arg(long, value_name = "SECS", allow_negative_numbers = true)]
    from: f64,
    /// Where it ends.
    #[arg(long, value_name = "SECS", allow_negative_numbers = true)]
    to: f64,
}

pub(crate) fn run(args: &CutArgs) -> ExitCode {
    let config = Config::from_env();
    let client = |server: &str| -> Option<Client> {
        if let Some(token) = &config.token {
            return Client::new(server, Some(token)).ok();
        }
        let enrolment = worker::enrolment(&config).ok()?;
        let client = enrolment.client().ok()?;
        (client.server() == server).then_some(client)
    };
    match cut(&args.folder, args.from, args.to, &client) {
        Ok(report) => tell(args, &report),
        Err(error) => failure(&error),
    }
}

fn tell(args: &CutArgs, CutReport { removed, manifest, still_held_by }: &CutReport) -> ExitCode {
    say(&format!(
        "Removed {:.1} to {:.1} s from picture, sound and events: {:.1} s, widened to whole fragments.",
        removed.start,
        removed.end,
        removed.end - removed.start
    ));
    if let Some(quality) = &manifest.quality {
        talk::verdict(quality);
    }
    for server in still_held_by {
        say(&format!(
            "Bytes that were sent to {server} before the cut are still there, because it could not be asked to end that \
             upload. Run `recorder submit` when it can be reached: it ends the old upload before anything else."
        ));
    }
    print_line(&args.folder.display().to_string());
    if still_held_by.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn failure(error: &CutError) -> ExitCode {
    fault(error);
    match error {
        CutError::Range { .. }
        | CutError::Video(media::cut::CutError::Outside { .. } | media::cut::CutError::Everything)
        | CutError::Spool(SpoolError::NoRecording { .. }) => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}

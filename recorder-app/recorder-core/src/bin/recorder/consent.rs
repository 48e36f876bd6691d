//! `recorder consent`: how a worker stands to the text of consent, and changes it.

use std::process::ExitCode;

use clap::Args;
use ingest_client::ClientError;
use recorder_core::config::Config;
use recorder_core::enrol::{ConsentStanding, EnrolError};
use shared_types::error::ErrorCode;
use time::OffsetDateTime;

use crate::talk::{print_line, say};
use crate::worker::{enrolment, failure, folder};

#[derive(Args)]
pub(crate) struct ConsentArgs {
    /// You have read the text that this command shows without it, and agree.
    #[arg(long)]
    accept: bool,
    /// Withdraw, for good: nothing more is recorded or sent in, and what was sent in is used for nothing new.
    #[arg(long, conflicts_with = "accept")]
    withdraw: bool,
    /// You know that a withdrawal cannot be undone.
    #[arg(long, requires = "withdraw")]
    yes: bool,
}

pub(crate) fn run(args: &ConsentArgs) -> ExitCode {
    change(args, &Config::from_env()).unwrap_or_else(|error| failure(&error))
}

/// Prints the version that is accepted afterwards.
fn change(args: &ConsentArgs, config: &Config) -> Result<ExitCode, EnrolError> {
    let enrolment = enrolment(config)?;
    if args.withdraw {
        if !args.yes {
            say(
                "Nothing more is recorded or sent in then, and what you sent in is left out of all that is made from now on. \
                 Pay for accepted takes stays. It cannot be undone: if you want it, run the same command with --yes.",
            );
            return Ok(ExitCode::FAILURE);
        }
        enrolment.withdraw()?;
        say("Your consent is withdrawn. With a new invite you could begin anew.");
        return Ok(ExitCode::SUCCESS);
    }
    let client = enrolment.client()?;
    let standing = ConsentStanding::of(&client.me()?);
    let text = client.consent()?;
    if args.accept && standing != ConsentStanding::Withdrawn {
        let accepted = if standing == ConsentStanding::Due {
            enrolment.agree(folder(config)?, &text, OffsetDateTime::now_utc())?
        } else {
            enrolment
        };
        say("You have agreed to the text in force. What waits can be sent: `recorder submit`.");
        print_line(&accepted.consent.version);
        return Ok(ExitCode::SUCCESS);
    }
    say(&text.text);
    Ok(match standing {
        ConsentStanding::Given => {
            say("You have agreed to this text.");
            print_line(&text.version);
            ExitCode::SUCCESS
        }
        ConsentStanding::Due => {
            say("This text was renewed since you agreed. If you agree again, run the same command with --accept.");
            ExitCode::FAILURE
        }
        ConsentStanding::Withdrawn => {
            say("You withdrew your consent, for good. With a new invite you could begin anew.");
            ExitCode::FAILURE
        }
    })
}

/// What to do where the server wants the text accepted first.
pub(crate) fn hint(error: &ClientError) {
    if error.code() == Some(ErrorCode::ConsentRequired) {
        say("`recorder consent` shows the text. Nothing that was recorded is lost.");
    }
}

//! What the command says: data on stdout, talk on stderr.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use recorder_core::spool::{Recovery, SpoolError};
use serde::Serialize;
use shared_types::quality::judge::QualityReport;

use crate::USAGE;

/// A sentence for the person at the terminal.
pub(crate) fn say(sentence: &str) {
    // Nobody is there to be told when stderr is closed.
    drop(writeln!(std::io::stderr(), "{sentence}"));
}

/// What went wrong, as one sentence.
pub(crate) fn fault(error: &dyn std::fmt::Display) {
    let text = error.to_string();
    let mut letters = text.trim().chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.trim_end().ends_with(['.', '?']) { "" } else { "." };
    say(&format!("{first}{}{end}", letters.as_str()));
}

pub(crate) fn print_json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print_line(&text),
        Err(error) => say(&format!("The report could not be written: {error}.")),
    }
}

pub(crate) fn print_line(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// How long a take is, what the check on this computer says of it, and why.
pub(crate) fn verdict(report: &QualityReport) {
    let secs = report.measurements.active_secs.unwrap_or(0.0).floor();
    say(&format!(
        "The take is {:.0}:{:02.0} min long. Checked on this computer: {}.",
        (secs / 60.0).floor(),
        secs % 60.0,
        report.verdict.as_str()
    ));
    for flag in &report.flags {
        say(&format!("- {}", flag.sentence));
    }
}

pub(crate) fn recovered(folder: &Path, recovery: &Recovery) -> ExitCode {
    if recovery.needed {
        say(&format!(
            "The take was made whole: {} pieces, about {:.0} s; {} bytes of an unfinished piece were removed.",
            recovery.fragments,
            recovery.last_fragment_secs + 1.0,
            recovery.removed_bytes
        ));
        if let Some(secs) = recovery.voice_secs_more {
            say(&format!(
                "The voice was saved for about {secs:.0} s longer than the picture; it is kept in {}. \
                 Record again if those seconds matter: only the video is handed in.",
                folder.join("voice.wav").display()
            ));
        }
    } else {
        say("This take had ended properly; nothing had to be done.");
    }
    print_line(&folder.display().to_string());
    ExitCode::SUCCESS
}

pub(crate) fn spool_failure(error: &SpoolError) -> ExitCode {
    fault(error);
    match error {
        SpoolError::Occupied { .. } | SpoolError::NoRecording { .. } => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}

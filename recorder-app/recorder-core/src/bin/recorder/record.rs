//! `recorder record` and `recorder devices`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use capture::mic::MicError;
use capture::screen::synthetic::TestCard;
use capture::screen::{ScreenError, ScreenInfo};
use capture::{input, lock, mic, screen};
use clap::Args;
use recorder_core::config::Config;
use recorder_core::control::Control;
use recorder_core::devices::{self, MicWish};
use recorder_core::enrol::EnrolError;
use recorder_core::session::{
    AssignedTake, EarlyUpload, InputSource, Listener, Progress, SessionError, Sources, TakeOptions, ended_early, record,
};
use recorder_core::spool::{is_free, room_secs};
use serde::Serialize;
use shared_types::id::AssignmentId;
use shared_types::quality::policy::Policy;
use shared_types::recording::{FrameCounts, HealthEvent, Manifest};

use crate::talk::{print_line, say};
use crate::{USAGE, drive, talk, worker};

/// Id of the made screen that works without a display.
const SYNTHETIC: &str = "synthetic";

/// More room than this need not be talked about.
const MENTION_ROOM_SECS: f64 = 7200.0;

#[derive(Args)]
pub(crate) struct RecordArgs {
    /// Folder to make for the take.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// End after so many seconds; without it Ctrl-C ends the take.
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Screen or window to record, from `recorder devices`; the primary screen by default. `synthetic` is a made test card.
    #[arg(long, value_name = "ID")]
    screen: Option<String>,
    /// Microphone to record, from `recorder devices`; the default one by default. `none` records no sound.
    #[arg(long, value_name = "ID|none")]
    mic: Option<String>,
    /// Pictures a second.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// Read `pause`, `resume` and `stop` from stdin, one a line.
    #[arg(long)]
    control_stdin: bool,
    /// Leave mouse and keyboard unrecorded.
    #[arg(long)]
    no_input_events: bool,
    /// Leave out windows that have this in their title or class, besides those of password managers. May be repeated.
    #[arg(long, value_name = "TEXT")]
    hide: Vec<String>,
    /// Goal of the take, kept in its manifest.
    #[arg(long, value_name = "TEXT")]
    goal: Option<String>,
    /// Assignment that the take is for, from `recorder goals`. Its goal and limits are used, and the server is told.
    #[arg(long, value_name = "ID", conflicts_with = "goal")]
    assignment: Option<AssignmentId>,
    /// Send the video to the server while it is being made. What you cut out later is deleted there.
    #[arg(long, requires = "assignment")]
    upload_while_recording: bool,
    /// Send at most so many kilobytes a second meanwhile, and leave the rest of the line to others.
    #[arg(long, value_name = "KB", value_parser = clap::value_parser!(u64).range(1..), requires = "upload_while_recording")]
    limit: Option<u64>,
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|secs| secs.is_finite() && *secs > 0.0)
        .ok_or_else(|| "give a number of seconds above 0".to_owned())
}

#[derive(Serialize)]
struct Devices {
    screens: Vec<ScreenInfo>,
    /// Single windows that can be recorded alone.
    windows: Vec<ScreenInfo>,
    microphones: Vec<mic::MicInfo>,
    /// Why a list is empty that should not be.
    problems: Vec<String>,
}

pub(crate) fn devices() -> ExitCode {
    let mut problems = Vec::new();
    let session = Config::from_env().session();
    let screens = screen::list(&session).unwrap_or_else(|error| {
        problems.push(error.to_string());
        Vec::new()
    });
    // What stands in its way was told with the screens.
    let windows = screen::windows(&session).unwrap_or_default();
    let found = mic::list().and_then(|found| if found.is_empty() { Err(MicError::NoneFound) } else { Ok(found) });
    let microphones = found.unwrap_or_else(|error| {
        problems.push(error.to_string());
        Vec::new()
    });
    talk::print_json(&Devices { screens, windows, microphones, problems });
    ExitCode::SUCCESS
}

pub(crate) fn run(args: &RecordArgs) -> ExitCode {
    let control = Arc::new(Control::default());
    let listening =
        drive::by_signals(&control).and_then(|()| if args.control_stdin { drive::by_stdin(&control) } else { Ok(()) });
    if let Err(error) = listening {
        say(&format!("Ctrl-C cannot be listened for: {error}. Close other programs and try again."));
        return ExitCode::FAILURE;
    }
    let config = Config::from_env();
    let options = match options(args, &config) {
        Ok(options) => options,
        Err(error) => return worker::failure(&error),
    };
    let mut terminal = Terminal {
        live: std::io::stderr().is_terminal(),
        shown: f64::NEG_INFINITY,
        is_paused: false,
        has_pause_key: false,
    };
    // Where there is none, the take is refused and says so.
    if let Some(secs) = room_secs(&args.out).filter(|secs| *secs > 0.0 && *secs < MENTION_ROOM_SECS) {
        say(&format!("The disk has room for about {:.0} minutes of recording.", (secs / 60.0).floor()));
    }
    let recorded = sources(args, &config).and_then(|sources| {
        let key = pause_key(args, &config, &control);
        terminal.has_pause_key = key.is_some();
        let recorded = record(&args.out, sources, &options, &control, &mut terminal);
        drop(key);
        recorded
    });
    match recorded {
        Ok(manifest) => {
            terminal.clear();
            tell(&manifest);
            print_line(&args.out.display().to_string());
            if ended_early(&manifest) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            terminal.clear();
            failure(&error)
        }
    }
}

/// Without it there are still the signal and the commands.
fn pause_key(args: &RecordArgs, config: &Config, control: &Arc<Control>) -> Option<input::Running> {
    if args.screen.as_deref() == Some(SYNTHETIC) {
        return None;
    }
    devices::pause_key(&config.session(), control).inspect_err(|error| say(&error.to_string())).ok()
}

fn options(args: &RecordArgs, config: &Config) -> Result<TakeOptions, EnrolError> {
    let (fps, secs) = (args.fps, args.seconds);
    let Some(id) = args.assignment else {
        return Ok(TakeOptions {
            fps,
            secs,
            goal: args.goal.clone(),
            policy: Policy::default(),
            assigned: None,
            early: None,
        });
    };
    let (item, enrolment) = worker::begin_assignment(config, id)?;
    let early = args.upload_while_recording.then(|| enrolment.client()).transpose()?;
    let early = early.map(|client| {
        let client = client.with_upload_limit(worker::upload_limit(args.limit));
        EarlyUpload { client, assignment: item.id }
    });
    let assigned = AssignedTake {
        assignment_id: item.id,
        campaign_id: item.campaign_id,
        tier: item.tier,
        consent: Some(enrolment.consent),
    };
    Ok(TakeOptions { fps, secs, goal: Some(item.goal), policy: item.policy, assigned: Some(assigned), early })
}

fn failure(error: &SessionError) -> ExitCode {
    if let SessionError::Spool(error) = error {
        return talk::spool_failure(error);
    }
    talk::fault(error);
    if let Some(hint) = hint(error) {
        say(hint);
    }
    match error {
        SessionError::Screen(ScreenError::Unknown { .. } | ScreenError::LeftOut | ScreenError::Unhidable)
        | SessionError::Mic(MicError::Unknown { .. }) => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}

/// What only the command can do about it.
fn hint(error: &SessionError) -> Option<&'static str> {
    match error {
        SessionError::Screen(ScreenError::Unknown { .. }) | SessionError::Mic(MicError::Unknown { .. }) => {
            Some("`recorder devices` lists what there is.")
        }
        SessionError::Screen(ScreenError::Unhidable) => {
            Some("Without `--hide`, all that is on the screen is recorded.")
        }
        SessionError::Mic(MicError::NoneFound | MicError::System(_)) => {
            Some("To record without sound, add `--mic none`.")
        }
        _ => None,
    }
}

fn sources(args: &RecordArgs, config: &Config) -> Result<Sources, SessionError> {
    is_free(&args.out)?;
    let mic = match args.mic.as_deref() {
        Some("none") => None,
        Some(id) => Some(devices::microphone(&MicWish::Device(id.to_owned()))),
        None => Some(devices::microphone(&MicWish::System)),
    };
    let session = config.session().hiding(args.hide.iter().cloned());
    if args.screen.as_deref() == Some(SYNTHETIC) {
        let (width, height) = (1280, 720);
        let screen_info = ScreenInfo {
            id: SYNTHETIC.to_owned(),
            name: "Test card".to_owned(),
            x: 0,
            y: 0,
            width,
            height,
            primary: false,
        };
        let input = InputSource::Without { reason: "a test card has no mouse or keyboard".to_owned() };
        let screen = Box::new(TestCard::new(width, height));
        return Ok(Sources { screen, screen_info, mic, input, lock: None });
    }
    let screen = screen::open(&session, args.screen.as_deref())?;
    if !args.hide.is_empty() && screen.system() != "x11" {
        return Err(ScreenError::Unhidable.into());
    }
    let screen_info = screen::describe(&session, args.screen.as_deref(), screen.as_ref())?;
    let session = session.showing(args.screen.as_deref());
    let lock = Some(lock::watch(&session));
    let input = if args.no_input_events {
        InputSource::Without { reason: "switched off with --no-input-events".to_owned() }
    } else {
        InputSource::Start(Box::new(move |sink| input::start(&session, sink)))
    };
    Ok(Sources { screen, screen_info, mic, input, lock })
}

fn tell(manifest: &Manifest) {
    if let Some(report) = &manifest.quality {
        talk::verdict(report);
    }
    if let Some(sentence) = missing_pictures(&manifest.frames) {
        say(&sentence);
    }
}

/// Also where they are too few for the check to mind.
fn missing_pictures(frames: &FrameCounts) -> Option<String> {
    let missing = frames.due.saturating_sub(frames.captured);
    (missing > 0).then(|| {
        format!(
            "Pictures that are missing because the computer was busy: {missing} of {}. Close other programs next time.",
            frames.due
        )
    })
}

/// A clock and a level meter on one line, where there is a terminal.
struct Terminal {
    live: bool,
    shown: f64,
    is_paused: bool,
    has_pause_key: bool,
}

impl Terminal {
    fn clear(&self) {
        if self.live {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }
}

impl Listener for Terminal {
    fn started(&mut self) {
        let pause = if self.has_pause_key { ", Ctrl+Alt+P to pause" } else { "" };
        say(&format!("Recording. Press Ctrl-C to stop{pause}."));
    }

    fn progress(&mut self, progress: Progress) {
        if progress.is_paused != self.is_paused {
            self.is_paused = progress.is_paused;
            self.clear();
            say(if self.is_paused { "Paused. Nothing is recorded until you go on." } else { "Recording again." });
        }
        if !self.live || progress.secs - self.shown < 0.25 {
            return;
        }
        self.shown = progress.secs;
        let meter = progress.peak_dbfs.map_or_else(
            || "no microphone".to_owned(),
            |peak| {
                let bars = ((peak + 60.0) / 3.0).clamp(0.0, 20.0) as usize;
                format!("[{:<20}] {peak:>4.0} dB", "#".repeat(bars))
            },
        );
        let more = [
            progress.speech_share.map(|share| format!("  {:.0} % speech", share * 100.0)),
            (progress.needed_secs > 0.0).then(|| format!("  {:.0} s needed", progress.needed_secs.ceil())),
            progress.disk_secs.map(|secs| format!("  {:.0} min fit", (secs / 60.0).floor())),
        ];
        let more: String = more.into_iter().flatten().collect();
        let megabytes = progress.bytes as f64 / 1e6;
        let (minutes, secs) = ((progress.secs / 60.0) as u64, (progress.secs % 60.0) as u64);
        drop(write!(std::io::stderr(), "\r\x1b[K{minutes}:{secs:02}  {meter}  {megabytes:.1} MB{more}"));
    }

    fn health(&mut self, event: &HealthEvent) {
        self.clear();
        say(&event.sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_picture_is_told_with_the_result() {
        let counts = |due, captured| FrameCounts { due, captured, ..FrameCounts::default() };
        assert_eq!(missing_pictures(&counts(900, 900)), None);
        let told = missing_pictures(&counts(900, 899)).unwrap();
        assert!(told.contains("1 of 900") && told.contains("Close other programs"), "{told}");
    }
}

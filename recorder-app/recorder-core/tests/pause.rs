//! Pauses: nothing of them is in the file, and what is around them stays together.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use capture::clock;
use capture::mic::synthetic::{Plan, Signal, start};
use capture::screen::synthetic::TestCard;
use media::synth;
use recorder_core::control::Control;
use recorder_core::session::{Listener, MicSource, Progress, SessionError, record};
use shared_types::recording::{HealthEvent, Manifest};
use takes::{FlashingScreen, HEIGHT, Heard, RATE_HZ, WIDTH, check_whole, options, sources};

/// One picture at 30 a second.
const FRAME: f64 = 1.0 / 30.0;

/// Pauses and goes on by what the take tells of itself: after `run_secs` of it, for some reports.
struct Pauser<'a> {
    control: &'a Control,
    run_secs: f64,
    pauses_left: u32,
    next: f64,
    paused_for: u32,
    /// Ends the take inside of its last pause.
    ends_paused: bool,
}

impl Listener for Pauser<'_> {
    fn started(&mut self) {}

    fn progress(&mut self, progress: Progress) {
        if progress.is_paused {
            self.paused_for += 1;
            if self.pauses_left == 0 && self.ends_paused {
                self.control.end();
            } else if self.paused_for.is_multiple_of(3) {
                self.control.resume();
                self.next = progress.secs + self.run_secs;
            }
        } else if progress.secs >= self.next {
            if self.pauses_left == 0 {
                self.control.end();
            } else {
                self.pauses_left -= 1;
                self.control.pause();
            }
        }
    }

    fn health(&mut self, _: &HealthEvent) {}
}

fn paused_take(folder: &Path, pauses: u32, ends_paused: bool) -> Manifest {
    let begin = Arc::new(OnceLock::new());
    let screen = FlashingScreen { begin: begin.clone() };
    let beeps: Arc<[f32]> = (0..RATE_HZ * 60).map(|i| synth::beep(f64::from(i) / f64::from(RATE_HZ))).collect();
    let start = move |sink| {
        begin.set(clock::now()).unwrap();
        start(Plan::new(RATE_HZ, 1, Signal::Samples(beeps.clone())), sink)
    };
    let control = Control::default();
    let mut pauser =
        Pauser { control: &control, run_secs: 0.45, pauses_left: pauses, next: 0.3, paused_for: 0, ends_paused };
    let mic = MicSource { start: Box::new(start), default_id: None };
    record(folder, sources(screen, Some(mic)), &options(30, 60.0), &control, &mut pauser).unwrap()
}

#[test]
fn picture_and_sound_are_together_after_twenty_pauses() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let manifest = paused_take(&folder, 20, false);
    assert_eq!(manifest.pauses.len(), 20, "{:?}", manifest.pauses);
    let paused: f64 = manifest.pauses.iter().map(|pause| pause.secs).sum();
    assert!(paused > 4.0, "{paused}");
    let viewer = check_whole(&folder, &manifest);
    let last = viewer.pictures.last().unwrap().0;
    assert!(last < 20.0 && last > 20.0 * 0.4, "{last} s of picture, {paused} s paused");
    let heard = viewer.samples as f64 / f64::from(RATE_HZ);
    assert!((heard - last).abs() < 0.2, "{heard} s of sound beside {last} s of picture");
    assert!(viewer.pictures.windows(2).all(|pair| pair[1].0 - pair[0].0 < 0.5), "time goes on evenly");

    // The screen is white whenever the tone sounds.
    let near = |times: &[f64], t: f64, within: f64| times.iter().any(|time| (time - t).abs() <= within);
    let white: Vec<f64> = viewer.pictures.iter().filter(|picture| picture.2).map(|picture| picture.0).collect();
    assert!(white.len() >= 6 && viewer.loud.len() >= 30, "{} and {}", white.len(), viewer.loud.len());
    for &t in &white {
        assert!(near(&viewer.loud, t, FRAME), "white at {t:.3}, and no tone within a picture of it");
    }
    // A picture shows a moment and lasts until the next.
    for &t in &viewer.loud {
        assert!(near(&white, t, 2.5 * FRAME), "a tone at {t:.3}, and nothing white near it");
    }
}

#[test]
fn a_take_may_end_in_a_pause_and_a_pause_before_it_begins_delays_it() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let manifest = paused_take(&folder, 3, true);
    assert_eq!(manifest.pauses.len(), 3);
    let viewer = check_whole(&folder, &manifest);
    let end = manifest.pauses[2].t;
    assert!((viewer.pictures.last().unwrap().0 - end).abs() < 0.2, "{end}");

    let control = Control::default();
    control.pause();
    control.end();
    let folder = base.path().join("nothing");
    let mut heard = Heard::default();
    let card = TestCard::new(WIDTH, HEIGHT);
    let result = record(&folder, sources(card, None), &options(15, 60.0), &control, &mut heard);
    assert!(matches!(result, Err(SessionError::Nothing(_))));
    assert!(!folder.exists());
}

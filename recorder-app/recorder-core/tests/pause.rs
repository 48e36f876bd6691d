//! Pauses: nothing of them is in the file, and what is around them stays together.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use capture::clock;
use capture::mic::synthetic::{Plan, Signal, start};
use capture::screen::synthetic::TestCard;
use media::synth;
use recorder_core::control::Control;
use recorder_core::session::{Listener, MicChoice, MicSource, Progress, SessionError, record};
use shared_types::recording::{HealthEvent, Manifest};
use takes::{FlashingScreen, HEIGHT, Heard, Pauser, RATE_HZ, WIDTH, check_whole, mic, options, sources, tone};

/// One picture at 30 a second.
const FRAME: f64 = 1.0 / 30.0;

fn paused_take(folder: &Path, pauses: u32, ends_paused: bool) -> Manifest {
    let begin = Arc::new(OnceLock::new());
    let screen = FlashingScreen { begin: begin.clone() };
    let start = move |sink| {
        begin.set(clock::now()).unwrap();
        start(Plan::new(RATE_HZ, 1, Signal::Made(synth::beep)), sink)
    };
    let control = Control::default();
    let mut pauser = Pauser { pauses_left: pauses, ends_paused, ..Pauser::new(&control, 0.45) };
    let mic = MicSource { start: Box::new(start), choice: MicChoice::Fixed };
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
    // A picture shows a moment and lasts until the next. What a busy machine did not capture cannot be white.
    let captured = |t: f64| {
        let mut pairs = viewer.pictures.windows(2).map(|pair| (pair[0].0, pair[1].0));
        pairs.all(|(from, to)| to - from <= 1.5 * FRAME || to < t - 2.5 * FRAME || from > t + 2.5 * FRAME)
    };
    let seen: Vec<f64> = viewer.loud.iter().copied().filter(|&t| captured(t)).collect();
    assert!(seen.len() * 2 > viewer.loud.len(), "{} of {} tones had every picture", seen.len(), viewer.loud.len());
    for t in seen {
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

#[test]
fn a_screen_that_was_locked_leaves_one_gap_in_picture_and_sound_and_is_told_once() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let mut sources = sources(TestCard::new(WIDTH, HEIGHT), Some(mic(vec![Some(tone())])));
    let began = Arc::new(OnceLock::new());
    let since = began.clone();
    sources.lock = Some(Box::new(move || {
        let secs = since.get().map_or(0.0, |began: &Instant| began.elapsed().as_secs_f64());
        (1.0..3.0).contains(&secs)
    }));
    let mut heard = Begun { heard: Heard::default(), began };
    let manifest = record(&folder, sources, &options(15, 3.0), &Control::default(), &mut heard).unwrap();
    // A steady tone may count as noise as well.
    let count = |told: &[String]| told.iter().filter(|kind| *kind == "locked").count();
    assert_eq!((count(&heard.heard.health), count(&heard.heard.over)), (1, 1), "{:?}", heard.heard.health);
    let [pause] = manifest.pauses.as_slice() else { panic!("{:?}", manifest.pauses) };
    assert!((0.8..1.6).contains(&pause.t) && (1.5..2.6).contains(&pause.secs), "{pause:?}");
    let told = manifest.health.iter().find(|event| event.kind == "locked");
    assert!(told.is_some_and(|told| (0.8..1.8).contains(&told.t)), "told while it lasts: {:?}", manifest.health);
    let viewer = check_whole(&folder, &manifest);
    let last = viewer.pictures.last().unwrap().0;
    let heard = viewer.samples as f64 / f64::from(RATE_HZ);
    assert!((2.8..3.6).contains(&last) && (heard - last).abs() < 0.2, "{heard} s of sound, {last} s of picture");
}

/// Knows when the take began.
struct Begun {
    heard: Heard,
    began: Arc<OnceLock<Instant>>,
}

impl Listener for Begun {
    fn started(&mut self) {
        self.began.set(Instant::now()).unwrap();
        self.heard.started();
    }

    fn progress(&mut self, progress: Progress) {
        self.heard.progress(progress);
    }

    fn health(&mut self, event: &HealthEvent) {
        self.heard.health(event);
    }

    fn over(&mut self, kind: &str) {
        self.heard.over(kind);
    }
}

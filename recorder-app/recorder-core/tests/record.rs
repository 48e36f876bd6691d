//! Whole takes from made screens and microphones: what lies in the folder afterwards, and what survives a failure.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use capture::clock;
use capture::mic;
use capture::mic::synthetic::{Plan, Signal, start};
use capture::screen::synthetic::TestCard;
use capture::screen::{Grab, ScreenError, ScreenSource};
use media::frame::BgraFrame;
use media::journal::hash_file;
use media::synth;
use media::time::Monotonic;
use recorder_core::control::Control;
use recorder_core::session::{Listener, MicChoice, MicSource, Progress, SessionError, ended_early, record};
use recorder_core::spool::Spool;
use shared_types::quality::flag::Flag;
use shared_types::recording::{HealthEvent, RecordingStage};
use takes::{
    FlashingScreen, HEIGHT, Heard, RATE_HZ, WIDTH, check_modes, check_whole, mic as made_mic, options, sources, take,
    tone, view,
};

#[test]
fn a_take_is_whole_its_pictures_in_order_and_a_still_screen_loses_no_time() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("new/take");
    let card = TestCard::new(WIDTH, HEIGHT).still(20..60);
    let (result, health) = take(&folder, sources(card, Some(made_mic(vec![Some(tone())]))), &options(15, 5.5));
    let manifest = result.unwrap();
    assert!(health.is_empty(), "{health:?}");
    assert_eq!(manifest.stage, RecordingStage::Checked);
    assert_eq!(manifest.goal.as_deref(), Some("Find red shoes"));
    check_modes(&folder);

    let viewer = check_whole(&folder, &manifest);
    let numbers: Vec<u32> = viewer.pictures.iter().map(|picture| picture.1.expect("each picture is legible")).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert!(numbers.iter().filter(|&&number| number == 20).count() >= 2, "the still picture is told again each second");
    assert!(numbers.last().unwrap() > &70, "the picture moves on after the still stretch: {numbers:?}");
    let last = viewer.pictures.last().unwrap().0;
    assert!((5.3..7.5).contains(&last), "{last}");
    let heard = viewer.samples as f64 / f64::from(RATE_HZ);
    assert!((heard - last).abs() < 0.2, "{heard} s of sound beside {last} s of picture");
    let dropped: u64 = manifest.frames.dropped_per_second.values().map(|&count| u64::from(count)).sum();
    assert_eq!(manifest.frames.due, manifest.frames.captured + dropped);
    let flags: Vec<Flag> = manifest.quality.unwrap().flags.iter().map(|raised| raised.flag).collect();
    assert!(flags.contains(&Flag::TooShort) && !flags.contains(&Flag::AvDesync), "{flags:?}");
}

/// Keeps the last share of speech that was told.
#[derive(Default)]
struct Shares(Option<f64>);

impl Listener for Shares {
    fn started(&mut self) {}

    fn progress(&mut self, progress: Progress) {
        self.0 = progress.speech_share;
    }

    fn health(&mut self, _: &HealthEvent) {}
}

#[test]
fn the_share_of_speech_that_is_told_meanwhile_is_the_one_that_is_judged() {
    let base = tempfile::tempdir().unwrap();
    let speaks = Plan::new(RATE_HZ, 1, Signal::Made(synth::syllables));
    let sources = sources(TestCard::new(WIDTH, HEIGHT), Some(made_mic(vec![Some(speaks)])));
    let mut told = Shares::default();
    let result = record(&base.path().join("take"), sources, &options(15, 6.0), &Control::default(), &mut told);
    let judged = result.unwrap().quality.unwrap().measurements.sound.unwrap().speech_share;
    let told = told.0.unwrap();
    // What is told last lags behind by what is under way to the encoder, on a busy machine by half a second. That both count
    // alike is tested on the same samples.
    assert!((told - judged).abs() < 0.15 && (0.2..0.95).contains(&judged), "{told} was told, {judged} judged");
}

#[test]
fn flash_and_beep_lie_in_the_file_where_the_clock_says() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let begin = Arc::new(OnceLock::new());
    let screen = FlashingScreen { begin: begin.clone() };
    let start = move |sink| -> Result<mic::Running, mic::MicError> {
        begin.set(clock::now()).unwrap();
        start(Plan::new(RATE_HZ, 2, Signal::Made(synth::beep)), sink)
    };
    let begin = screen.begin.clone();
    let (result, _) = take(
        &folder,
        sources(screen, Some(MicSource { start: Box::new(start), choice: MicChoice::Fixed })),
        &options(30, 6.0),
    );
    let manifest = result.unwrap();
    let viewer = check_whole(&folder, &manifest);

    let zero = Monotonic::from_nanos(manifest.clock.first_frame_monotonic_nanos);
    let ahead = zero.nanos_since(*begin.get().unwrap()) as f64 / 1e9;
    let dues: Vec<f64> = (0..20)
        .map(|index| synth::FLASH_FIRST_SECS + f64::from(index) * synth::FLASH_EVERY_SECS - ahead)
        .filter(|due| (0.1..5.5).contains(due))
        .collect();
    assert!(dues.len() >= 2, "{dues:?}");
    for due in dues {
        let beep = viewer.beeps.iter().copied().min_by(|a, b| (a - due).abs().total_cmp(&(b - due).abs())).unwrap();
        assert!((beep - due).abs() <= 0.010, "beep at {beep:.4}, due at {due:.4}");
    }
    // A picture shows what was there when it was taken, so that its time alone tells whether it is white. The file keeps times
    // to the tick, so that one within half a tick of a change may be either. The last one is the one before, shown again at
    // the end.
    let tick_secs = 1.0 / 90_000.0;
    let (_, taken) = viewer.pictures.split_last().unwrap();
    let mut white_ones = 0;
    for &(t, _, white) in taken {
        let at = t + ahead;
        white_ones += usize::from(white);
        if synth::flashes(at - tick_secs / 2.0) == synth::flashes(at + tick_secs / 2.0) {
            assert_eq!(white, synth::flashes(at), "the picture at {t:.6}, {at:.6} after the beginning");
        }
    }
    assert!(white_ones >= 2, "{white_ones} pictures of {} are white", taken.len());
}

#[test]
fn a_lost_microphone_is_told_and_the_take_goes_on_until_it_is_back() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    // It falls silent half a second into the take, does not start at once, and comes back at the next try.
    let falls_silent = Plan { gaps: vec![1.3..1000.0], ..tone() };
    let plans = vec![Some(falls_silent), None, Some(tone())];
    let card = TestCard::new(WIDTH, HEIGHT);
    let (result, health) = take(&folder, sources(card, Some(made_mic(plans))), &options(15, 8.0));
    let manifest = result.unwrap();
    assert_eq!(health, ["mic_lost", "mic_back"]);
    assert_eq!(manifest.health.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), health);
    assert!(manifest.health[0].sentence.contains("goes on without your voice"));
    assert!(!ended_early(&manifest));
    assert!(manifest.gaps.iter().map(|gap| gap.end - gap.start).sum::<f64>() > 2.0, "{:?}", manifest.gaps);

    let viewer = check_whole(&folder, &manifest);
    let last = viewer.pictures.last().unwrap().0;
    let heard = viewer.samples as f64 / f64::from(RATE_HZ);
    assert!(last > 7.8 && (heard - last).abs() < 0.2, "{heard} s of sound beside {last} s of picture");
    assert_eq!(viewer.beeps.len(), 2, "two stretches of sound: {:?}", viewer.beeps);
    assert!(manifest.health[1].t - viewer.beeps[1] < 0.5, "the voice is back where it came back");
}

#[test]
fn a_microphone_that_a_new_start_helps_is_told_and_no_longer_than_it_is_true() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let falls_silent = Plan { gaps: vec![1.3..1000.0], ..tone() };
    let sources = sources(TestCard::new(WIDTH, HEIGHT), Some(made_mic(vec![Some(falls_silent), Some(tone())])));
    let mut heard = Heard::default();
    record(&folder, sources, &options(15, 5.0), &Control::default(), &mut heard).unwrap();
    assert_eq!((heard.health, heard.over), (vec!["mic_restarted".to_owned()], vec!["mic_restarted".to_owned()]));
}

#[test]
fn a_muted_microphone_is_told_within_three_seconds() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let muted = Plan::new(RATE_HZ, 1, Signal::Silence);
    let card = TestCard::new(WIDTH, HEIGHT);
    let (result, health) = take(&folder, sources(card, Some(made_mic(vec![Some(muted)]))), &options(15, 4.0));
    let manifest = result.unwrap();
    assert_eq!(health, ["mic_silent"]);
    assert!(manifest.health[0].t <= 3.0 && manifest.health[0].sentence.contains("muted"), "{:?}", manifest.health);
}

/// A test card that is unplugged after some grabs.
struct Unplugged {
    card: TestCard,
    grabs: u32,
}

impl ScreenSource for Unplugged {
    fn size(&self) -> (u32, u32) {
        self.card.size()
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let Some(left) = self.grabs.checked_sub(1) else {
            return Err(ScreenError::Unshared);
        };
        self.grabs = left;
        self.card.latest(into)
    }
}

#[test]
fn a_lost_screen_ends_a_whole_take_and_one_that_never_came_leaves_nothing() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let screen = |grabs| Unplugged { card: TestCard::new(WIDTH, HEIGHT), grabs };
    let (result, health) = take(&folder, sources(screen(40), Some(made_mic(vec![Some(tone())]))), &options(15, 60.0));
    let manifest = result.unwrap();
    assert_eq!(health, ["screen_lost"]);
    assert!(manifest.health[0].sentence.contains("share the screen once more"), "{:?}", manifest.health);
    assert!(ended_early(&manifest));
    assert_eq!(manifest.stage, RecordingStage::Checked);
    let viewer = check_whole(&folder, &manifest);
    assert!(viewer.pictures.last().unwrap().0 > 2.0);

    let folder = base.path().join("nothing");
    let (result, _) = take(&folder, sources(screen(0), None), &options(15, 60.0));
    assert!(matches!(result, Err(SessionError::Nothing(_))));
    assert!(!folder.exists());

    let mut heard = Heard::default();
    let card = TestCard::new(WIDTH, HEIGHT);
    let control = Control::default();
    control.end();
    let result = record(&folder, sources(card, None), &options(15, 60.0), &control, &mut heard);
    assert!(matches!(result, Err(SessionError::Nothing(_))));
    assert!(!folder.exists() && !heard.begun);
}

#[test]
#[cfg(unix)]
fn a_disk_that_takes_no_more_leaves_a_whole_take_and_says_so() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    // No file may grow beyond 240 blocks of 512 or 1024 bytes; the signal that would come with it is ignored, so that
    // writing fails as on a full disk.
    let recorder = env!("CARGO_BIN_EXE_recorder");
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 240; exec \"$@\"", "sh", recorder, "record"])
        .args(["--screen", "synthetic", "--mic", "none", "--seconds", "60", "--out"])
        .arg(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stopped early") && said.contains("is whole and kept"), "{said}");
    let manifest = Spool::open(&folder).unwrap().read_manifest().unwrap();
    assert_eq!(manifest.stage, RecordingStage::Stopped);
    assert!(manifest.fragments.len() >= 2);
    assert_eq!(manifest.files["video.mp4"], hash_file(&folder.join("video.mp4")).unwrap());
    let (viewer, report) = view(&folder.join("video.mp4"));
    assert!(viewer.pictures.len() >= 10 && report.end_secs > 0.9);
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

/// The microphone's channel is as long as seconds of sound; a take that begins late must not begin with old sound.
#[test]
fn sound_from_before_the_first_picture_is_left_out() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let loud_at_first: Arc<[f32]> = vec![0.5; RATE_HZ as usize / 2].into();
    let plan = Plan::new(RATE_HZ, 1, Signal::Samples(loud_at_first));
    let card = TestCard::new(WIDTH, HEIGHT);
    let (result, _) = take(&folder, sources(card, Some(made_mic(vec![Some(plan)]))), &options(15, 1.5));
    let viewer = check_whole(&folder, &result.unwrap());
    assert!(viewer.beeps.is_empty(), "{:?}", viewer.beeps);
}

/// Lies where the manifest's next version is written, pauses meanwhile, and goes away again.
struct InTheWay<'a> {
    folder: &'a Path,
    control: &'a Control,
    place: PathBuf,
    reports: u32,
}

impl InTheWay<'_> {
    fn pauses_on_disk(&self) -> usize {
        Spool::open(self.folder).unwrap().read_manifest().unwrap().pauses.len()
    }
}

impl Listener for InTheWay<'_> {
    fn started(&mut self) {}

    fn progress(&mut self, progress: Progress) {
        match self.reports {
            0 if progress.secs < 0.5 => return,
            0 => {
                std::fs::create_dir(&self.place).unwrap();
                self.control.pause();
            }
            5 => self.control.resume(),
            10 => {
                assert_eq!(self.pauses_on_disk(), 0, "it could not be written");
                std::fs::remove_dir(&self.place).unwrap();
            }
            11.. if self.pauses_on_disk() == 1 => self.control.end(),
            _ => {}
        }
        self.reports += 1;
    }

    fn health(&mut self, _: &HealthEvent) {}
}

#[test]
fn a_manifest_that_cannot_be_written_once_is_written_later_and_ends_nothing() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let control = Control::default();
    let place = folder.join("recording.tmp");
    let mut in_the_way = InTheWay { folder: &folder, control: &control, place, reports: 0 };
    let sources = sources(TestCard::new(WIDTH, HEIGHT), None);
    let manifest = record(&folder, sources, &options(15, 30.0), &control, &mut in_the_way).unwrap();
    assert_eq!((manifest.stage, manifest.health.as_slice()), (RecordingStage::Checked, [].as_slice()));
    let viewer = check_whole(&folder, &manifest);
    assert!(viewer.pictures.last().unwrap().0 < 20.0, "it was written long before the end");
}

#[test]
#[cfg(unix)]
fn a_take_that_still_runs_is_not_made_whole_and_a_killed_one_is() {
    let recorder = env!("CARGO_BIN_EXE_recorder");
    let base = tempfile::tempdir().unwrap();
    for is_killed in [false, true] {
        let folder = base.path().join(if is_killed { "killed" } else { "ended" });
        let (video, lock) = (folder.join("video.mp4"), folder.join("take.lock"));
        let mut running = Command::new(recorder)
            .args(["record", "--screen", "synthetic", "--mic", "none", "--out"])
            .arg(&folder)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        let grow = |lengths: usize| {
            let mut seen = BTreeSet::new();
            while seen.len() < lengths {
                assert!(Instant::now() < deadline, "the take does not grow");
                seen.extend(std::fs::metadata(&video).ok().map(|file| file.len()));
                std::thread::yield_now();
            }
        };
        grow(4);
        let recover = || {
            let output = Command::new(recorder).arg("recover").arg(&folder).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        let before = std::fs::read(&video).unwrap();
        let (code, said) = recover();
        assert!(code == Some(1) && said.contains("still being recorded"), "{said}");
        assert!(std::fs::read(&video).unwrap().starts_with(&before), "nothing is taken away");
        grow(3);
        if is_killed {
            running.kill().unwrap();
        } else {
            let signal = rustix::process::Signal::TERM;
            rustix::process::kill_process(rustix::process::Pid::from_child(&running), signal).unwrap();
        }
        running.wait().unwrap();
        assert_eq!(lock.exists(), is_killed);
        let (code, said) = recover();
        let expected = if is_killed { "was made whole" } else { "had ended properly" };
        assert!(code == Some(0) && said.contains(expected), "{said}");
        assert!(!lock.exists());
        let manifest = Spool::open(&folder).unwrap().read_manifest().unwrap();
        check_whole(&folder, &manifest);
    }
}

//! Whole takes from made screens and microphones: what lies in the folder afterwards, and what survives a failure.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use capture::clock;
use capture::mic::synthetic::{Plan, Signal, start};
use capture::mic::{self, MicError};
use capture::screen::synthetic::{TestCard, read_number};
use capture::screen::{Grab, ScreenError, ScreenInfo, ScreenSource};
use media::decode::{PassReport, Picture, Sink, Sound, decode};
use media::demux::Demuxer;
use media::frame::BgraFrame;
use media::journal::{hash_file, recover};
use media::synth;
use media::time::Monotonic;
use recorder_core::session::{
    InputSource, Listener, MicSource, Progress, SessionError, Sources, TakeOptions, ended_early, record,
};
use recorder_core::spool::Spool;
use shared_types::quality::flag::Flag;
use shared_types::quality::policy::Policy;
use shared_types::recording::{HealthEvent, Manifest, RecordingStage};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 180;
const RATE_HZ: u32 = 48_000;

#[derive(Default)]
struct Heard {
    begun: bool,
    health: Vec<String>,
}

impl Listener for Heard {
    fn started(&mut self) {
        self.begun = true;
    }

    fn progress(&mut self, progress: Progress) {
        assert!(self.begun && progress.secs >= 0.0);
    }

    fn health(&mut self, event: &HealthEvent) {
        self.health.push(event.kind.clone());
    }
}

fn sources(screen: impl ScreenSource + 'static, mic: Option<MicSource>) -> Sources {
    let (width, height) = screen.size();
    let name = "made".to_owned();
    Sources {
        screen: Box::new(screen),
        screen_info: ScreenInfo { id: name.clone(), name, x: 0, y: 0, width, height, primary: true },
        display: "synthetic".to_owned(),
        mic,
        input: InputSource::Without { reason: "nobody is there".to_owned() },
    }
}

/// A microphone that plays the plans one after the other, one for each start; then it cannot be started.
fn mic(plans: Vec<Option<Plan>>) -> MicSource {
    let starts = AtomicUsize::new(0);
    let start = move |sink| match plans.get(starts.fetch_add(1, Ordering::Relaxed)) {
        Some(Some(plan)) => start(plan.clone(), sink),
        _ => Err(MicError::NoneFound),
    };
    MicSource { start: Box::new(start) }
}

fn tone() -> Plan {
    Plan::new(RATE_HZ, 1, Signal::Tone { hz: 440.0, amplitude: 0.3 })
}

fn options(fps: u32, secs: f64) -> TakeOptions {
    TakeOptions {
        fps,
        secs: Some(secs),
        goal: Some("Find red shoes".to_owned()),
        policy: Policy::default(),
        assigned: None,
    }
}

fn take(folder: &Path, sources: Sources, options: &TakeOptions) -> (Result<Manifest, SessionError>, Vec<String>) {
    let mut heard = Heard::default();
    let result = record(folder, sources, options, &AtomicBool::new(false), &mut heard);
    (result, heard.health)
}

/// What a viewer of the file sees and hears.
#[derive(Default)]
struct Viewer {
    /// Times of the pictures, the numbers they show, and whether their field is white.
    pictures: Vec<(f64, Option<u32>, bool)>,
    samples: u64,
    quiet_for: u32,
    beeps: Vec<f64>,
}

impl Sink for Viewer {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let luma = picture.luma().unwrap();
        let level = |x: u32, y: u32| luma.data[y as usize * luma.stride + x as usize];
        let seen = (read_number(level), level(WIDTH / 2, HEIGHT / 8) > 150);
        self.pictures.push((picture.t.secs(), seen.0, seen.1));
        ControlFlow::Continue(())
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        for (index, sample) in sound.channels[0].iter().enumerate() {
            if sample.abs() > 0.05 {
                if self.quiet_for > 2000 {
                    self.beeps.push(sound.t + index as f64 / f64::from(sound.rate_hz));
                }
                self.quiet_for = 0;
            } else {
                self.quiet_for += 1;
            }
        }
        self.samples += sound.channels[0].len() as u64;
        ControlFlow::Continue(())
    }
}

fn view(path: &Path) -> (Viewer, PassReport) {
    let mut viewer = Viewer { quiet_for: u32::MAX / 2, ..Viewer::default() };
    let report = decode(&mut Demuxer::open(path).unwrap(), &mut viewer).unwrap();
    assert_eq!(report.damaged_packets, 0);
    assert!(!report.ends_inside_frame);
    (viewer, report)
}

/// The folder says of itself what is in it, its pieces close in time, and each of them can be decoded alone.
#[track_caller]
fn check_whole(folder: &Path, manifest: &Manifest) -> Viewer {
    let written = std::fs::read_to_string(folder.join("recording.json")).unwrap();
    assert_eq!(written, serde_json::to_string_pretty(manifest).unwrap(), "what is told is what is on the disk");
    let video = folder.join("video.mp4");
    assert_eq!(manifest.files["video.mp4"], hash_file(&video).unwrap());
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(&video, copy.path()).unwrap();
    let found = recover(copy.path()).unwrap();
    assert_eq!((found.removed_bytes, &found.fragments), (0, &manifest.fragments));

    let begins: Vec<f64> = manifest.fragments.iter().filter_map(|fragment| fragment.t).collect();
    assert!(begins.windows(2).all(|pair| pair[1] - pair[0] <= 2.0), "{begins:?}");
    let bytes = std::fs::read(&video).unwrap();
    let piece = |index: usize| {
        let fragment = &manifest.fragments[index];
        &bytes[fragment.offset as usize..(fragment.offset + fragment.bytes) as usize]
    };
    for index in 1..manifest.fragments.len() {
        std::fs::write(copy.path(), [piece(0), piece(index)].concat()).unwrap();
        let (viewer, _) = view(copy.path());
        assert!(!viewer.pictures.is_empty(), "fragment {index} shows nothing");
    }
    let (viewer, report) = view(&video);
    let last = viewer.pictures.last().unwrap().0;
    assert!((report.end_secs - last) <= 0.2, "the last picture is at {last}, the end at {}", report.end_secs);
    viewer
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_take_is_whole_its_pictures_in_order_and_a_still_screen_loses_no_time() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("new/take");
    let card = TestCard::new(WIDTH, HEIGHT).still(20..60);
    let (result, health) = take(&folder, sources(card, Some(mic(vec![Some(tone())]))), &options(15, 5.5));
    let manifest = result.unwrap();
    assert!(health.is_empty(), "{health:?}");
    assert_eq!(manifest.stage, RecordingStage::Checked);
    assert_eq!(manifest.goal.as_deref(), Some("Find red shoes"));
    #[cfg(unix)]
    {
        assert_eq!(mode(&folder), 0o700);
        assert_eq!((mode(&folder.join("video.mp4")), mode(&folder.join("recording.json"))), (0o600, 0o600));
    }

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

/// Shows the card of [`synth`] as it looks since `begin`.
struct FlashingScreen {
    begin: Arc<OnceLock<Monotonic>>,
}

impl ScreenSource for FlashingScreen {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let at = clock::now();
        let t = at.nanos_since(*self.begin.get().unwrap()) as f64 / 1e9;
        synth::draw_card(into, WIDTH, HEIGHT, t, at);
        Ok(Grab::Changed)
    }
}

#[test]
fn flash_and_beep_lie_in_the_file_where_the_clock_says() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let begin = Arc::new(OnceLock::new());
    let screen = FlashingScreen { begin: begin.clone() };
    let beeps: Arc<[f32]> = (0..RATE_HZ * 20).map(|i| synth::beep(f64::from(i) / f64::from(RATE_HZ))).collect();
    let start = move |sink| -> Result<mic::Running, MicError> {
        begin.set(clock::now()).unwrap();
        start(Plan::new(RATE_HZ, 2, Signal::Samples(beeps.clone())), sink)
    };
    let begin = screen.begin.clone();
    let (result, _) = take(&folder, sources(screen, Some(MicSource { start: Box::new(start) })), &options(30, 6.0));
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
        // A picture shows what was there when it was taken, so that its time alone tells whether it is white.
        for &(t, _, white) in viewer.pictures.iter().filter(|picture| (picture.0 - due).abs() < synth::FLASH_SECS / 2.0)
        {
            assert_eq!(white, t >= due - 0.0005, "the picture at {t:.4}, the flash due at {due:.4}");
        }
    }
}

#[test]
fn a_lost_microphone_is_told_and_the_take_goes_on_until_it_is_back() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    // It falls silent half a second into the take, does not start at once, and comes back at the next try.
    let falls_silent = Plan { gaps: vec![1.3..1000.0], ..tone() };
    let plans = vec![Some(falls_silent), None, Some(tone())];
    let card = TestCard::new(WIDTH, HEIGHT);
    let (result, health) = take(&folder, sources(card, Some(mic(plans))), &options(15, 8.0));
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
            return Err(ScreenError::Gone { id: "made".to_owned() });
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
    let (result, health) = take(&folder, sources(screen(40), Some(mic(vec![Some(tone())]))), &options(15, 60.0));
    let manifest = result.unwrap();
    assert_eq!(health, ["screen_lost"]);
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
    let result = record(&folder, sources(card, None), &options(15, 60.0), &AtomicBool::new(true), &mut heard);
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
    let (result, _) = take(&folder, sources(card, Some(mic(vec![Some(plan)]))), &options(15, 1.5));
    let viewer = check_whole(&folder, &result.unwrap());
    assert!(viewer.beeps.is_empty(), "{:?}", viewer.beeps);
}

//! Encoders that fail or hang during a take, by the named points in the code that let them.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use capture::input::{RawKind, synthetic};
use capture::screen::synthetic::TestCard;
use crossbeam_channel::{Sender, bounded};
use fail::FailScenario;
use recorder_core::control::Control;
use recorder_core::session::{InputSource, Listener, Progress, SessionError, ended_early, record};
use recorder_core::spool::{Spool, SpoolError, recover, room_secs};
use shared_types::event::parse_events;
use shared_types::recording::{EVENTS_FILE, HealthEvent, RecordingStage, VIDEO_FILE};
use takes::{HEIGHT, Heard, RATE_HZ, WIDTH, check_whole, mic, options, sources, take, tone, view};

#[test]
fn an_encoder_that_fails_is_replaced_in_the_same_file() {
    let scenario = FailScenario::setup();
    fail::cfg("h264.send", "30*off->1*return").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let card = TestCard::new(WIDTH, HEIGHT);
    let (result, health) = take(&folder, sources(card, Some(mic(vec![Some(tone())]))), &options(15, 4.5));
    scenario.teardown();
    let manifest = result.unwrap();
    assert_eq!(health, ["encoder_changed"]);
    assert_eq!(manifest.encoder.video, "libx264, libx264", "the last of the list is opened afresh");
    assert!(manifest.encoder.probes.iter().any(|probe| !probe.works && probe.name == "libx264"));
    let viewer = check_whole(&folder, &manifest);
    let numbers: Vec<u32> = viewer.pictures.iter().map(|picture| picture.1.expect("each picture is legible")).collect();
    assert!(numbers.is_sorted() && viewer.pictures.last().unwrap().0 > 4.0, "{numbers:?}");
}

#[test]
fn when_no_encoder_works_any_more_picture_and_voice_until_then_are_kept() {
    let scenario = FailScenario::setup();
    fail::cfg("h264.send", "45*off->return").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let card = TestCard::new(WIDTH, HEIGHT);
    let (result, _) = take(&folder, sources(card, Some(mic(vec![Some(tone())]))), &options(15, 60.0));
    scenario.teardown();
    let Err(SessionError::Interrupted { reason }) = result else { panic!("{result:?}") };
    assert!(reason.contains("libx264") && reason.contains("no other one works"), "{reason}");
    let manifest = Spool::open(&folder).unwrap().read_manifest().unwrap();
    assert_eq!(manifest.stage, RecordingStage::Stopped);
    assert!(ended_early(&manifest));
    let told = &manifest.health.last().unwrap().sentence;
    assert!(told.starts_with("The recording stopped early") && told.contains("whole and kept"), "{told}");
    let viewer = view(&folder.join(VIDEO_FILE)).0;
    let in_video = viewer.samples as f64 / f64::from(RATE_HZ);
    let voice = hound_secs(&fs::read(folder.join("voice.wav")).unwrap());
    assert!(in_video > 1.5 && voice >= in_video - 0.02, "{voice} s of voice beside {in_video} s in the video");
    assert!(manifest.files.contains_key("voice.wav"));
}

/// Until no thread of this program has the name, where the system tells.
fn wait_for_end_of(thread: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| {
        let mut names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.any(|name| name.trim() == thread)
    }) {
        assert!(Instant::now() < deadline, "the thread {thread} never ends");
        std::thread::yield_now();
    }
}

/// Clicks at the same place all the while.
fn clicks() -> InputSource {
    let mut presses = 0_u32;
    let click = move || {
        presses += 1;
        let (button, x, y) = (1, 30, 40);
        Some(if presses % 2 == 1 { RawKind::ButtonDown { button, x, y } } else { RawKind::ButtonUp { button, x, y } })
    };
    InputSource::Start(Box::new(move |sink| synthetic::start(sink, click)))
}

/// Ends the take once it is so long.
struct EndsAt<'a> {
    secs: f64,
    control: &'a Control,
    ended: Sender<()>,
}

impl Listener for EndsAt<'_> {
    fn started(&mut self) {}

    fn progress(&mut self, progress: Progress) {
        if progress.secs >= self.secs {
            self.control.end();
            self.ended.try_send(()).ok();
        }
    }

    fn health(&mut self, _: &HealthEvent) {}
}

#[test]
fn a_disk_that_answers_again_after_the_end_costs_nothing_that_was_recorded() {
    let scenario = FailScenario::setup();
    // The head of the video and two pieces of it, and the events for two seconds.
    fail::cfg("journal.append", "3*off->pause").unwrap();
    fail::cfg("events.sync", "2*off->pause").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let control = Control::default();
    let (ended, end) = bounded(1);
    let mut sources = sources(TestCard::new(WIDTH, HEIGHT), None);
    sources.input = clicks();
    // Long enough for more pictures than there is room for on their way, too short for a word about it.
    let mut listener = EndsAt { secs: 5.5, control: &control, ended };
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            end.recv().unwrap();
            // Whoever looks at the screen has said all that it has to say.
            wait_for_end_of("screen");
            ["journal.append", "events.sync"].into_iter().for_each(fail::remove);
        });
        record(&folder, sources, &options(30, 60.0), &control, &mut listener)
    });
    scenario.teardown();
    let manifest = result.unwrap();
    assert_eq!(manifest.stage, RecordingStage::Checked);
    let viewer = check_whole(&folder, &manifest);
    assert!(viewer.pictures.last().unwrap().0 > 5.3, "{:?}", viewer.pictures.last());
    let dropped: u64 = manifest.frames.dropped_per_second.values().map(|&count| u64::from(count)).sum();
    assert!(dropped > 60 && manifest.frames.due == manifest.frames.captured + dropped, "{:?}", manifest.frames);
    assert!(!parse_events(&fs::read_to_string(folder.join(EVENTS_FILE)).unwrap()).unwrap().is_empty());
}

#[test]
fn a_disk_that_fills_up_ends_a_whole_take_and_says_why() {
    let scenario = FailScenario::setup();
    // There is room to begin, and the first two times that it is looked at.
    fail::cfg("disk.full", "3*off->return").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let (result, health) = take(&folder, sources(TestCard::new(WIDTH, HEIGHT), None), &options(15, 60.0));
    fail::cfg("disk.full", "return").unwrap();
    let refused = take(&base.path().join("another"), sources(TestCard::new(WIDTH, HEIGHT), None), &options(15, 1.0));
    let room = room_secs(&base.path().join("another"));
    scenario.teardown();
    assert_eq!(room, Some(0.0), "no room is named that is then refused");
    assert!(room_secs(base.path()).is_some_and(|secs| secs > 0.0));
    let manifest = result.unwrap();
    assert_eq!((health, manifest.stage), (vec!["disk_full".to_owned()], RecordingStage::Checked));
    assert!(ended_early(&manifest) && manifest.health[0].sentence.contains("Free some space"), "{:?}", manifest.health);
    let last = check_whole(&folder, &manifest).pictures.last().unwrap().0;
    assert!((3.0..30.0).contains(&last), "{last}");
    assert!(matches!(refused.0, Err(SessionError::Spool(SpoolError::Full { .. }))), "{refused:?}");
    assert!(!base.path().join("another").exists(), "it is not even begun");
}

#[test]
fn the_clock_on_the_wall_may_be_set_during_a_take() {
    let scenario = FailScenario::setup();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    // Right when the folder is made; then it is set back, and forth again.
    fail::cfg(
        "clock.wall",
        "1*return(2026-03-29T01:59:59Z)->1*return(2026-03-29T00:59:59Z)->return(2026-03-29T04:00:00Z)",
    )
    .unwrap();
    let mut sources = sources(TestCard::new(WIDTH, HEIGHT), Some(mic(vec![Some(tone())])));
    sources.input = clicks();
    let (result, health) = take(&folder, sources, &options(15, 3.5));
    scenario.teardown();
    let manifest = result.unwrap();
    assert_eq!((health, manifest.pauses.as_slice(), manifest.stage), (vec![], &[][..], RecordingStage::Checked));
    assert_eq!(manifest.clock.started_at, "2026-03-29T00:59:59.000Z", "as it was at the first picture");
    let viewer = check_whole(&folder, &manifest);
    assert!((3.3..4.0).contains(&viewer.pictures.last().unwrap().0), "{:?}", viewer.pictures.last());
    let events = parse_events(&fs::read_to_string(folder.join(EVENTS_FILE)).unwrap()).unwrap();
    assert!(!events.is_empty() && events.iter().all(|event| event.t < 4.0), "{events:?}");
}

#[test]
fn a_take_whose_end_cannot_be_written_is_told_as_such_and_can_be_made_whole() {
    let scenario = FailScenario::setup();
    // That of the beginning is written.
    fail::cfg("manifest.write", "1*off->return").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let (result, _) = take(&folder, sources(TestCard::new(WIDTH, HEIGHT), None), &options(15, 2.5));
    let left = Spool::open(&folder).unwrap().read_manifest().unwrap().stage;
    scenario.teardown();
    let Err(SessionError::Unfinished { folder: told, .. }) = result else { panic!("{result:?}") };
    assert_eq!((&told, left), (&folder, RecordingStage::Capturing));
    assert!(recover(&folder).unwrap().needed);
    assert_eq!(Spool::open(&folder).unwrap().read_manifest().unwrap().stage, RecordingStage::Stopped);
}

/// Ends the take as soon as it is told that it hangs.
struct Impatient<'a> {
    control: &'a Control,
    told: Option<Instant>,
}

impl Listener for Impatient<'_> {
    fn started(&mut self) {}
    fn progress(&mut self, _: Progress) {}

    fn health(&mut self, event: &HealthEvent) {
        if event.kind == "encoder_stalled" {
            self.told = Some(Instant::now());
            self.control.end();
        }
    }
}

#[test]
fn an_encoder_that_hangs_is_told_and_does_not_keep_the_take_from_ending() {
    let scenario = FailScenario::setup();
    fail::cfg("h264.send", "45*off->pause").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let card = TestCard::new(WIDTH, HEIGHT);
    let control = Control::default();
    let mut impatient = Impatient { control: &control, told: None };
    let sources = sources(card, Some(mic(vec![Some(tone())])));
    let result = record(&folder, sources, &options(15, 60.0), &control, &mut impatient);
    let waited = impatient.told.expect("it is told").elapsed();
    let left = fs::read(folder.join(VIDEO_FILE)).unwrap();
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    let Err(SessionError::Interrupted { reason }) = result else { panic!("{result:?}") };
    assert!(reason.contains("did not answer"), "{reason}");
    let manifest = Spool::open(&folder).unwrap().read_manifest().unwrap();
    assert_eq!((manifest.stage, ended_early(&manifest)), (RecordingStage::Stopped, true));
    assert_eq!(manifest.pauses, [], "a hang is no sleep");
    let told: Vec<_> = manifest.health.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(told, ["encoder_stalled", "interrupted"], "the microphone is well, and is not started again");
    assert!(manifest.frames.captured >= 30, "{:?}", manifest.frames);
    let viewer = view(&folder.join(VIDEO_FILE)).0;
    assert!(viewer.pictures.last().unwrap().0 > 1.0);
    // The encoder goes on now, and finds that it is too late.
    fail::remove("h264.send");
    wait_for_end_of("encode");
    scenario.teardown();
    assert_eq!(fs::read(folder.join(VIDEO_FILE)).unwrap(), left, "nothing is written behind the end");
}

/// Ends the take as soon as it is told that it hangs, and does not wait for that for ever.
struct Watchful<'a> {
    control: &'a Control,
    told: Vec<String>,
}

impl Listener for Watchful<'_> {
    fn started(&mut self) {}

    fn progress(&mut self, progress: Progress) {
        assert!(progress.secs < 20.0, "nothing is told");
    }

    fn health(&mut self, event: &HealthEvent) {
        self.told.push(event.kind.clone());
        self.control.end();
    }
}

#[test]
fn a_disk_that_hangs_from_the_first_byte_is_told_and_does_not_keep_the_take_from_ending() {
    let scenario = FailScenario::setup();
    fail::cfg("journal.append", "pause").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let control = Control::default();
    let mut watchful = Watchful { control: &control, told: Vec::new() };
    let sources = sources(TestCard::new(WIDTH, HEIGHT), None);
    let result = record(&folder, sources, &options(15, 60.0), &control, &mut watchful);
    assert_eq!(watchful.told, ["encoder_stalled", "interrupted"]);
    let Err(SessionError::Nothing(reason)) = result else { panic!("{result:?}") };
    assert!(reason.contains("did not answer"), "{reason}");
    fail::remove("journal.append");
    wait_for_end_of("encode");
    scenario.teardown();
    assert!(!folder.exists(), "nothing of it is left, and nothing comes later");
}

#[test]
fn an_encoder_that_hangs_for_a_while_costs_pictures_and_no_time() {
    let scenario = FailScenario::setup();
    fail::cfg("h264.send", "30*off->1*sleep(8000)->off").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let card = TestCard::new(WIDTH, HEIGHT);
    let mut heard = Heard::default();
    let sources = sources(card, Some(mic(vec![Some(tone())])));
    let result = record(&folder, sources, &options(15, 14.0), &Control::default(), &mut heard);
    scenario.teardown();
    let manifest = result.unwrap();
    let stalled = "encoder_stalled".to_owned();
    assert!(heard.health.contains(&stalled) && heard.over.contains(&stalled), "{heard:?}");
    assert!(heard.health.iter().chain(&heard.over).all(|kind| !kind.starts_with("mic_")), "{heard:?}");
    assert_eq!(manifest.pauses, []);
    let dropped: u64 = manifest.frames.dropped_per_second.values().map(|&count| u64::from(count)).sum();
    assert!(dropped > 60, "{:?}", manifest.frames);
    assert_eq!(manifest.frames.due, manifest.frames.captured + dropped);
    let viewer = view(&folder.join(VIDEO_FILE)).0;
    let last = viewer.pictures.last().unwrap().0;
    let heard_secs = viewer.samples as f64 / f64::from(RATE_HZ);
    assert!(last > 13.8 && (heard_secs - last).abs() < 0.2, "{heard_secs} s of sound beside {last} s of picture");
}

#[test]
fn input_events_that_cannot_be_written_are_told_at_once_and_the_take_goes_on() {
    let scenario = FailScenario::setup();
    fail::cfg("events.write", "3*off->return").unwrap();
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let mut sources = sources(TestCard::new(WIDTH, HEIGHT), None);
    sources.input = clicks();
    let (result, health) = take(&folder, sources, &options(15, 4.0));
    scenario.teardown();
    let manifest = result.unwrap();
    assert_eq!((health, manifest.stage), (vec!["events_lost".to_owned()], RecordingStage::Checked));
    let told = &manifest.health[0];
    assert!(told.t < 3.0 && told.sentence.contains("goes on without them"), "{told:?}");
    let events = parse_events(&fs::read_to_string(folder.join(EVENTS_FILE)).unwrap()).unwrap();
    assert!(!events.is_empty());
    let viewer = check_whole(&folder, &manifest);
    assert!(viewer.pictures.last().unwrap().0 > 3.8);
}

/// A journal of so much silence, as the recorder keeps one.
fn write_voice(path: &std::path::Path, secs: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    (0..secs * RATE_HZ).for_each(|_| writer.write_sample(0_i16).unwrap());
    writer.finalize().unwrap();
}

#[test]
fn a_voice_that_was_saved_for_longer_than_the_video_is_kept_and_named() {
    // A take beside the others would meet the failures that are meant for theirs.
    let scenario = FailScenario::setup();
    let base = tempfile::tempdir().unwrap();
    for (secs, is_kept) in [(4, false), (12, true)] {
        let folder = base.path().join(secs.to_string());
        let mut manifest = take(&folder, sources(TestCard::new(WIDTH, HEIGHT), None), &options(15, 2.5)).0.unwrap();
        manifest.stage = RecordingStage::Capturing;
        Spool::open(&folder).unwrap().write_manifest(&manifest).unwrap();
        write_voice(&folder.join("voice.wav"), secs);
        let recovered = Command::new(env!("CARGO_BIN_EXE_recorder")).arg("recover").arg(&folder).output().unwrap();
        let said = String::from_utf8(recovered.stderr).unwrap();
        assert!(recovered.status.success() && said.contains("was made whole"), "{said}");
        assert_eq!((folder.join("voice.wav").exists(), said.contains("voice.wav")), (is_kept, is_kept), "{said}");
        let manifest = Spool::open(&folder).unwrap().read_manifest().unwrap();
        assert_eq!(manifest.files.contains_key("voice.wav"), is_kept);
    }
    scenario.teardown();
}

/// Length of a 48 kHz mono WAV file of 16 bit, by the size that its head tells.
fn hound_secs(wav: &[u8]) -> f64 {
    let at = wav.windows(4).position(|name| name == b"data").unwrap() + 4;
    f64::from(u32::from_le_bytes(wav[at..at + 4].try_into().unwrap())) / 96_000.0
}

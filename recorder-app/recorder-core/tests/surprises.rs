//! What may happen around a take: another resolution, a desktop that tells of no input, a disk that fills up.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use capture::input::{InputError, RawKind, synthetic};
use capture::screen::synthetic::TestCard;
use capture::screen::{Grab, ScreenError, ScreenSource};
use crossbeam_channel::{Receiver, bounded};
use media::decode::{Picture, Sink, Sound, decode};
use media::demux::Demuxer;
use media::frame::BgraFrame;
use recorder_core::control::Control;
use recorder_core::session::{InputSource, record};
use shared_types::event::{InputEventKind, parse_events};
use shared_types::quality::flag::Flag;
use shared_types::recording::{EVENTS_FILE, RecordingStage, VIDEO_FILE};
use takes::{HEIGHT, Heard, RATE_HZ, WIDTH, check_whole, mic, options, sources, take, tone};

/// Test cards of several sizes, one after the other.
struct Resized {
    cards: Vec<TestCard>,
    each: Duration,
    /// Of the first picture; how many are taken after it depends on the clicks.
    since: Option<Instant>,
}

impl Resized {
    fn card(&self) -> usize {
        let passed = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        ((passed.as_secs_f64() / self.each.as_secs_f64()) as usize).min(self.cards.len() - 1)
    }
}

impl ScreenSource for Resized {
    fn size(&self) -> (u32, u32) {
        self.cards[self.card()].size()
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        self.since.get_or_insert_with(Instant::now);
        let card = self.card();
        self.cards[card].latest(into)
    }
}

/// How bright each picture is at the left edge, in the middle and at the right edge.
#[derive(Default)]
struct Edges(Vec<[f64; 3]>);

impl Sink for Edges {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let luma = picture.luma().unwrap();
        let mean = |columns: std::ops::Range<u32>| {
            // Below the row of the card's number.
            let spots = (40..170).flat_map(|y| columns.clone().map(move |x| (x, y)));
            let levels: Vec<_> =
                spots.map(|(x, y)| f64::from(luma.data[y as usize * luma.stride + x as usize])).collect();
            levels.iter().sum::<f64>() / levels.len() as f64
        };
        self.0.push([mean(0..80), mean(110..210), mean(240..320)]);
        ControlFlow::Continue(())
    }

    fn sound(&mut self, _: &Sound<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[test]
fn another_resolution_goes_on_in_the_same_picture() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let sizes = [(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT), (300, 400), (WIDTH, HEIGHT)];
    let cards = sizes.map(|(width, height)| TestCard::new(width, height)).into();
    let screen = Resized { cards, each: Duration::from_millis(1333), since: None };
    // A hand that clicks at the same place of the desktop all the while.
    let mut presses = 0_u32;
    let click = move || {
        presses += 1;
        let (button, x, y) = (1, 30, 40);
        Some(if presses % 2 == 1 { RawKind::ButtonDown { button, x, y } } else { RawKind::ButtonUp { button, x, y } })
    };
    let mut sources = sources(screen, None);
    sources.input = InputSource::Start(Box::new(move |sink| synthetic::start(sink, click)));
    let mut heard = Heard::default();
    let manifest = record(&folder, sources, &options(15, 6.0), &Control::default(), &mut heard).unwrap();
    assert_eq!(
        (heard.health, heard.over),
        (vec!["resolution_changed".to_owned()], vec!["resolution_changed".to_owned()])
    );
    let told = &manifest.health[0];
    assert!((1.0..3.0).contains(&told.t) && told.sentence.contains("old size again"), "{told:?}");
    assert_eq!((manifest.screen.picture_width, manifest.screen.picture_height), (WIDTH, HEIGHT));
    let viewer = check_whole(&folder, &manifest);
    assert!(viewer.pictures.last().unwrap().0 > 5.5, "no time is lost");
    let legible = |from: f64, to: f64| {
        let seen = viewer.pictures.iter().filter(|picture| (from..to).contains(&picture.0));
        seen.filter(|picture| picture.1.is_some()).count()
    };
    assert!(legible(0.0, 1.2) > 8 && legible(5.0, 6.0) > 8, "the first size fills the picture before and after");
    assert_eq!(legible(3.1, 3.7), 0, "a high screen lies between two edges");

    let mut edges = Edges::default();
    decode(&mut Demuxer::open(&folder.join(VIDEO_FILE)).unwrap(), &mut edges).unwrap();
    let is_high = |picture: &&[f64; 3]| picture[0] < 25.0 && picture[1] > 50.0 && picture[2] < 25.0;
    let fills = |picture: &&[f64; 3]| picture.iter().all(|&level| level > 50.0);
    let (high, full) = (edges.0.iter().filter(is_high).count(), edges.0.iter().filter(fills).count());
    assert!(high > 8 && full > 30 && high + full == edges.0.len(), "{high} with bars, {full} without: {:?}", edges.0);

    // The place follows the picture: as it is, at half its size, and between the bars.
    let events = parse_events(&std::fs::read_to_string(folder.join(EVENTS_FILE)).unwrap()).unwrap();
    let places = events.iter().filter_map(|event| match event.kind {
        InputEventKind::Click { x, y, .. } => Some((x.round() as i32, y.round() as i32)),
        _ => None,
    });
    let places: BTreeSet<_> = places.collect();
    let scaled = 180.0 / 400.0;
    let between = ((320.0 - 300.0 * scaled) / 2.0 + 30.0 * scaled, 40.0 * scaled);
    let is_between =
        |&(x, y): &(i32, i32)| (f64::from(x) - between.0).abs() <= 2.0 && (f64::from(y) - between.1).abs() <= 1.0;
    assert!(places.contains(&(30, 40)) && places.contains(&(15, 20)) && places.iter().any(is_between), "{places:?}");
    assert_eq!(places.len(), 3, "{places:?}");
}

/// A display that gives pictures for a while and then answers no more, until it is told to.
struct Hanging {
    card: TestCard,
    pictures: u32,
    release: Receiver<()>,
}

impl ScreenSource for Hanging {
    fn size(&self) -> (u32, u32) {
        self.card.size()
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        self.pictures = self.pictures.saturating_sub(1);
        if self.pictures == 0 {
            self.release.recv().ok();
        }
        self.card.latest(into)
    }
}

#[test]
fn a_display_that_answers_no_more_does_not_keep_the_take_from_ending() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let (release, held) = bounded::<()>(0);
    let screen = Hanging { card: TestCard::new(WIDTH, HEIGHT), pictures: 45, release: held.clone() };
    let mut sources = sources(screen, None);
    // The reader of mouse and keyboard waits for the same display.
    let asks = move || held.recv().ok().and(None);
    sources.input = InputSource::Start(Box::new(move |sink| synthetic::start(sink, asks)));
    let (result, health) = take(&folder, sources, &options(15, 5.0));
    drop(release);
    let manifest = result.unwrap();
    assert_eq!((health, manifest.stage), (vec!["screen_lost".to_owned()], RecordingStage::Checked));
    assert!(manifest.health[0].sentence.contains("stopped answering"), "{:?}", manifest.health);
    let viewer = check_whole(&folder, &manifest);
    let legible = viewer.pictures.iter().filter(|picture| picture.1.is_some()).count();
    assert!(legible >= 40, "all of its pictures are there: {legible}");
    let frames = &manifest.frames;
    let dropped: u64 = frames.dropped_per_second.values().map(|&count| u64::from(count)).sum();
    assert!(dropped >= 25 && frames.due == frames.captured + dropped, "none is missed in silence: {frames:?}");
    assert!(manifest.quality.as_ref().unwrap().has(Flag::DroppedFrames), "{:?}", manifest.quality);
}

/// A display that lets itself be waited for, once.
struct Slow {
    card: TestCard,
    begun: Option<Instant>,
    from: Duration,
    until: Duration,
    release: Receiver<()>,
}

impl ScreenSource for Slow {
    fn size(&self) -> (u32, u32) {
        self.card.size()
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if begun.elapsed() >= self.from {
            self.release.recv_deadline(begun + self.until).ok();
        }
        self.card.latest(into)
    }
}

#[test]
fn nothing_that_is_said_or_shown_after_the_stop_is_kept_however_long_the_display_takes() {
    let base = tempfile::tempdir().unwrap();
    let lost = vec!["screen_lost".to_owned()];
    // One answers before it is given up.
    for (name, until, told) in [("late", Duration::from_secs(5), vec![]), ("never", Duration::from_mins(9), lost)] {
        let folder = base.path().join(name);
        let (release, held) = bounded::<()>(0);
        let from = Duration::from_millis(1500);
        let screen = Slow { card: TestCard::new(WIDTH, HEIGHT), begun: None, from, until, release: held };
        let (result, health) = take(&folder, sources(screen, Some(mic(vec![Some(tone())]))), &options(15, 3.0));
        drop(release);
        let manifest = result.unwrap();
        assert_eq!((health, manifest.stage), (told, RecordingStage::Checked), "{name}");
        let viewer = check_whole(&folder, &manifest);
        let (last, heard) = (viewer.pictures.last().unwrap().0, viewer.samples as f64 / f64::from(RATE_HZ));
        assert!((2.9..3.6).contains(&last), "{name}: the last picture is at {last}");
        assert!((heard - last).abs() < 0.2, "{name}: {heard} s of sound beside {last} s of picture");
        assert!(*viewer.loud.last().unwrap() > 2.8, "{name}: the voice is there until the stop");
        let shown = viewer.pictures.iter().rfind(|picture| picture.0 < last).unwrap().0;
        assert!(shown < 1.7, "{name}: a picture of {shown} s is of after the stop");
        let dropped: u32 = manifest.frames.dropped_per_second.values().sum();
        assert!((15..30).contains(&dropped), "{name}: {:?}", manifest.frames);
    }
}

#[test]
fn a_desktop_that_tells_of_no_input_is_told_at_the_beginning() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let mut sources = sources(TestCard::new(WIDTH, HEIGHT), None);
    sources.input = InputSource::Start(Box::new(|_| Err(InputError::Wayland)));
    let (result, health) = take(&folder, sources, &options(15, 1.5));
    let manifest = result.unwrap();
    assert_eq!(health, ["no_input_events"]);
    assert!(!manifest.input_events.recorded && manifest.health[0].t < 1.0, "{:?}", manifest.health);
    assert_eq!(manifest.input_events.reason.as_ref(), Some(&manifest.health[0].sentence));
    assert!(!folder.join(EVENTS_FILE).exists());
}

/// How a program gets mounts of its own: in a user's namespace, or as root; some containers allow neither.
#[cfg(target_os = "linux")]
fn own_mounts() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];
    ways.into_iter().find(|way| {
        let mut probe = std::process::Command::new("unshare");
        let probe = probe.args(*way).args(["mount", "-t", "tmpfs", "probe", "/mnt"]);
        probe.output().is_ok_and(|output| output.status.success())
    })
}

/// A disk of its own, made in a namespace that ends with the recorder, is filled while the take runs.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_ends_a_whole_take_and_says_why() {
    const SCRIPT: &str = r#"
        set -e
        mount -t tmpfs -o size=150m disk "$2"
        "$1" record --screen synthetic --mic none --seconds 60 --out "$2/take" 2>"$3/said" &
        until grep -q '^Recording' "$3/said"; do kill -0 $!; done
        until [ -s "$2/take/recording.json" ]; do kill -0 $!; done
        head -c 125000000 /dev/zero >"$2/filler"
        code=0; wait $! || code=$?
        echo $code >"$3/code"
        cp -r "$2/take" "$3/take"
    "#;
    let base = tempfile::tempdir().unwrap();
    let (disk, out) = (base.path().join("disk"), base.path().join("out"));
    std::fs::create_dir(&disk).unwrap();
    std::fs::create_dir(&out).unwrap();
    let Some(own) = own_mounts() else {
        println!("nobody here may mount a disk of their own: tested with a made one alone (tests/failures.rs)");
        return;
    };
    let status = std::process::Command::new("unshare")
        .args(own)
        .args(["sh", "-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_recorder")])
        .args([&disk, &out])
        .status()
        .unwrap();
    assert!(status.success(), "a disk of one's own could not be made or filled");
    let said = std::fs::read_to_string(out.join("said")).unwrap();
    assert!(said.contains("The disk is almost full, so the take was ended. Free some space"), "{said}");
    assert_eq!(std::fs::read_to_string(out.join("code")).unwrap().trim(), "1");
    let folder = out.join("take");
    let manifest = recorder_core::spool::Spool::open(&folder).unwrap().read_manifest().unwrap();
    assert_eq!(manifest.stage, RecordingStage::Checked);
    assert_eq!(manifest.health.last().unwrap().kind, "disk_full");
    assert!(manifest.quality.is_some());
    check_whole(&folder, &manifest);
}

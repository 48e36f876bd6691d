//! What may happen around a take: another resolution, a disk that fills up.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use capture::screen::synthetic::TestCard;
use capture::screen::{Grab, ScreenError, ScreenSource};
use media::frame::BgraFrame;
use shared_types::recording::RecordingStage;
use takes::{HEIGHT, WIDTH, check_whole, options, sources, take};

/// Test cards of several sizes, one after the other.
struct Resized {
    cards: Vec<TestCard>,
    grabs_each: usize,
    grabs: usize,
}

impl Resized {
    fn card(&self) -> usize {
        (self.grabs / self.grabs_each).min(self.cards.len() - 1)
    }
}

impl ScreenSource for Resized {
    fn size(&self) -> (u32, u32) {
        self.cards[self.card()].size()
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let card = self.card();
        self.grabs += 1;
        self.cards[card].latest(into)
    }
}

#[test]
fn another_resolution_goes_on_in_the_same_picture() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let sizes = [(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT), (300, 400), (WIDTH, HEIGHT)];
    let cards = sizes.map(|(width, height)| TestCard::new(width, height)).into();
    let screen = Resized { cards, grabs_each: 20, grabs: 0 };
    let (result, health) = take(&folder, sources(screen, None), &options(15, 6.0));
    let manifest = result.unwrap();
    assert!(!health.iter().any(|kind| kind == "screen_lost"), "{health:?}");
    assert_eq!((manifest.screen.picture_width, manifest.screen.picture_height), (WIDTH, HEIGHT));
    let viewer = check_whole(&folder, &manifest);
    assert!(viewer.pictures.last().unwrap().0 > 5.5, "no time is lost");
    let legible = |from: f64, to: f64| {
        let seen = viewer.pictures.iter().filter(|picture| (from..to).contains(&picture.0));
        seen.filter(|picture| picture.1.is_some()).count()
    };
    assert!(legible(0.0, 1.2) > 8 && legible(5.0, 6.0) > 8, "the first size fills the picture before and after");
    assert_eq!(legible(3.1, 3.7), 0, "a high screen lies between two edges");
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
        println!("nobody here may mount a disk of their own: not tested");
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

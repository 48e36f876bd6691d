//! Encoders that fail during a take, by the named points in the code that let them.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use std::fs;

use capture::screen::synthetic::TestCard;
use fail::FailScenario;
use recorder_core::session::SessionError;
use recorder_core::spool::Spool;
use shared_types::recording::{RecordingStage, VIDEO_FILE};
use takes::{HEIGHT, RATE_HZ, WIDTH, check_whole, mic, options, sources, take, tone, view};

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
    let viewer = view(&folder.join(VIDEO_FILE)).0;
    let in_video = viewer.samples as f64 / f64::from(RATE_HZ);
    let voice = hound_secs(&fs::read(folder.join("voice.wav")).unwrap());
    assert!(in_video > 1.5 && voice >= in_video - 0.02, "{voice} s of voice beside {in_video} s in the video");
    assert!(manifest.files.contains_key("voice.wav"));
}

/// Length of a 48 kHz mono WAV file of 16 bit, by the size that its head tells.
fn hound_secs(wav: &[u8]) -> f64 {
    let at = wav.windows(4).position(|name| name == b"data").unwrap() + 4;
    f64::from(u32::from_le_bytes(wav[at..at + 4].try_into().unwrap())) / 96_000.0
}

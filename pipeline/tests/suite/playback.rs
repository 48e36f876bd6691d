//! What the reviewer's page plays, made of recordings with and without sound and of one that was cut off.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use media::decode::{Picture, Sink, Sound, decode};
use media::demux::{Demuxer, length_secs};
use media::examine::{Beside, NoObserver, examine};
use pipeline::passes::limited::ChildError;
use pipeline::passes::playback::{PlaybackError, PlaybackFiles, SpriteIndex, Waveform, make};
use pipeline::passes::redact::cover::{Cover, Fill};
use pipeline::passes::redact::recording::redact;
use serde::de::DeserializeOwned;
use shared_types::quality::measurements::Span;
use shared_types::quality::measurements::{Measurements, SoundMeasures};
use shared_types::redaction::{RedactionRange, RedactionTrack};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(name)
}

fn made(video: &Path) -> (TempDir, Result<PlaybackFiles, PlaybackError>, f64) {
    let folder = tempfile::tempdir().unwrap();
    let mut told = 0.0;
    let program = Path::new(env!("CARGO_BIN_EXE_pipeline"));
    let files = make(program, video, folder.path(), Cover::default(), &AtomicBool::new(false), |secs| told = secs);
    (folder, files, told)
}

fn json<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn measured(video: &Path) -> Measurements {
    examine(video, Beside::default(), &mut NoObserver).unwrap()
}

/// Names of a file's outermost boxes, in order.
fn boxes(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let (mut names, mut at) = (Vec::new(), 0);
    while at + 8 <= bytes.len() {
        names.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
        at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    names
}

/// The copy of a recording plays as long, in a browser's form, and the sheet and the outline cover all of it.
#[track_caller]
fn check(video: &Path, sound: bool) -> (PlaybackFiles, TempDir) {
    let (folder, files, told) = made(video);
    let files = files.unwrap();
    let secs = length_secs(video).unwrap();
    let copy = measured(&files.playback);
    let copy_secs = copy.active_secs.unwrap();
    assert!((copy_secs - secs).abs() < 0.2, "{copy_secs} of {secs}");
    assert!(told > secs - 2.0, "{told} of {secs}");
    let picture = copy.picture.unwrap();
    assert_eq!((picture.codec.as_str(), picture.height), ("h264", 720));
    assert_eq!(
        copy.sound.map(|SoundMeasures { codec, rate_hz, .. }| (codec, rate_hz)),
        sound.then(|| ("aac".to_owned(), 48_000))
    );

    let boxes = boxes(&files.playback);
    let place = |name: &str| boxes.iter().position(|found| found == name).unwrap();
    assert!(place("moov") < place("mdat"), "{boxes:?}");

    let index: SpriteIndex = json(files.sprite_index.as_deref().unwrap());
    let sheet = image::open(files.sprite.as_deref().unwrap()).unwrap();
    let rows = index.count.div_ceil(index.columns);
    assert_eq!((sheet.width(), sheet.height()), (index.tile_width * index.columns, index.tile_height * rows));
    assert_eq!((index.tile_width, index.tile_height, index.columns), (160, 90, 10));
    assert_eq!(index.count, (secs / index.every_secs).ceil() as u32);

    let waveform: Waveform = json(&files.waveform);
    assert!(waveform.peaks.len() <= 1000);
    assert!(waveform.peaks.iter().all(|peak| (0.0..=1.0).contains(peak)));
    assert_eq!(waveform.peaks.is_empty(), !sound);
    if sound {
        let covered = waveform.peaks.len() as f64 * waveform.every_secs;
        assert!((covered - secs).abs() <= waveform.every_secs, "{covered} of {secs}");
    }
    // Nothing else is left in the folder.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), files.paths().count());
    (files, folder)
}

#[test]
fn a_recording_with_sound_becomes_a_copy_with_sound() {
    let (files, _folder) = check(&fixture("clipping.mkv"), true);
    let waveform: Waveform = json(&files.waveform);
    assert!(waveform.peaks.iter().any(|&peak| peak > 0.9), "what clips is drawn at full height");
}

#[test]
fn a_recording_without_sound_becomes_a_copy_without() {
    check(&fixture("video_only.mp4"), false);
}

#[test]
fn what_decodes_of_a_cut_off_recording_is_kept() {
    let whole = std::fs::read(fixture("silent_mic.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.mp4");
    std::fs::write(&cut, &whole[..whole.len() * 6 / 10]).unwrap();
    let (_folder, files, _) = made(&cut);
    match files {
        Ok(files) => {
            let secs = length_secs(&cut).unwrap();
            let copy_secs = measured(&files.playback).active_secs.unwrap();
            assert!(copy_secs > 5.0 && (copy_secs - secs).abs() < 0.2, "{copy_secs} of {secs}");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_cannot_be_played_or_was_stopped_leaves_nothing_behind() {
    let text = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(text.path(), "#EXTM3U\n/etc/passwd\n").unwrap();
    let (folder, files, _) = made(text.path());
    assert!(matches!(files, Err(PlaybackError::NothingPlays)), "{files:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pipeline"));
    let stopped =
        make(program, &fixture("video_only.mp4"), folder.path(), Cover::default(), &AtomicBool::new(true), |_| {});
    assert!(matches!(stopped, Err(PlaybackError::Child(ChildError::Stopped))), "{stopped:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// How bright a spot of the picture is and how loud the sound, by time.
#[derive(Default)]
struct Looker {
    spot: Vec<(f64, u8)>,
    loud: Vec<(f64, f32)>,
}

impl Sink for Looker {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let t = picture.t.secs();
        let luma = picture.luma().unwrap();
        self.spot.push((t, luma.data[luma.stride * 40 + 40]));
        ControlFlow::Continue(())
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        let peak = sound.channels[0].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        self.loud.push((sound.t, peak));
        ControlFlow::Continue(())
    }
}

/// The spot is filled and the sound silent from 1.5 s to 2.5 s, and at no other time.
#[track_caller]
fn check_covered(path: &Path) {
    let mut looker = Looker::default();
    decode(&mut Demuxer::open(path).unwrap(), &mut looker).unwrap();
    // Edges of a span fall into a frame of picture or sound, and coding smears them a little.
    let inside = |t: f64| (1.6..2.4).contains(&t);
    let outside = |t: f64| !(1.35..=2.65).contains(&t);
    assert!(looker.spot.iter().any(|&(t, _)| inside(t)) && looker.loud.iter().any(|&(t, _)| inside(t)));
    for &(t, luma) in &looker.spot {
        assert!(!inside(t) || luma.abs_diff(56) <= 6, "{t}: {luma}");
    }
    for &(t, peak) in &looker.loud {
        assert!(!inside(t) || peak < 0.02, "{t}: {peak}");
    }
    assert!(looker.loud.iter().any(|&(t, peak)| outside(t) && peak > 0.3), "the rest is heard");
    assert!(looker.spot.iter().any(|&(t, luma)| outside(t) && luma.abs_diff(56) > 6), "the rest is seen");
}

#[test]
fn what_is_covered_is_neither_seen_nor_heard_in_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let span = Span::new(1.5, 2.5);
    let fills = vec![Fill { span, bounds: Some([0.0, 0.0, 60.0, 60.0]) }];
    let cover = Cover { patches: Vec::new(), fills, mutes: vec![span] };
    let program = Path::new(env!("CARGO_BIN_EXE_pipeline"));
    let files = make(program, &fixture("clipping.mkv"), folder.path(), cover, &AtomicBool::new(false), |_| {}).unwrap();
    check_covered(&files.playback);
    let waveform: Waveform = json(&files.waveform);
    let at = |t: f64| waveform.peaks[(t / waveform.every_secs) as usize];
    assert!(at(2.0) < 0.01, "{}", at(2.0));
}

#[test]
fn a_redacted_recording_is_one_of_the_same_form_without_the_range() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::copy(fixture("clipping.mkv"), from.path().join("video.mp4")).unwrap();
    let title = "{\"t\":1.0,\"kind\":\"window\",\"title\":\"Jane's cart\"}\n";
    std::fs::write(from.path().join("events.jsonl"), title).unwrap();
    let range =
        RedactionRange { start: 1.5, end: 2.5, track: RedactionTrack::Both, bounds: Some([0.0, 0.0, 60.0, 60.0]) };
    let program = Path::new(env!("CARGO_BIN_EXE_pipeline"));
    redact(program, from.path(), to.path(), &[range], &AtomicBool::new(false), |_| {}).unwrap();
    let video = to.path().join("video.mp4");
    check_covered(&video);
    let (before, after) = (measured(&from.path().join("video.mp4")), measured(&video));
    assert!((before.active_secs.unwrap() - after.active_secs.unwrap()).abs() < 0.1);
    let (before, after) = (before.picture.unwrap(), after.picture.unwrap());
    assert_eq!((before.width, before.height, after.codec.as_str()), (after.width, after.height, "h264"));
    assert!(boxes(&video).iter().filter(|name| *name == "moof").count() > 2, "it is fragmented");
    let events = std::fs::read_to_string(to.path().join("events.jsonl")).unwrap();
    assert!(events.contains("[redacted]") && !events.contains("Jane"), "{events}");
    assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 2, "nothing else is left in the folder");

    let stopped = tempfile::tempdir().unwrap();
    let error = redact(program, from.path(), stopped.path(), &[], &AtomicBool::new(true), |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "stopped");
    std::fs::write(from.path().join("video.mp4"), "#EXTM3U\n").unwrap();
    let none = tempfile::tempdir().unwrap();
    let error = redact(program, from.path(), none.path(), &[], &AtomicBool::new(false), |_| {}).unwrap_err();
    assert!(error.to_string().contains("nothing in the recording can be decoded"), "{error}");
}

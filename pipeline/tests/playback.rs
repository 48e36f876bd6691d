//! What the reviewer's page plays, made of recordings with and without sound and of one that was cut off.

#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use media::demux::length_secs;
use media::examine::{Beside, NoObserver, examine};
use pipeline::passes::playback::{PlaybackError, PlaybackFiles, SpriteIndex, Waveform, make};
use serde::de::DeserializeOwned;
use shared_types::quality::measurements::{Measurements, SoundMeasures};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(name)
}

fn made(video: &Path) -> (TempDir, Result<PlaybackFiles, PlaybackError>, f64) {
    let folder = tempfile::tempdir().unwrap();
    let mut told = 0.0;
    let program = Path::new(env!("CARGO_BIN_EXE_pipeline"));
    let files = make(program, video, folder.path(), &AtomicBool::new(false), |secs| told = secs);
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
    let stopped = make(program, &fixture("video_only.mp4"), folder.path(), &AtomicBool::new(true), |_| {});
    assert!(matches!(stopped, Err(PlaybackError::Stopped)), "{stopped:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

//! A recording handed in again, changed in the ways that cost nothing, keeps fingerprints by which it is found: by its
//! picture and by its sound. That a part of a take is found by its picture needs more changes of page than this one has, and is
//! tested with made hashes (`shared-types/tests/fingerprint.rs`) and by `bench/truth.sh`.

#![cfg(feature = "codecs")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

use std::ops::ControlFlow;
use std::path::Path;

use media::decode::{Picture, Sink, Sound, decode};
use media::demux::Demuxer;
use media::measure::fingerprint::{PictureFingerprinter, SoundFingerprinter};
use media::measure::picture::LumaView;
use shared_types::fingerprint::{Fingerprints, compare};

/// One luma picture of the take.
struct Shown {
    t: f64,
    width: u32,
    height: u32,
    data: Vec<u8>,
}

#[derive(Default)]
struct Take {
    pictures: Vec<Shown>,
    voice: Vec<f32>,
}

impl Sink for Take {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let t = picture.t.secs();
        // Four a second are enough: the print has two.
        if self.pictures.last().is_none_or(|last| t - last.t >= 0.24) {
            let luma = picture.luma().unwrap();
            let data = luma.rows().flatten().copied().collect();
            self.pictures.push(Shown { t, width: luma.width, height: luma.height, data });
        }
        ControlFlow::Continue(())
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        self.voice.extend_from_slice(sound.voice);
        ControlFlow::Continue(())
    }
}

fn take(name: &str) -> Take {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipeline/tests/fixtures/recordings").join(name);
    let mut take = Take::default();
    decode(&mut Demuxer::open(&path).unwrap(), &mut take).unwrap();
    take
}

/// The same number for the same place, in every run.
fn chance(index: usize, salt: u32) -> u32 {
    let mixed = (index as u32 ^ salt.rotate_left(16)).wrapping_mul(2_654_435_761);
    (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) >> 16
}

/// What may be done to a picture: its luma, size and time.
struct Change {
    what: &'static str,
    shrink: u32,
    tone: fn(u8) -> f64,
    noise: u32,
}

fn changed(pictures: &[Shown], change: &Change) -> Fingerprints {
    let mut print = PictureFingerprinter::default();
    for (number, shown) in pictures.iter().enumerate() {
        let (width, height) = (shown.width / change.shrink, shown.height / change.shrink);
        let place = |x: u32, y: u32| ((y * change.shrink) * shown.width + x * change.shrink) as usize;
        let pixel = |index: usize| {
            let noise = f64::from(chance(index, number as u32) % (2 * change.noise + 1)) - f64::from(change.noise);
            ((change.tone)(shown.data[index]) + noise).clamp(0.0, 255.0) as u8
        };
        let data: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| place(x, y))).map(pixel).collect();
        print.push(LumaView { width, height, stride: width as usize, data: &data }, shown.t);
    }
    let (picture, changes) = print.finish(pictures.last().unwrap().t);
    Fingerprints { picture, changes, ..Fingerprints::default() }
}

#[test]
fn a_changed_picture_is_known_for_the_same() {
    let pictures = take("silent_mic.mp4").pictures;
    let plain = Change { what: "unchanged", shrink: 1, tone: f64::from, noise: 0 };
    let original = changed(&pictures, &plain);
    let rows = [
        Change { what: "encoded again, crudely", noise: 9, ..plain },
        Change { what: "half as wide and high", shrink: 2, ..plain },
        Change { what: "brighter", tone: |luma| f64::from(luma) + 30.0, ..plain },
        Change { what: "darker and flatter", tone: |luma| 12.0 + 0.7 * f64::from(luma), ..plain },
        Change { what: "all of it", shrink: 2, tone: |luma| 20.0 + 0.8 * f64::from(luma), noise: 6 },
    ];
    for change in rows {
        let copy = changed(&pictures, &change);
        let found = compare(&copy, &original).unwrap_or_else(|| panic!("{} was not found", change.what));
        assert!(found.shared > 0.6, "{}: {found:?}", change.what);
    }
}

#[test]
fn changed_sound_is_known_for_the_same_and_another_sentence_is_not() {
    let voice = take("clipping.mkv").voice;
    let printed = |samples: &[f32]| {
        let mut print = SoundFingerprinter::default();
        print.push(samples);
        Fingerprints { sound: print.finish(), ..Fingerprints::default() }
    };
    let original = printed(&voice);
    let noise = |index: usize| (f64::from(chance(index, 7) % 2001) / 1000.0 - 1.0) as f32;
    let with = |gain: f32, hiss: f32, samples: &[f32]| -> Vec<f32> {
        samples.iter().enumerate().map(|(index, sample)| gain * sample + hiss * noise(index)).collect()
    };
    let rows = [
        ("quieter", with(0.2, 0.0, &voice)),
        ("with hiss", with(0.5, 0.01, &voice)),
        ("trimmed", voice[52_345..voice.len() - 30_000].to_vec()),
        ("all of it", with(0.3, 0.005, &voice[52_345..voice.len() - 30_000])),
    ];
    for (what, copy) in rows {
        assert!(compare(&printed(&copy), &original).is_some(), "{what} was not found");
    }
    let backwards: Vec<f32> = voice.iter().rev().copied().collect();
    assert_eq!(compare(&printed(&backwards), &original), None);
}

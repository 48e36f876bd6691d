//! Encode, mux, cut, demux, decode: what went in comes out, in time.
#![cfg(feature = "codecs")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use media::cut::{CutError, cut};
use media::decode::{Picture, Sink, Sound, VOICE_RATE_HZ, decode};
use media::demux::Demuxer;
use media::encode::h264::H264Encoder;
use media::encode::opus::{OPUS_FRAME_SAMPLES, OpusEncoder};
use media::fit::{letterbox, picture_size};
use media::frame::BgraFrame;
use media::journal::{Journal, recover};
use media::mux::FragmentWriter;
use media::synth;
use media::time::{MediaTime, Monotonic};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 180;
const FPS: u32 = 20;

/// A take of flashes and beeps, `secs` long, a fragment a second; sound comes `late_secs` after its picture.
fn made_take(path: &Path, secs: u32, late_secs: f64) -> usize {
    let (mut video, _) = H264Encoder::open(WIDTH, HEIGHT, FPS).unwrap();
    let mut audio = OpusEncoder::open().unwrap();
    let mut writer = FragmentWriter::create(Journal::create(path).unwrap(), &video, Some(&audio), FPS).unwrap();
    let mut frame = BgraFrame { width: 0, height: 0, stride: 0, data: Vec::new(), at: Monotonic::from_nanos(0) };
    let mut samples = 0_u64;
    for index in 0..secs * FPS {
        let t = f64::from(index) / f64::from(FPS);
        let key = index % FPS == 0;
        synth::draw_card(&mut frame, WIDTH, HEIGHT, t, Monotonic::from_nanos(0));
        for packet in video.encode(&frame, MediaTime::from_secs(t), key).unwrap() {
            assert!(packet.is_key() || !key);
            writer.video(packet).unwrap();
        }
        let is_last = index + 1 == secs * FPS;
        let heard = t + 1.0 / f64::from(FPS) - if is_last { 0.0 } else { late_secs };
        while (samples as f64) < heard * 48_000.0 {
            let chunk: Vec<f32> =
                (0..OPUS_FRAME_SAMPLES as u64).map(|i| synth::beep((samples + i) as f64 / 48_000.0)).collect();
            samples += OPUS_FRAME_SAMPLES as u64;
            for packet in audio.encode(&chunk).unwrap() {
                writer.audio(packet).unwrap();
            }
        }
    }
    for packet in audio.finish().unwrap() {
        writer.audio(packet).unwrap();
    }
    writer.finish(MediaTime::from_secs(f64::from(secs))).unwrap().0.len()
}

/// When flashes and beeps begin.
#[derive(Default)]
struct Onsets {
    white: bool,
    flashes: Vec<f64>,
    loud: bool,
    beeps: Vec<f64>,
    quiet_for: u32,
    pictures: Vec<f64>,
}

impl Sink for Onsets {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let t = picture.t.secs();
        self.pictures.push(t);
        let white = picture.luma().unwrap().data[5] > 150;
        if white && !self.white {
            self.flashes.push(t);
        }
        self.white = white;
        ControlFlow::Continue(())
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        for (index, sample) in sound.channels[0].iter().enumerate() {
            self.quiet_for = if sample.abs() > 0.05 { 0 } else { self.quiet_for + 1 };
            let loud = self.quiet_for < 500;
            if loud && !self.loud {
                self.beeps.push(sound.t + index as f64 / f64::from(sound.rate_hz));
            }
            self.loud = loud;
        }
        ControlFlow::Continue(())
    }
}

fn onsets(path: &Path) -> Onsets {
    let mut onsets = Onsets { quiet_for: 1000, ..Onsets::default() };
    let report = decode(&mut Demuxer::open(path).unwrap(), &mut onsets).unwrap();
    assert_eq!(report.damaged_packets, 0);
    onsets
}

#[test]
fn flash_and_beep_come_back_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("take.mp4");
    let fragments = made_take(&path, 8, 0.0);
    assert_eq!(fragments, 9, "a head and a fragment a second");
    let onsets = onsets(&path);
    assert_eq!(onsets.pictures.len(), 160);
    assert_eq!(onsets.flashes.len(), 4, "{:?}", onsets.flashes);
    assert_eq!(onsets.beeps.len(), 4, "{:?}", onsets.beeps);
    for (index, (flash, beep)) in onsets.flashes.iter().zip(&onsets.beeps).enumerate() {
        let due = synth::FLASH_FIRST_SECS + index as f64 * synth::FLASH_EVERY_SECS;
        assert!((flash - due).abs() < 0.001, "flash {index} at {flash}, due at {due}");
        assert!((beep - flash).abs() <= 0.010, "beep {index} at {beep}, flash at {flash}");
    }
}

#[test]
fn a_file_cut_at_any_byte_recovers_to_its_last_whole_fragment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("take.mp4");
    made_take(&path, 4, 0.0);
    let whole = std::fs::read(&path).unwrap();
    let pieces = recover(&path).unwrap().fragments;
    let begins: Vec<Option<f64>> = pieces.iter().map(|piece| piece.t).collect();
    assert_eq!(begins, [None, Some(0.0), Some(1.0), Some(2.0), Some(3.0)]);
    assert_eq!(pieces.iter().map(|piece| piece.bytes).sum::<u64>(), whole.len() as u64);
    let cut_path = folder.path().join("cut.mp4");
    for step in 1..40 {
        let length = whole.len() * step / 40;
        std::fs::write(&cut_path, &whole[..length]).unwrap();
        let recovered = recover(&cut_path).unwrap();
        let kept = pieces.iter().take_while(|piece| piece.offset + piece.bytes <= length as u64).count();
        assert_eq!(recovered.fragments.len(), kept, "cut at {length}");
        if kept >= 2 {
            let pictures = onsets(&cut_path).pictures;
            assert_eq!(pictures.len(), (kept - 1) * FPS as usize, "cut at {length}");
        }
    }
}

/// Cuts, and compares what can be seen and heard afterwards with what was there before.
#[track_caller]
fn check_cut(late_secs: f64, from: f64, to: f64, removed: (f64, f64)) {
    const SECS: u32 = 10;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    made_take(&path("take.mp4"), SECS, late_secs);
    let made = cut(&path("take.mp4"), &path("cut.mp4"), from, to).unwrap();
    assert_eq!((made.removed.start, made.removed.end), removed);
    let found = recover(&path("cut.mp4")).unwrap();
    assert_eq!((found.removed_bytes, &found.fragments, &found.file), (0, &made.fragments, &made.file));

    let length = removed.1 - removed.0;
    let moved = |t: &f64| if *t >= removed.1 { t - length } else { *t };
    let kept = |t: &&f64| **t < removed.0 - 1e-6 || **t >= removed.1 - 1e-6;
    let (before, after) = (onsets(&path("take.mp4")), onsets(&path("cut.mp4")));
    let expected: Vec<f64> = before.pictures.iter().filter(kept).map(moved).collect();
    assert_eq!(after.pictures.len(), expected.len());
    assert!(after.pictures.iter().zip(&expected).all(|(t, due)| (t - due).abs() < 1e-3), "{:?}", after.pictures);
    let dues: Vec<f64> = before.flashes.iter().filter(kept).map(moved).collect();
    assert_eq!((after.flashes.len(), after.beeps.len()), (dues.len(), dues.len()), "{:?}", after.beeps);
    for ((flash, beep), due) in after.flashes.iter().zip(&after.beeps).zip(dues) {
        assert!((flash - due).abs() < 0.001 && (beep - due).abs() <= 0.010, "{flash} and {beep}, due at {due}");
    }
}

#[test]
fn a_cut_takes_whole_fragments_of_picture_and_their_sound_wherever_it_lies() {
    for late_secs in [0.0, 0.37, 1.4] {
        // Flashes and beeps lie at 1, 3, 5, 7, 9 s.
        check_cut(late_secs, 4.3, 5.6, (4.0, 6.0));
        check_cut(late_secs, 4.0, 6.0, (4.0, 6.0));
        check_cut(late_secs, 0.0, 1.5, (0.0, 2.0));
        check_cut(late_secs, 8.2, 99.0, (8.0, 10.0));
        check_cut(late_secs, 6.999, 7.001, (6.0, 8.0));
    }
}

#[test]
fn a_cut_file_can_be_cut_again_and_what_cannot_be_cut_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    made_take(&path("0.mp4"), 12, 0.4);
    for index in 0..4 {
        let (from, into) = (path(&format!("{index}.mp4")), path(&format!("{}.mp4", index + 1)));
        cut(&from, &into, 2.1, 2.9).unwrap();
    }
    let after = onsets(&path("4.mp4"));
    // Seconds 2 to 5 are gone, and with them the flashes at 3 and 5.
    assert_eq!((after.pictures.len(), after.flashes.len()), (8 * FPS as usize, 4));
    for ((flash, beep), due) in after.flashes.iter().zip(&after.beeps).zip([1.0, 3.0, 5.0, 7.0]) {
        assert!((flash - due).abs() < 0.001 && (beep - due).abs() <= 0.010, "{flash} and {beep}, due at {due}");
    }
    assert!(matches!(cut(&path("4.mp4"), &path("all"), 0.0, 8.0), Err(CutError::Everything)));
    assert!(matches!(cut(&path("4.mp4"), &path("none"), 8.0, 9.0), Err(CutError::Outside { .. })));
    std::fs::write(path("text"), "no video, and longer than a head").unwrap();
    assert!(matches!(cut(&path("text"), &path("text.mp4"), 0.0, 1.0), Err(CutError::Foreign(_))));
}

/// Seconds of sound and of voice, and the loudest sample.
#[derive(Default)]
struct Heard {
    sound: f64,
    voice: f64,
    peak: f32,
}

impl Sink for Heard {
    fn picture(&mut self, _: &mut Picture<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        self.sound += sound.channels[0].len() as f64 / f64::from(sound.rate_hz);
        self.voice += sound.voice.len() as f64 / f64::from(VOICE_RATE_HZ);
        let all = sound.channels.iter().copied().flatten().chain(sound.voice);
        self.peak = all.fold(self.peak, |peak, sample| peak.max(if sample.is_finite() { sample.abs() } else { 99.0 }));
        ControlFlow::Continue(())
    }
}

#[track_caller]
fn check_heard(name: &str, arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error"]).args(arguments).arg(&path);
    assert!(command.status().unwrap().success(), "FFmpeg could not make {name} with {arguments:?}");
    let mut heard = Heard::default();
    let report = decode(&mut Demuxer::open(&path).unwrap(), &mut heard).unwrap();
    assert_eq!(report.damaged_packets, 0, "{name} with {arguments:?}");
    let whole = |secs: f64| (1.9..2.1).contains(&secs);
    assert!(whole(heard.sound) && whole(heard.voice), "{} and {} s of {name}, {arguments:?}", heard.sound, heard.voice);
    assert!(heard.peak > 0.01 && heard.peak <= 2.0, "{} of {name}, {arguments:?}", heard.peak);
}

#[test]
fn sound_of_any_layout_is_heard_to_its_end() {
    let tone = "sine=frequency=440:duration=2:sample_rate=48000,volume=4";
    for (name, codec, layout) in [
        ("take.mkv", "pcm_s16le", "mono"),
        ("take.mkv", "pcm_s16le", "stereo"),
        ("take.mkv", "flac", "5.1(side)"),
        ("take.mkv", "ac3", "5.1(side)"),
        ("take.mp4", "aac", "3.0"),
        ("take.mp4", "aac", "stereo"),
        ("take.mp4", "aac", "7.1"),
        ("take.mkv", "libopus", "quad"),
        ("take.mkv", "pcm_f32le", "hexadecagonal"),
        ("take.mov", "pcm_s16le", "mono"),
    ] {
        let format = format!("aformat=channel_layouts={layout}");
        check_heard(name, &["-f", "lavfi", "-i", tone, "-af", &format, "-c:a", codec]);
    }
}

#[test]
fn samples_that_are_no_numbers_are_silence() {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("raw.f32");
    let hostile = [0.25_f32, f32::NAN, -0.25, f32::INFINITY, 0.1, f32::NEG_INFINITY];
    let samples = (0..96_000).flat_map(|index| hostile[index % hostile.len()].to_le_bytes());
    std::fs::write(&raw, samples.collect::<Vec<u8>>()).unwrap();
    check_heard(
        "take.mkv",
        &["-f", "f32le", "-ar", "48000", "-ac", "1", "-i", raw.to_str().unwrap(), "-c:a", "pcm_f32le"],
    );
}

#[test]
fn pictures_of_another_shape_are_letterboxed_and_large_ones_scaled() {
    assert_eq!(letterbox((1920, 1080), (1280, 720)), (0, 0, 1280, 720));
    assert_eq!(letterbox((1024, 768), (1280, 720)), (160, 0, 960, 720));
    assert_eq!(letterbox((720, 1280), (1280, 720)), (438, 0, 404, 720));
    assert_eq!(picture_size((3840, 2160), 1920), (1920, 1080));
    assert_eq!(picture_size((1367, 769), 1920), (1366, 768));
}

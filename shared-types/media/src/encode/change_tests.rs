//! Changes of encoder in one file, to encoders with other parameter sets, as players see them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ::fail::FailScenario;

use super::*;
use crate::encode::opus::{OPUS_FRAME_SAMPLES, OpusEncoder};
use crate::encode::surfaces::Memory;
use crate::journal::Journal;
use crate::mux::FragmentWriter;
use crate::synth;
use crate::time::Monotonic;

const WIDTH: u32 = 320;
const HEIGHT: u32 = 180;
const FPS: u32 = 15;

const fn x264(options: &'static [(&'static str, &'static str)]) -> Candidate {
    Candidate { name: "libx264", pixels: Pixel::YUV420P, memory: None, quality: None, options }
}

const SPARSE: &str = "repeat-headers=1:sliced-threads=0:threads=1:sync-lookahead=0:rc-lookahead=0:scenecut=0";

/// As other encoders are: another profile, another way to write numbers, other reference pictures.
static MADE: [Candidate; 3] = [OF_HIGH, OF_BASELINE, OF_MAIN];

/// With one in between that takes its pictures from a graphics processor.
static WITH_GRAPHICS: [Candidate; 3] = [
    OF_HIGH,
    Candidate {
        name: "h264_vaapi",
        pixels: Pixel::NV12,
        memory: Some(Memory::VAAPI),
        quality: None,
        options: &[("global_quality", "26")],
    },
    OF_MAIN,
];

const OF_HIGH: Candidate = x264(&[
    ("preset", "veryfast"),
    ("tune", "zerolatency"),
    ("crf", "32"),
    ("forced-idr", "1"),
    ("x264-params", SPARSE),
]);
const OF_BASELINE: Candidate = x264(&[
    ("preset", "ultrafast"),
    ("tune", "zerolatency"),
    ("profile", "baseline"),
    ("level", "3.1"),
    ("crf", "28"),
    ("forced-idr", "1"),
    ("x264-params", SPARSE),
]);
const OF_MAIN: Candidate = x264(&[
    ("preset", "medium"),
    ("tune", "zerolatency"),
    ("profile", "main"),
    ("refs", "3"),
    ("crf", "24"),
    ("forced-idr", "1"),
    ("x264-params", SPARSE),
]);

const HIGH: u8 = 100;
const MAIN: u8 = 77;
const BASELINE: u8 = 66;

/// The profile that a packet's parameter sets name.
fn profile(packet: &EncodedPacket) -> Option<u8> {
    let data = packet.packet.data()?;
    let at = data.windows(4).position(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 0x1f == 7)?;
    data.get(at + 4).copied()
}

/// Six seconds of pictures and sound, in whose third and fifth second what `failing` says happens to the encoder. The
/// profile of each key picture.
fn film(path: &Path, failing: [&str; 2]) -> Result<Vec<u8>, EncodeError> {
    film_with(&MADE, path, failing)
}

fn film_with(list: &'static [Candidate], path: &Path, failing: [&str; 2]) -> Result<Vec<u8>, EncodeError> {
    let (mut video, probes) = H264Encoder::open_from(list, WIDTH, HEIGHT, FPS)?;
    assert_eq!(probes.len(), 1);
    let mut audio = OpusEncoder::open().unwrap();
    let mut writer = FragmentWriter::create(Journal::create(path).unwrap(), &video, Some(&audio), FPS).unwrap();
    let mut frame = BgraFrame { width: 0, height: 0, stride: 0, data: Vec::new(), at: Monotonic::from_nanos(0) };
    let (mut profiles, mut samples) = (Vec::new(), 0_u64);
    for index in 0..6 * FPS {
        // In the middle between two key pictures.
        for (place, points) in failing.iter().enumerate() {
            if index == (2 + 2 * place as u32) * FPS + FPS / 2 {
                ::fail::cfg("h264.send", points).unwrap();
            }
        }
        let t = f64::from(index) / f64::from(FPS);
        synth::draw_card(&mut frame, WIDTH, HEIGHT, t, Monotonic::from_nanos(0));
        let packets = video.encode(&frame, MediaTime::from_secs(t), index % FPS == 0)?;
        assert_eq!(packets.len(), 1, "what goes in comes out");
        for packet in packets {
            assert_eq!(packet.packet.pts(), Some(video_ticks(MediaTime::from_secs(t))));
            if packet.is_key() {
                profiles.push(profile(&packet).expect("parameter sets with each key picture"));
            }
            writer.video(packet).unwrap();
        }
        while (samples as f64) < (t + 1.0 / f64::from(FPS)) * 48_000.0 {
            let chunk: Vec<f32> =
                (0..OPUS_FRAME_SAMPLES as u64).map(|i| synth::beep((samples + i) as f64 / 48_000.0)).collect();
            samples += OPUS_FRAME_SAMPLES as u64;
            for packet in audio.encode(&chunk).unwrap() {
                writer.audio(packet).unwrap();
            }
        }
    }
    for packet in video.finish()? {
        writer.video(packet).unwrap();
    }
    for packet in audio.finish().unwrap() {
        writer.audio(packet).unwrap();
    }
    writer.finish(MediaTime::from_secs(6.0)).unwrap();
    Ok(profiles)
}

#[track_caller]
fn runs(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{said:?}");
}

#[test]
fn a_file_with_two_changes_of_profile_is_decoded_and_played_to_its_end() {
    let scenario = FailScenario::setup();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("video.mp4");
    let profiles = film(&path, ["1*return->off", "1*return->off"]).unwrap();
    scenario.teardown();
    let before: Vec<u8> = profiles.iter().copied().take(3).collect();
    assert_eq!(before, [HIGH; 3]);
    assert_eq!(profiles[3..6], [BASELINE; 3], "the one that failed is given by the next, as a key picture");
    assert!(profiles.len() == 8 && profiles[6..] == [MAIN; 2], "{profiles:?}");
    let decode = ["-nostdin", "-v", "error", "-xerror", "-i"];
    let nowhere = ["-map", "0", "-enc_time_base", "1:90000", "-fps_mode", "passthrough", "-f", "null", "-"];
    runs(Command::new("ffmpeg").args(decode).arg(&path).args(nowhere));
    let player = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/play.py");
    runs(Command::new("python3").arg(player).arg(&path));
}

#[test]
fn encoders_are_tried_until_none_is_left_and_the_last_is_opened_afresh_once() {
    let scenario = FailScenario::setup();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // The next one works when it is tried, and fails at the very picture it was opened for.
    let profiles = film(&path("second"), ["1*return->2*off->1*return->off", "off"]).unwrap();
    assert_eq!(profiles[3..], [MAIN; 4]);
    // So does the last one; it is opened once more, and no third time.
    let once = "1*return->2*off->1*return->2*off->1*return->off";
    let profiles = film(&path("afresh"), [once, "off"]).unwrap();
    assert_eq!(profiles[3..], [MAIN; 4]);
    let failed = film(&path("no more"), [once, "1*return->off"]);
    assert!(matches!(failed, Err(EncodeError::AllFailed { name: "libx264", .. })), "{failed:?}");
    scenario.teardown();
}

#[test]
fn the_encoder_that_was_tried_is_the_one_that_is_used() {
    let scenario = FailScenario::setup();
    let opened = Arc::new(AtomicU32::new(0));
    let counted = opened.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    ::fail::cfg_callback("h264.open", count).unwrap();
    H264Encoder::open_from(&MADE, WIDTH, HEIGHT, FPS).unwrap();
    scenario.teardown();
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[test]
fn a_graphics_processor_that_is_not_there_is_passed_over_also_during_a_take() {
    let scenario = FailScenario::setup();
    // As on a computer without one, wherever this runs.
    ::fail::cfg("surfaces.open", "return").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let profiles = film_with(&WITH_GRAPHICS, &folder.path().join("video.mp4"), ["1*return->off", "off"]).unwrap();
    assert_eq!(profiles[..3], [HIGH; 3]);
    assert_eq!(profiles[3..], [MAIN; 4]);
    scenario.teardown();
}

#[test]
fn each_encoder_is_tried_at_the_real_size_and_says_why_it_is_passed_over() {
    // No other test's failures in between.
    let scenario = FailScenario::setup();
    let (encoder, probes) = H264Encoder::open(1920, 1080, 30).unwrap();
    scenario.teardown();
    let names: Vec<_> = CANDIDATES.iter().take(probes.len()).map(|candidate| candidate.name).collect();
    assert_eq!(probes.iter().map(|probe| probe.name.as_str()).collect::<Vec<_>>(), names);
    let (used, passed_over) = probes.split_last().unwrap();
    assert!(used.works && used.name == encoder.name(), "{probes:?}");
    for probe in passed_over {
        assert!(!probe.works && probe.detail.as_ref().is_some_and(|detail| detail.len() > 10), "{probe:?}");
    }
    if let Some(vaapi) = passed_over.iter().find(|probe| probe.name == "h264_vaapi" && !Path::new("/dev/dri").exists())
    {
        let detail = vaapi.detail.as_deref().unwrap();
        assert!(detail.contains("Encoder not found") || detail.contains("this computer has none"), "{detail}");
    }
}

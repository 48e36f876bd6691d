//! `pipeline run` on recordings with known defects: verdict and flags, the same device flags as the recorder's own
//! check, and duplicates found through the store.

use std::path::{Path, PathBuf};
use std::process::Command;

use media::examine::{Beside, NoObserver, examine};
use shared_types::event::parse_events;
use shared_types::quality::flag::{Flag, Place, Verdict};
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::quality::policy::Policy;
#[cfg(target_os = "linux")]
use shared_types::summary::Summary;

const GOAL: &str = "Find two easy indoor plants as a gift, each under $25";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(name)
}

struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("policy.toml"), "min_active_secs = 20\n").unwrap();
        Self { folder }
    }

    /// Judges a recording with this run's store.
    fn judge(&self, video: &Path, events: Option<&Path>) -> QualityReport {
        let out = self.folder.path().join(video.file_name().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command.arg("run").arg(video).arg("--out").arg(&out).args(["--goal", GOAL, "--threads", "1"]);
        command.arg("--policy").arg(self.folder.path().join("policy.toml"));
        command.arg("--store").arg(self.folder.path().join("store"));
        if let Some(events) = events {
            command.arg("--events").arg(events);
        }
        let output = command.output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {talk}\nIf a model is missing, run ./dev setup.", video.display());
        serde_json::from_slice(&std::fs::read(out.join("quality.json")).unwrap()).unwrap()
    }
}

/// What the recorder says of the same file.
fn on_the_device(video: &Path, events: Option<&Path>) -> QualityReport {
    let events = events.map(|path| parse_events(&std::fs::read_to_string(path).unwrap()).unwrap());
    let beside = Beside { events: events.as_deref(), manifest: None };
    let policy = Policy { min_active_secs: 20.0, ..Policy::default() };
    judge(examine(video, beside, &mut NoObserver).unwrap(), &policy)
}

#[track_caller]
fn check(video: &Path, events: Option<&str>, verdict: Verdict, flags: &[Flag]) {
    let events = events.map(fixture);
    let report = Run::new().judge(video, events.as_deref());
    let raised = |report: &QualityReport| report.flags.iter().map(|raised| raised.flag).collect::<Vec<_>>();
    assert_eq!(report.verdict, verdict, "{}: {:?}", video.display(), raised(&report));
    assert_eq!(raised(&report), flags, "{}", video.display());
    let of_device: Vec<_> = report.flags.iter().filter(|raised| raised.place == Place::Device).cloned().collect();
    assert_eq!(of_device, on_the_device(video, events.as_deref()).flags, "{}: recorder and pipeline", video.display());
}

#[test]
fn a_black_screen_is_rejected() {
    check(&fixture("black_screen.mp4"), None, Verdict::Reject, &[Flag::BlackScreen]);
}

#[test]
fn a_clipping_microphone_is_looked_at() {
    check(&fixture("clipping.mkv"), Some("clipping.events.jsonl"), Verdict::Review, &[Flag::AudioClipping]);
}

#[test]
fn a_silent_microphone_is_rejected() {
    let flags = [Flag::SilentAudio, Flag::NoSpeech];
    check(&fixture("silent_mic.mp4"), Some("silent_mic.events.jsonl"), Verdict::Reject, &flags);
}

#[test]
fn files_that_are_no_recordings_are_rejected_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(fixture("silent_mic.mp4")).unwrap();
    let rows: [(&str, &[u8], Flag); 4] = [
        ("empty.mp4", b"", Flag::EmptyFile),
        ("text.mp4", b"#EXTM3U\n/etc/passwd\n", Flag::WrongType),
        ("noise.mp4", b"\0\0\0\x18ftypmp42 and then nothing of the kind", Flag::CorruptFile),
        ("cut.mp4", &whole[..whole.len() * 6 / 10], Flag::TruncatedFile),
    ];
    for (name, bytes, flag) in rows {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let report = Run::new().judge(&path, None);
        assert_eq!(report.verdict, Verdict::Reject, "{name}");
        assert!(report.has(flag), "{name}: {:?}", report.flags);
    }
}

#[test]
fn the_same_picture_handed_in_again_is_a_duplicate() {
    let run = Run::new();
    let first = run.judge(&fixture("silent_mic.mp4"), None);
    assert!(!first.has(Flag::Duplicate));
    // The same take with its sound removed, and under another name.
    assert!(run.judge(&fixture("video_only.mp4"), None).has(Flag::Duplicate));
    // The same file judged again is not its own duplicate.
    assert!(!run.judge(&fixture("silent_mic.mp4"), None).has(Flag::Duplicate));
}

/// A picture that stands still, with a room's noise, so that neither text nor words have to be made out: what is left is what
/// every second of a recording takes.
#[cfg(target_os = "linux")]
#[test]
fn ten_minutes_take_no_more_memory_than_one() {
    let (run, made) = (Run::new(), tempfile::tempdir().unwrap());
    let ffmpeg = |arguments: &[&str], to: &Path| {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error"]).args(arguments).arg(to);
        assert!(command.status().unwrap().success(), "FFmpeg could not make {}", to.display());
    };
    let (short, long) = (made.path().join("short.mkv"), made.path().join("long.mkv"));
    let still =
        "color=0x305070:size=320x180:rate=4:duration=60 [out0]; anoisesrc=amplitude=0.001:duration=60:seed=1 [out1]";
    ffmpeg(&["-f", "lavfi", "-i", still, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"], &short);
    ffmpeg(&["-stream_loop", "9", "-i", short.to_str().unwrap(), "-c", "copy"], &long);
    let peak = |video: &Path, secs: f64| {
        let report = run.judge(video, None);
        assert!((report.measurements.active_secs.unwrap() - secs).abs() < 2.0, "{:?}", report.measurements.active_secs);
        let summary = run.folder.path().join(video.file_name().unwrap()).join("summary.json");
        let summary: Summary = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
        assert!(summary.passes.iter().any(|pass| pass.name == "transcribe"), "the voice was listened to");
        summary.passes.iter().map(|pass| pass.peak_memory_bytes).max().unwrap() >> 20
    };
    let (short, long) = (peak(&short, 60.0), peak(&long, 600.0));
    // Nine minutes of sound alone are 35 MiB.
    assert!(short > 20 && long < short + 16, "{short} MiB for one minute, {long} MiB for ten");
}

#[test]
fn another_language_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("spanish.mp4");
    let voice = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/spanish.s16le");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error", "-i"]).arg(fixture("silent_mic.mp4"));
    command.args(["-stream_loop", "-1", "-f", "s16le", "-ar", "16000", "-ac", "1", "-i"]).arg(voice);
    command.args(["-map", "0:v", "-map", "1:a", "-t", "28", "-c:v", "copy", "-c:a", "aac"]).arg(&video);
    assert!(command.status().unwrap().success(), "FFmpeg could not put the voice under the picture");

    let report = Run::new().judge(&video, None);
    let unclear = report.flags.iter().find(|raised| raised.flag == Flag::UnclearSpeech);
    let sentence = unclear.map(|raised| raised.sentence.as_str()).unwrap_or_default();
    assert!(sentence.contains("`es`"), "{:?}", report.flags);
    assert_ne!(report.verdict, Verdict::Accept);
}

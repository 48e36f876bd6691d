//! A real sound system: a `PulseAudio` of its own whose microphone hears what is played into a null sink.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::f64::consts::TAU;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use capture::mic::{self, MicError, MicEvent};
use media::frame::AudioChunk;

const RATE_HZ: u32 = 48_000;
const TONE_HZ: f64 = 440.0;
const DEADLINE: Duration = Duration::from_secs(30);
/// Set for the process that records; it names the sound system's process.
const INSIDE: &str = "CAPTURE_TEST_SOUND_SYSTEM";

/// The sound system is found by environment variables, which a running test cannot set for itself: so the test runs
/// itself once more inside.
#[test]
fn a_tone_played_into_a_sink_is_heard_whole_and_the_loss_of_the_device_is_told() {
    if let Some(process) = std::env::var_os(INSIDE) {
        records(&process.to_string_lossy());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sound_system = SoundSystem::start(folder.path());
    let tone: Vec<u8> = (0..RATE_HZ * 6)
        .map(|index| (0.5 * (TAU * TONE_HZ * f64::from(index) / f64::from(RATE_HZ)).sin() * 32767.0) as i16)
        .flat_map(i16::to_le_bytes)
        .collect();
    std::fs::write(folder.path().join("tone.raw"), tone).unwrap();

    let inside = sound_system
        .command(std::env::current_exe().unwrap())
        .args(["--exact", "a_tone_played_into_a_sink_is_heard_whole_and_the_loss_of_the_device_is_told", "--nocapture"])
        .env(INSIDE, sound_system.process.id().to_string())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        inside.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&inside.stdout),
        String::from_utf8_lossy(&inside.stderr)
    );
}

fn records(sound_system: &str) {
    let mics = mic::list().unwrap();
    let default = &mics[0];
    assert!(default.default && default.id.contains("vmic"), "{mics:?}");
    assert_eq!((default.rate_hz, default.channels), (RATE_HZ, 2));
    assert!(matches!(mic::start(Some("nowhere"), crossbeam_channel::bounded(1).0), Err(MicError::Unknown { .. })));

    assert_eq!(mic::default_id().as_ref(), Some(&default.id));
    let pactl = |args: &[&str]| assert!(Command::new("pactl").args(args).status().unwrap().success(), "{args:?}");
    pactl(&["load-module", "module-null-sink", "sink_name=other"]);
    pactl(&["set-default-source", "other.monitor"]);
    assert!(mic::default_id().is_some_and(|id| id.contains("other")), "{:?}", mic::default_id());
    pactl(&["set-default-source", "vmic"]);
    assert_eq!((mic::is_there(&default.id), mic::is_there("pulseaudio:nowhere")), (Some(true), Some(false)));

    // However often it is asked, there is one connection and one thread behind it.
    let behind = || {
        let clients = Command::new("pactl").args(["list", "clients"]).output().unwrap().stdout;
        let own = format!("\"cpal-pulseaudio-{}\"", std::process::id());
        let connections = String::from_utf8_lossy(&clients).matches(&own).count();
        (connections, std::fs::read_dir("/proc/self/task").unwrap().count())
    };
    let before = behind();
    for _ in 0..20 {
        assert!(mic::default_id().is_some() && mic::is_there(&default.id) == Some(true) && mic::list().is_ok());
    }
    let after = behind();
    assert!(after.0 == 1 && after.1 <= before.1, "{before:?} to {after:?}");

    let (sink, chunks) = crossbeam_channel::bounded(256);
    let running = mic::start(Some(&default.id), sink).unwrap();
    assert_eq!(running.info(), default);
    let mut heard = vec![chunks.recv_timeout(DEADLINE).unwrap()];
    let mut player = Command::new("pacat")
        .args(["--playback", "--raw", "--format=s16le", "--channels=1", "--rate=48000", "tone.raw"])
        .spawn()
        .expect("this test needs pacat: install it with `./dev setup`");
    let deadline = Instant::now() + DEADLINE;
    let sounding = |chunk: &AudioChunk| chunk.samples.iter().any(|sample| sample.abs() > 0.05);
    while heard.iter().filter(|chunk| sounding(chunk)).map(|chunk| chunk.samples.len()).sum::<usize>() < 4 * 96_000 {
        assert!(Instant::now() < deadline, "the tone is not heard");
        heard.extend(chunks.recv_timeout(DEADLINE));
    }
    player.kill().unwrap();
    player.wait().unwrap();
    assert_eq!(running.counts().dropped_chunks(), 0);
    check_stamps(&heard);
    check_tone(&heard.into_iter().filter(sounding).collect::<Vec<_>>());

    assert!(Command::new("kill").arg(sound_system).status().unwrap().success());
    let lost = running.events().recv_timeout(DEADLINE).expect("the loss is told");
    assert!(matches!(lost, MicEvent::Lost(_)), "{lost:?}");
    assert_ne!(mic::is_there(&default.id), Some(true), "nobody answers, or another sound system");
    running.stop();
}

/// The stamps go with the count of samples.
fn check_stamps(chunks: &[AudioChunk]) {
    let now = capture::clock::now();
    let mut frames = 0;
    let offsets: Vec<i64> = chunks
        .iter()
        .map(|chunk| {
            assert!(chunk.at < now && (chunk.rate_hz, chunk.channels) == (RATE_HZ, 2));
            let due_nanos = frames * 1_000_000_000 / i64::from(RATE_HZ);
            frames += chunk.samples.len() as i64 / 2;
            chunk.at.nanos_since(chunks[0].at) - due_nanos
        })
        .collect();
    // The first half second may begin with a wrong word of the system.
    let settled = &offsets[offsets.len() / 4..];
    let spread_millis = (settled.iter().max().unwrap() - settled.iter().min().unwrap()) / 1_000_000;
    assert!(spread_millis <= 20, "stamps and samples part by {spread_millis} ms: {offsets:?}");
}

/// The right frequency, and no block missing or twice: either would break the wave. Two breaks are let pass: on a very
/// busy computer single ones of a few samples were seen, whose origin (player, sink or ours) is not known.
fn check_tone(chunks: &[AudioChunk]) {
    let left: Vec<f32> = chunks.iter().flat_map(|chunk| chunk.samples.iter().step_by(2).copied()).collect();
    let steady = &left[RATE_HZ as usize / 4..RATE_HZ as usize * 3 + RATE_HZ as usize / 2];
    let rises: Vec<usize> =
        (1..steady.len()).filter(|&index| steady[index - 1] < 0.0 && steady[index] >= 0.0).collect();
    let periods = (rises.len() - 1) as f64;
    let hz = periods * f64::from(RATE_HZ) / (rises[rises.len() - 1] - rises[0]) as f64;
    assert!((hz - TONE_HZ).abs() < 0.5, "{hz} Hz");
    let peak = steady.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let steepest = f64::from(peak) * TAU * TONE_HZ / f64::from(RATE_HZ) * 1.2;
    let jumps = steady.windows(2).filter(|pair| f64::from((pair[1] - pair[0]).abs()) > steepest).count();
    assert!(jumps <= 2, "the wave is broken {jumps} times");
}

struct SoundSystem {
    process: Child,
    folder: std::path::PathBuf,
}

impl SoundSystem {
    fn start(folder: &Path) -> Self {
        let script = "load-module module-native-protocol-unix auth-anonymous=1\n\
            load-module module-null-sink sink_name=vspeaker rate=48000 channels=2\n\
            load-module module-remap-source source_name=vmic master=vspeaker.monitor\n\
            set-default-sink vspeaker\n\
            set-default-source vmic\n";
        std::fs::write(folder.join("mic.pa"), script).unwrap();
        let process = command("pulseaudio".as_ref(), folder)
            .args(["-n", "-F", "mic.pa", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"])
            .args(["--realtime=no", "--high-priority=no"])
            .current_dir(folder)
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs PulseAudio: install it with `./dev setup`");
        let sound_system = Self { process, folder: folder.to_owned() };
        let deadline = Instant::now() + DEADLINE;
        let sources = || {
            let pactl = sound_system.command("pactl").args(["list", "short", "sources"]).output();
            pactl.expect("this test needs pactl: install it with `./dev setup`").stdout
        };
        while !String::from_utf8_lossy(&sources()).contains("vmic") {
            assert!(Instant::now() < deadline, "PulseAudio did not start");
        }
        sound_system
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        command(program.as_ref(), &self.folder)
    }
}

impl Drop for SoundSystem {
    fn drop(&mut self) {
        // It may have ended already, by the test's own hand.
        drop(self.process.kill());
        self.process.wait().unwrap();
    }
}

/// A program that sees the sound system of this folder and no other.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("XDG_RUNTIME_DIR", folder)
        .env("HOME", folder)
        .env("PULSE_SERVER", format!("unix:{}", folder.join("pulse/native").display()))
        .env_remove("PULSE_COOKIE");
    command
}

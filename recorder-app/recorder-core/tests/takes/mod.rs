//! Takes from made screens and microphones, and what a viewer of their files sees and hears.

#![allow(dead_code, reason = "each file of tests uses its part of it")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use capture::clock;
use capture::mic::MicError;
use capture::mic::synthetic::{Plan, Signal, start};
use capture::screen::synthetic::read_number;
use capture::screen::{Grab, ScreenError, ScreenInfo, ScreenSource};
use media::decode::{PassReport, Picture, Sink, Sound, decode};
use media::demux::Demuxer;
use media::frame::BgraFrame;
use media::journal::{hash_file, recover};
use media::synth;
use media::time::Monotonic;
use recorder_core::control::Control;
use recorder_core::session::{
    InputSource, Listener, MicChoice, MicSource, Progress, SessionError, Sources, TakeOptions, record,
};
use shared_types::quality::policy::Policy;
use shared_types::recording::{HealthEvent, Manifest};

pub(crate) const WIDTH: u32 = 320;
pub(crate) const HEIGHT: u32 = 180;
pub(crate) const RATE_HZ: u32 = 48_000;

#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) begun: bool,
    pub(crate) health: Vec<String>,
    pub(crate) over: Vec<String>,
}

impl Listener for Heard {
    fn started(&mut self) {
        self.begun = true;
    }

    fn progress(&mut self, progress: Progress) {
        assert!(self.begun && progress.secs >= 0.0);
    }

    fn health(&mut self, event: &HealthEvent) {
        self.health.push(event.kind.clone());
    }

    fn over(&mut self, kind: &str) {
        assert!(self.health.iter().any(|told| told == kind) || kind.starts_with("mic_"), "{kind} was never told");
        self.over.push(kind.to_owned());
    }
}

pub(crate) fn sources(screen: impl ScreenSource + 'static, mic: Option<MicSource>) -> Sources {
    let (width, height) = screen.size();
    let name = "made".to_owned();
    Sources {
        screen: Box::new(screen),
        screen_info: ScreenInfo { id: name.clone(), name, x: 0, y: 0, width, height, primary: true },
        mic,
        input: InputSource::Without { reason: "nobody is there".to_owned() },
        lock: None,
    }
}

/// A microphone that plays the plans one after the other, one for each start; then it cannot be started.
pub(crate) fn mic(plans: Vec<Option<Plan>>) -> MicSource {
    let starts = AtomicUsize::new(0);
    let start = move |sink| match plans.get(starts.fetch_add(1, Ordering::Relaxed)) {
        Some(Some(plan)) => start(plan.clone(), sink),
        _ => Err(MicError::NoneFound),
    };
    MicSource { start: Box::new(start), choice: MicChoice::Fixed }
}

pub(crate) fn tone() -> Plan {
    Plan::new(RATE_HZ, 1, Signal::Tone { hz: 440.0, amplitude: 0.3 })
}

pub(crate) fn options(fps: u32, secs: f64) -> TakeOptions {
    TakeOptions {
        fps,
        secs: Some(secs),
        goal: Some("Find red shoes".to_owned()),
        policy: Policy::default(),
        assigned: None,
        early: None,
    }
}

pub(crate) fn take(
    folder: &Path,
    sources: Sources,
    options: &TakeOptions,
) -> (Result<Manifest, SessionError>, Vec<String>) {
    let mut heard = Heard::default();
    let result = record(folder, sources, options, &Control::default(), &mut heard);
    (result, heard.health)
}

/// Nobody but its owner may read anything in a folder.
#[track_caller]
pub(crate) fn check_modes(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { check_modes(&path) } else { assert_eq!(mode(&path), 0o600, "{}", path.display()) }
        }
    }
}

/// What a viewer of the file sees and hears.
#[derive(Default)]
pub(crate) struct Viewer {
    /// Times of the pictures, the numbers they show, and whether their field is white.
    pub(crate) pictures: Vec<(f64, Option<u32>, bool)>,
    pub(crate) samples: u64,
    pub(crate) quiet_for: u32,
    pub(crate) beeps: Vec<f64>,
    /// Moments at which it is loud, some milliseconds apart.
    pub(crate) loud: Vec<f64>,
}

impl Sink for Viewer {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let luma = picture.luma().unwrap();
        let level = |x: u32, y: u32| luma.data[y as usize * luma.stride + x as usize];
        let seen = (read_number(level), level(WIDTH / 2, HEIGHT / 8) > 150);
        self.pictures.push((picture.t.secs(), seen.0, seen.1));
        ControlFlow::Continue(())
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        for (index, sample) in sound.channels[0].iter().enumerate() {
            if sample.abs() > 0.05 {
                if self.quiet_for > 2000 {
                    self.beeps.push(sound.t + index as f64 / f64::from(sound.rate_hz));
                }
                let t = sound.t + index as f64 / f64::from(sound.rate_hz);
                if self.loud.last().is_none_or(|last| t - last > 0.004) {
                    self.loud.push(t);
                }
                self.quiet_for = 0;
            } else {
                self.quiet_for += 1;
            }
        }
        self.samples += sound.channels[0].len() as u64;
        ControlFlow::Continue(())
    }
}

pub(crate) fn view(path: &Path) -> (Viewer, PassReport) {
    let mut viewer = Viewer { quiet_for: u32::MAX / 2, ..Viewer::default() };
    let report = decode(&mut Demuxer::open(path).unwrap(), &mut viewer).unwrap();
    assert_eq!(report.damaged_packets, 0);
    assert!(!report.ends_inside_frame);
    (viewer, report)
}

/// The folder says of itself what is in it, its pieces close in time, and each of them can be decoded alone.
#[track_caller]
pub(crate) fn check_whole(folder: &Path, manifest: &Manifest) -> Viewer {
    let written = std::fs::read_to_string(folder.join("recording.json")).unwrap();
    assert_eq!(written, serde_json::to_string_pretty(manifest).unwrap(), "what is told is what is on the disk");
    let video = folder.join("video.mp4");
    assert_eq!(manifest.files["video.mp4"], hash_file(&video).unwrap());
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(&video, copy.path()).unwrap();
    let found = recover(copy.path()).unwrap();
    assert_eq!((found.removed_bytes, &found.fragments), (0, &manifest.fragments));

    let begins: Vec<f64> = manifest.fragments.iter().filter_map(|fragment| fragment.t).collect();
    assert!(begins.windows(2).all(|pair| pair[1] - pair[0] <= 2.0), "{begins:?}");
    let bytes = std::fs::read(&video).unwrap();
    let piece = |index: usize| {
        let fragment = &manifest.fragments[index];
        &bytes[fragment.offset as usize..(fragment.offset + fragment.bytes) as usize]
    };
    for index in 1..manifest.fragments.len() {
        std::fs::write(copy.path(), [piece(0), piece(index)].concat()).unwrap();
        let (viewer, _) = view(copy.path());
        assert!(!viewer.pictures.is_empty(), "fragment {index} shows nothing");
    }
    let (viewer, report) = view(&video);
    let last = viewer.pictures.last().unwrap().0;
    assert!((report.end_secs - last) <= 0.2, "the last picture is at {last}, the end at {}", report.end_secs);
    viewer
}

/// Shows the card of [`synth`] as it looks since `begin`.
pub(crate) struct FlashingScreen {
    pub(crate) begin: Arc<OnceLock<Monotonic>>,
}

impl ScreenSource for FlashingScreen {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let at = clock::now();
        let t = at.nanos_since(*self.begin.get().unwrap()) as f64 / 1e9;
        synth::draw_card(into, WIDTH, HEIGHT, t, at);
        Ok(Grab::Changed)
    }
}

/// Pauses and goes on by what the take tells of itself: after `run_secs` of it, for some reports.
pub(crate) struct Pauser<'a> {
    pub(crate) control: &'a Control,
    pub(crate) run_secs: f64,
    pub(crate) pauses_left: u32,
    pub(crate) next: f64,
    pub(crate) paused_for: u32,
    /// Ends the take inside of its last pause.
    pub(crate) ends_paused: bool,
}

impl<'a> Pauser<'a> {
    pub(crate) fn new(control: &'a Control, run_secs: f64) -> Self {
        Self { control, run_secs, pauses_left: 0, next: 0.3, paused_for: 0, ends_paused: false }
    }
}

impl Listener for Pauser<'_> {
    fn started(&mut self) {}

    fn progress(&mut self, progress: Progress) {
        if progress.is_paused {
            self.paused_for += 1;
            if self.pauses_left == 0 && self.ends_paused {
                self.control.end();
            } else if self.paused_for.is_multiple_of(3) {
                self.control.resume();
                self.next = progress.secs + self.run_secs;
            }
        } else if progress.secs >= self.next {
            if self.pauses_left == 0 {
                self.control.end();
            } else {
                self.pauses_left -= 1;
                self.control.pause();
            }
        }
    }

    fn health(&mut self, _: &HealthEvent) {}
}

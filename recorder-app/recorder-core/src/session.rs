//! A take from its first picture to its judged folder.
//!
//! Four threads: `screen` asks for pictures, `encode` writes them with the sound, `events` writes the input events,
//! and the caller's own thread watches over them and tells how it goes. Everything is opened and tried before the
//! take begins; what fails then ends the take properly, with all that was recorded until then.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, ScopedJoinHandle};
use std::time::{Duration, Instant};

use capture::clock;
use capture::input::gesture::PictureMap;
use capture::input::{self, InputError, RawInput};
use capture::mic::{self, MicError, MicEvent};
use capture::screen::{ScreenError, ScreenInfo, ScreenSource, blank_frame};
use crossbeam_channel::{Receiver, Sender, bounded, never};
use media::encode::EncodeError;
use media::encode::h264::{H264Encoder, picture_size};
use media::encode::opus::OpusEncoder;
use media::frame::AudioChunk;
use shared_types::id::RecordingId;
use shared_types::quality::policy::Policy;
use shared_types::recording::{
    ClockAnchors, DriftInfo, EncoderInfo, FrameCounts, HealthEvent, InputEventsInfo, MANIFEST_FORMAT, Manifest,
    MicrophoneInfo, RecordingStage, SystemInfo,
};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::check::{CheckError, check};
use crate::encode::{self, EncodeReport, EncodeThreadError, Encoders, Live, Streams};
use crate::events;
use crate::pace::{self, BUFFERS, Tick};
use crate::spool::{Spool, SpoolError, recover};
use crate::timeline::Timeline;

/// Longer edges are scaled down: text stays legible and files small.
const LONG_EDGE: u32 = 1920;
/// A microphone's first sound is waited for this long, so that the take does not begin with a hole.
const MIC_PATIENCE: Duration = Duration::from_millis(2500);
/// Sound that stops coming for this long is a lost microphone, whatever the system says.
const MIC_SILENCE: Duration = Duration::from_secs(2);
const WATCH_EVERY: Duration = Duration::from_millis(100);
/// Chunks of about 10 ms each, so seconds of sound.
const CHUNKS: usize = 512;
const TICKS: usize = 64;
const RAW_EVENTS: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Screen(#[from] ScreenError),
    #[error(transparent)]
    Mic(#[from] MicError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("the recording stopped early: {reason}. What was recorded until then is kept in the folder")]
    Interrupted { reason: String },
    #[error("nothing was recorded: {0}")]
    Nothing(String),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("a thread could not be started: {0}. Close other programs and try again")]
    Thread(#[from] std::io::Error),
}

/// What is recorded, and how.
#[derive(Debug, Clone)]
pub struct TakeOptions {
    pub fps: u32,
    pub secs: Option<f64>,
    pub goal: Option<String>,
    pub policy: Policy,
}

/// Where picture, sound and input come from; opened by the caller.
pub struct Sources {
    pub screen: Box<dyn ScreenSource>,
    pub screen_info: ScreenInfo,
    /// `x11`, `synthetic`, …
    pub display: String,
    pub mic: Option<MicSource>,
    pub input: InputSource,
}

/// A microphone by its id, so that it can be started again when it is lost.
pub struct MicSource {
    pub start: Box<dyn Fn(Sender<AudioChunk>) -> Result<mic::Running, MicError> + Send>,
}

pub enum InputSource {
    Start(Box<dyn FnOnce(Sender<RawInput>) -> Result<input::Running, InputError> + Send>),
    Without { reason: String },
}

/// How a take is going, a few times a second.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub secs: f64,
    /// Loudest sample since the last report, in dBFS; `None` without a microphone.
    pub peak_dbfs: Option<f64>,
    pub bytes: u64,
}

/// Told of progress and of health events.
pub trait Listener {
    fn started(&mut self);
    fn progress(&mut self, progress: Progress);
    fn health(&mut self, event: &HealthEvent);
}

/// Records a take into a new folder, until `stop` is set or its time is over, and judges it.
pub fn record(
    folder: &Path,
    sources: Sources,
    options: &TakeOptions,
    stop: &Arc<AtomicBool>,
    listener: &mut dyn Listener,
) -> Result<Manifest, SessionError> {
    let spool = Spool::create(folder)?;
    let picture = picture_size((sources.screen_info.width, sources.screen_info.height), LONG_EDGE);
    let (video, probes) = H264Encoder::open(picture.0, picture.1, options.fps)?;
    let audio = sources.mic.as_ref().map(|_| OpusEncoder::open()).transpose()?;
    let (chunk_sink, chunks) = bounded::<AudioChunk>(CHUNKS);
    let mic = sources.mic.map(|source| Mic::start(source, chunk_sink)).transpose()?;
    if let Some(mic) = &mic {
        mic.wait_for_sound(&chunks, stop);
    }
    let (raw_sink, raw) = bounded(RAW_EVENTS);
    let (input, input_events) = start_input(sources.input, raw_sink);
    let manifest = Manifest {
        format: MANIFEST_FORMAT,
        id: RecordingId(uuid::Uuid::now_v7()),
        stage: RecordingStage::Capturing,
        goal: options.goal.clone(),
        campaign_id: None,
        assignment_id: None,
        tier: None,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        system: SystemInfo {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            display: sources.display,
        },
        clock: ClockAnchors {
            started_at: utc_now(),
            first_frame_monotonic_nanos: 0,
            first_sample_monotonic_nanos: None,
            av_offset_ms: None,
        },
        screen: shared_types::recording::ScreenInfo {
            id: sources.screen_info.id.clone(),
            name: sources.screen_info.name.clone(),
            width: sources.screen_info.width,
            height: sources.screen_info.height,
            picture_width: picture.0,
            picture_height: picture.1,
            fps: options.fps,
        },
        microphone: mic.as_ref().map(Mic::info),
        input_events,
        encoder: EncoderInfo {
            video: video.name().to_owned(),
            audio: audio.as_ref().map(|audio| audio.name().to_owned()),
            library: media::encode::library(),
            probes,
        },
        fragments: Vec::new(),
        pauses: Vec::new(),
        cuts: Vec::new(),
        gaps: Vec::new(),
        drift: DriftInfo::default(),
        frames: FrameCounts::default(),
        health: Vec::new(),
        consent: None,
        quality: None,
        files: std::collections::BTreeMap::new(),
        other: std::collections::BTreeMap::new(),
    };
    let left_top = (sources.screen_info.x, sources.screen_info.y);
    let map = PictureMap::fit(left_top.0, left_top.1, sources.screen.size(), picture);
    let encoders = Encoders { video, audio, fps: options.fps };
    let take = Take { spool, manifest, timeline: Timeline::default(), live: Arc::default(), mic, input };
    take.run(sources.screen, encoders, &chunks, &raw, map, options, stop, listener)
}

/// A microphone that is started again when it falls silent.
struct Mic {
    source: MicSource,
    sink: Sender<AudioChunk>,
    running: Option<mic::Running>,
    info: MicrophoneInfo,
    heard: (u64, Instant),
}

impl Mic {
    fn start(source: MicSource, sink: Sender<AudioChunk>) -> Result<Self, MicError> {
        let running = (source.start)(sink.clone())?;
        let info = running.info();
        let info = MicrophoneInfo {
            id: info.id.clone(),
            name: info.name.clone(),
            rate_hz: info.rate_hz,
            channels: info.channels,
        };
        Ok(Self { source, sink, running: Some(running), info, heard: (0, Instant::now()) })
    }

    fn info(&self) -> MicrophoneInfo {
        self.info.clone()
    }

    /// Leaves the chunks where they are: they lie before the take and are passed over.
    fn wait_for_sound(&self, chunks: &Receiver<AudioChunk>, stop: &AtomicBool) {
        let until = Instant::now() + MIC_PATIENCE;
        while chunks.is_empty() && Instant::now() < until && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Watches that sound keeps coming; says what happened when it does not.
    fn watch(&mut self, chunks_heard: u64) -> Option<(&'static str, String)> {
        let lost = self.running.as_ref().is_none_or(|running| {
            running.events().try_iter().any(|event| matches!(event, MicEvent::Lost(_)))
        });
        if chunks_heard != self.heard.0 {
            self.heard = (chunks_heard, Instant::now());
        }
        if !lost && self.heard.1.elapsed() < MIC_SILENCE {
            return None;
        }
        let first = self.running.take().is_some();
        // Waiting as long again before the next try keeps a broken device from being hammered.
        self.heard.1 = Instant::now();
        match (self.source.start)(self.sink.clone()) {
            Ok(running) => {
                self.running = Some(running);
                Some(("mic_restarted", "The microphone fell silent and was started again.".to_owned()))
            }
            Err(error) => first.then(|| {
                ("mic_lost", format!("The microphone is gone; the take goes on without your voice. {error}"))
            }),
        }
    }
}

fn start_input(source: InputSource, sink: Sender<RawInput>) -> (Option<input::Running>, InputEventsInfo) {
    let without = |reason| (None, InputEventsInfo { recorded: false, reason: Some(reason) });
    match source {
        InputSource::Without { reason } => without(reason),
        InputSource::Start(start) => match start(sink) {
            Ok(running) => (Some(running), InputEventsInfo { recorded: true, reason: None }),
            Err(error) => without(error.to_string()),
        },
    }
}

struct Take {
    spool: Spool,
    manifest: Manifest,
    timeline: Timeline,
    live: Arc<Live>,
    mic: Option<Mic>,
    input: Option<input::Running>,
}

impl Take {
    #[expect(clippy::too_many_arguments, reason = "called once; a struct for it would only be unpacked here")]
    fn run(
        mut self,
        mut screen: Box<dyn ScreenSource>,
        encoders: Encoders,
        chunks: &Receiver<AudioChunk>,
        raw: &Receiver<RawInput>,
        map: PictureMap,
        options: &TakeOptions,
        stop: &Arc<AtomicBool>,
        listener: &mut dyn Listener,
    ) -> Result<Manifest, SessionError> {
        let (tick_sink, ticks) = bounded::<Tick>(TICKS);
        let (spare_sink, spare) = bounded(BUFFERS);
        for _ in 0..BUFFERS {
            // The channel was made with room for all of them.
            drop(spare_sink.send(blank_frame()));
        }
        let chunks = if self.mic.is_some() { chunks.clone() } else { never() };
        let streams = Streams { ticks, chunks, spare: spare_sink };
        let over = AtomicBool::new(false);
        let (timeline, live) = (&std::mem::take(&mut self.timeline), self.live.clone());
        let (video_path, events_path) = (self.spool.video_path(), self.spool.events_path());
        let records_events = self.manifest.input_events.recorded;
        let (encoded, shown, written) = std::thread::scope(|scope| {
            let encode = Builder::new().name("encode".to_owned()).spawn_scoped(scope, || {
                encode::run(encoders, &video_path, &streams, timeline, &live)
            })?;
            let fps = options.fps;
            let over = &over;
            let pace = Builder::new().name("screen".to_owned()).spawn_scoped(scope, move || {
                pace::run(screen.as_mut(), fps, timeline, &tick_sink, &spare, over)
            })?;
            let events = records_events
                .then(|| {
                    Builder::new().name("events".to_owned()).spawn_scoped(scope, || {
                        events::run(&events_path, raw, map, timeline, over)
                    })
                })
                .transpose()?;
            self.watch(timeline, &encode, &pace, options, stop, listener)?;
            over.store(true, Ordering::Relaxed);
            let shown = joined(pace.join());
            let encoded = joined(encode.join());
            drop(self.input.take());
            let written = events.map_or(Ok(()), |events| joined(events.join()));
            Ok::<_, SessionError>((encoded, shown, written))
        })?;
        drop(self.mic.take());
        if let Err(error) = written {
            self.note("events_lost", format!("The input events could not be written: {error}."), listener);
        }
        if let Err(error) = &shown {
            self.note("screen_lost", error.to_string(), listener);
        }
        match encoded {
            Ok(report) => self.finish(report, timeline, options),
            Err(EncodeThreadError::NoPicture) => {
                let reason = shown.err().map_or_else(|| "no picture came from the screen".to_owned(), |e| e.to_string());
                Err(SessionError::Nothing(reason))
            }
            Err(error) => self.salvage(&error),
        }
    }

    /// Until the take is over: its manifest as soon as it has begun, the microphone's health, the listener's news.
    fn watch<A, B>(
        &mut self,
        timeline: &Timeline,
        encode: &ScopedJoinHandle<'_, A>,
        pace: &ScopedJoinHandle<'_, B>,
        options: &TakeOptions,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<(), SessionError> {
        let mut begun = false;
        while !stop.load(Ordering::Relaxed) && !encode.is_finished() && !pace.is_finished() {
            std::thread::sleep(WATCH_EVERY);
            let Some(zero) = timeline.zero() else { continue };
            if !begun {
                begun = true;
                self.manifest.clock.first_frame_monotonic_nanos = zero.nanos;
                self.manifest.clock.started_at = utc_now();
                self.spool.write_manifest(&self.manifest)?;
                listener.started();
            }
            let secs = clock::now().nanos_since(zero) as f64 / 1e9;
            let heard = self.live.chunks.load(Ordering::Relaxed);
            if let Some((kind, sentence)) = self.mic.as_mut().and_then(|mic| mic.watch(heard)) {
                self.note_at(secs, kind, sentence, listener);
            }
            let peak = self.live.take_peak();
            listener.progress(Progress {
                secs,
                peak_dbfs: self.mic.as_ref().map(|_| f64::from(peak.max(1e-6).log10() * 20.0)),
                bytes: self.live.bytes.load(Ordering::Relaxed),
            });
            if options.secs.is_some_and(|limit| secs >= limit) {
                break;
            }
        }
        Ok(())
    }

    fn note(&mut self, kind: &str, sentence: String, listener: &mut dyn Listener) {
        let t = self.manifest.health.last().map_or(0.0, |event| event.t);
        self.note_at(t, kind, sentence, listener);
    }

    fn note_at(&mut self, t: f64, kind: &str, sentence: String, listener: &mut dyn Listener) {
        let event = HealthEvent { t, kind: kind.to_owned(), sentence };
        listener.health(&event);
        self.manifest.health.push(event);
    }

    /// The folder is whole: hashes, then the device's own verdict.
    fn finish(
        mut self,
        report: EncodeReport,
        timeline: &Timeline,
        options: &TakeOptions,
    ) -> Result<Manifest, SessionError> {
        let manifest = &mut self.manifest;
        manifest.clock.first_frame_monotonic_nanos = timeline.zero().map_or(0, |zero| zero.nanos);
        manifest.clock.first_sample_monotonic_nanos = report.sound.first_sample.map(|at| at.nanos);
        manifest.clock.av_offset_ms = report.sound.offset_ms;
        manifest.fragments = report.fragments;
        manifest.frames = report.frames;
        manifest.gaps = report.sound.gaps;
        manifest.drift = report.sound.drift;
        manifest.stage = RecordingStage::Stopped;
        self.spool.hash_files(&mut self.manifest)?;
        debug_assert_eq!(self.manifest.files.get("video.mp4"), Some(&report.file));
        self.spool.write_manifest(&self.manifest)?;
        let folder = self.spool.manifest_path();
        let folder = folder.parent().unwrap_or(Path::new("."));
        self.manifest.quality = Some(check(folder, None, &options.policy)?);
        self.manifest.stage = RecordingStage::Checked;
        self.spool.write_manifest(&self.manifest)?;
        Ok(self.manifest)
    }

    /// The encoder or the disk failed: what reached the disk is made whole, and the error told.
    fn salvage(self, error: &EncodeThreadError) -> Result<Manifest, SessionError> {
        self.spool.write_manifest(&self.manifest)?;
        let folder = self.spool.manifest_path();
        recover(folder.parent().unwrap_or(Path::new(".")))?;
        Err(SessionError::Interrupted { reason: error.to_string() })
    }
}

/// A thread's result; a thread that panicked has nothing better to say than that.
fn joined<T>(result: Result<T, Box<dyn std::any::Any + Send>>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn utc_now() -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::now_utc().format(form).unwrap_or_default()
}

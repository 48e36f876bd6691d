//! A take under way.
//!
//! Four threads: `screen` asks for pictures, `encode` writes them with the sound, `events` writes the input events,
//! and the caller's own thread watches over them and tells how it goes. What fails ends the take properly, with all
//! that was recorded until then; a microphone or the input events may fail without ending it. An encoder or a disk that
//! does not answer is told, and at the end of the take left to itself; so is a display.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use capture::clock;
use capture::input::{self, InputError, RawInput};
use capture::lock::IsLocked;
use capture::screen::{ScreenError, ScreenSource, blank_frame};
use crossbeam_channel::{Receiver, bounded};
use media::encode::h264::EncoderChange;
use media::frame::AudioChunk;
use media::mux::MuxError;
use media::time::Monotonic;
use shared_types::quality::policy::Narration;
use shared_types::recording::{
    DriftInfo, EncoderProbe, HealthEvent, InputEventsInfo, Manifest, RecordingStage, VIDEO_FILE,
};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::advice::{Advice, Look, News};
use crate::check::check;
use crate::control::{Control, Stretch, Why};
use crate::early::Sending;
use crate::encode::{self, EncodeReport, EncodeThreadError, Encoders, GIVEN_UP_AFTER, STALLED_SECS, Streams};
use crate::events;
use crate::health::Health;
use crate::live::{Heard, Live};
use crate::lock;
use crate::microphone::{MicNews, Microphone};
use crate::pace::{self, Maps, Pace, SystemClock, Tick};
use crate::session::{Listener, Progress, SessionError, TakeOptions};
use crate::spool::{Spool, SpoolError, USUAL_BYTES_PER_SEC};
use crate::timeline::{End, Timeline, Untold};
use crate::voice::VoiceJournal;

const WATCH_EVERY: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(5);
const LOOK_AT_DISK_EVERY: Duration = Duration::from_secs(2);
const TICKS: usize = 64;
/// A display that takes longer for a picture when the take is to end does not answer.
const LAST_PICTURE: Duration = Duration::from_secs(5);
/// The rate of a take is known after this long.
const RATE_AFTER_SECS: f64 = 20.0;
/// 48 kHz of 16 bit.
const VOICE_BYTES_PER_SEC: f64 = 96_000.0;

/// What a take is made from.
pub(crate) struct Feeds {
    pub(crate) screen: Box<dyn ScreenSource>,
    pub(crate) chunks: Receiver<AudioChunk>,
    pub(crate) raw: Receiver<RawInput>,
    pub(crate) lock: Option<IsLocked>,
    /// Size of the encoded picture.
    pub(crate) picture: (u32, u32),
}

pub(crate) struct Take {
    spool: Spool,
    manifest: Manifest,
    live: Arc<Live>,
    mic: Option<Microphone>,
    input: Option<input::Running>,
    early: Option<Sending>,
    /// Why there are no input events, to be told when the take begins.
    refused: Option<Health>,
    told: Told,
    /// Input events could not be written, which was told.
    is_without_events: bool,
    /// How many of the pauses that nobody asked for were told.
    told_sleeps: usize,
    told_locks: usize,
    /// How long the take has been running.
    secs: f64,
}

/// What was told and is still true.
#[derive(Default)]
struct Told {
    is_stalled: bool,
    is_resized: bool,
    is_locked: bool,
}

/// The threads of a take that its watcher looks after.
struct Threads<'a, A, B> {
    encode: &'a JoinHandle<A>,
    screen: &'a JoinHandle<B>,
    events: &'a mut Option<JoinHandle<io::Result<()>>>,
}

/// Ends the threads of a take whichever way its watcher leaves.
struct EndOnDrop(Arc<AtomicBool>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Take {
    pub(crate) fn new(
        spool: Spool,
        manifest: Manifest,
        mic: Option<Microphone>,
        input: Option<input::Running>,
        refused: Option<Health>,
    ) -> Self {
        Self {
            spool,
            manifest,
            live: Arc::default(),
            mic,
            input,
            early: None,
            refused,
            told: Told::default(),
            is_without_events: false,
            told_sleeps: 0,
            told_locks: 0,
            secs: 0.0,
        }
    }

    pub(crate) fn run(
        mut self,
        feeds: Feeds,
        encoders: Encoders,
        options: &TakeOptions,
        control: &Control,
        listener: &mut dyn Listener,
    ) -> Result<Manifest, SessionError> {
        let Feeds { mut screen, chunks, raw, lock, picture } = feeds;
        let buffers = pace::buffers(screen.size());
        let (tick_sink, ticks) = bounded::<Tick>(TICKS);
        let (spare_sink, spare) = bounded(buffers);
        for _ in 0..buffers {
            // The channel was made with room for all of them.
            drop(spare_sink.send(blank_frame()));
        }
        // One is enough: a picture shows all that the hand did before it.
        let (hand_sink, hand) = bounded(1);
        let (patience, given_up) = bounded(0);
        let streams = Streams { ticks, chunks, spare: spare_sink, given_up };
        let (timeline, live) = (Arc::new(Timeline::new(control)), self.live.clone());
        let maps = Arc::new(Maps::new(picture, screen.corner(), screen.extent()));
        let over = Arc::new(AtomicBool::new(false));
        let end = EndOnDrop(over.clone());
        let (video_path, events_path) = (self.spool.video_path(), self.spool.events_path());
        // The journal is a net; a take goes without it where it cannot be made.
        let voice = self.mic.as_ref().and_then(|_| VoiceJournal::create(&self.spool.voice_path()).ok());
        // So it is with the early upload: the take is handed in later all the same.
        self.early = options.early.clone().and_then(|early| Sending::start(self.spool.folder(), early).ok());
        let records_events = self.manifest.input_events.recorded;
        let encode = {
            let (timeline, live) = (timeline.clone(), live.clone());
            let run = move || encode::run(encoders, &video_path, voice, streams, &timeline, &live);
            Builder::new().name("encode".to_owned()).spawn(run)?
        };
        let lock = lock.map(|is_locked| lock::watch(is_locked, timeline.control())).transpose()?;
        let show = {
            let (fps, timeline, maps, over) = (options.fps, timeline.clone(), maps.clone(), over.clone());
            let run = move || {
                let (timeline, maps, stop) = (timeline.as_ref(), maps.as_ref(), over.as_ref());
                let (ticks, spare, hand, clock) = (&tick_sink, &spare, &hand, &SystemClock);
                Pace { fps, timeline, maps, ticks, spare, hand, clock, stop }.run(screen.as_mut())
            };
            Builder::new().name("screen".to_owned()).spawn(run)?
        };
        let mut events = {
            let (timeline, maps) = (timeline.clone(), maps.clone());
            let run = move || events::run(&events_path, &raw, &maps, &timeline, &live, &hand_sink, &over);
            records_events.then(|| Builder::new().name("events".to_owned()).spawn(run)).transpose()?
        };
        let timeline = timeline.as_ref();
        let mut threads = Threads { encode: &encode, screen: &show, events: &mut events };
        let watched = self.watch(timeline, &maps, &mut threads, options, listener);
        let at = timeline.last_recorded(clock::now());
        timeline.stop(at);
        drop(end);
        drop(self.input.take());
        let shown = end_of_screen(show, timeline, at);
        drop(patience);
        let written = events.map_or(Ok(()), |events| joined(events.join()));
        drop(lock);
        let encoded = self.end_of(encode);
        self.count_lost_sound();
        drop(self.mic.take());
        self.early.iter().for_each(Sending::stop);
        if let Err(error) = &written {
            self.lose_events(error, listener);
        }
        if self.is_without_events {
            // They may end inside of a line. Without those that are whole the take is still one.
            drop(events::sort(&self.spool.events_path()));
        }
        if let Err(error) = &shown {
            self.note(&Health::ScreenLost { reason: error.to_string() }, listener);
        }
        if let Err(error) = &watched {
            self.note(&Health::Interrupted { reason: error.to_string() }, listener);
        }
        let manifest = match encoded {
            Ok(report) => self.finish(report, timeline, options)?,
            // Where there was one all the same, what reached the disk of it is looked for.
            Err(EncodeThreadError::NoPicture) if timeline.zero().is_none() => {
                drop(self.early.take());
                self.spool.discard();
                let reason =
                    shown.err().map_or_else(|| "no picture came from the screen".to_owned(), |e| e.to_string());
                return Err(SessionError::Nothing(reason));
            }
            Err(error) => return Err(self.salvage(&error, timeline, listener)),
        };
        match watched {
            Ok(()) => Ok(manifest),
            Err(error) => Err(SessionError::Interrupted { reason: error.to_string() }),
        }
    }

    /// Until the take is over: its manifest as soon as it has begun, what befalls it, the listener's news.
    fn watch<A, B>(
        &mut self,
        timeline: &Timeline,
        maps: &Maps,
        threads: &mut Threads<'_, A, B>,
        options: &TakeOptions,
        listener: &mut dyn Listener,
    ) -> Result<(), SpoolError> {
        let (mut begun, mut was_paused) = (false, false);
        let (mut has_manifest, mut is_unwritten) = (false, false);
        let mut looked_at_disk = None;
        let (mut advice, mut disk_secs) = (Advice::default(), None);
        let control = timeline.control();
        while !control.is_ended() && !threads.encode.is_finished() && !threads.screen.is_finished() {
            std::thread::sleep(WATCH_EVERY);
            let Some(zero) = timeline.zero() else { continue };
            let now = clock::now();
            self.secs = timeline.elapsed(now).unwrap_or_default().secs();
            let is_paused = control.is_paused();
            let pauses = timeline.pauses(now);
            let mut news = !begun || pauses.len() != self.manifest.pauses.len() || is_paused != was_paused;
            was_paused = is_paused;
            self.manifest.pauses = pauses;
            if !begun {
                begun = true;
                self.manifest.clock.first_frame_monotonic_nanos = zero.nanos;
                self.manifest.clock.started_at = utc_now();
                listener.started();
                if let Some(refused) = self.refused.take() {
                    self.note(&refused, listener);
                }
            }
            news |= self.watch_devices(listener);
            if let Some(ended) = threads.events.take_if(|events| events.is_finished())
                && let Err(error) = joined(ended.join())
            {
                self.lose_events(&error, listener);
                news = true;
            }
            news |= self.watch_work(timeline, maps, now, listener);
            let heard = self.mic.as_ref().map(|_| self.live.heard());
            if !is_paused {
                news |= self.advise(&mut advice, heard, disk_secs, options, now, listener);
            }
            if news || is_unwritten {
                match self.spool.write_manifest(&self.manifest) {
                    // Without a manifest the folder is no recording; later ones bring it up to date, and one of them will.
                    Err(error) if !has_manifest => return Err(error),
                    written => (has_manifest, is_unwritten) = (true, written.is_err()),
                }
            }
            let peak = self.live.take_peak();
            listener.progress(Progress {
                secs: self.secs,
                peak_dbfs: self.mic.as_ref().map(|_| f64::from(peak.max(1e-6).log10() * 20.0)),
                bytes: self.live.bytes.load(Ordering::Relaxed),
                is_paused,
                needed_secs: (options.policy.min_active_secs - self.secs).max(0.0),
                speech_share: heard.map(|heard| heard.speech_share),
                disk_secs,
            });
            if looked_at_disk.is_none_or(|at: Instant| at.elapsed() >= LOOK_AT_DISK_EVERY) {
                looked_at_disk = Some(Instant::now());
                disk_secs = self.room();
                if self.spool.is_full() {
                    self.note(&Health::DiskFull, listener);
                    break;
                }
            }
            if options.secs.is_some_and(|limit| self.secs >= limit) {
                break;
            }
        }
        Ok(())
    }

    /// How long the disk lasts at the rate of this take, or at the usual one while it is short.
    fn room(&self) -> Option<f64> {
        let bytes = self.live.bytes.load(Ordering::Relaxed) as f64;
        let rate = if self.secs > RATE_AFTER_SECS { bytes / self.secs } else { USUAL_BYTES_PER_SEC };
        let journal = if self.mic.is_some() { VOICE_BYTES_PER_SEC } else { 0.0 };
        self.spool.secs_left(rate + journal)
    }

    /// Whether there was something to tell about picture, sound, hand or disk.
    fn advise(
        &mut self,
        advice: &mut Advice,
        heard: Option<Heard>,
        disk_secs: Option<f64>,
        options: &TakeOptions,
        now: Monotonic,
        listener: &mut dyn Listener,
    ) -> bool {
        let since = |at: Option<Monotonic>| at.map_or(0.0, |at| now.nanos_since(at) as f64 / 1e9).clamp(0.0, self.secs);
        let is_lost = self.mic.as_ref().is_some_and(Microphone::is_lost);
        if is_lost {
            self.live.forget_silence();
        }
        let look = Look {
            secs: self.secs,
            heard: heard.filter(|_| !is_lost),
            min_snr_db: options.policy.min_snr_db,
            wants_narration: options.policy.narration != Narration::None,
            black_secs: since(self.live.black_since()),
            frozen_secs: advice.frozen_secs(&self.live),
            idle_secs: since(self.live.changed_at().max(self.live.input_at())),
            due: self.live.due.load(Ordering::Relaxed),
            dropped: self.live.dropped.load(Ordering::Relaxed),
            disk_secs,
        };
        let told = advice.look(&look);
        let changes = self.live.take_encoder_changes();
        let is_news = !told.is_empty() || !changes.is_empty();
        for EncoderChange { from, to, reason } in changes {
            self.note(&Health::EncoderChanged { from: from.to_owned(), to: to.to_owned() }, listener);
            self.manifest.encoder.video = format!("{}, {to}", self.manifest.encoder.video);
            let probe = |name: &str, works, detail| EncoderProbe { name: name.to_owned(), works, detail };
            self.manifest.encoder.probes.extend([probe(from, false, Some(reason)), probe(to, true, None)]);
        }
        for news in told {
            match news {
                News::Trouble(kind, sentence) => self.tell(kind, sentence, listener),
                News::Over(kind) => listener.over(kind),
            }
        }
        is_news
    }

    /// Whether there was something to note about microphone or input.
    fn watch_devices(&mut self, listener: &mut dyn Listener) -> bool {
        let mic_news = match self.mic.as_mut().and_then(Microphone::watch) {
            Some(MicNews::Told(health)) => Some(health),
            Some(MicNews::Over(health)) => {
                listener.over(health.kind());
                None
            }
            None => None,
        };
        let input_news = self.input.take_if(|input| !input.is_alive()).and_then(|input| input.stop().err());
        let early_news = self.early.as_mut().and_then(Sending::failure);
        let input_news = input_news.map(|error| {
            let reason = error.to_string();
            if !matches!(error, InputError::Forbidden) {
                return Health::InputLost { reason };
            }
            // The system said so only when it was asked, and nothing was read until then.
            self.manifest.input_events = InputEventsInfo { recorded: false, reason: Some(reason.clone()) };
            Health::NoInputEvents { reason }
        });
        let early_news = early_news.map(|error| Health::EarlyUploadEnded { reason: error.to_string() });
        let news: Vec<_> = [early_news, mic_news, input_news].into_iter().flatten().collect();
        for health in &news {
            self.note(health, listener);
        }
        !news.is_empty()
    }

    /// Nothing more of what the hand does can be written; its reader has nobody left to tell.
    fn lose_events(&mut self, error: &io::Error, listener: &mut dyn Listener) {
        self.is_without_events = true;
        drop(self.input.take());
        self.note(&Health::EventsLost { reason: error.to_string() }, listener);
    }

    /// Whether there was something to note about encoder, disk, the screen's size or the computer's sleep.
    fn watch_work(&mut self, timeline: &Timeline, maps: &Maps, now: Monotonic, listener: &mut dyn Listener) -> bool {
        let (mut news, mut is_unlocked) = (Vec::new(), false);
        let is_stalled = self.live.busy_secs(now) >= STALLED_SECS;
        match (std::mem::replace(&mut self.told.is_stalled, is_stalled), is_stalled) {
            (false, true) => news.push(Health::EncoderStalled),
            (true, false) => listener.over(Health::EncoderStalled.kind()),
            _ => {}
        }
        let is_resized = maps.is_resized();
        match (std::mem::replace(&mut self.told.is_resized, is_resized), is_resized) {
            (false, true) => news.push(Health::ResolutionChanged),
            (true, false) => listener.over(Health::ResolutionChanged.kind()),
            _ => {}
        }
        let stretches = timeline.stretches();
        let of = |why| -> Vec<&Stretch> { stretches.iter().filter(|stretch| stretch.why == why).collect() };
        let (sleeps, locks) = (of(Why::Slept), of(Why::Locked));
        for sleep in sleeps.iter().skip(self.told_sleeps) {
            news.push(Health::Slept { secs: sleep.nanos(now) as f64 / 1e9 });
        }
        self.told_sleeps = sleeps.len();
        if locks.iter().skip(self.told_locks).any(|lock| lock.to.is_none_or(|to| Some(to) > timeline.zero())) {
            news.push(Health::Locked);
            self.told.is_locked = true;
        }
        self.told_locks = locks.len();
        if self.told.is_locked && !timeline.control().is_locked() {
            self.told.is_locked = false;
            is_unlocked = true;
        }
        for health in &news {
            self.note(health, listener);
        }
        if is_unlocked {
            listener.over(Health::Locked.kind());
        }
        !news.is_empty()
    }

    fn note(&mut self, health: &Health, listener: &mut dyn Listener) {
        for kind in health.ends() {
            listener.over(kind);
        }
        self.tell(health.kind(), health.sentence(), listener);
    }

    fn tell(&mut self, kind: &str, sentence: String, listener: &mut dyn Listener) {
        let event = HealthEvent { t: (self.secs * 1e3).round() / 1e3, kind: kind.to_owned(), sentence };
        listener.health(&event);
        self.manifest.health.push(event);
    }

    /// What the encoder's thread came to. One that has been at one piece of its work for too long is not waited for.
    fn end_of(
        &self,
        encode: JoinHandle<Result<EncodeReport, EncodeThreadError>>,
    ) -> Result<EncodeReport, EncodeThreadError> {
        while !encode.is_finished() {
            if self.live.busy_secs(clock::now()) >= GIVEN_UP_AFTER.as_secs_f64() {
                self.live.abandon();
                return Err(EncodeThreadError::Hung);
            }
            std::thread::sleep(POLL);
        }
        joined(encode.join())
    }

    fn count_lost_sound(&mut self) {
        let lost = self.mic.as_ref().map(Microphone::lost).unwrap_or_default();
        (self.manifest.drift.lost_chunks, self.manifest.drift.system_gaps) = (lost.chunks, lost.gaps);
    }

    /// The folder is whole: hashes, then the device's own verdict.
    fn finish(
        &mut self,
        report: EncodeReport,
        timeline: &Timeline,
        options: &TakeOptions,
    ) -> Result<Manifest, SessionError> {
        let manifest = &mut self.manifest;
        manifest.pauses = timeline.pauses(clock::now());
        manifest.clock.first_frame_monotonic_nanos = timeline.zero().map_or(0, |zero| zero.nanos);
        manifest.clock.first_sample_monotonic_nanos = report.sound.first_sample.map(|at| at.nanos);
        manifest.clock.av_offset_ms = report.sound.offset_ms;
        manifest.fragments = report.fragments;
        manifest.frames = report.frames;
        manifest.gaps = report.sound.gaps;
        let (lost_chunks, system_gaps) = (manifest.drift.lost_chunks, manifest.drift.system_gaps);
        manifest.drift = DriftInfo { lost_chunks, system_gaps, ..report.sound.drift };
        manifest.stage = RecordingStage::Stopped;
        let folder = self.spool.folder();
        let unfinished = |source| {
            let reason = "its end could not be written".to_owned();
            SessionError::Unfinished { reason, source, folder: folder.to_owned() }
        };
        self.spool.hash_files(manifest).map_err(unfinished)?;
        debug_assert_eq!(manifest.files.get(VIDEO_FILE), Some(&report.file));
        self.spool.write_manifest(manifest).map_err(unfinished)?;
        manifest.quality = Some(check(self.spool.folder(), None, &options.policy)?);
        manifest.stage = RecordingStage::Checked;
        self.spool.write_manifest(manifest)?;
        Ok(manifest.clone())
    }

    /// The encoder or the disk failed: what reached the disk is made whole, and the error told. The journal of the voice
    /// makes room on a full disk, and is kept otherwise.
    fn salvage(mut self, error: &EncodeThreadError, timeline: &Timeline, listener: &mut dyn Listener) -> SessionError {
        let is_disk = matches!(error, EncodeThreadError::Mux(MuxError::Disk(_)));
        if is_disk {
            drop(std::fs::remove_file(self.spool.voice_path()));
        }
        let reason = error.to_string();
        self.manifest.pauses = timeline.pauses(clock::now());
        let (due, dropped) = (self.live.due.load(Ordering::Relaxed), self.live.dropped.load(Ordering::Relaxed));
        (self.manifest.frames.due, self.manifest.frames.captured) = (due, due.saturating_sub(dropped));
        // Told before anything else is asked of the disk.
        self.note(&Health::Interrupted { reason: reason.clone() }, listener);
        match self.spool.make_whole(&mut self.manifest, !is_disk) {
            Ok(_) => SessionError::Interrupted { reason },
            Err(SpoolError::NothingWhole { .. }) => {
                drop(self.early.take());
                self.spool.discard();
                SessionError::Nothing(reason)
            }
            Err(source) => SessionError::Unfinished { reason, source, folder: self.spool.folder().to_owned() },
        }
    }
}

/// What the screen's thread came to. A display that does not answer is not waited for.
fn end_of_screen(
    show: JoinHandle<Result<(), ScreenError>>,
    timeline: &Timeline,
    at: Monotonic,
) -> Result<(), ScreenError> {
    let until = Instant::now() + LAST_PICTURE;
    while !show.is_finished() {
        if Instant::now() >= until {
            timeline.finish(End { at, untold: Untold::Rest });
            return Err(ScreenError::Lost(format!("no picture came for {} seconds", LAST_PICTURE.as_secs())));
        }
        std::thread::sleep(POLL);
    }
    joined(show.join())
}

/// A thread's result; a thread that panicked has nothing better to say than that.
fn joined<T>(result: Result<T, Box<dyn std::any::Any + Send>>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

pub(crate) fn utc_now() -> String {
    utc_text(wall())
}

/// The clock on the wall, which may be set at any time: nothing is reckoned with it.
fn wall() -> OffsetDateTime {
    fail::fail_point!("clock.wall", |text| {
        use time::format_description::well_known::Rfc3339;
        let set = text.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        set.unwrap_or(OffsetDateTime::UNIX_EPOCH)
    });
    OffsetDateTime::now_utc()
}

pub(crate) fn utc_text(at: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.format(form).unwrap_or_default()
}

//! The finished file, measured: every number a device flag rests on, in one pass.
//!
//! Recorder and pipeline both call [`examine`], the pipeline inside a limited child process. An [`Observer`] may look
//! at the same pictures and samples on the way, so that nothing is decoded twice.

use std::ops::ControlFlow;
use std::path::Path;

use shared_types::event::InputEvent;
use shared_types::quality::measurements::{
    ActivityMeasures, CaptureMeasures, FileMeasures, FileState, Measurements, PictureMeasures, SoundMeasures, Span,
};
use shared_types::recording::Manifest;

use crate::decode::{PassReport, Picture, Sink, Sound, VOICE_RATE_HZ, codec_name, decode};
use crate::demux::{DemuxError, Demuxer};
use crate::measure::activity;
use crate::measure::picture::PictureMeter;
use crate::measure::sound::SoundMeter;

/// Holes between stretches of sound longer than this are silence; shorter ones are rounding.
const GAP_SECS: f64 = 0.02;
/// A file whose stamps jump further than this is damaged, not paused: nothing is filled in.
const MAX_GAP_SECS: f64 = 3600.0;
/// A hole of an hour is filled piece by piece.
static SILENCE: [f32; 8192] = [0.0; 8192];

/// Looks on while a file is measured.
pub trait Observer {
    /// Each picture; `changed` tells whether any pixel differs from the one before.
    fn picture(&mut self, picture: &mut Picture<'_>, changed: bool);
    /// The voice as 16 kHz mono, from media time zero, holes filled with silence.
    fn voice(&mut self, samples: &[f32]);
    /// How far the pass has come, in seconds of the recording; `Break` ends it.
    fn progress(&mut self, secs: f64) -> ControlFlow<()>;
}

/// Looks at nothing.
pub struct NoObserver;

impl Observer for NoObserver {
    fn picture(&mut self, _: &mut Picture<'_>, _: bool) {}
    fn voice(&mut self, _: &[f32]) {}
    fn progress(&mut self, _: f64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What lies beside the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    pub events: Option<&'a [InputEvent]>,
    pub manifest: Option<&'a Manifest>,
}

/// Measures a file. A file that cannot be read as a recording is a result, not an error; only a disk that fails is.
pub fn examine(path: &Path, beside: Beside<'_>, observer: &mut dyn Observer) -> std::io::Result<Measurements> {
    let bytes = std::fs::metadata(path)?.len();
    let mut file = FileMeasures { bytes, ..FileMeasures::default() };
    let unreadable = |mut file: FileMeasures, state| {
        file.state = state;
        Ok(Measurements { file, ..Measurements::default() })
    };
    let mut demuxer = match Demuxer::open(path) {
        Ok(demuxer) => demuxer,
        Err(DemuxError::Io(error)) => return Err(error),
        Err(DemuxError::Empty) => return unreadable(file, FileState::Empty),
        Err(DemuxError::WrongType) => return unreadable(file, FileState::WrongType),
        Err(_) => return unreadable(file, FileState::Corrupt),
    };
    file.container = Some(demuxer.container.name().to_owned());
    file.declared_secs = demuxer.declared_secs();
    let mut meters = Meters::new(observer);
    let Ok(report) = decode(&mut demuxer, &mut meters) else { return unreadable(file, FileState::Corrupt) };
    if report.pictures == 0 && report.sounds == 0 {
        return unreadable(file, FileState::Corrupt);
    }
    file.has_video = report.pictures > 0;
    file.has_audio = report.sounds > 0;
    file.decoded_secs = Some(report.end_secs);
    file.ends_inside_frame = report.ends_inside_frame;
    Ok(meters.finish(file, &demuxer, &report, beside))
}

struct Meters<'a> {
    observer: &'a mut dyn Observer,
    picture: PictureMeter,
    sound: SoundMeter,
    rate_hz: u32,
    channels: u16,
    /// Where the sound taken so far ends.
    sound_end: f64,
}

impl<'a> Meters<'a> {
    fn new(observer: &'a mut dyn Observer) -> Self {
        let (picture, sound) = (PictureMeter::default(), SoundMeter::default());
        Self { observer, picture, sound, rate_hz: 0, channels: 0, sound_end: 0.0 }
    }

    /// Puts silence where the stamps leave a hole, so that positions in the sound are times.
    fn fill(&mut self, until: f64) {
        let hole = until - self.sound_end;
        if !(GAP_SECS..MAX_GAP_SECS).contains(&hole) {
            return;
        }
        let mut native = (hole * f64::from(self.rate_hz)) as usize;
        let mut voice = (hole * f64::from(VOICE_RATE_HZ)) as usize;
        while native > 0 || voice > 0 {
            let (native_now, voice_now) = (native.min(SILENCE.len()), voice.min(SILENCE.len()));
            self.sound.push_native(&[&SILENCE[..native_now]], self.rate_hz);
            self.sound.push_voice(&SILENCE[..voice_now]);
            self.observer.voice(&SILENCE[..voice_now]);
            (native, voice) = (native - native_now, voice - voice_now);
        }
        self.sound_end = until;
    }

    fn finish(self, file: FileMeasures, demuxer: &Demuxer, report: &PassReport, beside: Beside<'_>) -> Measurements {
        let spans = self.picture.finish(report.end_secs);
        let secs = report.end_secs;
        let events = beside.events.filter(|events| events.iter().any(InputEvent::is_input));
        let activity = match events {
            Some(events) => {
                let (unanswered_share, unanswered) = activity::unanswered(&spans.unchanged, events);
                let unanswered_share = unanswered_share.filter(|_| file.has_video);
                let (unexplained_share, unexplained) = activity::unexplained(&spans.page_changes, events);
                Some(ActivityMeasures {
                    unanswered_share,
                    unanswered,
                    page_changes: spans.page_changes.len() as u32,
                    unexplained_share,
                    unexplained,
                    ..activity::from_events(events, secs)
                })
            }
            None => file.has_video.then(|| activity::from_picture(&spans.unchanged, secs)),
        };
        let picture = file.has_video.then(|| PictureMeasures {
            width: spans.width,
            height: spans.height,
            frames: spans.frames,
            codec: demuxer.video.map(|track| codec_name(demuxer, track)).unwrap_or_default(),
            black_share: spans.black_share(),
            frozen_under_input: events
                .map(|events| activity::frozen_under_input(&spans.unchanged, events))
                .unwrap_or_default(),
            black: spans.black,
            still: spans.still,
        });
        let numbers = self.sound.finish();
        let sound = file.has_audio.then(|| SoundMeasures {
            codec: demuxer.audio.map(|track| codec_name(demuxer, track)).unwrap_or_default(),
            rate_hz: self.rate_hz,
            channels: self.channels,
            secs: numbers.secs,
            loud_dbfs: numbers.loud_dbfs,
            speech_share: numbers.speech_share(),
            longest_silence: numbers.longest_silence,
            snr_db: numbers.snr_db,
            clipped_share: numbers.clipped_share,
            clipped: numbers.clipped,
            speech: numbers.speech,
        });
        let capture = beside.manifest.map(|manifest| CaptureMeasures {
            av_offset_ms: manifest.microphone.as_ref().and_then(|_| worst_offset(manifest)),
            frames_kept: (manifest.frames.due > 0)
                .then(|| manifest.frames.captured as f64 / manifest.frames.due as f64),
            dropped: dropped(manifest),
        });
        Measurements { file, active_secs: Some(secs), picture, sound, capture, activity, ..Measurements::default() }
    }
}

/// The seconds in which pictures were dropped, neighbours joined.
fn dropped(manifest: &Manifest) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let seconds = manifest.frames.dropped_per_second.iter().filter(|(_, count)| **count > 0);
    for second in seconds.map(|(&second, _)| second as f64) {
        match spans.last_mut() {
            Some(last) if last.end >= second => last.end = second + 1.0,
            _ => spans.push(Span::new(second, second + 1.0)),
        }
    }
    spans
}

/// The constant offset of the clock anchors plus the farthest the drift went.
fn worst_offset(manifest: &Manifest) -> Option<f64> {
    let anchors = manifest.clock.av_offset_ms?;
    let drift = manifest.drift.worst_offset_ms.unwrap_or(0.0).abs();
    Some(if anchors < 0.0 { anchors - drift } else { anchors + drift })
}

impl Sink for Meters<'_> {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let t = picture.t.secs();
        let changed = picture.luma().is_some_and(|luma| self.picture.push(luma, t));
        self.observer.picture(picture, changed);
        self.observer.progress(t)
    }

    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()> {
        self.rate_hz = sound.rate_hz;
        self.channels = sound.channels.len() as u16;
        let samples = sound.channels.first().map_or(0, |channel| channel.len());
        let end = sound.t + samples as f64 / f64::from(sound.rate_hz);
        if end <= 0.0 {
            return ControlFlow::Continue(());
        }
        self.fill(sound.t);
        // Sound from before the first picture is not part of the recording.
        let early = ((-sound.t).max(0.0) * f64::from(sound.rate_hz)) as usize;
        let early_voice = ((-sound.t).max(0.0) * f64::from(VOICE_RATE_HZ)) as usize;
        let channels: Vec<&[f32]> = sound.channels.iter().map(|channel| &channel[early.min(channel.len())..]).collect();
        let voice = &sound.voice[early_voice.min(sound.voice.len())..];
        self.sound.push_native(&channels, sound.rate_hz);
        self.sound.push_voice(voice);
        self.observer.voice(voice);
        self.sound_end = self.sound_end.max(end);
        ControlFlow::Continue(())
    }
}

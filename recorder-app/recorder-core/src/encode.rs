//! The encoder's thread: pictures and sound in, fragments on the disk out.
//!
//! A still screen costs nothing but one repeated picture a second, so that fragments close and the file's length is
//! right. Each second begins with a key picture, where a fragment ends and is brought to the disk.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use capture::clock;
use crossbeam_channel::{Receiver, Sender, select_biased};
use media::encode::h264::H264Encoder;
use media::encode::opus::{OPUS_FRAME_SAMPLES, OpusEncoder};
use media::encode::{EncodeError, EncodedPacket};
use media::frame::{AudioChunk, BgraFrame};
use media::journal::Journal;
use media::mux::{FragmentWriter, MuxError};
use media::time::{MediaTime, Monotonic};
use shared_types::recording::{FileHash, Fragment, FrameCounts};

use crate::live::Live;
use crate::pace::Tick;
use crate::sound::{SoundError, SoundLine, SoundReport};
use crate::timeline::{End, Timeline, Untold};
use crate::voice::VoiceJournal;

/// An encoder that aims at a quality gives a picture that differs much few bits at first, and what it left out with those that
/// are like it: words that are read are at rest by then (decision 0028).
const REFINEMENTS: u32 = 4;
/// A picture decoding can begin with, and so a fragment, each second.
const KEY_EVERY_NANOS: i64 = 1_000_000_000;
/// How long the end of the sound is waited for after the last picture.
const SOUND_TAIL: Duration = Duration::from_millis(500);
/// Sound that is this late does not come any more: its place is filled with silence, but for the last `LEFT_OPEN`, so
/// that both tracks of each fragment cover the same time.
const LATE_SECS: f64 = 1.5;
const LEFT_OPEN_SECS: f64 = 0.5;
/// An encoder or a disk that takes longer for one piece of work is told.
pub(crate) const STALLED_SECS: f64 = 5.0;
/// At the end of the take, one that takes longer is given up.
pub(crate) const GIVEN_UP_AFTER: Duration = Duration::from_secs(15);
/// A chunk cannot end after it has arrived; a device that says so gives more sound than time passes.
const EARLY_NANOS: i64 = 200_000_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeThreadError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Mux(#[from] MuxError),
    #[error("{0}")]
    Sound(String),
    #[error("no picture came from the screen")]
    NoPicture,
    #[error("the video encoder or the disk did not answer for {} seconds", GIVEN_UP_AFTER.as_secs())]
    Hung,
}

impl From<SoundError> for EncodeThreadError {
    fn from(error: SoundError) -> Self {
        Self::Sound(error.to_string())
    }
}

/// Encoders that are open and proven before the take begins, so that its first picture does not wait.
pub(crate) struct Encoders {
    pub(crate) video: H264Encoder,
    pub(crate) audio: Option<OpusEncoder>,
    pub(crate) fps: u32,
}

pub(crate) struct Streams {
    pub(crate) ticks: Receiver<Tick>,
    pub(crate) chunks: Receiver<AudioChunk>,
    pub(crate) spare: Sender<BgraFrame>,
    /// Closed when whoever looks at the screen is not waited for any more.
    pub(crate) given_up: Receiver<()>,
}

/// What came of a take's picture and sound.
#[derive(Debug)]
pub(crate) struct EncodeReport {
    pub(crate) fragments: Vec<Fragment>,
    pub(crate) file: FileHash,
    pub(crate) frames: FrameCounts,
    pub(crate) sound: SoundReport,
}

pub(crate) fn run(
    encoders: Encoders,
    video_path: &Path,
    voice: Option<VoiceJournal>,
    streams: Streams,
    timeline: &Timeline,
    live: &Live,
) -> Result<EncodeReport, EncodeThreadError> {
    // The disk is asked for its first answer.
    live.set_busy();
    let journal = Journal::create(video_path).map_err(MuxError::Disk)?;
    let writer = FragmentWriter::create(journal, &encoders.video, encoders.audio.as_ref(), encoders.fps)?;
    let frames = FrameCounts::default();
    let mut work = Work {
        encoders,
        writer,
        live,
        voice,
        sound: None,
        frames,
        last_key: None,
        last: None,
        last_due: None,
        rough: 0,
    };
    let Streams { ticks, mut chunks, spare, given_up } = streams;
    loop {
        live.set_idle();
        // Sound first: there is little work in it, and behind pictures that are too many it would come too late.
        select_biased! {
            recv(chunks) -> chunk => match chunk {
                Ok(chunk) => {
                    live.set_busy();
                    live.hear_chunk(&chunk);
                    work.sound(chunk, timeline)?;
                }
                // No microphone, or none any more: only the screen speaks.
                Err(_) => chunks = crossbeam_channel::never(),
            },
            recv(ticks) -> tick => {
                live.set_busy();
                match tick {
                    Ok(Tick::Extra(frame)) => {
                        live.see(&frame);
                        work.extra(&frame, timeline)?;
                        drop(spare.send(frame));
                    }
                    Ok(Tick::Picture(frame)) => {
                        live.see(&frame);
                        work.picture(&frame, timeline)?;
                        // Nobody waits for buffers once the screen's thread has ended.
                        drop(spare.send(frame));
                    }
                    Ok(Tick::Same(at)) => work.same(at, timeline, ticks.is_empty())?,
                    Ok(Tick::Dropped(at)) => work.dropped(at, timeline),
                    Err(_) => break,
                }
            },
            recv(given_up) -> _ => break,
        }
        live.bytes.store(work.writer.bytes(), Ordering::Relaxed);
    }
    live.set_busy();
    let End { at: end, untold } = timeline.end(clock::now());
    match untold {
        Untold::These(ticks) => ticks.into_iter().for_each(|at| work.dropped(at, timeline)),
        Untold::Rest => work.drop_rest(end, timeline),
    }
    let deadline = Instant::now() + SOUND_TAIL;
    while let Ok(chunk) = chunks.recv_deadline(deadline) {
        live.set_busy();
        let is_last = chunk_end(&chunk) >= end;
        work.sound(chunk, timeline)?;
        if is_last {
            break;
        }
    }
    live.set_busy();
    work.finish(end, timeline)
}

fn chunk_end(chunk: &AudioChunk) -> Monotonic {
    let frames = chunk.samples.len() as f64 / f64::from(chunk.channels.max(1));
    Monotonic::from_nanos(chunk.at.nanos + (frames / f64::from(chunk.rate_hz.max(1)) * 1e9) as i64)
}

struct Work<'a> {
    encoders: Encoders,
    writer: FragmentWriter,
    live: &'a Live,
    voice: Option<VoiceJournal>,
    sound: Option<SoundLine>,
    frames: FrameCounts,
    last_key: Option<MediaTime>,
    last: Option<MediaTime>,
    /// The last tick that was told, with or without a picture.
    last_due: Option<MediaTime>,
    /// Repeats for which the last picture is still rough.
    rough: u32,
}

impl Work<'_> {
    fn picture(&mut self, frame: &BgraFrame, timeline: &Timeline) -> Result<(), EncodeThreadError> {
        let (Some(t), Some(zero)) = (timeline.place(frame.at), timeline.zero()) else { return Ok(()) };
        if self.encoders.audio.is_some() {
            self.sound.get_or_insert_with(|| SoundLine::new(zero));
        }
        self.count(t);
        self.change(frame, t)
    }

    /// Beside the clock's own, so that it does not count.
    fn extra(&mut self, frame: &BgraFrame, timeline: &Timeline) -> Result<(), EncodeThreadError> {
        let Some(t) = timeline.place(frame.at) else { return Ok(()) };
        self.change(frame, t)
    }

    fn change(&mut self, frame: &BgraFrame, t: MediaTime) -> Result<(), EncodeThreadError> {
        let key = self.key_is_due(t);
        let packets = self.encoders.video.encode(frame, t, key)?;
        self.rough = REFINEMENTS;
        self.write_pictures(packets, t, key)
    }

    /// A screen that came to rest is given a few times more where nothing else waits, and then once a second.
    fn same(&mut self, at: Monotonic, timeline: &Timeline, is_idle: bool) -> Result<(), EncodeThreadError> {
        let Some(t) = timeline.place(at) else { return Ok(()) };
        self.count(t);
        let key = self.key_is_due(t);
        if !key && (self.rough == 0 || !is_idle) {
            return Ok(());
        }
        self.rough = self.rough.saturating_sub(1);
        let packets = self.encoders.video.repeat(t, key)?;
        self.write_pictures(packets, t, key)
    }

    fn write_pictures(
        &mut self,
        packets: Vec<EncodedPacket>,
        t: MediaTime,
        key: bool,
    ) -> Result<(), EncodeThreadError> {
        self.last = Some(t);
        self.live.note_encoder_changes(self.encoders.video.take_changes());
        if key {
            self.last_key = Some(t);
            self.fill_late_sound(t)?;
        }
        self.write_video(packets)
    }

    /// What an encoder gives after it was given up has no place in the file any more.
    fn write_video(&mut self, packets: Vec<EncodedPacket>) -> Result<(), EncodeThreadError> {
        for packet in packets {
            if self.live.is_abandoned() {
                return Err(EncodeThreadError::Hung);
            }
            self.writer.video(packet)?;
            self.live.set_busy();
        }
        Ok(())
    }

    fn dropped(&mut self, at: Monotonic, timeline: &Timeline) {
        if let Some(t) = timeline.place(at) {
            self.miss(t);
        }
    }

    /// Counts the ticks that nobody told of until the end. The take's own time knows no pauses.
    fn drop_rest(&mut self, end: Monotonic, timeline: &Timeline) {
        let (Some(last), Some(end)) = (self.last_due, timeline.elapsed(end)) else { return };
        let period = self.frame();
        let mut due = last + period;
        while due < end {
            self.miss(due);
            due = due + period;
        }
    }

    fn miss(&mut self, t: MediaTime) {
        self.last_due = Some(t);
        self.frames.due += 1;
        self.live.due.fetch_add(1, Ordering::Relaxed);
        self.live.dropped.fetch_add(1, Ordering::Relaxed);
        *self.frames.dropped_per_second.entry(t.secs() as u64).or_default() += 1;
    }

    fn frame(&self) -> MediaTime {
        MediaTime::from_nanos(1_000_000_000 / i64::from(self.encoders.fps.max(1)))
    }

    fn key_is_due(&self, t: MediaTime) -> bool {
        self.last_key.is_none_or(|last| t.nanos - last.nanos >= KEY_EVERY_NANOS)
    }

    fn count(&mut self, t: MediaTime) {
        self.last_due = Some(t);
        self.frames.due += 1;
        self.frames.captured += 1;
        self.live.due.fetch_add(1, Ordering::Relaxed);
    }

    fn sound(&mut self, chunk: AudioChunk, timeline: &Timeline) -> Result<(), EncodeThreadError> {
        let Some(zero) = timeline.zero() else { return Ok(()) };
        let line = self.sound.get_or_insert_with(|| SoundLine::new(zero));
        if chunk_end(&chunk).nanos_since(clock::now()) > EARLY_NANOS {
            line.leave_out(&chunk);
            return Ok(());
        }
        for part in timeline.recorded(chunk) {
            line.push(&part)?;
        }
        self.write_sound()
    }

    /// A microphone that is gone, or has not come yet, is silent.
    fn fill_late_sound(&mut self, t: MediaTime) -> Result<(), EncodeThreadError> {
        if let Some(line) = self.sound.as_mut().filter(|line| t.secs() - line.position() > LATE_SECS) {
            line.fill_to(t.secs() - LEFT_OPEN_SECS)?;
        }
        self.write_sound()
    }

    fn write_sound(&mut self) -> Result<(), EncodeThreadError> {
        let (Some(line), Some(encoder)) = (self.sound.as_mut(), self.encoders.audio.as_mut()) else { return Ok(()) };
        while let Some(samples) = line.take(OPUS_FRAME_SAMPLES) {
            if self.live.is_abandoned() {
                return Err(EncodeThreadError::Hung);
            }
            self.live.hear(&samples);
            if let Some(voice) = self.voice.as_mut() {
                voice.write(&samples);
            }
            for packet in encoder.encode(&samples)? {
                self.writer.audio(packet)?;
            }
        }
        Ok(())
    }

    /// A picture at the end gives the take its true length, where the last one is not there already.
    fn finish(mut self, end: Monotonic, timeline: &Timeline) -> Result<EncodeReport, EncodeThreadError> {
        let (Some(last), Some(zero)) = (self.last, timeline.zero()) else { return Err(EncodeThreadError::NoPicture) };
        // A pause may have been asked for just before the end and come to be known after it.
        let end = timeline.elapsed(end.max(zero)).unwrap_or(last).max(last);
        let frame = self.frame();
        if (end - last).nanos > frame.nanos / 2 {
            let packets = self.encoders.video.repeat(end, false)?;
            self.write_video(packets)?;
        }
        let packets = self.encoders.video.finish()?;
        self.write_video(packets)?;
        if self.encoders.audio.is_some() {
            self.sound.get_or_insert_with(|| SoundLine::new(zero)).finish(end)?;
            self.write_sound()?;
            if let Some(encoder) = self.encoders.audio.as_mut() {
                for packet in encoder.finish()? {
                    self.writer.audio(packet)?;
                }
            }
        }
        if self.live.is_abandoned() {
            return Err(EncodeThreadError::Hung);
        }
        let (fragments, file) = self.writer.finish(end + frame)?;
        if let Some(voice) = self.voice {
            voice.remove();
        }
        let sound = self.sound.map(SoundLine::report).unwrap_or_default();
        Ok(EncodeReport { fragments, file, frames: self.frames, sound })
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use capture::screen::blank_frame;
    use crossbeam_channel::{bounded, never};
    use fail::FailScenario;
    use media::decode::{Picture, Sink, Sound, decode};
    use media::demux::Demuxer;

    use super::*;
    use crate::control::Control;

    fn at(millis: i64) -> Monotonic {
        Monotonic::from_nanos(millis * 1_000_000)
    }

    fn picture(millis: i64) -> Tick {
        let mut frame = blank_frame();
        (frame.width, frame.height, frame.stride, frame.data, frame.at) = (64, 64, 256, vec![90; 256 * 64], at(millis));
        Tick::Picture(frame)
    }

    /// What comes of a take of two seconds whose end is made by `end` and which is told of nothing more.
    fn ends(end: impl FnOnce(&Control, &Timeline)) -> EncodeReport {
        ends_after((0..20).map(|tick| picture(1000 + tick * 100)), end)
    }

    fn ends_after(told: impl Iterator<Item = Tick>, end: impl FnOnce(&Control, &Timeline)) -> EncodeReport {
        let base = tempfile::tempdir().unwrap();
        let (control, live) = (Control::default(), Live::default());
        let timeline = Timeline::new(&control);
        timeline.begin(at(1000));
        let (sink, ticks) = bounded(64);
        told.for_each(|tick| sink.send(tick).unwrap());
        drop(sink);
        end(&control, &timeline);
        let (spare, _spares) = bounded(64);
        let video = H264Encoder::open(64, 64, 10).unwrap().0;
        let encoders = Encoders { video, audio: None, fps: 10 };
        let streams = Streams { ticks, chunks: never(), spare, given_up: never() };
        run(encoders, &base.path().join("video.mp4"), None, streams, &timeline, &live).unwrap()
    }

    struct Nobody;

    impl Sink for Nobody {
        fn picture(&mut self, _: &mut Picture<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }

        fn sound(&mut self, _: &Sound<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    /// How many pictures the file has of one that is told ten times a second and then stays for 1.9 s; `waiting` ticks may
    /// wait for the encoder.
    fn pictures_of_a_still_screen(waiting: usize) -> u64 {
        let base = tempfile::tempdir().unwrap();
        let (path, timeline) = (base.path().join("video.mp4"), Timeline::new(&Control::default()));
        timeline.begin(at(1000));
        timeline.finish(End { at: at(2900), untold: Untold::These(Vec::new()) });
        let (sink, ticks) = bounded(waiting);
        let tell = move || {
            sink.send(picture(1000)).unwrap();
            (1..20).for_each(|tick| sink.send(Tick::Same(at(1000 + tick * 100))).unwrap());
        };
        let teller = std::thread::Builder::new().name("screen".to_owned()).spawn(tell).unwrap();
        if waiting > 0 {
            teller.join().unwrap();
        }
        let (spare, _spares) = bounded(64);
        let video = H264Encoder::open(64, 64, 10).unwrap().0;
        let streams = Streams { ticks, chunks: never(), spare, given_up: never() };
        run(Encoders { video, audio: None, fps: 10 }, &path, None, streams, &timeline, &Live::default()).unwrap();
        decode(&mut Demuxer::open(&path).unwrap(), &mut Nobody).unwrap().pictures
    }

    #[test]
    fn a_screen_that_came_to_rest_is_given_again_where_nothing_else_waits() {
        // Besides the first one, the key picture of the next second, and the end.
        assert_eq!(pictures_of_a_still_screen(0), 3 + u64::from(REFINEMENTS));
        assert_eq!(pictures_of_a_still_screen(64), 3, "an encoder that is behind has no time for that");
    }

    #[test]
    fn a_disk_that_hangs_at_the_last_sound_is_known_to_hang() {
        let scenario = FailScenario::setup();
        fail::cfg("voice.write", "pause").unwrap();
        let base = tempfile::tempdir().unwrap();
        let (live, timeline) = (Live::default(), Timeline::new(&Control::default()));
        timeline.begin(at(1000));
        timeline.finish(End { at: at(3000), untold: Untold::These(Vec::new()) });
        let (sink, ticks) = bounded(64);
        let (said, chunks) = bounded(64);
        let (spare, spares) = bounded(64);
        let video = H264Encoder::open(64, 64, 10).unwrap().0;
        let encoders = Encoders { video, audio: Some(OpusEncoder::open().unwrap()), fps: 10 };
        let streams = Streams { ticks, chunks, spare, given_up: never() };
        let voice = VoiceJournal::create(&base.path().join("voice.wav")).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let wait_for = |what: &dyn Fn() -> bool| {
            while !what() {
                assert!(Instant::now() < deadline, "it is never known");
                std::thread::yield_now();
            }
        };
        std::thread::scope(|scope| {
            let encoding =
                scope.spawn(|| run(encoders, &base.path().join("video.mp4"), Some(voice), streams, &timeline, &live));
            sink.send(picture(1000)).unwrap();
            spares.recv().unwrap();
            wait_for(&|| live.busy_secs(clock::now()) == 0.0);
            drop(sink);
            // The end of the sound is waited for; it is no idle time.
            wait_for(&|| live.busy_secs(clock::now()) > 0.0);
            said.send(AudioChunk { rate_hz: 48_000, channels: 1, samples: vec![0.1; 96_000], at: at(1000) }).unwrap();
            wait_for(&|| live.busy_secs(clock::now()) > 1.0);
            assert!(!encoding.is_finished());
            fail::remove("voice.write");
            assert!(encoding.join().unwrap().is_ok());
        });
        scenario.teardown();
    }

    #[test]
    fn a_take_is_whole_however_it_ends() {
        let finish = |timeline: &Timeline, millis: i64, untold: Vec<Monotonic>| {
            timeline.finish(End { at: at(millis), untold: Untold::These(untold) });
        };
        let whole = |report: &EncodeReport| (report.fragments.len(), report.frames.captured);
        let usual = ends(|_, timeline| finish(timeline, 3000, Vec::new()));
        // A pause that was asked for before the end and is known only after it.
        let paused = ends(|control, timeline| {
            finish(timeline, 3000, Vec::new());
            control.pause_at(at(2950));
        });
        // Nobody said where it ends: whoever looked at the screen failed.
        let unsaid = ends(|control, _| control.pause_at(at(3000)));
        let full = ends(|_, timeline| finish(timeline, 3200, vec![at(3000), at(3100)]));
        assert_eq!([&paused, &unsaid, &full].map(whole), [whole(&usual); 3]);
        assert_eq!(
            [&usual, &full].map(|report| report.frames.due),
            [20, 22],
            "what nobody could be told of is counted"
        );
        assert_eq!(full.frames.dropped_per_second[&2], 2);
    }

    #[test]
    fn a_display_that_is_given_up_leaves_dropped_pictures_until_the_end_and_none_for_a_pause() {
        let give_up = |timeline: &Timeline| timeline.finish(End { at: at(8000), untold: Untold::Rest });
        let moving = ends(|_, timeline| give_up(timeline));
        // The picture did not change for half a second.
        let told = || {
            (0..20).map(|tick| if tick < 15 { picture(1000 + tick * 100) } else { Tick::Same(at(1000 + tick * 100)) })
        };
        let still = ends_after(told(), |_, timeline| give_up(timeline));
        let paused = ends(|control, timeline| {
            control.pause_at(at(3500));
            control.resume_at(at(5500));
            give_up(timeline);
        });
        let rows = [(&moving, 50, &[10, 10, 10, 10, 10][..]), (&still, 50, &[10; 5]), (&paused, 30, &[10; 3])];
        for (report, dropped, per_second) in rows {
            let frames = &report.frames;
            assert_eq!((frames.captured, frames.due), (20, 20 + dropped), "{frames:?}");
            assert_eq!(frames.dropped_per_second.values().copied().collect::<Vec<_>>(), per_second);
        }
    }
}

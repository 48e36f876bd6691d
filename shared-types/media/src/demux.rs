//! A media file to packets, with the narrowest opening FFmpeg offers.
//!
//! The file is opened by us and handed over as a stream, so FFmpeg never sees a name or an address; only the demuxer
//! that the magic bytes call for may run. Files that declare absurd numbers of streams or pixels are refused before
//! anything is decoded.

use std::fs::File;
use std::path::Path;

use ff::format::context::{Input, StreamIo};
use ffmpeg_next as ff;

use crate::encode::init;
use crate::probe::{Container, sniff_file};

/// More streams than any recorder makes.
const MAX_STREAMS: usize = 16;
/// More pixels than any screen has: 8K.
pub(crate) const MAX_PIXELS: u64 = 7680 * 4320;

#[derive(Debug, thiserror::Error)]
pub enum DemuxError {
    #[error("the file could not be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("this is not an MP4, MOV, Matroska or WebM file")]
    WrongType,
    #[error("the file cannot be opened: {0}")]
    Corrupt(#[from] ff::Error),
    #[error("the file declares {0} streams")]
    TooManyStreams(usize),
    #[error("the picture is {0} x {1} pixels, larger than any screen")]
    TooLarge(u32, u32),
}

pub struct Demuxer {
    pub(crate) input: Input,
    pub(crate) video: Option<Track>,
    pub(crate) audio: Option<Track>,
    pub container: Container,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Track {
    pub(crate) index: usize,
    pub(crate) time_base: f64,
    /// Time stamp of the track's start, in seconds.
    pub(crate) start: Option<f64>,
}

impl Demuxer {
    pub fn open(path: &Path) -> Result<Self, DemuxError> {
        init();
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Err(DemuxError::Empty);
        }
        let container = sniff_file(path)?.ok_or(DemuxError::WrongType)?;
        let mut options = ff::Dictionary::new();
        options.set("format_whitelist", container.demuxer());
        options.set("protocol_whitelist", "");
        options.set("max_streams", &MAX_STREAMS.to_string());
        let io = StreamIo::from_read_seek_with_capacity(file, 1 << 16)?;
        let input = ff::format::input_from_stream(io, None, Some(options))?;
        let streams = input.streams().count();
        if streams > MAX_STREAMS {
            return Err(DemuxError::TooManyStreams(streams));
        }
        let video = best(&input, ff::media::Type::Video);
        let audio = best(&input, ff::media::Type::Audio);
        Ok(Self { input, video, audio, container })
    }

    /// What the container says its length is, in seconds; fragmented files say nothing.
    pub fn declared_secs(&self) -> Option<f64> {
        let micros = self.input.duration();
        let fragmented = self.container == Container::Mp4 && !self.has_sample_table();
        (micros > 0 && !fragmented).then(|| micros as f64 / f64::from(ff::ffi::AV_TIME_BASE))
    }

    /// Whether the index at the head lists samples; in fragmented files each fragment brings its own, and the length
    /// FFmpeg reports is only what it has seen.
    fn has_sample_table(&self) -> bool {
        self.video
            .or(self.audio)
            .is_some_and(|track| self.input.stream(track.index).is_some_and(|stream| stream.frames() > 0))
    }

    pub fn has_video(&self) -> bool {
        self.video.is_some()
    }

    pub fn has_audio(&self) -> bool {
        self.audio.is_some()
    }

    /// Where a packet of picture or sound ends, in seconds of the file's own clock.
    pub(crate) fn packet_end(&self, packet: &ff::Packet) -> Option<f64> {
        let track = [self.video, self.audio].into_iter().flatten().find(|track| track.index == packet.stream())?;
        Some((packet.pts()? + packet.duration().max(0)) as f64 * track.time_base)
    }

    /// Time stamp, in seconds, that is media time zero: the first picture's, or the first sound's without one.
    pub(crate) fn zero(&self) -> f64 {
        self.video.or(self.audio).and_then(|track| track.start).unwrap_or(0.0)
    }
}

/// Where a file's last packet ends, in seconds of the recording. Every packet is read and none decoded: fragmented
/// files do not say their length.
pub fn length_secs(path: &Path) -> Result<f64, DemuxError> {
    let mut demuxer = Demuxer::open(path)?;
    let mut end = demuxer.zero();
    let mut packet = ff::Packet::empty();
    while packet.read(&mut demuxer.input).is_ok() {
        end = demuxer.packet_end(&packet).map_or(end, |packet_end| packet_end.max(end));
    }
    Ok(end - demuxer.zero())
}

fn best(input: &Input, kind: ff::media::Type) -> Option<Track> {
    let stream = input.streams().best(kind)?;
    let time_base = f64::from(stream.time_base());
    let start = Some(stream.start_time()).filter(|&start| start != ff::ffi::AV_NOPTS_VALUE);
    Some(Track { index: stream.index(), time_base, start: start.map(|start| start as f64 * time_base) })
}

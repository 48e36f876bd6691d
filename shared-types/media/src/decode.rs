//! Packets to pictures and sound, in one streaming pass.
//!
//! Nothing is kept: each picture and each stretch of sound is shown once to a [`Sink`], in file order. Damage inside
//! the stream is counted and stepped over, as players do.

use std::ops::ControlFlow;

use ff::ChannelLayout;
use ff::format::Pixel;
use ff::format::sample::{Sample, Type};
use ff::software::resampling::Context as Resampler;
use ff::software::scaling::{Context as Scaler, Flags as ScaleFlags};
use ff::util::frame::{Audio, Video};
use ffmpeg_next as ff;
use shared_types::quality::measurements::Span;

use crate::demux::{DemuxError, Demuxer, MAX_PIXELS, Track};
use crate::frame::RgbFrame;
use crate::measure::picture::LumaView;
use crate::time::MediaTime;

/// The rate of the voice as models and detectors want it.
pub const VOICE_RATE_HZ: u32 = 16_000;

/// A stamp further than this from the first picture is damage: nobody records for four days.
const MAX_SECS: f64 = 4.0 * 86_400.0;

/// As many as a frame of FFmpeg has places for; the voice is mixed of all of them.
const MAX_CHANNELS: usize = 8;

/// Who looks at what is decoded. `Break` ends the pass early.
pub trait Sink {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()>;
    fn sound(&mut self, sound: &Sound<'_>) -> ControlFlow<()>;
}

/// A decoded picture; its luma is free, its colours cost a conversion.
pub struct Picture<'a> {
    frame: &'a Video,
    converters: &'a mut Converters,
    pub t: MediaTime,
}

#[derive(Default)]
struct Converters {
    luma: Option<(Scaler, Video)>,
    rgb: Option<(Scaler, Video)>,
}

impl Picture<'_> {
    pub fn size(&self) -> (u32, u32) {
        (self.frame.width(), self.frame.height())
    }

    pub(crate) fn frame(&self) -> &Video {
        self.frame
    }

    /// Brightness of each pixel. `None` if the picture has a form that cannot be converted.
    pub fn luma(&mut self) -> Option<LumaView<'_>> {
        let (width, height) = self.size();
        if has_luma_plane(self.frame.format()) {
            return Some(LumaView { width, height, stride: self.frame.stride(0), data: self.frame.data(0) });
        }
        let converted = convert(&mut self.converters.luma, self.frame, Pixel::GRAY8)?;
        Some(LumaView { width, height, stride: converted.stride(0), data: converted.data(0) })
    }

    pub fn rgb(&mut self) -> Option<RgbFrame> {
        let (width, height) = self.size();
        let converted = convert(&mut self.converters.rgb, self.frame, Pixel::RGB24)?;
        let (stride, bytes) = (converted.stride(0), width as usize * 3);
        let mut data = Vec::with_capacity(bytes * height as usize);
        for row in converted.data(0).chunks(stride).take(height as usize) {
            data.extend_from_slice(&row[..bytes]);
        }
        Some(RgbFrame { width, height, data, t: self.t })
    }
}

/// A copy of a picture that outlives the pass over it.
pub struct StoredPicture {
    frame: Video,
    converters: Converters,
    pub t: MediaTime,
}

impl Default for StoredPicture {
    fn default() -> Self {
        Self { frame: Video::empty(), converters: Converters::default(), t: MediaTime::ZERO }
    }
}

impl StoredPicture {
    /// Takes over a picture, as it was decoded.
    pub fn store(&mut self, picture: &Picture<'_>) {
        let (format, width, height) = (picture.frame.format(), picture.frame.width(), picture.frame.height());
        if (self.frame.format(), self.frame.width(), self.frame.height()) != (format, width, height) {
            self.frame = Video::new(format, width, height);
        }
        self.frame.clone_from(picture.frame);
        self.t = picture.t;
    }

    pub fn rgb(&mut self) -> Option<RgbFrame> {
        if self.frame.width() == 0 {
            return None;
        }
        Picture { frame: &self.frame, converters: &mut self.converters, t: self.t }.rgb()
    }
}

fn has_luma_plane(format: Pixel) -> bool {
    matches!(
        format,
        Pixel::YUV420P
            | Pixel::YUVJ420P
            | Pixel::YUV422P
            | Pixel::YUVJ422P
            | Pixel::YUV444P
            | Pixel::YUVJ444P
            | Pixel::NV12
            | Pixel::NV21
            | Pixel::GRAY8
    )
}

fn convert<'a>(slot: &'a mut Option<(Scaler, Video)>, frame: &Video, to: Pixel) -> Option<&'a Video> {
    let (width, height) = (frame.width(), frame.height());
    let fits = slot.as_ref().is_some_and(|(scaler, _)| {
        let from = scaler.input();
        (from.format, from.width, from.height) == (frame.format(), width, height)
    });
    if !fits {
        let scaler = Scaler::get(frame.format(), width, height, to, width, height, ScaleFlags::BILINEAR).ok()?;
        *slot = Some((scaler, Video::new(to, width, height)));
    }
    let (scaler, converted) = slot.as_mut()?;
    scaler.run(frame, converted).ok()?;
    Some(converted)
}

/// A stretch of decoded sound.
pub struct Sound<'a> {
    /// Seconds on the recording's clock; may be negative where sound begins before the picture.
    pub t: f64,
    pub rate_hz: u32,
    /// One slice a channel, in -1 to 1.
    pub channels: Vec<&'a [f32]>,
    /// The same stretch as 16 kHz mono.
    pub voice: &'a [f32],
}

impl Sound<'_> {
    /// The channels with the given spans silent; `None` where no span touches this stretch.
    pub fn muted(&self, spans: &[Span]) -> Option<Vec<Vec<f32>>> {
        let rate = f64::from(self.rate_hz);
        let samples = self.channels.first().map_or(0, |channel| channel.len());
        let end = self.t + samples as f64 / rate;
        if spans.iter().all(|span| span.end <= self.t || span.start >= end) {
            return None;
        }
        let mut channels: Vec<Vec<f32>> = self.channels.iter().map(|channel| channel.to_vec()).collect();
        for span in spans {
            let at = |secs: f64| (((secs - self.t) * rate).max(0.0) as usize).min(samples);
            let (from, to) = (at(span.start), at(span.end));
            for channel in &mut channels {
                channel[from..to.max(from)].fill(0.0);
            }
        }
        Some(channels)
    }
}

/// What a pass over a file found besides what the sink saw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PassReport {
    pub pictures: u64,
    pub sounds: u64,
    pub damaged_packets: u64,
    /// Where the last packet of either track ends.
    pub end_secs: f64,
    /// The last packet was cut short by the end of the file.
    pub ends_inside_frame: bool,
}

/// Decodes a whole file once.
pub fn decode(demuxer: &mut Demuxer, sink: &mut dyn Sink) -> Result<PassReport, DemuxError> {
    let zero = demuxer.zero();
    let mut video = demuxer.video.and_then(|track| VideoDecoder::open(demuxer, track, zero).transpose()).transpose()?;
    let mut audio = demuxer.audio.and_then(|track| AudioDecoder::open(demuxer, track, zero));
    let mut report = PassReport::default();
    let mut last_was_corrupt = false;
    loop {
        let mut packet = ff::Packet::empty();
        match packet.read(&mut demuxer.input) {
            Ok(()) => {}
            Err(ff::Error::Eof) => break,
            Err(_) => {
                last_was_corrupt = true;
                break;
            }
        }
        last_was_corrupt = packet.is_corrupt();
        if let Some(end) = demuxer.packet_end(&packet) {
            if end - zero <= MAX_SECS {
                report.end_secs = report.end_secs.max(end - zero);
            } else {
                report.damaged_packets += 1;
            }
        }
        let flow = if demuxer.video.is_some_and(|track| track.index == packet.stream()) {
            video.as_mut().map_or(ControlFlow::Continue(()), |video| video.push(Some(&packet), sink, &mut report))
        } else if demuxer.audio.is_some_and(|track| track.index == packet.stream()) {
            audio.as_mut().map_or(ControlFlow::Continue(()), |audio| audio.push(Some(&packet), sink, &mut report))
        } else {
            ControlFlow::Continue(())
        };
        if flow.is_break() {
            return Ok(report);
        }
    }
    report.ends_inside_frame = last_was_corrupt;
    let ended = video.as_mut().map(|video| video.push(None, sink, &mut report));
    if ended.is_none_or(|flow| flow.is_continue())
        && let Some(audio) = audio.as_mut()
    {
        // The pass is over either way; there is nothing left to stop.
        let _: ControlFlow<()> = audio.push(None, sink, &mut report);
    }
    Ok(report)
}

/// The name of a track's codec as FFmpeg calls it.
pub(crate) fn codec_name(demuxer: &Demuxer, track: Track) -> String {
    demuxer.input.stream(track.index).map_or_else(String::new, |stream| stream.parameters().id().name().to_owned())
}

struct VideoDecoder {
    decoder: ff::decoder::Video,
    frame: Video,
    converters: Converters,
    time_base: f64,
    zero: f64,
}

impl VideoDecoder {
    /// `None` for a codec this FFmpeg cannot decode.
    fn open(demuxer: &Demuxer, track: Track, zero: f64) -> Result<Option<Self>, DemuxError> {
        let Some(stream) = demuxer.input.stream(track.index) else { return Ok(None) };
        let Ok(mut context) = ff::codec::Context::from_parameters(stream.parameters()) else { return Ok(None) };
        context.set_threading(ff::threading::Config {
            kind: ff::threading::Type::Frame,
            count: 2,
            ..ff::threading::Config::default()
        });
        let Ok(decoder) = context.decoder().video() else { return Ok(None) };
        let (width, height) = (decoder.width(), decoder.height());
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(DemuxError::TooLarge(width, height));
        }
        let (frame, converters) = (Video::empty(), Converters::default());
        Ok(Some(Self { decoder, frame, converters, time_base: track.time_base, zero }))
    }

    fn push(&mut self, packet: Option<&ff::Packet>, sink: &mut dyn Sink, report: &mut PassReport) -> ControlFlow<()> {
        let sent = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        if sent.is_err() {
            report.damaged_packets += 1;
        }
        while self.decoder.receive_frame(&mut self.frame).is_ok() {
            if u64::from(self.frame.width()) * u64::from(self.frame.height()) > MAX_PIXELS {
                report.damaged_packets += 1;
                continue;
            }
            let secs = self.frame.timestamp().unwrap_or_default() as f64 * self.time_base - self.zero;
            if secs.abs() > MAX_SECS {
                report.damaged_packets += 1;
                continue;
            }
            report.pictures += 1;
            let t = MediaTime::from_secs(secs);
            sink.picture(&mut Picture { frame: &self.frame, converters: &mut self.converters, t })?;
        }
        ControlFlow::Continue(())
    }
}

struct AudioDecoder {
    decoder: ff::decoder::Audio,
    frame: Audio,
    planar: Option<Resampler>,
    voice: Option<Resampler>,
    form: Option<(Sample, u16, u32)>,
    time_base: f64,
    zero: f64,
}

impl AudioDecoder {
    fn open(demuxer: &Demuxer, track: Track, zero: f64) -> Option<Self> {
        let stream = demuxer.input.stream(track.index)?;
        let context = ff::codec::Context::from_parameters(stream.parameters()).ok()?;
        let mut decoder = context.decoder().audio().ok()?;
        decoder.set_packet_time_base(stream.time_base());
        let frame = Audio::empty();
        Some(Self { decoder, frame, planar: None, voice: None, form: None, time_base: track.time_base, zero })
    }

    fn push(&mut self, packet: Option<&ff::Packet>, sink: &mut dyn Sink, report: &mut PassReport) -> ControlFlow<()> {
        let sent = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        if sent.is_err() {
            report.damaged_packets += 1;
        }
        while self.decoder.receive_frame(&mut self.frame).is_ok() {
            if self.secs().abs() > MAX_SECS {
                report.damaged_packets += 1;
                continue;
            }
            report.sounds += 1;
            self.show(sink, report)?;
        }
        ControlFlow::Continue(())
    }

    fn secs(&self) -> f64 {
        self.frame.timestamp().unwrap_or_default() as f64 * self.time_base - self.zero
    }

    fn show(&mut self, sink: &mut dyn Sink, report: &mut PassReport) -> ControlFlow<()> {
        let t = self.secs();
        let (rate, channels) = (self.frame.rate(), self.frame.channels());
        if rate == 0 || channels == 0 || self.frame.samples() == 0 {
            return ControlFlow::Continue(());
        }
        self.prepare(rate, channels);
        let (mut native, mut mono) = (Audio::empty(), Audio::empty());
        let converted = match (self.planar.as_mut(), self.voice.as_mut()) {
            (Some(planar), Some(voice)) => {
                planar.run(&self.frame, &mut native).is_ok() && voice.run(&self.frame, &mut mono).is_ok()
            }
            _ => false,
        };
        if !converted {
            report.damaged_packets += 1;
            return ControlFlow::Continue(());
        }
        let channels = usize::from(channels).min(MAX_CHANNELS);
        for index in 0..channels {
            tame(native.plane_mut(index));
        }
        if mono.samples() > 0 {
            tame(mono.plane_mut(0));
        }
        let channels = (0..channels).map(|index| native.plane::<f32>(index)).collect();
        let voice = if mono.samples() == 0 { &[][..] } else { mono.plane::<f32>(0) };
        sink.sound(&Sound { t, rate_hz: rate, channels, voice })
    }

    /// Converters for the form of sound at hand; a file may change it on the way.
    fn prepare(&mut self, rate: u32, channels: u16) {
        let layout = ChannelLayout::default(i32::from(channels));
        // Each frame comes with the decoder's own layout (none, 3.0, 5.1 with side speakers ...), and a converter refuses
        // whatever differs from the one it was made for.
        self.frame.set_channel_layout(layout);
        let form = (self.frame.format(), channels, rate);
        if self.form == Some(form) {
            return;
        }
        self.form = Some(form);
        let float = Sample::F32(Type::Planar);
        self.planar = Resampler::get(form.0, layout, rate, float, layout, rate).ok();
        self.voice = Resampler::get(form.0, layout, rate, float, ChannelLayout::MONO, VOICE_RATE_HZ).ok();
    }
}

/// A hostile file may hold samples that are no numbers; models and detectors take none.
fn tame(samples: &mut [f32]) {
    for sample in samples {
        if !sample.is_finite() {
            *sample = 0.0;
        }
    }
}

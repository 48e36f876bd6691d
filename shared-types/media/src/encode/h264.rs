//! Pictures to H.264.
//!
//! Encoders come from a list and are tried at the picture's real size before one is trusted: some accept small test
//! pictures and refuse large ones. Parameter sets travel in the stream (`avc3`), so that the file can go on after a
//! change of encoder. There are no B-frames and no look-ahead: what goes in comes out, and a killed recorder loses
//! nothing that waits inside the encoder.

use ff::format::Pixel;
use ff::software::scaling::{Context as Scaler, Flags as ScaleFlags};
use ff::util::frame::Video;
use ffmpeg_next as ff;
use shared_types::recording::EncoderProbe;
use shared_types::step::PixelBox;

use super::{EncodeError, EncodedPacket, fill_boxes, init, ready};
use crate::decode::Picture;
use crate::frame::BgraFrame;
use crate::time::MediaTime;

/// Ticks a second of picture time stamps: the usual MPEG clock.
pub(crate) const VIDEO_TICKS: i32 = 90_000;

/// An encoder worth trying, with the options that make it quality-targeted and free of delay.
struct Candidate {
    name: &'static str,
    options: &'static [(&'static str, &'static str)],
}

const CANDIDATES: &[Candidate] = &[
    Candidate {
        name: "libx264",
        options: &[
            ("preset", "veryfast"),
            ("tune", "zerolatency"),
            ("crf", "24"),
            ("forced-idr", "1"),
            // One thread: slices cost compression, and frame threads hold pictures back.
            ("x264-params", "repeat-headers=1:sliced-threads=0:threads=1:sync-lookahead=0:rc-lookahead=0"),
        ],
    },
    Candidate { name: "libopenh264", options: &[("rc_mode", "quality"), ("allow_skip_frames", "0")] },
];

pub(crate) fn video_ticks(t: MediaTime) -> i64 {
    (t.nanos as f64 * f64::from(VIDEO_TICKS) / 1e9).round() as i64
}

pub struct H264Encoder {
    pub(crate) encoder: ff::encoder::video::Encoder,
    name: &'static str,
    width: u32,
    height: u32,
    canvas: Video,
    fitted: Option<Fitted>,
    decoded: Option<Decoded>,
    last_ticks: i64,
}

/// A scaler that may move to the encoder's thread with its owner.
struct OwnScaler(Scaler);

#[expect(unsafe_code, reason = "FFmpeg's bindings leave the scaler without `Send`")]
// SAFETY: libswscale keeps all state in the context and ties none of it to a thread; there is one owner.
unsafe impl Send for OwnScaler {}

/// How a captured picture of one size is laid into the canvas.
struct Fitted {
    source: (u32, u32),
    scaler: OwnScaler,
    input: Video,
    /// The scaled picture, where it does not fill the canvas.
    inner: Option<(Video, u32, u32)>,
}

/// How a decoded picture of one form is laid into the canvas.
struct Decoded {
    source: (Pixel, u32, u32),
    scaler: OwnScaler,
    inner: Video,
    at: (u32, u32),
}

impl H264Encoder {
    /// Opens the first encoder of the list that really encodes a picture of this size. Sides must be even.
    pub fn open(width: u32, height: u32, fps: u32) -> Result<(Self, Vec<EncoderProbe>), EncodeError> {
        init();
        let mut probes = Vec::new();
        for candidate in CANDIDATES {
            match Self::try_open(candidate, width, height, fps).map_err(EncodeError::Video).and_then(Self::prove) {
                Ok(()) => {
                    probes.push(EncoderProbe { name: candidate.name.to_owned(), works: true, detail: None });
                    let encoder = Self::try_open(candidate, width, height, fps).map_err(EncodeError::Video)?;
                    return Ok((encoder, probes));
                }
                Err(error) => {
                    let detail = Some(error.to_string());
                    probes.push(EncoderProbe { name: candidate.name.to_owned(), works: false, detail });
                }
            }
        }
        let tried = probes
            .iter()
            .map(|probe| format!("{} ({})", probe.name, probe.detail.as_deref().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", ");
        Err(EncodeError::NoVideoEncoder { width, height, tried })
    }

    fn try_open(candidate: &Candidate, width: u32, height: u32, fps: u32) -> Result<Self, ff::Error> {
        let codec = ff::encoder::find_by_name(candidate.name).ok_or(ff::Error::EncoderNotFound)?;
        let mut video = ff::codec::Context::new_with_codec(codec).encoder().video()?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(Pixel::YUV420P);
        video.set_time_base((1, VIDEO_TICKS));
        video.set_frame_rate(Some((fps as i32, 1)));
        // Key frames are asked for one by one; this is only a ceiling.
        video.set_gop(fps.saturating_mul(10));
        video.set_max_b_frames(0);
        video.set_colorspace(ff::color::Space::SMPTE170M);
        video.set_color_range(ff::color::Range::MPEG);
        video.set_flags(ff::codec::Flags::GLOBAL_HEADER);
        let mut options = ff::Dictionary::new();
        for (key, value) in candidate.options {
            options.set(key, value);
        }
        let encoder = video.open_with(options)?;
        let mut canvas = Video::new(Pixel::YUV420P, width, height);
        paint_black(&mut canvas);
        Ok(Self { encoder, name: candidate.name, width, height, canvas, fitted: None, decoded: None, last_ticks: -1 })
    }

    /// Encodes two black pictures; an encoder that cannot is not used.
    fn prove(mut self) -> Result<(), EncodeError> {
        let mut packets = self.send(MediaTime::ZERO, true)?;
        packets.extend(self.send(MediaTime::from_secs(0.1), false)?);
        packets.extend(self.finish()?);
        if packets.len() == 2 { Ok(()) } else { Err(EncodeError::Video(ff::Error::Bug)) }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Encodes one picture, scaled to fit with black bars where its shape differs.
    ///
    /// Gives what the encoder has ready, as a rule just this picture; nothing if its time is not after the last one's.
    pub fn encode(&mut self, frame: &BgraFrame, t: MediaTime, key: bool) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.lay(frame).map_err(EncodeError::Video)?;
        self.send(t, key)
    }

    /// Encodes a decoded picture with boxes of it, in its own pixels, filled.
    pub fn encode_decoded(
        &mut self,
        picture: &Picture<'_>,
        covered: &[PixelBox],
        key: bool,
    ) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.lay_decoded(picture.frame(), covered).map_err(EncodeError::Video)?;
        self.send(picture.t, key)
    }

    fn lay_decoded(&mut self, frame: &Video, covered: &[PixelBox]) -> Result<(), ff::Error> {
        let source = (frame.format(), frame.width(), frame.height());
        if self.decoded.as_ref().is_none_or(|decoded| decoded.source != source) {
            let (x, y, width, height) = letterbox((source.1, source.2), (self.width, self.height));
            let flags = ScaleFlags::BICUBIC | ScaleFlags::ACCURATE_RND;
            let scaler = Scaler::get(source.0, source.1, source.2, Pixel::YUV420P, width, height, flags)?;
            let inner = Video::new(Pixel::YUV420P, width, height);
            self.decoded = Some(Decoded { source, scaler: OwnScaler(scaler), inner, at: (x, y) });
            paint_black(&mut self.canvas);
        }
        let Some(Decoded { scaler, inner, at: (x, y), .. }) = self.decoded.as_mut() else { return Ok(()) };
        scaler.0.run(frame, inner)?;
        copy_planes(inner, &mut self.canvas, *x, *y);
        let laid = (*x, *y, inner.width(), inner.height());
        fill_boxes(&mut self.canvas, laid, (source.1, source.2), covered);
        Ok(())
    }

    /// Encodes the last picture again, at a later time.
    pub fn repeat(&mut self, t: MediaTime, key: bool) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.send(t, key)
    }

    /// What the encoder still holds at the end.
    pub fn finish(&mut self) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.encoder.send_eof().map_err(EncodeError::Video)?;
        ready(&mut self.encoder).map_err(EncodeError::Video)
    }

    fn send(&mut self, t: MediaTime, key: bool) -> Result<Vec<EncodedPacket>, EncodeError> {
        let ticks = video_ticks(t);
        if ticks <= self.last_ticks {
            return Ok(Vec::new());
        }
        self.last_ticks = ticks;
        self.canvas.set_pts(Some(ticks));
        self.canvas.set_kind(if key { ff::picture::Type::I } else { ff::picture::Type::None });
        self.encoder.send_frame(&self.canvas).map_err(EncodeError::Video)?;
        ready(&mut self.encoder).map_err(EncodeError::Video)
    }

    fn lay(&mut self, frame: &BgraFrame) -> Result<(), ff::Error> {
        let source = (frame.width, frame.height);
        if self.fitted.as_ref().is_none_or(|fitted| fitted.source != source) {
            self.fitted = Some(self.fit(source)?);
            paint_black(&mut self.canvas);
        }
        let Some(fitted) = self.fitted.as_mut() else { return Ok(()) };
        let stride = fitted.input.stride(0);
        let bytes = frame.width as usize * 4;
        let rows = fitted.input.data_mut(0).chunks_exact_mut(stride);
        for (y, row) in rows.take(frame.height as usize).enumerate() {
            row[..bytes].copy_from_slice(frame.row(y as u32));
        }
        match fitted.inner.as_mut() {
            None => fitted.scaler.0.run(&fitted.input, &mut self.canvas),
            Some((inner, x, y)) => {
                fitted.scaler.0.run(&fitted.input, inner)?;
                copy_planes(inner, &mut self.canvas, *x, *y);
                Ok(())
            }
        }
    }

    fn fit(&self, (width, height): (u32, u32)) -> Result<Fitted, ff::Error> {
        let (x, y, inner_width, inner_height) = letterbox((width, height), (self.width, self.height));
        let scaler = Scaler::get(
            Pixel::BGRA,
            width,
            height,
            Pixel::YUV420P,
            inner_width,
            inner_height,
            ScaleFlags::AREA | ScaleFlags::ACCURATE_RND,
        )?;
        let fills = (inner_width, inner_height) == (self.width, self.height);
        let inner = (!fills).then(|| (Video::new(Pixel::YUV420P, inner_width, inner_height), x, y));
        Ok(Fitted {
            source: (width, height),
            scaler: OwnScaler(scaler),
            input: Video::new(Pixel::BGRA, width, height),
            inner,
        })
    }
}

/// Where a picture of size `source` lies in a canvas: `(x, y, width, height)`, all even, centred, shape kept.
pub fn letterbox(source: (u32, u32), canvas: (u32, u32)) -> (u32, u32, u32, u32) {
    let scale = (f64::from(canvas.0) / f64::from(source.0)).min(f64::from(canvas.1) / f64::from(source.1));
    let even = |side: u32, limit: u32| ((((f64::from(side) * scale).round() as u32) & !1).max(2)).min(limit & !1);
    let (width, height) = (even(source.0, canvas.0), even(source.1, canvas.1));
    (((canvas.0 - width) / 2) & !1, ((canvas.1 - height) / 2) & !1, width, height)
}

/// The size a screen is encoded at: at most `long_edge` on its longer side, sides even, shape kept.
pub fn picture_size(screen: (u32, u32), long_edge: u32) -> (u32, u32) {
    let longest = screen.0.max(screen.1).max(1);
    let scale = (f64::from(long_edge) / f64::from(longest)).min(1.0);
    let side = |side: u32| ((f64::from(side) * scale).round() as u32 & !1).max(16);
    (side(screen.0), side(screen.1))
}

pub(super) fn paint_black(frame: &mut Video) {
    frame.data_mut(0).fill(16);
    frame.data_mut(1).fill(128);
    frame.data_mut(2).fill(128);
}

pub(super) fn copy_planes(from: &Video, to: &mut Video, x: u32, y: u32) {
    for plane in 0..3 {
        let half = u32::from(plane > 0);
        let (left, top) = ((x >> half) as usize, (y >> half) as usize);
        let width = from.plane_width(plane) as usize;
        let (from_stride, to_stride) = (from.stride(plane), to.stride(plane));
        for row in 0..from.plane_height(plane) as usize {
            let source = &from.data(plane)[row * from_stride..][..width];
            to.data_mut(plane)[(top + row) * to_stride + left..][..width].copy_from_slice(source);
        }
    }
}

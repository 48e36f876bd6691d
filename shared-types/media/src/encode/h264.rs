//! Pictures to H.264.
//!
//! Encoders come from a [list](super::encoders) and are tried at the picture's real size before one is trusted: some
//! accept small test pictures and refuse large ones. One that gives the pictures it is tried with back at once, as libx264
//! does, is warm then and goes on with the take's own; one that does so only when it is told that no more will come takes
//! no more, so that a fresh one of its kind is opened. One that fails during a take is left for the next, in the same file,
//! and so is one that fails at its first picture there. Parameter sets travel in the stream (`avc3`), so that the file can go
//! on after a change of encoder, also to one with another profile. There are no B-frames and no look-ahead: what goes in
//! comes out, and a killed recorder loses nothing that waits inside the encoder.

use ff::format::Pixel;
use ff::software::scaling::{Context as Scaler, Flags as ScaleFlags};
use ff::util::frame::Video;
use ffmpeg_next as ff;
use shared_types::recording::EncoderProbe;
use shared_types::step::PixelBox;

use super::encoders::{CANDIDATES, Candidate};
use super::surfaces::Surfaces;
use super::yuv::{fill, interleave};
use super::{EncodeError, EncodedPacket, fill_boxes, init, ready};
use crate::decode::Picture;
use crate::fit::letterbox;
use crate::frame::BgraFrame;
use crate::time::MediaTime;

/// Ticks a second of picture time stamps: the usual MPEG clock.
pub(crate) const VIDEO_TICKS: i32 = 90_000;

/// How long before the first picture of a take an encoder is tried, in its own time: not every one likes times before zero.
const LEAD_TICKS: i64 = VIDEO_TICKS as i64;

pub(crate) fn video_ticks(t: MediaTime) -> i64 {
    (t.nanos as f64 * f64::from(VIDEO_TICKS) / 1e9).round() as i64
}

pub struct H264Encoder {
    pub(crate) encoder: ff::encoder::video::Encoder,
    list: &'static [Candidate],
    /// Where in the list it stands.
    candidate: usize,
    /// How far its own time lies after the take's.
    shift: i64,
    /// The last of the list was opened afresh once.
    is_reopened: bool,
    fps: u32,
    canvas: Video,
    /// The canvas in the encoder's own form, where that is another.
    own: Option<Video>,
    /// Where it is copied to from there, for an encoder that takes pictures from the graphics processor's memory.
    surfaces: Option<Surfaces>,
    fitted: Option<Fitted>,
    decoded: Option<Decoded>,
    last_ticks: i64,
    changes: Vec<EncoderChange>,
}

/// An encoder failed during a take and another one went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderChange {
    pub from: &'static str,
    pub to: &'static str,
    pub reason: String,
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
        Self::open_from(CANDIDATES, width, height, fps)
    }

    fn open_from(
        list: &'static [Candidate],
        width: u32,
        height: u32,
        fps: u32,
    ) -> Result<(Self, Vec<EncoderProbe>), EncodeError> {
        init();
        let mut probes = Vec::new();
        for (index, candidate) in list.iter().enumerate() {
            match Self::open_proven(list, index, (width, height), fps, 0) {
                Ok(encoder) => {
                    probes.push(EncoderProbe { name: encoder.name().to_owned(), works: true, detail: None });
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

    /// An encoder of the list that has shown that it works, for pictures from a moment of the take on.
    fn open_proven(
        list: &'static [Candidate],
        index: usize,
        size: (u32, u32),
        fps: u32,
        from_ticks: i64,
    ) -> Result<Self, EncodeError> {
        let open = || Self::try_open(list, index, size, fps);
        let mut encoder = open()?;
        if !encoder.prove()? {
            encoder = open()?;
        }
        encoder.shift = LEAD_TICKS - from_ticks;
        Ok(encoder)
    }

    fn try_open(
        list: &'static [Candidate],
        index: usize,
        (width, height): (u32, u32),
        fps: u32,
    ) -> Result<Self, EncodeError> {
        fail::fail_point!("h264.open", |_| Err(EncodeError::Video(ff::Error::External)));
        let candidate = &list[index];
        let codec = ff::encoder::find_by_name(candidate.name);
        let codec = codec.ok_or(EncodeError::Video(ff::Error::EncoderNotFound))?;
        let open = |memory| Surfaces::open(memory, candidate.pixels, (width, height));
        let surfaces = candidate.memory.map(open).transpose()?;
        let opened = Self::configure(codec, candidate, surfaces.as_ref(), (width, height), fps);
        let mut canvas = Video::new(Pixel::YUV420P, width, height);
        paint_black(&mut canvas);
        let own = (candidate.pixels != Pixel::YUV420P).then(|| Video::new(candidate.pixels, width, height));
        Ok(Self {
            encoder: opened.map_err(EncodeError::Video)?,
            list,
            candidate: index,
            shift: 0,
            is_reopened: false,
            fps,
            canvas,
            own,
            surfaces,
            fitted: None,
            decoded: None,
            last_ticks: -1,
            changes: Vec::new(),
        })
    }

    fn configure(
        codec: ff::Codec,
        candidate: &Candidate,
        surfaces: Option<&Surfaces>,
        (width, height): (u32, u32),
        fps: u32,
    ) -> Result<ff::encoder::video::Encoder, ff::Error> {
        let mut video = ff::codec::Context::new_with_codec(codec).encoder().video()?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(candidate.memory.map_or(candidate.pixels, |memory| memory.pixels));
        if let Some(surfaces) = surfaces {
            surfaces.serve(&mut video)?;
        }
        video.set_time_base((1, VIDEO_TICKS));
        video.set_frame_rate(Some((fps as i32, 1)));
        // Key frames are asked for one by one; this is only a ceiling.
        video.set_gop(fps.saturating_mul(10));
        video.set_max_b_frames(0);
        video.set_colorspace(ff::color::Space::SMPTE170M);
        video.set_color_range(ff::color::Range::MPEG);
        let mut flags = ff::codec::Flags::GLOBAL_HEADER;
        if let Some(quality) = candidate.quality {
            flags |= ff::codec::Flags::QSCALE;
            video.set_global_quality(quality);
        }
        video.set_flags(flags);
        let mut options = ff::Dictionary::new();
        for (key, value) in candidate.options {
            options.set(key, value);
        }
        video.open_with(options)
    }

    /// Encodes two black pictures; an encoder that cannot is not used. Whether it can go on after that.
    fn prove(&mut self) -> Result<bool, EncodeError> {
        let mut packets = self.send_once(0, true)?;
        packets.extend(self.send_once(LEAD_TICKS / 2, false)?);
        let is_warm = packets.len() == 2;
        if !is_warm {
            packets.extend(self.drain()?);
        }
        let begins_well = packets.first().is_some_and(|first| first.is_key() && has_parameter_sets(&first.packet));
        if packets.len() == 2 && begins_well { Ok(is_warm) } else { Err(EncodeError::Video(ff::Error::Bug)) }
    }

    pub fn name(&self) -> &'static str {
        self.list[self.candidate].name
    }

    /// The changes of encoder since this was last asked.
    pub fn take_changes(&mut self) -> Vec<EncoderChange> {
        std::mem::take(&mut self.changes)
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
            let (x, y, width, height) = letterbox((source.1, source.2), (self.canvas.width(), self.canvas.height()));
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
        self.drain()
    }

    fn drain(&mut self) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.encoder.send_eof().map_err(EncodeError::Video)?;
        self.received()
    }

    /// What the encoder has ready, in the take's time.
    fn received(&mut self) -> Result<Vec<EncodedPacket>, EncodeError> {
        let mut packets = ready(&mut self.encoder).map_err(EncodeError::Video)?;
        for EncodedPacket { packet } in &mut packets {
            packet.set_pts(packet.pts().map(|ticks| ticks - self.shift));
            packet.set_dts(packet.dts().map(|ticks| ticks - self.shift));
        }
        Ok(self.with_parameter_sets(packets))
    }

    /// An encoder that fails is left for the next one that works, which begins with this very picture.
    fn send(&mut self, t: MediaTime, key: bool) -> Result<Vec<EncodedPacket>, EncodeError> {
        let ticks = video_ticks(t);
        if ticks <= self.last_ticks {
            return Ok(Vec::new());
        }
        self.last_ticks = ticks;
        let mut sent = self.send_once(ticks, key);
        while let Err(error) = sent {
            self.change_over(&error, ticks)?;
            sent = self.send_once(ticks, true);
        }
        sent
    }

    fn send_once(&mut self, ticks: i64, key: bool) -> Result<Vec<EncodedPacket>, EncodeError> {
        fail::fail_point!("h264.send", |_| Err(EncodeError::Video(ff::Error::External)));
        let mut uploaded;
        let picture = match (self.own.as_mut(), &self.surfaces) {
            (Some(own), None) => {
                // The encoder may still hold the one before.
                *own = Video::new(own.format(), own.width(), own.height());
                interleave(&self.canvas, own);
                own
            }
            (Some(own), Some(surfaces)) => {
                interleave(&self.canvas, own);
                uploaded = surfaces.upload(own).map_err(EncodeError::Video)?;
                &mut uploaded
            }
            (None, _) => &mut self.canvas,
        };
        picture.set_pts(Some(ticks + self.shift));
        picture.set_kind(if key { ff::picture::Type::I } else { ff::picture::Type::None });
        self.encoder.send_frame(picture).map_err(EncodeError::Video)?;
        self.received()
    }

    /// The next encoder of the list that works; at the end of the list the last one is opened afresh, once.
    fn change_over(&mut self, error: &EncodeError, ticks: i64) -> Result<(), EncodeError> {
        let size = (self.canvas.width(), self.canvas.height());
        let (from, list) = (self.name(), self.list);
        let again = (!self.is_reopened).then_some(self.candidate);
        let mut next = (self.candidate + 1..list.len()).chain(again);
        let opened = next.find_map(|index| Self::open_proven(list, index, size, self.fps, ticks).ok());
        let Some(fresh) = opened else {
            return Err(EncodeError::AllFailed { name: from, reason: error.to_string() });
        };
        self.is_reopened |= fresh.candidate == self.candidate;
        self.encoder = fresh.encoder;
        self.candidate = fresh.candidate;
        self.shift = fresh.shift;
        self.own = fresh.own;
        self.surfaces = fresh.surfaces;
        self.changes.push(EncoderChange { from, to: self.name(), reason: error.to_string() });
        Ok(())
    }

    /// Decoding can begin at any key picture, after a change of encoder too, so each brings its parameter sets along.
    fn with_parameter_sets(&self, packets: Vec<EncodedPacket>) -> Vec<EncodedPacket> {
        let complete = |sent: EncodedPacket| {
            if !sent.is_key() || has_parameter_sets(&sent.packet) {
                return sent;
            }
            let (Some(sets), Some(data)) = (extradata(&self.encoder), sent.packet.data()) else { return sent };
            let mut packet = ff::Packet::copy(&[sets, data].concat());
            packet.set_pts(sent.packet.pts());
            packet.set_dts(sent.packet.dts());
            packet.set_flags(sent.packet.flags());
            EncodedPacket { packet }
        };
        packets.into_iter().map(complete).collect()
    }

    fn lay(&mut self, frame: &BgraFrame) -> Result<(), ff::Error> {
        let source = (frame.width, frame.height);
        if source == (self.canvas.width(), self.canvas.height()) {
            fill(frame, &mut self.canvas);
            // Bars of another shape are painted over.
            self.fitted = None;
            return Ok(());
        }
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
        let (x, y, inner_width, inner_height) = letterbox((width, height), (self.canvas.width(), self.canvas.height()));
        let scaler = Scaler::get(
            Pixel::BGRA,
            width,
            height,
            Pixel::YUV420P,
            inner_width,
            inner_height,
            ScaleFlags::AREA | ScaleFlags::ACCURATE_RND,
        )?;
        let fills = (inner_width, inner_height) == (self.canvas.width(), self.canvas.height());
        let inner = (!fills).then(|| (Video::new(Pixel::YUV420P, inner_width, inner_height), x, y));
        Ok(Fitted {
            source: (width, height),
            scaler: OwnScaler(scaler),
            input: Video::new(Pixel::BGRA, width, height),
            inner,
        })
    }
}

/// Whether a packet holds a sequence parameter set. Encoders separate units by start codes (ITU-T H.264, annex B).
fn has_parameter_sets(packet: &ff::Packet) -> bool {
    const SEQUENCE: u8 = 7;
    let data = packet.data().unwrap_or_default();
    // Parameter sets come first; a whole picture need not be searched.
    let head = &data[..data.len().min(512)];
    head.windows(4).any(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 0x1f == SEQUENCE)
}

#[expect(unsafe_code, reason = "FFmpeg's bindings have no getter for an encoder's parameter sets")]
fn extradata(encoder: &ff::encoder::video::Encoder) -> Option<&[u8]> {
    // SAFETY: the context is open and belongs to the encoder, which is borrowed as long as the slice lives; FFmpeg
    // keeps pointer and size in step and changes neither after opening.
    unsafe {
        let context = encoder.as_ptr();
        let (data, bytes) = ((*context).extradata, (*context).extradata_size);
        (!data.is_null() && bytes > 0).then(|| std::slice::from_raw_parts(data, bytes as usize))
    }
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

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;

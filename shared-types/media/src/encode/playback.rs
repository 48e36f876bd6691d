//! Decoded pictures to the H.264 of a playback copy: small, seekable, playable by every browser.
//!
//! The canvas is the picture shown last, laid into the copy's size. Between two pictures it can be encoded again, and a
//! thumbnail can be taken of it.

use ff::format::Pixel;
use ff::software::scaling::{Context as Scaler, Flags as ScaleFlags};
use ff::util::frame::Video;
use ffmpeg_next as ff;

use shared_types::step::PixelBox;

use super::h264::{VIDEO_TICKS, copy_planes, paint_black};
use super::{EncodeError, EncodedPacket, fill_boxes, init, ready};
use crate::fit::letterbox;
use crate::frame::RgbFrame;
use crate::time::MediaTime;

/// Height of the copy; a lower picture keeps its own.
const MAX_HEIGHT: u32 = 720;
/// Wider than this no browser's decoder is sure to follow.
const MAX_WIDTH: u32 = 3840;
/// Rate the encoder plans with; the stamps are the recording's own.
const PLANNED_FPS: i32 = 30;

/// Encoders in order of preference, with their options.
const CANDIDATES: &[(&str, &[(&str, &str)])] = &[
    (
        "libx264",
        &[("preset", "veryfast"), ("crf", "26"), ("forced-idr", "1"), ("x264-params", "rc-lookahead=20:threads=2")],
    ),
    ("libopenh264", &[("rc_mode", "quality"), ("allow_skip_frames", "0")]),
];

pub(crate) struct PlaybackEncoder {
    pub(crate) encoder: ff::encoder::video::Encoder,
    canvas: Video,
    fitted: Option<Fitted>,
    thumbnail: Option<(Scaler, Video)>,
}

/// How pictures of one form are laid into the canvas.
struct Fitted {
    source: (Pixel, u32, u32),
    scaler: Scaler,
    /// The scaled picture, where it does not fill the canvas, and its place.
    inner: Option<(Video, u32, u32)>,
}

/// Size of the copy: at most 720 rows, both sides even, shape kept.
pub(crate) fn copy_size((width, height): (u32, u32)) -> (u32, u32) {
    let (width, height) = (width.max(1), height.max(1));
    let scale = (f64::from(MAX_HEIGHT) / f64::from(height)).min(f64::from(MAX_WIDTH) / f64::from(width)).min(1.0);
    let side = |side: u32| ((f64::from(side) * scale).round() as u32 & !1).max(16);
    (side(width), side(height))
}

impl PlaybackEncoder {
    /// Opens an encoder for a recording that begins with this picture.
    pub(crate) fn open(first: &Video) -> Result<Self, EncodeError> {
        init();
        let (width, height) = copy_size((first.width(), first.height()));
        let mut tried = Vec::new();
        for &(name, options) in CANDIDATES {
            match Self::try_open(name, options, first, (width, height)) {
                Ok(encoder) => return Ok(encoder),
                Err(error) => tried.push(format!("{name} ({error})")),
            }
        }
        Err(EncodeError::NoVideoEncoder { width, height, tried: tried.join(", ") })
    }

    fn try_open(
        name: &str,
        options: &[(&str, &str)],
        first: &Video,
        (width, height): (u32, u32),
    ) -> Result<Self, ff::Error> {
        let codec = ff::encoder::find_by_name(name).ok_or(ff::Error::EncoderNotFound)?;
        let mut video = ff::codec::Context::new_with_codec(codec).encoder().video()?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(Pixel::YUV420P);
        video.set_time_base((1, VIDEO_TICKS));
        video.set_frame_rate(Some((PLANNED_FPS, 1)));
        // Key frames are asked for one by one; this is only a ceiling.
        video.set_gop(PLANNED_FPS as u32 * 10);
        // Without B-frames decoding order is showing order, and no player needs an edit list for the picture.
        video.set_max_b_frames(0);
        let (space, range) = colours(first);
        video.set_colorspace(space);
        video.set_color_range(range);
        video.set_flags(ff::codec::Flags::GLOBAL_HEADER);
        let mut dictionary = ff::Dictionary::new();
        for (key, value) in options {
            dictionary.set(key, value);
        }
        let encoder = video.open_with(dictionary)?;
        let mut canvas = Video::new(Pixel::YUV420P, width, height);
        paint_black(&mut canvas);
        Ok(Self { encoder, canvas, fitted: None, thumbnail: None })
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        (self.canvas.width(), self.canvas.height())
    }

    /// Makes a decoded picture the shown one, with boxes of it filled. One that cannot be converted leaves the last one
    /// standing.
    pub(crate) fn show(&mut self, frame: &Video, covered: &[PixelBox]) {
        let source = (frame.format(), frame.width(), frame.height());
        if self.fitted.as_ref().is_none_or(|fitted| fitted.source != source) {
            self.fitted = self.fit(source).ok();
            paint_black(&mut self.canvas);
        }
        let Some(fitted) = self.fitted.as_mut() else { return };
        match fitted.inner.as_mut() {
            None => drop(fitted.scaler.run(frame, &mut self.canvas)),
            Some((inner, x, y)) => {
                if fitted.scaler.run(frame, inner).is_ok() {
                    copy_planes(inner, &mut self.canvas, *x, *y);
                }
            }
        }
        let laid = fitted.inner.as_ref().map(|(inner, x, y)| (*x, *y, inner.width(), inner.height()));
        let laid = laid.unwrap_or((0, 0, self.canvas.width(), self.canvas.height()));
        fill_boxes(&mut self.canvas, laid, (frame.width(), frame.height()), covered);
    }

    fn fit(&self, source: (Pixel, u32, u32)) -> Result<Fitted, ff::Error> {
        let canvas = self.size();
        let (format, width, height) = source;
        // The copy may differ from the picture's shape by a row or column that made a side even: no bars for that.
        let (x, y, inner_width, inner_height) = if copy_size((width, height)) == canvas {
            (0, 0, canvas.0, canvas.1)
        } else {
            letterbox((width, height), canvas)
        };
        let flags = ScaleFlags::BICUBIC | ScaleFlags::ACCURATE_RND;
        let scaler = Scaler::get(format, width, height, Pixel::YUV420P, inner_width, inner_height, flags)?;
        let fills = (inner_width, inner_height) == canvas;
        let inner = (!fills).then(|| (Video::new(Pixel::YUV420P, inner_width, inner_height), x, y));
        Ok(Fitted { source, scaler, inner })
    }

    /// Encodes the shown picture at a time later than the last one's.
    pub(crate) fn encode(&mut self, ticks: i64, key: bool) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.canvas.set_pts(Some(ticks));
        self.canvas.set_kind(if key { ff::picture::Type::I } else { ff::picture::Type::None });
        self.encoder.send_frame(&self.canvas).map_err(EncodeError::Video)?;
        ready(&mut self.encoder).map_err(EncodeError::Video)
    }

    /// What the encoder still holds at the end.
    pub(crate) fn finish(&mut self) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.encoder.send_eof().map_err(EncodeError::Video)?;
        ready(&mut self.encoder).map_err(EncodeError::Video)
    }

    /// The shown picture in another size.
    pub(crate) fn thumbnail(&mut self, width: u32, height: u32, t: MediaTime) -> Option<RgbFrame> {
        let fits = self.thumbnail.as_ref().is_some_and(|(_, small)| (small.width(), small.height()) == (width, height));
        if !fits {
            let (from_width, from_height) = self.size();
            let flags = ScaleFlags::AREA | ScaleFlags::ACCURATE_RND;
            let scaler =
                Scaler::get(Pixel::YUV420P, from_width, from_height, Pixel::RGB24, width, height, flags).ok()?;
            self.thumbnail = Some((scaler, Video::new(Pixel::RGB24, width, height)));
        }
        let (scaler, small) = self.thumbnail.as_mut()?;
        scaler.run(&self.canvas, small).ok()?;
        let (stride, bytes) = (small.stride(0), width as usize * 3);
        let mut data = Vec::with_capacity(bytes * height as usize);
        for row in small.data(0).chunks(stride).take(height as usize) {
            data.extend_from_slice(&row[..bytes]);
        }
        Some(RgbFrame { width, height, data, t })
    }
}

/// The meaning of the copy's colours. The scaler keeps the source's matrix, brings the full-range forms to the usual
/// range, and turns red, green and blue into the older matrix.
fn colours(first: &Video) -> (ff::color::Space, ff::color::Range) {
    match first.format() {
        Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P => (first.color_space(), ff::color::Range::MPEG),
        _ if first.color_space() == ff::color::Space::RGB => (ff::color::Space::SMPTE170M, ff::color::Range::MPEG),
        _ => (first.color_space(), first.color_range()),
    }
}

#[cfg(test)]
mod tests {
    use super::copy_size;

    #[test]
    fn a_copy_keeps_the_shape_and_has_even_sides() {
        for (source, copy) in [
            ((1280, 720), (1280, 720)),
            ((1920, 1080), (1280, 720)),
            ((2560, 1600), (1152, 720)),
            ((1367, 701), (1366, 700)),
            ((720, 1600), (324, 720)),
            ((5120, 720), (3840, 540)),
            ((1, 9000), (16, 720)),
        ] {
            assert_eq!(copy_size(source), copy, "{source:?}");
        }
    }
}

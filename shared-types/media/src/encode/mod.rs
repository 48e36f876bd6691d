//! Raw pictures and samples to packets: H.264 and Opus for recordings, H.264 and AAC for their playback copies.

pub mod aac;
mod encoders;
pub mod h264;
pub mod opus;
pub(crate) mod playback;
mod surfaces;
mod yuv;

use std::sync::Once;

use ffmpeg_next::util::frame::Video;
use shared_types::step::PixelBox;

/// A piece of encoded picture or sound, stamped in its encoder's time base.
pub struct EncodedPacket {
    pub(crate) packet: ffmpeg_next::Packet,
}

impl EncodedPacket {
    /// Whether decoding can begin here.
    pub fn is_key(&self) -> bool {
        self.packet.is_key()
    }

    pub fn bytes(&self) -> usize {
        self.packet.size()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("no H.264 encoder works at {width} x {height}: {tried}. Install FFmpeg with libx264")]
    NoVideoEncoder { width: u32, height: u32, tried: String },
    #[error("FFmpeg has no Opus encoder. Install FFmpeg with libopus")]
    NoAudioEncoder,
    #[error("FFmpeg has no AAC encoder. Install FFmpeg with its own encoder aac")]
    NoAacEncoder,
    #[error("the encoder {name} failed ({reason}), and no other one works. Restart the computer if it happens again")]
    AllFailed { name: &'static str, reason: String },
    #[error("no graphics processor can be used: {reason}")]
    NoGraphics { reason: String },
    #[error("the picture could not be encoded: {0}")]
    Video(ffmpeg_next::Error),
    #[error("the sound could not be encoded: {0}")]
    Audio(ffmpeg_next::Error),
}

/// What a covered box is filled with: a dark grey, since black would count as a black screen.
const FILL_LUMA: u8 = 56;
const NO_COLOUR: u8 = 128;

/// Fills boxes of a picture of size `source` that was laid into a YUV 4:2:0 canvas at `(x, y, width, height)`. Edges are
/// rounded outwards to whole pairs of pixels, which share their colour.
pub(crate) fn fill_boxes(canvas: &mut Video, laid: (u32, u32, u32, u32), source: (u32, u32), boxes: &[PixelBox]) {
    let (left, top, width, height) = laid;
    let across = f64::from(width) / f64::from(source.0.max(1));
    let down = f64::from(height) / f64::from(source.1.max(1));
    for [x, y, box_width, box_height] in boxes {
        // What lies outside of the picture is cut off before anything is added to it.
        let inside = |at: f64, limit: u32| at.clamp(0.0, f64::from(limit)) as u32;
        let low = |at: f64, scale: f64, from: u32, limit: u32| (inside((at * scale).floor(), limit) + from) & !1;
        let high = |at: f64, scale: f64, from: u32, limit: u32| (inside((at * scale).ceil(), limit) + from + 1) & !1;
        let (x0, y0) = (low(*x, across, left, width), low(*y, down, top, height));
        let x1 = high(x + box_width, across, left, width).min(canvas.width());
        let y1 = high(y + box_height, down, top, height).min(canvas.height());
        for plane in 0..3 {
            let half = u32::from(plane > 0);
            let stride = canvas.stride(plane);
            let (from, to) = ((x0 >> half) as usize, (x1.div_ceil(1 << half)) as usize);
            let (first, last) = ((y0 >> half) as usize, (y1.div_ceil(1 << half)) as usize);
            let (width, height) = (canvas.plane_width(plane) as usize, canvas.plane_height(plane) as usize);
            if from >= to.min(width) {
                continue;
            }
            let value = if plane == 0 { FILL_LUMA } else { NO_COLOUR };
            for row in first..last.min(height) {
                canvas.data_mut(plane)[row * stride..][from..to.min(width)].fill(value);
            }
        }
    }
}

/// What an encoder has ready; nothing if it waits for more.
fn ready(encoder: &mut ffmpeg_next::codec::encoder::Encoder) -> Result<Vec<EncodedPacket>, ffmpeg_next::Error> {
    let mut packets = Vec::new();
    loop {
        let mut packet = ffmpeg_next::Packet::empty();
        match encoder.receive_packet(&mut packet) {
            Ok(()) => packets.push(EncodedPacket { packet }),
            Err(ffmpeg_next::Error::Eof) => return Ok(packets),
            Err(ffmpeg_next::Error::Other { errno }) if errno == ffmpeg_next::error::EAGAIN => return Ok(packets),
            Err(error) => return Err(error),
        }
    }
}

/// Once a process: FFmpeg's tables, and silence on stderr (errors reach the caller as values).
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(error) = ffmpeg_next::init() {
            // Only network set-up can fail, and nothing here uses the network.
            debug_assert!(false, "FFmpeg did not start: {error}");
        }
        ffmpeg_next::util::log::set_level(ffmpeg_next::util::log::Level::Quiet);
    });
}

/// FFmpeg's version and licence, for the manifest.
pub fn library() -> String {
    init();
    let version = ffmpeg_next::codec::version();
    format!(
        "libavcodec {}.{}.{}, {}",
        version >> 16,
        (version >> 8) & 0xff,
        version & 0xff,
        ffmpeg_next::codec::license()
    )
}

//! Raw pictures and samples to packets: H.264 and Opus for recordings, H.264 and AAC for their playback copies.

pub mod aac;
mod encoders;
pub mod h264;
pub mod opus;
pub(crate) mod playback;
mod yuv;

use std::sync::Once;

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
    #[error("the picture could not be encoded: {0}")]
    Video(ffmpeg_next::Error),
    #[error("the sound could not be encoded: {0}")]
    Audio(ffmpeg_next::Error),
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

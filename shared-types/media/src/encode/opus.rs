//! Sound to Opus: 48 kHz, mono, voice.

use ff::ChannelLayout;
use ff::format::sample::{Sample, Type};
use ff::util::frame::Audio;
use ffmpeg_next as ff;

use super::{EncodeError, EncodedPacket, init, ready};

/// The rate at which sound is encoded; Opus knows no other here.
pub const OPUS_RATE_HZ: u32 = 48_000;
/// Samples of one packet: 20 ms.
pub const OPUS_FRAME_SAMPLES: usize = 960;
const BITS_PER_SECOND: usize = 40_000;

pub struct OpusEncoder {
    pub(crate) encoder: ff::encoder::audio::Encoder,
    frame: Audio,
    /// Samples taken so far.
    samples: i64,
}

impl OpusEncoder {
    pub fn open() -> Result<Self, EncodeError> {
        init();
        let codec = ff::encoder::find_by_name("libopus").ok_or(EncodeError::NoAudioEncoder)?;
        let mut audio = ff::codec::Context::new_with_codec(codec).encoder().audio().map_err(EncodeError::Audio)?;
        audio.set_rate(OPUS_RATE_HZ as i32);
        audio.set_format(Sample::F32(Type::Packed));
        audio.set_channel_layout(ChannelLayout::MONO);
        audio.set_bit_rate(BITS_PER_SECOND);
        audio.set_time_base((1, OPUS_RATE_HZ as i32));
        audio.set_flags(ff::codec::Flags::GLOBAL_HEADER);
        let mut options = ff::Dictionary::new();
        options.set("application", "voip");
        options.set("frame_duration", "20");
        let encoder = audio.open_with(options).map_err(EncodeError::Audio)?;
        let mut frame = Audio::new(Sample::F32(Type::Packed), OPUS_FRAME_SAMPLES, ChannelLayout::MONO);
        frame.set_rate(OPUS_RATE_HZ);
        Ok(Self { encoder, frame, samples: 0 })
    }

    pub fn name(&self) -> &'static str {
        "libopus"
    }

    /// Encodes exactly [`OPUS_FRAME_SAMPLES`] samples; time runs by counting them from media time zero.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Vec<EncodedPacket>, EncodeError> {
        debug_assert_eq!(samples.len(), OPUS_FRAME_SAMPLES);
        self.frame.plane_mut::<f32>(0)[..samples.len()].copy_from_slice(samples);
        self.frame.set_pts(Some(self.samples));
        self.samples += samples.len() as i64;
        self.encoder.send_frame(&self.frame).map_err(EncodeError::Audio)?;
        ready(&mut self.encoder).map_err(EncodeError::Audio)
    }

    /// What the encoder still holds at the end.
    pub fn finish(&mut self) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.encoder.send_eof().map_err(EncodeError::Audio)?;
        ready(&mut self.encoder).map_err(EncodeError::Audio)
    }
}

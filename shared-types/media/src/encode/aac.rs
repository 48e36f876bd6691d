//! Sound to AAC: 48 kHz, mono. Every browser plays it; the recording itself keeps Opus.

use ff::ChannelLayout;
use ff::format::sample::{Sample, Type};
use ff::util::frame::Audio;
use ffmpeg_next as ff;

use super::{EncodeError, EncodedPacket, init, ready};

pub const AAC_RATE_HZ: u32 = 48_000;
/// Samples of one packet, fixed by the format.
pub const AAC_FRAME_SAMPLES: usize = 1024;
const BITS_PER_SECOND: usize = 96_000;

pub struct AacEncoder {
    pub(crate) encoder: ff::encoder::audio::Encoder,
    frame: Audio,
    /// Samples taken so far.
    samples: i64,
}

impl AacEncoder {
    pub fn open() -> Result<Self, EncodeError> {
        init();
        let codec = ff::encoder::find_by_name("aac").ok_or(EncodeError::NoAacEncoder)?;
        let mut audio = ff::codec::Context::new_with_codec(codec).encoder().audio().map_err(EncodeError::Audio)?;
        audio.set_rate(AAC_RATE_HZ as i32);
        audio.set_format(Sample::F32(Type::Planar));
        audio.set_channel_layout(ChannelLayout::MONO);
        audio.set_bit_rate(BITS_PER_SECOND);
        audio.set_time_base((1, AAC_RATE_HZ as i32));
        audio.set_flags(ff::codec::Flags::GLOBAL_HEADER);
        let encoder = audio.open_with(ff::Dictionary::new()).map_err(EncodeError::Audio)?;
        let mut frame = Audio::new(Sample::F32(Type::Planar), AAC_FRAME_SAMPLES, ChannelLayout::MONO);
        frame.set_rate(AAC_RATE_HZ);
        Ok(Self { encoder, frame, samples: 0 })
    }

    /// Encodes exactly [`AAC_FRAME_SAMPLES`] samples; time runs by counting them from media time zero.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Vec<EncodedPacket>, EncodeError> {
        debug_assert_eq!(samples.len(), AAC_FRAME_SAMPLES);
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

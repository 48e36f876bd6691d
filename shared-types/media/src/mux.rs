//! Packets to fragmented MP4 through a [`Journal`].
//!
//! The muxer writes into memory and never seeks; at each cut what it wrote becomes one piece of the journal. The
//! picture's sample entry is `avc3` (parameter sets in the stream), the sound's is Opus. There is no trailer: a file
//! that was cut at any piece is a whole file.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ff::format::context::{Output, StreamIo};
use ffmpeg_next as ff;
use shared_types::recording::{FileHash, Fragment};

use crate::encode::h264::{H264Encoder, VIDEO_TICKS, video_ticks};
use crate::encode::opus::{OPUS_FRAME_SAMPLES, OPUS_RATE_HZ, OpusEncoder};
use crate::encode::{EncodedPacket, init};
use crate::journal::Journal;
use crate::time::MediaTime;

/// Scene changes make key pictures of their own; a fragment for each would wear the disk.
const MIN_FRAGMENT_TICKS: i64 = VIDEO_TICKS as i64 * 9 / 10;

#[derive(Debug, thiserror::Error)]
pub enum MuxError {
    #[error("the recording could not be put into its file: {0}")]
    Format(#[from] ff::Error),
    #[error("the recording could not be written to the disk: {0}")]
    Disk(#[from] io::Error),
}

/// Bytes the muxer has written since the last cut.
#[derive(Clone, Default)]
struct Pending(Arc<Mutex<Vec<u8>>>);

impl Pending {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct FragmentWriter {
    output: Output,
    pending: Pending,
    journal: Journal,
    video: usize,
    audio: Option<usize>,
    /// The picture whose length is not known before the next one comes.
    held: Option<ff::Packet>,
    /// When the open fragment began, in ticks of the picture's clock, and how many packets it holds.
    began: i64,
    packets: u32,
    usual_frame_ticks: i64,
}

impl FragmentWriter {
    /// Writes the file's head.
    pub fn create(
        journal: Journal,
        video: &H264Encoder,
        audio: Option<&OpusEncoder>,
        fps: u32,
    ) -> Result<Self, MuxError> {
        init();
        let pending = Pending::default();
        let io = StreamIo::from_write(pending.clone())?;
        let mut output = ff::format::output_to_stream(io, None, Some("mp4"))?;
        let video_index = {
            let mut stream = output.add_stream_with(&video.encoder)?;
            stream.set_time_base((1, VIDEO_TICKS));
            set_tag(&mut stream, *b"avc3");
            stream.index()
        };
        let audio_index = match audio {
            None => None,
            Some(audio) => {
                let mut stream = output.add_stream_with(&audio.encoder)?;
                stream.set_time_base((1, OPUS_RATE_HZ as i32));
                Some(stream.index())
            }
        };
        let mut options = ff::Dictionary::new();
        options.set("movflags", "empty_moov+default_base_moof+frag_custom+skip_trailer");
        options.set("video_track_timescale", &VIDEO_TICKS.to_string());
        // Both tracks count from media time zero; nothing is to be shifted.
        options.set("avoid_negative_ts", "disabled");
        options.set("use_editlist", "0");
        output.write_header_with(options)?;
        let mut writer = Self {
            output,
            pending,
            journal,
            video: video_index,
            audio: audio_index,
            held: None,
            began: 0,
            packets: 0,
            usual_frame_ticks: i64::from(VIDEO_TICKS) / i64::from(fps.max(1)),
        };
        writer.flush_muxer();
        let head = writer.pending.take();
        writer.journal.append(&head, None)?;
        Ok(writer)
    }

    /// Adds a picture. One that decoding can begin with opens a new fragment, unless the open one is still short; the
    /// fragment it closes is on the disk when this returns.
    pub fn video(&mut self, packet: EncodedPacket) -> Result<Option<Fragment>, MuxError> {
        let mut packet = packet.packet;
        packet.set_stream(self.video);
        packet.set_time_base(ff::Rational(1, VIDEO_TICKS));
        let begins = packet.pts().unwrap_or_default();
        let key = packet.is_key();
        if let Some(mut held) = self.held.replace(packet) {
            held.set_duration((begins - held.pts().unwrap_or_default()).max(1));
            self.write(&held)?;
        }
        let long_enough = begins - self.began >= MIN_FRAGMENT_TICKS;
        if key && long_enough { self.seal(begins) } else { Ok(None) }
    }

    /// Adds 20 ms of sound.
    pub fn audio(&mut self, packet: EncodedPacket) -> Result<(), MuxError> {
        let Some(stream) = self.audio else { return Ok(()) };
        let mut packet = packet.packet;
        packet.set_stream(stream);
        packet.set_time_base(ff::Rational(1, OPUS_RATE_HZ as i32));
        packet.set_duration(OPUS_FRAME_SAMPLES as i64);
        self.write(&packet)
    }

    fn write(&mut self, packet: &ff::Packet) -> Result<(), MuxError> {
        packet.write(&mut self.output)?;
        self.packets += 1;
        Ok(())
    }

    /// Ends the file: `end` is where its last picture ends.
    pub fn finish(mut self, end: MediaTime) -> Result<(Vec<Fragment>, FileHash), MuxError> {
        if let Some(mut held) = self.held.take() {
            let length = video_ticks(end) - held.pts().unwrap_or_default();
            held.set_duration(if length > 0 { length } else { self.usual_frame_ticks });
            self.write(&held)?;
        }
        self.seal(video_ticks(end))?;
        self.output.write_trailer()?;
        Ok(self.journal.finish()?)
    }

    pub fn bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// Brings the open fragment to the disk; the next one begins at `next`.
    fn seal(&mut self, next: i64) -> Result<Option<Fragment>, MuxError> {
        let began = std::mem::replace(&mut self.began, next);
        if self.packets == 0 {
            return Ok(None);
        }
        self.packets = 0;
        self.flush_muxer();
        let bytes = self.pending.take();
        Ok(Some(self.journal.append(&bytes, Some(began as f64 / f64::from(VIDEO_TICKS)))?))
    }

    #[expect(unsafe_code, reason = "FFmpeg's bindings have no safe call that ends a fragment")]
    fn flush_muxer(&mut self) {
        // SAFETY: the context is open and owned by `self`; a null packet asks the muxer to flush, and `pb` is the
        // stream this writer was made with.
        unsafe {
            let context = self.output.as_mut_ptr();
            ff::ffi::av_write_frame(context, std::ptr::null_mut());
            ff::ffi::avio_flush((*context).pb);
        }
    }
}

#[expect(unsafe_code, reason = "FFmpeg's bindings have no setter for the sample entry's name")]
fn set_tag(stream: &mut ff::StreamMut<'_>, tag: [u8; 4]) {
    // SAFETY: the stream and its parameters belong to the output that is being set up, and no one else holds them.
    unsafe {
        (*(*stream.as_mut_ptr()).codecpar).codec_tag = u32::from_le_bytes(tag);
    }
}

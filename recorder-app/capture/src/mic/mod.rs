//! The sound of a microphone.
//!
//! Chunks arrive on a bounded channel in the device's own rate and channels, stamped with the time of their first
//! sample. The device's callback never waits: a chunk that finds the channel full is dropped and counted. No device
//! can be trusted to say that it went silent, so that the caller also watches that chunks keep coming.

mod cpal;
#[cfg(target_os = "linux")]
mod pulse;
mod stamp;
pub mod synthetic;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use media::frame::AudioChunk;
use serde::Serialize;

/// A microphone, or any other device that sound can be recorded from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MicInfo {
    pub id: String,
    pub name: String,
    pub default: bool,
    pub rate_hz: u32,
    pub channels: u16,
}

/// What a running microphone tells besides its sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MicEvent {
    /// No more sound comes from this stream; start again, with another device if need be.
    Lost(String),
    /// The system moved the stream to another device; sound goes on.
    Moved(String),
    /// The system lost some sound, for example because the computer was too busy.
    Gap(String),
}

#[derive(Debug, thiserror::Error)]
pub enum MicError {
    #[error("No microphone was found. Plug one in, then start again.")]
    NoneFound,
    #[error("There is no microphone {id:?}. There is: {there}. Plug it in, or choose another one.")]
    Unknown { id: String, there: String },
    #[error(
        "The microphone {name:?} may not be used. Allow it in the system's privacy settings, or choose another one."
    )]
    Forbidden { name: String },
    #[error("The microphone {name:?} is in use by another program. Close that program, or choose another one.")]
    Busy { name: String },
    #[error("The microphone {name:?} gives sound in the form {format}, which is not supported. Choose another one.")]
    Format { name: String, format: String },
    #[error(
        "The microphone {name:?} could not be started: {reason}. Unplug it and plug it in again, or choose another."
    )]
    Failed { name: String, reason: String },
    #[error("The sound system did not answer: {0}. Check that it is running, or restart the computer.")]
    System(String),
}

/// A microphone that is running; dropping it stops it.
pub struct Running {
    info: MicInfo,
    events: Receiver<MicEvent>,
    counts: Counts,
    _source: Source,
}

/// What is counted of a running microphone where its device gives the sound, however late anybody takes it.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    arrived_chunks: Arc<AtomicU64>,
    dropped_chunks: Arc<AtomicU64>,
}

impl Counts {
    /// How many chunks the device gave.
    pub fn arrived_chunks(&self) -> u64 {
        self.arrived_chunks.load(Ordering::Relaxed)
    }

    /// How many of them were lost because the channel was full.
    pub fn dropped_chunks(&self) -> u64 {
        self.dropped_chunks.load(Ordering::Relaxed)
    }
}

#[expect(dead_code, reason = "held for what dropping it does: the device or the thread stops")]
enum Source {
    Device(self::cpal::Streams),
    Thread(synthetic::Playing),
}

/// The devices that can be recorded from, the default one first.
pub fn list() -> Result<Vec<MicInfo>, MicError> {
    self::cpal::list()
}

/// The id of the microphone that the system uses now where a program names none. No system tells reliably when it
/// changes, so it is asked for from time to time.
pub fn default_id() -> Option<String> {
    self::cpal::default_id()
}

/// Whether a microphone of this id is plugged in; `None` where the sound system does not answer. A system may give a
/// stream of one that was unplugged to another one, and says nothing of it.
pub fn is_there(id: &str) -> Option<bool> {
    self::cpal::is_there(id)
}

/// Starts a microphone by its id, or the default one. Sound comes after 0.1 to 2 seconds, on Linux.
pub fn start(id: Option<&str>, sink: Sender<AudioChunk>) -> Result<Running, MicError> {
    self::cpal::start(id, sink)
}

impl Running {
    pub fn info(&self) -> &MicInfo {
        &self.info
    }

    /// Events of the stream. At most 16 wait here; later ones are left out.
    pub fn events(&self) -> &Receiver<MicEvent> {
        &self.events
    }

    /// They can be read from any thread, also when the microphone is stopped.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub fn stop(self) {}
}

/// The sending end inside a callback: never waits, counts what it has to drop.
struct Tap {
    sink: Sender<AudioChunk>,
    counts: Counts,
}

impl Tap {
    fn new(sink: Sender<AudioChunk>) -> Self {
        Self { sink, counts: Counts::default() }
    }

    fn give(&self, chunk: AudioChunk) {
        self.counts.arrived_chunks.fetch_add(1, Ordering::Relaxed);
        if let Err(TrySendError::Full(_)) = self.sink.try_send(chunk) {
            self.counts.dropped_chunks.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::time::Monotonic;

    #[test]
    fn what_went_wrong_is_told_for_the_window_as_well_as_for_the_terminal() {
        let name = || "Headset".to_owned();
        let all = [
            MicError::NoneFound,
            MicError::Unknown { id: name(), there: "none".to_owned() },
            MicError::Forbidden { name: name() },
            MicError::Busy { name: name() },
            MicError::Format { name: name(), format: "u24".to_owned() },
            MicError::Failed { name: name(), reason: "it is gone".to_owned() },
            MicError::System("no connection".to_owned()),
        ];
        for error in all.map(|error| error.to_string()) {
            assert!(!error.contains('`') && error.ends_with('.') && error.contains(". "), "{error}");
        }
    }

    #[test]
    fn a_full_channel_drops_and_counts_without_waiting() {
        let (sink, chunks) = crossbeam_channel::bounded(2);
        let tap = Tap::new(sink);
        for nanos in 0..5 {
            let at = Monotonic::from_nanos(nanos);
            tap.give(AudioChunk { rate_hz: 48_000, channels: 1, samples: vec![0.0; 480], at });
        }
        assert_eq!((tap.counts.arrived_chunks(), tap.counts.dropped_chunks()), (5, 3));
        assert_eq!(chunks.try_iter().map(|chunk| chunk.at.nanos).collect::<Vec<_>>(), [0, 1]);
    }
}

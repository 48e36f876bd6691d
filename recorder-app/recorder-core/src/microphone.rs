//! The microphone of a take: waited for before it begins, watched while it runs, started again when it falls silent.
//!
//! No system says reliably that a microphone is gone, so that what counts is whether chunks keep coming. A new start is
//! tried at once and then at growing distances; each trouble is told once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capture::mic::{MicError, MicEvent, Running};
use crossbeam_channel::{Receiver, Sender};
use media::frame::AudioChunk;
use shared_types::recording::MicrophoneInfo;

/// A microphone's first sound is waited for this long, so that the take does not begin with a hole.
const PATIENCE: Duration = Duration::from_millis(2500);
/// The stamps of a microphone's first chunks are off; they are steady after half a second.
const SETTLES: Duration = Duration::from_millis(700);
/// Sound that stops coming for this long is a lost microphone, whatever the system says.
const SILENCE: Duration = Duration::from_secs(2);
/// The longest time between two tries to start it again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// How a microphone is started, so that it can be started again when it is lost.
pub struct MicSource {
    pub start: Box<dyn Fn(Sender<AudioChunk>) -> Result<Running, MicError> + Send>,
}

pub(crate) struct Microphone {
    source: MicSource,
    sink: Sender<AudioChunk>,
    running: Option<Running>,
    info: MicrophoneInfo,
    /// The count of chunks heard, and when it last grew.
    heard: (u64, Instant),
    trouble: Trouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// It was started again and must now show that it gives sound.
    Restarted,
    /// It did not start, or gave no sound when it had; the next try comes then.
    Lost {
        next: Instant,
        wait: Duration,
    },
}

impl Microphone {
    pub(crate) fn start(source: MicSource, sink: Sender<AudioChunk>) -> Result<Self, MicError> {
        let running = (source.start)(sink.clone())?;
        let info = running.info();
        let info = MicrophoneInfo {
            id: info.id.clone(),
            name: info.name.clone(),
            rate_hz: info.rate_hz,
            channels: info.channels,
        };
        let heard = (0, Instant::now());
        Ok(Self { source, sink, running: Some(running), info, heard, trouble: Trouble::None })
    }

    pub(crate) fn info(&self) -> MicrophoneInfo {
        self.info.clone()
    }

    /// Watches that sound keeps coming: `chunks_heard` is their count so far. Gives the kind and the sentence of what
    /// there is to tell.
    pub(crate) fn watch(&mut self, chunks_heard: u64) -> Option<(&'static str, String)> {
        let now = Instant::now();
        let gone = self
            .running
            .as_ref()
            .is_none_or(|running| running.events().try_iter().any(|event| matches!(event, MicEvent::Lost(_))));
        if chunks_heard != self.heard.0 {
            self.heard = (chunks_heard, now);
            if !gone {
                let before = std::mem::replace(&mut self.trouble, Trouble::None);
                let back = || ("mic_back", "The microphone is back.".to_owned());
                return matches!(before, Trouble::Lost { .. }).then(back);
            }
        }
        if !gone && now.duration_since(self.heard.1) < SILENCE {
            return None;
        }
        match self.trouble {
            Trouble::Lost { next, .. } if now < next => return None,
            _ => {}
        }
        self.restart(now)
    }

    fn restart(&mut self, now: Instant) -> Option<(&'static str, String)> {
        // The old stream goes first: some systems give a device to one stream only.
        self.running = None;
        let started = (self.source.start)(self.sink.clone());
        self.heard.1 = Instant::now();
        let wait = match self.trouble {
            Trouble::Lost { wait, .. } => (wait * 2).min(LONGEST_WAIT),
            _ => SILENCE,
        };
        let lost = Trouble::Lost { next: now + wait, wait };
        let before = self.trouble;
        let reason = match started {
            Ok(running) => {
                self.running = Some(running);
                if before == Trouble::None {
                    self.trouble = Trouble::Restarted;
                    return Some(("mic_restarted", "The microphone fell silent and was started again.".to_owned()));
                }
                "It starts, but gives no sound. Check that it is plugged in and switched on.".to_owned()
            }
            Err(MicError::NoneFound | MicError::Unknown { .. }) => "Plug it in again.".to_owned(),
            Err(error) => error.to_string(),
        };
        self.trouble = lost;
        let told = matches!(before, Trouble::Lost { .. });
        (!told).then(|| ("mic_lost", format!("The microphone is gone; the take goes on without your voice. {reason}")))
    }
}

/// Waits for a microphone's first sound and until its stamps are steady. The chunks stay where they are: they lie before
/// the take and are passed over.
pub(crate) fn wait_for_sound(chunks: &Receiver<AudioChunk>, stop: &AtomicBool) {
    let wait = |long: Duration, over: &dyn Fn() -> bool| {
        let until = Instant::now() + long;
        while !over() && Instant::now() < until && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(POLL);
        }
    };
    wait(PATIENCE, &|| !chunks.is_empty());
    if !chunks.is_empty() {
        wait(SETTLES, &|| false);
    }
}

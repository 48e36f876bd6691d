//! The microphone of a take: waited for before it begins, watched while it runs, started again when it falls silent.
//!
//! No system says reliably that a microphone is gone, so that what counts is whether chunks keep coming. A new start is
//! tried at once and then at growing distances; each trouble is told once.

use std::time::{Duration, Instant};

use capture::mic::{MicError, MicEvent, Running};
use crossbeam_channel::{Receiver, Sender};
use media::frame::AudioChunk;
use shared_types::recording::MicrophoneInfo;

use crate::control::Control;

/// A microphone's first sound is waited for this long, so that the take does not begin with a hole.
const PATIENCE: Duration = Duration::from_millis(2500);
/// The stamps of a microphone's first chunks are off; they are steady after half a second.
const SETTLES: Duration = Duration::from_millis(700);
/// Sound that stops coming for this long is a lost microphone, whatever the system says.
const SILENCE: Duration = Duration::from_secs(2);
/// How often the system is asked which microphone it uses.
const ASK_EVERY: Duration = Duration::from_secs(3);
/// The longest time between two tries to start it again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// How a microphone is started, so that it can be started again when it is lost.
pub struct MicSource {
    pub start: Box<dyn Fn(Sender<AudioChunk>) -> Result<Running, MicError> + Send>,
    /// Where the worker left the choice to the system: what the system's choice is now.
    pub default_id: Option<Box<dyn Fn() -> Option<String> + Send>>,
}

pub(crate) struct Microphone {
    source: MicSource,
    sink: Sender<AudioChunk>,
    running: Option<Running>,
    info: MicrophoneInfo,
    /// The count of chunks heard, and when it last grew.
    heard: (u64, Instant),
    trouble: Trouble,
    /// When the system's choice was asked for last.
    asked: Instant,
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
        let asked = Instant::now();
        Ok(Self { source, sink, running: Some(running), info, heard, trouble: Trouble::None, asked })
    }

    /// It is gone, which was told; nobody expects sound from it.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.trouble, Trouble::Lost { .. })
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
            if !gone && self.trouble != Trouble::None {
                let before = std::mem::replace(&mut self.trouble, Trouble::None);
                let back = || ("mic_back", "The microphone is back.".to_owned());
                return matches!(before, Trouble::Lost { .. }).then(back);
            }
        }
        if !gone && self.trouble == Trouble::None && self.system_chose_another(now) {
            return self.follow(now);
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

    fn system_chose_another(&mut self, now: Instant) -> bool {
        if now.duration_since(self.asked) < ASK_EVERY {
            return false;
        }
        self.asked = now;
        let chosen = self.source.default_id.as_ref().and_then(|default_id| default_id());
        let recorded = self.running.as_ref().map(|running| running.info().id.as_str());
        chosen.is_some_and(|chosen| recorded.is_some_and(|recorded| recorded != chosen))
    }

    /// Records from the microphone that the system uses now. The old one goes first.
    fn follow(&mut self, now: Instant) -> Option<(&'static str, String)> {
        self.running = None;
        match (self.source.start)(self.sink.clone()) {
            Ok(running) => {
                let name = &running.info().name;
                let sentence = format!(
                    "The system changed to the microphone {name:?}, which is recorded from here on. \
                     If that is not what you want, choose another one in the sound settings."
                );
                self.running = Some(running);
                self.heard.1 = Instant::now();
                Some(("mic_changed", sentence))
            }
            Err(_) => self.restart(now),
        }
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
pub(crate) fn wait_for_sound(chunks: &Receiver<AudioChunk>, control: &Control) {
    let wait = |long: Duration, over: &dyn Fn() -> bool| {
        let until = Instant::now() + long;
        while !over() && Instant::now() < until && !control.is_ended() {
            std::thread::sleep(POLL);
        }
    };
    wait(PATIENCE, &|| !chunks.is_empty());
    if !chunks.is_empty() {
        wait(SETTLES, &|| false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use capture::mic::synthetic::{Plan, Signal, start};
    use crossbeam_channel::bounded;

    use super::*;

    #[test]
    fn another_choice_of_the_system_is_followed_and_told() {
        let (sink, chunks) = bounded(64);
        let starts = Arc::new(AtomicUsize::new(0));
        let counted = starts.clone();
        let source = MicSource {
            start: Box::new(move |sink| {
                counted.fetch_add(1, Ordering::Relaxed);
                start(Plan::new(48_000, 1, Signal::Silence), sink)
            }),
            default_id: Some(Box::new(|| Some("plugged in just now".to_owned()))),
        };
        let mut microphone = Microphone::start(source, sink).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut heard = 0;
        let (kind, sentence) = loop {
            assert!(Instant::now() < deadline, "it is not told");
            heard += u64::from(chunks.recv_timeout(Duration::from_secs(5)).is_ok());
            if let Some(news) = microphone.watch(heard) {
                break news;
            }
        };
        assert_eq!((kind, starts.load(Ordering::Relaxed)), ("mic_changed", 2));
        assert!(sentence.contains("Synthetic microphone"), "{sentence}");
        assert!(!microphone.is_lost());
    }
}

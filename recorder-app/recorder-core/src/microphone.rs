//! The microphone of a take: waited for before it begins, watched while it runs, started again when it falls silent.
//!
//! No system says reliably that a microphone is gone, so that what counts is whether chunks keep coming. A new start is
//! tried at once and then at growing distances; each trouble is told once.
//!
//! A sound system may move the stream of an unplugged microphone to another one without a word. So it is asked from time
//! to time whether the chosen one is still there, and that one is gone back to when it is.

use std::time::{Duration, Instant};

use capture::mic::{MicError, MicEvent, Running};
use crossbeam_channel::{Receiver, Sender};
use media::frame::AudioChunk;
use shared_types::recording::MicrophoneInfo;

use crate::control::Control;
use crate::health::{Health, MicLoss};

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
    pub choice: MicChoice,
}

/// Who chose the microphone, and how it is known that things changed; `None` where the system does not answer.
pub enum MicChoice {
    /// Nothing will change.
    Fixed,
    /// The worker left it to the system: what the system's choice is now.
    Systems(Box<dyn Fn() -> Option<String> + Send>),
    /// The worker chose one: whether it is plugged in.
    Workers(Box<dyn Fn() -> Option<bool> + Send>),
}

pub(crate) struct Microphone {
    source: MicSource,
    sink: Sender<AudioChunk>,
    running: Option<Running>,
    info: MicrophoneInfo,
    /// The count of chunks heard, and when it last grew.
    heard: (u64, Instant),
    trouble: Trouble,
    /// When the system was asked last.
    asked: Instant,
    /// The chosen one is gone, and the system gives the sound of another.
    is_moved: bool,
    lost: Lost,
}

/// Sound that was lost on its way to the take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Blocks for which the take had no room.
    pub(crate) chunks: u64,
    /// How often the system said that it had lost some.
    pub(crate) gaps: u64,
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
        let (trouble, lost) = (Trouble::None, Lost::default());
        Ok(Self { source, sink, running: Some(running), info, heard, trouble, asked, is_moved: false, lost })
    }

    /// It is gone, which was told; nobody expects sound from it.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.trouble, Trouble::Lost { .. })
    }

    pub(crate) fn info(&self) -> MicrophoneInfo {
        self.info.clone()
    }

    pub(crate) fn lost(&self) -> Lost {
        let now = self.running.as_ref().map_or(0, Running::dropped_chunks);
        Lost { chunks: self.lost.chunks + now, ..self.lost }
    }

    /// Watches that sound keeps coming: `chunks_heard` is their count so far. Gives what there is to tell.
    pub(crate) fn watch(&mut self, chunks_heard: u64) -> Option<Health> {
        let now = Instant::now();
        let gone = self.is_gone();
        if chunks_heard != self.heard.0 {
            self.heard = (chunks_heard, now);
            if !gone && self.trouble != Trouble::None {
                let before = std::mem::replace(&mut self.trouble, Trouble::None);
                return matches!(before, Trouble::Lost { .. }).then(|| Health::MicBack { name: self.name() });
            }
        }
        if !gone && self.trouble == Trouble::None && now.duration_since(self.asked) >= ASK_EVERY {
            self.asked = now;
            if let Some(health) = self.ask(now) {
                return Some(health);
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

    /// Whether the stream said that it is over. What else it said is counted.
    fn is_gone(&mut self) -> bool {
        let Some(running) = &self.running else { return true };
        let mut gone = false;
        for event in running.events().try_iter() {
            match event {
                MicEvent::Lost(_) => gone = true,
                MicEvent::Gap(_) => self.lost.gaps += 1,
                // Which one it is now is asked for.
                MicEvent::Moved(_) => {}
            }
        }
        gone
    }

    fn name(&self) -> String {
        self.running.as_ref().map_or_else(|| self.info.name.clone(), |running| running.info().name.clone())
    }

    /// Asks the system whether things changed.
    fn ask(&mut self, now: Instant) -> Option<Health> {
        match &self.source.choice {
            MicChoice::Fixed => None,
            MicChoice::Systems(default_id) => {
                let (chosen, running) = (default_id()?, self.running.as_ref()?);
                let is_other = running.info().id != chosen;
                if is_other { self.follow(now) } else { None }
            }
            MicChoice::Workers(is_there) => {
                let is_moved = !is_there()?;
                let was_moved = std::mem::replace(&mut self.is_moved, is_moved);
                match (was_moved, is_moved) {
                    (false, true) => Some(Health::MicMoved { name: self.info.name.clone() }),
                    (true, false) => self.return_to_chosen(now),
                    _ => None,
                }
            }
        }
    }

    /// Stops what runs. The old stream goes before a new one: some systems give a device to one stream only.
    fn let_go(&mut self) {
        self.lost = self.lost();
        self.running = None;
    }

    fn start_again(&mut self) -> Result<(), MicError> {
        self.let_go();
        let started = (self.source.start)(self.sink.clone());
        self.heard.1 = Instant::now();
        self.running = Some(started?);
        Ok(())
    }

    /// Records from the microphone that the system uses now.
    fn follow(&mut self, now: Instant) -> Option<Health> {
        match self.start_again() {
            Ok(()) => Some(Health::MicChanged { name: self.name() }),
            Err(_) => self.restart(now),
        }
    }

    fn return_to_chosen(&mut self, now: Instant) -> Option<Health> {
        match self.start_again() {
            Ok(()) => Some(Health::MicBack { name: self.name() }),
            Err(_) => self.restart(now),
        }
    }

    fn restart(&mut self, now: Instant) -> Option<Health> {
        let started = self.start_again();
        // Whichever it starts is the chosen one.
        self.is_moved = false;
        let wait = match self.trouble {
            Trouble::Lost { wait, .. } => (wait * 2).min(LONGEST_WAIT),
            _ => SILENCE,
        };
        let lost = Trouble::Lost { next: now + wait, wait };
        let before = self.trouble;
        let why = match started {
            Ok(()) if before == Trouble::None => {
                self.trouble = Trouble::Restarted;
                return Some(Health::MicRestarted);
            }
            Ok(()) => MicLoss::Mute,
            Err(MicError::NoneFound | MicError::Unknown { .. }) => MicLoss::Unplugged,
            Err(error) => MicLoss::Failed(error.to_string()),
        };
        self.trouble = lost;
        let told = matches!(before, Trouble::Lost { .. });
        (!told).then_some(Health::MicLost { why })
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

    /// A silent microphone that counts how often it is started.
    fn microphone(choice: MicChoice) -> (Microphone, Receiver<AudioChunk>, Arc<AtomicUsize>) {
        let (sink, chunks) = bounded(64);
        let starts = Arc::new(AtomicUsize::new(0));
        let counted = starts.clone();
        let start = move |sink| {
            counted.fetch_add(1, Ordering::Relaxed);
            start(Plan::new(48_000, 1, Signal::Silence), sink)
        };
        let microphone = Microphone::start(MicSource { start: Box::new(start), choice }, sink).unwrap();
        (microphone, chunks, starts)
    }

    /// What is told next, while sound keeps coming.
    fn next(microphone: &mut Microphone, chunks: &Receiver<AudioChunk>, heard: &mut u64) -> Health {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < deadline, "nothing is told");
            *heard += u64::from(chunks.recv_timeout(Duration::from_secs(5)).is_ok());
            if let Some(news) = microphone.watch(*heard) {
                return news;
            }
        }
    }

    #[test]
    fn another_choice_of_the_system_is_followed_and_told() {
        let choice = MicChoice::Systems(Box::new(|| Some("plugged in just now".to_owned())));
        let (mut microphone, chunks, starts) = microphone(choice);
        let told = next(&mut microphone, &chunks, &mut 0);
        assert_eq!(told, Health::MicChanged { name: "Synthetic microphone".to_owned() });
        assert_eq!(starts.load(Ordering::Relaxed), 2);
        assert!(!microphone.is_lost());
    }

    #[test]
    fn a_chosen_microphone_that_is_unplugged_is_told_and_gone_back_to() {
        let asked = AtomicUsize::new(0);
        // There; gone, asked twice; unknown; there again, twice.
        let answers = [Some(true), Some(false), Some(false), None, Some(true), Some(true)];
        let choice = MicChoice::Workers(Box::new(move || answers[asked.fetch_add(1, Ordering::Relaxed).min(5)]));
        let (mut microphone, chunks, starts) = microphone(choice);
        // It is asked at each look, as it would be after three seconds.
        let mut told = Vec::new();
        for heard in 1..=6 {
            microphone.asked -= ASK_EVERY;
            chunks.recv_timeout(Duration::from_secs(5)).unwrap();
            told.extend(microphone.watch(heard).map(|health| (heard, health)));
        }
        let name = "Synthetic microphone".to_owned();
        assert_eq!(told, [(2, Health::MicMoved { name: name.clone() }), (5, Health::MicBack { name })]);
        assert_eq!(starts.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn sound_that_is_lost_on_its_way_is_counted_over_restarts() {
        let (mut microphone, chunks, _) = microphone(MicChoice::Fixed);
        let deadline = Instant::now() + Duration::from_secs(20);
        // Nobody takes what comes, so that the way is full after a second.
        let fill = |microphone: &Microphone, more_than: u64| {
            while microphone.lost().chunks <= more_than {
                assert!(Instant::now() < deadline, "nothing is lost");
                std::thread::yield_now();
            }
        };
        fill(&microphone, 0);
        microphone.start_again().unwrap();
        let before = microphone.lost();
        assert!(before.chunks > 0);
        fill(&microphone, before.chunks);
        assert_eq!(before.gaps, 0);
        drop(chunks);
    }
}

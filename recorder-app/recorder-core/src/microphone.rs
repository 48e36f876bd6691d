//! The microphone of a take: waited for before it begins, watched while it runs, started again when it falls silent.
//!
//! No system says reliably that a microphone is gone, so that what counts is whether the device keeps giving chunks, however
//! far behind the encoder is with them. A new start is tried at once and then at growing distances; each trouble is told
//! once.
//!
//! A sound system may move the stream of an unplugged microphone to another one without a word. So it is asked from time
//! to time whether the chosen one is still there, and that one is gone back to when it is.
//!
//! A sound system may also not answer at all, and no question to it has a time-out of its own. So all that is asked of it is
//! asked by one thread, one thing after the other, and nobody waits for that: [`Microphone::watch`] looks whether there is an
//! answer, and a thread that never gets one is left to itself at the end.

use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use capture::mic::{Counts, MicError, MicEvent, MicInfo, Running};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
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
/// An answer that took longer tells of another time.
const STALE: Duration = Duration::from_secs(2);
/// A sound system that takes longer does not answer.
const UNANSWERED: Duration = Duration::from_secs(3);
/// How long the first start may take: each of its streams is given five seconds.
const FIRST_START: Duration = Duration::from_secs(15);
/// How long the end waits for the device to be let go.
const GOODBYE: Duration = Duration::from_secs(2);
/// The longest time between two tries to start it again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// When the system's microphone that could not be opened is tried again for the first time.
const FOLLOW_AGAIN: Duration = Duration::from_secs(30);
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
    /// `None` at the end.
    orders: Option<Sender<Order>>,
    answers: Receiver<Answer>,
    /// What the sound system was asked and has not answered yet, and when that was.
    job: Option<(Job, Instant)>,
    stream: Option<Stream>,
    info: MicrophoneInfo,
    /// The count of chunks that arrived, and when it last grew.
    heard: (u64, Instant),
    trouble: Trouble,
    /// When the system was asked last.
    asked: Instant,
    /// The chosen one is gone, and the system gives the sound of another.
    is_moved: bool,
    followed: Option<Followed>,
    lost: Lost,
}

/// What the system uses, where that could not be opened and another one is recorded in its place. It is tried again, more and
/// more seldom: each try is a hole in the sound of the other.
struct Followed {
    id: String,
    next: Instant,
    wait: Duration,
}

/// Sound that was lost on its way to the take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Blocks for which the take had no room.
    pub(crate) chunks: u64,
    /// How often the system said that it had lost some.
    pub(crate) gaps: u64,
}

/// Something to tell of the microphone, or that what was told is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MicNews {
    Told(Health),
    Over(Health),
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

/// Why the sound system is asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Ask,
    /// The system changed to another microphone.
    Follow,
    /// The chosen one is there again.
    Return,
    /// No sound comes.
    Restart,
}

enum Order {
    Ask,
    Start,
}

enum Answer {
    /// The id of the microphone that the system uses.
    Systems(Option<String>),
    /// Whether the chosen one is plugged in.
    Workers(Option<bool>),
    Nothing,
    Started(Result<Stream, MicError>),
}

/// What is known of a stream by those who do not hold it.
struct Stream {
    info: MicInfo,
    events: Receiver<MicEvent>,
    counts: Counts,
}

/// Puts one order after the other to the sound system, and holds what runs.
fn serve(source: &MicSource, sink: &Sender<AudioChunk>, orders: &Receiver<Order>, answers: &Sender<Answer>) {
    let mut running: Option<Running> = None;
    for order in orders {
        let answer = match (order, &source.choice) {
            (Order::Ask, MicChoice::Fixed) => Answer::Nothing,
            (Order::Ask, MicChoice::Systems(default_id)) => Answer::Systems(default_id()),
            (Order::Ask, MicChoice::Workers(is_there)) => Answer::Workers(is_there()),
            (Order::Start, _) => {
                // The old stream goes before a new one: some systems give a device to one stream only.
                drop(running.take());
                let started = (source.start)(sink.clone());
                Answer::Started(started.map(|started| {
                    let (info, events) = (started.info().clone(), started.events().clone());
                    let counts = started.counts().clone();
                    running = Some(started);
                    Stream { info, events, counts }
                }))
            }
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

impl Microphone {
    pub(crate) fn start(source: MicSource, sink: Sender<AudioChunk>) -> Result<Self, MicError> {
        // There is never more than one order, nor one answer.
        let (orders, taken) = bounded(1);
        let (given, answers) = bounded(1);
        let run = move || serve(&source, &sink, &taken, &given);
        let spawned: Result<JoinHandle<()>, _> = Builder::new().name("microphone".to_owned()).spawn(run);
        spawned.map_err(|error| MicError::System(error.to_string()))?;
        drop(orders.send(Order::Start));
        let stream = match answers.recv_timeout(FIRST_START) {
            Ok(Answer::Started(started)) => started?,
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                return Err(MicError::System("its thread failed".to_owned()));
            }
            Err(RecvTimeoutError::Timeout) => {
                let secs = FIRST_START.as_secs();
                return Err(MicError::System(format!("nothing came for {secs} seconds")));
            }
        };
        let info = MicrophoneInfo {
            id: stream.info.id.clone(),
            name: stream.info.name.clone(),
            rate_hz: stream.info.rate_hz,
            channels: stream.info.channels,
        };
        let now = Instant::now();
        Ok(Self {
            orders: Some(orders),
            answers,
            job: None,
            stream: Some(stream),
            info,
            heard: (0, now),
            trouble: Trouble::None,
            asked: now,
            is_moved: false,
            followed: None,
            lost: Lost::default(),
        })
    }

    /// It is gone, which was told; nobody expects sound from it.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.trouble, Trouble::Lost { .. })
    }

    pub(crate) fn info(&self) -> MicrophoneInfo {
        self.info.clone()
    }

    pub(crate) fn lost(&self) -> Lost {
        let now = self.stream.as_ref().map_or(0, |stream| stream.counts.dropped_chunks());
        Lost { chunks: self.lost.chunks + now, ..self.lost }
    }

    /// Watches that sound keeps coming. Gives what there is to tell, and never waits.
    pub(crate) fn watch(&mut self) -> Option<MicNews> {
        let now = Instant::now();
        if let Some(news) = self.take_answer(now) {
            return Some(news);
        }
        let gone = self.is_gone();
        let is_starting = self.job.is_some_and(|(job, _)| job != Job::Ask);
        let arrived = self.stream.as_ref().map_or(0, |stream| stream.counts.arrived_chunks());
        if arrived != self.heard.0 && !is_starting {
            self.heard = (arrived, now);
            if !gone {
                match std::mem::replace(&mut self.trouble, Trouble::None) {
                    Trouble::None => {}
                    Trouble::Restarted => return Some(MicNews::Over(Health::MicRestarted)),
                    Trouble::Lost { .. } => return Some(MicNews::Told(Health::MicBack { name: self.name() })),
                }
            }
        }
        let is_silent = gone || now.duration_since(self.heard.1) >= SILENCE;
        if let Some((_, since)) = self.job {
            let is_unanswered = now.duration_since(since) >= UNANSWERED;
            return (is_silent && is_unanswered).then(|| self.lose(now, MicLoss::Unanswered)).flatten();
        }
        if !gone && self.trouble == Trouble::None && now.duration_since(self.asked) >= ASK_EVERY {
            self.asked = now;
            self.order(Job::Ask, now);
        } else if is_silent && !matches!(self.trouble, Trouble::Lost { next, .. } if now < next) {
            self.order(Job::Restart, now);
        }
        None
    }

    /// Whether the stream said that it is over. What else it said is counted.
    fn is_gone(&mut self) -> bool {
        let Some(stream) = &self.stream else { return true };
        let mut gone = false;
        for event in stream.events.try_iter() {
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
        self.stream.as_ref().map_or_else(|| self.info.name.clone(), |stream| stream.info.name.clone())
    }

    fn order(&mut self, job: Job, now: Instant) {
        self.job = Some((job, now));
        let order = if job == Job::Ask { Order::Ask } else { Order::Start };
        // A thread that failed gives no answer, which is told.
        if let Some(orders) = &self.orders {
            orders.try_send(order).ok();
        }
    }

    fn take_answer(&mut self, now: Instant) -> Option<MicNews> {
        let answer = self.answers.try_recv().ok()?;
        let (job, since) = self.job.take()?;
        match answer {
            Answer::Started(started) => self.started(job, started, now),
            _ if now.duration_since(since) >= STALE || self.trouble != Trouble::None => None,
            Answer::Systems(Some(chosen)) => {
                if self.stream.as_ref().is_none_or(|stream| stream.info.id == chosen) {
                    self.followed = None;
                    return None;
                }
                let wait = match &self.followed {
                    Some(tried) if tried.id == chosen && now < tried.next => return None,
                    Some(tried) if tried.id == chosen => tried.wait * 2,
                    _ => FOLLOW_AGAIN,
                };
                self.followed = Some(Followed { id: chosen, next: now + wait, wait });
                self.order(Job::Follow, now);
                None
            }
            Answer::Workers(Some(is_there)) => {
                let was_moved = std::mem::replace(&mut self.is_moved, !is_there);
                match (was_moved, is_there) {
                    (false, false) => Some(MicNews::Told(Health::MicMoved { name: self.info.name.clone() })),
                    (true, true) => {
                        self.order(Job::Return, now);
                        None
                    }
                    _ => None,
                }
            }
            Answer::Systems(None) | Answer::Workers(None) | Answer::Nothing => None,
        }
    }

    /// What came of a new start.
    fn started(&mut self, job: Job, started: Result<Stream, MicError>, now: Instant) -> Option<MicNews> {
        self.lost = self.lost();
        self.heard = (0, now);
        let (stream, error) = match started {
            Ok(stream) => (Some(stream), None),
            Err(error) => (None, Some(error)),
        };
        let id = |stream: &Option<Stream>| stream.as_ref().map(|stream| stream.info.id.clone());
        let is_another = id(&self.stream) != id(&stream);
        self.stream = stream;
        match (job, error) {
            (Job::Follow, None) => {
                self.trouble = Trouble::None;
                is_another.then(|| MicNews::Told(Health::MicChanged { name: self.name() }))
            }
            (Job::Return, None) => {
                self.trouble = Trouble::None;
                Some(MicNews::Told(Health::MicBack { name: self.name() }))
            }
            (Job::Follow | Job::Return, Some(_)) => {
                self.order(Job::Restart, now);
                None
            }
            (Job::Restart | Job::Ask, error) => {
                // Whichever it starts is the chosen one.
                self.is_moved = false;
                let why = match error {
                    None if self.trouble == Trouble::None => {
                        self.trouble = Trouble::Restarted;
                        return Some(MicNews::Told(Health::MicRestarted));
                    }
                    None => MicLoss::Mute,
                    Some(MicError::NoneFound | MicError::Unknown { .. }) => MicLoss::Unplugged,
                    Some(error) => MicLoss::Failed(error.to_string()),
                };
                self.lose(now, why)
            }
        }
    }

    /// The next try comes later than the one before; told is only the first.
    fn lose(&mut self, now: Instant, why: MicLoss) -> Option<MicNews> {
        let (was_lost, wait) = match self.trouble {
            Trouble::Lost { .. } if why == MicLoss::Unanswered => return None,
            Trouble::Lost { wait, .. } => (true, (wait * 2).min(LONGEST_WAIT)),
            _ => (false, SILENCE),
        };
        self.trouble = Trouble::Lost { next: now + wait, wait };
        (!was_lost).then_some(MicNews::Told(Health::MicLost { why }))
    }
}

impl Drop for Microphone {
    /// The device is let go, but not at any price: a sound system that does not answer may have it.
    fn drop(&mut self) {
        self.orders = None;
        let until = Instant::now() + GOODBYE;
        while self.answers.recv_deadline(until).is_ok() {}
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
#[path = "microphone_tests.rs"]
mod tests;

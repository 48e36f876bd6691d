//! The screen's thread: asks for the latest picture at the take's rate and hands it to the encoder.
//!
//! A few picture buffers travel between the threads, as many as fit into a fixed number of bytes, and nothing is copied.
//! When the encoder is behind, all of them are with it; the tick then waits a little for one to come back, and is
//! dropped and counted when none does. What is seen while the take is paused, even in part, goes nowhere.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use capture::clock;
use capture::input::gesture::PictureMap;
use capture::screen::{Grab, ScreenError, ScreenSource};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use media::frame::BgraFrame;
use media::time::Monotonic;

use crate::timeline::Timeline;

/// All pictures under way between the two threads fit into this, save that there are always two.
const PICTURES_BYTES: usize = 32 << 20;
const MOST_BUFFERS: usize = 8;
/// How long a tick waits for the encoder before it is dropped.
const STALL_NANOS: i64 = 50_000_000;
/// A clock that goes on by more than this between two ticks stood for a computer that slept.
const SLEPT_NANOS: i64 = 20_000_000_000;

/// What the screen has to say at a tick.
pub(crate) enum Tick {
    /// A new picture.
    Picture(BgraFrame),
    /// The picture is still the last one.
    Same(Monotonic),
    /// The encoder or the system was behind: no picture for this tick.
    Dropped(Monotonic),
    /// The take ends here.
    End(Monotonic),
}

/// How many pictures of a size may be under way.
pub(crate) fn buffers((width, height): (u32, u32)) -> usize {
    (PICTURES_BYTES / (width as usize * height as usize * 4).max(1)).clamp(2, MOST_BUFFERS)
}

/// The clock that a take runs by; the computer's own but in tests.
pub(crate) trait TakeClock: Sync {
    fn now(&self) -> Monotonic;
    fn wait_until(&self, due: Monotonic);
}

pub(crate) struct SystemClock;

impl TakeClock for SystemClock {
    fn now(&self) -> Monotonic {
        clock::now()
    }

    fn wait_until(&self, due: Monotonic) {
        let nanos = due.nanos_since(clock::now());
        if nanos > 0 {
            std::thread::sleep(Duration::from_nanos(nanos.unsigned_abs()));
        }
    }
}

/// Where the recorded screen lies in the picture, from when on. A change of the resolution adds a row.
#[derive(Debug)]
pub(crate) struct Maps {
    picture: (u32, u32),
    first: PictureMap,
    later: Mutex<Vec<(Monotonic, PictureMap)>>,
}

impl Maps {
    pub(crate) fn new(picture: (u32, u32), corner: (i32, i32), size: (u32, u32)) -> Self {
        let first = PictureMap::fit(corner.0, corner.1, size, picture);
        Self { picture, first, later: Mutex::default() }
    }

    fn note(&self, at: Monotonic, corner: (i32, i32), size: (u32, u32)) {
        let map = PictureMap::fit(corner.0, corner.1, size, self.picture);
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        if later.last().map_or(self.first, |(_, last)| *last) != map {
            later.push((at, map));
        }
    }

    pub(crate) fn at(&self, at: Monotonic) -> PictureMap {
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.iter().rfind(|(from, _)| *from <= at).map_or(self.first, |(_, map)| *map)
    }
}

pub(crate) struct Pace<'a> {
    pub(crate) fps: u32,
    pub(crate) timeline: &'a Timeline<'a>,
    pub(crate) maps: &'a Maps,
    pub(crate) ticks: &'a Sender<Tick>,
    pub(crate) spare: &'a Receiver<BgraFrame>,
    pub(crate) clock: &'a dyn TakeClock,
    pub(crate) stop: &'a AtomicBool,
}

/// What is to be done with a tick.
enum Seen {
    Tell(Tick),
    Nothing,
    Over,
}

impl Pace<'_> {
    /// Runs until told to stop or the screen is gone.
    pub(crate) fn run(&self, source: &mut dyn ScreenSource) -> Result<(), ScreenError> {
        let period = 1_000_000_000 / i64::from(self.fps.max(1));
        let mut held = Held::default();
        let mut due = self.clock.now();
        let mut result = Ok(());
        while !self.stop.load(Ordering::Relaxed) {
            self.clock.wait_until(due);
            due = self.after_sleep(due);
            let seen = self.look(source, due, period, &mut held).unwrap_or_else(|error| {
                result = Err(error);
                Seen::Over
            });
            let tick = match seen {
                Seen::Tell(tick) => Some(tick),
                Seen::Nothing => None,
                Seen::Over => break,
            };
            if tick.is_some_and(|tick| self.ticks.send(tick).is_err()) {
                break;
            }
            due = self.after_sleep(Monotonic::from_nanos(due.nanos + period));
            let now = self.clock.now();
            // Ticks that passed while the system was busy are lost; each is told.
            while now.nanos_since(due) >= period {
                if self.ticks.send(Tick::Dropped(due)).is_err() {
                    break;
                }
                due = Monotonic::from_nanos(due.nanos + period);
            }
        }
        // The encoder may have ended first, by an error of its own.
        drop(self.ticks.send(Tick::End(self.timeline.last_recorded(self.clock.now()))));
        result
    }

    /// When the tick is due, once the time in which the computer slept is left out. Nothing may be stamped before that
    /// is known, or it would lie where the take never was.
    fn after_sleep(&self, due: Monotonic) -> Monotonic {
        let now = self.clock.now();
        if now.nanos_since(due) <= SLEPT_NANOS {
            return due;
        }
        self.timeline.control().leave_out(due, now);
        now
    }

    fn look(
        &self,
        source: &mut dyn ScreenSource,
        due: Monotonic,
        period: i64,
        held: &mut Held,
    ) -> Result<Seen, ScreenError> {
        if self.timeline.control().is_paused() {
            return Ok(Seen::Nothing);
        }
        let stall = Duration::from_nanos(STALL_NANOS.min(period / 2).unsigned_abs());
        let mut frame = match held.frame.take().map_or_else(|| self.spare.recv_timeout(stall), Ok) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Timeout) => return Ok(Seen::Tell(Tick::Dropped(due))),
            Err(RecvTimeoutError::Disconnected) => return Ok(Seen::Over),
        };
        let changed = source.latest(&mut frame)? == Grab::Changed;
        held.is_unseen |= changed;
        if self.timeline.control().is_paused()
            || (self.timeline.zero().is_some() && self.timeline.place(frame.at).is_none())
        {
            held.frame = Some(frame);
            return Ok(Seen::Nothing);
        }
        self.timeline.begin(frame.at);
        self.maps.note(frame.at, source.corner(), source.extent());
        if held.is_unseen {
            held.is_unseen = false;
            return Ok(Seen::Tell(Tick::Picture(frame)));
        }
        let at = frame.at;
        held.frame = Some(frame);
        Ok(Seen::Tell(Tick::Same(at)))
    }
}

/// The buffer in the screen's own hand.
#[derive(Default)]
struct Held {
    frame: Option<BgraFrame>,
    /// It holds a picture that the source counts as given and the encoder has not seen: a pause came between.
    is_unseen: bool,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use capture::screen::blank_frame;
    use crossbeam_channel::bounded;

    use super::*;
    use crate::control::Control;

    /// A clock that only moves when it is waited for, and jumps once.
    struct Jumping {
        nanos: AtomicI64,
        jump: (i64, i64),
        end: i64,
        stop: AtomicBool,
    }

    impl TakeClock for Jumping {
        fn now(&self) -> Monotonic {
            Monotonic::from_nanos(self.nanos.load(Ordering::Relaxed))
        }

        fn wait_until(&self, due: Monotonic) {
            let jumps = self.now().nanos < self.jump.0 && due.nanos >= self.jump.0;
            self.nanos.fetch_max(due.nanos + if jumps { self.jump.1 } else { 0 }, Ordering::Relaxed);
            self.stop.store(due.nanos >= self.end, Ordering::Relaxed);
        }
    }

    struct Stamped<'a>(&'a Jumping);

    impl ScreenSource for Stamped<'_> {
        fn size(&self) -> (u32, u32) {
            (2, 2)
        }

        fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
            into.at = self.0.now();
            Ok(Grab::Changed)
        }
    }

    /// Runs 8 s of a take whose clock jumps by `jump_secs` at 3 s; gives the media times of the pictures, the number of
    /// dropped ticks and the pauses.
    fn run(jump_secs: i64) -> (Vec<f64>, usize, Vec<(f64, f64)>) {
        let secs = |secs: i64| secs * 1_000_000_000;
        let clock = Jumping {
            nanos: AtomicI64::new(0),
            jump: (secs(3), secs(jump_secs)),
            end: secs(8 + jump_secs),
            stop: AtomicBool::new(false),
        };
        let control = Control::default();
        let timeline = Timeline::new(&control);
        let maps = Maps::new((2, 2), (0, 0), (2, 2));
        let (tick_sink, ticks) = bounded(1000);
        let (spare_sink, spare) = bounded(1000);
        (0..1000).for_each(|_| spare_sink.send(blank_frame()).unwrap());
        let pace = Pace {
            fps: 10,
            timeline: &timeline,
            maps: &maps,
            ticks: &tick_sink,
            spare: &spare,
            clock: &clock,
            stop: &clock.stop,
        };
        pace.run(&mut Stamped(&clock)).unwrap();
        let (mut times, mut dropped) = (Vec::new(), 0);
        for tick in ticks.try_iter() {
            match tick {
                Tick::Picture(frame) => times.push(timeline.place(frame.at).unwrap().secs()),
                Tick::Dropped(_) => dropped += 1,
                Tick::Same(_) | Tick::End(_) => {}
            }
        }
        let pauses = timeline.pauses(clock.now()).iter().map(|pause| (pause.t, pause.secs)).collect();
        (times, dropped, pauses)
    }

    #[test]
    fn a_computer_that_slept_leaves_one_gap_and_no_dropped_pictures() {
        let (times, dropped, pauses) = run(3600);
        assert_eq!((dropped, pauses.len()), (0, 1), "{pauses:?}");
        assert!((pauses[0].1 - 3600.0).abs() < 0.2, "{pauses:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] < 0.21), "{times:?}");
        assert!((7.7..8.3).contains(times.last().unwrap()), "{times:?}");
    }

    #[test]
    fn a_busy_moment_is_no_sleep() {
        let (times, dropped, pauses) = run(5);
        assert_eq!(pauses, []);
        assert!((48..=51).contains(&dropped), "{dropped}");
        assert!((12.5..13.3).contains(times.last().unwrap()), "{times:?}");
    }

    #[test]
    fn buffers_are_bounded_by_bytes() {
        assert_eq!([(1280, 720), (1920, 1080), (3840, 2160), (0, 0)].map(buffers), [8, 4, 2, 8]);
    }
}

//! The screen's thread: asks for the latest picture at the take's rate and hands it to the encoder.
//!
//! A few picture buffers travel between the threads, as many as fit into a fixed number of bytes, and nothing is copied.
//! When the encoder is behind, all of them are with it; the tick then waits a little for one to come back, and is
//! dropped and counted when none does. What is seen while the take is paused, even in part, goes nowhere. An encoder or
//! a disk that hangs does not hold this thread up: it counts on, and tells when there is room again.
//!
//! What the hand does is seen soon after: a click or a key brings one more picture, beside the clock's own, where none of
//! those is due in time. Such a picture is neither due nor dropped in any count.
//!
//! A computer that slept leaves a gap, not dropped pictures (decision 0021).

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use capture::clock;
use capture::input::gesture::PictureMap;
use capture::screen::{Grab, ScreenError, ScreenSource};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use media::frame::BgraFrame;
use media::time::Monotonic;

use crate::timeline::{End, Timeline, Untold};

/// All pictures under way between the two threads fit into this, save that there are always two.
const PICTURES_BYTES: usize = 32 << 20;
const MOST_BUFFERS: usize = 8;
/// How long a tick waits for the encoder before it is dropped.
const STALL_NANOS: i64 = 50_000_000;
/// A clock that goes on by more than this while a tick is waited for stood for a computer that slept.
const SLEPT_NANOS: i64 = 20_000_000_000;
/// Where the system says how long it slept, more than this is a gap.
const UNCOUNTED_NANOS: i64 = 2_000_000_000;
/// A program has so long to answer a click or a key before it is looked at: a refresh of the usual screen.
const ANSWER_NANOS: i64 = 16_000_000;
/// Where the clock's own picture is due by then, there is no need for another.
const SEEN_BY_NANOS: i64 = 28_000_000;
/// No hand is faster than that.
const MOST_EXTRAS: usize = 2;

/// What the screen has to say at a tick. There are no more of them when the take ends, of which the timeline knows.
pub(crate) enum Tick {
    /// A new picture.
    Picture(BgraFrame),
    /// A new picture that the clock did not ask for.
    Extra(BgraFrame),
    /// The picture is still the last one.
    Same(Monotonic),
    /// The encoder or the system was behind: no picture for this tick.
    Dropped(Monotonic),
}

/// How many pictures of a size may be under way.
pub(crate) fn buffers((width, height): (u32, u32)) -> usize {
    (PICTURES_BYTES / (width as usize * height as usize * 4).max(1)).clamp(2, MOST_BUFFERS)
}

/// The clock that a take runs by; the computer's own but in tests.
pub(crate) trait TakeClock: Sync {
    fn now(&self) -> Monotonic;
    /// Waits, or gives the moment of something that the hand did meanwhile.
    fn wait_until(&self, due: Monotonic, hand: &Receiver<Monotonic>) -> Option<Monotonic>;
    /// Whether `now` goes on while the computer sleeps.
    fn counts_sleep(&self) -> bool;
    /// How long the computer has slept so far without `now` counting it.
    fn uncounted_sleep_nanos(&self) -> i64;
}

pub(crate) struct SystemClock;

impl TakeClock for SystemClock {
    fn now(&self) -> Monotonic {
        clock::now()
    }

    fn wait_until(&self, due: Monotonic, hand: &Receiver<Monotonic>) -> Option<Monotonic> {
        let left = || Duration::from_nanos(due.nanos_since(clock::now()).max(0).unsigned_abs());
        match hand.recv_timeout(left()) {
            Ok(at) => Some(at),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(left());
                None
            }
        }
    }

    fn counts_sleep(&self) -> bool {
        clock::COUNTS_SLEEP
    }

    fn uncounted_sleep_nanos(&self) -> i64 {
        clock::uncounted_sleep_nanos()
    }
}

/// Where the recorded screen lies in the picture, from when on. A change of the resolution, or of a window's place, adds
/// a row.
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

    /// Whether the screen has another size now than at the beginning, so that the picture has bars or other letters.
    pub(crate) fn is_resized(&self) -> bool {
        let size = |map: &PictureMap| (map.width, map.height);
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.last().is_some_and(|(_, last)| size(last) != size(&self.first))
    }

    pub(crate) fn at(&self, at: Monotonic) -> PictureMap {
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.iter().rfind(|(from, _)| *from <= at).map_or(self.first, |(_, map)| *map)
    }
}

pub(crate) struct Pace<'a> {
    pub(crate) fps: u32,
    pub(crate) timeline: &'a Timeline,
    pub(crate) maps: &'a Maps,
    pub(crate) ticks: &'a Sender<Tick>,
    pub(crate) spare: &'a Receiver<BgraFrame>,
    /// When the hand clicked or pressed a key.
    pub(crate) hand: &'a Receiver<Monotonic>,
    pub(crate) clock: &'a dyn TakeClock,
    pub(crate) stop: &'a AtomicBool,
}

/// The encoder's thread has ended.
struct Disconnected;

/// A picture that is to be taken beside the clock's own.
#[derive(Clone, Copy)]
struct Extra {
    from: Monotonic,
    until: Monotonic,
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
        let mut untold = VecDeque::new();
        let mut slept_nanos = self.clock.uncounted_sleep_nanos();
        let mut due = self.clock.now();
        let mut extras = VecDeque::new();
        let mut result = Ok(());
        while !self.stop.load(Ordering::Relaxed) {
            let next = extras.front().map_or(due, |extra: &Extra| extra.from.min(due));
            if let Some(at) = self.clock.wait_until(next, self.hand) {
                want_extra(&mut extras, at, due, period);
                continue;
            }
            if let Some(Extra { from, .. }) = extras.pop_front_if(|extra| extra.from < due) {
                // Where much time went by since, the computer slept, perhaps; that is seen to first.
                let is_late = self.clock.now().nanos_since(from) > period;
                match if is_late { Ok(Ok(())) } else { self.look_again(source, &mut held) } {
                    Ok(Ok(())) => continue,
                    Ok(Err(Disconnected)) => break,
                    Err(error) => {
                        result = Err(error);
                        break;
                    }
                }
            }
            due = self.after_sleep(due);
            self.after_uncounted_sleep(&mut slept_nanos);
            let seen = self.look(source, due, period, &mut held).unwrap_or_else(|error| {
                result = Err(error);
                Seen::Over
            });
            let told = match seen {
                Seen::Tell(tick) => self.tell(tick, due, &mut held, &mut untold),
                Seen::Nothing => Ok(()),
                Seen::Over => break,
            };
            if told.is_err() {
                break;
            }
            due = Monotonic::from_nanos(due.nanos + period);
            if self.clock.counts_sleep() {
                // It may have slept at work, too. Where the clock stands still then, this is a picture that was waited for.
                due = self.after_sleep(due);
            }
            let now = self.clock.now();
            // Ticks that passed while the system was busy are lost; each is told.
            while now.nanos_since(due) >= period {
                untold.push_back(due);
                due = Monotonic::from_nanos(due.nanos + period);
            }
        }
        let at = self.timeline.last_recorded(self.clock.now());
        // A display that failed may have been waited for.
        while at.nanos_since(due) >= period {
            untold.push_back(due);
            due = Monotonic::from_nanos(due.nanos + period);
        }
        // The encoder may hang, so that there is no room for another tick.
        self.timeline.finish(End { at, untold: Untold::These(untold.into()) });
        result
    }

    /// Takes a picture that the clock did not ask for. Where the encoder is behind it is left to the next tick.
    fn look_again(
        &self,
        source: &mut dyn ScreenSource,
        held: &mut Held,
    ) -> Result<Result<(), Disconnected>, ScreenError> {
        if self.timeline.zero().is_none() || (held.frame.is_none() && self.spare.is_empty()) {
            return Ok(Ok(()));
        }
        let Seen::Tell(Tick::Picture(frame)) = self.look(source, self.clock.now(), 0, held)? else { return Ok(Ok(())) };
        Ok(match self.ticks.try_send(Tick::Extra(frame)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(Tick::Extra(frame))) => {
                *held = Held { frame: Some(frame), is_unseen: true };
                Ok(())
            }
            Err(_) => Err(Disconnected),
        })
    }

    /// Tells the encoder, if it has room. A picture for which there is none is kept and shown at the next tick, if the
    /// screen still shows it; the tick is lost. An error when the encoder is gone.
    fn tell(
        &self,
        tick: Tick,
        due: Monotonic,
        held: &mut Held,
        untold: &mut VecDeque<Monotonic>,
    ) -> Result<(), Disconnected> {
        while let Some(&at) = untold.front() {
            match self.ticks.try_send(Tick::Dropped(at)) {
                Ok(()) => drop(untold.pop_front()),
                Err(TrySendError::Full(_)) => break,
                Err(TrySendError::Disconnected(_)) => return Err(Disconnected),
            }
        }
        match self.ticks.try_send(tick) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(Disconnected),
            Err(TrySendError::Full(tick)) => {
                if let Tick::Picture(frame) = tick {
                    *held = Held { frame: Some(frame), is_unseen: true };
                }
                untold.push_back(due);
                Ok(())
            }
        }
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

    /// Where the clock stood still while the computer slept, there is no time to leave out, and a pause is told.
    fn after_uncounted_sleep(&self, before_nanos: &mut i64) {
        let slept_nanos = self.clock.uncounted_sleep_nanos();
        if slept_nanos - *before_nanos >= UNCOUNTED_NANOS {
            self.timeline.control().slept(self.clock.now(), slept_nanos - *before_nanos);
            *before_nanos = slept_nanos;
        }
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
        // A display that answers late shows what was there after the take.
        if self.timeline.control().is_paused()
            || self.timeline.is_stopped()
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

/// Notes that a picture is to be taken for what the hand did `at`, where the clock's own does not come in time. One
/// that is noted already may wait until it shows this as well.
fn want_extra(extras: &mut VecDeque<Extra>, at: Monotonic, due: Monotonic, period: i64) {
    let (from, until) = (at.nanos + ANSWER_NANOS, at.nanos + SEEN_BY_NANOS);
    let is_in_time = |own: i64| (from..=until).contains(&own);
    if is_in_time(due.nanos) || is_in_time(due.nanos + period) {
        return;
    }
    let from = Monotonic::from_nanos(from);
    let has_room = extras.len() < MOST_EXTRAS;
    match extras.back_mut() {
        Some(last) if from <= last.until => last.from = from,
        _ if !has_room => {}
        _ => extras.push_back(Extra { from, until: Monotonic::from_nanos(until) }),
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
    use crossbeam_channel::{bounded, never};

    use super::*;
    use crate::control::{Control, Why};

    const SEC: i64 = 1_000_000_000;

    /// A clock that moves when it is waited for, and once more at 3 s of the take.
    #[derive(Default)]
    struct Jumping {
        nanos: AtomicI64,
        /// How far it goes on in its sleep, and how far it does not.
        jump: i64,
        uncounted: i64,
        /// It is not the wait that takes so long, but the picture.
        at_work: bool,
        slept: AtomicI64,
        /// When the hand clicks; the last one first.
        clicks: Mutex<Vec<i64>>,
        end: i64,
        stop: AtomicBool,
    }

    impl Jumping {
        fn jump_once(&self) {
            if self.nanos.load(Ordering::Relaxed) >= 3 * SEC
                && self.slept.swap(self.uncounted.max(1), Ordering::Relaxed) == 0
            {
                self.nanos.fetch_add(self.jump, Ordering::Relaxed);
            }
        }
    }

    impl TakeClock for Jumping {
        fn now(&self) -> Monotonic {
            Monotonic::from_nanos(self.nanos.load(Ordering::Relaxed))
        }

        fn wait_until(&self, due: Monotonic, hand: &Receiver<Monotonic>) -> Option<Monotonic> {
            let click = self.clicks.lock().unwrap().pop_if(|click| *click <= due.nanos);
            if let Some(click) = click {
                self.nanos.fetch_max(click, Ordering::Relaxed);
                return Some(Monotonic::from_nanos(click));
            }
            assert!(hand.is_empty());
            self.nanos.fetch_max(due.nanos, Ordering::Relaxed);
            if !self.at_work {
                self.jump_once();
            }
            self.stop.store(due.nanos >= self.end, Ordering::Relaxed);
            None
        }

        fn counts_sleep(&self) -> bool {
            !self.at_work
        }

        fn uncounted_sleep_nanos(&self) -> i64 {
            self.slept.load(Ordering::Relaxed)
        }
    }

    struct Stamped<'a>(&'a Jumping);

    /// Answers until 3 s of the take; then it lets itself be waited for, and is gone.
    struct Dying<'a>(&'a Jumping);

    impl ScreenSource for Dying<'_> {
        fn size(&self) -> (u32, u32) {
            (2, 2)
        }

        fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
            into.at = self.0.now();
            if into.at.nanos < 3 * SEC {
                return Ok(Grab::Changed);
            }
            self.0.jump_once();
            self.0.stop.store(true, Ordering::Relaxed);
            Err(ScreenError::Lost("it is gone".to_owned()))
        }
    }

    impl ScreenSource for Stamped<'_> {
        fn size(&self) -> (u32, u32) {
            (2, 2)
        }

        fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
            into.at = self.0.now();
            if self.0.at_work {
                self.0.jump_once();
            }
            Ok(Grab::Changed)
        }
    }

    /// What a take of 10 pictures a second came to: the media times of its pictures, the number of dropped ticks, and the
    /// pauses.
    #[derive(Debug)]
    struct Ran {
        times: Vec<f64>,
        extras: Vec<f64>,
        dropped: usize,
        pauses: Vec<(f64, f64)>,
        sleeps: usize,
    }

    /// Runs 8 s of a take, by a clock that jumps, to an encoder that has room for so many ticks and takes none.
    fn run(clock: &Jumping, room: usize) -> Ran {
        run_on(clock, &mut Stamped(clock), room)
    }

    fn run_on(clock: &Jumping, screen: &mut impl ScreenSource, room: usize) -> Ran {
        let control = Control::default();
        let timeline = Timeline::new(&control);
        let maps = Maps::new((2, 2), (0, 0), (2, 2));
        let (tick_sink, ticks) = bounded(room);
        let (spare_sink, spare) = bounded(1000);
        (0..1000).for_each(|_| spare_sink.send(blank_frame()).unwrap());
        let (mut times, mut extras, mut dropped) = (Vec::new(), Vec::new(), 0);
        std::thread::scope(|scope| {
            // The ticks end with their thread, as in a take.
            let (timeline, maps, spare, stop) = (&timeline, &maps, &spare, &clock.stop);
            let pacing = scope.spawn(move || {
                let (ticks, hand) = (&tick_sink, &never());
                Pace { fps: 10, timeline, maps, ticks, spare, hand, clock, stop }.run(screen)
            });
            // Only when all is over the encoder wakes and takes what there is.
            while !clock.stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            for tick in ticks {
                match tick {
                    Tick::Picture(frame) => times.push(timeline.place(frame.at).unwrap().secs()),
                    Tick::Extra(frame) => extras.push(timeline.place(frame.at).unwrap().secs()),
                    Tick::Dropped(_) => dropped += 1,
                    Tick::Same(_) => {}
                }
            }
            // Whether the screen is gone is seen by what there is of it.
            drop(pacing.join().unwrap());
        });
        let Untold::These(untold) = timeline.end(clock.now()).untold else { panic!("they are known") };
        dropped += untold.len();
        let pauses = timeline.pauses(clock.now()).iter().map(|pause| (pause.t, pause.secs)).collect();
        let sleeps = control.stretches().iter().filter(|stretch| stretch.why == Why::Slept).count();
        Ran { times, extras, dropped, pauses, sleeps }
    }

    fn jumping(jump_secs: i64) -> Jumping {
        Jumping { jump: jump_secs * SEC, end: (8 + jump_secs) * SEC, ..Jumping::default() }
    }

    #[test]
    fn a_computer_that_slept_leaves_one_gap_and_no_dropped_pictures() {
        let uncounted = Jumping { uncounted: 3600 * SEC, ..jumping(0) };
        for clock in [jumping(3600), uncounted] {
            let ran = run(&clock, 1000);
            assert_eq!((ran.dropped, ran.pauses.len(), ran.sleeps), (0, 1, 1), "{ran:?}");
            assert!((ran.pauses[0].1 - 3600.0).abs() < 0.2 && (2.8..3.2).contains(&ran.pauses[0].0), "{ran:?}");
            assert!(ran.times.windows(2).all(|pair| pair[1] - pair[0] < 0.21), "{ran:?}");
            assert!((7.7..8.3).contains(ran.times.last().unwrap()), "{ran:?}");
        }
    }

    #[test]
    fn a_busy_moment_or_a_doze_is_no_sleep() {
        let ran = run(&jumping(5), 1000);
        assert_eq!((ran.pauses, ran.sleeps), (vec![], 0));
        assert!((48..=51).contains(&ran.dropped), "{}", ran.dropped);
        assert!((12.5..13.3).contains(ran.times.last().unwrap()), "{:?}", ran.times);
        let doze = Jumping { uncounted: SEC, ..jumping(0) };
        assert_eq!(run(&doze, 1000).sleeps, 0);
    }

    #[test]
    fn what_the_hand_does_is_seen_within_33_ms_and_the_clock_keeps_its_pace() {
        let undisturbed = run(&jumping(0), 1000);
        // Just after a picture, long before the next, so that the next comes in time, and two at once.
        let clicks: Vec<i64> = [1.001, 2.03, 4.08, 5.095, 6.04, 6.05].map(|secs| (secs * 1e9) as i64).into();
        let mut last_first = clicks.clone();
        last_first.reverse();
        let ran = run(&Jumping { clicks: Mutex::new(last_first), ..jumping(0) }, 1000);
        assert_eq!((&ran.times, ran.dropped), (&undisturbed.times, 0), "the clock's own pictures are the same");
        assert_eq!(ran.extras.len(), 4, "{:?}", ran.extras);
        let all: Vec<f64> = [&ran.times[..], &ran.extras].concat();
        for click in clicks.into_iter().map(|nanos| nanos as f64 / 1e9) {
            let wait = all.iter().map(|t| t - click).filter(|wait| *wait >= 0.015).fold(f64::MAX, f64::min);
            assert!(wait <= 0.033, "{wait} after {click}: {all:?}");
        }
    }

    #[test]
    fn a_picture_that_lets_itself_be_waited_for_is_no_sleep() {
        let ran = run(&Jumping { at_work: true, ..jumping(30) }, 1000);
        assert_eq!((ran.pauses, ran.sleeps), (vec![], 0));
        assert!((295..=301).contains(&ran.dropped), "{}", ran.dropped);
    }

    #[test]
    fn a_display_that_is_waited_for_and_gone_then_leaves_dropped_pictures() {
        let clock = Jumping { at_work: true, ..jumping(30) };
        let ran = run_on(&clock, &mut Dying(&clock), 1000);
        assert_eq!((ran.pauses, ran.sleeps, ran.times.len()), (vec![], 0, 30));
        assert_eq!(ran.dropped, 300);
    }

    #[test]
    fn an_encoder_that_hangs_holds_nobody_up_and_each_missing_picture_is_counted() {
        let ran = run(&jumping(0), 20);
        assert_eq!((ran.pauses, ran.sleeps), (vec![], 0));
        assert!((20..=21).contains(&ran.times.len()), "as many as there was room for: {}", ran.times.len());
        assert!((59..=62).contains(&ran.dropped), "{}", ran.dropped);
    }

    #[test]
    fn buffers_are_bounded_by_bytes() {
        assert_eq!([(1280, 720), (1920, 1080), (3840, 2160), (0, 0)].map(buffers), [8, 4, 2, 8]);
    }
}

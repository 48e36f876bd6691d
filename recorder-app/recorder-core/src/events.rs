//! The thread of the input events: raw input in, lines of `events.jsonl` out.
//!
//! Lines are written as they come about and reach the disk at least each second. A click is only complete when the
//! button goes up, so that lines are not quite in order; at the end of the take the file is sorted.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capture::clock;
use capture::input::gesture::Gestures;
use capture::input::pause_key::PAUSE_KEY;
use capture::input::{RawInput, RawKind};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use media::time::Monotonic;
use shared_types::event::{InputEvent, InputEventKind, parse_events};

use crate::live::Live;
use crate::pace::Maps;
use crate::spool::replace_file;
use crate::timeline::Timeline;

const WAIT: Duration = Duration::from_millis(100);
/// Input reaches this thread within this time of happening.
const LATE_NANOS: i64 = 100_000_000;
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Writes events until told to stop; then sorts the file.
pub(crate) fn run(
    path: &Path,
    input: &Receiver<RawInput>,
    maps: &Maps,
    timeline: &Timeline,
    live: &Live,
    hand: &Sender<Monotonic>,
    stop: &AtomicBool,
) -> io::Result<()> {
    let mut file = create(path)?;
    let mut teller =
        Teller { gestures: Gestures::new(maps.at(clock::now())), maps, timeline, told: 0, is_paused: false };
    let mut synced = Instant::now();
    loop {
        let events = match input.recv_timeout(WAIT) {
            Ok(raw) => {
                if !matches!(raw.kind, RawKind::WindowTitle(_)) {
                    live.touch(raw.at);
                }
                if is_deed(&raw.kind) {
                    // One that is not seen to yet stands for this one, too.
                    hand.try_send(raw.at).ok();
                }
                teller.input(raw)
            }
            Err(RecvTimeoutError::Timeout) => teller.time(Monotonic::from_nanos(clock::now().nanos - LATE_NANOS)),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        write_lines(&mut file, &events)?;
        if synced.elapsed() >= SYNC_EVERY {
            fail::fail_point!("events.sync");
            file.sync_data()?;
            synced = Instant::now();
        }
        if stop.load(Ordering::Relaxed) && input.is_empty() {
            break;
        }
    }
    write_lines(&mut file, &teller.end(clock::now()))?;
    file.sync_all()?;
    sort(path)
}

/// Whether the screen is likely to answer at once. The notches of a wheel are many, and most ticks show one.
fn is_deed(kind: &RawKind) -> bool {
    matches!(kind, RawKind::ButtonDown { .. } | RawKind::ButtonUp { .. } | RawKind::KeyDown { repeat: false, .. })
}

/// Gestures and pauses in the order of their times.
struct Teller<'a> {
    gestures: Gestures,
    maps: &'a Maps,
    timeline: &'a Timeline,
    /// Pauses whose end was told.
    told: usize,
    is_paused: bool,
}

impl<'a> Teller<'a> {
    fn clock(&self) -> impl Fn(Monotonic) -> Option<f64> + use<'a> {
        let timeline = self.timeline;
        move |at| timeline.place(at).map(|t| (t.secs() * 1e3).round() / 1e3)
    }

    fn input(&mut self, raw: RawInput) -> Vec<InputEvent> {
        if self.timeline.is_over(raw.at) {
            return Vec::new();
        }
        let mut events = self.pauses(raw.at);
        let clock = self.clock();
        self.gestures.set_map(self.maps.at(raw.at));
        events.extend(self.gestures.push(raw, clock));
        events.retain(|event| !is_pause_key(event));
        events
    }

    fn time(&mut self, now: Monotonic) -> Vec<InputEvent> {
        if self.timeline.is_over(now) {
            return Vec::new();
        }
        let mut events = self.pauses(now);
        let clock = self.clock();
        events.extend(self.gestures.tick(now, clock));
        events
    }

    fn end(&mut self, now: Monotonic) -> Vec<InputEvent> {
        let end = self.timeline.last_recorded(now);
        let mut events = self.pauses(end);
        if self.is_paused {
            self.gestures.forget_title();
        }
        let clock = self.clock();
        events.extend(self.gestures.flush(end, clock));
        events
    }

    /// The pauses up to a moment that were not told yet. What is under way when one begins ends there.
    fn pauses(&mut self, until: Monotonic) -> Vec<InputEvent> {
        let mut events = Vec::new();
        let Some(zero) = self.timeline.zero() else { return events };
        for pause in self.timeline.stretches().into_iter().skip(self.told) {
            let from = pause.from.max(zero);
            if from > until {
                break;
            }
            let clock = self.clock();
            let Some(t) = self.timeline.elapsed(from).map(|t| (t.secs() * 1e3).round() / 1e3) else { break };
            // One without length is a sleep that the clock did not count.
            if pause.to.is_some_and(|to| to < from || (to == from && pause.uncounted_nanos == 0)) {
                self.told += 1;
                continue;
            }
            if !self.is_paused {
                self.is_paused = true;
                events.extend(self.gestures.flush(from, clock));
                events.push(InputEvent { t, kind: InputEventKind::Pause });
            }
            if pause.to.is_none_or(|to| to > until) {
                break;
            }
            self.is_paused = false;
            self.told += 1;
            events.push(InputEvent { t, kind: InputEventKind::Resume });
        }
        events
    }
}

/// The key that pauses is the recorder's own and no input to what is recorded.
fn is_pause_key(event: &InputEvent) -> bool {
    matches!(&event.kind, InputEventKind::Key { key } if key.eq_ignore_ascii_case(PAUSE_KEY))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_lines(file: &mut File, events: &[InputEvent]) -> io::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    fail::fail_point!("events.write", |_| Err(io::ErrorKind::StorageFull.into()));
    file.write_all(&lines(events)?)
}

pub(crate) fn lines(events: &[InputEvent]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for event in events {
        serde_json::to_writer(&mut text, event)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Puts the lines in order of time. What a crash or a power cut left behind its last whole line is left out.
pub(crate) fn sort(path: &Path) -> io::Result<()> {
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    let events = parse_events(&text).or_else(|bad| {
        let whole: String = text.split_inclusive('\n').take(bad.line - 1).collect();
        parse_events(&whole).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    })?;
    replace_file(path, &lines(&events)?)
}

#[cfg(test)]
mod tests {
    use capture::input::{KeyName, Modifiers, Pressed};

    use super::*;
    use crate::control::Control;

    fn at(millis: i64) -> Monotonic {
        Monotonic::from_nanos(millis * 1_000_000)
    }

    /// What is told of a take that begins at 1 s, by what the hand does at which millisecond, and until when.
    fn told(control: &Control, hand: &[(i64, RawKind)], end: i64) -> Vec<(f64, InputEventKind)> {
        let timeline = Timeline::new(control);
        timeline.begin(at(1000));
        let maps = Maps::new((2, 2), (0, 0), (2, 2));
        let gestures = Gestures::new(maps.at(at(0)));
        let mut teller = Teller { gestures, maps: &maps, timeline: &timeline, told: 0, is_paused: false };
        let mut events = Vec::new();
        for (millis, kind) in hand {
            events.extend(teller.input(RawInput { at: at(*millis), kind: kind.clone() }));
        }
        events.extend(teller.end(at(end)));
        events.into_iter().map(|event| (event.t, event.kind)).collect()
    }

    fn letter() -> RawKind {
        RawKind::KeyDown { key: KeyName::Character, repeat: false }
    }

    #[test]
    fn what_is_typed_across_a_pause_is_two_runs_and_nothing_of_the_pause() {
        let control = Control::default();
        control.pause_at(at(2500));
        control.resume_at(at(10_000));
        let shortcut = Modifiers::CTRL.with(Modifiers::ALT);
        let pause_key = || {
            let key = KeyName::of(Pressed::Character('p'), shortcut);
            RawKind::KeyDown { key, repeat: false }
        };
        let hand = [
            (2000, letter()),
            (2200, letter()),
            (2499, pause_key()),
            // In the pause: a password, say.
            (3000, letter()),
            (3200, RawKind::WindowTitle("Bank".to_owned())),
            (9000, letter()),
            (9999, RawKind::WindowTitle("Shop".to_owned())),
            (10_001, pause_key()),
            (10_100, letter()),
            (10_300, letter()),
            (10_400, letter()),
        ];
        let title = "Shop".to_owned();
        let expected = [
            (1.0, InputEventKind::Type { t_end: 1.2, chars: 2 }),
            (1.5, InputEventKind::Pause),
            (1.5, InputEventKind::Resume),
            (1.501, InputEventKind::Window { title }),
            (1.6, InputEventKind::Type { t_end: 1.9, chars: 3 }),
        ];
        assert_eq!(told(&control, &hand, 11_000), expected);
    }

    #[test]
    fn a_pause_that_does_not_end_ends_what_is_under_way_and_one_before_the_take_is_none() {
        let control = Control::default();
        control.pause_at(at(100));
        control.resume_at(at(900));
        control.pause_at(at(2000));
        let (button, x, y) = (1, 1, 1);
        let hand = [(1800, RawKind::ButtonDown { button, x, y }), (3000, RawKind::ButtonUp { button, x, y })];
        let told = told(&control, &hand, 5000);
        assert!(matches!(told[0], (0.8, InputEventKind::Click { t_up: 1.0, .. })), "{told:?}");
        assert_eq!(told[1..], [(1.0, InputEventKind::Pause)]);
    }

    #[test]
    fn what_is_opened_in_a_pause_that_the_take_ends_in_is_not_told() {
        let control = Control::default();
        control.pause_at(at(2000));
        let title = |name: &str| RawKind::WindowTitle(name.to_owned());
        let told = told(&control, &[(1500, title("Shop")), (3000, title("Bank"))], 5000);
        let expected = [(0.5, InputEventKind::Window { title: "Shop".to_owned() }), (1.0, InputEventKind::Pause)];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_done_after_the_stop_is_not_told_and_what_was_under_way_ends_there() {
        let control = Control::default();
        let (timeline, maps) = (Timeline::new(&control), Maps::new((2, 2), (0, 0), (2, 2)));
        timeline.begin(at(1000));
        let gestures = Gestures::new(maps.at(at(0)));
        let mut teller = Teller { gestures, maps: &maps, timeline: &timeline, told: 0, is_paused: false };
        let (button, x, y) = (1, 1, 1);
        assert_eq!(teller.input(RawInput { at: at(1900), kind: RawKind::ButtonDown { button, x, y } }), []);
        timeline.stop(at(2000));
        control.lock_at(at(2200));
        let after = [RawKind::ButtonUp { button, x, y }, letter(), RawKind::WindowTitle("Bank".to_owned())];
        for kind in after {
            assert_eq!(teller.input(RawInput { at: at(2100), kind }), []);
        }
        assert_eq!(teller.time(at(3000)), []);
        let told = teller.end(at(4000));
        assert!(matches!(told[..], [InputEvent { t: 0.9, kind: InputEventKind::Click { t_up: 1.0, .. } }]), "{told:?}");
    }

    #[test]
    fn a_sleep_that_takes_no_time_on_the_clock_is_told_as_a_pause() {
        let control = Control::default();
        control.slept(at(2000), 60_000_000_000);
        let hand = [(1900, letter()), (2100, letter())];
        let expected = [
            (0.9, InputEventKind::Type { t_end: 0.9, chars: 1 }),
            (1.0, InputEventKind::Pause),
            (1.0, InputEventKind::Resume),
            (1.1, InputEventKind::Type { t_end: 1.1, chars: 1 }),
        ];
        assert_eq!(told(&control, &hand, 3000), expected);
    }
}

//! From raw input to the events of `events.jsonl`: clicks with their count, drags, wheel notches, runs of characters,
//! the pointer's path. Pure: time and place come in through the caller's clock and [`PictureMap`].
//!
//! - A press becomes one `click` when the button goes up; a double click is two of them, with `clicks` 1 and 2.
//! - Characters within a second of each other are one `type`; any named key or press ends it. Backspace is a named key.
//! - What the clock places nowhere (a pause) is left out; of titles the last one is told afterwards.
//! - What happens outside the recorded screen has no place in the picture and is left out; a drag that ends there ends
//!   at the picture's edge.
//!
//! Events come out when they are complete, so that a click may follow a later move.

use media::fit::letterbox;
use media::time::Monotonic;
use shared_types::event::{InputEvent, InputEventKind, MouseButton};

use super::key::KeyName;
use super::{RawInput, RawKind};

const NANOS_PER_MILLI: i64 = 1_000_000;
/// A next press within this time and distance of the last counts up.
const MULTI_CLICK_NANOS: i64 = 400 * NANOS_PER_MILLI;
const MULTI_CLICK_PX: f64 = 6.0;
const MAX_CLICKS: u8 = 3;
const DRAG_PX: f64 = 8.0;
const RUN_ENDS_AFTER_NANOS: i64 = 1_000 * NANOS_PER_MILLI;
const MOVE_EVERY_NANOS: i64 = 50 * NANOS_PER_MILLI;

/// From pixels of the desktop to pixels of the encoded picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureMap {
    /// The recorded screen on the desktop.
    pub left: i32,
    pub top: i32,
    pub width: u32,
    pub height: u32,
    /// Pixels of the picture for one of the screen, across and down: sides are rounded to even ones.
    pub scale: (f64, f64),
    /// The letterbox's borders in the picture.
    pub pad_x: f64,
    pub pad_y: f64,
}

impl PictureMap {
    /// A screen shown whole, as large as it fits, in the middle of a picture, just as the encoder lays it.
    pub fn fit(left: i32, top: i32, screen: (u32, u32), picture: (u32, u32)) -> Self {
        let (width, height) = (screen.0.max(1), screen.1.max(1));
        let (x, y, shown_width, shown_height) = letterbox((width, height), picture);
        let scale = (f64::from(shown_width) / f64::from(width), f64::from(shown_height) / f64::from(height));
        Self { left, top, width, height, scale, pad_x: f64::from(x), pad_y: f64::from(y) }
    }

    /// None outside the screen.
    fn place(&self, (x, y): (i32, i32)) -> Option<(f64, f64)> {
        let inside =
            (0..self.width as i32).contains(&(x - self.left)) && (0..self.height as i32).contains(&(y - self.top));
        inside.then(|| self.clamped((x, y)))
    }

    fn clamped(&self, (x, y): (i32, i32)) -> (f64, f64) {
        let x = (x - self.left).clamp(0, self.width as i32 - 1);
        let y = (y - self.top).clamp(0, self.height as i32 - 1);
        (f64::from(x) * self.scale.0 + self.pad_x, f64::from(y) * self.scale.1 + self.pad_y)
    }
}

/// What is under way: pressed buttons, a run of characters, a held-back move.
#[derive(Debug)]
pub struct Gestures {
    map: PictureMap,
    presses: Vec<Press>,
    last_press: Option<Press>,
    run: Option<Run>,
    moved: Option<Monotonic>,
    held_back: Option<(Monotonic, (f64, f64))>,
    title: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    at: Monotonic,
    t: f64,
    spot: (i32, i32),
    place: (f64, f64),
    number: u8,
    button: MouseButton,
    clicks: u8,
}

#[derive(Debug)]
struct Run {
    last: Monotonic,
    t: f64,
    t_end: f64,
    chars: u32,
}

impl Gestures {
    pub fn new(map: PictureMap) -> Self {
        let (presses, last_press, run, moved, held_back, title) = (Vec::new(), None, None, None, None, None);
        Self { map, presses, last_press, run, moved, held_back, title }
    }

    /// After a change of the screen's place or size.
    pub fn set_map(&mut self, map: PictureMap) {
        self.map = map;
    }

    /// Takes one raw event and gives those that are complete now. `clock` gives seconds of the recording, None inside
    /// a pause.
    pub fn push(&mut self, raw: RawInput, clock: impl Fn(Monotonic) -> Option<f64>) -> Vec<InputEvent> {
        let mut out = self.tick(raw.at, &clock);
        if let RawKind::WindowTitle(title) = raw.kind {
            self.title = Some(title);
            self.tell_title(raw.at, &clock, &mut out);
            return out;
        }
        let RawInput { at, kind } = raw;
        let Some(t) = clock(at) else {
            if let RawKind::ButtonUp { button, .. } = kind {
                self.presses.retain(|press| press.number != button);
            }
            return out;
        };
        match kind {
            RawKind::ButtonDown { button, x, y } => self.press(at, t, button, (x, y), &mut out),
            RawKind::ButtonUp { button, x, y } => {
                if let Some(index) = self.presses.iter().position(|press| press.number == button) {
                    let press = self.presses.swap_remove(index);
                    self.release(press, t, (x, y), &mut out);
                }
            }
            RawKind::Wheel { dx, dy, x, y } => {
                if let Some((x, y)) = self.map.place((x, y)) {
                    let (dx, dy) = (f64::from(dx), f64::from(dy));
                    out.push(InputEvent { t, kind: InputEventKind::Scroll { x, y, dx, dy } });
                }
            }
            RawKind::KeyDown { key: KeyName::Character, .. } => self.character(at, t),
            RawKind::KeyDown { key: KeyName::Named(key), repeat: false } => {
                self.end_run(&mut out);
                out.push(InputEvent { t, kind: InputEventKind::Key { key: key.to_string() } });
            }
            RawKind::Pointer { x, y } => {
                if let Some(place) = self.map.place((x, y)) {
                    self.held_back = Some((at, place));
                    self.tell_move(at, &clock, &mut out);
                }
            }
            RawKind::KeyDown { .. } | RawKind::KeyUp | RawKind::WindowTitle(_) => {}
        }
        out
    }

    /// Gives what is complete because time went on: call it a few times a second.
    pub fn tick(&mut self, now: Monotonic, clock: impl Fn(Monotonic) -> Option<f64>) -> Vec<InputEvent> {
        let mut out = Vec::new();
        if self.run.as_ref().is_some_and(|run| now.nanos_since(run.last) > RUN_ENDS_AFTER_NANOS) {
            self.end_run(&mut out);
        }
        self.tell_move(now, &clock, &mut out);
        self.tell_title(now, &clock, &mut out);
        out
    }

    /// A title that was seen in a pause is not told afterwards where there is no afterwards.
    pub fn forget_title(&mut self) {
        self.title = None;
    }

    /// Ends all that is under way, at a pause or at the end of the recording. `clock` must still place `now`, or open
    /// presses end when they began.
    pub fn flush(&mut self, now: Monotonic, clock: impl Fn(Monotonic) -> Option<f64>) -> Vec<InputEvent> {
        let mut out = self.tick(now, &clock);
        self.end_run(&mut out);
        for press in std::mem::take(&mut self.presses) {
            self.release(press, clock(now).unwrap_or(press.t), press.spot, &mut out);
        }
        self.last_press = None;
        self.held_back = None;
        out
    }

    fn press(&mut self, at: Monotonic, t: f64, number: u8, spot: (i32, i32), out: &mut Vec<InputEvent>) {
        self.end_run(out);
        let button = match number {
            1 => MouseButton::Left,
            2 => MouseButton::Middle,
            3 => MouseButton::Right,
            // The thumb's buttons are the browser's keys by another way.
            8 | 9 => {
                let key = if number == 8 { "BrowserBack" } else { "BrowserForward" };
                out.push(InputEvent { t, kind: InputEventKind::Key { key: key.to_owned() } });
                return;
            }
            _ => return,
        };
        let Some(place) = self.map.place(spot) else { return };
        let clicks = match self.last_press {
            Some(last)
                if last.number == number
                    && last.clicks < MAX_CLICKS
                    && at.nanos_since(last.at) <= MULTI_CLICK_NANOS
                    && distance(last.spot, spot) <= MULTI_CLICK_PX =>
            {
                last.clicks + 1
            }
            _ => 1,
        };
        let press = Press { at, t, spot, place, number, button, clicks };
        self.last_press = Some(press);
        self.presses.retain(|open| open.number != number);
        self.presses.push(press);
    }

    fn release(&mut self, press: Press, t_up: f64, spot: (i32, i32), out: &mut Vec<InputEvent>) {
        let dragged = distance(press.spot, spot) >= DRAG_PX;
        if dragged {
            self.last_press = None;
        }
        let up = dragged.then(|| self.map.clamped(spot));
        let Press { t, place: (x, y), button, clicks, .. } = press;
        let kind = InputEventKind::Click {
            x,
            y,
            button,
            clicks,
            t_up: t_up.max(t),
            x_up: up.map(|(x, _)| x),
            y_up: up.map(|(_, y)| y),
        };
        out.push(InputEvent { t, kind });
    }

    /// A run that has ended by now was already taken out by `tick`.
    fn character(&mut self, at: Monotonic, t: f64) {
        let run = self.run.get_or_insert(Run { last: at, t, t_end: t, chars: 0 });
        run.last = at;
        run.t_end = t;
        run.chars += 1;
    }

    fn end_run(&mut self, out: &mut Vec<InputEvent>) {
        if let Some(Run { t, t_end, chars, .. }) = self.run.take() {
            out.push(InputEvent { t, kind: InputEventKind::Type { t_end, chars } });
        }
    }

    /// A move too soon after the last is held back until its time has come; the newest one counts, so that the place
    /// where the pointer comes to rest is always told.
    fn tell_move(&mut self, now: Monotonic, clock: impl Fn(Monotonic) -> Option<f64>, out: &mut Vec<InputEvent>) {
        let Some((at, (x, y))) = self.held_back else { return };
        let due = self.moved.map_or(at, |moved| at.max(Monotonic::from_nanos(moved.nanos + MOVE_EVERY_NANOS)));
        if now < due {
            return;
        }
        self.held_back = None;
        if let Some(t) = clock(due) {
            self.moved = Some(due);
            out.push(InputEvent { t, kind: InputEventKind::Move { x, y } });
        }
    }

    fn tell_title(&mut self, now: Monotonic, clock: impl Fn(Monotonic) -> Option<f64>, out: &mut Vec<InputEvent>) {
        if self.title.is_some()
            && let Some(t) = clock(now)
            && let Some(title) = self.title.take()
        {
            out.push(InputEvent { t, kind: InputEventKind::Window { title } });
        }
    }
}

fn distance(a: (i32, i32), b: (i32, i32)) -> f64 {
    f64::from(a.0 - b.0).hypot(f64::from(a.1 - b.1))
}

#[cfg(test)]
#[path = "gesture_tests.rs"]
mod tests;

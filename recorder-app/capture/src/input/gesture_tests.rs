//! Rows of raw input at milliseconds, and the lines of `events.jsonl` they become.

use super::*;
use crate::input::key::{Modifiers, Pressed};

const WHOLE: PictureMap =
    PictureMap { left: 0, top: 0, width: 1920, height: 1080, scale: (1.0, 1.0), pad_x: 0.0, pad_y: 0.0 };

fn millis(millis: i64) -> Monotonic {
    Monotonic::from_nanos(millis * NANOS_PER_MILLI)
}

/// Recording begins at 1000 ms and is paused from 20 s to 30 s.
fn clock(at: Monotonic) -> Option<f64> {
    let secs = at.nanos as f64 / 1e9;
    match secs {
        ..1.0 => None,
        ..20.0 => Some(secs - 1.0),
        ..30.0 => None,
        _ => Some(secs - 11.0),
    }
}

fn down(x: i32, y: i32) -> RawKind {
    RawKind::ButtonDown { button: 1, x, y }
}

fn up(x: i32, y: i32) -> RawKind {
    RawKind::ButtonUp { button: 1, x, y }
}

fn letter() -> RawKind {
    RawKind::KeyDown { key: KeyName::Character, repeat: false }
}

fn named(name: &'static str, repeat: bool) -> RawKind {
    RawKind::KeyDown { key: KeyName::of(Pressed::Named(name), Modifiers::NONE), repeat }
}

fn at(x: i32, y: i32) -> RawKind {
    RawKind::Pointer { x, y }
}

fn run(map: PictureMap, raw: Vec<(i64, RawKind)>, end_millis: i64) -> Vec<InputEvent> {
    let mut gestures = Gestures::new(map);
    let mut events = Vec::new();
    for (at, kind) in raw {
        events.extend(gestures.push(RawInput { at: millis(at), kind }, clock));
    }
    events.extend(gestures.flush(millis(end_millis), clock));
    events
}

fn shown(event: &InputEvent) -> String {
    let t = event.t;
    match &event.kind {
        InputEventKind::Click { x, y, button, clicks, t_up, x_up, y_up } => {
            let to = match (x_up, y_up) {
                (Some(x), Some(y)) => format!(" to {x},{y}"),
                _ => String::new(),
            };
            format!("{t:.3} {button:?} {clicks} at {x},{y} until {t_up:.3}{to}")
        }
        InputEventKind::Scroll { x, y, dx, dy } => format!("{t:.3} scroll {dx},{dy} at {x},{y}"),
        InputEventKind::Key { key } => format!("{t:.3} key {key}"),
        InputEventKind::Type { t_end, chars } => format!("{t:.3} type {chars} until {t_end:.3}"),
        InputEventKind::Move { x, y } => format!("{t:.3} move {x},{y}"),
        InputEventKind::Window { title } => format!("{t:.3} window {title}"),
        other => format!("{t:.3} {other:?}"),
    }
}

#[track_caller]
fn check_with(map: PictureMap, raw: Vec<(i64, RawKind)>, end_millis: i64, expected: &[&str]) {
    let events: Vec<String> = run(map, raw, end_millis).iter().map(shown).collect();
    assert_eq!(events, expected);
}

#[track_caller]
fn check(raw: Vec<(i64, RawKind)>, expected: &[&str]) {
    check_with(WHOLE, raw, 15_000, expected);
}

#[test]
fn presses_at_one_spot_count_up_to_three() {
    let press = |at, x| [(at, down(x, 50)), (at + 80, up(x, 50))];
    check(
        [press(2000, 100), press(2200, 104), press(2600, 100), press(2900, 100)].concat(),
        &[
            "1.000 Left 1 at 100,50 until 1.080",
            "1.200 Left 2 at 104,50 until 1.280",
            "1.600 Left 3 at 100,50 until 1.680",
            "1.900 Left 1 at 100,50 until 1.980",
        ],
    );
}

#[test]
fn too_late_too_far_or_another_button_begins_a_new_count() {
    check(
        vec![
            (2000, down(100, 50)),
            (2050, up(100, 50)),
            (2401, down(100, 50)),
            (2450, up(100, 50)),
            (2500, down(107, 50)),
            (2550, up(107, 50)),
            (2600, RawKind::ButtonDown { button: 3, x: 107, y: 50 }),
            (2650, RawKind::ButtonUp { button: 3, x: 107, y: 50 }),
        ],
        &[
            "1.000 Left 1 at 100,50 until 1.050",
            "1.401 Left 1 at 100,50 until 1.450",
            "1.500 Left 1 at 107,50 until 1.550",
            "1.600 Right 1 at 107,50 until 1.650",
        ],
    );
}

#[test]
fn eight_pixels_between_down_and_up_are_a_drag_and_end_the_count() {
    check(
        vec![
            (2000, down(100, 50)),
            (2100, up(107, 50)),
            (2200, down(100, 50)),
            (2300, up(100, 58)),
            (2350, down(100, 50)),
            (2390, up(100, 50)),
        ],
        &[
            "1.000 Left 1 at 100,50 until 1.100",
            "1.200 Left 2 at 100,50 until 1.300 to 100,58",
            "1.350 Left 1 at 100,50 until 1.390",
        ],
    );
}

#[test]
fn characters_run_until_a_second_without_one_or_a_key_or_a_click() {
    check(
        vec![
            (2000, letter()),
            (2010, RawKind::KeyUp),
            (3000, letter()),
            (4001, letter()),
            (4101, letter()),
            (4200, named("Backspace", false)),
            (4300, letter()),
            (4400, down(5, 6)),
            (4450, up(5, 6)),
            (4500, letter()),
        ],
        &[
            "1.000 type 2 until 2.000",
            "3.001 type 2 until 3.101",
            "3.200 key Backspace",
            "3.300 type 1 until 3.300",
            "3.400 Left 1 at 5,6 until 3.450",
            "3.500 type 1 until 3.500",
        ],
    );
}

#[test]
fn a_run_is_told_when_its_second_is_over_without_waiting_for_more_input() {
    let mut gestures = Gestures::new(WHOLE);
    assert_eq!(gestures.push(RawInput { at: millis(2000), kind: letter() }, clock), []);
    assert_eq!(gestures.tick(millis(3000), clock), []);
    let told: Vec<_> = gestures.tick(millis(3001), clock).iter().map(shown).collect();
    assert_eq!(told, ["1.000 type 1 until 1.000"]);
}

#[test]
fn a_held_key_types_on_but_a_named_key_counts_once() {
    let held = RawKind::KeyDown { key: KeyName::Character, repeat: true };
    check(
        vec![
            (2000, letter()),
            (2500, held.clone()),
            (2530, held),
            (3000, named("Backspace", false)),
            (3500, named("Backspace", true)),
        ],
        &["1.000 type 3 until 1.530", "2.000 key Backspace"],
    );
}

#[test]
fn wheel_notches_keep_their_direction_and_thumb_buttons_are_browser_keys() {
    check(
        vec![
            (2000, RawKind::Wheel { dx: 0, dy: 1, x: 9, y: 8 }),
            (2030, RawKind::Wheel { dx: -1, dy: 0, x: 9, y: 8 }),
            (2100, RawKind::ButtonDown { button: 8, x: 9, y: 8 }),
            (2150, RawKind::ButtonUp { button: 8, x: 9, y: 8 }),
        ],
        &["1.000 scroll 0,1 at 9,8", "1.030 scroll -1,0 at 9,8", "1.100 key BrowserBack"],
    );
}

#[test]
fn moves_come_at_most_every_50_ms_and_the_last_place_is_never_lost() {
    let mut raw: Vec<_> = (0..30).map(|step| (2000 + step * 8, at(step as i32 * 10, 0))).collect();
    raw.push((2600, letter()));
    let events = run(WHOLE, raw, 15_000);
    let moves: Vec<_> = events.iter().filter(|event| matches!(event.kind, InputEventKind::Move { .. })).collect();
    assert!(moves.windows(2).all(|pair| pair[1].t - pair[0].t >= 0.05 - 1e-9));
    assert_eq!(moves.len(), 6);
    assert_eq!(shown(moves[5]), "1.250 move 290,0");
}

#[test]
fn a_pause_leaves_everything_out_and_tells_the_last_title_after_it() {
    let title = |name: &str| RawKind::WindowTitle(name.to_owned());
    check_with(
        WHOLE,
        vec![
            (2000, title("Shop")),
            (19_900, down(1, 1)),
            (21_000, up(1, 1)),
            (22_000, title("Bank")),
            (23_000, letter()),
            (24_000, down(5, 5)),
            (25_000, title("Shop again")),
            (26_000, at(77, 77)),
            (31_000, up(5, 5)),
            (32_000, letter()),
        ],
        33_000,
        &["1.000 window Shop", "20.000 window Shop again", "21.000 type 1 until 21.000"],
    );
}

#[test]
fn the_end_closes_what_is_open() {
    check_with(
        WHOLE,
        vec![(2000, letter()), (2100, letter()), (2200, down(3, 4)), (2500, letter())],
        2800,
        &["1.000 type 2 until 1.100", "1.500 type 1 until 1.500", "1.200 Left 1 at 3,4 until 1.800"],
    );
}

#[test]
fn positions_are_those_of_the_encoded_picture() {
    // The right one of two monitors, halved, with borders above and below.
    let map = PictureMap::fit(1920, 0, (1280, 1024), (640, 600));
    assert_eq!((map.scale, map.pad_x, map.pad_y), ((0.5, 0.5), 0.0, 44.0));
    check_with(
        map,
        vec![
            (2000, down(1920 + 100, 200)),
            (2100, up(1920 + 100, 200)),
            (3000, down(1919, 200)),
            (3100, up(1919, 200)),
            (4000, down(1930, 10)),
            (4100, up(1000, 10)),
            (5000, at(100, 100)),
            (5100, RawKind::Wheel { dx: 0, dy: 1, x: 100, y: 100 }),
        ],
        6000,
        &["1.000 Left 1 at 50,144 until 1.100", "3.000 Left 1 at 5,49 until 3.100 to 0,49"],
    );
}

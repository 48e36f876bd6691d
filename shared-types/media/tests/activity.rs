//! What the hand did, by its events: signs of programs, and numbers that stay numbers whatever a log claims.

use media::measure::activity::{acts_print, from_events, unanswered, unexplained};
use media::measure::picture::{LumaView, PictureMeter};
use proptest::collection::vec;
use proptest::prelude::*;
use shared_types::event::{InputEvent, InputEventKind, MouseButton};
use shared_types::quality::measurements::{ActivityMeasures, Span};

fn moved(t: f64, x: f64, y: f64) -> InputEvent {
    InputEvent { t, kind: InputEventKind::Move { x, y } }
}

fn click(t: f64, x: f64, y: f64) -> InputEvent {
    let kind =
        InputEventKind::Click { x, y, button: MouseButton::Left, clicks: 1, t_up: t + 0.08, x_up: None, y_up: None };
    InputEvent { t, kind }
}

fn notch(t: f64) -> InputEvent {
    InputEvent { t, kind: InputEventKind::Scroll { x: 1.0, y: 1.0, dx: 0.0, dy: 1.0 } }
}

fn key(t: f64) -> InputEvent {
    InputEvent { t, kind: InputEventKind::Key { key: "Backspace".to_owned() } }
}

/// A way of the pointer that leaves the line by `bend` pixels in its middle, and the click at its end.
fn way(from: f64, bend: f64) -> Vec<InputEvent> {
    let position = |i: u32| {
        let share = f64::from(i) / 10.0;
        let off = bend * (std::f64::consts::PI * share).sin();
        moved(from + share, 100.0 + 400.0 * share, 100.0 + 300.0 * share + off)
    };
    (0..=10).map(position).chain([click(from + 1.2, 500.0, 400.0)]).collect()
}

#[test]
fn straight_ways_of_the_pointer_are_counted() {
    for (bend, share) in [(0.0, 1.0), (25.0, 0.0)] {
        let events: Vec<InputEvent> = (0..10).flat_map(|i| way(f64::from(i) * 3.0, bend)).collect();
        let activity = from_events(&events, 40.0);
        assert_eq!((activity.pointer_ways, activity.straight_share), (10, Some(share)), "bent by {bend}");
    }
    let along_a_row: Vec<InputEvent> =
        (0..20).map(|i| moved(f64::from(i), f64::from(i) * 20.0, 50.0)).chain([click(21.0, 400.0, 50.0)]).collect();
    assert_eq!(from_events(&along_a_row, 40.0).straight_share, None, "a row tells nothing");
}

#[test]
fn acts_that_nothing_answers_are_counted() {
    let events = [click(1.0, 5.0, 5.0), click(12.0, 5.0, 5.0), key(15.0), click(19.0, 5.0, 5.0)];
    let (share, spans) = unanswered(&[Span::new(10.0, 20.0)], &events);
    assert_eq!((share, spans.len()), (Some(0.5), 2), "the last act may be answered after the stretch");
    assert_eq!(unanswered(&[], &events).0, Some(0.0));
    assert_eq!(unanswered(&[], &[]).0, None);
}

#[test]
fn much_that_changes_at_once_is_another_page() {
    const SIDE: u32 = 100;
    let mut meter = PictureMeter::default();
    // At which second how many of the hundred rows have turned dark.
    let shown = [(0.0, 0), (1.0, 7), (2.0, 20), (2.6, 40), (9.0, 42), (12.0, 90)];
    for (t, rows) in shown {
        let mut data = vec![220_u8; (SIDE * SIDE) as usize];
        data[..(rows * SIDE) as usize].fill(30);
        meter.push(LumaView { width: SIDE, height: SIDE, stride: SIDE as usize, data: &data }, t);
    }
    let changes = meter.finish(15.0).page_changes;
    assert_eq!(
        changes,
        [Span::new(2.0, 2.6), Span::new(12.0, 12.0)],
        "a few rows are none, and what follows at once is one"
    );
}

#[test]
fn pages_that_change_by_themselves_are_counted() {
    let events = [moved(9.0, 5.0, 5.0), click(10.0, 5.0, 5.0), key(30.0)];
    let changes = [2.0, 10.4, 14.5, 22.0, 29.9].map(|t| Span::new(t, t + 0.5));
    assert_eq!(
        unexplained(&changes, &events),
        (Some(0.2), vec![changes[3]]),
        "what begins the take is not one of them"
    );
    assert_eq!(unexplained(&[], &events).0, None);
}

#[test]
fn a_print_of_acts_joins_what_a_machine_repeats() {
    let held: Vec<InputEvent> = (0..30).map(|i| key(2.0 + f64::from(i) * 0.03)).collect();
    let turn: Vec<InputEvent> = (0..5).map(|i| notch(5.0 + f64::from(i) * 0.1)).collect();
    let events = [vec![click(1.0, 1.0, 1.0)], held, turn, vec![moved(7.0, 1.0, 1.0), click(8.5, 1.0, 1.0)]].concat();
    assert_eq!(acts_print(&events), [4000, 4000 + 1, 4 * 3000 + 3, 4 * 3500]);
}

fn any_event() -> impl Strategy<Value = InputEvent> {
    let number = || prop_oneof![0.0..60.0, Just(-5.0), Just(1e308), Just(-1e308)];
    let kind = prop_oneof![
        (number(), number()).prop_map(|(x, y)| InputEventKind::Move { x, y }),
        (number(), number(), number()).prop_map(|(x, y, t_up)| InputEventKind::Click {
            x,
            y,
            button: MouseButton::Left,
            clicks: 1,
            t_up,
            x_up: Some(y),
            y_up: None
        }),
        number().prop_map(|t_end| InputEventKind::Type { t_end, chars: u32::MAX }),
        Just(InputEventKind::Scroll { x: 0.0, y: 0.0, dx: 0.0, dy: 1.0 }),
    ];
    (number(), kind).prop_map(|(t, kind)| InputEvent { t, kind })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is not finite becomes null in JSON, and the child's findings could not be read again.
    #[test]
    fn numbers_stay_numbers_whatever_a_log_claims(mut events in vec(any_event(), 0..30), secs in 0.0..90.0) {
        events.sort_by(|a, b| a.t.total_cmp(&b.t));
        let activity = from_events(&events, secs);
        let text = serde_json::to_string(&activity);
        let again = text.ok().and_then(|text| serde_json::from_str::<ActivityMeasures>(&text).ok());
        prop_assert!(again.is_some(), "{:?}", activity);
        prop_assert!((0.0..=1.0).contains(&activity.idle_share));
        prop_assert!(activity.idle.iter().all(|span| span.start >= 0.0 && span.end <= secs + 1e-9), "{:?}", activity.idle);
        acts_print(&events);
    }
}

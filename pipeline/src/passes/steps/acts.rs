//! Input events to human acts.

use shared_types::event::{InputEvent, InputEventKind, MouseButton};
use shared_types::step::Action;

use crate::passes::inspect::Want;
use crate::passes::trace::acts::{SeenAct, SeenKind};

/// Notches closer than this in one direction are one turn of the wheel.
const WHEEL_PAUSE_SECS: f64 = 1.0;
/// The presses of a double click.
const DOUBLE_CLICK_SECS: f64 = 0.6;
const SAME_SPOT_PX: f64 = 8.0;
/// A picture taken in the moment of a press may show its effect already.
const BEFORE_SECS: f64 = 0.02;
/// From here the pointer's drawing does not reach what it goes to.
const APART_PX: f64 = 90.0;
/// What an act leads to shows by then, as a rule.
const EFFECT_SHOWS_SECS: f64 = 0.7;
/// Pages that take longer to settle are pictured as they are.
const SETTLE_SECS: f64 = 2.5;

/// One thing the worker did.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    pub t: f64,
    pub t_end: f64,
    pub kind: ActKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ActKind {
    Click {
        x: f64,
        y: f64,
        button: MouseButton,
        count: u32,
    },
    Drag {
        x: f64,
        y: f64,
        button: MouseButton,
        x_to: f64,
        y_to: f64,
    },
    Scroll {
        x: f64,
        y: f64,
        dx: f64,
        dy: f64,
        notches: u32,
    },
    Type {
        chars: u32,
    },
    Key {
        key: String,
    },
    /// The window's title changed: another page, as a rule.
    Title {
        title: String,
    },
    /// No event tells of it: concluded from what changed on the screen.
    Seen(SeenAct),
}

impl ActKind {
    pub fn title(&self) -> Option<&str> {
        match self {
            Self::Title { title } => Some(title),
            _ => None,
        }
    }
}

impl Act {
    pub fn action(&self) -> Action {
        match self.kind {
            ActKind::Click { .. } => Action::Click,
            ActKind::Drag { .. } => Action::Drag,
            ActKind::Scroll { .. } => Action::Scroll,
            ActKind::Type { .. } => Action::Type,
            ActKind::Key { .. } => Action::Key,
            ActKind::Title { .. } => Action::Navigate,
            ActKind::Seen(seen) => match seen.kind {
                SeenKind::Click => Action::Click,
                SeenKind::Scroll { .. } => Action::Scroll,
                SeenKind::Type { .. } => Action::Type,
                SeenKind::Enter => Action::Key,
            },
        }
    }
}

/// Joins events, in order of time, to acts.
pub fn from_events(events: &[InputEvent]) -> Vec<Act> {
    let mut acts: Vec<Act> = Vec::new();
    for event in events {
        let Some(act) = act_of(event) else { continue };
        if !acts.last_mut().is_some_and(|last| join(last, &act)) {
            acts.push(act);
        }
    }
    acts
}

fn act_of(event: &InputEvent) -> Option<Act> {
    let kind = match event.kind.clone() {
        InputEventKind::Click { x, y, button, x_up: Some(x_to), y_up: Some(y_to), .. } => {
            ActKind::Drag { x, y, button, x_to, y_to }
        }
        InputEventKind::Click { x, y, button, clicks, .. } => ActKind::Click { x, y, button, count: u32::from(clicks) },
        InputEventKind::Scroll { x, y, dx, dy } => {
            let notches = dx.abs().max(dy.abs()).round().max(1.0) as u32;
            ActKind::Scroll { x, y, dx, dy, notches }
        }
        InputEventKind::Type { chars, .. } => ActKind::Type { chars },
        InputEventKind::Key { key } => ActKind::Key { key },
        InputEventKind::Window { title } => ActKind::Title { title },
        _ => return None,
    };
    Some(Act { t: event.t, t_end: event.t_end(), kind })
}

/// Adds `next` to `last` where both are one act.
fn join(last: &mut Act, next: &Act) -> bool {
    match (&mut last.kind, &next.kind) {
        (
            ActKind::Scroll { dx, dy, notches, .. },
            ActKind::Scroll { dx: next_dx, dy: next_dy, notches: next_notches, .. },
        ) => {
            let same_way = *dx * next_dx >= 0.0 && *dy * next_dy >= 0.0;
            if !same_way || next.t - last.t_end > WHEEL_PAUSE_SECS {
                return false;
            }
            *dx += next_dx;
            *dy += next_dy;
            *notches = notches.saturating_add(*next_notches);
        }
        (
            ActKind::Click { x, y, button, count },
            ActKind::Click { x: next_x, y: next_y, button: next_button, count: next_count },
        ) => {
            let same_spot = (*x - next_x).hypot(*y - next_y) <= SAME_SPOT_PX;
            let counts_on = *next_count == *count + 1 && button == next_button;
            if !counts_on || !same_spot || next.t - last.t_end > DOUBLE_CLICK_SECS {
                return false;
            }
            *count = *next_count;
        }
        _ => return false,
    }
    last.t_end = next.t_end;
    true
}

/// The pictures that acts need: for each, in their order, before it and after it has had its effect; then for each
/// what was shown when the pointer was on its way to it and did not cover it yet.
pub fn wants(acts: &[Act], events: &[InputEvent]) -> Vec<Want> {
    let uncovered = acts.iter().enumerate().map(|(index, act)| {
        let since = index.checked_sub(1).map_or(0.0, |before| acts[before].t_end + EFFECT_SHOWS_SECS);
        Want::At { t: on_its_way(act, events, since).unwrap_or(act.t - BEFORE_SECS) }
    });
    let around = acts.iter().enumerate().flat_map(|(index, act)| {
        // A new title follows from the act before it and does not end what that act shows.
        let next = acts[index + 1..].iter().find(|next| !matches!(next.kind, ActKind::Title { .. }));
        let latest = act.t_end + SETTLE_SECS;
        let until = next.map_or(latest, |next| (next.t - BEFORE_SECS).min(latest)).max(act.t_end);
        [Want::At { t: act.t - BEFORE_SECS }, Want::Settled { from: act.t_end, until }]
    });
    around.chain(uncovered).collect()
}

/// The last moment before a click when the pointer was still apart from where it went, but not before `since`.
fn on_its_way(act: &Act, events: &[InputEvent], since: f64) -> Option<f64> {
    let ActKind::Click { x, y, .. } = act.kind else { return None };
    let before = &events[..events.partition_point(|event| event.t < act.t)];
    let apart = before.iter().rev().take_while(|event| event.t >= since).find(|event| match event.kind {
        InputEventKind::Move { x: at_x, y: at_y } => (at_x - x).hypot(at_y - y) >= APART_PX,
        _ => false,
    })?;
    Some(apart.t)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared_types::event::parse_events;

    use super::*;

    /// Acts as `action@t..t_end detail`, one a row.
    fn check(lines: &str, acts: &[&str]) {
        let events = parse_events(&lines.replace("               ", "")).unwrap();
        let found: Vec<String> = from_events(&events)
            .iter()
            .map(|act| {
                let detail = match &act.kind {
                    ActKind::Click { count, .. } => format!("x{count}"),
                    ActKind::Drag { x_to, y_to, .. } => format!("to {x_to},{y_to}"),
                    ActKind::Scroll { dy, notches, .. } => format!("{dy} in {notches}"),
                    ActKind::Type { chars } => format!("{chars}"),
                    ActKind::Key { key } => key.clone(),
                    ActKind::Title { title } => title.clone(),
                    ActKind::Seen(_) => unreachable!("no event makes one"),
                };
                format!("{}@{}..{} {detail}", act.action().as_str(), act.t, act.t_end)
            })
            .collect();
        assert_eq!(found, acts);
    }

    #[test]
    fn events_join_to_what_a_person_did() {
        check(
            r#"{"t":1.0,"kind":"click","x":10,"y":10,"button":"left","clicks":1,"t_up":1.1}
               {"t":1.3,"kind":"click","x":11,"y":10,"button":"left","clicks":2,"t_up":1.35}
               {"t":2.0,"kind":"click","x":10,"y":10,"button":"left","clicks":1,"t_up":2.9,"x_up":90,"y_up":10}
               {"t":4.0,"kind":"move","x":50,"y":50}
               {"t":5.0,"kind":"scroll","x":50,"y":50,"dx":0,"dy":1}
               {"t":5.2,"kind":"scroll","x":50,"y":50,"dx":0,"dy":1}
               {"t":5.5,"kind":"scroll","x":50,"y":50,"dx":0,"dy":-1}
               {"t":7.0,"kind":"scroll","x":50,"y":50,"dx":0,"dy":-1}
               {"t":8.0,"kind":"type","t_end":9.0,"chars":7}
               {"t":9.2,"kind":"key","key":"Enter"}
               {"t":9.4,"kind":"window","title":"Shoes"}"#,
            &[
                "click@1..1.35 x2",
                "drag@2..2.9 to 90,10",
                "scroll@5..5.2 2 in 2",
                "scroll@5.5..5.5 -1 in 1",
                "scroll@7..7 -1 in 1",
                "type@8..9 7",
                "key@9.2..9.2 Enter",
                "navigate@9.4..9.4 Shoes",
            ],
        );
    }

    #[test]
    fn the_picture_after_an_act_is_taken_before_the_next_one() {
        let act = |t: f64, t_end: f64| Act { t, t_end, kind: ActKind::Type { chars: 1 } };
        let wants = wants(&[act(1.0, 2.0), act(2.5, 2.6)], &[]);
        assert_eq!(wants[1], Want::Settled { from: 2.0, until: 2.48 });
        assert_eq!(wants[3], Want::Settled { from: 2.6, until: 2.6 + SETTLE_SECS });
    }

    #[test]
    fn what_a_click_was_aimed_at_is_pictured_before_the_pointer_covers_it() {
        let check = |moves: &[(f64, f64)], expected: f64| {
            let moves = moves.iter().map(|(t, x)| InputEvent { t: *t, kind: InputEventKind::Move { x: *x, y: 100.0 } });
            let (button, count) = (MouseButton::Left, 1);
            let click = |t: f64| Act { t, t_end: t, kind: ActKind::Click { x: 500.0, y: 100.0, button, count } };
            let wants = wants(&[click(1.0), click(5.0)], &moves.collect::<Vec<_>>());
            assert_eq!(wants.len(), 6);
            assert_eq!(wants[5], Want::At { t: expected });
        };
        check(&[(3.0, 100.0), (3.5, 380.0), (4.0, 480.0), (4.5, 500.0)], 3.5);
        check(&[(4.0, 480.0)], 5.0 - BEFORE_SECS);
        check(&[(1.2, 100.0), (2.0, 500.0)], 5.0 - BEFORE_SECS);
    }

    /// Numbers as a hostile log has them.
    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(0.0),
            Just(-1.0),
            Just(1e-300),
            Just(4e9),
            Just(-4e9),
            Just(f64::MAX),
            Just(f64::MIN),
            -50.0..3000.0_f64
        ]
    }

    fn event() -> impl Strategy<Value = InputEvent> {
        let kind = (0..7, number(), number(), number(), number(), any::<u8>(), any::<u32>()).prop_map(
            |(kind, x, y, a, b, clicks, chars)| match kind {
                0 => InputEventKind::Click { x, y, button: MouseButton::Left, clicks, t_up: a, x_up: None, y_up: None },
                1 => {
                    let (x_up, y_up) = (Some(a), Some(b));
                    InputEventKind::Click { x, y, button: MouseButton::Right, clicks, t_up: a, x_up, y_up }
                }
                2 | 3 => InputEventKind::Scroll { x, y, dx: a, dy: b },
                4 => InputEventKind::Type { t_end: a, chars },
                5 => InputEventKind::Key { key: "Enter".to_owned() },
                _ => InputEventKind::Window { title: "A shop".to_owned() },
            },
        );
        (number(), kind).prop_map(|(t, kind)| InputEvent { t, kind })
    }

    proptest! {
        #[test]
        fn no_log_brings_the_acts_down(mut events in proptest::collection::vec(event(), 0..40)) {
            events.sort_by(|a, b| a.t.total_cmp(&b.t));
            let acts = from_events(&events);
            prop_assert!(acts.len() <= events.len());
            wants(&acts, &events);
        }
    }
}

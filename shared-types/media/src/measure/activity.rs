//! What the worker's hand did: idle stretches, timing, jumps of the pointer.

use shared_types::event::{InputEvent, InputEventKind};
use shared_types::quality::measurements::{ActivityMeasures, Span};

/// A shorter wait is reading, not idling.
const IDLE_SECS: f64 = 10.0;
/// Wheel notches closer than this are one turn of the wheel.
const WHEEL_PAUSE_SECS: f64 = 1.0;
const REPEAT_SECS: f64 = 0.010;
const JUMP_PX: f64 = 30.0;
/// After this long without any changed pixel nothing has answered an act.
const ANSWER_SECS: f64 = 2.0;
/// A page may take so long to answer.
const EXPLAINS_SECS: f64 = 5.0;
/// Picture and input are stamped by one clock, a picture's time apart.
const CLOCK_SECS: f64 = 0.2;
/// Acts closer than this are one for a replay: the repeats of a key that is held down are the same in every log.
const ONE_ACT_SECS: f64 = 0.2;
/// A shorter way, or one with fewer positions, has no form.
const SHORTEST_WAY_PX: f64 = 120.0;
const FEWEST_POSITIONS: usize = 4;
/// How far from the straight line the pixels of a straight line lie.
const STRAIGHT_PX: f64 = 1.0;

/// Measures a take by its input events.
pub fn from_events(events: &[InputEvent], secs: f64) -> ActivityMeasures {
    let input: Vec<&InputEvent> = events.iter().filter(|event| event.is_input()).collect();
    // What a log claims to have been done outside of the recording is no activity in it.
    let busy: Vec<Span> = input
        .iter()
        .map(|event| Span::new(event.t.clamp(0.0, secs), event.t_end().clamp(event.t.clamp(0.0, secs), secs)))
        .collect();
    let idle = gaps(&busy, secs);
    let actions = action_times(&input);
    let gaps: Vec<f64> = actions.windows(2).map(|pair| pair[1] - pair[0]).collect();
    ActivityMeasures {
        from_events: true,
        idle_share: share(&idle, secs),
        idle,
        actions: actions.len() as u32,
        gap_variation: variation(&gaps),
        gap_repeat_share: repeat_share(&gaps),
        jump_share: jump_share(&input),
        acted: actions.first().zip(actions.last()).map(|(&first, &last)| Span::new(first, last)),
        ..straightness(&input)
    }
}

/// Measures idling by stretches in which the picture did not change; what was done cannot be told from them.
pub fn from_picture(unchanged: &[Span], secs: f64) -> ActivityMeasures {
    let idle: Vec<Span> = unchanged.iter().copied().filter(|span| span.secs() > IDLE_SECS).collect();
    ActivityMeasures { from_events: false, idle_share: share(&idle, secs), idle, ..ActivityMeasures::default() }
}

/// Stretches of input during which no pixel changed, pictures being unchanged in `unchanged`.
pub fn frozen_under_input(unchanged: &[Span], events: &[InputEvent]) -> Vec<Span> {
    unchanged
        .iter()
        .filter_map(|still| {
            let inside =
                || events.iter().filter(|event| event.is_input() && event.t > still.start && event.t < still.end);
            let first = inside().next()?.t;
            let last = inside().next_back()?.t;
            Some(Span::new(first, last))
        })
        .collect()
}

/// Acts after which the picture stood entirely still, pictures being unchanged in `unchanged`: their share, and when.
pub fn unanswered(unchanged: &[Span], events: &[InputEvent]) -> (Option<f64>, Vec<Span>) {
    let input: Vec<&InputEvent> = events.iter().filter(|event| event.is_input()).collect();
    let times = action_times(&input);
    let answers = |t: f64| !unchanged.iter().any(|still| still.start <= t && t + ANSWER_SECS <= still.end);
    let left: Vec<Span> = times.iter().filter(|&&t| !answers(t)).map(|&t| Span::new(t, t + ANSWER_SECS)).collect();
    let share = (!times.is_empty()).then(|| left.len() as f64 / times.len() as f64);
    (share, left)
}

/// Of the times that much of the picture changed, those before which nothing was done for a while: their share, and when.
pub fn unexplained(page_changes: &[Span], events: &[InputEvent]) -> (Option<f64>, Vec<Span>) {
    use InputEventKind::{Mark, Move, Window};
    // What a pause or a cut leaves out may have changed the page, and so may what was done before the take began.
    let done = events.iter().filter(|event| !matches!(event.kind, Move { .. } | Window { .. } | Mark));
    let done: Vec<Span> = done.map(|event| Span::new(event.t, event.t_end())).collect();
    let is_explained = |change: &Span| {
        let follows = |done: &Span| done.start <= change.start + CLOCK_SECS && change.start - done.end <= EXPLAINS_SECS;
        change.start <= EXPLAINS_SECS || done.iter().any(follows)
    };
    let left: Vec<Span> = page_changes.iter().filter(|change| !is_explained(change)).copied().collect();
    let share = (!page_changes.is_empty()).then(|| left.len() as f64 / page_changes.len() as f64);
    (share, left)
}

/// The acts of a take as a fingerprint: see `Fingerprints::acts`.
pub fn acts_print(events: &[InputEvent]) -> Vec<u32> {
    let (mut print, mut last, mut last_kind, mut since) = (Vec::new(), f64::NEG_INFINITY, None, 0.0_f64);
    for event in events {
        let kind = match event.kind {
            InputEventKind::Click { .. } => 0,
            InputEventKind::Key { .. } => 1,
            InputEventKind::Type { .. } => 2,
            InputEventKind::Scroll { .. } => 3,
            _ => continue,
        };
        let apart = if kind == 3 { WHEEL_PAUSE_SECS } else { ONE_ACT_SECS };
        if last_kind != Some(kind) || event.t - last >= apart {
            let millis = ((event.t - since) * 1000.0).clamp(0.0, f64::from(u32::MAX / 4 - 1)).round() as u32;
            print.push(millis * 4 + kind);
            since = event.t;
        }
        (last, last_kind) = (event.t, Some(kind));
    }
    print
}

/// How many of the pointer's ways are straight lines.
fn straightness(input: &[&InputEvent]) -> ActivityMeasures {
    let (mut ways, mut straight) = (0_u32, 0_u32);
    let mut way: Vec<(f64, f64)> = Vec::new();
    for event in input {
        match event.kind {
            InputEventKind::Move { x, y } => way.push((x, y)),
            InputEventKind::Click { .. } | InputEventKind::Scroll { .. } => {
                if let Some(is_straight) = is_straight(&way) {
                    ways += 1;
                    straight += u32::from(is_straight);
                }
                way.clear();
            }
            _ => {}
        }
    }
    let straight_share = (ways > 0).then(|| f64::from(straight) / f64::from(ways));
    ActivityMeasures { pointer_ways: ways, straight_share, ..ActivityMeasures::default() }
}

/// Whether all positions lie on the line from the first to the last; `None` where that cannot be told. Along a row or a
/// column even a hand may go straight.
fn is_straight(way: &[(f64, f64)]) -> Option<bool> {
    let (&(from_x, from_y), &(to_x, to_y)) = (way.first()?, way.last()?);
    let (across, down) = (to_x - from_x, to_y - from_y);
    let length = across.hypot(down);
    let slanted = across.abs().min(down.abs()) > 4.0;
    if way.len() < FEWEST_POSITIONS || !slanted || !(SHORTEST_WAY_PX..1e6).contains(&length) {
        return None;
    }
    let off = |&(x, y): &(f64, f64)| ((x - from_x) * down - (y - from_y) * across).abs() / length;
    Some(way.iter().all(|position| off(position) <= STRAIGHT_PX))
}

fn gaps(busy: &[Span], secs: f64) -> Vec<Span> {
    let mut idle = Vec::new();
    let mut since = 0.0_f64;
    for span in busy {
        if span.start - since > IDLE_SECS {
            idle.push(Span::new(since, span.start));
        }
        since = since.max(span.end);
    }
    if secs - since > IDLE_SECS {
        idle.push(Span::new(since, secs));
    }
    idle
}

fn share(idle: &[Span], secs: f64) -> f64 {
    let total: f64 = idle.iter().fold(0.0, |sum, span| sum + span.secs());
    if secs > 0.0 { (total / secs).clamp(0.0, 1.0) } else { 0.0 }
}

/// When each action began: clicks, keys, typing runs, and wheel runs.
fn action_times(input: &[&InputEvent]) -> Vec<f64> {
    let mut times = Vec::new();
    let mut last_notch = f64::NEG_INFINITY;
    for event in input {
        match event.kind {
            InputEventKind::Click { .. } | InputEventKind::Key { .. } | InputEventKind::Type { .. } => {
                times.push(event.t);
            }
            InputEventKind::Scroll { .. } => {
                if event.t - last_notch >= WHEEL_PAUSE_SECS {
                    times.push(event.t);
                }
                last_notch = event.t;
            }
            _ => {}
        }
    }
    times
}

/// How much the gaps between these times vary: standard deviation over mean.
pub fn gap_variation(times: &[f64]) -> Option<f64> {
    variation(&times.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<f64>>())
}

/// Standard deviation over mean.
fn variation(gaps: &[f64]) -> Option<f64> {
    let count = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / count;
    if gaps.is_empty() || mean <= 0.0 {
        return None;
    }
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
    Some(variance.sqrt() / mean).filter(|variation| variation.is_finite())
}

/// The largest share of gaps that lie within 10 ms of one of them.
fn repeat_share(gaps: &[f64]) -> Option<f64> {
    let near = |value: f64| gaps.iter().filter(|gap| (*gap - value).abs() <= REPEAT_SECS).count();
    let most = gaps.iter().map(|&gap| near(gap)).max()?;
    // A gap is near itself; one alone repeats nothing.
    Some(if most > 1 { most as f64 / gaps.len() as f64 } else { 0.0 })
}

/// Share of clicks far from where the pointer was last seen before them.
fn jump_share(input: &[&InputEvent]) -> Option<f64> {
    let mut last: Option<(f64, f64)> = None;
    let (mut jumps, mut clicks) = (0_u32, 0_u32);
    for event in input {
        match event.kind {
            InputEventKind::Click { x, y, x_up, y_up, .. } => {
                if let Some((last_x, last_y)) = last {
                    clicks += 1;
                    jumps += u32::from((x - last_x).hypot(y - last_y) > JUMP_PX);
                }
                last = Some((x_up.unwrap_or(x), y_up.unwrap_or(y)));
            }
            InputEventKind::Move { x, y } | InputEventKind::Scroll { x, y, .. } => last = Some((x, y)),
            _ => {}
        }
    }
    (clicks > 0).then(|| f64::from(jumps) / f64::from(clicks))
}

//! What the worker's hand did: idle stretches, timing, jumps of the pointer.

use shared_types::event::{InputEvent, InputEventKind};
use shared_types::quality::measurements::{ActivityMeasures, Span};

/// A shorter wait is reading, not idling.
const IDLE_SECS: f64 = 10.0;
/// Wheel notches closer than this are one turn of the wheel.
const WHEEL_PAUSE_SECS: f64 = 1.0;
const REPEAT_SECS: f64 = 0.010;
const JUMP_PX: f64 = 30.0;

/// Measures a take by its input events.
pub fn from_events(events: &[InputEvent], secs: f64) -> ActivityMeasures {
    let input: Vec<&InputEvent> = events.iter().filter(|event| event.is_input()).collect();
    let busy: Vec<Span> = input.iter().map(|event| Span::new(event.t, event.t_end())).collect();
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
    Some(variance.sqrt() / mean)
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

//! Packs the spans of speech into stretches that a model hears at once.

use super::sound::Sound;

/// Whisper hears thirty seconds; what is left is room for the padding.
pub(super) const MAX_WINDOW_SECS: f64 = 28.0;
/// From this share on a window may end early, at a longer silence than the last one that fits.
const EARLY_END: f64 = 18.0 / 28.0;
const PAD_SECS: f64 = 0.2;

/// Windows in seconds, in order, not overlapping, each span of speech inside one (a span too long is cut where it is
/// quietest), none longer than `most_secs`.
pub(super) fn plan(voiced: &[(f64, f64)], sound: &Sound, most_secs: f64) -> Vec<(f64, f64)> {
    let early_end_secs = most_secs * EARLY_END;
    let spans = cut_long(voiced, sound, most_secs);
    let mut windows: Vec<(f64, f64)> = Vec::new();
    let mut first = 0;
    while first < spans.len() {
        let start = spans[first].0;
        let fitting = (first..spans.len()).take_while(|index| spans[*index].1 - start <= most_secs);
        let last_fitting = fitting.last().unwrap_or(first);
        let last = if last_fitting + 1 == spans.len() {
            last_fitting
        } else {
            let silence_after = |index: usize| spans[index + 1].0 - spans[index].1;
            (first..=last_fitting)
                .filter(|index| *index == last_fitting || spans[*index].1 - start >= early_end_secs)
                .max_by(|a, b| silence_after(*a).total_cmp(&silence_after(*b)))
                .unwrap_or(last_fitting)
        };
        let before = windows.last().map_or(0.0, |window| window.1);
        let after = spans.get(last + 1).map_or(sound.duration(), |next| f64::midpoint(spans[last].1, next.0));
        windows.push(((start - PAD_SECS).max(before), (spans[last].1 + PAD_SECS).min(after)));
        first = last + 1;
    }
    windows
}

fn cut_long(voiced: &[(f64, f64)], sound: &Sound, most_secs: f64) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    for &(start, end) in voiced {
        let mut from = start;
        while end - from > most_secs {
            let cut = sound.quietest(from + most_secs * EARLY_END, from + most_secs).clamp(from + 1.0, end);
            spans.push((from, cut));
            from = cut;
        }
        spans.push((from, end));
    }
    spans
}

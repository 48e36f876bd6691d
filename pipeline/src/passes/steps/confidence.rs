//! How sure each field of a Step is, and where it came from where nobody said so yet.
//!
//! What an input event told is certain. What was read is as sure as its reading, held against what else is known of it:
//! the characters that were counted, the words that lie in the target's box. What a rule concluded has a constant of that
//! rule, chosen by judgement and not calibrated. All of it is told as if the act itself took place as told, which
//! `confidence` is about.

use shared_types::step::{Action, Source, Step, Target};
use shared_types::transcript::Transcript;

use super::acts::{Act, ActKind};
use super::{ADDRESS_FIELD, ActPictures, ReadPicture, words::Sentence};
use crate::models::ocr::TextLine;
use crate::passes::read_screen::address_bar;

/// Below what the rules name right of the labelled Steps of `pipeline/tests/suite/intents.rs`: other shops have other words.
pub const INTENT_BY_RULE: f64 = 0.85;
const CAUSE_BY_RULE: f64 = 0.85;
/// A hosted model fills only what the rules could not tell, and says nothing of how sure it is.
pub const BY_MODEL: f64 = 0.6;
/// Drawings and empty fields, known by where they lie.
const BY_PLACE: f64 = 0.85;
/// Something is there, and nothing says what.
const UNNAMED: f64 = 0.5;
/// A text of which the picture that Steps name shows no line, as when it was read before the pointer covered it.
const ELSEWHERE: f64 = 0.6;
/// Tabs cut their titles short.
const TITLE_OF_TAB: f64 = 0.9;
/// Nobody counted the keys.
const UNCOUNTED: f64 = 0.9;
/// The words are the worker's; that they are about this act is a rule's.
const RATIONALE: f64 = 0.9;
/// How far a target's box may lie beside its letters.
const BESIDE_PX: f64 = 3.0;
const SAME_TEXT: f64 = 0.8;

/// Names the source of what has none yet, and says of every field how sure it is.
pub(super) fn tell(step: &mut Step, act: &Act, seen: &ActPictures, transcript: &Transcript, said: &[&Sentence]) {
    let by_eye = matches!(act.kind, ActKind::Seen(_));
    let told = if by_eye { Source::Vision } else { Source::Event };
    for field in step.fields() {
        step.source.entry(field.to_owned()).or_insert(told);
    }
    let shown = if step.action == Action::Navigate { &seen.after } else { &seen.before };
    let fields: Vec<(String, Source)> = step.source.iter().map(|(field, source)| (field.clone(), *source)).collect();
    for (field, source) in fields {
        let sure = match (field.as_str(), source) {
            (_, Source::Model) => BY_MODEL,
            ("target", Source::Vision) => target(step.target.as_ref(), seen.before.as_deref()),
            ("target", _) => BY_PLACE,
            ("text", _) => typed(step, act, seen.after.as_deref()),
            ("url", _) => url(shown.as_deref()),
            ("title", Source::Vision) => TITLE_OF_TAB * of_text(step.title.as_deref(), shown.as_deref()),
            ("cause", _) => CAUSE_BY_RULE,
            ("rationale", _) => RATIONALE * spoken(transcript, said),
            (_, Source::Event) => 1.0,
            _ => step.confidence,
        };
        step.confidences.insert(field, (sure.clamp(0.0, 1.0) * 100.0).round() / 100.0);
    }
}

fn target(target: Option<&Target>, picture: Option<&ReadPicture>) -> f64 {
    let Some(target) = target else { return 0.0 };
    let (Some(text), Some([left, top, width, height])) = (&target.text, target.bounds) else { return UNNAMED };
    if text == ADDRESS_FIELD {
        return BY_PLACE;
    }
    let inside = |line: &&TextLine| {
        let middle = line.bounds[0] + line.bounds[2] / 2.0;
        (left - BESIDE_PX..=left + width + BESIDE_PX).contains(&middle)
            && (top - BESIDE_PX..=top + height + BESIDE_PX).contains(&line.middle_y())
    };
    let lines: Vec<&TextLine> = picture.into_iter().flat_map(|picture| picture.lines.iter()).filter(inside).collect();
    if lines.is_empty() {
        // An icon has no letters, and is named by where it lies or leads to.
        return if height <= width * 2.0 && target.role.as_deref() == Some("button") { BY_PLACE } else { ELSEWHERE };
    }
    let told: Vec<&TextLine> = lines.into_iter().filter(|line| says(text, &line.text)).collect();
    mean(told.iter().map(|line| line.confidence)).unwrap_or(ELSEWHERE)
}

/// Whether a text holds what a line says, or is a part of it.
fn says(text: &str, line: &str) -> bool {
    text.contains(line) || line.contains(text) || strsim::normalized_levenshtein(text, line) >= SAME_TEXT
}

fn of_text(text: Option<&str>, picture: Option<&ReadPicture>) -> f64 {
    let Some(text) = text.map(|text| text.trim_end_matches('…')) else { return 0.0 };
    let lines = picture.into_iter().flat_map(|picture| picture.lines.iter());
    let best = lines.filter(|line| says(text, &line.text)).map(|line| line.confidence).reduce(f64::max);
    best.unwrap_or(ELSEWHERE)
}

/// As sure as the reading, and as near as the letters come to the keys that were counted.
fn typed(step: &Step, act: &Act, after: Option<&ReadPicture>) -> f64 {
    let read = of_text(step.text.as_deref(), after);
    let length = step.text.as_deref().map_or(0, |text| text.chars().count()) as f64;
    match act.kind {
        ActKind::Type { chars } => read * length.min(f64::from(chars)) / length.max(f64::from(chars)).max(1.0),
        _ => read * UNCOUNTED,
    }
}

fn url(picture: Option<&ReadPicture>) -> f64 {
    let Some(picture) = picture else { return ELSEWHERE };
    let address = address_bar(&picture.rgb, &picture.lines);
    of_text(address.as_ref().map(|address| address.url.as_str()), Some(picture))
}

fn spoken(transcript: &Transcript, said: &[&Sentence]) -> f64 {
    let is_said = |start: f64| said.iter().any(|sentence| sentence.holds(start));
    mean(transcript.words().filter(|word| is_said(word.start)).map(|word| word.p)).unwrap_or(ELSEWHERE)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

//! Private data on the screen and in speech, by rules alone.
//!
//! A hit needs a form that hardly anything else has (an address of an e-mail, a card number in groups of four that
//! passes its check digit) or a label that says what it is ("CVV", "Order #", "Ship to"). Prices, product numbers,
//! ratings and the shop's own contact details are not private. On a screen, a label and its value may be two lines: they
//! are read together, the value right of or below the label. A stretch lasts from the screen that first shows it to the
//! next one that does not.

mod address;
mod code;
mod known;
mod link;
mod screen;
mod section;
mod speech;
mod text;

use serde::{Deserialize, Serialize};
use shared_types::quality::measurements::Span;
use shared_types::step::PixelBox;
use shared_types::transcript::Transcript;

use super::Screen;

pub use known::Known;
pub use screen::{Hit, on_screen};
pub use shared_types::redaction::PiiKind;
pub use speech::find_spoken;
pub use text::find_in_text;

/// Private data in a text, by bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub kind: PiiKind,
    pub start: usize,
    pub end: usize,
}

/// Where to cover it: a box of the picture or a stretch of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Screen(PixelBox),
    /// From the first word's start to the last one's end.
    Words(Span),
}

/// Private data in a recording. The data itself is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pii {
    pub kind: PiiKind,
    pub span: Span,
    pub place: Place,
}

/// Everything private, in order of time, and the values that are private wherever they show up again. `screens` are
/// distinct screens in order, the last of which shows until `end`; `titles` are texts that belong to no screen.
pub fn find(screens: &[Screen<'_>], end: f64, transcript: &Transcript, titles: &[&str]) -> (Vec<Pii>, Known) {
    let mut known = Known::default();
    for (_, lines) in screens {
        known.learn_fields(lines);
        for hit in on_screen(lines, &known) {
            known.learn(hit.kind, &hit.text);
        }
    }
    for text in titles.iter().copied().chain(transcript.segments.iter().map(|segment| segment.text.as_str())) {
        for found in find_in_text(text) {
            known.learn(found.kind, &text[found.start..found.end]);
        }
    }
    let mut all = screen::find_on_screens(screens, end, &known);
    all.extend(find_spoken(transcript, &known));
    all.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
    (all, known)
}

/// Everything private in one text: by form and label, and what is known to be private.
pub fn find_all(text: &str, known: &Known) -> Vec<Found> {
    let mut all = find_in_text(text);
    for found in known.find(text) {
        text::push(&mut all, found.kind, found.start, found.end);
    }
    all.sort_by_key(|found| found.start);
    all
}

#[cfg(test)]
mod tests;

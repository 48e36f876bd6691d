//! Private data on the screen and in speech, by rules alone.
//!
//! A hit needs a form that hardly anything else has (an address of an e-mail, a card number in groups of four that
//! passes its check digit) or a label that says what it is ("CVV", "Order #", "Ship to"). Prices, product numbers,
//! ratings and the shop's own contact details are not private. On a screen, a label and its value may be two lines: they
//! are read together, the value right of or below the label. A stretch lasts from the screen that first shows it to the
//! next one that does not.

mod address;
mod screen;
mod speech;
mod text;

use serde::{Deserialize, Serialize};
use shared_types::quality::measurements::Span;
use shared_types::step::PixelBox;
use shared_types::transcript::Transcript;

use super::Screen;

pub use speech::find_spoken;
pub use text::find_in_text;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PiiKind {
    PaymentCard,
    Cvv,
    Email,
    Phone,
    Address,
    Name,
    OrderNumber,
    TrackingNumber,
}

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

/// Everything private, in order of time. `screens` are distinct screens in order, the last of which shows until `end`.
pub fn find(screens: &[Screen<'_>], end: f64, transcript: &Transcript) -> Vec<Pii> {
    let mut all = screen::find_on_screens(screens, end);
    all.extend(find_spoken(transcript));
    all.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
    all
}

#[cfg(test)]
mod tests;

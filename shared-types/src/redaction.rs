//! A Redaction: what of a recording was covered before anything of it left the pipeline, as written to `redaction.json`.
//!
//! It says where and what kind, never what: the private data itself is in no file that the pipeline writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::quality::measurements::Span;
use crate::step::PixelBox;

/// Version of the form of `redaction.json`.
pub const REDACTION_FORMAT: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
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
    /// A password, a session's token or another key, as addresses carry them.
    Secret,
    /// What a reviewer marked, whatever it was.
    Marked,
}

impl PiiKind {
    pub const ALL: &'static [Self] = &[
        Self::PaymentCard,
        Self::Cvv,
        Self::Email,
        Self::Phone,
        Self::Address,
        Self::Name,
        Self::OrderNumber,
        Self::TrackingNumber,
        Self::Secret,
        Self::Marked,
    ];

    /// What stands in a text where the private data stood.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::PaymentCard => "[payment_card]",
            Self::Cvv => "[cvv]",
            Self::Email => "[email]",
            Self::Phone => "[phone]",
            Self::Address => "[address]",
            Self::Name => "[name]",
            Self::OrderNumber => "[order_number]",
            Self::TrackingNumber => "[tracking_number]",
            Self::Secret => "[secret]",
            Self::Marked => "[redacted]",
        }
    }
}

/// Where a finding came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum RedactionSource {
    /// Read on the screen.
    Screen,
    /// Heard in the sound.
    Speech,
    /// A window's title among the input events.
    Title,
    /// Marked by a reviewer.
    Reviewer,
}

/// `redaction.json`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Redaction {
    pub format: u32,
    /// Boxes that are filled while they show.
    pub pictures: Vec<PictureRedaction>,
    /// Stretches of the sound that are silent.
    pub sounds: Vec<SoundRedaction>,
    /// Texts in which a placeholder stands instead.
    pub texts: Vec<TextRedaction>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PictureRedaction {
    pub kind: PiiKind,
    pub source: RedactionSource,
    /// From the screen that first shows it to the next one that does not.
    pub span: Span,
    #[serde(rename = "box")]
    pub bounds: PixelBox,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SoundRedaction {
    pub kind: PiiKind,
    pub source: RedactionSource,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TextRedaction {
    pub kind: PiiKind,
    pub source: RedactionSource,
    /// When the text showed or was said.
    pub span: Span,
}

/// What of a take is covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum RedactionTrack {
    #[default]
    Both,
    Picture,
    Sound,
}

impl RedactionTrack {
    pub const fn has_picture(self) -> bool {
        matches!(self, Self::Both | Self::Picture)
    }

    pub const fn has_sound(self) -> bool {
        matches!(self, Self::Both | Self::Sound)
    }
}

/// A stretch of a take that somebody wants covered, in seconds of media time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RedactionRange {
    pub start: f64,
    pub end: f64,
    #[serde(default)]
    pub track: RedactionTrack,
    /// Null covers the whole picture.
    #[serde(default, rename = "box")]
    pub bounds: Option<PixelBox>,
}

impl RedactionRange {
    pub const fn span(&self) -> Span {
        Span { start: self.start, end: self.end }
    }

    /// Why this is no range, in a sentence.
    pub fn objection(&self) -> Option<&'static str> {
        if !(self.start.is_finite() && self.end.is_finite() && self.start >= 0.0 && self.end > self.start) {
            return Some("A range begins at 0 or later and ends after it begins.");
        }
        let is_box = |[x, y, width, height]: PixelBox| {
            [x, y, width, height].iter().all(|number| number.is_finite() && *number >= 0.0)
                && width > 0.0
                && height > 0.0
        };
        if self.bounds.is_some_and(|bounds| !is_box(bounds)) {
            return Some("A box is [x, y, width, height] in pixels of the recorded picture.");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{RedactionRange, RedactionTrack};

    #[test]
    fn what_is_no_range_is_refused() {
        let range = |start, end| RedactionRange { start, end, track: RedactionTrack::Both, bounds: None };
        assert_eq!(range(0.0, 2.5).objection(), None);
        for wrong in
            [range(2.0, 2.0), range(3.0, 1.0), range(-1.0, 1.0), range(0.0, f64::INFINITY), range(f64::NAN, 1.0)]
        {
            assert!(wrong.objection().is_some(), "{wrong:?}");
        }
        for bounds in [[0.0, 0.0, 0.0, 5.0], [-1.0, 0.0, 5.0, 5.0], [0.0, 0.0, f64::NAN, 5.0]] {
            assert!(RedactionRange { bounds: Some(bounds), ..range(0.0, 1.0) }.objection().is_some(), "{bounds:?}");
        }
    }
}

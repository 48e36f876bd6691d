//! Private data is covered before anything of a recording leaves the pipeline: in texts, in pictures, in sound.
//!
//! [`super::pii`] finds it; here the findings become a [`Redaction`], the plan that is written to `redaction.json`, and
//! are taken out: a placeholder stands in texts ([`text`], [`words`]), a filled box in pictures ([`picture`]), silence
//! in the sound. Between two pictures that were read, a box stays as long as its pixels do ([`cover`]).
//!
//! Everything after this pass works on what it leaves: Steps, judgement, examples, report, and whatever is sent to a
//! hosted model. Code that sends something away takes it as [`Redacted`], which only this pass can make.

pub mod child;
pub mod cover;
mod picture;
pub mod recording;
pub mod text;
mod words;

use shared_types::quality::measurements::Span;
use shared_types::redaction::{
    PictureRedaction, REDACTION_FORMAT, Redaction, RedactionSource, SoundRedaction, TextRedaction,
};
use shared_types::step::PixelBox;
use shared_types::transcript::{Segment, Transcript, Word};

use self::cover::{Cover, Patches};
use super::Screen;
use super::pii::{self, Hit, Known, Pii, Place};
use crate::models::ocr::TextLine;

pub use picture::fill;
pub use text::redact_text;
pub use words::redact_transcript;

pub const NAME: &str = "redact";
pub const VERSION: u32 = 3;

/// Words are covered with some sound before and after them: their times are not exact.
const SOUND_MARGIN_SECS: f64 = 0.3;
/// What a box is grown by on all sides, in its height and at least in pixels: letters reach out of their line's box.
const BOX_MARGIN: f64 = 0.12;
const LEAST_BOX_MARGIN: f64 = 2.0;

/// Data from which everything private that was found has been taken out. Only this pass makes it, so that a function
/// that takes it cannot be given anything else.
#[derive(Debug, Clone, PartialEq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    pub fn get(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

/// What of one recording is private, and the means to take it out.
#[derive(Debug, Default)]
pub struct Redactor {
    found: Vec<Pii>,
    known: Known,
}

impl Redactor {
    /// Looks through everything that was read, heard or told. `end` is where the recording ends.
    pub fn new(screens: &[Screen<'_>], end: f64, transcript: &Transcript, titles: &[&str]) -> Self {
        let (found, known) = pii::find(screens, end, transcript, titles);
        Self { found, known }
    }

    /// Takes over what another one found in speech, for other words of the same sound.
    pub fn add_spoken(&mut self, other: Self) {
        self.add_said(other.found);
        self.known.add(other.known);
    }

    /// Looks through words that the transcript leaves out, between those that it has: they are to be heard all the same.
    pub fn add_left_out(&mut self, transcript: &Transcript, left_out: &[Word]) {
        let (Some(first), Some(last)) = (left_out.first(), left_out.last()) else { return };
        let (start, end) = (first.start, last.end);
        let mut words: Vec<Word> = transcript.words().chain(left_out).cloned().collect();
        words.sort_by(|a, b| a.start.total_cmp(&b.start));
        let all = Transcript { language: None, segments: vec![Segment { start, end, text: String::new(), words }] };
        self.add_said(pii::find_spoken(&all, &self.known));
    }

    /// Adds what lies in speech. Of two stretches of one kind that lie in each other the longer one stays.
    fn add_said(&mut self, others: Vec<Pii>) {
        let covers = |outer: &Pii, inner: &Pii| match (outer.place, inner.place) {
            (Place::Words(outer_span), Place::Words(span)) => {
                outer.kind == inner.kind && outer_span.start <= span.start && span.end <= outer_span.end
            }
            _ => false,
        };
        for found in others {
            if matches!(found.place, Place::Words(_)) && !self.found.iter().any(|known| covers(known, &found)) {
                self.found.retain(|known| !covers(&found, known));
                self.found.push(found);
            }
        }
        self.found.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
    }

    /// Boxes of the screen that are private at some time of a span.
    pub fn boxes_during(&self, span: Span) -> Vec<PixelBox> {
        let during = self.found.iter().filter(|found| found.span.start <= span.end && found.span.end >= span.start);
        during
            .filter_map(|found| match found.place {
                Place::Screen(bounds) => Some(grown(bounds)),
                Place::Words(_) => None,
            })
            .collect()
    }

    /// When anything private was to be seen or heard.
    pub fn spans(&self) -> Vec<Span> {
        self.found.iter().map(|found| found.span).collect()
    }

    /// Any text of the recording without what is private in it.
    pub fn text(&self, text: &str) -> Redacted<String> {
        Redacted(redact_text(text, &self.known))
    }

    pub fn transcript(&self, transcript: &Transcript) -> Redacted<Transcript> {
        let mut redacted = redact_transcript(transcript, &self.spoken());
        for segment in redacted.segments.iter_mut().filter(|segment| segment.words.is_empty()) {
            segment.text = redact_text(&segment.text, &self.known);
        }
        Redacted(redacted)
    }

    /// The lines of one screen with placeholders, and the boxes to fill on its picture.
    pub fn screen(&self, lines: &[TextLine]) -> (Redacted<Vec<TextLine>>, Vec<Hit>) {
        let hits = pii::on_screen(lines, &self.known);
        (Redacted(text::redact_lines(lines, &hits)), hits)
    }

    /// Stretches of the sound to be silent.
    pub fn muted(&self) -> Vec<Span> {
        let spoken = self.spoken();
        spoken
            .iter()
            .map(|(_, span)| Span::new((span.start - SOUND_MARGIN_SECS).max(0.0), span.end + SOUND_MARGIN_SECS))
            .collect()
    }

    fn spoken(&self) -> Vec<(pii::PiiKind, Span)> {
        self.found
            .iter()
            .filter_map(|found| match found.place {
                Place::Words(span) => Some((found.kind, span)),
                Place::Screen(_) => None,
            })
            .collect()
    }

    /// The plan as others may read it. `titles` are the windows' titles with their times.
    pub fn plan(&self, titles: &[(f64, &str)]) -> Redaction {
        let mut plan = Redaction { format: REDACTION_FORMAT, ..Redaction::default() };
        for found in &self.found {
            let (kind, span) = (found.kind, found.span);
            let source = match found.place {
                Place::Screen(bounds) => {
                    let bounds = grown(bounds);
                    plan.pictures.push(PictureRedaction { kind, source: RedactionSource::Screen, span, bounds });
                    RedactionSource::Screen
                }
                Place::Words(span) => {
                    plan.sounds.push(SoundRedaction { kind, source: RedactionSource::Speech, span });
                    RedactionSource::Speech
                }
            };
            plan.texts.push(TextRedaction { kind, source, span });
        }
        for (index, (t, title)) in titles.iter().enumerate() {
            let until = titles.get(index + 1).map_or(*t, |(next, _)| *next);
            for found in pii::find_all(title, &self.known) {
                let span = Span::new(*t, until);
                plan.texts.push(TextRedaction { kind: found.kind, source: RedactionSource::Title, span });
            }
        }
        plan.texts.sort_by(|a, b| a.span.start.total_cmp(&b.span.start));
        plan
    }

    /// What a copy of the recording must not show or play: each patch of a picture wherever its pixels show again.
    pub fn cover(&self, patches: Patches) -> Cover {
        patches.into_cover(self.muted())
    }
}

/// A box with a margin around it.
pub fn grown([x, y, width, height]: PixelBox) -> PixelBox {
    let margin = (height * BOX_MARGIN).max(LEAST_BOX_MARGIN);
    let (left, top) = ((x - margin).max(0.0), (y - margin).max(0.0));
    [left, top, x + width + margin - left, y + height + margin - top]
}

#[cfg(test)]
mod tests;

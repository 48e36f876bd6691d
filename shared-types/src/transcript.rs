//! What was said: the words of a recording with their times, as written to `transcript.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The spoken words of one recording. Times are seconds on the recording's clock (zero at the first video frame).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Transcript {
    /// ISO 639-1 code of the language heard; null where nothing was said.
    pub language: Option<String>,
    pub segments: Vec<Segment>,
}

/// A run of speech, about a sentence long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Segment {
    pub start: f64,
    pub end: f64,
    pub text: String,
    pub words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Word {
    /// The word as written, with its punctuation.
    pub w: String,
    pub start: f64,
    pub end: f64,
    /// Probability the model gave to the word, 0 to 1.
    pub p: f64,
}

impl Transcript {
    pub fn words(&self) -> impl Iterator<Item = &Word> {
        self.segments.iter().flat_map(|segment| &segment.words)
    }

    /// Mean probability of the words, weighted equally; `None` when nothing was said.
    pub fn mean_word_probability(&self) -> Option<f64> {
        let (sum, count) = self.words().fold((0.0, 0_u32), |(sum, count), word| (sum + word.p, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// All the text, segments joined by a space.
    pub fn text(&self) -> String {
        self.segments.iter().map(|segment| segment.text.trim()).collect::<Vec<_>>().join(" ")
    }
}

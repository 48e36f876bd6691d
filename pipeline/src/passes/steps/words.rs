//! Words spoken around an act.

use shared_types::step::Utterance;
use shared_types::transcript::{Transcript, Word};

/// People say what they do before they do it, and comment on it briefly afterwards.
const BEFORE_SECS: f64 = 3.0;
const AFTER_SECS: f64 = 1.0;
/// A reason may be given a whole sentence earlier.
const REASON_BEFORE_SECS: f64 = 5.0;
const REASON_SENTENCES: usize = 2;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sentence {
    start: f64,
    end: f64,
    text: String,
}

impl Sentence {
    /// Whether a word that starts then is one of it.
    pub(super) fn holds(&self, start: f64) -> bool {
        (self.start..=self.end).contains(&start)
    }
}

/// Cuts the transcript at full stops, question marks and the ends of segments.
pub(super) fn sentences(transcript: &Transcript) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for segment in &transcript.segments {
        let mut open: Vec<&Word> = Vec::new();
        for word in &segment.words {
            open.push(word);
            if word.w.ends_with(['.', '?', '!', '…']) {
                sentences.extend(joined(&std::mem::take(&mut open)));
            }
        }
        sentences.extend(joined(&open));
    }
    sentences
}

fn joined(words: &[&Word]) -> Option<Sentence> {
    let (first, last) = (words.first()?, words.last()?);
    let text = words.iter().map(|word| word.w.trim()).collect::<Vec<_>>().join(" ");
    Some(Sentence { start: first.start, end: last.end, text })
}

/// The words from three seconds before an act to one second after it, by segment.
pub(super) fn around(transcript: &Transcript, t: f64, t_end: f64) -> Vec<Utterance> {
    let (from, to) = (t - BEFORE_SECS, t_end + AFTER_SECS);
    transcript
        .segments
        .iter()
        .filter_map(|segment| {
            let words: Vec<&Word> = segment.words.iter().filter(|word| word.end > from && word.start < to).collect();
            let Sentence { start, end, text } = joined(&words)?;
            Some(Utterance { start, end, text })
        })
        .collect()
}

/// The sentences that were being said, or had just been said, when the act was done.
pub(super) fn reasons(sentences: &[Sentence], t: f64, t_end: f64) -> Vec<&Sentence> {
    let near: Vec<&Sentence> =
        sentences.iter().filter(|said| said.end > t - REASON_BEFORE_SECS && said.start < t_end + AFTER_SECS).collect();
    near[near.len().saturating_sub(REASON_SENTENCES)..].to_vec()
}

/// What they say, in one.
pub(super) fn rationale(reasons: &[&Sentence]) -> Option<String> {
    (!reasons.is_empty()).then(|| reasons.iter().map(|said| said.text.as_str()).collect::<Vec<_>>().join(" "))
}

//! Placeholders in what was said, by the words' times.

use shared_types::quality::measurements::Span;
use shared_types::redaction::PiiKind;
use shared_types::transcript::{Segment, Transcript, Word};

/// The transcript with one word, the placeholder, for each run of words that lies in one of the spans.
pub fn redact_transcript(transcript: &Transcript, spoken: &[(PiiKind, Span)]) -> Transcript {
    let segments = transcript.segments.iter().map(|segment| redact_segment(segment, spoken)).collect();
    Transcript { language: transcript.language.clone(), segments }
}

fn redact_segment(segment: &Segment, spoken: &[(PiiKind, Span)]) -> Segment {
    let hit = |word: &Word| {
        let inside = |span: &Span| word.start < span.end && word.end > span.start;
        spoken.iter().position(|(_, span)| inside(span))
    };
    if segment.words.iter().all(|word| hit(word).is_none()) {
        return segment.clone();
    }
    let mut words: Vec<Word> = Vec::new();
    let mut open = None;
    for word in &segment.words {
        let found = hit(word);
        match (found, words.last_mut()) {
            (None, _) => words.push(word.clone()),
            (Some(_), Some(last)) if found == open => {
                last.end = word.end;
                last.p = last.p.min(word.p);
            }
            (Some(index), _) => {
                words.push(Word { w: spoken[index].0.placeholder().to_owned(), ..word.clone() });
            }
        }
        open = found;
    }
    let text = words.iter().map(|word| word.w.trim()).collect::<Vec<_>>().join(" ");
    Segment { start: segment.start, end: segment.end, text, words }
}

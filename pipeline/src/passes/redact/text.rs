//! Placeholders in texts.

use crate::models::ocr::TextLine;
use crate::passes::pii::{Hit, Known, PiiKind, find_all};

/// A text with a placeholder for everything private in it.
pub fn redact_text(text: &str, known: &Known) -> String {
    let found: Vec<(PiiKind, usize, usize)> =
        find_all(text, known).iter().map(|found| (found.kind, found.start, found.end)).collect();
    replaced(text, &found)
}

/// Replaces stretches, in bytes; where two overlap they are one.
fn replaced(text: &str, stretches: &[(PiiKind, usize, usize)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (kind, start, end) in merged(stretches) {
        out.push_str(&text[at..start]);
        out.push_str(kind.placeholder());
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

fn merged(stretches: &[(PiiKind, usize, usize)]) -> Vec<(PiiKind, usize, usize)> {
    let mut sorted = stretches.to_vec();
    sorted.sort_by_key(|&(kind, start, end)| (start, std::cmp::Reverse(end), kind));
    let mut merged: Vec<(PiiKind, usize, usize)> = Vec::new();
    for (kind, start, end) in sorted {
        match merged.last_mut() {
            Some(last) if start < last.2 => last.2 = last.2.max(end),
            _ => merged.push((kind, start, end)),
        }
    }
    merged
}

/// The lines of a screen with placeholders. A placeholder's characters are spread over the place of what it replaces.
pub(super) fn redact_lines(lines: &[TextLine], hits: &[Hit]) -> Vec<TextLine> {
    let mut redacted = lines.to_vec();
    for (index, line) in redacted.iter_mut().enumerate() {
        let own: Vec<(PiiKind, usize, usize)> =
            hits.iter().filter(|hit| hit.line == index).map(|hit| (hit.kind, hit.start, hit.end)).collect();
        if !own.is_empty() {
            *line = with_placeholders(line, &merged(&own));
        }
    }
    redacted
}

fn with_placeholders(line: &TextLine, stretches: &[(PiiKind, usize, usize)]) -> TextLine {
    let mut char_x = Vec::new();
    let mut at = 0;
    let chars_before = |byte: usize| line.text[..byte].chars().count();
    let middle = |index: usize| line.char_x.get(index).copied().unwrap_or(line.bounds[0] + line.bounds[2]);
    for &(kind, start, end) in stretches {
        char_x.extend((chars_before(at)..chars_before(start)).map(middle));
        let (first, last) = (middle(chars_before(start)), middle(chars_before(end).max(1) - 1));
        let count = kind.placeholder().chars().count();
        let step = (last - first) / (count.max(2) - 1) as f64;
        char_x.extend((0..count).map(|index| first + index as f64 * step));
        at = end;
    }
    char_x.extend((chars_before(at)..line.text.chars().count()).map(middle));
    TextLine { text: replaced(&line.text, stretches), bounds: line.bounds, confidence: line.confidence, char_x }
}

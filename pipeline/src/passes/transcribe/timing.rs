//! Moves the times of words from where the model's attention was to where the sound is.

use super::sound::Sound;
use crate::models::whisper::HeardWord;

/// A word begins where the sound is within this of the word's loudest.
const ONSET_DROP_DB: f32 = 25.0;
/// How far past the end of the attention the word's sound is looked for.
const ONSET_REACH_SECS: f64 = 0.1;
const SHORTEST_WORD_SECS: f64 = 0.03;

pub(super) fn settle(words: &mut [HeardWord], voiced: &[(f64, f64)], sound: &Sound) {
    for word in words.iter_mut() {
        let onset = sound.onset(word.start, word.end + ONSET_REACH_SECS, ONSET_DROP_DB);
        word.start = onset.unwrap_or(word.start);
        word.end = word.end.max(word.start + SHORTEST_WORD_SECS);
        put_into_speech(word, voiced);
    }
    let mut earliest = 0.0_f64;
    for word in words.iter_mut() {
        word.start = word.start.max(earliest);
        word.end = word.end.max(word.start + SHORTEST_WORD_SECS);
        earliest = word.start;
    }
    for index in 1..words.len() {
        let next = words[index].start;
        let word = &mut words[index - 1];
        word.end = word.end.min(next.max(word.start + SHORTEST_WORD_SECS));
    }
}

/// A word lies in the span it overlaps most, or the nearest; what sticks out is cut off.
fn put_into_speech(word: &mut HeardWord, voiced: &[(f64, f64)]) {
    let overlap = |span: &(f64, f64)| word.end.min(span.1) - word.start.max(span.0);
    let Some(&(start, end)) = voiced.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b))) else { return };
    word.start = word.start.clamp(start, (end - SHORTEST_WORD_SECS).max(start));
    word.end = word.end.clamp(word.start + SHORTEST_WORD_SECS, end.max(word.start + SHORTEST_WORD_SECS));
}

//! The words of a hosted model, in the place of the local one's.
//!
//! Private data in speech is only known once somebody has heard it, so the local model hears first: what it finds
//! private is made silent before the sound is sent. (What it misheard is sent: whoever cannot accept that leaves the
//! hosted model out.) The rest is as for local words: words away from all speech are dropped, and where somebody speaks
//! and the hosted model wrote nothing, the local words stay.

use std::io;
use std::ops::Range;

use shared_types::quality::measurements::Span;
use shared_types::transcript::Transcript;

use super::guard::{Judged, Probabilities};
use super::{Hearing, guard, plain, segments, sound, timing, windows};
use crate::models::whisper::{HeardWord, SAMPLE_RATE};
use crate::passes::pii::{Known, find_in_text, find_spoken};
use crate::passes::voice::Voice;
use crate::providers::ModelFailure;
use crate::providers::meter::Meter;
use crate::providers::speech::{Speech, Spoken};

/// What words count where neither the server nor the local model says how sure they are.
const UNKNOWN_P: f64 = 0.5;

/// What was heard locally, and what of it must not be sent.
#[derive(Clone, Copy)]
pub struct Heard<'a> {
    pub transcript: &'a Transcript,
    /// Stretches that the redaction makes silent.
    pub muted: &'a [Span],
}

/// Transcribes by a hosted model, in pieces of at most `most_secs` that are cut in silence.
pub fn transcribe_hosted<V: Voice + ?Sized>(
    speech: &mut Speech<'_>,
    voice: &V,
    voiced: &[(f64, f64)],
    heard: Heard<'_>,
    most_secs: f64,
    meter: &mut Meter,
) -> Result<Hearing, ModelFailure> {
    let sound = sound::Sound::new(voice)?;
    let usual_p = heard.transcript.mean_word_probability().unwrap_or(UNKNOWN_P);
    let mut judged = Judged::default();
    let mut language = None;
    for (start, end) in windows::plan(voiced, &sound, most_secs) {
        let at = |secs: f64| ((secs * f64::from(SAMPLE_RATE)) as usize).min(voice.samples());
        let inside: Vec<(f64, f64)> = voiced
            .iter()
            .map(|span| ((span.0.max(start) - start), (span.1.min(end) - start)))
            .filter(|span| span.1 > span.0)
            .collect();
        let may_stay = |spoken: &Spoken| is_open(spoken, &inside);
        let muted = muted(voice, at(start)..at(end), heard.muted)?;
        let spoken = speech.hear(&muted, meter, may_stay)?;
        let found = timed(&spoken, &inside, usual_p).into_iter();
        let found = found.map(|word| HeardWord { start: word.start + start, end: word.end + start, ..word }).collect();
        judged.append(guard::judge(found, voiced, probabilities(&spoken)));
        language = language.or(spoken.language.as_deref().and_then(code));
    }
    for words in judged.lists() {
        timing::settle(words, voiced, &sound);
    }
    let Judged { mut words, guessed, repeated } = judged;
    let local: Vec<HeardWord> = heard
        .transcript
        .words()
        .map(|word| HeardWord { text: word.w.clone(), start: word.start, end: word.end, p: word.p, no_speech: 0.0 })
        .collect();
    let mut unheard = Vec::new();
    for stretch in guard::passed_over(&words, voiced) {
        if !guard::fill(&mut words, local.clone(), stretch) {
            unheard.push(stretch);
        }
    }
    let mut transcript = Transcript::default();
    if !words.is_empty() {
        transcript.language = language.or_else(|| heard.transcript.language.clone());
    }
    transcript.segments = segments(words);
    let (guessed, repeated) = (plain(guessed), plain(repeated));
    Ok(Hearing { transcript, guessed, repeated, detected: None, foreign: Vec::new(), unheard })
}

/// Whether a server says of its words how sure it is: of none of them otherwise.
fn probabilities(spoken: &Spoken) -> Probabilities {
    let is_told = spoken.segments.iter().all(|segment| segment.avg_logprob.is_some());
    if is_told && !spoken.segments.is_empty() { Probabilities::Measured } else { Probabilities::Unknown }
}

/// Whether an answer may lie among those of earlier runs: what the local model misheard, it may say.
fn is_open(spoken: &Spoken, voiced: &[(f64, f64)]) -> bool {
    let transcript = Transcript { language: None, segments: segments(timed(spoken, voiced, 1.0)) };
    find_in_text(&spoken.text).is_empty() && find_spoken(&transcript, &Known::default()).is_empty()
}

/// A stretch of the voice in which what is private is silent.
fn muted<V: Voice + ?Sized>(voice: &V, samples: Range<usize>, private: &[Span]) -> io::Result<Vec<f32>> {
    let mut muted = voice.stretch(samples.clone())?.into_owned();
    let at = |secs: f64| ((secs.max(0.0) * f64::from(SAMPLE_RATE)) as usize).clamp(samples.start, samples.end);
    for span in private {
        let (from, to) = (at(span.start) - samples.start, at(span.end) - samples.start);
        muted[from..to.max(from)].fill(0.0);
    }
    Ok(muted)
}

/// The words with their times: the server's, or shared out over its sentences, or over the spans of speech.
fn timed(spoken: &Spoken, voiced: &[(f64, f64)], usual_p: f64) -> Vec<HeardWord> {
    let heard = |text: &str, start: f64, end: f64| {
        let middle = f64::midpoint(start, end);
        let segment = spoken.segments.iter().find(|segment| segment.start <= middle && middle <= segment.end);
        let p = segment.and_then(|segment| segment.avg_logprob).map_or(usual_p, |log| log.exp().clamp(0.0, 1.0));
        let no_speech = segment.and_then(|segment| segment.no_speech_prob).unwrap_or_default();
        HeardWord { text: text.to_owned(), start, end: end.max(start), p, no_speech }
    };
    if !spoken.words.is_empty() {
        // Words with times come bare; the text has their punctuation, where both count alike.
        let written: Vec<&str> = spoken.text.split_whitespace().collect();
        let counts_alike = written.len() == spoken.words.len();
        let text = |index: usize| if counts_alike { written[index] } else { spoken.words[index].word.trim() };
        let words = spoken.words.iter().enumerate();
        return words.map(|(index, word)| heard(text(index), word.start, word.end)).collect();
    }
    if !spoken.segments.is_empty() {
        let of = spoken.segments.iter().flat_map(|segment| {
            shared_out(&segment.text, &[(segment.start, segment.end)])
                .into_iter()
                .map(|(text, start, end)| heard(&text, start, end))
        });
        return of.collect();
    }
    shared_out(&spoken.text, voiced).into_iter().map(|(text, start, end)| heard(&text, start, end)).collect()
}

/// Words one after the other over the spans, each as long as its letters ask for.
fn shared_out(text: &str, spans: &[(f64, f64)]) -> Vec<(String, f64, f64)> {
    let total: f64 = spans.iter().map(|span| span.1 - span.0).sum();
    let letters = |word: &str| word.chars().count() as f64 + 1.0;
    let all: f64 = text.split_whitespace().map(letters).sum();
    let place = |share: f64| {
        let mut left = share * total;
        for (start, end) in spans {
            if left <= end - start {
                return start + left;
            }
            left -= end - start;
        }
        spans.last().map_or(0.0, |span| span.1)
    };
    let mut before = 0.0;
    let timed = text.split_whitespace().map(|word| {
        let from = before;
        before += letters(word);
        (word.to_owned(), place(from / all), place(before / all))
    });
    timed.collect()
}

/// The code of a language that is told by code or by its English name.
fn code(told: &str) -> Option<String> {
    let told = told.trim().to_lowercase();
    // The engine is C: it cannot be asked about a NUL.
    if !told.chars().all(|c| c.is_alphanumeric() || c == ' ') {
        return None;
    }
    let id = whisper_rs::get_lang_id(&told)?;
    whisper_rs::get_lang_str(id).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_codes_however_they_are_told() {
        for (told, wanted) in
            [("english", Some("en")), ("Spanish", Some("es")), ("de", Some("de")), ("klingon", None), ("e\0n", None)]
        {
            assert_eq!(code(told).as_deref(), wanted);
        }
    }

    #[test]
    fn words_without_times_are_shared_out_over_speech() {
        let words = shared_out("a bb a bb", &[(0.0, 1.0), (3.0, 4.0)]);
        let starts: Vec<i64> = words.iter().map(|(_, start, _)| (start * 10.0).round() as i64).collect();
        assert_eq!(starts, [0, 4, 10, 34]);
        assert!(shared_out("", &[]).is_empty() && shared_out("a", &[]).len() == 1);
    }
}

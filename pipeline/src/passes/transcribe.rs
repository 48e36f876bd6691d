//! What was said: from samples and the spans in which somebody speaks to a transcript with word times.
//!
//! 1. The spans are packed into windows of up to 28 s, cut in silence, because Whisper hears thirty seconds at the same cost
//!    as one. Windows are stretches of the real sound, never splices, so that times stay true.
//! 2. Each window is decoded. The prompt is text as a shopper speaks it, with amounts in words, which makes the model write
//!    "eighty nine ninety five" where it would guess at digits, and the words read from the screen.
//! 3. The decoder may skip a stretch without a word. Where somebody speaks and hardly a word was found, that stretch
//!    alone is decoded again, without the prompt and then with some chance; the better hearing is kept.
//! 4. It may also invent text in silence, music and babble, or go round in circles: words away from all speech, faster than
//!    anybody speaks or hardly believed are dropped, repetitions cut. What was hardly believed counts for how clearly
//!    somebody speaks, and is looked through for private data, as repetitions are.
//! 5. A window that is surely in another language than the policy's is decoded in that one, and told.
//! 6. Word times are moved to the onset of the sound and into the spans.

mod guard;
pub mod hosted;
mod sound;
mod timing;
mod tongue;
mod windows;

use std::borrow::Cow;
use std::io;

use shared_types::quality::measurements::Span;
use shared_types::transcript::{Segment, Transcript, Word};

use self::guard::{Judged, Probabilities};
use self::tongue::{SURE_OF_LANGUAGE, Tongue};
use crate::models::whisper::{Decoding, HeardWord, Language, SAMPLE_RATE, Whisper, WhisperFailure};
use crate::passes::voice::Voice;

pub const NAME: &str = "transcribe";
pub const VERSION: u32 = 6;

/// Words of the trade, and speech in the manner of the takes. The speech is the end, which weighs most: what the screen
/// shows is written in figures, and after figures the model writes (and guesses at) figures.
const SHOPPING_WORDS: &str = "size, colour, price, filter, sort, rating, shipping, in stock, cart, checkout, compare";
const SHOPPING_SPEECH: &str =
    "It costs nineteen ninety nine, under thirty dollars. I'll tick that, then add it to the cart.";
/// Sound around a stretch that is decoded again: enough for its first and last consonant.
const STRETCH_PAD_SECS: f64 = 0.3;
/// Whisper finds nothing in less than this; shorter stretches are given more of what lies around them.
const MIN_STRETCH_SECS: f64 = 1.2;
const SECOND_TEMPERATURE: f32 = 0.4;
/// Words that are believed less than this may be in another language than they were taken for.
const DOUBTED_WINDOW: f64 = 0.6;
/// Words that are believed so much more in one language are of that one, whatever the model thinks of the sound.
const MUCH_SURER: f64 = 0.15;
/// Of fewer words it cannot be told whether somebody speaks clearly.
const FEWEST_WORDS: usize = 5;
const PAUSE_BETWEEN_SEGMENTS_SECS: f64 = 1.0;
const LONGEST_SEGMENT_SECS: f64 = 20.0;

/// What hears: Whisper, or a script in tests.
pub trait Ear {
    /// Words in `samples`, timed from its first sample.
    fn hear(&mut self, samples: &[f32], decoding: Decoding<'_>) -> Result<Vec<HeardWord>, WhisperFailure>;
    /// Probability of each language in what was heard last, or in its end; empty if there is only one.
    fn languages(&mut self) -> Result<Vec<(String, f64)>, WhisperFailure>;
    /// The same of all of `samples`, at the cost of hearing them once more.
    fn languages_in(&mut self, samples: &[f32]) -> Result<Vec<(String, f64)>, WhisperFailure>;
}

impl Ear for Whisper {
    fn hear(&mut self, samples: &[f32], decoding: Decoding<'_>) -> Result<Vec<HeardWord>, WhisperFailure> {
        self.decode(samples, decoding)
    }

    fn languages(&mut self) -> Result<Vec<(String, f64)>, WhisperFailure> {
        self.languages_of_last()
    }

    fn languages_in(&mut self, samples: &[f32]) -> Result<Vec<(String, f64)>, WhisperFailure> {
        self.languages_of(samples)
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The policy's language, ISO 639-1.
    pub language: &'a str,
    /// Words likely to be said: product names and headings read from the screen, the likeliest last.
    pub screen_words: &'a str,
}

#[derive(Debug, Clone, Default)]
pub struct Hearing {
    pub transcript: Transcript,
    /// Words that are not in the transcript because the model itself hardly believes them.
    pub guessed: Vec<Word>,
    /// Words that are not in the transcript because it has them once already.
    pub repeated: Vec<Word>,
    /// The language over all windows; `None` where nothing was said or the model knows only one.
    pub detected: Option<Language>,
    /// Speech that is surely in another language than the policy's, in seconds; told by windows of up to 28 s.
    pub foreign: Vec<(f64, f64)>,
    /// Stretches of speech in which no words were found even at the second try, in seconds.
    pub unheard: Vec<(f64, f64)>,
}

impl Hearing {
    /// How sure the model is of its words on average, those among them that it hardly believes; `None` of a few words.
    pub fn word_probability(&self) -> Option<f64> {
        let words: Vec<f64> = self.transcript.words().chain(&self.guessed).map(|word| word.p).collect();
        (words.len() >= FEWEST_WORDS).then(|| words.iter().sum::<f64>() / words.len() as f64)
    }

    /// What may have been said and is not in the transcript, in order.
    pub fn left_out(&self) -> Vec<Word> {
        let mut words: Vec<Word> = self.guessed.iter().chain(&self.repeated).cloned().collect();
        words.sort_by(|a, b| a.start.total_cmp(&b.start));
        words
    }

    pub fn unheard_spans(&self) -> Vec<Span> {
        spans(&self.unheard)
    }

    pub fn foreign_spans(&self) -> Vec<Span> {
        spans(&self.foreign)
    }

    /// Whether the speech is surely in another language than the policy's.
    pub fn is_other_language(&self, wanted: &str) -> bool {
        self.detected.as_ref().is_some_and(|heard| heard.code != wanted && heard.probability > SURE_OF_LANGUAGE)
    }
}

fn spans(stretches: &[(f64, f64)]) -> Vec<Span> {
    stretches.iter().map(|&(start, end)| Span::new(start, end)).collect()
}

/// Transcribes a recording. `voiced` are the spans of speech in seconds, in order.
pub fn transcribe<V: Voice + ?Sized>(
    ear: &mut impl Ear,
    voice: &V,
    voiced: &[(f64, f64)],
    wanted: Wanted<'_>,
) -> Result<Hearing, WhisperFailure> {
    let sound = sound::Sound::new(voice)?;
    let windows = windows::plan(voiced, &sound, windows::MAX_WINDOW_SECS);
    let mut tongue = Tongue::new(wanted.language);
    let (mut all, mut read_off) = (Judged::default(), Vec::new());
    for window in &windows {
        let listen = |ear: &mut _, language: &str| listen(ear, voice, *window, voiced, language, wanted.screen_words);
        let before = tongue.language().to_owned();
        let mut heard = listen(ear, &before)?;
        let mut languages = ear.languages()?;
        // Of a window that was decoded in several goes they are those of the last one, which may be nearly silent.
        let is_doubted = heard.judged.mean_probability().is_none_or(|sure| sure < DOUBTED_WINDOW);
        if !languages.is_empty() && (is_doubted || tongue.is_other(&languages)) {
            languages = ear.languages_in(&samples(voice, *window)?)?;
        }
        if tongue.listen(*window, languages) {
            let again = listen(ear, tongue.language())?;
            let (first, second) = (heard.judged.mean_probability(), again.judged.mean_probability());
            if first.is_some_and(|first| first > second.unwrap_or_default() + MUCH_SURER) {
                tongue.stay(before);
            } else {
                heard = again;
            }
        }
        all.append(heard.judged);
        read_off.extend(heard.read_off);
    }
    for words in all.lists() {
        timing::settle(words, voiced, &sound);
    }
    let unheard = fill_gaps(ear, voice, voiced, &sound, &tongue, &mut all, read_off)?;
    let Judged { words, guessed, repeated } = all;
    tongue.settle(&words);
    let language = (!words.is_empty()).then(|| tongue.mostly(voiced).to_owned());
    let (detected, foreign) = (tongue.detected(), tongue.foreign(voiced));
    let transcript = Transcript { language, segments: segments(words) };
    Ok(Hearing { transcript, guessed: plain(guessed), repeated: plain(repeated), detected, foreign, unheard })
}

/// What was heard in a window.
struct Listened {
    judged: Judged,
    /// Where the model wrote what stands in its prompt.
    read_off: Vec<(f64, f64)>,
}

/// Hears one window in a language.
fn listen<V: Voice + ?Sized>(
    ear: &mut impl Ear,
    voice: &V,
    window: (f64, f64),
    voiced: &[(f64, f64)],
    language: &str,
    screen_words: &str,
) -> Result<Listened, WhisperFailure> {
    let prompt = prompt(language, screen_words);
    let (heard, read_off) = guard::without_prompt(hear(ear, voice, window, language, &prompt, 0.0)?, &prompt);
    let mut judged = guard::judge(heard, voiced, Probabilities::Measured);
    let inside = within(voiced, window).map(|(start, end)| end - start).sum();
    judged.words = guard::without_stock(judged.words, inside);
    Ok(Listened { judged, read_off })
}

fn plain(words: Vec<HeardWord>) -> Vec<Word> {
    words.into_iter().map(|word| Word { w: word.text, start: word.start, end: word.end, p: word.p }).collect()
}

/// The parts of spans that lie in a stretch.
fn within(spans: &[(f64, f64)], (start, end): (f64, f64)) -> impl Iterator<Item = (f64, f64)> + '_ {
    spans.iter().map(move |span| (span.0.max(start), span.1.min(end))).filter(|(start, end)| start < end)
}

/// Decodes again what was passed over or may have been read off the prompt; returns what stayed silent.
fn fill_gaps<V: Voice + ?Sized>(
    ear: &mut impl Ear,
    voice: &V,
    voiced: &[(f64, f64)],
    sound: &sound::Sound,
    tongue: &Tongue,
    judged: &mut Judged,
    read_off: Vec<(f64, f64)>,
) -> Result<Vec<(f64, f64)>, WhisperFailure> {
    let passed_over = guard::passed_over(&judged.words, voiced);
    let is_passed_over = |(start, end): (f64, f64)| passed_over.iter().any(|other| start < other.1 && other.0 < end);
    let mut stretches: Vec<((f64, f64), bool)> = read_off
        .into_iter()
        .flat_map(|stretch| within(voiced, stretch))
        .filter(|stretch| !is_passed_over(*stretch))
        .map(|stretch| (stretch, false))
        .chain(passed_over.iter().map(|stretch| (*stretch, true)))
        .collect();
    stretches.sort_by(|a, b| a.0.0.total_cmp(&b.0.0));
    let mut unheard = Vec::new();
    for (stretch, is_silent) in stretches {
        let is_filled = hear_again(ear, voice, voiced, sound, tongue.at(stretch.0), stretch, judged)?;
        if is_silent && !is_filled {
            unheard.push(stretch);
        }
    }
    Ok(unheard)
}

/// Decodes a stretch without a prompt, then with some chance; true if more words were found.
fn hear_again<V: Voice + ?Sized>(
    ear: &mut impl Ear,
    voice: &V,
    voiced: &[(f64, f64)],
    sound: &sound::Sound,
    language: &str,
    stretch: (f64, f64),
    judged: &mut Judged,
) -> Result<bool, WhisperFailure> {
    let around = widen(stretch, voice.samples() as f64 / f64::from(SAMPLE_RATE));
    let is_inside = |word: &HeardWord| (stretch.0..=stretch.1).contains(&guard::middle(word));
    for temperature in [0.0, SECOND_TEMPERATURE] {
        let mut again =
            guard::judge(hear(ear, voice, around, language, "", temperature)?, voiced, Probabilities::Measured);
        for words in again.lists() {
            timing::settle(words, voiced, sound);
        }
        let is_filled = guard::fill(&mut judged.words, again.words, stretch);
        if is_filled {
            judged.guessed.retain(|word| !is_inside(word));
        }
        // Where nothing else was made out, guesses say at least that somebody speaks unclearly.
        if is_filled || !judged.guessed.iter().any(is_inside) {
            judged.guessed.extend(again.guessed.into_iter().filter(is_inside));
            judged.repeated.extend(again.repeated.into_iter().filter(is_inside));
        }
        if is_filled {
            return Ok(true);
        }
    }
    Ok(false)
}

fn widen((start, end): (f64, f64), duration: f64) -> (f64, f64) {
    let pad = STRETCH_PAD_SECS.max((MIN_STRETCH_SECS - (end - start)) / 2.0);
    ((start - pad).max(0.0), (end + pad).min(duration))
}

fn samples<V: Voice + ?Sized>(voice: &V, (start, end): (f64, f64)) -> io::Result<Cow<'_, [f32]>> {
    let at = |secs: f64| ((secs * f64::from(SAMPLE_RATE)) as usize).min(voice.samples());
    voice.stretch(at(start)..at(end))
}

/// Words between two moments, timed from the recording's start.
fn hear<V: Voice + ?Sized>(
    ear: &mut impl Ear,
    voice: &V,
    (start, end): (f64, f64),
    language: &str,
    prompt: &str,
    temperature: f32,
) -> Result<Vec<HeardWord>, WhisperFailure> {
    let samples = samples(voice, (start, end))?;
    let mut words = ear.hear(&samples, Decoding { language, prompt, temperature })?;
    for word in &mut words {
        word.start += start;
        word.end = (word.end + start).min(end);
    }
    Ok(words)
}

/// The example is English: before other speech it would pull the model towards English.
fn prompt(language: &str, screen_words: &str) -> String {
    let has_figures = |word: &&str| word.chars().any(|letter| letter.is_ascii_digit());
    let words: Vec<&str> = screen_words.split_whitespace().filter(|word| !has_figures(word)).collect();
    let words = words.join(" ");
    let words = words.trim_end_matches([',', ' ']);
    match (language, words.is_empty()) {
        ("en", true) => format!("Shopping: {SHOPPING_WORDS}. {SHOPPING_SPEECH}"),
        ("en", false) => format!("Shopping: {words}, {SHOPPING_WORDS}. {SHOPPING_SPEECH}"),
        _ => words.to_owned(),
    }
}

/// Sentences: a segment ends with a sentence's stop, at a long pause, or when it has gone on for long.
fn segments(words: Vec<HeardWord>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut is_open = false;
    for word in words {
        let ends = word.text.ends_with(['.', '?', '!', '。', '？', '！']);
        match segments.last_mut() {
            Some(segment)
                if is_open
                    && word.start - segment.end < PAUSE_BETWEEN_SEGMENTS_SECS
                    && word.end - segment.start < LONGEST_SEGMENT_SECS =>
            {
                segment.end = word.end;
                segment.text.push(' ');
                segment.text.push_str(&word.text);
                segment.words.push(Word { w: word.text, start: word.start, end: word.end, p: word.p });
            }
            _ => segments.push(Segment {
                start: word.start,
                end: word.end,
                text: word.text.clone(),
                words: vec![Word { w: word.text, start: word.start, end: word.end, p: word.p }],
            }),
        }
        is_open = !ends;
    }
    segments
}

#[cfg(test)]
mod tests;

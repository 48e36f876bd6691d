//! What was said: from samples and the spans in which somebody speaks to a transcript with word times.
//!
//! 1. The spans are packed into windows of up to 28 s, cut in silence, because Whisper hears thirty seconds at the same cost
//!    as one. Windows are stretches of the real sound, never splices, so that times stay true.
//! 2. Each window is decoded. The prompt is text as a shopper speaks it, with amounts in words, which makes the model write
//!    "eighty nine ninety five" where it would guess at digits, and the words read from the screen.
//! 3. The decoder may skip a stretch without a word. Where somebody speaks and hardly a word was found, that stretch
//!    alone is decoded again, without the prompt and then with some chance; the better hearing is kept.
//! 4. It may also invent text in silence, music and babble, or go round in circles: words away from all speech, faster than
//!    anybody speaks or hardly believed are dropped, repetitions cut.
//! 5. A window in another language than the policy's is decoded in that one, and told.
//! 6. Word times are moved to the onset of the sound and into the spans.

mod guard;
pub mod hosted;
mod sound;
mod timing;
mod windows;

use std::collections::BTreeMap;

use shared_types::quality::measurements::Span;
use shared_types::transcript::{Segment, Transcript, Word};

use crate::models::whisper::{Decoding, HeardWord, Language, SAMPLE_RATE, Whisper, WhisperFailure};
use crate::passes::voice::Voice;

pub const NAME: &str = "transcribe";
pub const VERSION: u32 = 5;

/// Words of the trade, and speech in the manner of the takes. The speech is the end, which weighs most: what the screen
/// shows is written in figures, and after figures the model writes (and guesses at) figures.
const SHOPPING_WORDS: &str = "size, colour, price, filter, sort, rating, shipping, in stock, cart, checkout, compare";
const SHOPPING_SPEECH: &str =
    "It costs nineteen ninety nine, under thirty dollars. I'll tick that, then add it to the cart.";
/// Above this the model's opinion on the language is taken against the policy's.
const SURE_OF_LANGUAGE: f64 = 0.6;
/// Under this it is not the policy's, though the model may waver between its neighbours, as with Spanish and Portuguese.
const NOT_THIS_LANGUAGE: f64 = 0.15;
/// Sound around a stretch that is decoded again: enough for its first and last consonant.
const STRETCH_PAD_SECS: f64 = 0.3;
/// Whisper finds nothing in less than this; shorter stretches are given more of what lies around them.
const MIN_STRETCH_SECS: f64 = 1.2;
const SECOND_TEMPERATURE: f32 = 0.4;
const PAUSE_BETWEEN_SEGMENTS_SECS: f64 = 1.0;
const LONGEST_SEGMENT_SECS: f64 = 20.0;

/// What hears: Whisper, or a script in tests.
pub trait Ear {
    /// Words in `samples`, timed from its first sample.
    fn hear(&mut self, samples: &[f32], decoding: Decoding<'_>) -> Result<Vec<HeardWord>, WhisperFailure>;
    /// Probability of each language in what was heard last; empty if there is only one.
    fn languages(&mut self) -> Result<Vec<(String, f64)>, WhisperFailure>;
}

impl Ear for Whisper {
    fn hear(&mut self, samples: &[f32], decoding: Decoding<'_>) -> Result<Vec<HeardWord>, WhisperFailure> {
        self.decode(samples, decoding)
    }

    fn languages(&mut self) -> Result<Vec<(String, f64)>, WhisperFailure> {
        self.languages_of_last()
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
    /// The language over all windows; `None` where nothing was said or the model knows only one.
    pub detected: Option<Language>,
    /// Speech in another language than the policy's, in seconds; told by windows of up to 28 s.
    pub foreign: Vec<(f64, f64)>,
    /// Stretches of speech in which no words were found even at the second try, in seconds.
    pub unheard: Vec<(f64, f64)>,
}

impl Hearing {
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
    let mut words = Vec::new();
    for window in &windows {
        let prompt = prompt(tongue.language(), wanted.screen_words);
        let mut heard = guard::without_prompt(hear(ear, voice, *window, tongue.language(), &prompt, 0.0)?, &prompt);
        if tongue.listen(*window, &ear.languages()?) {
            let prompt = self::prompt(tongue.language(), wanted.screen_words);
            heard = guard::without_prompt(hear(ear, voice, *window, tongue.language(), &prompt, 0.0)?, &prompt);
        }
        let inside = within(voiced, *window).map(|(start, end)| end - start).sum();
        words.extend(guard::without_stock(guard::plausible(heard, voiced), inside));
    }
    timing::settle(&mut words, voiced, &sound);
    let unheard = fill_gaps(ear, voice, voiced, &sound, &tongue, &mut words)?;
    let language = (!words.is_empty()).then(|| tongue.mostly(voiced).to_owned());
    let (detected, foreign) = (tongue.detected(), tongue.foreign(voiced));
    Ok(Hearing { transcript: Transcript { language, segments: segments(words) }, detected, foreign, unheard })
}

/// The parts of spans that lie in a stretch.
fn within(spans: &[(f64, f64)], (start, end): (f64, f64)) -> impl Iterator<Item = (f64, f64)> + '_ {
    spans.iter().map(move |span| (span.0.max(start), span.1.min(end))).filter(|(start, end)| start < end)
}

/// Decodes again what was passed over; returns what stayed silent.
fn fill_gaps<V: Voice + ?Sized>(
    ear: &mut impl Ear,
    voice: &V,
    voiced: &[(f64, f64)],
    sound: &sound::Sound,
    tongue: &Tongue,
    words: &mut Vec<HeardWord>,
) -> Result<Vec<(f64, f64)>, WhisperFailure> {
    let mut unheard = Vec::new();
    for stretch in guard::passed_over(words, voiced) {
        let around = widen(stretch, voice.samples() as f64 / f64::from(SAMPLE_RATE));
        let language = tongue.at(stretch.0);
        let mut is_filled = false;
        for temperature in [0.0, SECOND_TEMPERATURE] {
            let heard = hear(ear, voice, around, language, "", temperature)?;
            let mut found = guard::plausible(heard, voiced);
            timing::settle(&mut found, voiced, sound);
            if guard::fill(words, found, stretch) {
                is_filled = true;
                break;
            }
        }
        if !is_filled {
            unheard.push(stretch);
        }
    }
    Ok(unheard)
}

fn widen((start, end): (f64, f64), duration: f64) -> (f64, f64) {
    let pad = STRETCH_PAD_SECS.max((MIN_STRETCH_SECS - (end - start)) / 2.0);
    ((start - pad).max(0.0), (end + pad).min(duration))
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
    let at = |secs: f64| ((secs * f64::from(SAMPLE_RATE)) as usize).min(voice.samples());
    let samples = voice.stretch(at(start)..at(end))?;
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

/// Which language is spoken: in each window its own where the model is sure of it or sure that it is not the policy's, else the one of all windows so far if it
/// is sure of that, else the policy's.
struct Tongue {
    wanted: String,
    /// Summed probabilities of the windows so far.
    sums: BTreeMap<String, f64>,
    windows: Vec<((f64, f64), String)>,
}

impl Tongue {
    fn new(wanted: &str) -> Self {
        Self { wanted: wanted.to_owned(), sums: BTreeMap::new(), windows: Vec::new() }
    }

    /// Of the latest window.
    fn language(&self) -> &str {
        self.windows.last().map_or(&self.wanted, |(_, language)| language)
    }

    /// Of the window in which a moment lies.
    fn at(&self, t: f64) -> &str {
        let window = self.windows.iter().rfind(|((start, _), _)| *start <= t);
        window.map_or(&self.wanted, |(_, language)| language)
    }

    /// Takes in a window's probabilities; true if its language is another than the one before.
    fn listen(&mut self, window: (f64, f64), probabilities: &[(String, f64)]) -> bool {
        for (code, probability) in probabilities {
            *self.sums.entry(code.clone()).or_default() += probability;
        }
        let wanted = probabilities.iter().find(|(code, _)| *code == self.wanted).map_or(0.0, |(_, sure)| *sure);
        let best = probabilities.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let of_window = best.filter(|best| best.1 > SURE_OF_LANGUAGE || wanted < NOT_THIS_LANGUAGE);
        let of_all = || {
            self.over(self.windows.len() + 1)
                .filter(|heard| heard.probability > SURE_OF_LANGUAGE)
                .map(|heard| heard.code)
        };
        let now = of_window.map(|(code, _)| code.clone()).or_else(of_all).unwrap_or_else(|| self.wanted.clone());
        let changed = now != self.language();
        self.windows.push((window, now));
        changed
    }

    fn detected(&self) -> Option<Language> {
        self.over(self.windows.len())
    }

    /// The likeliest language over so many windows.
    fn over(&self, windows: usize) -> Option<Language> {
        let (code, sum) = self.sums.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some(Language { code: code.clone(), probability: sum / windows.max(1) as f64 })
    }

    /// The language that is spoken longest.
    fn mostly(&self, voiced: &[(f64, f64)]) -> &str {
        let mut secs: BTreeMap<&str, f64> = BTreeMap::new();
        for (window, language) in &self.windows {
            *secs.entry(language).or_default() += within(voiced, *window).map(|(start, end)| end - start).sum::<f64>();
        }
        secs.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(&self.wanted, |(language, _)| language)
    }

    /// What is spoken in another language than the policy's.
    fn foreign(&self, voiced: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let others = self.windows.iter().filter(|(_, language)| *language != self.wanted);
        others.flat_map(|(window, _)| within(voiced, *window)).collect()
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

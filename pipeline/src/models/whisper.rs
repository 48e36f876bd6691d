//! Whisper in this process: one GGML file, one decoding state, plain samples in, timed words out.
//!
//! whisper.cpp gives two estimates of when a token was spoken. The timestamps it predicts are coarse: a sentence's ends
//! are right, what lies between is shared out by the length of the words. The other follows the attention of chosen
//! decoder heads by dynamic time warping; it stamps each token with the moment the attention moves *on* from it, so a
//! token starts where the one before it is stamped. Word times come from the second, corrected by how far each model's
//! heads run ahead of the sound; `passes::transcribe` then moves them to the sound's onset.
//!
//! ggml spins at barriers: with more threads than free cores it slows down tenfold, so the number of threads is the
//! caller's to choose. The engine's log goes nowhere: what matters comes back as an error.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use whisper_rs::{
    DtwMode, DtwModelPreset, DtwParameters, FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters,
    WhisperError, WhisperState,
};

use super::convert::GgmlHeader;

pub const SAMPLE_RATE: u32 = 16_000;

/// More tokens than anybody speaks in thirty seconds: beyond it the decoder is talking to itself.
const MAX_TOKENS: i32 = 220;
/// The model has room for 224 tokens of prompt; a token is three to four letters of English.
const MAX_PROMPT_CHARS: usize = 600;
/// Drawn texts per raised temperature, when the likeliest text was refused as a loop or as improbable.
const DRAWS: i32 = 2;

#[derive(Debug, thiserror::Error)]
pub enum WhisperFailure {
    #[error(
        "{path} is not a speech model in GGML form: {reason}. Give another file with COLLECTOR_WHISPER_MODEL or `pipeline models import FILE`, or run `pipeline models fetch` for the usual one."
    )]
    NotAModel { path: PathBuf, reason: String },
    #[error(
        "the speech model could not be run: {0}. If memory is short, COLLECTOR_WHISPER_MODEL=whisper-tiny.en needs the least."
    )]
    Engine(#[from] WhisperError),
    #[error("the voice cannot be read: {0}")]
    Voice(#[from] io::Error),
}

/// How to decode one stretch.
#[derive(Debug, Clone, Copy)]
pub struct Decoding<'a> {
    /// ISO 639-1; English-only models hear English whatever it says.
    pub language: &'a str,
    /// Text as it might have gone before. Where it is too long its end is kept.
    pub prompt: &'a str,
    /// 0 takes the likeliest text; more draws by chance, to get out of a rut.
    pub temperature: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HeardWord {
    pub text: String,
    /// Seconds from the first sample given.
    pub start: f64,
    pub end: f64,
    pub p: f64,
    /// Probability the model gave to there being no speech around this word.
    pub no_speech: f64,
}

/// A language and how sure the model is of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Language {
    pub code: String,
    pub probability: f64,
}

pub struct Whisper {
    context: WhisperContext,
    state: WhisperState,
    threads: usize,
    lead: Lead,
}

/// How many seconds the heads' attention comes to a word before its sound begins, and leaves before it ends: medians on
/// narration with exact times. Models that were not measured are taken as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Lead {
    start: f64,
    end: f64,
}

const LEAD_OF_BASE: Lead = Lead { start: 0.06, end: 0.03 };
const LEAD_OF_TINY_EN: Lead = Lead { start: -0.05, end: -0.1 };
const SHORTEST_WORD_SECS: f64 = 0.03;

/// Half as many threads as cores, at most four: with a single core taken by something else, as many threads as cores
/// are slower than one.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 4))
}

impl Whisper {
    /// Loads a GGML file. `threads` should not exceed the cores that are free.
    pub fn load(path: &Path, threads: usize) -> Result<Self, WhisperFailure> {
        whisper_rs::install_logging_hooks();
        let refuse = |reason: String| WhisperFailure::NotAModel { path: path.to_owned(), reason };
        let mut head = [0; GgmlHeader::BYTES];
        File::open(path)
            .and_then(|mut file| file.read_exact(&mut head))
            .map_err(|error| refuse(format!("it could not be read ({error})")))?;
        let header = GgmlHeader::parse(&head).map_err(|error| refuse(error.to_string()))?;

        let mut parameters = WhisperContextParameters::new();
        let (mode, lead) = alignment_heads(&header);
        parameters.dtw_parameters(DtwParameters { mode, ..DtwParameters::default() });
        let context = WhisperContext::new_with_params(path, parameters)
            .map_err(|error| refuse(format!("the engine could not load it ({error})")))?;
        let state = context.create_state()?;
        Ok(Self { context, state, threads: threads.max(1), lead })
    }

    pub fn is_multilingual(&self) -> bool {
        self.context.is_multilingual()
    }

    /// What is said in `samples` (16 kHz, mono, at most thirty seconds).
    pub fn decode(&mut self, samples: &[f32], decoding: Decoding<'_>) -> Result<Vec<HeardWord>, WhisperFailure> {
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: DRAWS });
        params.set_n_threads(self.threads as i32);
        params.set_language(Some(if self.is_multilingual() { decoding.language } else { "en" }));
        params.set_no_context(true);
        params.set_token_timestamps(true);
        params.set_max_tokens(MAX_TOKENS);
        params.set_suppress_nst(true);
        params.set_temperature(decoding.temperature);
        params.set_print_progress(false);
        params.set_print_special(false);
        params.set_print_realtime(false);
        params.set_print_timestamps(false);
        let prompt = end_of(decoding.prompt, MAX_PROMPT_CHARS).replace('\0', " ");
        if !prompt.is_empty() {
            params.set_initial_prompt(&prompt);
        }
        self.state.full(params, samples)?;
        let mut words = join_tokens(&self.tokens());
        for word in &mut words {
            word.end += self.lead.end;
            word.start = (word.start + self.lead.start).min(word.end - SHORTEST_WORD_SECS).max(0.0);
            word.end = word.end.max(word.start + SHORTEST_WORD_SECS);
        }
        Ok(words)
    }

    /// Probability of each language in `samples`, at the cost of a run of the encoder.
    pub fn languages_of(&mut self, samples: &[f32]) -> Result<Vec<(String, f64)>, WhisperFailure> {
        if !self.is_multilingual() {
            return Ok(Vec::new());
        }
        self.state.pcm_to_mel(samples, self.threads)?;
        self.state.encode(0, self.threads)?;
        self.languages_of_last()
    }

    /// Probability of each language in the stretch decoded last, from what the encoder made of it: one step of the
    /// decoder, where asking beforehand would cost a second run of the encoder. The engine goes on from where it last heard a
    /// sentence end and encodes anew from there, so that it may be of the end of the stretch alone. Empty for an English-only
    /// model.
    pub fn languages_of_last(&mut self) -> Result<Vec<(String, f64)>, WhisperFailure> {
        if !self.is_multilingual() {
            return Ok(Vec::new());
        }
        self.state.decode(&[self.context.token_sot()], 0, self.threads)?;
        let logits = self.state.get_logits()?;
        let scores: Vec<(String, f64)> = (0..=whisper_rs::get_lang_max_id())
            .filter_map(|id| {
                let token = usize::try_from(self.context.token_lang(id)).ok()?;
                Some((whisper_rs::get_lang_str(id)?.to_owned(), f64::from(*logits.get(token)?)))
            })
            .collect();
        let highest = scores.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|(_, score)| (score - highest).exp()).sum();
        Ok(scores.into_iter().map(|(code, score)| (code, (score - highest).exp() / sum)).collect())
    }

    fn tokens(&self) -> Vec<Token> {
        let end_of_text = self.context.token_eot();
        let mut moved_on = None;
        let mut tokens = Vec::new();
        for segment in self.state.as_iter() {
            for index in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(index) else { continue };
                let data = token.token_data();
                let Ok(bytes) = token.to_bytes() else { continue };
                if data.id >= end_of_text {
                    continue;
                }
                let warped = (data.t_dtw >= 0).then(|| seconds(data.t_dtw));
                let predicted = (seconds(data.t0), seconds(data.t1));
                tokens.push(Token {
                    bytes: bytes.to_vec(),
                    start: warped
                        .map_or(predicted.0, |_| moved_on.unwrap_or_else(|| seconds(segment.start_timestamp()))),
                    end: warped.unwrap_or(predicted.1),
                    p: f64::from(data.p),
                    no_speech: f64::from(segment.no_speech_probability()),
                });
                moved_on = warped.or(moved_on);
            }
        }
        tokens
    }
}

#[derive(Debug, Clone)]
struct Token {
    bytes: Vec<u8>,
    start: f64,
    end: f64,
    p: f64,
    no_speech: f64,
}

/// whisper.cpp counts in hundredths of a second.
fn seconds(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
}

/// A token that begins with a space begins a word. Letters may be split between tokens, so bytes are joined first;
/// punctuation belongs to the word before it but does not lengthen it.
fn join_tokens(tokens: &[Token]) -> Vec<HeardWord> {
    let mut words: Vec<(Vec<u8>, HeardWord, u32)> = Vec::new();
    for token in tokens {
        let speaks = token.bytes.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
        match words.last_mut() {
            Some((bytes, word, count)) if token.bytes.first() != Some(&b' ') => {
                bytes.extend_from_slice(&token.bytes);
                if speaks {
                    word.end = word.end.max(token.end);
                    word.p += token.p;
                    *count += 1;
                }
            }
            _ => words.push((
                token.bytes.clone(),
                HeardWord {
                    text: String::new(),
                    start: token.start,
                    end: token.end,
                    p: token.p,
                    no_speech: token.no_speech,
                },
                1,
            )),
        }
    }
    words
        .into_iter()
        .map(|(bytes, word, count)| HeardWord {
            text: String::from_utf8_lossy(&bytes).trim().to_owned(),
            p: word.p / f64::from(count),
            ..word
        })
        .filter(|word| word.text.chars().any(char::is_alphanumeric))
        .collect()
}

/// The last `limit` characters of `text`, from the start of a word.
fn end_of(text: &str, limit: usize) -> &str {
    let text = text.trim();
    let Some(surplus) = text.chars().count().checked_sub(limit).filter(|surplus| *surplus > 0) else { return text };
    let from = text.char_indices().nth(surplus).map_or(0, |(index, _)| index);
    text[from..].split_once(' ').map_or(&text[from..], |(_, rest)| rest)
}

/// The heads whose attention follows the sound, as `OpenAI` published them per model; for others the top two layers.
fn alignment_heads(header: &GgmlHeader) -> (DtwMode<'static>, Lead) {
    let (model_preset, lead) = match (header.decoder_layers, header.is_english_only()) {
        (4, true) => (DtwModelPreset::TinyEn, LEAD_OF_TINY_EN),
        (4, false) if header.encoder_layers == 4 => (DtwModelPreset::Tiny, Lead::default()),
        (6, true) => (DtwModelPreset::BaseEn, Lead::default()),
        (6, false) => (DtwModelPreset::Base, LEAD_OF_BASE),
        (12, true) => (DtwModelPreset::SmallEn, Lead::default()),
        (12, false) => (DtwModelPreset::Small, Lead::default()),
        (24, true) => (DtwModelPreset::MediumEn, Lead::default()),
        (24, false) => (DtwModelPreset::Medium, Lead::default()),
        _ => return (DtwMode::TopMost { n_top: 2 }, Lead::default()),
    };
    (DtwMode::ModelPreset { model_preset }, lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(bytes: &[u8], start: f64, end: f64, p: f64) -> Token {
        Token { bytes: bytes.to_vec(), start, end, p, no_speech: 0.0 }
    }

    #[test]
    fn tokens_become_words_with_their_punctuation_and_without_its_time() {
        let tokens = [
            token(b" Free", 0.0, 0.3, 0.9),
            token(b"run", 0.3, 0.6, 0.7),
            token(b".", 0.6, 1.4, 0.5),
            token(b" caf", 1.4, 1.6, 1.0),
            token(b"\xc3", 1.6, 1.7, 1.0),
            token(b"\xa9", 1.7, 1.8, 1.0),
            token(b" -", 1.8, 1.9, 1.0),
        ];
        let words = join_tokens(&tokens);
        let told: Vec<_> = words.iter().map(|word| (word.text.as_str(), word.start, word.end)).collect();
        assert_eq!(told, [("Freerun.", 0.0, 0.6), ("café", 1.4, 1.8)]);
        assert!((words[0].p - 0.8).abs() < 1e-9);
    }

    #[test]
    fn a_long_prompt_keeps_its_end_from_the_start_of_a_word() {
        assert_eq!(end_of("one two three", 8), "three");
        assert_eq!(end_of(" one ", 8), "one");
        assert_eq!(end_of("ééé ñandú", 6), "ñandú");
    }
}

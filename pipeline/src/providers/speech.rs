//! Sound to `/audio/transcriptions`, words back.
//!
//! Servers differ here too: some give every word its times, some only sentences, some nothing but the text. What is
//! asked for is the most; what a server refuses is not asked for again.

use std::sync::atomic::AtomicBool;

use ingest_client::hosted::{Hosted, Part};
use media::journal::hex;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::cache::Answers;
use super::meter::Meter;
use super::{ModelFailure, refusal};
use crate::models::whisper::SAMPLE_RATE;

const PATH: &str = "/audio/transcriptions";
/// Uploads are limited to 25 MB by the servers that were looked at.
pub const MOST_BYTES: usize = 24 << 20;
/// Nobody says so many words; a model that goes round in circles may write them. What comes after compares words with words.
const MOST_WORDS_PER_SEC: f64 = 20.0;
const FEWEST_WORDS: f64 = 100.0;
const WAV_HEAD_BYTES: usize = 44;
const BYTES_PER_SAMPLE: usize = 2;

/// The longest sound of one request.
pub fn most_secs() -> f64 {
    ((MOST_BYTES - WAV_HEAD_BYTES) / BYTES_PER_SAMPLE) as f64 / f64::from(SAMPLE_RATE)
}

/// What a server heard; times in seconds from the first sample.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Spoken {
    pub text: String,
    /// A code or an English name.
    pub language: Option<String>,
    pub words: Vec<SpokenWord>,
    pub segments: Vec<SpokenSegment>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpokenWord {
    pub word: String,
    pub start: f64,
    pub end: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpokenSegment {
    pub start: f64,
    pub end: f64,
    pub text: String,
    #[serde(default)]
    pub avg_logprob: Option<f64>,
    #[serde(default)]
    pub no_speech_prob: Option<f64>,
}

impl Spoken {
    /// Whether somebody can have said as much in so many seconds.
    fn fits(&self, secs: f64) -> bool {
        let most = (secs * MOST_WORDS_PER_SEC).max(FEWEST_WORDS) as usize;
        let is_within = |text: &str| text.split_whitespace().nth(most).is_none();
        let in_segments: usize = self.segments.iter().map(|segment| segment.text.split_whitespace().count()).sum();
        self.words.len() <= most && self.segments.len() <= most && in_segments <= most && is_within(&self.text)
    }
}

pub struct Speech<'a> {
    hosted: &'a Hosted,
    model: &'a str,
    answers: &'a Answers,
    cancel: &'a AtomicBool,
    gives_times: bool,
}

impl<'a> Speech<'a> {
    pub fn new(hosted: &'a Hosted, model: &'a str, answers: &'a Answers, cancel: &'a AtomicBool) -> Self {
        Self { hosted, model, answers, cancel, gives_times: true }
    }

    /// What is said in `samples`, 16 kHz mono. An answer that `may_stay` lies with the others and is not paid again.
    pub fn hear(
        &mut self,
        samples: &[f32],
        meter: &mut Meter,
        may_stay: impl Fn(&Spoken) -> bool,
    ) -> Result<Spoken, ModelFailure> {
        let wav = wav(samples);
        let question = json!([self.hosted.server(), self.model, PATH, hex(&Sha256::digest(&wav))]).to_string();
        let secs = samples.len() as f64 / f64::from(SAMPLE_RATE);
        let known = self.answers.get(question.as_bytes()).and_then(|text| serde_json::from_str(&text).ok());
        if let Some(known) = known.filter(|known: &Spoken| known.fits(secs)) {
            meter.count_cached();
            return Ok(known);
        }
        if !meter.has_room_for_sound(secs) {
            return Err(ModelFailure::Budget(meter.budget()));
        }
        let spoken = self.ask(&wav, secs, meter)?;
        if may_stay(&spoken) {
            let kept = serde_json::to_string(&spoken).map_err(std::io::Error::from);
            if let Err(error) = kept.and_then(|text| self.answers.keep(question.as_bytes(), &text)) {
                meter.note(format!("an answer could not be kept for the next run: {error}"));
            }
        }
        Ok(spoken)
    }

    fn ask(&mut self, wav: &[u8], secs: f64, meter: &mut Meter) -> Result<Spoken, ModelFailure> {
        loop {
            let text = |name, value| Part::Text { name, value };
            let mut parts = vec![text("model", self.model), text("temperature", "0")];
            if self.gives_times {
                parts.extend([
                    text("response_format", "verbose_json"),
                    text("timestamp_granularities[]", "word"),
                    text("timestamp_granularities[]", "segment"),
                ]);
            } else {
                parts.push(text("response_format", "json"));
            }
            parts.push(Part::File { name: "file", file_name: "speech.wav", content_type: "audio/wav", bytes: wav });
            let answer = self.hosted.post_form(PATH, &parts, self.cancel)?;
            if matches!(answer.status, 400 | 422) && self.gives_times {
                self.gives_times = false;
                continue;
            }
            if answer.status >= 300 {
                return Err(refusal(self.hosted, &answer));
            }
            meter.count_sound(secs);
            let malformed = |why: String| ModelFailure::Malformed(format!("a transcript was asked for: {why}"));
            let spoken: Spoken = serde_json::from_slice(&answer.body).map_err(|error| malformed(error.to_string()))?;
            let too_many = || malformed(format!("nobody says so many words in {secs:.0} s"));
            return if spoken.fits(secs) { Ok(spoken) } else { Err(too_many()) };
        }
    }
}

/// 16 bit, mono.
fn wav(samples: &[f32]) -> Vec<u8> {
    let bytes = (samples.len() * BYTES_PER_SAMPLE) as u32;
    let mut wav = Vec::with_capacity(WAV_HEAD_BYTES + bytes as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(bytes + WAV_HEAD_BYTES as u32 - 8).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel.
    wav.extend_from_slice(&[1, 0, 1, 0]);
    wav.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    wav.extend_from_slice(&(SAMPLE_RATE * BYTES_PER_SAMPLE as u32).to_le_bytes());
    wav.extend_from_slice(&[BYTES_PER_SAMPLE as u8, 0, 16, 0]);
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&bytes.to_le_bytes());
    for sample in samples {
        let level = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16;
        wav.extend_from_slice(&level.to_le_bytes());
    }
    wav
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wav_tells_its_length_and_form() {
        let bytes = wav(&[0.0, 1.0, -1.0, 9.0]);
        assert_eq!(bytes.len(), WAV_HEAD_BYTES + 8);
        assert_eq!(u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize, bytes.len() - 8);
        assert_eq!(&bytes[WAV_HEAD_BYTES..], [0, 0, 0xff, 0x7f, 0x01, 0x80, 0xff, 0x7f]);
        assert!(most_secs() > 700.0);
    }
}

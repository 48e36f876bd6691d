//! The real speech model on a real sentence: the words and where they lie in the sound.
//!
//! `fixtures/goal.s16le` is 5.6 s of narration (16 bit, mono, 16 kHz), spoken by a synthetic voice whose data is in the
//! public domain (Piper, en_US-joe-medium).

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use pipeline::config::{Config, WhisperChoice};
use pipeline::models::catalog;
use pipeline::models::fetch::whisper_file;
use pipeline::models::progress::Progress;
use pipeline::models::whisper::{SAMPLE_RATE, Whisper};
use pipeline::passes::transcribe::{Wanted, transcribe};

/// Words of the sentence and where each begins.
const SPOKEN: &str = "okay 0.293 so 1.059 my 1.21 goal 1.373 is 1.617 to 1.791 find 1.884 a 2.151 pair 2.267 of 2.453 \
    black 2.592 running 2.998 shoes 3.3 for 3.544 under 3.776";

fn check(name: &'static str) {
    let models_dir = Config::from_env().unwrap().models_dir;
    let listed = pipeline::models::commands::list(&models_dir).unwrap();
    assert!(
        listed.iter().any(|line| line.name == name && line.is_present),
        "the model {name} is not in {}: run `./dev setup` first",
        models_dir.display()
    );
    let path = whisper_file(&WhisperChoice::Named(name), &models_dir, &Progress::kept()).unwrap();
    let samples: Vec<f32> = include_bytes!("fixtures/goal.s16le")
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    let seconds = samples.len() as f64 / f64::from(SAMPLE_RATE);
    let mut whisper = Whisper::load(&path, 1).unwrap();
    let wanted = Wanted { language: "en", screen_words: "" };
    let hearing = transcribe(&mut whisper, &samples, &[(0.2, seconds - 0.3)], wanted).unwrap();

    assert_eq!(hearing.transcript.language.as_deref(), Some("en"));
    assert!(!hearing.is_other_language("en"), "{:?}", hearing.detected);
    let plain = |word: &str| word.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
    let heard: Vec<(String, f64)> = hearing.transcript.words().map(|word| (plain(&word.w), word.start)).collect();
    let spoken: Vec<&str> = SPOKEN.split_whitespace().collect();
    let mut errors = Vec::new();
    for pair in spoken.chunks_exact(2) {
        let start: f64 = pair[1].parse().unwrap();
        let near = heard.iter().filter(|(word, at)| word == pair[0] && (at - start).abs() < 1.0);
        let best = near.map(|(_, at)| (at - start).abs()).min_by(f64::total_cmp);
        errors.push(best.unwrap_or_else(|| panic!("{} was not heard at {start}: {heard:?}", pair[0])));
    }
    errors.sort_by(f64::total_cmp);
    assert!(errors[errors.len() / 2] < 0.1, "half of the words are further off: {errors:?}");
    assert!(hearing.transcript.mean_word_probability().unwrap() > 0.6);
}

#[test]
fn the_default_model_hears_the_sentence() {
    check(catalog::DEFAULT_WHISPER);
}

#[test]
fn the_small_model_hears_the_sentence() {
    check(catalog::SMALL_WHISPER);
}

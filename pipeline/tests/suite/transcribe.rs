//! The real speech model on made sound: the words and where they lie, nothing lost in long pauses, nothing invented where
//! nobody speaks, another language known for what it is.
//!
//! `fixtures/goal.s16le` is 5.6 s of narration (16 bit, mono, 16 kHz), spoken by a synthetic voice whose data is in the
//! public domain (Piper, en_US-joe-medium). `fixtures/spanish.s16le` is 8.3 s of Spanish by eSpeak NG.

use media::measure::sound::SoundMeter;
use pipeline::config::{Config, WhisperChoice};
use pipeline::models::catalog;
use pipeline::models::fetch::whisper_file;
use pipeline::models::progress::Progress;
use pipeline::models::whisper::{SAMPLE_RATE, Whisper};
use pipeline::passes::transcribe::{Hearing, Wanted, transcribe};

/// Words of the sentence and where each begins.
const SPOKEN: &str = "okay 0.293 so 1.059 my 1.21 goal 1.373 is 1.617 to 1.791 find 1.884 a 2.151 pair 2.267 of 2.453 \
    black 2.592 running 2.998 shoes 3.3 for 3.544 under 3.776";

fn load(name: &'static str) -> Whisper {
    let models_dir = Config::from_env().unwrap().models_dir;
    let listed = pipeline::models::commands::list(&models_dir).unwrap();
    assert!(
        listed.iter().any(|line| line.name == name && line.is_present),
        "the model {name} is not in {}: run `./dev setup` first",
        models_dir.display()
    );
    let path = whisper_file(&WhisperChoice::Named(name), &models_dir, &Progress::kept()).unwrap();
    Whisper::load(&path, 1).unwrap()
}

fn samples(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect()
}

fn goal() -> Vec<f32> {
    samples(include_bytes!("../fixtures/goal.s16le"))
}

/// A room in which nobody speaks: noise at -66 dBFS.
fn room(secs: f64) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32 * 0.0017
    };
    (0..(secs * f64::from(SAMPLE_RATE)) as usize).map(|_| next()).collect()
}

/// Four chords, over and over, as loud as speech.
fn music(secs: f64) -> Vec<f32> {
    const CHORDS: [[f64; 3]; 4] =
        [[261.6, 329.6, 392.0], [220.0, 261.6, 329.6], [174.6, 220.0, 261.6], [196.0, 246.9, 293.7]];
    let rate = f64::from(SAMPLE_RATE);
    let sample = |index: usize| {
        let at = index as f64 / rate;
        let chord = CHORDS[(at / 1.5) as usize % CHORDS.len()];
        let fade = (1.0 - at % 1.5 / 3.0) * 0.12;
        chord.iter().map(|hertz| (at * hertz * std::f64::consts::TAU).sin() * fade).sum::<f64>() as f32
    };
    (0..(secs * rate) as usize).map(sample).collect()
}

/// Where the detector that the whole pipeline uses hears somebody speak.
fn voiced(samples: &[f32]) -> Vec<(f64, f64)> {
    let mut meter = SoundMeter::default();
    meter.push_native(&[samples], SAMPLE_RATE);
    meter.push_voice(samples);
    meter.finish().speech.iter().map(|span| (span.start, span.end)).collect()
}

fn hear(whisper: &mut Whisper, samples: &[f32], voiced: &[(f64, f64)]) -> Hearing {
    transcribe(whisper, samples, voiced, Wanted { language: "en", screen_words: "" }).unwrap()
}

fn check(name: &'static str) {
    let mut whisper = load(name);
    let samples = goal();
    let seconds = samples.len() as f64 / f64::from(SAMPLE_RATE);
    let hearing = hear(&mut whisper, &samples, &[(0.2, seconds - 0.3)]);

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

#[test]
fn nothing_is_invented_where_nobody_speaks() {
    let mut whisper = load(catalog::DEFAULT_WHISPER);
    for (what, samples) in [("a quiet room", room(14.0)), ("music", music(14.0)), ("silence", vec![0.0; 14 * 16_000])] {
        let found = voiced(&samples);
        let hearing = hear(&mut whisper, &samples, &found);
        assert_eq!(hearing.transcript.text(), "", "{what}, speech detected at {found:?}");
    }
}

#[test]
fn long_pauses_and_music_between_sentences_lose_and_add_nothing() {
    let mut whisper = load(catalog::DEFAULT_WHISPER);
    for pause in [room(26.0), music(26.0)] {
        let mut samples = goal();
        let later = (samples.len() + pause.len()) as f64 / f64::from(SAMPLE_RATE);
        samples.extend(pause);
        samples.extend(goal());
        samples.extend(room(2.0));
        let found = voiced(&samples);
        let hearing = hear(&mut whisper, &samples, &found);
        let text = hearing.transcript.text().to_lowercase();
        assert_eq!(text.matches("black running shoes").count(), 2, "{text}");
        let words: Vec<_> = hearing.transcript.words().collect();
        assert!((32..=44).contains(&words.len()), "{} words: {text}", words.len());
        let between = words.iter().filter(|word| word.start > 6.0 && word.end < later - 0.2).count();
        assert_eq!(between, 0, "{text}");
        // The detector may take music for a voice; then it is told that nothing was heard there.
        let in_pause = hearing.unheard.iter().all(|(start, end)| *start > 5.0 && *end < later + 1.0);
        assert!(in_pause, "{:?}", hearing.unheard);
    }
}

#[test]
fn another_language_is_known_for_what_it_is() {
    let mut whisper = load(catalog::DEFAULT_WHISPER);
    let samples = samples(include_bytes!("../fixtures/spanish.s16le"));
    let hearing = hear(&mut whisper, &samples, &voiced(&samples));
    assert_eq!(hearing.transcript.language.as_deref(), Some("es"));
    assert!(hearing.is_other_language("en"), "{:?}", hearing.detected);
    let text = hearing.transcript.text().to_lowercase();
    let heard = ["busco", "zapatillas", "negras", "correr", "menos", "filtrar", "color"];
    let found = heard.iter().filter(|word| text.contains(**word)).count();
    assert!(found >= 4, "{text}");
    let english = hear(&mut whisper, &goal(), &voiced(&goal()));
    assert_eq!(english.foreign, []);
    assert!(!english.is_other_language("en"), "{:?}", english.detected);
}

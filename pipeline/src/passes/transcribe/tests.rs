use super::*;

fn word(text: &str, start: f64, end: f64) -> HeardWord {
    HeardWord { text: text.to_owned(), start, end, p: 0.9, no_speech: 0.0 }
}

/// Words of a third of a second, one after the other.
fn words(text: &str, start: f64) -> Vec<HeardWord> {
    let timed = |(index, text): (usize, &str)| {
        let start = start + index as f64 / 3.0;
        word(text, start, start + 1.0 / 3.0)
    };
    text.split_whitespace().enumerate().map(timed).collect()
}

fn texts(words: &[HeardWord]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Sound that is loud in the spans and silent between them.
fn sound(voiced: &[(f64, f64)], seconds: f64) -> Vec<f32> {
    let rate = f64::from(SAMPLE_RATE);
    (0..(seconds * rate) as usize)
        .map(|index| {
            let at = index as f64 / rate;
            let is_voiced = voiced.iter().any(|(start, end)| (*start..*end).contains(&at));
            if is_voiced && index % 2 == 0 { 0.5 } else { 0.0 }
        })
        .collect()
}

/// Hears what its script says, in turn, and notes how it was asked.
#[derive(Default)]
struct Script {
    answers: Vec<Vec<HeardWord>>,
    languages: Vec<(String, f64)>,
    /// Of all windows but the first, where that is another.
    then: Vec<(String, f64)>,
    /// Of a window as a whole, where that is another than of its end.
    whole: Vec<(String, f64)>,
    told: Vec<(String, f64)>,
    asked: Vec<(f64, String, bool, f32)>,
}

impl Ear for Script {
    fn hear(&mut self, samples: &[f32], decoding: Decoding<'_>) -> Result<Vec<HeardWord>, WhisperFailure> {
        let seconds = samples.len() as f64 / f64::from(SAMPLE_RATE);
        self.asked.push((seconds, decoding.language.to_owned(), decoding.prompt.is_empty(), decoding.temperature));
        Ok(if self.answers.is_empty() { Vec::new() } else { self.answers.remove(0) })
    }

    fn languages(&mut self) -> Result<Vec<(String, f64)>, WhisperFailure> {
        let now = self.languages.clone();
        if !self.then.is_empty() {
            self.languages.clone_from(&self.then);
        }
        self.told.clone_from(&now);
        Ok(now)
    }

    fn languages_in(&mut self, _: &[f32]) -> Result<Vec<(String, f64)>, WhisperFailure> {
        Ok(if self.whole.is_empty() { self.told.clone() } else { self.whole.clone() })
    }
}

fn languages(told: &[(&str, f64)]) -> Vec<(String, f64)> {
    told.iter().map(|(code, probability)| ((*code).to_owned(), *probability)).collect()
}

/// Words that are believed so much.
fn believed(p: f64, text: &str, start: f64) -> Vec<HeardWord> {
    words(text, start).into_iter().map(|word| HeardWord { p, ..word }).collect()
}

fn plausible(words: Vec<HeardWord>, voiced: &[(f64, f64)]) -> String {
    texts(&guard::judge(words, voiced, Probabilities::Measured).words)
}

const ENGLISH: Wanted<'static> = Wanted { language: "en", screen_words: "Runx" };

#[test]
fn windows_are_cut_in_silence_and_hold_every_span_once() {
    let check = |voiced: &[(f64, f64)], seconds: f64, expected: &[(f64, f64)]| {
        let samples = sound(voiced, seconds);
        let windows = windows::plan(voiced, &sound::Sound::new(&samples).unwrap(), windows::MAX_WINDOW_SECS);
        assert_eq!(windows.len(), expected.len(), "{windows:?}");
        for (window, expected) in windows.iter().zip(expected) {
            assert!((window.0 - expected.0).abs() < 0.02 && (window.1 - expected.1).abs() < 0.02, "{windows:?}");
        }
    };
    check(&[], 10.0, &[]);
    check(&[(1.0, 5.0), (6.0, 20.0)], 30.0, &[(0.8, 20.2)]);
    // The longest silence of those that leave a window long enough, not the last that fits.
    check(&[(0.1, 20.0), (23.0, 26.0), (26.5, 40.0)], 41.0, &[(0.0, 20.2), (22.8, 40.2)]);
    // Silences shorter than the padding are shared.
    check(&[(0.1, 27.0), (27.2, 40.0)], 41.0, &[(0.0, 27.1), (27.1, 40.2)]);
}

#[test]
fn a_span_longer_than_a_window_is_cut_where_it_is_quietest() {
    let samples = sound(&[(0.0, 24.0), (24.4, 50.0)], 50.0);
    let windows = windows::plan(&[(0.0, 50.0)], &sound::Sound::new(&samples).unwrap(), windows::MAX_WINDOW_SECS);
    assert_eq!(windows.len(), 2);
    assert!((24.0..24.4).contains(&windows[0].1), "{windows:?}");
}

#[test]
fn invented_words_are_dropped() {
    let voiced = [(10.0, 14.0)];
    let mut heard = words("Thank you", 3.0);
    heard.extend(words("I want two plants", 10.0));
    heard.push(HeardWord { no_speech: 0.9, p: 0.2, ..word("Bye.", 13.0, 13.4) });
    assert_eq!(plausible(heard, &voiced), "I want two plants");
}

#[test]
fn a_stock_phrase_alone_in_a_long_stretch_is_dropped() {
    let rows = [
        ("Thanks for watching.", 14.0, ""),
        ("Thanks for watching.", 1.5, "Thanks for watching."),
        ("Thank you, I take it", 14.0, "Thank you, I take it"),
    ];
    for (heard, voiced_secs, expected) in rows {
        assert_eq!(texts(&guard::without_stock(words(heard, 0.0), voiced_secs)), expected);
    }
}

#[test]
fn repetition_rows() {
    let rows = [
        ("no no no that is wrong", "no no no that is wrong"),
        ("the the the the the shoes", "the shoes"),
        ("I like it. I like it. I like it. Good", "I like it. Good"),
        ("very nice very nice shoes", "very nice very nice shoes"),
    ];
    for (heard, expected) in rows {
        assert_eq!(plausible(words(heard, 0.0), &[(0.0, 60.0)]), expected);
    }
}

#[test]
fn what_babble_makes_the_decoder_write_is_dropped() {
    let said = "My goal is to find black running shoes";
    let check = |then: Vec<HeardWord>, expected: &str| {
        let heard: Vec<HeardWord> = words(said, 0.0).into_iter().chain(then).collect();
        assert_eq!(plausible(heard, &[(0.0, 60.0)]), expected);
    };
    check(believed(0.2, "I will not be able", 12.0), said);
    check(
        believed(0.6, "is to find black running shoes for so", 12.0),
        &format!("{said} is to find black running shoes for so"),
    );
    check(believed(0.6, said, 12.0), said);
    check(believed(0.9, said, 12.0), &format!("{said} {said}"));
    check(believed(0.6, said, 50.0), &format!("{said} {said}"));
    let at_once = |text: &str| -> Vec<HeardWord> {
        believed(0.9, text, 12.0).into_iter().map(|word| HeardWord { start: 12.0, end: 12.02, ..word }).collect()
    };
    check(at_once("they came all at one time and nobody can say so"), said);
    check(at_once("it was the worst"), &format!("{said} it was the worst"));
}

#[test]
fn what_is_read_off_the_prompt_was_not_said() {
    let prompt = prompt("en", "");
    let check = |heard: &str, expected: &str| {
        assert_eq!(texts(&guard::without_prompt(words(heard, 0.0), &prompt).0), expected);
    };
    check("I'll tick that, then add it to the cart. I'll tick that, then add it to the cart.", "");
    check("Nice. I'll tick that, then add it to the cart.", "Nice.");
    check("I like it, then add it to the cart.", "I like it, then add it to the cart.");
}

#[test]
fn who_speaks_like_the_prompt_is_heard_again_without_it() {
    let said = "I'll tick that, then add it to the cart.";
    let more = "Nice one then, and that is that";
    // So fast that it leaves no hole that would be heard again anyway.
    let fast = |index: usize| 0.3 + index as f64 / 5.0;
    let quick = || -> Vec<HeardWord> {
        said.split_whitespace().enumerate().map(|(index, text)| word(text, fast(index), fast(index + 1))).collect()
    };
    let heard = || quick().into_iter().chain(words(more, 2.2)).collect::<Vec<_>>();
    let voiced = [(0.5, 5.0)];
    let check = |again: Vec<HeardWord>, expected: String| {
        let mut ear = Script { answers: vec![heard(), again], ..Script::default() };
        let hearing = transcribe(&mut ear, &sound(&voiced, 6.0), &voiced, ENGLISH).unwrap();
        assert_eq!(hearing.transcript.text(), expected);
        assert!(ear.asked.len() > 1 && ear.asked[1..].iter().all(|(_, _, without_prompt, _)| *without_prompt));
        assert!(hearing.unheard.is_empty(), "{:?}", hearing.unheard);
    };
    check(quick(), format!("{said} {more}"));
    check(Vec::new(), more.to_owned());
}

#[test]
fn words_that_are_hardly_believed_count_for_how_clearly_somebody_speaks() {
    let mumbled = "so what I may want is hardly to be made out by anybody in here today";
    let clear = "I want two plants under twenty dollars each please";
    let voiced = [(0.5, 10.0)];
    let check = |answers: Vec<Vec<HeardWord>>, expected: Option<f64>| {
        let mut ear = Script { answers, ..Script::default() };
        let hearing = transcribe(&mut ear, &sound(&voiced, 11.0), &voiced, ENGLISH).unwrap();
        let found = hearing.word_probability();
        let is_near = found.zip(expected).is_some_and(|(found, expected)| (found - expected).abs() < 1e-9);
        assert!(is_near || found.is_none() && expected.is_none(), "{found:?}, not {expected:?}");
        hearing
    };
    let hearing = check(vec![believed(0.2, mumbled, 0.3)], Some(0.2));
    assert_eq!(hearing.transcript, Transcript::default());
    assert_eq!(hearing.left_out().len(), 16);
    check(vec![Vec::new(), believed(0.2, mumbled, 0.3)], Some(0.2));
    let both = || words(clear, 0.3).into_iter().chain(believed(0.2, mumbled, 3.3)).collect::<Vec<_>>();
    let hearing = check(vec![both()], Some((9.0 * 0.9 + 16.0 * 0.2) / 25.0));
    assert_eq!(hearing.transcript.text(), clear);
    // What a second hearing makes out takes the place of the guesses.
    let again = words(mumbled, 0.5);
    let hearing = check(vec![both(), again], Some(0.9));
    assert!(hearing.transcript.text().ends_with(mumbled) && hearing.guessed.is_empty());
    check(vec![words("I want this one", 0.3)], None);
    check(Vec::new(), None);
}

#[test]
fn words_without_probabilities_are_not_doubted() {
    let said = "My goal is to find black running shoes";
    let heard = believed(0.0, said, 0.0).into_iter().chain(believed(0.0, said, 12.0)).collect();
    let judged = guard::judge(heard, &[(0.0, 60.0)], Probabilities::Unknown);
    assert_eq!(texts(&judged.words), format!("{said} {said}"));
}

#[test]
fn what_is_repeated_is_left_out_and_still_known() {
    let voiced = [(0.5, 10.0)];
    let heard = words("my card number is four one one one one one one one one one one", 0.3);
    let mut ear = Script { answers: vec![heard], ..Script::default() };
    let hearing = transcribe(&mut ear, &sound(&voiced, 11.0), &voiced, ENGLISH).unwrap();
    assert_eq!(hearing.transcript.text(), "my card number is four one");
    assert_eq!(hearing.left_out().len(), 9);
}

/// How English speech is heard of which the model says that it is in these languages: of its end, of all of it.
#[track_caller]
fn check_language(
    ends: &[(&str, f64)],
    whole: &[(&str, f64)],
    again: Vec<HeardWord>,
    expected: &str,
    is_foreign: bool,
) {
    let voiced = [(0.5, 4.0)];
    let said = "I want two plants under twenty dollars each please";
    let mut ear = Script {
        answers: vec![words(said, 0.3), again],
        languages: languages(ends),
        whole: languages(whole),
        ..Script::default()
    };
    let hearing = transcribe(&mut ear, &sound(&voiced, 5.0), &voiced, ENGLISH).unwrap();
    assert_eq!(hearing.transcript.language.as_deref(), Some(expected));
    assert_eq!(hearing.transcript.text() == said, expected == "en");
    assert_eq!(!hearing.foreign.is_empty(), is_foreign);
}

#[test]
fn another_language_has_to_be_sure() {
    let other = || words("Ich suche zwei Pflanzen als Geschenk heute noch", 0.3);
    let german = [("de", 0.9), ("en", 0.02)];
    check_language(&german, &[], other(), "de", true);
    // Noise, music, an accent: the model likes one best and none much.
    check_language(&[("nn", 0.18), ("en", 0.12), ("cy", 0.1)], &[], other(), "en", false);
    check_language(&[("de", 0.45), ("nl", 0.4), ("en", 0.1)], &[], other(), "de", true);
    // The window's end is nearly silent.
    check_language(&german, &[("en", 0.9), ("de", 0.05)], other(), "en", false);
    // Whatever the sound is like, the words are English.
    check_language(&german, &[], believed(0.5, "Ei wont tu plents ander", 0.3), "en", false);
}

#[test]
fn a_garbled_window_is_asked_for_its_language_as_a_whole() {
    let voiced = [(0.5, 4.0)];
    let mut ear = Script {
        answers: vec![
            believed(0.4, "Each such is why fans and also", 0.3),
            words("Ich suche zwei Pflanzen als Geschenk heute noch", 0.3),
        ],
        languages: languages(&[("en", 0.9)]),
        whole: languages(&[("de", 0.9), ("en", 0.02)]),
        ..Script::default()
    };
    let hearing = transcribe(&mut ear, &sound(&voiced, 5.0), &voiced, ENGLISH).unwrap();
    assert!(hearing.transcript.text().starts_with("Ich suche") && hearing.is_other_language("en"));
}

#[test]
fn sound_without_words_is_in_no_language() {
    let voiced = [(0.5, 20.0), (22.0, 45.0)];
    let mut ear = Script {
        answers: vec![words("I want two plants under twenty dollars each please", 0.3)],
        languages: languages(&[("en", 0.95)]),
        then: languages(&[("nn", 0.95)]),
        ..Script::default()
    };
    let hearing = transcribe(&mut ear, &sound(&voiced, 46.0), &voiced, ENGLISH).unwrap();
    assert_eq!(hearing.foreign, []);
    assert_eq!(hearing.detected.map(|heard| heard.code).as_deref(), Some("en"));
}

#[test]
fn each_window_is_heard_in_its_own_language() {
    let voiced = [(0.5, 20.0), (22.0, 45.0)];
    let say = |text: &str| words(text, 0.3);
    let mut ear = Script {
        answers: vec![say("I want two plants"), say("Each such is why"), say("Ich suche zwei Pflanzen")],
        languages: vec![("en".to_owned(), 0.95), ("de".to_owned(), 0.05)],
        // It wavers, but English it is not.
        then: vec![("en".to_owned(), 0.1), ("de".to_owned(), 0.5), ("nl".to_owned(), 0.4)],
        ..Script::default()
    };
    let hearing = transcribe(&mut ear, &sound(&voiced, 46.0), &voiced, ENGLISH).unwrap();
    let text = hearing.transcript.text();
    assert!(text.contains("I want two plants") && text.contains("Ich suche"), "{text}");
    assert!(!text.contains("Each such"), "{text}");
    assert_eq!(hearing.foreign, [(22.0, 45.0)]);
    assert!(!hearing.is_other_language("en"), "half of it");
}

#[test]
fn stretches_without_words_are_found() {
    let check = |heard: Vec<HeardWord>, voiced: &[(f64, f64)], expected: &[(f64, f64)]| {
        let found = guard::passed_over(&heard, voiced);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found.0 - expected.0).abs() < 0.7 && (found.1 - expected.1).abs() < 0.7, "{found:?}");
        }
    };
    let sentence = "I want two plants under twenty dollars each please";
    check(words(sentence, 0.0), &[(0.0, 3.0)], &[]);
    check(Vec::new(), &[(0.0, 1.0), (5.0, 8.0)], &[(5.0, 8.0)]);
    check(words(sentence, 0.0), &[(0.0, 9.0)], &[(3.0, 9.0)]);
    // "Opening the Aloe Vera." is short, and a whole sentence.
    check(words(sentence, 0.0), &[(0.0, 3.0), (4.85, 6.2)], &[(4.85, 6.2)]);
    // A word that the model stretched over the hole does not hide it.
    let mut held = words("see it now and then", 6.0);
    held.insert(0, word("I", 0.0, 5.9));
    check(held, &[(0.0, 7.7)], &[(0.6, 6.0)]);
    check(Vec::new(), &[(0.0, 3.0), (4.0, 8.0)], &[(0.0, 8.0)]);
}

#[test]
fn a_lost_stretch_is_heard_again_and_spliced_in() {
    let voiced = [(0.5, 4.0), (6.0, 10.0)];
    let samples = sound(&voiced, 11.0);
    let lost = words("Opening the Aloe Vera to see its size please", 0.4);
    let mut ear =
        Script { answers: vec![words("I want two plants as a gift", 0.3), Vec::new(), lost], ..Script::default() };
    let hearing = transcribe(&mut ear, &samples, &voiced, ENGLISH).unwrap();
    let text = hearing.transcript.text();
    assert_eq!(text, "I want two plants as a gift Opening the Aloe Vera to see its size please");
    let how: Vec<_> =
        ear.asked.iter().map(|(_, _, without_prompt, temperature)| (*without_prompt, *temperature)).collect();
    assert_eq!(how, [(false, 0.0), (true, 0.0), (true, SECOND_TEMPERATURE)]);
    assert!(
        hearing
            .transcript
            .words()
            .all(|word| voiced.iter().any(|span| word.start >= span.0 && word.end <= span.1 + 0.05))
    );
    assert!(hearing.unheard.is_empty());
}

#[test]
fn speech_that_stays_unheard_is_reported() {
    let voiced = [(1.0, 6.0)];
    let hearing = transcribe(&mut Script::default(), &sound(&voiced, 8.0), &voiced, ENGLISH).unwrap();
    assert_eq!(hearing.unheard, voiced);
    assert_eq!(hearing.transcript, Transcript::default());
}

#[test]
fn figures_of_the_screen_stay_out_of_the_prompt_and_speech_ends_it() {
    let told = prompt("en", "Aloe Vera, $8.39, Spiky Cactus, $18.60");
    assert!(told.contains("Aloe Vera, Spiky Cactus, size"), "{told}");
    assert!(told.ends_with(SHOPPING_SPEECH));
    assert_eq!(prompt("de", "Zimmerpflanzen, 12"), "Zimmerpflanzen");
}

#[test]
fn another_language_is_reported_and_decoded_as_such() {
    let voiced = [(0.5, 4.0)];
    let german = words("Ich suche zwei Pflanzen als Geschenk heute noch", 0.3);
    let mut ear = Script {
        answers: vec![words("Each such is why", 0.3), german],
        languages: vec![("de".to_owned(), 0.9), ("en".to_owned(), 0.1)],
        ..Script::default()
    };
    let hearing = transcribe(&mut ear, &sound(&voiced, 5.0), &voiced, ENGLISH).unwrap();
    assert_eq!(hearing.transcript.language.as_deref(), Some("de"));
    assert!(hearing.transcript.text().starts_with("Ich suche"));
    assert!(hearing.is_other_language("en") && !hearing.is_other_language("de"));
}

#[test]
fn a_word_starts_at_the_onset_of_its_sound() {
    let voiced = [(1.0, 1.5), (3.0, 4.0)];
    let samples = sound(&voiced, 5.0);
    // The model's attention moved to "two" when "one" ended, long before it was said.
    let mut heard = vec![word("one", 0.9, 1.5), word("two", 1.5, 3.4), word("three", 3.4, 3.9)];
    timing::settle(&mut heard, &voiced, &sound::Sound::new(&samples).unwrap());
    let starts: Vec<f64> = heard.iter().map(|word| word.start).collect();
    for (start, expected) in starts.iter().zip([1.0, 3.0, 3.4]) {
        assert!((start - expected).abs() < 0.02, "{starts:?}");
    }
    assert!(heard.windows(2).all(|pair| pair[0].end <= pair[1].start), "{heard:?}");
}

#[test]
fn segments_end_with_sentences_and_pauses() {
    let mut heard = words("I want shoes. Black ones", 0.0);
    heard.extend(words("under $53.94 please", 10.0));
    let told: Vec<String> = segments(heard).into_iter().map(|segment| segment.text).collect();
    assert_eq!(told, ["I want shoes.", "Black ones", "under $53.94 please"]);
}

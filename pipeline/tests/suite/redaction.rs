//! What is found and covered of planted private data in text and speech, and what of a shop's own text survives. The
//! figures are printed and held against the bars.

use crate::planted::{self, Chance, PRIVATE_KINDS, leaves, private_text, public_text};
use pipeline::passes::redact::Redactor;
use shared_types::redaction::PiiKind;
use shared_types::transcript::{Segment, Transcript, Word};

const SEED: u64 = 20_261_125;
const OF_EACH: usize = 250;
const LEAST_RECALL: f64 = 0.98;
const MOST_FALSE: f64 = 0.01;

fn redacted(text: &str) -> String {
    Redactor::default().text(text).into_inner()
}

#[test]
fn planted_private_data_is_gone_from_texts_and_prices_stay() {
    let mut chance = Chance::new(SEED);
    let (mut found, mut all) = (0, 0);
    let mut missed = Vec::new();
    for &kind in PRIVATE_KINDS {
        let mut of_kind = 0;
        for _ in 0..OF_EACH {
            let (text, value) = private_text(kind, &mut chance);
            let left = redacted(&text);
            if leaves(&value, &left) {
                missed.push(format!("{text}  ->  {left}"));
            } else {
                of_kind += 1;
            }
        }
        println!("{kind:?}: {of_kind} of {OF_EACH}");
        (found, all) = (found + of_kind, all + OF_EACH);
    }
    let safe: Vec<String> = (0..2000).map(|_| public_text(&mut chance)).collect();
    let touched: Vec<String> = safe
        .iter()
        .filter(|text| redacted(text) != **text)
        .map(|text| format!("{text}  ->  {}", redacted(text)))
        .collect();
    let (recall, false_share) =
        (f64::from(found as u32) / f64::from(all as u32), touched.len() as f64 / safe.len() as f64);
    println!("text: recall {recall:.4} of {all}, false hits {false_share:.4} of {}", safe.len());
    assert!(recall >= LEAST_RECALL, "{recall}: {:#?}", &missed[..missed.len().min(40)]);
    assert!(false_share <= MOST_FALSE, "{false_share}: {:#?}", &touched[..touched.len().min(40)]);
}

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// A word every half second.
fn talk(text: &str) -> Transcript {
    let words: Vec<Word> = text
        .split_whitespace()
        .enumerate()
        .map(|(at, word)| Word { w: word.into(), start: at as f64 / 2.0, end: at as f64 / 2.0 + 0.4, p: 0.9 })
        .collect();
    let end = words.last().map_or(0.0, |word| word.end);
    Transcript { language: Some("en".into()), segments: vec![Segment { start: 0.0, end, text: text.into(), words }] }
}

#[test]
fn what_is_said_is_gone_from_words_and_sound() {
    let mut chance = Chance::new(SEED + 1);
    let (mut found, mut all, mut missed) = (0, 0, Vec::new());
    for round in 0..300 {
        let (before, value) = match round % 3 {
            0 => ("so my card number is", planted::card(&mut chance)),
            1 => ("call me, my phone number is", planted::phone(&mut chance).replace('+', "")),
            _ => ("and the security code is", chance.digits(3)),
        };
        let digits: Vec<&str> =
            value.chars().filter_map(|c| c.to_digit(10)).map(|digit| DIGITS[digit as usize]).collect();
        let text = format!("{before} {} and then I look at shoes for fifty nine ninety nine", digits.join(" "));
        let said = talk(&text);
        let redactor = Redactor::new(&[], 60.0, &said, &[]);
        let left = redactor.transcript(&said).into_inner().text();
        all += 1;
        let first = before.split_whitespace().count() as f64 / 2.0;
        let last = first + (digits.len() - 1) as f64 / 2.0 + 0.4;
        let is_silent = redactor.muted().iter().any(|span| span.start <= first && span.end >= last);
        let keeps_the_rest =
            left.starts_with(before) && left.ends_with("and then I look at shoes for fifty nine ninety nine");
        if is_silent && keeps_the_rest && !left.contains(&digits.join(" ")) {
            found += 1;
        } else {
            missed.push(format!("{text}  ->  {left}"));
        }
    }
    let recall = f64::from(found) / f64::from(all);
    println!("speech: recall {recall:.4} of {all}");
    assert!(recall >= LEAST_RECALL, "{recall}: {:#?}", &missed[..missed.len().min(20)]);
}

/// Words that the speech model hardly believes, or repetitions that it is not believed, are to be heard all the same.
#[test]
fn what_the_transcript_leaves_out_is_silent_too() {
    let said = talk("my card number is four one one one and then I look at shoes please");
    let word = |index: u32, w: &str| {
        let start = 3.9 + f64::from(index) * 0.008;
        Word { w: w.to_owned(), start, end: start + 0.006, p: 0.2 }
    };
    let left_out: Vec<Word> = (0..12).map(|index| word(index, "one")).collect();
    let mut redactor = Redactor::new(&[], 60.0, &said, &[]);
    assert_eq!(redactor.muted(), []);
    redactor.add_left_out(&said, &left_out);
    let muted = redactor.muted();
    assert_eq!(muted.len(), 1);
    assert!(muted[0].start < 2.0 && muted[0].end > 4.2, "{muted:?}");
    let left = redactor.transcript(&said).into_inner().text();
    assert!(!left.contains("four") && left.ends_with("and then I look at shoes please"), "{left}");
    let mut unmoved = Redactor::new(&[], 60.0, &said, &[]);
    unmoved.add_left_out(&said, &[word(0, "hm"), word(1, "well")]);
    assert_eq!(unmoved.muted(), []);
}

#[test]
fn a_transcript_keeps_its_times_and_plan_and_text_say_where() {
    let said = talk("write to jane.doe@gmail.com or call 206-555-0123 please");
    let redactor = Redactor::new(&[], 10.0, &said, &["jane.doe@gmail.com - Mail"]);
    let left = redactor.transcript(&said).into_inner();
    assert_eq!(left.text(), "write to [email] or call [phone] please");
    assert_eq!(left.segments[0].words.len(), 7);
    assert_eq!((left.segments[0].words[2].start, left.segments[0].words[2].end), (1.0, 1.4));
    let plan = redactor.plan(&[(0.0, "jane.doe@gmail.com - Mail"), (3.0, "Cart")]);
    let kinds: Vec<PiiKind> = plan.sounds.iter().map(|sound| sound.kind).collect();
    assert_eq!(kinds, [PiiKind::Email, PiiKind::Phone]);
    assert!(plan.texts.iter().any(|text| text.kind == PiiKind::Email && text.span.end > 2.9));
    let text = serde_json::to_string(&plan).unwrap_or_default();
    assert!(!text.contains("jane") && !text.contains("0123"), "{text}");
}

//! Private data that is said: as the transcript writes it, and digits read out one by one or in pairs.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::quality::measurements::Span;
use shared_types::transcript::{Transcript, Word};

use super::text::has_card_digits;
use super::{Known, Pii, PiiKind, Place, find_all};
use crate::numerals;

/// Digits of one number are said without longer pauses than this.
const MAX_PAUSE_SECS: f64 = 2.5;
/// The words before a number that may say what it is.
const LABEL_WORDS: usize = 8;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static PHONE_LABEL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:phone|mobile|cell|telephone|call me|text me|my number)\b"));
static CARD_LABEL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:card|visa|mastercard|master card|amex|american express|discover)\b"));
/// Numbers of orders and parcels, which are longer than any price that is said.
static ORDER_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:order|tracking|confirmation|account|membership|member) (?:number|id|code|no)\b")
});
static CVV_LABEL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:cvv|cvc|c v v|c v c|security code|security number)\b"));
static SPOKEN_EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b[a-z0-9]+(?:(?: dot | underscore | dash )[a-z0-9]+)*(?: at )[a-z0-9-]+(?: dot [a-z0-9]+)* dot (?:com|org|net|edu|de|io|co|uk|fr|eu|gov)\b",
    )
});

/// What is said and private.
pub fn find_spoken(transcript: &Transcript, known: &Known) -> Vec<Pii> {
    let words: Vec<&Word> = transcript.words().collect();
    let mut found = digit_runs(&words);
    // The text of all words, so that what spans two segments is found too.
    let mut text = String::new();
    let mut starts = Vec::new();
    for word in &words {
        starts.push(text.len());
        text.push_str(word.w.trim());
        text.push(' ');
    }
    let mut add = |kind: PiiKind, from: usize, to: usize| {
        let first = starts.partition_point(|&start| start <= from).saturating_sub(1);
        let last = starts.partition_point(|&start| start < to).saturating_sub(1);
        if let (Some(first), Some(last)) = (words.get(first), words.get(last)) {
            found.push(said(kind, first, last));
        }
    };
    for hit in find_all(text.trim_end(), known) {
        add(hit.kind, hit.start, hit.end);
    }
    for hit in SPOKEN_EMAIL.find_iter(&text) {
        add(PiiKind::Email, hit.start(), hit.end());
    }
    // A model that gives no times of words leaves only the segment's.
    for segment in transcript.segments.iter().filter(|segment| segment.words.is_empty()) {
        for hit in find_all(&segment.text, known) {
            let span = Span::new(segment.start, segment.end);
            found.push(Pii { kind: hit.kind, span, place: Place::Words(span) });
        }
    }
    found.sort_by(|a, b| a.span.start.total_cmp(&b.span.start).then(a.kind.cmp(&b.kind)));
    found.dedup_by(|b, a| a.kind == b.kind && b.span.start < a.span.end);
    found
}

fn said(kind: PiiKind, first: &Word, last: &Word) -> Pii {
    let span = Span::new(first.start, last.end);
    Pii { kind, span, place: Place::Words(span) }
}

/// Numbers read out: a card's, a phone's or a security code's digits.
fn digit_runs(words: &[&Word]) -> Vec<Pii> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Run { digits, end } = run_from(words, at);
        if digits.is_empty() {
            at += 1;
            continue;
        }
        let label: String = words[at.saturating_sub(LABEL_WORDS)..at].iter().map(|word| plain(&word.w) + " ").collect();
        let kind = match digits.len() {
            13..=19 if has_card_digits(&digits) => Some(PiiKind::PaymentCard),
            // A digit that was heard wrongly fails the check, and is a card's all the same.
            12..=19 if CARD_LABEL.is_match(&label) => Some(PiiKind::PaymentCard),
            5..=30 if ORDER_LABEL.is_match(&label) => Some(PiiKind::OrderNumber),
            7..=15 if PHONE_LABEL.is_match(&label) => Some(PiiKind::Phone),
            3 | 4 if CVV_LABEL.is_match(&label) => Some(PiiKind::Cvv),
            _ => None,
        };
        if let Some(kind) = kind {
            found.push(said(kind, words[at], words[end - 1]));
        }
        at = end;
    }
    found
}

struct Run {
    digits: Vec<u32>,
    /// One past the last word.
    end: usize,
}

fn run_from(words: &[&Word], start: usize) -> Run {
    let mut digits: Vec<u32> = Vec::new();
    let mut end = start;
    let mut repeat = 1;
    let mut awaits_unit = false;
    for (at, word) in words.iter().enumerate().skip(start) {
        if at > start && word.start - words[at - 1].end > MAX_PAUSE_SECS {
            break;
        }
        for part in plain(&word.w).split(['-', ' ']).filter(|part| !part.is_empty()) {
            match said_digits(part) {
                Said::Digits(more) => {
                    // "forty one" is 41, not 40 1.
                    if awaits_unit && more.len() == 1 && more[0] != 0 && repeat == 1 {
                        digits.pop();
                    }
                    awaits_unit = more.len() == 2 && more[1] == 0 && part.ends_with("ty");
                    digits.extend(more.repeat(repeat));
                    repeat = 1;
                    end = at + 1;
                }
                Said::Repeat(times) => repeat = times,
                Said::Filler if end > start => {}
                Said::Filler | Said::Other => return Run { digits, end: end.max(start + 1) },
            }
        }
    }
    Run { digits, end: end.max(start + 1) }
}

enum Said {
    Digits(Vec<u32>),
    /// "double five"
    Repeat(usize),
    Filler,
    Other,
}

fn said_digits(word: &str) -> Said {
    if word.chars().all(|c| c.is_ascii_digit()) {
        return Said::Digits(super::text::digits(word));
    }
    match word {
        "oh" | "o" => return Said::Digits(vec![0]),
        "double" => return Said::Repeat(2),
        "triple" => return Said::Repeat(3),
        "um" | "uh" | "dash" | "space" | "then" => return Said::Filler,
        _ => {}
    }
    match numerals::value(word) {
        Some(number @ 0..10) => Said::Digits(vec![number]),
        Some(number) => Said::Digits(vec![number / 10, number % 10]),
        None => Said::Other,
    }
}

fn plain(word: &str) -> String {
    word.trim().trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

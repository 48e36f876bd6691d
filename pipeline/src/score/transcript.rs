//! Word error rate, and how far the starts of agreeing words are apart.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::numerals::{SMALL, TENS};

use super::likeness::shared_runs;
use super::{ScoreError, median, rounded};

/// Text and timed words of a transcript, in any of the forms met: ours, a list of segments, words alone, plain text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Spoken {
    pub(super) text: String,
    pub(super) words: Vec<(String, f64)>,
    /// Where a sentence goes on that is not written down: the recording ends in it (`cut` in a corpus).
    unfinished: Vec<(f64, f64)>,
}

impl Spoken {
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Without the words of which the truth does not say whether they were said.
    fn where_known(&self, truth: &Self) -> Self {
        let is_open = |start: f64| truth.unfinished.iter().any(|(from, to)| (*from..=*to).contains(&start));
        let words: Vec<_> = self.words.iter().filter(|(_, start)| !is_open(*start)).cloned().collect();
        let text = if words.len() == self.words.len() { self.text.clone() } else { joined(&words) };
        Self { text, words, unfinished: Vec::new() }
    }
}

fn joined(words: &[(String, f64)]) -> String {
    words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TranscriptScore {
    pub wer: f64,
    pub substitutions: usize,
    pub deletions: usize,
    pub insertions: usize,
    pub words: usize,
    #[serde(flatten)]
    pub times: Option<TimeScore>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeScore {
    pub median_word_start_error_s: Option<f64>,
    pub words_timed: usize,
}

pub(super) fn read(path: &Path) -> Result<Spoken, ScoreError> {
    let text = super::read_text(path)?;
    let Ok(value) = serde_json::from_str::<Value>(&text) else { return Ok(Spoken::plain(&text)) };
    parse(&value).ok_or_else(|| ScoreError::NotATranscript {
        path: path.to_owned(),
        reason: "it is JSON, but neither an object with `segments`, `words` or `text` nor a list of segments"
            .to_owned(),
    })
}

fn parse(value: &Value) -> Option<Spoken> {
    let segments = match value {
        Value::Array(list) => list,
        Value::Object(table) => {
            let list = table.get("segments").or_else(|| table.get("words")).and_then(Value::as_array);
            match (table.get("text").and_then(Value::as_str), list) {
                (Some(text), None) => return Some(Spoken::plain(text)),
                (Some(text), Some(list)) if list.is_empty() => return Some(Spoken::plain(text)),
                (_, list) => list?,
            }
        }
        _ => return None,
    };
    let words: Vec<_> =
        segments.iter().filter_map(|segment| segment.get("words")?.as_array()).flatten().filter_map(timed).collect();
    let are_words = segments
        .first()
        .is_some_and(|first| first.get("start").is_some() && (first.get("w").is_some() || first.get("word").is_some()));
    if words.is_empty() && are_words {
        let words: Vec<_> = segments.iter().filter_map(timed).collect();
        return Some(Spoken { text: joined(&words), words, unfinished: Vec::new() });
    }
    let text = segments.iter().map(|segment| segment.get("text").and_then(Value::as_str).unwrap_or_default());
    let unfinished = segments.iter().filter_map(unfinished).collect();
    Some(Spoken { text: text.collect::<Vec<_>>().join(" "), words, unfinished })
}

/// From the end of a cut sentence's last whole word to the end of the sentence.
fn unfinished(segment: &Value) -> Option<(f64, f64)> {
    segment.get("cut")?.as_bool().filter(|cut| *cut)?;
    Some((segment.get("words")?.as_array()?.last()?.get("end")?.as_f64()?, segment.get("end")?.as_f64()?))
}

fn timed(word: &Value) -> Option<(String, f64)> {
    let text = ["w", "word", "text"].iter().find_map(|name| word.get(name)?.as_str().filter(|text| !text.is_empty()));
    Some((text?.to_owned(), word.get("start")?.as_f64()?))
}

pub(super) fn score(truth: &Spoken, heard: &Spoken) -> TranscriptScore {
    let heard = &heard.where_known(truth);
    let (truth_words, heard_words) = (normalised(&truth.text), normalised(&heard.text));
    let errors = errors(&truth_words, &heard_words);
    let wer = match (truth_words.len(), heard_words.len()) {
        (0, 0) => 0.0,
        (0, _) => 1.0,
        (count, _) => rounded(errors.cost as f64 / count as f64, 4),
    };
    let both_timed = !truth.words.is_empty() && !heard.words.is_empty();
    TranscriptScore {
        wer,
        substitutions: errors.substitutions,
        deletions: errors.deletions,
        insertions: errors.insertions,
        words: truth_words.len(),
        times: both_timed.then(|| time_errors(&truth.words, &heard.words)),
    }
}

fn time_errors(truth: &[(String, f64)], heard: &[(String, f64)]) -> TimeScore {
    let first_words = |words: &[(String, f64)]| -> (Vec<String>, Vec<f64>) {
        words.iter().filter_map(|(word, start)| Some((normalised(word).into_iter().next()?, *start))).unzip()
    };
    let ((truth, truth_starts), (heard, heard_starts)) = (first_words(truth), first_words(heard));
    let errors: Vec<f64> = shared_runs(&truth, &heard)
        .into_iter()
        .flat_map(|run| (0..run.length).map(move |k| (run.a + k, run.b + k)))
        .map(|(a, b)| (truth_starts[a] - heard_starts[b]).abs())
        .collect();
    TimeScore { words_timed: errors.len(), median_word_start_error_s: median(errors) }
}

/// Ordered so that of equally cheap ways the one with fewest substitutions, then deletions, is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Errors {
    cost: usize,
    substitutions: usize,
    deletions: usize,
    insertions: usize,
}

impl Errors {
    fn plus(self, substitutions: usize, deletions: usize, insertions: usize) -> Self {
        Self {
            cost: self.cost + 1,
            substitutions: self.substitutions + substitutions,
            deletions: self.deletions + deletions,
            insertions: self.insertions + insertions,
        }
    }
}

fn errors(truth: &[String], heard: &[String]) -> Errors {
    let none = Errors { cost: 0, substitutions: 0, deletions: 0, insertions: 0 };
    let mut above: Vec<Errors> =
        (0..=heard.len()).map(|count| Errors { cost: count, insertions: count, ..none }).collect();
    for (row, word) in truth.iter().enumerate() {
        let mut current = Vec::with_capacity(above.len());
        current.push(Errors { cost: row + 1, deletions: row + 1, ..none });
        for (column, other) in heard.iter().enumerate() {
            let best = if word == other {
                above[column]
            } else {
                above[column].plus(1, 0, 0).min(above[column + 1].plus(0, 1, 0)).min(current[column].plus(0, 0, 1))
            };
            current.push(best);
        }
        above = current;
    }
    above.last().copied().unwrap_or(none)
}

/// Words in lower case, numbers spelled out, the currency after its amount, "ok" as "okay", no punctuation but
/// apostrophes within words.
pub(super) fn normalised(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace('\u{2019}', "'").replace(",000", "000");
    let text: Vec<char> = text.chars().collect();
    let text = join_thousands(&amounts_in_words(&text));
    let text = letters_only(&replace_ok(&spell_numbers(&text)));
    text.split_whitespace()
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_word(letter: Option<&char>) -> bool {
    letter.is_some_and(|letter| letter.is_alphanumeric() || *letter == '_')
}

fn digits_at(text: &[char], at: usize) -> usize {
    text[at.min(text.len())..].iter().take_while(|letter| letter.is_ascii_digit()).count()
}

/// "$53.94" becomes "53 dollars 94", "$1,200" becomes "1200 dollars".
fn amounts_in_words(text: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let from = at + 1 + usize::from(text.get(at + 1).is_some_and(|letter| letter.is_whitespace()));
        let whole = digits_at(text, from);
        if text[at] != '$' || whole == 0 {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let cents = from + whole + 1;
        let has_cents =
            text.get(from + whole) == Some(&'.') && digits_at(text, cents) == 2 && !is_word(text.get(cents + 2));
        if has_cents {
            out.extend(&text[from..from + whole]);
            out.extend(" dollars ".chars());
            at = cents;
        } else {
            let number = text[from..].iter().take_while(|letter| letter.is_ascii_digit() || **letter == ',');
            let length = number.clone().count();
            out.extend(number.filter(|letter| **letter != ','));
            out.extend(" dollars".chars());
            at = from + length;
        }
    }
    out
}

/// "1,200" becomes "1200".
fn join_thousands(text: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let is_group = text[at].is_ascii_digit()
            && text.get(at + 1) == Some(&',')
            && digits_at(text, at + 2) == 3
            && !is_word(text.get(at + 5));
        out.push(text[at]);
        at += 1;
        if is_group {
            out.extend(&text[at + 1..at + 4]);
            at += 4;
        }
    }
    out
}

fn spell_numbers(text: &[char]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < text.len() {
        let digits = digits_at(text, at);
        if digits == 0 {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let number: String = text[at..at + digits].iter().collect();
        out.push(' ');
        // A number too long to say is no word; like other digits it is dropped later.
        if let Some(words) = number.parse().ok().and_then(spelled) {
            out.push_str(&words);
        }
        out.push(' ');
        at += digits;
    }
    out
}

/// The words of a number below a million.
fn spelled(number: u64) -> Option<String> {
    let (head, rest) = match number {
        0..20 => return Some(SMALL[number as usize].to_owned()),
        20..100 => (TENS[number as usize / 10 - 2].to_owned(), number % 10),
        100..1000 => (format!("{} hundred", SMALL[number as usize / 100]), number % 100),
        1000..1_000_000 => (format!("{} thousand", spelled(number / 1000)?), number % 1000),
        _ => return None,
    };
    Some(if rest == 0 { head } else { format!("{head} {}", spelled(rest)?) })
}

fn replace_ok(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for run in text.split_inclusive(|letter: char| !is_word(Some(&letter))) {
        let word = run.trim_end_matches(|letter: char| !is_word(Some(&letter)));
        out.push_str(if word == "ok" { "okay" } else { word });
        out.push_str(&run[word.len()..]);
    }
    out
}

fn letters_only(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_lowercase() || letter == '\'' { letter } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalisation_rows() {
        let rows = [
            ("OK, that's $53.94!", "okay that's fifty three dollars ninety four"),
            ("ok ok. Book, oak, okra", "okay okay book oak okra"),
            (
                "$ 1,200 or 1,234 or 12,000",
                "one thousand two hundred dollars or one thousand two hundred thirty four or twelve thousand",
            ),
            ("$5.999 and $7.5", "five dollars nine hundred ninety nine and seven dollars five"),
            ("size 42, a 9-year-old, 0 left", "size forty two a nine year old zero left"),
            ("'quoted' don\u{2019}t", "quoted don't"),
            ("100000 1000000 105", "one hundred thousand one hundred five"),
            ("$", ""),
        ];
        for (text, expected) in rows {
            assert_eq!(normalised(text).join(" "), expected, "{text}");
        }
    }

    fn spoken(text: &str) -> Spoken {
        let words = text.split(' ').enumerate().map(|(index, word)| (word.to_owned(), index as f64)).collect();
        Spoken { words, ..Spoken::plain(text) }
    }

    #[test]
    fn what_a_cut_sentence_went_on_with_is_neither_right_nor_wrong() {
        let truth = |cut: bool| {
            let words =
                serde_json::json!([{"w": "In", "start": 0.0, "end": 0.9}, {"w": "stock.", "start": 1.0, "end": 1.6}]);
            parse(&serde_json::json!([{"text": "In stock.", "words": words, "start": 0.0, "end": 4.0, "cut": cut}]))
                .unwrap()
        };
        let heard = spoken("In stock. I'll take");
        assert_eq!(score(&truth(true), &heard).insertions, 0);
        assert_eq!(score(&truth(false), &heard).insertions, 2);
        assert_eq!(score(&truth(true), &spoken("In stocks")).substitutions, 1);
    }

    #[test]
    fn error_rate_rows() {
        let rows = [
            ("I want two plants", "I want two plants", (0, 0, 0), 0.0),
            ("I want two plants", "I want 2 plants", (0, 0, 0), 0.0),
            ("I want two plants", "I won two big plants", (1, 0, 1), 0.5),
            ("I want two plants", "", (0, 4, 0), 1.0),
        ];
        for (truth, heard, counts, wer) in rows {
            let score = score(&spoken(truth), &spoken(heard));
            assert_eq!((score.substitutions, score.deletions, score.insertions), counts, "{heard}");
            assert!((score.wer - wer).abs() < 1e-9, "{heard}");
        }
    }

    #[test]
    fn times_are_compared_where_words_agree() {
        let mut heard = spoken("I want too plants");
        for (_, start) in &mut heard.words {
            *start += 0.25;
        }
        let times = score(&spoken("I want two plants"), &heard).times.unwrap();
        assert_eq!((times.median_word_start_error_s, times.words_timed), (Some(0.25), 3));
    }

    #[test]
    fn every_form_of_transcript_is_read() {
        let segments = serde_json::json!([{"text": "Hi there", "words": [{"w": "Hi", "start": 1.0}, {"w": "there", "start": 1.5}]}]);
        let expected = parse(&segments).unwrap();
        assert_eq!(expected.words.len(), 2);
        assert_eq!(parse(&serde_json::json!({"language": "en", "segments": segments})).unwrap(), expected);
        let words = serde_json::json!({"words": [{"word": "Hi", "start": 1.0}, {"word": "there", "start": 1.5}]});
        assert_eq!(parse(&words).unwrap(), expected);
        assert_eq!(parse(&serde_json::json!({"text": "Hi there"})).unwrap().text, "Hi there");
        assert!(parse(&serde_json::json!(7)).is_none());
    }
}

//! Security codes of cards: three or four digits, which stand in every price, so that only their surroundings tell. What
//! a reader makes of so few digits is often no number any more, so their form counts for little.

use strsim::normalized_levenshtein;

use super::screen::plain_label;
use crate::models::ocr::TextLine;

/// How a label is abbreviated, and what readers make of it.
const SHORT_NAMES: &[&str] = &[
    "cvv", "cvv2", "cvc", "cvc2", "csc", "cvn", "cvn2", "cvd", "ccv", "cw", "cw2", "cvw", "cwv", "cvy", "cv2", "cvvz",
    "gvv", "gvc", "ovv",
];
const LONG_NAMES: &[&str] =
    &["security code", "card security code", "card verification", "card code", "security number"];
/// Two readings of one label are at least this alike.
const SAME_NAME: f64 = 0.8;
const MOST_LABEL_WORDS: usize = 8;
const LONGEST_LABEL: usize = 48;
const LONGEST_CODE: usize = 6;
/// What digits, and the dots that hide them, are read as.
const LIKE_DIGITS: &str = "OoQDCIlTiSsBZzGgqbA|!&?*•●·";

/// `CVV`, `CVV/CVC`, `CVV (3 digits)`, `Security code *`.
pub(super) fn is_code_label(text: &str) -> bool {
    let plain = plain_label(text);
    if plain.chars().count() > LONGEST_LABEL || is_code_value(&plain) {
        return false;
    }
    let words: Vec<&str> = words_of(&plain);
    if words.len() > MOST_LABEL_WORDS {
        return false;
    }
    let is_long = LONG_NAMES.iter().any(|name| {
        let count = name.split(' ').count();
        words.len() >= count && normalized_levenshtein(&words[..count].join(" "), name) >= SAME_NAME
    });
    is_long || words.iter().take(2).any(|word| SHORT_NAMES.contains(word))
}

fn words_of(plain: &str) -> Vec<&str> {
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

fn is_code_value(text: &str) -> bool {
    let count = text.chars().count();
    count > 0 && count <= LONGEST_CODE && text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace())
}

/// What may be a code, well or badly read: few characters that are no word.
pub(super) fn is_code(value: &str) -> bool {
    let value = value.trim();
    let is_short = (1..=LONGEST_CODE).contains(&value.chars().count());
    let is_other = value.contains(['/', '.', ',', '$', '€', '£', '%']) || is_code_label(value);
    let like_digits = value.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || LIKE_DIGITS.contains(c));
    is_short && !is_other && (like_digits || value.contains(|c: char| c.is_ascii_digit()))
}

/// The code behind its label in one line, by bytes: `CVV 12O`.
pub(super) fn code_behind_label(text: &str) -> Option<(usize, usize)> {
    let value = text.trim_end();
    let start = last_word(value)?;
    let (label, code) = (&value[..start], &value[start..]);
    // "CVV (3 digits)" and "CVV code" are labels to their end.
    let is_value = is_code(code) && code.chars().filter(char::is_ascii_digit).count() * 3 >= code.chars().count();
    (is_value && is_code_label(label)).then_some((start, value.len()))
}

/// Where the last word begins, if there are others before it.
fn last_word(text: &str) -> Option<usize> {
    let (at, space) = text.char_indices().rev().find(|(_, c)| c.is_whitespace())?;
    Some(at + space.len_utf8())
}

/// Three or four digits at the end of a card number's own line.
pub(super) fn code_behind_card(text: &str, card_end: usize) -> Option<(usize, usize)> {
    let rest = text.get(card_end..)?.trim_end();
    let start = last_word(rest)?;
    is_three_or_four(&rest[start..]).then_some((card_end + start, card_end + rest.len()))
}

/// Three or four digits right of a card number, in its row.
pub(super) fn code_beside(card: &TextLine, lines: &[TextLine]) -> Vec<usize> {
    let in_row = |line: &TextLine| (line.middle_y() - card.middle_y()).abs() < card.bounds[3] / 2.0;
    let is_right = |line: &TextLine| line.bounds[0] >= card.right();
    let all = lines.iter().enumerate();
    all.filter(|(_, line)| in_row(line) && is_right(line) && is_three_or_four(line.text.trim()))
        .map(|(at, _)| at)
        .collect()
}

fn is_three_or_four(text: &str) -> bool {
    (3..=4).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit())
}

/// A field for a code, known by the label that stood in it while it was empty. The label is gone once somebody types, so
/// the field is told by its place, on a page that otherwise looks the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    label: TextLine,
    around: Vec<TextLine>,
}

/// Of the lines around a field this share must still be there for a page to be the same.
const SAME_PAGE: f64 = 0.4;

impl Field {
    pub(super) fn all_on(lines: &[TextLine]) -> Vec<Self> {
        let labels = lines.iter().filter(|line| is_code_label(&line.text));
        labels.map(|label| Self { label: label.clone(), around: others(lines, label) }).collect()
    }

    pub(super) fn value_in(&self, lines: &[TextLine]) -> Option<usize> {
        let at = lines.iter().position(|line| is_at(line, &self.label) && is_code(&line.text))?;
        let is_still = |line: &&TextLine| lines.iter().any(|other| other.text == line.text && is_at(other, line));
        let still = self.around.iter().filter(is_still).count();
        (still > 0 && still as f64 >= SAME_PAGE * self.around.len() as f64).then_some(at)
    }
}

fn others(lines: &[TextLine], label: &TextLine) -> Vec<TextLine> {
    lines.iter().filter(|line| !std::ptr::eq(*line, label)).cloned().collect()
}

/// Whether two lines begin at one place.
fn is_at(a: &TextLine, b: &TextLine) -> bool {
    let height = a.bounds[3].max(b.bounds[3]);
    (a.middle_y() - b.middle_y()).abs() < height / 2.0 && (a.bounds[0] - b.bounds[0]).abs() < height
}

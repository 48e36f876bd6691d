//! Words made comparable: lower case, without plural and possessive endings, number words as digits, and close
//! synonyms under one name.

use super::amount::small_number;

/// A word of a text by its stem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) stem: String,
    /// Byte of the text where it begins.
    pub(super) start: usize,
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_inside = c.is_alphanumeric()
            || (matches!(c, '\'' | '’') && start.is_some())
            || (c == '.' && start.is_some() && text[..at].ends_with(digit) && text[at + 1..].starts_with(digit));
        match (start, is_inside) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                found.push(Token { stem: stem(&text[from..at]), start: from });
                start = None;
            }
            _ => {}
        }
    }
    found
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

pub(super) fn stems(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|token| token.stem).collect()
}

/// Words of one meaning to a shopper; the first of a row stands for all.
const SYNONYMS: &[&[&str]] = &[
    &["shoe", "sneaker", "trainer", "footwear"],
    &["gift", "present"],
    &["mom", "mum", "mother", "mommy", "mama"],
    &["dad", "father", "daddy", "papa"],
    &["woman", "lady"],
    &["kid", "child"],
    &["wife", "spouse"],
    &["grandmother", "grandma", "granny"],
    &["grandfather", "grandpa"],
    &["gray", "grey"],
    &["jewelry", "jewellery"],
    &["couch", "sofa"],
    &["headphone", "headset"],
    &["earbud", "earphone"],
    &["pants", "trouser"],
    &["phone", "smartphone"],
    &["tv", "television"],
    &["backpack", "rucksack"],
    &["petite", "petit"],
    &["cheap", "affordable", "inexpensive"],
];

/// Words whose plural the endings do not tell.
const IRREGULAR: &[(&str, &str)] = &[
    ("women", "woman"),
    ("men", "man"),
    ("children", "child"),
    ("feet", "foot"),
    ("knives", "knife"),
    ("shelves", "shelf"),
    ("pants", "pants"),
    ("shoes", "shoe"),
    ("movies", "movie"),
    ("cookies", "cookie"),
];

pub(super) fn stem(word: &str) -> String {
    let lower = word.to_lowercase().replace('’', "'");
    let lower = lower.strip_suffix("'s").unwrap_or(&lower).trim_matches('\'');
    if let Some(number) = small_number(lower) {
        return number.to_string();
    }
    let singular = match IRREGULAR.iter().find(|(plural, _)| *plural == lower) {
        Some((_, singular)) => (*singular).to_owned(),
        None => singular(lower),
    };
    match SYNONYMS.iter().find(|row| row.contains(&singular.as_str())) {
        Some(row) => row[0].to_owned(),
        None => singular,
    }
}

fn singular(word: &str) -> String {
    if let Some(base) = word.strip_suffix("ies").filter(|base| base.len() > 1) {
        return format!("{base}y");
    }
    for ending in ["shes", "ches", "xes", "sses", "zes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    let keeps_s = word.len() < 4 || ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending));
    word.strip_suffix('s').filter(|_| !keeps_s).unwrap_or(word).to_owned()
}

/// Words that carry no meaning of their own in a demand.
const STOP_WORDS: &[&str] = &[
    "a", "an", "the", "and", "or", "but", "not", "no", "for", "of", "in", "on", "at", "to", "from", "with", "without",
    "as", "by", "my", "his", "her", "their", "your", "our", "me", "i", "it", "is", "are", "be", "that", "which", "who",
    "whose", "like", "love", "want", "need", "some", "any", "very", "really", "too", "so", "than", "can", "should",
    "have", "has", "will", "would", "good", "nice", "great",
];

/// The words of a demand that can be looked for.
pub(crate) fn content(text: &str) -> Vec<String> {
    stems(text).into_iter().filter(|stem| !STOP_WORDS.contains(&stem.as_str())).collect()
}

/// Whether `wanted` appears among `all` in one piece, in order.
pub(super) fn has_run(all: &[String], wanted: &[String]) -> bool {
    !wanted.is_empty() && all.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::stems;

    #[test]
    fn words_of_one_meaning_are_equal() {
        for (a, b) in [
            ("shoes", "Shoe"),
            ("Allstar Sneakers", "allstar shoe"),
            ("Women's dresses", "woman dress"),
            ("nine-year-old", "9 year old"),
            ("Mother’s", "mom"),
            ("batteries boxes watches", "battery box watch"),
            ("size 10.5.", "size 10.5"),
            ("glass bus", "glass bus"),
        ] {
            assert_eq!(stems(a), stems(b));
        }
        assert_ne!(stems("basketball"), stems("ball"));
    }
}

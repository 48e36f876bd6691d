//! Where a demand shows: in what was done, said and seen.
//!
//! The word is looked for where it tells something. Menus and filters name half the world, so that of an item with
//! several words ("running shoes") the screen must show two together, while a spoken "shoes" is enough.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use shared_types::goal::{Constraint, ConstraintKind, Evidence, EvidenceSource};
use shared_types::step::{Action, Step};

use super::Seen;
use super::amount::{amounts, prices};
use super::cart::is_add;
use super::words::{Token, content, has_run, stems, tokens};

const MAX_EVIDENCE: usize = 5;
const CENT: f64 = 0.005;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static PICK_UP: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bpick(?:ed|ing)?[- ]up\b"));
static AGES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:ages?|years?)\s*(?P<from>\d{1,2})\s*(?:(?:-|–|to)\s*(?P<to>\d{1,2})|(?P<up>\+|and up))")
});
static YEARS_OLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^(?P<age>\w+)[- ]years?[- ]old"));
static COUNTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:qty|quantity)\W{0,3}(?P<a>\d{1,2})\b|\b(?P<b>\d{1,2})\s+items?\b"));
static SIZE_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^[WwLl]?(\d+(?:\.\d+)?)[a-z]{0,2}$"));

/// What is looked for.
pub(super) enum Wanted {
    /// The words of an item, its main word last.
    Item(Vec<String>),
    Price {
        min: Option<f64>,
        max: Option<f64>,
    },
    /// One of these.
    AnyOf(Vec<String>),
    /// A number such as 32, or a word such as `petite`.
    Size(Vec<String>),
    Age(u32),
    Count {
        count: u32,
        item: Option<String>,
    },
}

impl Wanted {
    pub(super) fn of(constraint: &Constraint, all: &[Constraint]) -> Self {
        let text = &constraint.text;
        match constraint.kind {
            ConstraintKind::Item => Self::Item(stems(text)),
            ConstraintKind::Price => Self::Price { min: constraint.min, max: constraint.max },
            ConstraintKind::Colour => Self::AnyOf(without(content(text), &["light", "dark", "bright", "deep"])),
            ConstraintKind::Size => {
                Self::Size(without(content(text), &["size", "sized", "sz", "us", "uk", "eu", "inch", "extra"]))
            }
            ConstraintKind::Place => {
                let words = content(&with_pickup(text));
                Self::AnyOf(without(words, &["store", "shop", "available", "delivery", "around", "near"]))
            }
            ConstraintKind::Audience => match age(text) {
                Some(age) => Self::Age(age),
                None => Self::AnyOf(content(text)),
            },
            ConstraintKind::Quantity => Self::Count {
                count: count(text).unwrap_or(0),
                item: all
                    .iter()
                    .find(|other| other.kind == ConstraintKind::Item)
                    .and_then(|item| stems(&item.text).pop()),
            },
            ConstraintKind::Quality => Self::AnyOf(wished(text)),
        }
    }

    /// How well a text tells of it, from 1; 0 if it does not.
    fn weigh(&self, text: &str, source: EvidenceSource) -> u32 {
        let words = tokens(&with_pickup(text));
        match self {
            Self::Item(item) => weigh_item(item, &words, source),
            &Self::Price { min, max } => weigh_price(min, max, text, source),
            Self::AnyOf(any) => any.iter().filter(|word| has(&words, word)).count() as u32,
            Self::Size(sizes) => u32::from(shows_size(sizes, text, &words, source)),
            &Self::Age(age) => u32::from(shows_age(age, text, &words)),
            Self::Count { count, item } => u32::from(shows_count(*count, item.as_deref(), text, &words, source)),
        }
    }
}

/// The few best pieces of evidence in order of time, the first one among them.
pub(super) fn gather(wanted: &Wanted, seen: &Seen<'_>) -> Vec<Evidence> {
    let mut found: Vec<(u32, Evidence)> = Vec::new();
    let mut add = |t: f64, source: EvidenceSource, text: &str| {
        let weight = wanted.weigh(text, source);
        if weight > 0 {
            let rank = match source {
                EvidenceSource::Acted => 20,
                EvidenceSource::Said => 10,
                EvidenceSource::Seen => 0,
            };
            found.push((rank + weight, Evidence { t, source, text: text.trim().to_owned() }));
        }
    };
    for step in seen.steps {
        for text in [step.text.as_deref(), step.target.as_ref().and_then(|target| target.text.as_deref())] {
            add(step.t, EvidenceSource::Acted, text.unwrap_or_default());
        }
    }
    for segment in &seen.transcript.segments {
        add(segment.start, EvidenceSource::Said, &segment.text);
    }
    let mut known = HashSet::new();
    for (t, lines) in seen.screens {
        for line in *lines {
            if known.insert(line.text.as_str()) {
                add(*t, EvidenceSource::Seen, &line.text);
            }
        }
    }
    if let Wanted::Count { count, .. } = wanted
        && let Some(step) = nth_add(seen.steps, *count)
    {
        let text = step.target.as_ref().and_then(|target| target.text.clone()).unwrap_or_else(|| "added".to_owned());
        found.push((25, Evidence { t: step.t, source: EvidenceSource::Acted, text }));
    }
    first_and_best(found)
}

fn first_and_best(mut found: Vec<(u32, Evidence)>) -> Vec<Evidence> {
    found.sort_by(|(_, a), (_, b)| a.t.total_cmp(&b.t));
    let mut texts = HashSet::new();
    found.retain(|(_, evidence)| texts.insert((evidence.source as u8, evidence.text.clone())));
    if found.is_empty() {
        return Vec::new();
    }
    let first = found.remove(0).1;
    // Of equal weight the earlier one: the sort is stable.
    found.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let mut best: Vec<Evidence> = found.into_iter().take(MAX_EVIDENCE - 1).map(|(_, evidence)| evidence).collect();
    best.push(first);
    best.sort_by(|a, b| a.t.total_cmp(&b.t));
    best
}

/// The Step by which `count` things were in the cart, on different occasions.
fn nth_add(steps: &[Step], count: u32) -> Option<&Step> {
    let at = (count as usize).checked_sub(1)?;
    steps.iter().filter(|step| is_add(step) && step.action == Action::Click).nth(at)
}

fn weigh_item(item: &[String], words: &[Token], source: EvidenceSource) -> u32 {
    let Some((head, others)) = item.split_last() else { return 0 };
    let matched = others.iter().filter(|word| has(words, word)).count() as u32;
    // Nobody says "gift" of the thing itself: "my mom's birthday" is about the birthday gift.
    let is_gift = head == "gift";
    let has_head = has(words, head);
    match source {
        _ if others.is_empty() => u32::from(has_head),
        EvidenceSource::Seen => {
            if has_head && matched > 0 {
                1 + matched
            } else {
                0
            }
        }
        EvidenceSource::Said | EvidenceSource::Acted if has_head || is_gift && matched > 0 => 1 + matched,
        EvidenceSource::Said | EvidenceSource::Acted => 0,
    }
}

fn weigh_price(min: Option<f64>, max: Option<f64>, text: &str, source: EvidenceSource) -> u32 {
    let is_limit = |value: f64| [min, max].into_iter().flatten().any(|limit| (limit - value).abs() < CENT);
    // A limit typed into a price filter stands alone.
    if source == EvidenceSource::Acted && text.trim().parse().is_ok_and(is_limit) {
        return 3;
    }
    let prices = prices(text);
    if prices.iter().any(|price| is_limit(price.value)) {
        return 3;
    }
    let is_telling = source != EvidenceSource::Seen || prices.len() == 1;
    u32::from(is_telling && prices.iter().any(|price| is_within(price.value, min, max)))
}

pub(super) fn is_within(value: f64, min: Option<f64>, max: Option<f64>) -> bool {
    value > 0.0 && min.is_none_or(|min| value >= min - CENT) && max.is_none_or(|max| value <= max + CENT)
}

/// A number is a size next to the word, or as one of a row of numbers to choose from.
pub(super) fn shows_size(sizes: &[String], text: &str, words: &[Token], source: EvidenceSource) -> bool {
    let says_size = words.iter().any(|word| word.stem == "size" || word.stem == "inch");
    let is_row_of_sizes = !words.is_empty() && words.iter().all(|word| SIZE_NUMBER.is_match(&word.stem));
    sizes.iter().any(|size| {
        if size.chars().all(char::is_alphabetic) {
            let is_letter = size.len() <= 3;
            return has(words, size) && (!is_letter || says_size || text.trim().eq_ignore_ascii_case(size));
        }
        let is_there = words.iter().any(|word| {
            word.stem == *size
                || SIZE_NUMBER.captures(&word.stem).is_some_and(|number| {
                    number.get(1).is_some_and(|number| number.as_str() == size) && word.stem.len() > size.len()
                })
        });
        let in_speech = source == EvidenceSource::Said
            && amounts(text)
                .iter()
                .any(|number| size.parse().is_ok_and(|size: f64| (size - number.value).abs() < CENT));
        (is_there || in_speech) && (says_size || is_row_of_sizes && source != EvidenceSource::Said)
    })
}

fn shows_age(age: u32, text: &str, words: &[Token]) -> bool {
    let said = words.windows(2).any(|pair| pair[0].stem == age.to_string() && pair[1].stem == "year");
    let in_range = AGES.captures_iter(text).any(|range| {
        let number = |name: &str| range.name(name).and_then(|number| number.as_str().parse::<u32>().ok());
        let from = number("from").unwrap_or(u32::MAX);
        from <= age && (range.name("up").is_some() || number("to").is_some_and(|to| age <= to))
    });
    said || in_range
}

fn shows_count(count: u32, item: Option<&str>, text: &str, words: &[Token], source: EvidenceSource) -> bool {
    let number = count.to_string();
    match source {
        EvidenceSource::Acted => false,
        EvidenceSource::Seen => COUNTED.captures(text).is_some_and(|found| {
            let found = found.name("a").or_else(|| found.name("b"));
            found.is_some_and(|found| found.as_str() == number)
        }),
        EvidenceSource::Said => {
            let counts = words.iter().enumerate().any(|(at, word)| {
                word.stem == number
                    && words[at + 1..].iter().take(5).any(|next| item.is_some_and(|item| next.stem == item))
            });
            counts || count == 2 && (has(words, "both") || has(words, "second"))
        }
    }
}

fn has(words: &[Token], stem: &str) -> bool {
    words.iter().any(|word| word.stem == stem)
}

fn without(words: Vec<String>, unwanted: &[&str]) -> Vec<String> {
    let kept: Vec<String> = words.iter().filter(|word| !unwanted.contains(&word.as_str())).cloned().collect();
    if kept.is_empty() { words } else { kept }
}

/// Of "professional but not boring" what is wished for.
pub(super) fn wished(text: &str) -> Vec<String> {
    let negation = text.to_lowercase().find(" not ").unwrap_or(text.len());
    let wished = content(text.get(..negation).unwrap_or(text));
    if wished.is_empty() { content(text) } else { wished }
}

fn with_pickup(text: &str) -> std::borrow::Cow<'_, str> {
    PICK_UP.replace_all(text, "pickup")
}

fn age(text: &str) -> Option<u32> {
    let found = YEARS_OLD.captures(text)?;
    stems(found.name("age")?.as_str()).first()?.parse().ok()
}

fn count(text: &str) -> Option<u32> {
    let words = stems(text);
    match words.first()?.as_str() {
        _ if has_run(&words, &["couple".to_owned()]) => Some(2),
        _ if has_run(&words, &["dozen".to_owned()]) => Some(12),
        "both" => Some(2),
        number => number.parse().ok(),
    }
}

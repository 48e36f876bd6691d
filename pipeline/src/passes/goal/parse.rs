//! From a goal's sentence to its demands.
//!
//! What is surest is taken out of the sentence first, each with its place: prices, sizes, colours, places, people, how
//! many. Of the rest, the words up to the next "for", "with", "that", … name the item; known adjectives and whatever
//! follows are qualities. An item is only claimed where somebody is to find or buy one.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use shared_types::goal::{Constraint, ConstraintKind};

use super::amount::{Amount, amounts};
use super::phrases::{
    ADJECTIVES, AROUND_BEFORE, BOUNDARY, COLOUR, CONNECTORS, COUNT, EACH_AFTER, EACH_BEFORE, FOR_PEOPLE, GENERIC,
    LOOK_AROUND, MAX_AFTER, MAX_BEFORE, MAX_BEFORE_MONEY, MIN_AFTER, MIN_BEFORE, NOT_A_COLOUR, OPENS_CLAUSE, PEOPLES,
    PLACES, PLAIN_PEOPLE, RANGE_BEFORE, RANGE_JOIN, SEEK, SIZES, UNIT_NEXT, pattern,
};
use super::words::stem;

/// How far from "around $50" is still around it.
const AROUND: f64 = 0.2;

struct Draft {
    at: usize,
    constraint: Constraint,
}

struct Parser<'a> {
    goal: &'a str,
    /// The goal with what has been understood struck out by `|`, byte for byte.
    rest: String,
    drafts: Vec<Draft>,
}

/// The demands of a goal in its own order; empty where it makes none.
pub fn parse(goal: &str) -> Vec<Constraint> {
    let mut parser = Parser { goal, rest: goal.to_owned(), drafts: Vec::new() };
    let seek_end = SEEK.find(goal).map(|found| found.end());
    if let Some(end) = seek_end {
        parser.strike(0..end);
    }
    parser.prices();
    parser.sizes();
    parser.colours();
    parser.places();
    parser.people();
    if seek_end.is_some() || !LOOK_AROUND.is_match(goal) {
        parser.count(seek_end.unwrap_or(0));
        parser.item_and_qualities(seek_end.is_some());
    }
    parser.drafts.sort_by_key(|draft| draft.at);
    parser.drafts.into_iter().map(|draft| draft.constraint).collect()
}

impl Parser<'_> {
    fn strike(&mut self, range: Range<usize>) {
        let bars = "|".repeat(range.len());
        self.rest.replace_range(range, &bars);
    }

    fn take(&mut self, kind: ConstraintKind, range: Range<usize>, text: Range<usize>) {
        self.take_with_limits(kind, range, text, None, None);
    }

    fn take_with_limits(
        &mut self,
        kind: ConstraintKind,
        range: Range<usize>,
        text: Range<usize>,
        min: Option<f64>,
        max: Option<f64>,
    ) {
        let said = self.goal[text].trim_matches(|c: char| c.is_whitespace() || ",.;:".contains(c)).to_owned();
        if !said.is_empty() {
            self.drafts.push(Draft { at: range.start, constraint: Constraint { kind, text: said, min, max } });
        }
        self.strike(range);
    }

    fn prices(&mut self) {
        let numbers = amounts(self.goal);
        let mut next = 0;
        while let Some(&number) = numbers.get(next) {
            next += 1;
            if self.is_measure(number) {
                continue;
            }
            if let Some(&second) = numbers.get(next)
                && let Some((range, min, max)) = self.price_range(number, second)
            {
                self.take_price(range, Some(min), Some(max));
                next += 1;
                continue;
            }
            if let Some((range, min, max)) = self.price_limit(number) {
                self.take_price(range, min, max);
            }
        }
    }

    /// "32 inch" and the like.
    fn is_measure(&self, number: Amount) -> bool {
        !number.is_money && UNIT_NEXT.is_match(&self.goal[number.end..])
    }

    fn price_range(&self, first: Amount, second: Amount) -> Option<(Range<usize>, f64, f64)> {
        let before = RANGE_BEFORE.find(&self.goal[..first.start]);
        let is_money = first.is_money || second.is_money || before.is_some_and(|found| is_about_money(found.as_str()));
        let is_range = RANGE_JOIN.is_match(&self.goal[first.end..second.start])
            && first.value < second.value
            && !self.is_measure(second);
        (is_money && is_range).then(|| {
            let start = before.map_or(first.start, |found| found.start());
            (start..second.end, first.value, second.value)
        })
    }

    fn price_limit(&self, number: Amount) -> Option<(Range<usize>, Option<f64>, Option<f64>)> {
        let before = &self.goal[..number.start];
        let after = &self.goal[number.end..];
        let value = number.value;
        if let Some(found) = MAX_BEFORE.find(before) {
            return Some((found.start()..number.end, None, Some(value)));
        }
        if let Some(found) = MAX_AFTER.find(after).filter(|_| number.is_money) {
            return Some((number.start..number.end + found.end(), None, Some(value)));
        }
        if !number.is_money {
            return None;
        }
        if let Some(found) = AROUND_BEFORE.find(before) {
            let (min, max) = (value * (1.0 - AROUND), value * (1.0 + AROUND));
            return Some((found.start()..number.end, Some(min), Some(max)));
        }
        if let Some(found) = MIN_BEFORE.find(before) {
            return Some((found.start()..number.end, Some(value), None));
        }
        if let Some(found) = MIN_AFTER.find(after) {
            return Some((number.start..number.end + found.end(), Some(value), None));
        }
        let found = MAX_BEFORE_MONEY.find(before)?;
        Some((found.start()..number.end, None, Some(value)))
    }

    fn take_price(&mut self, range: Range<usize>, min: Option<f64>, max: Option<f64>) {
        let start = EACH_BEFORE.find(&self.goal[..range.start]).map_or(range.start, |found| found.start());
        let end = EACH_AFTER.find(&self.goal[range.end..]).map_or(range.end, |found| range.end + found.end());
        self.take_with_limits(ConstraintKind::Price, start..end, start..end, min, max);
    }

    fn sizes(&mut self) {
        for pattern in SIZES.iter() {
            while let Some(found) = pattern.find(&self.rest).map(|found| found.range()) {
                let text = &self.goal[found.clone()];
                let lead = if text.to_lowercase().starts_with("in ") { 3 } else { 0 };
                let shown = found.start + lead..found.end;
                self.take(ConstraintKind::Size, found, shown);
            }
        }
    }

    fn colours(&mut self) {
        let found: Vec<(Range<usize>, Range<usize>)> = COLOUR
            .captures_iter(&self.rest)
            .filter_map(|found| {
                let (whole, colour) = (found.get(0)?, found.name("colour")?);
                (!NOT_A_COLOUR.is_match(&self.rest[whole.end()..])).then(|| (whole.range(), colour.range()))
            })
            .collect();
        for (range, text) in found {
            self.take(ConstraintKind::Colour, range, text);
        }
    }

    fn places(&mut self) {
        for pattern in PLACES.iter() {
            while let Some(found) = pattern.find(&self.rest).map(|found| found.range()) {
                let text = &self.goal[found.clone()];
                let lead = ["from a ", "from the ", "from ", "at a ", "at the ", "with ", "for "]
                    .iter()
                    .find(|lead| text.to_lowercase().starts_with(*lead))
                    .map_or(0, |lead| lead.len());
                let shown = found.start + lead..found.end;
                self.take(ConstraintKind::Place, found, shown);
            }
        }
    }

    fn people(&mut self) {
        while let Some(found) = FOR_PEOPLE.captures(&self.rest)
            && let (Some(whole), Some(lead), Some(other), Some(person)) =
                (found.get(0), found.name("for"), found.name("other"), found.name("person"))
        {
            let (whole, lead, other, person) = (whole.range(), lead.start(), other.range(), person.range());
            if self.goal[other.clone()].trim().is_empty() {
                self.strike(lead..person.start);
            } else {
                self.take(ConstraintKind::Quality, lead..other.end, lead..other.end);
            }
            self.take(ConstraintKind::Audience, person.start..whole.end, person);
        }
        for pattern in [&*PEOPLES, &*PLAIN_PEOPLE] {
            while let Some(found) = pattern.captures(&self.rest)
                && let (Some(whole), Some(person)) = (found.get(0), found.name("person"))
            {
                let (whole, person) = (whole.range(), person.range());
                self.take(ConstraintKind::Audience, whole, person);
            }
        }
    }

    fn count(&mut self, from: usize) {
        let found = COUNT.captures(&self.rest[from..]).and_then(|found| found.name("count")).map(|count| count.range());
        if let Some(count) = found.map(|count| from + count.start..from + count.end)
            && !UNIT_NEXT.is_match(&self.rest[count.end..])
            && !self.rest[count.end..].starts_with('-')
        {
            self.take(ConstraintKind::Quantity, count.clone(), count);
        }
    }

    fn item_and_qualities(&mut self, is_seeking: bool) {
        let mut has_item = false;
        for Piece { range, opener } in pieces(&self.rest) {
            if !has_item && opener.is_none() {
                has_item = self.item(range, is_seeking);
            } else {
                self.quality(range);
            }
        }
    }

    /// Reads a piece as "[adjectives] item [adjectives]"; false if no product is named in it.
    fn item(&mut self, range: Range<usize>, is_seeking: bool) -> bool {
        let words = words(&self.rest, range);
        let is_side_word = |range: &Range<usize>| {
            let word = self.goal[range.clone()].to_lowercase();
            ADJECTIVES.contains(&word.as_str()) || CONNECTORS.contains(&word.as_str())
        };
        let first = words.iter().position(|word| !is_side_word(word)).unwrap_or(words.len());
        let last = words.iter().rposition(|word| !is_side_word(word)).map_or(first, |at| at + 1);
        let article = |range: &Range<usize>| {
            ["a", "an", "the", "some"].contains(&self.goal[range.clone()].to_lowercase().as_str())
        };
        let named: Vec<Range<usize>> = words[first..last].iter().skip_while(|word| article(word)).cloned().collect();
        let head = named.last().map(|word| stem(&self.goal[word.clone()]));
        let is_product = head.is_some_and(|head| {
            head.len() > 1 && !GENERIC.contains(&head.as_str()) && head.chars().any(char::is_alphabetic)
        });
        for adjective in &words[..first] {
            self.adjective(adjective.clone());
        }
        if let (Some(from), Some(to)) = (words.get(last), words.last()) {
            self.quality(from.start..to.end);
        }
        let is_wanted = is_seeking || !self.drafts.is_empty() || named.len() <= 4;
        if let (true, Some(from), Some(to)) = (is_product && is_wanted, named.first(), named.last()) {
            let starts: Vec<Range<usize>> = split_at_and(self.goal, from.start..to.end);
            for part in starts {
                self.take(ConstraintKind::Item, part.clone(), part);
            }
            return true;
        }
        false
    }

    fn adjective(&mut self, range: Range<usize>) {
        let word = self.goal[range.clone()].to_lowercase();
        let says_little = ["best", "good", "nice", "new"].contains(&word.as_str());
        if !says_little && !CONNECTORS.contains(&word.as_str()) {
            self.take(ConstraintKind::Quality, range.clone(), range);
        }
    }

    /// A phrase that is none of the other kinds, without the connectors around it.
    fn quality(&mut self, range: Range<usize>) {
        let mut words = words(&self.rest, range);
        let is_loose = |word: &Range<usize>| {
            let word = self.goal[word.clone()].to_lowercase();
            ["and", "or", "but", "a", "an", "the", "is", "are", "each", "please", "also"].contains(&word.as_str())
        };
        while words.last().is_some_and(is_loose) {
            words.pop();
        }
        let skipped = words.iter().take_while(|word| is_loose(word)).count();
        let words = &words[skipped..];
        let Some((first, last)) = words.first().zip(words.last()) else { return };
        let range = first.start..last.end;
        let says_something = super::words::content(&self.goal[range.clone()])
            .iter()
            .any(|stem| stem.len() > 1 && !GENERIC.contains(&stem.as_str()));
        if says_something {
            self.take(ConstraintKind::Quality, range.clone(), range);
        }
    }
}

fn is_about_money(lead: &str) -> bool {
    let lead = lead.to_lowercase();
    lead.contains("budget") || lead.contains("price")
}

/// A stretch of what is left, and the word that opens it if it is a clause.
struct Piece {
    range: Range<usize>,
    opener: Option<String>,
}

fn pieces(rest: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut opener: Option<String> = None;
    let mut push = |range: Range<usize>, opener: &Option<String>| {
        if !rest[range.clone()].trim().is_empty() {
            pieces.push(Piece { range, opener: opener.clone() });
        }
    };
    for found in BOUNDARY.find_iter(rest) {
        let word = found.as_str().to_lowercase();
        let is_word = word.starts_with(char::is_alphabetic);
        // A relative clause runs to the next comma or demand.
        if is_word && opener.as_deref().is_some_and(|word| OPENS_CLAUSE.contains(&word)) {
            continue;
        }
        push(start..found.start(), &opener);
        if is_word {
            start = found.start();
            opener = Some(word);
        } else {
            start = found.end();
            opener = None;
        }
    }
    push(start..rest.len(), &opener);
    pieces
}

fn words(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[^\s|,;:.!?]+(?:\.\d+)?"));
    WORD.find_iter(&text[range.clone()]).map(|word| range.start + word.start()..range.start + word.end()).collect()
}

/// "socks and shoes" are two items.
fn split_at_and(goal: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    for (at, joint) in goal[range.clone()].match_indices(" and ") {
        parts.push(start..range.start + at);
        start = range.start + at + joint.len();
    }
    parts.push(start..range.end);
    parts
}

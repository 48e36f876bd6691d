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
use super::words::stem;

/// How far from "around $50" is still around it.
const AROUND: f64 = 0.2;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static SEEK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\s*(?:please\s+)?(?:help\s+me\s+)?
        (?:(?:i|we)(?:['’](?:m|d|re))?\s+(?:am\s+|are\s+|would\s+)?)?(?:(?:want|need|like|wish)\s+to\s+)?
        (?: find | (?:go\s+)?buy | get | order | purchase | need | want | pick(?:\s+out)? | choose | select | compare
          | (?:go\s+)?shop(?:ping)?\s+for | look(?:ing)?\s+for | search(?:ing)?(?:\s+for)? | browse\s+for )\b
        (?:\s+(?:me|us|yourself|out)\b)?(?:\s+(?:a|an|the|some|any|my|your)\b)?
        (?:\s+(?:pair|pairs|set|bottle|box|bag)\s+of\b)?",
    )
});
static LOOK_AROUND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\s*(?:please\s+)?(?:look|browse|explore|visit|open|go|check|scroll|watch|see|show|click|navigate|log|sign
        |read|play|test|try)\b",
    )
});

static MAX_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)(?:\b(?:under|below|beneath|less\s+than|cheaper\s+than|lower\s+than|at\s+most|up\s+to|no\s+more\s+than
        |not\s+more\s+than|not\s+over|max(?:imum)?(?:\s+of)?|within|limit(?:\s+of)?
        |(?:(?:with|on|in)\s+)?(?:an?\s+|the\s+|my\s+)?budget(?:\s+(?:of|is))?:?)|<=?|≤)\s*(?:an?\s+)?$",
    )
});
/// These say a limit only before what is surely money.
static MAX_BEFORE_MONEY: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:for|spend|with|costing)\s+$"));
static MIN_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:\b(?:over|above|more than|at least|min(?:imum)?(?: of)?|from|starting at)|>=?|≥)\s*(?:an?\s+)?$")
});
static AROUND_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:\b(?:around|about|approximately|roughly|circa)|~)\s*(?:an?\s+)?$"));
static RANGE_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:between|from|(?:(?:with|on) )?(?:an? |the |my )?(?:budget|price)(?: range)?(?: (?:of|is|between|from))?:?|for))\s*$",
    )
});
static RANGE_JOIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\s*(?:-|–|—|to|and)\s*$"));
static MAX_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*(?:or (?:less|under|below|cheaper)|max(?:imum)?|tops|at most|budget|limit)\b"));
static MIN_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*(?:or (?:more|above|over)\b|and up\b|minimum\b|\+)"));
static EACH_BEFORE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:each|all|both)\s+(?:one\s+)?$"));
static EACH_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*(?:each|apiece|a piece|per (?:item|piece|pair|unit))\b"));
/// After a number these make it a measure.
static UNIT_NEXT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?ix)^[\s-]*(?:"|″|%|°|(?:inch(?:es)?|in|gb|tb|mb|kg|g|grams?|lbs?|pounds?|oz|ounces?|ml|l|lit(?:er|re)s?|cm|mm|m
        |meters?|ft|feet|years?|yrs?|months?|weeks?|days?|hours?|minutes?|people|persons|pieces?|packs?|stars?|percent|w
        |watts?|mah|hz|mp|miles?)\b)"#,
    )
});

static SIZES: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        pattern(
            r"(?ix)\b(?:in\s+)?(?:a\s+)?(?:sizes?|sz)\s+(?:\d+(?:\.\d+)?[a-z]{0,2}|x{0,3}[sl]|m|small|medium|large|petite
            |plus|one|two|four|six|eight|ten|twelve|fourteen)\b(?:\s?(?:us|uk|eu)\b)?",
        ),
        pattern(r"(?i)\b(?:petite|plus|toddler|queen|king|twin|full|travel|carry[- ]on|extra[- ](?:small|large)|small|medium|large|x{1,3}[sl])[- ]sized?\b"),
        pattern(r"(?i)\b(?:w\d{2}[ /]?l\d{2}|\d{2}\s?x\s?\d{2})\b"),
        pattern(r#"(?i)\b\d+(?:\.\d+)?(?:[- ]?inch(?:es)?\b|"|″)"#),
        pattern(r"(?i)\b(?:extra[ -](?:small|large)|x{1,3}l|x{1,2}s|small|medium|large|petite)\b"),
    ]
});

const COLOURS: &str = "black|white|red|blue|navy|green|olive|yellow|orange|purple|violet|lavender|pink|brown|tan|beige|\
    cream|ivory|grey|gray|silver|gold|golden|burgundy|maroon|teal|turquoise|charcoal|khaki|coral|magenta|multicolou?red";
static COLOUR: LazyLock<Regex> = LazyLock::new(|| {
    let one = format!("(?:(?:light|dark|bright|pale|royal|sky|hot|deep|navy|rose|matte)[ -])?(?:{COLOURS})");
    pattern(&format!(r"(?i)\b(?:in\s+)?(?P<colour>{one}(?:(?:\s+or\s+|\s+and\s+|\s*/\s*|,\s*){one})*)\b"))
});
/// Names of things that only begin with a colour.
static NOT_A_COLOUR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s+(?:noise|tea|coffee|wine|juice|cheese|pepper|friday|light|rice|bread|chocolate|board|beans?|ribbon|sox)\b",
    )
});

static PLACES: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    let name = r"[A-Z][\w'’&.]*(?:,?\s+[A-Z][\w'’&.]*)*";
    [
        pattern(&format!(
            r"(?x)(?:\b(?:from|at|in|with|for)\s+)?(?:\b(?:an?|the)\s+)?\b(?i:local|nearby|near\s+me|close\s+by)\b
            (?:\s+(?i:stores?|shops?|pick[-\s]?up|sellers?|delivery|retailers?|boutiques?|business(?:es)?))?
            (?:\s+(?:in|near|around)\s+{name})?"
        )),
        pattern(
            r"(?i)\b(?:with\s+|for\s+|available\s+for\s+)?(?:in[- ]store|store|curbside|same[- ]day)\s+pick[- ]?up\b|\bpick[- ]?up\s+in\s+stores?\b|\bin[- ]store\b",
        ),
        pattern(&format!(r"\b(?:in|near|around|from|at|on)\s+{name}")),
        pattern(r"(?i)\bpick[- ]?up\b"),
    ]
});

const GROUPS: &str = "women|woman|men|man|ladies|girls?|boys?|kids?|children|child|toddlers?|bab(?:y|ies)|infants?|teens?|\
    teenagers?|adults?|seniors?|beginners?|unisex";
const PEOPLE: &str = "mom|mum|mother|mommy|dad|father|wife|husband|spouse|partner|girlfriend|boyfriend|fianc[eé]e?|sister|\
    brother|daughter|son|niece|nephew|aunt|uncle|cousin|grandma|grandpa|grandmother|grandfather|granddaughter|grandson|\
    grandparents?|parents?|friends?|best friend|boss|coworkers?|colleagues?|teachers?|students?|neighbou?rs?|roommates?|\
    couples?|bride|groom|family|someone|somebody|myself|dog|cat|puppy|kitten";
const AGE: &str = concat!(
    r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen)",
    r"[- ]years?[- ]olds?(?:\s+(?:girls?|boys?|kids?|child(?:ren)?|son|daughter|nephew|niece))?",
);
/// Before a person these belong to the person; other words are a use of their own ("flat feet women").
const OF_A_PERSON: &str = "young|younger|old|older|elderly|teenage|little|tall|short|pregnant|busy|new|college|school|\
    university|best|good|adult|baby|big|petite|middle-aged";
static FOR_PEOPLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?P<for>for)\s+(?:(?:an?|the|my|your|his|her|their|our)\s+)?(?P<other>(?:[a-z-]+\s+){{0,3}}?)(?P<person>(?:(?:{OF_A_PERSON})\s+){{0,2}}(?:{AGE}|{GROUPS}|{PEOPLE}))\b(?:['’]s?\b)?"
    ))
});
static PEOPLES: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?i)\b(?P<person>{AGE}|(?:{GROUPS}|{PEOPLE}))(?:['’]s|s['’])")));
static PLAIN_PEOPLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?i)\b(?P<person>{AGE}|women|men|womens|mens|ladies|girls|boys|kids|children|unisex)\b"))
});

static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^[\s|]*(?P<count>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|a couple of|a dozen|both)\s+(?:different\s+|pairs\s+of\s+)?[a-z|]",
    )
});

/// Where the name of the item ends.
static BOUNDARY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\b(?:as|with|without|for|that|which|who|whose|to|in|from|at|on|made)\b
        | \b(?:under|over|below|above|between|around|about|less\s+than|more\s+than|up\s+to|at\s+least)\s+\d
        | [|,;:()] | \.(?:\s|$) | \s[-–—]\s",
    )
});
const OPENS_CLAUSE: [&str; 4] = ["who", "that", "which", "whose"];

const ADJECTIVES: &[&str] = &[
    "affordable", "authentic", "beautiful", "best", "boring", "breathable", "bright", "casual", "cheap", "classic",
    "comfortable", "comfy", "compact", "cool", "cozy", "cute", "decent", "durable", "easy", "eco-friendly", "educational",
    "elegant", "ergonomic", "fancy", "fashionable", "fast", "formal", "fun", "funny", "gentle", "good", "handmade",
    "healthy", "heavy", "high-quality", "inexpensive", "interesting", "lightweight", "machine-washable", "minimalist",
    "modern", "natural", "new", "nice", "organic", "personalized", "portable", "practical", "premium", "pretty",
    "professional", "quality", "quiet", "refurbished", "reliable", "romantic", "rugged", "safe", "simple", "sleek",
    "small", "soft", "special", "stylish", "sturdy", "suitable", "sustainable", "thoughtful", "top-rated", "trendy",
    "unique", "used", "useful", "vegan", "versatile", "vintage", "warm", "washable", "waterproof", "wireless",
];
const CONNECTORS: [&str; 10] = ["but", "not", "and", "or", "yet", "too", "very", "also", "both", "more"];
/// Names of no product.
const GENERIC: &[&str] = &[
    "category", "site", "website", "page", "home", "homepage", "store", "shop", "product", "item", "thing", "something",
    "anything", "stuff", "catalogue", "catalog", "deal", "offer", "option", "sale", "collection", "one", "cart", "way",
    "price", "everything", "nothing", "lot", "bargain", "discount",
];

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
            if !self.goal[other.clone()].trim().is_empty() {
                self.take(ConstraintKind::Quality, lead..other.end, lead..other.end);
            } else {
                self.strike(lead..person.start);
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

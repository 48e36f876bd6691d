//! Postal addresses: a house number with the name of a street, or the lines below "Ship to" and the like.

use std::sync::LazyLock;

use regex::Regex;

use super::text::push;
use super::{Found, PiiKind};

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

/// Streets by words that hardly mean anything else, and by words that also name things ("Flash Drive").
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\b\d{1,6}(?:[A-Za-z]|-\d{1,4}|\s1/2)?\s+(?:[NSEW]{1,2}\.?\s+)?(?:(?:[A-Z][\p{L}'’.-]*|\d{1,3}(?:st|nd|rd|th))\s+){1,4}?
        (?: (?P<sure>(?:Street|Avenue|Road|Boulevard|Parkway|Highway|Lane|Ave|Rd|Blvd|Pkwy|Hwy|Ln)\b\.?)
          | (?P<unsure>(?:St|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Ter|Circle|Cir|Square|Sq|Trail|Trl|Close|Crescent)\b\.?) )
        (?:\s+(?:[NSEW]{1,2}|North|South|East|West)\b\.?)?
        (?P<unit>,?\s+(?:Apt|Apartment|Unit|Suite|Ste|Floor|Fl|\#)\.?\s*\#?\w{1,6}\b)?
        (?P<town>,?\s+[A-Z][\p{L}.'’-]*(?:\s+[A-Z][\p{L}.'’-]*){0,2},?\s+(?:[A-Z]{2}|[A-Z]{1,2}\d{1,2}[A-Z]?)\s+(?:\d{5}(?:-\d{4})?|\d[A-Z]{2})\b)?",
    )
});
/// The last line of an American address, alone: a town, its state, its ZIP code.
static TOWN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^\W*(?P<value>[A-Z][\p{L}.'’-]*(?:\ [A-Z][\p{L}.'’-]*){0,3},\s?(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI
        |S[CD]|T[NX]|UT|V[AT]|W[AIVY]|PR)\s\d{5}(?:-\d{4})?)\W*$",
    )
});
static LABEL_INSIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:deliver(?:y|ing|s)?|ship(?:ping|ped|s)?|bill(?:ing)?|mail(?:ing)?|home|street|postal|my|your|live at|lives at)\b[^\d]{0,40}$",
    )
});
/// A line that heads an address.
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\W*(?:(?:deliver(?:ing)?|ship(?:ping)?|shipped|bill|mail)\s+to\b | (?:delivery|shipping|billing|home|mailing|postal|street)\s+address\b
        | your\s+address(?:es)?\b | default\s+address\b | address(?:\s+line)?(?:\s*1)?\s*:?\s*$)",
    )
});
/// What makes a line below such a heading an address.
static TELLING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\b[A-Z][\p{L}.'’-]+,?\s+(?:[A-Z]{2}\s+)?\d{5}(?:-\d{4})?\b  # Seattle, WA 98101
        | ^\W*\d{5}(?:-\d{4})?\W*$
        | ^\W*\d{4,5}\s+[A-Z]\p{L}+                     # 10115 Berlin
        | ^\W*\d{1,6}[A-Za-z]?\s+(?:[NSEW]\.?\s+)?\d{0,3}[A-Za-z]\p{L}+\s+\p{L}+   # 12 Oak Street
        | ^\W*\p{L}[\p{L}.'’\ -]{3,30}\s\d{1,4}\s?[a-z]?\W*$  # Hauptstraße 12
        | \b[A-Z]{1,2}\d{1,2}[A-Z]?\s\d[A-Z]{2}\b       # SW1A 1AA
        | \bP\.?\s?O\.?\s+Box\s+\d+",
    )
});
static NO_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)[$€£%]|\b(?:items?|days?|orders?|products?|qty|quantity|total|size|results|reviews?|stars?|free|step|hours?|minutes?|january|february|march|april|may|june|july|august|september|october|november|december|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    )
});

pub(super) fn find_addresses(text: &str, all: &mut Vec<Found>) {
    if let Some(town) = TOWN.captures(text).and_then(|found| found.name("value")) {
        push(all, PiiKind::Address, town.start(), town.end());
    }
    for found in STREET.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        let (before, after) = (text[..whole.start()].trim_end(), text[whole.end()..].trim_start());
        let is_complete = found.name("town").is_some() || found.name("unit").is_some();
        let is_labelled = LABEL_INSIDE.is_match(before);
        // A poster of "21 Jump Street" goes on, or something came before it.
        let stands_alone =
            (before.is_empty() || before.ends_with([',', ':', '.', ';', '|']) || before.ends_with(" at"))
                && (after.is_empty() || after.starts_with([',', '.', ';', '|', '?', '!']));
        let is_sure = found.name("sure").is_some() && stands_alone;
        let (start, end) = (whole.start(), whole.end());
        if is_complete || is_labelled || is_sure {
            push(all, PiiKind::Address, start, end);
        }
    }
}

pub(super) fn is_heading(text: &str) -> bool {
    HEADING.is_match(text)
}

pub(super) fn is_telling(text: &str) -> bool {
    TELLING.is_match(text) && !NO_ADDRESS.is_match(text)
}

/// What follows a heading in its own line: "Deliver to Seattle 98101".
pub(super) fn after_heading(text: &str) -> Option<(usize, usize)> {
    let end = HEADING.find(text)?.end();
    let rest = text[end..].trim_start_matches([':', ' ']);
    is_telling(rest).then_some((text.len() - rest.len(), text.len()))
}

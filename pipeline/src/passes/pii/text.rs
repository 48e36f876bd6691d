//! Private data in one text.

use std::sync::LazyLock;

use regex::Regex;

use super::address::find_addresses;
use super::link::find_in_links;
use super::{Found, PiiKind};

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b[a-z0-9][a-z0-9._%+-]*@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b")
});
/// Mailboxes of shops, and the examples in empty form fields.
static NOBODYS_MAILBOX: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^(?: (?:customer|client)?[._-]?(?:support|service|services|care|help|info|contact|sales|hello|orders?|press|privacy|admin
        |office|team|shop|store|newsletter|marketing|feedback|billing|returns|jobs|careers|legal|no-?reply|donotreply|webmaster)
        | (?:you|your|user|username|name|email|e-mail|mail|example|your[._-]?(?:name|email)|first[._-]?last|someone|test)
        )@",
    )
});

static CARD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d(?:[ \u{a0}-]{0,2}\d){12,18}"));
static CARD_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:card|visa|master\s?card|amex|american express|discover|diners|maestro|jcb|kreditkarte|debit|credit)\b",
    )
});
/// Labels of numbers that are not private, or are found as what they are.
static OTHER_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\b(?:isbn(?:-1[03])?|ean|upc|gtin|sku|asin|mpn|model|item|article|art|part|product|serial|ref(?:erence)?|order
        |tracking|invoice|batch|lot|barcode|code|version|coupon|gift\s+card)\b\W{0,3}(?:(?:no|nr|number|id|code|weight)\b)?[\s.:\#-]*$",
    )
});

static PHONE: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [
        // +49 30 1234567, +1 (206) 555-0123
        pattern(r"\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?)(?:[ .-]?\d{2,5}){1,5}"),
        // (206) 555-0123, 206-555-0123, 1.206.555.0123
        pattern(r"(?:\b1[ .-])?(?:\([2-9]\d{2}\) ?|\b[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}\b"),
    ]
});
static PHONE_BY_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\b(?:phone|telephone|tel|mobile|cell(?:\s?phone)?|call\s+me(?:\s+(?:at|on))?)\b\.?\s*(?:number|no\.?)?\s*(?:is)?\s*[:\#]?\s*
        (?P<value>\+?\(?\d[\d\ ().-]{5,18}\d)",
    )
});
static TOLL_FREE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\+?1?\D{0,2}8(?:00|33|44|55|66|77|88)\D"));

static CVV: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\b(?:cvv2?|cvc2?|csc|security\s+(?:code|number)|card\s+verification(?:\s+(?:code|value))?)(?:\s+(?:code|number|is))?
        \W{0,4}(?P<value>\d{3,4})\b",
    )
});
static ORDER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\b(?:order|confirmation)\s*(?:(?:number|no\.?|nr\.?|id|code|reference)\s*(?:is)?\s*[:\#]?|[\#:]|\#\s*:)\s*
        (?P<value>[a-z0-9][a-z0-9-]{4,24})\b
        # Digits right behind the word.
        |\border\s+(?P<bare>\d[\d-]{5,22}\d)\b
        # Of a form that nothing else has.
        |\b(?P<alone>\d{3}-\d{7}-\d{7})\b",
    )
});
static DATE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}-\d{1,2}-\d{2,4}|20\d{6})$"));
static TRACKING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\btracking\s*(?:number|no\.?|nr\.?|id|code)?\s*(?:is)?\s*[:\#]*\s*(?P<value>[a-z0-9](?:[\ -]?[a-z0-9]){7,29})\b
        |\b(?P<ups>1z[0-9a-z]{16})\b",
    )
});

static GREETING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)(?: \b(?i:hello|hi|hey|welcome(?:\s+back)?|good\s+(?:morning|afternoon|evening)),\s+
        | ^\W*(?i:dear)\s+ | \b(?i:thanks|thank\s+you),\s+ | \b(?i:signed|logged)\s+(?i:in)\s+(?i:as):?\s+ )(?P<value>[A-Z][\p{L}'’-]+(?:\s+[A-Z][\p{L}'’.-]*){0,2})",
    )
});
static NAME_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^\W*(?i:(?:your\s+|full\s+|first\s+|last\s+|given\s+|family\s+|contact\s+|recipient(?:['’]s)?\s+|customer\s+|cardholder(?:['’]s)?\s+)?name
        |surname|cardholder|recipient|customer|attn\.?|account\s+holder|name\s+on\s+card)\s*\*?\s*:\s*
        (?P<value>[A-Z][\p{L}'’-]+(?:\s+[A-Z][\p{L}'’.-]*){0,3})\s*$",
    )
});
/// Words that follow such labels and name nobody.
const NO_NAMES: &[&str] = &[
    "sign",
    "log",
    "login",
    "guest",
    "there",
    "world",
    "friend",
    "friends",
    "shopper",
    "customer",
    "welcome",
    "please",
    "ascending",
    "descending",
    "low",
    "high",
    "to",
    "required",
    "optional",
    "enter",
    "your",
    "you",
    "what",
    "how",
    "everyone",
    "all",
    "none",
    "select",
    "choose",
    "first",
    "last",
    "name",
    "email",
    "account",
    "the",
    "this",
    "new",
    "my",
    "we",
    "let",
    "can",
    "is",
    "check",
    "shop",
    "find",
    "address",
    "city",
    "phone",
    "country",
    "street",
    "company",
    "zip",
    "postcode",
    "state",
    "card",
    "number",
    "quantity",
    "size",
    "price",
    "color",
    "colour",
    "home",
    "back",
    "add",
];

/// Private data in a text, in order and without overlaps.
pub fn find_in_text(text: &str) -> Vec<Found> {
    let mut all = Vec::new();
    // What comes first wins where two overlap.
    find_in_links(text, &mut all);
    emails(text, &mut all);
    cards(text, &mut all);
    by_label(text, &CVV, PiiKind::Cvv, &mut all);
    tracking(text, &mut all);
    orders(text, &mut all);
    phones(text, &mut all);
    find_addresses(text, &mut all);
    names(text, &mut all);
    all.sort_by_key(|found| found.start);
    all
}

pub(super) fn push(all: &mut Vec<Found>, kind: PiiKind, start: usize, end: usize) {
    if all.iter().all(|other| end <= other.start || other.end <= start) {
        all.push(Found { kind, start, end });
    }
}

fn by_label(text: &str, pattern: &Regex, kind: PiiKind, all: &mut Vec<Found>) {
    for value in pattern.captures_iter(text).filter_map(|found| found.name("value")) {
        push(all, kind, value.start(), value.end());
    }
}

fn emails(text: &str, all: &mut Vec<Found>) {
    for found in EMAIL.find_iter(text) {
        if !NOBODYS_MAILBOX.is_match(found.as_str()) {
            push(all, PiiKind::Email, found.start(), found.end());
        }
    }
}

fn cards(text: &str, all: &mut Vec<Found>) {
    for found in CARD.find_iter(text) {
        let before = &text[..found.start()];
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || "$€£#+".contains(c))
            && !before
                .trim_end_matches(['.', ',', '-'])
                .ends_with(|c: char| c.is_ascii_digit() && !before.ends_with(' '))
            && !OTHER_NUMBER.is_match(before);
        let is_labelled = CARD_LABEL.is_match(before);
        // A date or a code may stand right behind the number: "… 6467 12/27 123".
        let spaces = found.as_str().rmatch_indices([' ', '\u{a0}']).map(|(at, _)| found.start() + at);
        let mut ends = std::iter::once(found.end()).chain(spaces);
        let is_whole = |end: &usize| {
            let stops = !text[*end..].starts_with(|c: char| c.is_alphanumeric() || c == '%');
            stops && is_card(text[found.start()..*end].trim_end(), is_labelled)
        };
        if let Some(end) = ends.find(is_whole).filter(|_| begins) {
            push(all, PiiKind::PaymentCard, found.start(), end);
        }
    }
}

/// By check digit, issuer and grouping; a label replaces the grouping.
fn is_card(number: &str, is_labelled: bool) -> bool {
    let digits = digits(number);
    if !has_card_digits(&digits) {
        return false;
    }
    let groups: Vec<usize> =
        number.split([' ', '\u{a0}', '-']).filter(|group| !group.is_empty()).map(str::len).collect();
    let is_grouped = matches!(groups[..], [4, 4, 4, 1 | 3 | 4] | [4, 6, 4 | 5] | [4, 4, 4, 4, 3]);
    let is_in_one = groups.len() == 1 && matches!(digits.len(), 15 | 16) && has_issuer(&digits);
    is_grouped || is_in_one || is_labelled
}

pub(super) fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// 13 to 19 digits from 2 to 6 that pass Luhn's check and are not all the same.
pub(super) fn has_card_digits(digits: &[u32]) -> bool {
    let is_long_enough = (13..=19).contains(&digits.len());
    let is_varied = digits.iter().any(|digit| *digit != digits[0]);
    let starts_well = digits.first().is_some_and(|first| (3..=6).contains(first)) || has_issuer(digits);
    is_long_enough && is_varied && starts_well && luhn(digits)
}

/// Visa, Mastercard, American Express, Discover.
fn has_issuer(digits: &[u32]) -> bool {
    let start = |count: usize| digits.iter().take(count).fold(0, |number, digit| number * 10 + digit);
    match digits.len() {
        15 => matches!(start(2), 34 | 37),
        16 => digits[0] == 4 || matches!(start(2), 51..=55 | 65) || matches!(start(4), 2221..=2720 | 6011),
        _ => false,
    }
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn tracking(text: &str, all: &mut Vec<Found>) {
    for found in TRACKING.captures_iter(text) {
        if let Some(value) = found.name("value").or_else(|| found.name("ups"))
            && value.as_str().chars().filter(char::is_ascii_digit).count() >= 6
        {
            push(all, PiiKind::TrackingNumber, value.start(), value.end());
        }
    }
}

fn orders<'a>(text: &'a str, all: &mut Vec<Found>) {
    let value = |found: regex::Captures<'a>| ["value", "bare", "alone"].iter().find_map(|name| found.name(name));
    for value in ORDER.captures_iter(text).filter_map(value) {
        let has_digits = value.as_str().chars().filter(char::is_ascii_digit).count() >= 2;
        if has_digits && !DATE.is_match(value.as_str()) {
            push(all, PiiKind::OrderNumber, value.start(), value.end());
        }
    }
}

fn phones(text: &str, all: &mut Vec<Found>) {
    for pattern in PHONE.iter() {
        for found in pattern.find_iter(text) {
            let (before, after) = (&text[..found.start()], &text[found.end()..]);
            let count = digits(found.as_str()).len();
            let stands_alone = !before.ends_with(|c: char| c.is_alphanumeric() || "$€£#-.+".contains(c))
                && !after.starts_with(|c: char| c.is_alphanumeric() || c == '-')
                && !after
                    .trim_start_matches(['.', ','])
                    .starts_with(|c: char| c.is_ascii_digit() && !after.starts_with(' '));
            if (8..=15).contains(&count) && stands_alone && !OTHER_NUMBER.is_match(before) {
                push_phone(all, text, found.start(), found.end());
            }
        }
    }
    for value in PHONE_BY_LABEL.captures_iter(text).filter_map(|found| found.name("value")) {
        if (7..=15).contains(&digits(value.as_str()).len()) {
            push_phone(all, text, value.start(), value.end());
        }
    }
}

/// Toll-free numbers are the shop's.
fn push_phone(all: &mut Vec<Found>, text: &str, start: usize, end: usize) {
    if !TOLL_FREE.is_match(&text[start..end].replace('(', "")) {
        push(all, PiiKind::Phone, start, end);
    }
}

fn names(text: &str, all: &mut Vec<Found>) {
    for pattern in [&*GREETING, &*NAME_LABEL] {
        for value in pattern.captures_iter(text).filter_map(|found| found.name("value")) {
            if is_name(value.as_str()) {
                push(all, PiiKind::Name, value.start(), value.end());
            }
        }
    }
}

/// Capitalised words none of which is a word of forms and menus.
pub(super) fn is_name(text: &str) -> bool {
    let mut words = text.split_whitespace().peekable();
    words.peek().is_some()
        && words.all(|word| {
            let is_capitalised = word.chars().next().is_some_and(char::is_uppercase);
            let plain = word.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase();
            // A letter alone is an initial only with its full stop: "Name: A to Z" is an order, however it was read.
            let is_letter_alone = word.chars().count() == 1;
            is_capitalised && !is_letter_alone && !plain.is_empty() && !NO_NAMES.contains(&plain.as_str())
        })
}

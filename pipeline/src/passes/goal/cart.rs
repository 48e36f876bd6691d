//! What the worker put into the cart, and why.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::step::{Action, Intent, Step};
use shared_types::summary::ProductSeen;
use shared_types::transcript::{Segment, Transcript};
use strsim::normalized_levenshtein;

use super::products::Offer;
use super::words::{has_run, stems};

/// Two readings of one title are at least this alike.
const SAME_TITLE: f64 = 0.85;
/// Speech this near an act is about it.
const BEFORE_ACT_SECS: f64 = 6.0;
const AFTER_ACT_SECS: f64 = 3.0;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static ADD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\badd(?:\s+\w+){0,4}?\s+to\s+(?:\w+\s+)?(?:cart|bag|basket|trolley)\b|\bbuy\s+(?:it\s+)?now\b")
});
/// What is put on a list for later is not in the cart.
static FOR_LATER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:wish|watch)\s?list|\bto\s+(?:\w+\s+)?(?:list|favou?rites|registry)\b|\bfor\s+later\b")
});
static REMOVE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\W*(?:remove|delete)\b"));
static BROWSER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\s[-–—]\s(?:Google Chrome|Chromium|Mozilla Firefox|Microsoft.? Edge|Brave|Opera|Safari)$")
});
static TITLE_BREAK: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s+[|·•:]\s+|\s[-–—]\s|:\s"));
static PRODUCT_PAGE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)/(?:products?|p|dp|gp/product|items?|itm|sku|listing|ip)/[^/?#]"));
/// Sentences with these give a reason rather than tell what is done.
static REASON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:because|since|so|better|best|perfect|good|great|cheap(?:er|est)?|fits?|budget|enough|like|love|easy)\b",
    )
});

static SENTENCE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s).+?(?:[.!?](?:\s+|$)|$)"));

/// The cart at the end, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cart {
    pub(super) items: Vec<Chosen>,
    /// Every add and every removal could be told.
    pub(super) is_complete: bool,
}

/// One thing in the cart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) title: String,
    pub(super) price: Option<String>,
    /// What else was written with it: its kind, its colour.
    pub(super) about: Vec<String>,
    /// The Step that added it.
    pub(super) step: usize,
}

/// What was in the cart at the end, and the words said around choosing it: when it was opened, and when it was added.
pub fn decision(steps: &[Step], transcript: &Transcript, products: &[ProductSeen]) -> (Option<String>, Option<String>) {
    let offers: Vec<Offer> = products.iter().map(|seen| Offer { seen: seen.clone(), about: Vec::new() }).collect();
    let cart = cart(steps, &offers);
    let mut titles: Vec<&str> = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    for item in &cart.items {
        if !titles.contains(&item.title.as_str()) {
            titles.push(&item.title);
        }
        for step in opened(item, steps, &offers).into_iter().chain([item.step]) {
            for sentence in SENTENCE.find_iter(&reason(&steps[step], transcript).unwrap_or_default()) {
                let sentence = sentence.as_str().trim();
                // Both may hold what was said between them.
                if !sentence.is_empty() && !reasons.iter().any(|other| other.contains(sentence)) {
                    reasons.push(sentence.to_owned());
                }
            }
        }
    }
    let joined = |parts: String| (!parts.is_empty()).then_some(parts);
    (joined(titles.join(", ")), joined(reasons.join(" ")))
}

/// The Step that opened what was added to the cart later, without anything having been added in between.
fn opened(item: &Chosen, steps: &[Step], offers: &[Offer]) -> Option<usize> {
    let is_it = |step: &Step| product_of(step, offers).is_some_and(|(title, _)| title == item.title);
    let opens = |step: &Step| step.intent == Some(Intent::Inspect) && step.action != Action::Scroll && is_it(step);
    let before = steps[..item.step].iter().enumerate().rev().take_while(|(_, step)| !is_add(step));
    before.into_iter().find(|(_, step)| opens(step)).map(|(index, _)| index)
}

pub(super) fn is_add(step: &Step) -> bool {
    let target = step.target.as_ref().and_then(|target| target.text.as_deref());
    let is_hand = matches!(step.action, Action::Click | Action::Key);
    let is_for_later = target.is_some_and(|text| FOR_LATER.is_match(text));
    is_hand
        && !is_for_later
        && !is_remove(step)
        && (step.intent == Some(Intent::Add) || target.is_some_and(|text| ADD.is_match(text)))
}

fn is_remove(step: &Step) -> bool {
    let target = step.target.as_ref().and_then(|target| target.text.as_deref());
    step.intent == Some(Intent::Remove) || target.is_some_and(|text| REMOVE.is_match(text))
}

pub(super) fn cart(steps: &[Step], offers: &[Offer]) -> Cart {
    let mut cart = Cart { items: Vec::new(), is_complete: true };
    for (at, step) in steps.iter().enumerate() {
        if is_remove(step) {
            let named = stems(step.target.as_ref().and_then(|target| target.text.as_deref()).unwrap_or_default());
            let gone = match cart.items[..] {
                [_] if cart.is_complete => Some(0),
                _ => cart.items.iter().position(|item| has_run(&named, &stems(&item.title))),
            };
            match gone {
                Some(gone) => drop(cart.items.remove(gone)),
                // One of them is gone, and none is known to have stayed.
                None => cart = Cart { items: Vec::new(), is_complete: cart.items.is_empty() && cart.is_complete },
            }
        } else if is_add(step) {
            match product_of(step, offers) {
                Some((title, offer)) => cart.items.push(Chosen {
                    title,
                    price: offer.and_then(|offer| offer.seen.price.clone()),
                    about: offer.map(|offer| offer.about.clone()).unwrap_or_default(),
                    step: at,
                }),
                None => cart.is_complete = false,
            }
        }
    }
    cart
}

/// The product a Step is about: by the words of its target, by the page's title, and as the title says where the
/// address is a product's.
fn product_of<'a>(step: &Step, offers: &'a [Offer]) -> Option<(String, Option<&'a Offer>)> {
    let target = step.target.as_ref().and_then(|target| target.text.as_deref()).unwrap_or_default();
    let target = stems(target);
    let named = offers.iter().filter(|offer| has_run(&target, &stems(&offer.seen.title)));
    if let Some(offer) = named.max_by_key(|offer| offer.seen.title.len()) {
        return Some((offer.seen.title.clone(), Some(offer)));
    }
    let page = BROWSER.replace(step.title.as_deref()?, "").into_owned();
    let parts = title_parts(&page);
    for part in &parts {
        let likeness = |offer: &&Offer| likeness(part, &offer.seen.title);
        let best = offers.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        if let Some(offer) = best.filter(|offer| likeness(offer) >= SAME_TITLE) {
            return Some((offer.seen.title.clone(), Some(offer)));
        }
    }
    let is_product_page = step.url.as_deref().is_some_and(|url| PRODUCT_PAGE.is_match(url));
    let title = parts.into_iter().find(|part| !part.contains(".com"))?;
    is_product_page.then_some((title, None))
}

/// The title as a whole and its parts between `|`, `-`, `:`; longer beginnings first, the site's name last.
fn title_parts(page: &str) -> Vec<String> {
    let mut ends: Vec<usize> = TITLE_BREAK.find_iter(page).map(|found| found.start()).collect();
    ends.reverse();
    let mut parts: Vec<String> = ends.iter().map(|&end| page[..end].trim().to_owned()).collect();
    parts.extend(TITLE_BREAK.split(page).skip(1).map(|part| part.trim().to_owned()));
    if parts.is_empty() {
        parts.push(page.trim().to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn likeness(a: &str, b: &str) -> f64 {
    let (a_stems, b_stems) = (stems(a), stems(b));
    if a_stems == b_stems {
        return 1.0;
    }
    // A long title is often cut short on one of the two.
    let (short, long) = if a_stems.len() < b_stems.len() { (&a_stems, &b_stems) } else { (&b_stems, &a_stems) };
    if short.len() >= 3 && has_run(long, short) {
        return 0.9;
    }
    normalized_levenshtein(&a_stems.join(" "), &b_stems.join(" "))
}

/// What was said around an act: the narration linked to it, otherwise the sentences just before and after.
fn reason(step: &Step, transcript: &Transcript) -> Option<String> {
    if let Some(rationale) = step.rationale.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        return Some(rationale.to_owned());
    }
    let linked: Vec<&str> = step.utterances.iter().map(|utterance| utterance.text.trim()).collect();
    if !linked.is_empty() {
        return Some(linked.join(" "));
    }
    let near = |segment: &&Segment| {
        segment.end > step.t - BEFORE_ACT_SECS && segment.start < step.t_end.max(step.t) + AFTER_ACT_SECS
    };
    let near: Vec<&Segment> = transcript.segments.iter().filter(near).collect();
    let telling = near
        .iter()
        .find(|segment| REASON.is_match(&segment.text))
        .or_else(|| near.iter().rfind(|segment| segment.start <= step.t))
        .or(near.first())?;
    Some(telling.text.trim().to_owned())
}

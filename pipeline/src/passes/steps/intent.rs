//! What a Step was for, by rules: the target's caption and role, the kind of page, and what came before and after.
//!
//! Nothing is claimed where no rule applies. A change of page has the intent of the act that led to it, and turning the
//! wheel means what the page is: going through a list is weighing offers, going down a product's page is looking at it.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::step::{Action, Cause, Intent, Source, Step};

use super::confidence::INTENT_BY_RULE;
use super::page::{Page, page_of};

/// Words of a question that the page which answers it names again.
const SHORTEST_WORD: usize = 2;
/// A word of a product's name that tells it from others.
const NAMING_WORD: usize = 4;
/// Two readings of one address differ by less.
const SAME_ADDRESS: f64 = 0.95;
/// A page that comes later was not opened by the act.
const LEADS_TO_SECS: f64 = 6.0;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static ADD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:add|put)\w*\s.*\b(?:cart|bag|basket|trolley)$ | \badd(?:\s+\w+){0,4}?\s+to\s+(?:\w+\s+)?(?:cart|bag|basket|trolley)\b | ^buy(?:\s+it)?\s+now\b | ^add$ | ^\+?\s*add\s+(?:item|now)
        | \b(?:add|save)\s+to\s+(?:\w+\s+)?(?:wish|watch|favou?rite|registry|list) | ^(?:add\s+to\s+)?(?:wish|watch)\s?list$ | ^save\s+for\s+later",
    )
});
static REMOVE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\W*(?:remove|delete|empty (?:cart|bag|basket)|clear cart)\b"));
static SORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\bsort\b | \blow(?:est)?\s+to\s+high | \bhigh(?:est)?\s+to\s+low | \b(?:cheapest|dearest|newest|oldest|lowest|highest|(?:best|top)[\s-]+rated)\s+first\b | \ba\s+to\s+z\b | \bz\s+to\s+a\b
        | ^(?:newest|best\s+match|relevance|featured|popularity|most\s+popular|top\s+rated|best\s?sell(?:ing|ers))\b
        | ^avg\.?\s+customer\s+review | ^(?:customer\s+)?rating$ | ^new\s+arrivals\s+first",
    )
});
static FILTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\bfilters?\b | ^(?:clear|reset)(?:\s+all)?$ | ^apply\b | \bstock\s+only | (?:&|\band)\s+up\b | ^show\s+(?:\d+\s+)?(?:results|items)
        | ^(?:under|over|up\s+to)\s+[$€£]?\d | ^[$€£]?\d+\s*(?:-|–|to)\s*[$€£]?\d+$ | ^(?:min|max)(?:imum)?\.?(?:\s+price)?$ | \(\d+\)$
        | ^price(?:\s+range)?$ | ^brands?$ | ^on\s+sale$",
    )
});
static OPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:size|colou?r|quantity|qty)(?:\W+\w+)?$ | ^[+−–-]$ | ^(?:x{0,3}[sl]|m)$ | ^\d+(?:\.\d+)?\s?(?:gb|tb|ml|l|oz|cm|mm|inch)$
        | ^(?:increase|decrease)\b",
    )
});
static SIZE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{1,3}(?:[.,]\d)?$"));
static LOOK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\breviews?\b | \b(?:size|fit)\s+(?:guide|chart) | ^(?:product\s+)?(?:details|description|specifications?|specs|features|overview|photos?)\b
        | \b(?:image|photo|picture|zoom|gallery)\b | ^read\s+more | ^see\s+(?:all|more)\b | ^quick\s+(?:view|look) | ^questions?\b",
    )
});
static CART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\d+\s+)?(?:view\s+|my\s+|your\s+|go\s+to\s+|shopping\s+)*(?:cart|bag|basket|trolley)\b(?:\s*[:(]?\s*\d*\)?)?$",
    )
});
static LEAVE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:back|forward|go back|close|close tab|continue shopping|back to .+|keep shopping)$"));
static THROUGH_LIST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:\d{1,3}|next(?:\s+page)?|previous(?:\s+page)?|(?:load|show|view)\s+more(?:\s+\w+)?|[›»‹«>])$")
});
static ASKS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bsearch\b|\blooking for\b"));
static PRICE: LazyLock<Regex> = LazyLock::new(|| pattern(r"[$€£]\s?\d|\d\s?[€£$]"));
static SAYS_COMPARE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bcompar|\bversus\b|\bvs\b|\bside by side\b"));
/// What is typed into an address field to go somewhere, rather than to ask.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:https?://|localhost\b|[\w-]+(?:\.[\w-]+)+(?:[:/?].*)?$)"));

/// Names the intents of a take's Steps; those that have one keep it.
pub(super) fn name(steps: &mut [Step]) {
    let mut memory = Memory::default();
    for index in 0..steps.len() {
        let ahead = leads_to(&steps[index], &steps[index + 1..]);
        let step = &steps[index];
        memory.arrive(step);
        let asks = || is_answered(&steps[index..]).then_some(Intent::Search);
        let intent = step.intent.or_else(|| of(step, &memory, ahead)).or_else(asks);
        memory.leave(step, intent, ahead);
        let step = &mut steps[index];
        if step.intent.is_none() && intent.is_some() {
            step.intent = intent;
            step.source.insert("intent".to_owned(), Source::Rule);
            step.confidences.insert("intent".to_owned(), INTENT_BY_RULE);
        }
    }
}

/// What is known when a Step is looked at.
#[derive(Default)]
struct Memory {
    page: Page,
    /// What the text that was typed last was for.
    typing: Option<Intent>,
    /// What the last act was for that may open a page.
    last: Option<Intent>,
    /// Where the last act leads, by its own words; for pages whose address says nothing.
    expected: Page,
}

impl Memory {
    fn arrive(&mut self, step: &Step) {
        match page_of(step.url.as_deref(), step.title.as_deref()) {
            Page::Unknown if step.action == Action::Navigate => self.page = self.expected,
            Page::Unknown => {}
            known => self.page = known,
        }
    }

    fn leave(&mut self, step: &Step, intent: Option<Intent>, ahead: Page) {
        match step.action {
            Action::Navigate | Action::Scroll => return,
            Action::Type => self.typing = intent,
            Action::Key if step.key.as_deref() == Some("Enter") => self.typing = None,
            Action::Click | Action::Drag => self.typing = None,
            Action::Key => {}
        }
        self.last = intent;
        self.expected = match (ahead, intent) {
            (Page::Unknown, Some(Intent::Search | Intent::Filter | Intent::Sort)) => Page::List,
            (Page::Unknown, Some(Intent::Inspect)) if PRICE.is_match(&caption(step)) => Page::Product,
            (page, _) => page,
        };
    }
}

/// The kind of page that a Step opens, as far as its address tells. Where no title of a window told that there is another
/// page, the next Step finds another address.
fn leads_to(step: &Step, after: &[Step]) -> Page {
    let Some(next) = after.iter().find(|next| next.action != Action::Scroll) else { return Page::Unknown };
    let is_opened = if next.action == Action::Navigate {
        next.t - step.t_end < LEADS_TO_SECS
    } else {
        let addresses = step.url.as_deref().zip(next.url.as_deref());
        addresses.is_some_and(|(here, there)| strsim::normalized_levenshtein(here, there) < SAME_ADDRESS)
    };
    if is_opened { page_of(next.url.as_deref(), next.title.as_deref()) } else { Page::Unknown }
}

/// Whether the first of some Steps is typing, or the click into the field before it, and the page that Enter opens names
/// what was typed: a search by what came of it, whatever the field is called.
fn is_answered(steps: &[Step]) -> bool {
    let at = match steps {
        [first, ..] if first.action == Action::Type => 0,
        [first, next, ..] if first.action == Action::Click && next.action == Action::Type => 1,
        _ => return false,
    };
    let [typing, key, page, ..] = &steps[at..] else { return false };
    let opens = key.key.as_deref() == Some("Enter")
        && page.action == Action::Navigate
        && page.t - key.t_end < LEADS_TO_SECS
        && (at == 0 || steps[0].target == typing.target);
    let Some(typed) = typing.text.as_deref().filter(|typed| opens && !ADDRESS.is_match(typed.trim())) else {
        return false;
    };
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= SHORTEST_WORD);
        words.map(str::to_lowercase).collect()
    };
    let shown = words(&[page.title.as_deref(), page.url.as_deref()].map(Option::unwrap_or_default).join(" "));
    let asked = words(typed);
    !asked.is_empty() && asked.iter().all(|word| shown.contains(word))
}

fn of(step: &Step, memory: &Memory, ahead: Page) -> Option<Intent> {
    match step.action {
        Action::Type => of_typing(step, memory),
        Action::Key => of_key(step, memory),
        Action::Scroll => of_moving(memory.page),
        Action::Navigate => match step.cause {
            Some(Cause::Back) => Some(Intent::Leave),
            Some(Cause::Link | Cause::Form | Cause::Address) => memory.last,
            Some(Cause::Tab | Cause::Reload) | None => None,
        },
        Action::Drag => (memory.page == Page::List || role(step) == "slider").then_some(Intent::Filter),
        Action::Click => of_click(step, memory, ahead),
    }
}

fn of_typing(step: &Step, memory: &Memory) -> Option<Intent> {
    let caption = caption(step);
    if caption.starts_with("address") {
        let is_question = step.text.as_deref().is_some_and(|typed| !ADDRESS.is_match(typed.trim()));
        return is_question.then_some(Intent::Search);
    }
    if is_search_field(step) {
        return Some(Intent::Search);
    }
    if OPTION.is_match(&caption) && memory.page != Page::List {
        return Some(Intent::ChooseOption);
    }
    (FILTER.is_match(&caption) || caption.contains("price")).then_some(Intent::Filter)
}

fn of_key(step: &Step, memory: &Memory) -> Option<Intent> {
    match step.key.as_deref()? {
        "Enter" => memory.typing,
        "Alt+ArrowLeft" | "Ctrl+w" => Some(Intent::Leave),
        "PageDown" | "PageUp" | "End" | "Home" | "Space" | "ArrowDown" | "ArrowUp" if memory.typing.is_none() => {
            of_moving(memory.page)
        }
        _ => None,
    }
}

fn of_moving(page: Page) -> Option<Intent> {
    match page {
        Page::List | Page::Comparison => Some(Intent::Compare),
        Page::Product | Page::Cart => Some(Intent::Inspect),
        Page::Other | Page::Unknown => None,
    }
}

fn of_click(step: &Step, memory: &Memory, ahead: Page) -> Option<Intent> {
    let caption = caption(step);
    let role = role(step);
    let in_list = memory.page == Page::List;
    let is_choice =
        matches!(role, "radio" | "option" | "combobox" | "listbox" | "menuitemradio" | "checkbox" | "spinbutton");
    if caption.starts_with("address") {
        return None;
    }
    if LEAVE.is_match(&caption) {
        return Some(Intent::Leave);
    }
    if caption.starts_with("compare") || caption.contains("add to compar") {
        return Some(Intent::Compare);
    }
    // Shops that auction list by "buy it now": there it is one of the filters.
    if ADD.is_match(&caption) && !(in_list && is_choice) {
        return Some(Intent::Add);
    }
    if REMOVE.is_match(&caption) {
        return Some(Intent::Remove);
    }
    if SORT.is_match(&caption) && !PRICE.is_match(&caption) {
        return Some(Intent::Sort);
    }
    if is_search_field(step) || role == "button" && ASKS.is_match(&caption) {
        return Some(Intent::Search);
    }
    if CART.is_match(&caption) || ahead == Page::Cart && role != "button" {
        return Some(Intent::Inspect);
    }
    if in_list && THROUGH_LIST.is_match(&caption) {
        return Some(Intent::Compare);
    }
    // A number on a product's button is a size; pages of reviews are links.
    let is_size = memory.page == Page::Product && role == "button" && SIZE.is_match(&caption);
    let is_option = is_size || OPTION.is_match(&caption) && !LOOK.is_match(&caption);
    if is_choice || is_option {
        let is_amount = matches!(caption.as_str(), "+" | "-" | "−" | "–");
        return Some(if (in_list && !is_amount) || role == "checkbox" { Intent::Filter } else { Intent::ChooseOption });
    }
    if PRICE.is_match(&caption) && !FILTER.is_match(&caption) {
        return Some(opening(step));
    }
    if memory.page == Page::Product && (LOOK.is_match(&caption) || matches!(role, "tab" | "img")) {
        return Some(Intent::Inspect);
    }
    match ahead {
        Page::Product => Some(opening(step)),
        Page::Comparison => Some(Intent::Compare),
        Page::List => Some(Intent::Filter),
        Page::Cart | Page::Other | Page::Unknown if FILTER.is_match(&caption) => Some(Intent::Filter),
        Page::Cart | Page::Other | Page::Unknown if LOOK.is_match(&caption) => Some(Intent::Inspect),
        Page::Cart | Page::Other | Page::Unknown => None,
    }
}

/// Opening a product is looking at it, unless the worker says that it is for comparing: in the last sentence, or in one
/// that names the product. What was said of the list before is not about it.
fn opening(step: &Step) -> Intent {
    let said = step.rationale.as_deref().unwrap_or_default().to_lowercase();
    let sentences: Vec<&str> =
        said.split(['.', '?', '!', '…']).map(str::trim).filter(|sentence| !sentence.is_empty()).collect();
    let caption = caption(step);
    let names = |sentence: &str| {
        let long = |word: &&str| word.chars().count() >= NAMING_WORD;
        caption.split(|c: char| !c.is_alphanumeric()).filter(long).any(|word| sentence.contains(word))
    };
    let says_compare = sentences
        .iter()
        .enumerate()
        .any(|(index, sentence)| SAYS_COMPARE.is_match(sentence) && (index + 1 == sentences.len() || names(sentence)));
    if says_compare { Intent::Compare } else { Intent::Inspect }
}

fn caption(step: &Step) -> String {
    step.target.as_ref().and_then(|target| target.text.as_deref()).unwrap_or_default().trim().to_lowercase()
}

fn role(step: &Step) -> &str {
    step.target.as_ref().and_then(|target| target.role.as_deref()).unwrap_or_default()
}

/// The address field mentions searching as well, but what is typed there is an address, mostly.
fn is_search_field(step: &Step) -> bool {
    let caption = caption(step);
    let is_field = matches!(role(step), "textbox" | "searchbox" | "combobox" | "");
    !caption.starts_with("address") && (role(step) == "searchbox" || is_field && ASKS.is_match(&caption))
}

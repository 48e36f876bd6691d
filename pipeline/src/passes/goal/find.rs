//! Demands and what the recording shows of them.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::goal::{Constraint, ConstraintFinding, ConstraintKind, Evidence, EvidenceSource};
use shared_types::step::{Action, Intent, Step};

use super::Seen;
use super::amount::prices;
use super::cart::{Cart, Chosen, cart};
use super::evidence::{Wanted, gather, is_within, shows_size, wished};
use super::parse::parse;
use super::products::offers;
use super::words::{content, stems, tokens};

/// Controls that set how many pieces one act puts into the cart.
static PIECES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:qty|quantity|amount)\b|^\s*[+−-]\s*$").expect("the pattern is valid"));

/// Looks for each demand; `met` is judged by the cart at the end, and null where that cannot be told.
pub fn find(constraints: &[Constraint], seen: Seen<'_>) -> Vec<ConstraintFinding> {
    let cart = cart(seen.steps, &offers(seen.screens));
    constraints
        .iter()
        .map(|constraint| {
            let met = met(constraint, constraints, &cart, seen.steps);
            let mut evidence = gather(&Wanted::of(constraint, constraints), &seen);
            if met == Some(false) {
                evidence.extend(missed(constraint, &cart, seen.steps));
                evidence.sort_by(|a, b| a.t.total_cmp(&b.t));
            }
            ConstraintFinding { constraint: constraint.clone(), touched: !evidence.is_empty(), met, evidence }
        })
        .collect()
}

/// What shows that a demand was missed: the price of what was taken, or the other option that was picked.
fn missed(constraint: &Constraint, cart: &Cart, steps: &[Step]) -> Vec<Evidence> {
    let evidence = |step: &Step, text: String| Evidence { t: step.t, source: EvidenceSource::Acted, text };
    let of_item = |item: &Chosen| match constraint.kind {
        ConstraintKind::Price => {
            let price = item.price.as_deref()?;
            Some(evidence(&steps[item.step], format!("{} {price}", item.title)))
        }
        ConstraintKind::Quantity => Some(evidence(&steps[item.step], item.title.clone())),
        kind => {
            let pick = last_pick(kind, item, steps)?;
            Some(evidence(pick, text_of(pick)?.to_owned()))
        }
    };
    cart.items.iter().filter_map(of_item).collect()
}

fn met(constraint: &Constraint, all: &[Constraint], cart: &Cart, steps: &[Step]) -> Option<bool> {
    if !cart.is_complete || cart.items.is_empty() {
        return None;
    }
    match constraint.kind {
        ConstraintKind::Price => price_met(constraint, &cart.items),
        ConstraintKind::Quantity => {
            let Wanted::Count { count, .. } = Wanted::of(constraint, all) else { return None };
            let is_count = cart.items.len() as u32 == count;
            // Where a number of pieces was set, one act put several into the cart.
            let is_told = is_count || !steps.iter().any(|step| text_of(step).is_some_and(|text| PIECES.is_match(text)));
            is_told.then_some(is_count)
        }
        ConstraintKind::Place => None,
        kind => {
            let judged: Vec<Option<bool>> =
                cart.items.iter().map(|item| item_met(kind, constraint, item, steps)).collect();
            if judged.contains(&Some(false)) {
                return Some(false);
            }
            judged.iter().all(|judged| *judged == Some(true)).then_some(true)
        }
    }
}

/// What was picked of this kind says more than the product's name; of what neither says, nothing is known.
fn item_met(kind: ConstraintKind, constraint: &Constraint, item: &Chosen, steps: &[Step]) -> Option<bool> {
    if let Some(pick) = last_pick(kind, item, steps).and_then(text_of) {
        return Some(says(kind, constraint, pick));
    }
    let text = [item.title.as_str()].into_iter().chain(item.about.iter().map(String::as_str));
    says(kind, constraint, &text.collect::<Vec<_>>().join(", ")).then_some(true)
}

fn price_met(constraint: &Constraint, items: &[Chosen]) -> Option<bool> {
    let (min, max) = (constraint.min, constraint.max);
    let mut sum = 0.0;
    let mut all_within = true;
    for item in items {
        let amounts = prices(item.price.as_deref()?);
        // A price range leaves open what is paid.
        let [amount] = amounts[..] else { return None };
        sum += amount.value;
        all_within &= is_within(amount.value, min, max);
    }
    let text = constraint.text.to_lowercase();
    let is_each = ["each", "per ", "apiece", "a piece"].iter().any(|word| text.contains(word));
    match items.len() {
        1 => Some(all_within),
        _ if is_each => Some(all_within),
        // Each one fits, but whether all together had to, the goal does not say.
        _ if all_within && !is_within(sum, min, max) => None,
        _ if !all_within && is_within(sum, min, max) => None,
        _ => Some(all_within),
    }
}

/// Whether a text about the product itself says that it is as demanded.
fn says(kind: ConstraintKind, constraint: &Constraint, text: &str) -> bool {
    let words = tokens(text);
    let has = |stem: &String| words.iter().any(|word| word.stem == *stem);
    match kind {
        ConstraintKind::Item => {
            let item = stems(&constraint.text);
            !item.is_empty() && item.iter().all(has)
        }
        ConstraintKind::Size => match Wanted::of(constraint, &[]) {
            Wanted::Size(sizes) => shows_size(&sizes, text, &words, EvidenceSource::Seen),
            _ => false,
        },
        ConstraintKind::Colour => match Wanted::of(constraint, &[]) {
            Wanted::AnyOf(colours) => colours.iter().any(has),
            _ => false,
        },
        ConstraintKind::Audience => match Wanted::of(constraint, &[]) {
            Wanted::AnyOf(people) => people.iter().all(has),
            _ => false,
        },
        ConstraintKind::Quality => {
            let wishes = wished(&constraint.text);
            let is_whole = wishes.len() == content(&constraint.text).len();
            is_whole && !wishes.is_empty() && wishes.iter().all(has)
        }
        ConstraintKind::Price | ConstraintKind::Quantity | ConstraintKind::Place => false,
    }
}

/// The size or colour that was picked last on the product's own page before it was added.
fn last_pick<'a>(kind: ConstraintKind, item: &Chosen, steps: &'a [Step]) -> Option<&'a Step> {
    if !matches!(kind, ConstraintKind::Size | ConstraintKind::Colour) {
        return None;
    }
    let page = steps[item.step].title.as_deref()?;
    steps[..item.step]
        .iter()
        .rev()
        .take_while(|step| step.title.as_deref() == Some(page))
        .filter(|step| is_pick(step))
        .find(|step| text_of(step).is_some_and(|text| is_of_kind(kind, text)))
}

fn text_of(step: &Step) -> Option<&str> {
    step.target.as_ref()?.text.as_deref()
}

fn is_of_kind(kind: ConstraintKind, option: &str) -> bool {
    parse(&format!("find one in {}", option.to_lowercase())).iter().any(|named| named.kind == kind)
        || kind == ConstraintKind::Size && option.chars().any(|c| c.is_ascii_digit())
}

fn is_pick(step: &Step) -> bool {
    let role = step.target.as_ref().and_then(|target| target.role.as_deref());
    let is_choice = matches!(role, Some("radio" | "option" | "combobox" | "listbox" | "menuitemradio" | "button"));
    step.action == Action::Click && (step.intent == Some(Intent::ChooseOption) || is_choice)
}

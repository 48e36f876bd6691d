//! Demands and what the recording shows of them.

use shared_types::goal::{Constraint, ConstraintFinding, ConstraintKind, EvidenceSource};
use shared_types::step::{Action, Intent, Step};

use super::Seen;
use super::amount::prices;
use super::cart::{Cart, Chosen, cart};
use super::evidence::{Wanted, gather, is_within, shows_size, wished};
use super::parse::parse;
use super::products::products;
use super::words::{content, stems, tokens};

/// Looks for each demand; `met` is judged by the cart at the end, and null where that cannot be told.
pub fn find(constraints: &[Constraint], seen: Seen<'_>) -> Vec<ConstraintFinding> {
    let cart = cart(seen.steps, &products(seen.screens));
    constraints
        .iter()
        .map(|constraint| {
            let evidence = gather(&Wanted::of(constraint, constraints), &seen);
            ConstraintFinding {
                constraint: constraint.clone(),
                touched: !evidence.is_empty(),
                met: met(constraint, constraints, &cart, seen.steps),
                evidence,
            }
        })
        .collect()
}

fn met(constraint: &Constraint, all: &[Constraint], cart: &Cart, steps: &[Step]) -> Option<bool> {
    if !cart.is_complete || cart.items.is_empty() {
        return None;
    }
    match constraint.kind {
        ConstraintKind::Price => price_met(constraint, &cart.items),
        ConstraintKind::Quantity => {
            let Wanted::Count { count, .. } = Wanted::of(constraint, all) else { return None };
            (cart.items.len() as u32 == count).then_some(true)
        }
        ConstraintKind::Place => None,
        kind => cart
            .items
            .iter()
            .all(|item| says(kind, constraint, &item.title) || is_option(kind, constraint, item, steps))
            .then_some(true),
    }
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

/// Whether a size or colour was picked on the product's own page before it was added.
fn is_option(kind: ConstraintKind, constraint: &Constraint, item: &Chosen, steps: &[Step]) -> bool {
    if !matches!(kind, ConstraintKind::Size | ConstraintKind::Colour) {
        return false;
    }
    let Some(page) = steps[item.step].title.as_deref() else { return false };
    steps[..item.step]
        .iter()
        .rev()
        .take_while(|step| step.title.as_deref() == Some(page))
        .filter(|step| is_pick(step))
        .filter_map(|step| step.target.as_ref()?.text.as_deref())
        // The last pick of this kind counts.
        .find(|text| is_of_kind(kind, text))
        .is_some_and(|text| says(kind, constraint, text))
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

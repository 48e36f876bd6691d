//! What a Step was for, where its target says so plainly; otherwise nothing is claimed.

use shared_types::step::{Action, Cause, Intent, Source, Step};

/// Captions that say it, in lower case.
const ADD: [&str; 6] = ["add to cart", "add to bag", "add to basket", "add to trolley", "buy now", "buy it now"];
const REMOVE: [&str; 3] = ["remove", "delete", "remove item"];
const SORT: [&str; 8] = ["sort", "low to high", "high to low", "a to z", "z to a", "newest", "best match", "relevance"];
const OPTION: [&str; 4] = ["size", "colour", "color", "quantity"];

/// Names the intents of a take's Steps.
pub(super) fn name(steps: &mut [Step]) {
    let mut searching = false;
    for step in steps {
        let intent = of(step, searching);
        searching = match step.action {
            Action::Type => is_search(step),
            Action::Key => searching && step.key.as_deref() != Some("Enter"),
            _ => false,
        };
        if intent.is_some() {
            step.intent = intent;
            step.source.insert("intent".to_owned(), Source::Rule);
        }
    }
}

fn of(step: &Step, searching: bool) -> Option<Intent> {
    let text = caption(step);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match step.action {
        Action::Type if is_search(step) => Some(Intent::Search),
        Action::Key if searching && step.key.as_deref() == Some("Enter") => Some(Intent::Search),
        Action::Navigate if step.cause == Some(Cause::Back) => Some(Intent::Leave),
        Action::Click => {
            let role = step.target.as_ref().and_then(|target| target.role.as_deref()).unwrap_or_default();
            if text == "back" {
                Some(Intent::Leave)
            } else if has(&ADD) {
                Some(Intent::Add)
            } else if REMOVE.contains(&text.as_str()) {
                Some(Intent::Remove)
            } else if has(&SORT) {
                Some(Intent::Sort)
            } else if is_search(step) {
                Some(Intent::Search)
            } else if role == "radio" || OPTION.iter().any(|word| text.starts_with(word)) {
                Some(Intent::ChooseOption)
            } else if role == "checkbox" {
                Some(Intent::Filter)
            } else if text.contains(['$', '€', '£']) {
                Some(Intent::Inspect)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn caption(step: &Step) -> String {
    step.target.as_ref().and_then(|target| target.text.as_deref()).unwrap_or_default().to_lowercase()
}

/// The address field mentions searching as well, but what is typed there is an address, mostly.
fn is_search(step: &Step) -> bool {
    let text = caption(step);
    text.contains("search") && !text.starts_with("address")
}

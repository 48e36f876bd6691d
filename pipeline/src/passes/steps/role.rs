//! What a target turned out to be. A picture tells a field from a link, and a link from a button, less well than what came
//! of the click: what was typed into is a field, and what led to another page is a link, unless it sends something off.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::step::{Action, Cause, Step};

/// A page that comes later was not opened by the click.
const LEADS_TO_SECS: f64 = 6.0;

/// Captions of what sends a form off or acts on the page's things: buttons, also where another page answers.
static SENDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^\W*(?:search|find|go|submit|send|apply|save|update|confirm|continue|next|sign\s?(?:in|up|out)|log\s?(?:in|out)|register|subscribe|join
        |add|put|buy|remove|delete|clear|reset|place\s+order|pay|order|ok|yes|no|accept|agree|close|cancel|done)\b",
    )
    .expect("the pattern is valid")
});

/// What opens a list below it, and how far down the list may go, in heights of what opens it.
static OPENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bsort\b|\border\s+by\b|\bshow\s+by\b|^(?:size|colou?r|quantity|qty|price|brand)\b")
        .expect("the pattern is valid")
});
const LONGEST_MENU: f64 = 16.0;

/// Names the roles anew where the Steps after a click say what it was.
pub(super) fn settle(steps: &mut [Step]) {
    for index in 0..steps.len() {
        let (before, rest) = steps.split_at(index);
        let Some(role) = as_used(before.last(), &rest[0], &rest[1..]) else { continue };
        if let Some(target) = steps[index].target.as_mut() {
            target.role = Some(role.to_owned());
        }
    }
}

fn as_used(before: Option<&Step>, step: &Step, after: &[Step]) -> Option<&'static str> {
    let target = step.target.as_ref()?;
    let seen = target.role.as_deref().unwrap_or_default();
    if !matches!(seen, "textbox" | "button" | "link") {
        return None;
    }
    match step.action {
        Action::Type => Some("textbox"),
        Action::Click if is_typed_into(step, after) => Some("textbox"),
        Action::Click if seen == "link" && before.is_some_and(|opener| opens_choice(opener, step)) => Some("option"),
        Action::Click if leads_away(step, after) => {
            let sends = target.text.as_deref().is_some_and(|text| SENDS.is_match(text));
            Some(if sends { "button" } else { "link" })
        }
        // A field is written into, sooner or later; what opens a list to choose from is a button.
        Action::Click if seen == "textbox" && after.first().is_some_and(|next| opens_choice(step, next)) => {
            Some("button")
        }
        _ => None,
    }
}

/// Whether letters came before the next click, into the place of this one.
fn is_typed_into(click: &Step, after: &[Step]) -> bool {
    let mut next =
        after.iter().take_while(|step| !matches!(step.action, Action::Click | Action::Drag | Action::Navigate));
    next.any(|step| step.action == Action::Type && (step.x, step.y) == (click.x, click.y))
}

/// Whether another page followed: by its title, or by the address that the next act finds.
fn leads_away(click: &Step, after: &[Step]) -> bool {
    let Some(next) = after.iter().find(|step| step.action != Action::Scroll) else { return false };
    let is_soon = next.t - click.t_end <= LEADS_TO_SECS;
    match next.action {
        Action::Navigate => is_soon && next.cause == Some(Cause::Link),
        _ => is_soon && click.url.is_some() && next.url.is_some() && click.url != next.url,
    }
}

/// Whether a click opened the list in which the next one lies: an entry right below what says to sort or to choose.
fn opens_choice(opener: &Step, next: &Step) -> bool {
    let (Some(from), Some(to)) = (&opener.target, &next.target) else { return false };
    let says_so = from.text.as_deref().is_some_and(|text| OPENS.is_match(text));
    let (Some(from), Some(to)) = (from.bounds, to.bounds) else { return false };
    let middle = to[0] + to[2] / 2.0;
    let is_below = (0.0..=LONGEST_MENU * from[3]).contains(&(to[1] + to[3] - from[1] - from[3]))
        && (from[0] - from[3]..=from[0] + from[2] + from[3]).contains(&middle);
    says_so && is_below && [opener, next].iter().all(|step| step.action == Action::Click)
}

#[cfg(test)]
mod tests {
    use shared_types::step::Target;

    use super::*;
    use crate::passes::steps::{acts::Act, acts::ActKind, blank};

    fn step(kind: ActKind, t: f64, target: Option<(&str, &str)>) -> Step {
        let mut step = blank(&Act { t, t_end: t, kind });
        (step.x, step.y) = (Some(10.0), Some(20.0));
        step.target =
            target.map(|(text, role)| Target { text: Some(text.into()), role: Some(role.into()), bounds: None });
        step
    }

    fn click(t: f64, text: &str, role: &str) -> Step {
        let kind = ActKind::Click { x: 10.0, y: 20.0, button: shared_types::event::MouseButton::Left, count: 1 };
        step(kind, t, Some((text, role)))
    }

    fn page(t: f64) -> Step {
        let mut page = step(ActKind::Title { title: "Lamps".into() }, t, None);
        page.cause = Some(Cause::Link);
        page
    }

    fn roles(mut steps: Vec<Step>) -> Vec<String> {
        settle(&mut steps);
        steps.iter().filter_map(|step| step.target.as_ref()?.role.clone()).collect()
    }

    #[test]
    fn what_led_to_a_page_is_a_link_unless_it_sends() {
        assert_eq!(roles(vec![click(1.0, "Lamps", "textbox"), page(1.4)]), ["link"]);
        assert_eq!(roles(vec![click(1.0, "Up to $40", "button"), page(1.4)]), ["link"]);
        assert_eq!(roles(vec![click(1.0, "Sign in", "button"), page(1.4)]), ["button"]);
        assert_eq!(roles(vec![click(1.0, "Black", "checkbox"), page(1.4)]), ["checkbox"], "shops filter at once");
        assert_eq!(roles(vec![click(1.0, "Lamps", "button"), page(9.0)]), ["button"], "the page came by itself");
        let on = |address: &str, step: Step| Step { url: Some(address.into()), ..step };
        let other = |address: &str| {
            vec![on("shop.test/", click(1.0, "Lamps", "button")), on(address, click(2.0, "Arc", "link"))]
        };
        assert_eq!(roles(other("shop.test/lamps"))[0], "link", "no title was seen to change");
        assert_eq!(roles(other("shop.test/"))[0], "button");
    }

    #[test]
    fn what_is_typed_into_is_a_field() {
        let typed = || step(ActKind::Type { chars: 4 }, 2.0, Some(("Search", "button")));
        assert_eq!(roles(vec![click(1.0, "Search", "button"), typed()]), ["textbox", "textbox"]);
        let elsewhere = Step { x: Some(400.0), ..typed() };
        assert_eq!(roles(vec![click(1.0, "Menu", "button"), elsewhere]), ["button", "textbox"]);
    }

    #[test]
    fn what_opens_a_list_is_no_field() {
        let at = |bounds: [f64; 4], mut step: Step| {
            step.target.as_mut().unwrap().bounds = Some(bounds);
            step
        };
        let entry = || at([995.0, 378.0, 121.0, 24.0], click(2.0, "Customer rating", "link"));
        let below = |text: &str| roles(vec![at([979.0, 191.0, 240.0, 41.0], click(1.0, text, "textbox")), entry()]);
        assert_eq!(below("Sort: Featured"), ["button", "option"]);
        assert_eq!(below("Your name"), ["textbox", "link"]);
    }
}

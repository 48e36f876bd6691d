//! What a target turned out to be. A picture tells a field from a link, and a link from a button, less well than what came
//! of the click: what was typed into is a field, and what led to another page is a link, unless it sends something off.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::step::{Action, Cause, Source, Step};

use super::page::is_same_page;

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
/// They are short, and name no price. Names of things for sale begin with the same words: "Clear Phone Case $9.99".
const LONGEST_SENDS: usize = 4;
static PRICE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[$€£]\s?\d|\d\s?[€£$]").expect("the pattern is valid"));
const PART_LETTERS: std::ops::RangeInclusive<usize> = 3..=4;

/// What opens a list below it, and how far down the list may go, in heights of what opens it.
static OPENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bsort\b|\border\s+by\b|\bshow\s+by\b|^(?:size|colou?r|quantity|qty|price|brand)\b")
        .expect("the pattern is valid")
});
const LONGEST_MENU: f64 = 16.0;

/// Names the roles anew where the Steps after a click say what it was. `of_browser` are the Steps whose targets are the
/// browser's own: they may open a page and are what they are.
pub(super) fn settle(steps: &mut [Step], of_browser: &[usize]) {
    let is_titled = |step: &Step| step.action == Action::Navigate && step.source.get("title") == Some(&Source::Event);
    let has_titles = steps.iter().any(is_titled);
    for index in (0..steps.len()).filter(|index| !of_browser.contains(index)) {
        let (before, rest) = steps.split_at(index);
        let take = Around { before: before.last(), after: &rest[1..], has_titles };
        let Some(role) = as_used(&rest[0], &take) else { continue };
        if let Some(target) = steps[index].target.as_mut() {
            target.role = Some(role.to_owned());
        }
    }
}

/// What came before and after a Step.
struct Around<'a> {
    before: Option<&'a Step>,
    after: &'a [Step],
    /// Whether the window's titles tell of other pages. Some shops give all of theirs one title.
    has_titles: bool,
}

fn as_used(step: &Step, take: &Around<'_>) -> Option<&'static str> {
    let target = step.target.as_ref()?;
    let seen = target.role.as_deref().unwrap_or_default();
    let text = target.text.as_deref().unwrap_or_default();
    if seen == "radio" {
        let is_part = may_be_part(text) && step.action == Action::Click && opens_page(step, take.after);
        return is_part.then_some("link");
    }
    if !matches!(seen, "textbox" | "button" | "link") {
        return None;
    }
    match step.action {
        Action::Type => Some("textbox"),
        Action::Click if is_typed_into(step, take.after) => Some("textbox"),
        // Shops sort and filter by another page, so that an option may lead to one.
        Action::Click if seen == "link" && take.before.is_some_and(|opener| opens_choice(opener, step)) => {
            Some("option")
        }
        Action::Click if leads_away(step, take) => Some(if seen != "link" && sends(text) { "button" } else { "link" }),
        // A field is written into, sooner or later; what opens a list to choose from is a button.
        Action::Click if seen == "textbox" && take.after.first().is_some_and(|next| opens_choice(step, next)) => {
            Some("button")
        }
        _ => None,
    }
}

/// Tiles of a shop's parts (`Men`, `Kids`, `Sale`) look like a group to choose from. Sizes (`XL`, `XXL`) are such a group.
fn may_be_part(text: &str) -> bool {
    let is_word = text.chars().all(char::is_alphabetic) && PART_LETTERS.contains(&text.chars().count());
    is_word && !text.to_lowercase().starts_with("xx")
}

fn sends(text: &str) -> bool {
    text.split_whitespace().count() <= LONGEST_SENDS && SENDS.is_match(text) && !PRICE.is_match(text)
}

/// Whether letters came before the next click, into the place of this one.
fn is_typed_into(click: &Step, after: &[Step]) -> bool {
    let mut next =
        after.iter().take_while(|step| !matches!(step.action, Action::Click | Action::Drag | Action::Navigate));
    next.any(|step| step.action == Action::Type && (step.x, step.y) == (click.x, click.y))
}

/// The act after a click, unless it is another's.
fn next_act<'a>(click: &Step, after: &'a [Step]) -> Option<&'a Step> {
    let next = after.iter().find(|step| step.action != Action::Scroll)?;
    (next.t - click.t_end <= LEADS_TO_SECS).then_some(next)
}

/// Whether another page followed by a link.
fn opens_page(click: &Step, after: &[Step]) -> bool {
    next_act(click, after).is_some_and(|next| next.action == Action::Navigate && next.cause == Some(Cause::Link))
}

/// Whether another page followed: by its title, or, where no titles are told, by the address that the next act finds.
fn leads_away(click: &Step, take: &Around<'_>) -> bool {
    let finds_other = |next: &Step| {
        let addresses = click.url.as_deref().zip(next.url.as_deref());
        next.action != Action::Navigate && addresses.is_some_and(|(here, there)| !is_same_page(here, there))
    };
    opens_page(click, take.after) || !take.has_titles && next_act(click, take.after).is_some_and(finds_other)
}

/// Whether a click opened the list in which the next one lies: an entry right below a control that says to sort or to choose.
/// A plain text that says so is the heading of what stands below it.
fn opens_choice(opener: &Step, next: &Step) -> bool {
    let (Some(from), Some(to)) = (&opener.target, &next.target) else { return false };
    if !matches!(from.role.as_deref(), Some("button" | "combobox" | "textbox")) {
        return false;
    }
    let says_so = from.text.as_deref().is_some_and(|text| OPENS.is_match(text));
    let (Some(from), Some(to)) = (from.bounds, to.bounds) else { return false };
    let middle = to[0] + to[2] / 2.0;
    let is_below = to[1] >= from[1] + from[3] / 2.0
        && to[1] + to[3] - from[1] - from[3] <= LONGEST_MENU * from[3]
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
        settle(&mut steps, &[]);
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
        assert_eq!(roles(other("shop.test/?variant=123"))[0], "button", "the same page with another colour");
        assert_eq!(roles(other("sh0p.test"))[0], "button", "read otherwise");
        let mut titled = other("shop.test/lamps");
        let mut opened = page(9.0);
        opened.source.insert("title".to_owned(), Source::Event);
        titled.push(opened);
        assert_eq!(roles(titled)[0], "button", "a title would have told");
    }

    #[test]
    fn what_a_thing_is_called_makes_it_no_button() {
        let check = |text: &str, seen: &str, expected: &str| {
            assert_eq!(roles(vec![click(1.0, text, seen), page(1.4)]), [expected], "{text}");
        };
        check("Clear Phone Case for iPhone 15 $9.99", "link", "link");
        check("Clear Phone Case for iPhone 15 $9.99", "button", "link");
        check("Save $5", "button", "link");
        check("No-Show Socks", "link", "link");
        check("Order history", "link", "link");
        check("Next Day Delivery", "link", "link");
        check("Add to wish list", "button", "button");
        check("Search", "textbox", "button");
    }

    #[test]
    fn tiles_that_lead_to_pages_are_links() {
        let check = |text: &str, then: Step, expected: &str| {
            assert_eq!(roles(vec![click(1.0, text, "radio"), then]), [expected], "{text}");
        };
        check("Kids", page(1.4), "link");
        check("New", page(1.4), "link");
        check("Kids", page(9.0), "radio");
        for size in ["XL", "XXL", "XXXL", "M", "9", "10.5"] {
            check(size, page(1.4), "radio");
        }
    }

    #[test]
    fn what_is_the_browsers_own_stays_what_it_is() {
        for (text, role) in [("New Tab", "button"), ("Home", "button"), ("Address and search bar", "textbox")] {
            let mut steps = vec![click(1.0, text, role), page(1.4)];
            settle(&mut steps, &[0]);
            assert_eq!(steps[0].target.as_ref().unwrap().role.as_deref(), Some(role), "{text}");
        }
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
        let opener = |text: &str, role: &str| at([979.0, 191.0, 240.0, 41.0], click(1.0, text, role));
        let below = |text: &str| roles(vec![opener(text, "textbox"), entry()]);
        assert_eq!(below("Sort: Featured"), ["button", "option"]);
        assert_eq!(below("Your name"), ["textbox", "link"]);
        let heading = vec![opener("Price", "link"), entry()];
        assert_eq!(roles(heading), ["link", "link"]);
        let by_another_page = vec![opener("Sort: Featured", "button"), entry(), page(2.4)];
        assert_eq!(roles(by_another_page), ["button", "option"]);
        let twice = vec![opener("Size", "button"), at([979.0, 192.0, 240.0, 41.0], click(2.0, "Size", "link"))];
        assert_eq!(roles(twice), ["button", "link"], "the same thing again");
    }
}

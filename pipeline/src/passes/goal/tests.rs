use std::collections::BTreeMap;

use shared_types::goal::{Constraint, ConstraintFinding, ConstraintKind, EvidenceSource};
use shared_types::step::{Action, Intent, Step, Target, Utterance};
use shared_types::summary::ProductSeen;
use shared_types::transcript::{Segment, Transcript};

use super::{Screen, Seen, decision, find, parse, products};
use crate::models::ocr::TextLine;

const fn mark(kind: ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::Item => "item",
        ConstraintKind::Price => "price",
        ConstraintKind::Size => "size",
        ConstraintKind::Colour => "colour",
        ConstraintKind::Place => "place",
        ConstraintKind::Audience => "audience",
        ConstraintKind::Quantity => "quantity",
        ConstraintKind::Quality => "quality",
    }
}

fn shown(constraint: &Constraint) -> String {
    let limits = match (constraint.min, constraint.max) {
        (None, None) => String::new(),
        (min, max) => {
            let limit = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            format!(" [{}..{}]", limit(min), limit(max))
        }
    };
    format!("{}: {}{limits}", mark(constraint.kind), constraint.text)
}

#[track_caller]
fn check(goal: &str, expected: &[&str]) {
    let found: Vec<String> = parse(goal).iter().map(shown).collect();
    assert_eq!(found, expected, "{goal}");
}

#[test]
fn goals_are_taken_apart() {
    check("Find black dress shoes under $100", &["colour: black", "item: dress shoes", "price: under $100 [..100]"]);
    check(
        "Find black running shoes under $100",
        &["colour: black", "item: running shoes", "price: under $100 [..100]"],
    );
    check("Find laptop for college under $800", &["item: laptop", "quality: for college", "price: under $800 [..800]"]);
    check("Find birthday gift for mom under $50", &["item: birthday gift", "audience: mom", "price: under $50 [..50]"]);
    check(
        "Find blue jeans size 32 from local store in Seattle under $80",
        &["colour: blue", "item: jeans", "size: size 32", "place: local store in Seattle", "price: under $80 [..80]"],
    );
    check(
        "Find work dress professional but not boring petite size under $100",
        &["item: work dress", "quality: professional but not boring", "size: petite size", "price: under $100 [..100]"],
    );
    check(
        "Find anniversary gift for wife who likes jewelry budget $200-300",
        &[
            "item: anniversary gift",
            "audience: wife",
            "quality: who likes jewelry",
            "price: budget $200-300 [200..300]",
        ],
    );
    check(
        "Find running shoes for flat feet women under $150 local pickup",
        &[
            "item: running shoes",
            "quality: for flat feet",
            "audience: women",
            "price: under $150 [..150]",
            "place: local pickup",
        ],
    );
    check(
        "Find two easy indoor plants as a gift, each under $25",
        &[
            "quantity: two",
            "quality: easy",
            "item: indoor plants",
            "quality: as a gift",
            "price: each under $25 [..25]",
        ],
    );
    check(
        "Find a ball game present for a nine-year-old under $70",
        &["item: ball game present", "audience: nine-year-old", "price: under $70 [..70]"],
    );
}

#[test]
fn prices_are_limited_in_many_ways() {
    for (words, limits) in [
        ("below 100 dollars", "[..100]"),
        ("for less than one hundred dollars", "[..100]"),
        ("at most $99.50", "[..99.5]"),
        ("up to €1,200", "[..1200]"),
        ("$40 or less", "[..40]"),
        ("with a budget of $60", "[..60]"),
        ("max $60", "[..60]"),
        ("under 60", "[..60]"),
        ("between $20 and $30", "[20..30]"),
        ("between twenty and thirty dollars", "[20..30]"),
        ("from $1,000 to $1,500", "[1000..1500]"),
        ("20-30 dollars", "[20..30]"),
        ("over $50", "[50..]"),
        ("at least $50", "[50..]"),
        ("around $50", "[40..60]"),
        ("under $25 each", "[..25]"),
        ("for $30", "[..30]"),
    ] {
        let found: Vec<Constraint> = parse(&format!("Buy a kettle {words}"));
        let price: Vec<&Constraint> = found.iter().filter(|found| found.kind == ConstraintKind::Price).collect();
        assert_eq!(price.len(), 1, "{words}: {found:?}");
        assert!(shown(price[0]).ends_with(limits), "{words}: {}", shown(price[0]));
        assert_eq!(found[0].text, "kettle", "{words}: {found:?}");
    }
}

#[test]
fn numbers_that_measure_are_no_prices() {
    check("Find a 27 inch monitor under $300", &["size: 27 inch", "item: monitor", "price: under $300 [..300]"]);
    check("Find a backpack under 2 kg in green", &["item: backpack", "quality: under 2 kg", "colour: green"]);
    check(
        "Find women's hiking boots size 8.5 waterproof",
        &["audience: women", "item: hiking boots", "size: size 8.5", "quality: waterproof"],
    );
    check("I want a white noise machine near me", &["item: white noise machine", "place: near me"]);
    check(
        "Buy headphones with noise cancelling and socks",
        &["item: headphones", "quality: with noise cancelling and socks"],
    );
}

#[test]
fn goals_without_a_product_demand_none() {
    for goal in
        ["", "Look at the categories", "Browse the store", "Check out the home page", "Find something", "Explore"]
    {
        check(goal, &[]);
    }
    check("Find something nice for dad under $30", &["audience: dad", "price: under $30 [..30]"]);
    check("coffee grinder", &["item: coffee grinder"]);
}

fn line(text: &str, x: f64, y: f64) -> TextLine {
    let count = text.chars().count();
    let char_x = (0..count).map(|at| x + 4.5 + 9.0 * at as f64).collect();
    TextLine { text: text.into(), bounds: [x, y, 9.0 * count as f64, 20.0], confidence: 0.98, char_x }
}

fn step(t: f64, action: Action, target: &str, title: &str) -> Step {
    Step {
        t,
        t_end: t + 0.1,
        action,
        count: None,
        button: None,
        x: None,
        y: None,
        x_to: None,
        y_to: None,
        text: None,
        key: None,
        dx: None,
        dy: None,
        target: Some(Target { text: Some(target.into()), role: None, bounds: None }),
        cause: None,
        url: None,
        title: Some(title.into()),
        frame_before: None,
        frame_after: None,
        intent: None,
        rationale: None,
        utterances: Vec::new(),
        confidence: 1.0,
        confidences: BTreeMap::new(),
        source: BTreeMap::new(),
    }
}

fn option(t: f64, target: &str, title: &str) -> Step {
    Step { intent: Some(Intent::ChooseOption), ..step(t, Action::Click, target, title) }
}

fn said(sentences: &[(f64, &str)]) -> Transcript {
    let segments = sentences
        .iter()
        .map(|&(start, text)| Segment { start, end: start + 3.0, text: text.into(), words: Vec::new() })
        .collect();
    Transcript { language: Some("en".into()), segments }
}

fn shelf() -> Vec<TextLine> {
    vec![
        line("black (4)", 35.0, 670.0),
        line("RunX Running Shoe", 346.0, 558.0),
        line("Allstar Sneakers", 660.0, 534.0),
        line("for every day", 660.0, 558.0),
        line("Boxing Gloves", 973.0, 558.0),
        line("$53.94", 345.0, 590.0),
        line("4.5 ★ (1,203)", 657.0, 580.0),
        line("$78.00", 658.0, 602.0),
        line("Was $45.00 Now $39.65", 972.0, 590.0),
        line("Subtotal $171.59", 972.0, 690.0),
        line("Under $25", 35.0, 600.0),
    ]
}

#[test]
fn products_are_titles_with_the_price_below_or_beside() {
    let (shelf, page) =
        (shelf(), vec![line("RunX running shoe $53.94", 40.0, 100.0), line("Orchid: $78.00", 40.0, 200.0)]);
    let seen = products(&[(2.0, &shelf), (9.0, &page)]);
    let brief: Vec<(f64, &str, Option<&str>, Option<&str>)> =
        seen.iter().map(|seen| (seen.t, seen.title.as_str(), seen.price.as_deref(), seen.rating.as_deref())).collect();
    assert_eq!(
        brief,
        [
            (2.0, "RunX Running Shoe", Some("$53.94"), None),
            (2.0, "Allstar Sneakers for every day", Some("$78.00"), Some("4.5 (1,203)")),
            (2.0, "Boxing Gloves", Some("$39.65"), None),
            (9.0, "Orchid", Some("$78.00"), None),
        ]
    );
}

#[test]
fn a_sum_is_no_product_and_neither_is_what_stands_below_a_title_out_of_sight() {
    let row = vec![
        line("Arc Lamp", 438.0, 180.0),
        line("Desk lamp, white", 438.0, 216.0),
        line("$34.90", 438.0, 252.0),
        line("Total $34.90", 1100.0, 340.0),
        line("Chairs", 22.0, 346.0),
    ];
    let scrolled = vec![line("Desk lamp, white", 438.0, 92.0), line("$34.90", 438.0, 128.0)];
    let other = vec![line("Desk lamp, white", 438.0, 92.0), line("$19.00", 438.0, 128.0)];
    let seen = products(&[(1.0, &row), (2.0, &scrolled), (3.0, &other)]);
    let brief: Vec<(&str, Option<&str>)> =
        seen.iter().map(|seen| (seen.title.as_str(), seen.price.as_deref())).collect();
    assert_eq!(brief, [("Arc Lamp", Some("$34.90")), ("Desk lamp, white", Some("$19.00"))]);
}

#[test]
fn a_title_that_was_misread_is_no_second_product() {
    let shelf = |title: &str| vec![line(title, 438.0, 180.0), line("$119.00", 438.0, 216.0)];
    let titles = ["Harb(r Floor Lamp", "Harbr Floor Lamp", "Harbor Floor Lamp", "Harbor Floor Lamp"];
    let pages = titles.map(shelf);
    let times = [1.0, 2.0, 3.0, 4.0];
    let screens: Vec<Screen<'_>> = pages.iter().zip(times).map(|(page, t)| (t, page.as_slice())).collect();
    let brief = |screens: &[Screen<'_>]| -> Vec<(f64, String)> {
        products(screens).into_iter().map(|seen| (seen.t, seen.title)).collect()
    };
    assert_eq!(brief(&screens), [(1.0, "Harbor Floor Lamp".to_owned())]);
    let beside = [
        line("Summer Shirt", 40.0, 180.0),
        line("$20.00", 40.0, 216.0),
        line("Summer Skirt", 440.0, 180.0),
        line("$20.00", 440.0, 216.0),
    ];
    let both = [(1.0, "Summer Shirt".to_owned()), (1.0, "Summer Skirt".to_owned())];
    assert_eq!(brief(&[(1.0, &beside)]), both, "both are on one screen");
}

/// A take in which black running shoes were looked for, and one pair was bought in size 42.
fn shoe_steps() -> Vec<Step> {
    let page = "RunX Running Shoe | Vendure Store";
    vec![
        step(18.0, Action::Click, "Footwear (6)", "Sports & Outdoor | Vendure Store"),
        step(23.0, Action::Click, "black (4)", "Sports & Outdoor | Vendure Store"),
        step(41.0, Action::Click, "RunX Running Shoe $53.94", "Sports & Outdoor | Vendure Store"),
        option(66.0, "Size 42", page),
        Step {
            utterances: vec![Utterance { start: 63.0, end: 66.0, text: "I'm adding it, it fits my budget.".into() }],
            ..step(70.0, Action::Click, "Add to Cart", page)
        },
    ]
}

fn shoe_talk() -> Transcript {
    said(&[
        (1.4, "My goal is to find a pair of black running shoes for under one hundred dollars."),
        (26.6, "The Freerun is one hundred ninety two dollars. That's too much."),
        (37.8, "The Run X is only fifty three ninety four."),
        (63.5, "I take a size forty two, and I'm adding it to the cart."),
    ])
}

fn findings(goal: &str, steps: &[Step], transcript: &Transcript) -> Vec<ConstraintFinding> {
    let shelf = shelf();
    find(&parse(goal), Seen { screens: &[(2.0, &shelf)], transcript, steps })
}

#[test]
fn demands_are_found_with_evidence_and_judged_by_the_cart() {
    let found = findings("Find black running shoes size 42 under $100", &shoe_steps(), &shoe_talk());
    let brief: Vec<(&str, bool, Option<bool>)> =
        found.iter().map(|found| (mark(found.constraint.kind), found.touched, found.met)).collect();
    assert_eq!(
        brief,
        [("colour", true, None), ("item", true, Some(true)), ("size", true, Some(true)), ("price", true, Some(true)),]
    );
    let price = &found[3].evidence;
    assert!(price.len() <= 5 && price.is_sorted_by(|a, b| a.t <= b.t), "{price:?}");
    assert!(
        price.iter().any(|found| found.source == EvidenceSource::Said && found.text.contains("one hundred dollars"))
    );
    assert!(price.iter().any(|found| found.source == EvidenceSource::Acted && found.text.contains("$53.94")));
    assert!(price.iter().all(|found| !found.text.contains("ninety two")), "too dear: {price:?}");
    let size = &found[2].evidence;
    assert!(size.iter().any(|found| found.source == EvidenceSource::Said), "forty two is 42: {size:?}");
}

#[test]
fn what_is_too_dear_or_unclear_is_not_met() {
    let met = |goal: &str, steps: &[Step]| -> Vec<Option<bool>> {
        findings(goal, steps, &said(&[])).iter().map(|found| found.met).collect()
    };
    let steps = shoe_steps();
    assert_eq!(met("Find running shoes under $50", &steps), [Some(true), Some(false)]);
    assert_eq!(met("Find running shoes size 41 under $50", &steps), [Some(true), Some(false), Some(false)]);
    let mut corrected = steps.clone();
    corrected.insert(4, option(68.0, "Size 41", "RunX Running Shoe | Vendure Store"));
    assert_eq!(met("Find running shoes size 41", &corrected), [Some(true), Some(true)], "the last pick counts");
    assert_eq!(met("Find running shoes size 42", &corrected), [Some(true), Some(false)]);
    assert_eq!(met("Find two running shoes", &steps), [Some(false), Some(true)], "one is not two");
    let mut set = steps.clone();
    set.insert(4, option(68.0, "Quantity", "RunX Running Shoe | Vendure Store"));
    assert_eq!(met("Find two running shoes", &set), [None, Some(true)], "a number was set, which one is not known");
    assert_eq!(met("Find running shoes under $100", &steps[..4]), [None, None], "nothing was added");

    let mut removed = steps.clone();
    removed.push(step(80.0, Action::Click, "Remove", "Shopping Cart | Vendure Store"));
    assert_eq!(met("Find running shoes under $100", &removed), [None, None]);

    let mut two = steps;
    two.push(step(90.0, Action::Click, "Add to Cart", "Boxing Gloves | Vendure Store"));
    assert_eq!(met("Find two presents, each under $60", &two), [Some(true), None, Some(true)]);
    assert_eq!(met("Find two presents under $60", &two), [Some(true), None, None], "together they are not");
    assert_eq!(met("Find two presents under $95", &two), [Some(true), None, Some(true)]);
}

#[test]
fn what_was_missed_is_shown() {
    let evidence = |goal: &str| -> Vec<(Option<bool>, bool, Vec<(f64, String)>)> {
        let found = findings(goal, &shoe_steps(), &said(&[]));
        let acted = |found: &ConstraintFinding| {
            let acted = found.evidence.iter().filter(|evidence| evidence.source == EvidenceSource::Acted);
            acted.map(|evidence| (evidence.t, evidence.text.clone())).collect()
        };
        found.iter().map(|found| (found.met, found.touched, acted(found))).collect()
    };
    let price = evidence("Find a present under $50").pop().unwrap();
    assert_eq!(price, (Some(false), true, vec![(70.0, "RunX Running Shoe $53.94".to_owned())]));
    let size = evidence("Find a present in size 41").pop().unwrap();
    assert_eq!(size, (Some(false), true, vec![(66.0, "Size 42".to_owned())]));
}

/// Lines of a page by text, left, top, width and height.
fn page(lines: &[(&str, f64, f64, f64, f64)]) -> Vec<TextLine> {
    lines
        .iter()
        .map(|&(text, x, y, width, height)| TextLine { bounds: [x, y, width, height], ..line(text, x, y) })
        .collect()
}

#[track_caller]
fn check_products(lines: &[(&str, f64, f64, f64, f64)], expected: &[(&str, &str, Option<&str>, &[&str])]) {
    let page = page(lines);
    let found = super::products::offers(&[(1.0, &page)]);
    let brief: Vec<(&str, &str, Option<&str>, Vec<&str>)> = found
        .iter()
        .map(|offer| {
            let (seen, about) = (&offer.seen, offer.about.iter().map(String::as_str).collect());
            (seen.title.as_str(), seen.price.as_deref().unwrap_or_default(), seen.rating.as_deref(), about)
        })
        .collect();
    let expected: Vec<(&str, &str, Option<&str>, Vec<&str>)> =
        expected.iter().map(|&(title, price, rating, about)| (title, price, rating, about.to_vec())).collect();
    assert_eq!(brief, expected);
}

/// As they are read from the pages of the shops that the corpus is filmed in.
#[test]
fn the_top_line_of_what_stands_with_a_price_is_the_title() {
    // Rows with the price in a column of its own, and filters as buttons above.
    check_products(
        &[
            ("desk lamp - Haven Home", 20.0, 16.0, 150.0, 20.0),
            ("2 results for \"desk lamp'", 293.0, 114.0, 281.0, 29.0),
            ("Up to $40", 312.0, 168.0, 61.0, 20.0),
            ("Up to $80", 409.0, 168.0, 62.0, 20.0),
            ("Cheapest first", 507.0, 168.0, 93.0, 20.0),
            ("Best rated first", 635.0, 168.0, 99.0, 20.0),
            ("A", 360.0, 262.0, 20.0, 26.0),
            ("Arc Reading Lamp", 435.0, 238.0, 162.0, 24.0),
            ("Desk lamp, white", 437.0, 267.0, 108.0, 19.0),
            ("$34.90", 1177.0, 264.0, 60.0, 24.0),
            ("Rated 4.6 of 5", 437.0, 293.0, 89.0, 18.0),
            ("Mono Clamp Lamp", 435.0, 363.0, 165.0, 24.0),
            ("Desk lamp, black", 437.0, 392.0, 107.0, 19.0),
            ("$28.50", 1177.0, 389.0, 60.0, 24.0),
            ("Rated 4.2 of 5", 437.0, 418.0, 89.0, 18.0),
        ],
        &[
            ("Arc Reading Lamp", "$34.90", Some("4.6"), &["Desk lamp, white"]),
            ("Mono Clamp Lamp", "$28.50", Some("4.2"), &["Desk lamp, black"]),
        ],
    );
    // A product's own page.
    check_products(
        &[
            ("Arc Reading Lamp", 782.0, 116.0, 260.0, 34.0),
            ("Desk lamp, white", 782.0, 160.0, 108.0, 19.0),
            ("Rated 4.6 of 5", 782.0, 186.0, 89.0, 18.0),
            ("$34.90", 781.0, 212.0, 62.0, 24.0),
            ("A slim reading lamp with a warm light and a heavy foot.", 782.0, 245.0, 360.0, 20.0),
            ("Item number 4402-1618", 782.0, 275.0, 140.0, 18.0),
        ],
        &[("Arc Reading Lamp", "$34.90", Some("4.6"), &["Desk lamp, white"])],
    );
    // Cards with title and price in one row.
    check_products(
        &[
            ("4 products", 305.0, 210.0, 78.0, 22.0),
            ("Drizzle Jacket", 320.0, 440.0, 120.0, 20.0),
            ("$85.00", 520.0, 440.0, 60.0, 22.0),
            ("Mile Tee", 634.0, 440.0, 70.0, 20.0),
            ("$24.00", 833.0, 440.0, 60.0, 22.0),
            ("Under $50", 144.0, 472.0, 70.0, 18.0),
            ("Rain jacket, green", 322.0, 465.0, 123.0, 20.0),
            ("Running shirt, gray", 635.0, 465.0, 128.0, 20.0),
            ("4.4 (119 reviews)", 411.0, 491.0, 120.0, 20.0),
            ("4.2 (230 reviews)", 724.0, 491.0, 120.0, 20.0),
        ],
        &[
            ("Drizzle Jacket", "$85.00", Some("4.4 (119 reviews)"), &["Rain jacket, green"]),
            ("Mile Tee", "$24.00", Some("4.2 (230 reviews)"), &["Running shirt, gray"]),
        ],
    );
    // A cart with its sums, and an account with a table of labels.
    check_products(
        &[
            ("Arc Reading Lamp", 435.0, 178.0, 162.0, 24.0),
            ("Desk lamp, white", 437.0, 207.0, 108.0, 19.0),
            ("$34.90", 1177.0, 204.0, 60.0, 24.0),
            ("Summary", 900.0, 300.0, 90.0, 24.0),
            ("Items", 900.0, 336.0, 40.0, 18.0),
            ("$34.90", 1180.0, 336.0, 56.0, 18.0),
            ("Shipping", 900.0, 362.0, 62.0, 18.0),
            ("Free", 1200.0, 362.0, 32.0, 18.0),
            ("Total $34.90", 1120.0, 400.0, 116.0, 24.0),
        ],
        &[("Arc Reading Lamp", "$34.90", None, &["Desk lamp, white"])],
    );
    check_products(
        &[
            ("Last order", 312.0, 560.0, 70.0, 18.0),
            ("Order 112-5738204-9915", 480.0, 560.0, 170.0, 18.0),
            ("Spent this year", 312.0, 590.0, 100.0, 18.0),
            ("$148.50", 480.0, 590.0, 52.0, 18.0),
            ("Item number", 312.0, 620.0, 84.0, 18.0),
            ("4402-1218", 480.0, 620.0, 70.0, 18.0),
        ],
        &[],
    );
    // Limits are no prices, however they are said.
    check_products(
        &[
            ("Desk lamps", 40.0, 100.0, 100.0, 20.0),
            ("Under $25", 40.0, 124.0, 70.0, 20.0),
            ("$25 & up", 40.0, 148.0, 70.0, 20.0),
            ("O Under $50 (3)", 40.0, 172.0, 110.0, 20.0),
        ],
        &[],
    );
}

#[test]
fn what_is_written_with_a_product_tells_that_a_demand_is_met() {
    let shelf = page(&[
        ("Arc Reading Lamp", 435.0, 238.0, 162.0, 24.0),
        ("Desk lamp, white", 437.0, 267.0, 108.0, 19.0),
        ("$34.90", 1177.0, 264.0, 60.0, 24.0),
    ]);
    let add = step(21.0, Action::Click, "Put in basket", "Arc Reading Lamp - Haven Home");
    let steps = [Step { intent: Some(Intent::Add), ..add }];
    let met = |goal: &str| -> Vec<Option<bool>> {
        let seen = Seen { screens: &[(4.0, &shelf)], transcript: &said(&[]), steps: &steps };
        find(&parse(goal), seen).iter().map(|found| found.met).collect()
    };
    assert_eq!(met("Find a white desk lamp under $40"), [Some(true); 3]);
    assert_eq!(met("Find a black desk lamp under $30"), [None, Some(true), Some(false)]);
}

#[test]
fn a_take_about_something_else_touches_nothing() {
    let steps = [step(5.0, Action::Click, "Garden", "Garden | Vendure Store")];
    let talk = said(&[(1.0, "I am looking at the garden furniture. Each one is nine hundred dollars.")]);
    let screen = [line("Sofa", 40.0, 100.0), line("$900.00", 40.0, 130.0), line("Shoe rack", 40.0, 300.0)];
    let found = find(
        &parse("Find two blue running shoes size 32 for a nine-year-old from local store under $80"),
        Seen { screens: &[(0.0, &screen)], transcript: &talk, steps: &steps },
    );
    let touched: Vec<&str> =
        found.iter().filter(|found| found.touched).map(|found| found.constraint.text.as_str()).collect();
    assert_eq!(touched, [""; 0]);
    assert_eq!(found.len(), 7);
}

#[test]
fn other_words_for_the_same_count() {
    let talk = said(&[
        (1.0, "It's for my mother's birthday."),
        (5.0, "Can I pick it up? Yes, pick up is in Seattle."),
        (9.0, "These two sneakers, both for a nine year old, are a size thirty two in grey."),
    ]);
    let found = find(
        &parse("Find two gray shoes size 32 for a nine-year-old with store pickup"),
        Seen { screens: &[], transcript: &talk, steps: &[] },
    );
    assert_eq!(found.len(), 6, "{found:?}");
    for finding in &found {
        assert!(finding.touched, "{finding:?}");
    }
    let gift = find(&parse("Find birthday gift for mom"), Seen { screens: &[], transcript: &talk, steps: &[] });
    assert!(gift.iter().all(|finding| finding.touched), "{gift:?}");
}

#[test]
fn the_decision_is_what_stays_in_the_cart() {
    let seen = |title: &str| ProductSeen { t: 1.0, title: title.into(), price: Some("$8.39".into()), rating: None };
    let products = [seen("Aloe Vera"), seen("Spiky Cactus"), seen("Tennis Bal1")];
    let talk = said(&[(28.0, "It is in stock and easy to keep, so I'll take it."), (60.0, "Checking the cart.")]);
    let add = |t: f64, title: &str| step(t, Action::Click, "Add to Cart", title);

    let (what, why) = decision(&[add(31.0, "Aloe Vera | Vendure Store - Chromium")], &talk, &products);
    assert_eq!(what.as_deref(), Some("Aloe Vera"));
    assert_eq!(why.as_deref(), Some("It is in stock and easy to keep, so I'll take it."));

    let told = |t: f64, text: &str| vec![Utterance { start: t - 3.0, end: t, text: text.into() }];
    let opened = |t: f64, text: &str| Step {
        intent: Some(Intent::Inspect),
        utterances: told(t, text),
        ..step(t, Action::Click, "Aloe Vera", "Plants | Shop")
    };
    let steps = [
        Step { target: step(10.0, Action::Click, "Spiky Cactus", "").target, ..opened(10.0, "This one looks dry.") },
        opened(20.0, "The reviews are good. It costs $8.39."),
        Step { action: Action::Scroll, ..opened(25.0, "Let me see.") },
        Step { utterances: told(31.0, "It costs $8.39. I add it."), ..add(31.0, "Aloe Vera | Shop") },
    ];
    let why = decision(&steps, &said(&[]), &products).1;
    assert_eq!(
        why.as_deref(),
        Some("The reviews are good. It costs $8.39. I add it."),
        "why it was opened is a reason too"
    );

    let steps = [add(31.0, "Aloe Vera | Shop"), add(55.0, "Spiky Cactus - Shop"), add(70.0, "Tennis Ball | Shop")];
    assert_eq!(decision(&steps, &said(&[]), &products), (Some("Aloe Vera, Spiky Cactus, Tennis Bal1".into()), None));

    let mut steps = steps.to_vec();
    steps.push(step(80.0, Action::Click, "Remove Aloe Vera", "Cart | Shop"));
    assert_eq!(decision(&steps, &said(&[]), &products).0.as_deref(), Some("Spiky Cactus, Tennis Bal1"));

    let kept = Step { intent: Some(Intent::Add), ..step(31.0, Action::Click, "Add to Wish List", "Aloe Vera | Shop") };
    assert_eq!(decision(&[kept], &talk, &products), (None, None), "what is on a list for later is not in the cart");

    let list = [add(31.0, "Plants | Shop")];
    assert_eq!(decision(&list, &talk, &products), (None, None), "added from a list: which one is not known");
    let unseen = Step { url: Some("https://shop.example/products/fern".into()), ..add(31.0, "Fern | Shop") };
    assert_eq!(decision(&[unseen], &talk, &products).0.as_deref(), Some("Fern"));
    assert_eq!(decision(&[], &talk, &products), (None, None));
}

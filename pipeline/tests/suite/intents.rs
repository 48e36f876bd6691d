//! How often the rules name what a Step was for as people did.

use pipeline::passes::steps::name_intents;
use serde_json::{Value, json};
use shared_types::step::{Intent, Step};

const ROWS: &str = include_str!("../fixtures/intents/labelled.jsonl");
/// The bar is 0.8. These are what the rules reach, with a few rows of room; a lower figure is a change for the worse.
const LEAST_OF_ALL: f64 = 0.95;
const LEAST_OF_RECORDED: f64 = 0.95;

struct Row {
    take: String,
    step: Step,
    label: Option<Intent>,
}

fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        let take = value["take"].as_str().unwrap().to_owned();
        let label = serde_json::from_value(value["label"].clone()).unwrap();
        let blank = json!({"utterances": [], "confidence": 1.0, "source": {}});
        value.as_object_mut().unwrap().extend(blank.as_object().unwrap().clone());
        Row { take, step: serde_json::from_value(value).unwrap(), label }
    };
    ROWS.lines().map(row).collect()
}

/// Right and all, of rows that pass.
fn accuracy(named: &[(Row, Option<Intent>)], of: impl Fn(&Row) -> bool) -> (f64, usize) {
    let chosen: Vec<&(Row, Option<Intent>)> = named.iter().filter(|(row, _)| of(row)).collect();
    let right = chosen.iter().filter(|(row, found)| row.label == *found).count();
    (right as f64 / chosen.len() as f64, chosen.len())
}

#[test]
fn the_rules_name_intents_as_people_do() {
    let rows = rows();
    let mut named: Vec<(Row, Option<Intent>)> = Vec::new();
    let mut takes: Vec<&str> = rows.iter().map(|row| row.take.as_str()).collect();
    takes.dedup();
    let takes: Vec<String> = takes.into_iter().map(str::to_owned).collect();
    let mut rows = rows.into_iter().peekable();
    for take in takes {
        let mut of_take = Vec::new();
        while let Some(row) = rows.next_if(|row| row.take == take) {
            of_take.push(row);
        }
        let mut steps: Vec<Step> = of_take.iter().map(|row| row.step.clone()).collect();
        name_intents(&mut steps);
        named.extend(of_take.into_iter().zip(steps).map(|(row, step)| (row, step.intent)));
    }
    for (row, found) in named.iter().filter(|(row, found)| row.label != *found) {
        let target = row.step.target.as_ref().and_then(|target| target.text.clone());
        let (take, t, action) = (&row.take, row.step.t, row.step.action);
        println!("{take} {t} {action:?} {target:?}: {found:?}, people say {:?}", row.label);
    }
    let (all, count) = accuracy(&named, |_| true);
    let (recorded, recorded_count) = accuracy(&named, |row| row.take.starts_with("good_"));
    let (with_label, label_count) = accuracy(&named, |row| row.label.is_some());
    println!(
        "all {all:.3} of {count}, recorded {recorded:.3} of {recorded_count}, with a label {with_label:.3} of {label_count}"
    );
    assert!(count >= 200 && recorded_count >= 70);
    assert!(all >= LEAST_OF_ALL && recorded >= LEAST_OF_RECORDED && with_label >= 0.8);
}

/// The intents of clicking into a field, typing, Enter and the page that opens.
#[track_caller]
fn check_asking(typed: &str, title: &str, expected: Option<Intent>) {
    let field = json!({"text": "What do you need?", "role": "textbox"});
    let row = |t: f64, action: &str, more: Value| {
        let mut step = json!({"t": t, "t_end": t, "action": action, "utterances": [], "confidence": 1.0, "source": {}});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<Step>(step).unwrap()
    };
    let mut steps = vec![
        row(1.0, "click", json!({"target": field})),
        row(2.0, "type", json!({"target": field, "text": typed})),
        row(3.0, "key", json!({"key": "Enter"})),
        row(3.4, "navigate", json!({"title": title, "cause": "form"})),
    ];
    name_intents(&mut steps);
    assert_eq!(steps.iter().map(|step| step.intent).collect::<Vec<_>>(), vec![expected; 4], "{typed}, {title}");
}

#[test]
fn a_search_is_known_by_the_page_that_answers_it() {
    check_asking("desk lamp", "Desk lamp - Haven Home", Some(Intent::Search));
    check_asking("jane@example.com", "Your account - Haven Home", None);
    check_asking("", "Haven Home", None);
}

fn click(t: f64, text: &str, role: &str, url: &str) -> Step {
    let step = json!({"t": t, "t_end": t, "action": "click", "target": {"text": text, "role": role}, "url": url,
        "utterances": [], "confidence": 1.0, "source": {}});
    serde_json::from_value::<Step>(step).unwrap()
}

#[test]
fn a_number_is_a_size_on_a_products_button_alone() {
    let of = |role: &str, url: &str| {
        let mut steps = vec![click(1.0, "10", role, url)];
        name_intents(&mut steps);
        steps[0].intent
    };
    assert_eq!(of("button", "shop.example/product/boots"), Some(Intent::ChooseOption));
    assert_eq!(of("link", "shop.example/product/boots"), None, "a page of reviews");
    assert_eq!(of("link", "shop.example/search?q=boots"), Some(Intent::Compare), "a page of the list");
    assert_eq!(of("button", "shop.example/about-us"), None);
}

#[test]
fn without_titles_the_next_address_tells_where_a_click_led() {
    let click = |t: f64, text: &str, url: &str| click(t, text, "link", url);
    let list = "shop.example/find?q=lamp";
    let mut steps = vec![
        click(1.0, "Lamps", "shop.example"),
        // Read a little otherwise, it is the same address.
        click(5.0, "Something", "shop.example/find?q=lamp"),
        click(9.0, "Oak stool", "shop.example/find?q=1amp"),
        click(13.0, "Lamps", "shop.example/item/oak-stool"),
        click(40.0, "Lamps", list),
    ];
    name_intents(&mut steps);
    let intents: Vec<Option<Intent>> = steps.iter().map(|step| step.intent).collect();
    assert_eq!(intents, [Some(Intent::Filter), None, Some(Intent::Inspect), Some(Intent::Filter), None]);
}

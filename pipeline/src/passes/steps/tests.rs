use std::convert::Infallible;

use shared_types::event::parse_events;
use shared_types::step::{Cause, Intent};
use shared_types::transcript::{Segment, Word};

use super::*;
use crate::passes::trace::acts::{SeenAct, SeenKind};

fn steps(acts: &[Act]) -> Vec<Step> {
    build(acts, &Transcript::default(), |_| Ok::<_, Infallible>(ActPictures::default())).unwrap()
}

/// Every value names its source and how sure it is, and nothing that is not there does.
#[track_caller]
fn check_fields(step: &Step) {
    let mut fields = step.fields();
    fields.sort_unstable();
    assert_eq!(step.source.keys().collect::<Vec<_>>(), fields);
    assert_eq!(step.confidences.keys().collect::<Vec<_>>(), fields);
    assert!(step.confidences.values().all(|sure| (0.0..=1.0).contains(sure)), "{:?}", step.confidences);
}

/// The causes of the changes of page in some lines of events.
#[track_caller]
fn check_causes(lines: &str, expected: &[Option<Cause>]) {
    let open = r#"{"t":0.1,"kind":"window","title":"Start - Chromium"}"#;
    let events = parse_events(&format!("{open}\n{}", lines.replace("         ", ""))).unwrap();
    let steps = steps(&acts::from_events(&events));
    let pages: Vec<&Step> = steps.iter().filter(|step| step.action == Action::Navigate).collect();
    assert_eq!(pages.iter().map(|step| step.cause).collect::<Vec<_>>(), expected, "{lines}");
    steps.iter().for_each(check_fields);
    for page in pages {
        assert_eq!(page.source.get("title"), Some(&Source::Event));
        assert_eq!(page.source.contains_key("cause"), page.cause.is_some());
        assert!(page.confidence < 1.0, "a page may take its new title for its own reasons");
        assert!(!page.title.as_deref().unwrap().contains("Chromium"));
    }
}

#[test]
fn a_new_page_has_the_cause_of_what_was_done_before_it() {
    let rows: [(&str, Option<Cause>); 9] = [
        (r#"{"t":1,"kind":"click","x":9,"y":9,"button":"left","clicks":1,"t_up":1.1}"#, Some(Cause::Link)),
        (r#"{"t":1,"kind":"key","key":"Alt+ArrowLeft"}"#, Some(Cause::Back)),
        (r#"{"t":1,"kind":"key","key":"F5"}"#, Some(Cause::Reload)),
        (r#"{"t":1,"kind":"key","key":"Ctrl+r"}"#, Some(Cause::Reload)),
        (r#"{"t":1,"kind":"key","key":"Ctrl+Tab"}"#, Some(Cause::Tab)),
        (r#"{"t":1,"kind":"key","key":"Ctrl+t"}"#, Some(Cause::Tab)),
        (
            r#"{"t":1,"kind":"type","t_end":1.5,"chars":4}
         {"t":1.8,"kind":"key","key":"Enter"}"#,
            Some(Cause::Form),
        ),
        (
            r#"{"t":0.8,"kind":"key","key":"Ctrl+l"}
         {"t":1,"kind":"type","t_end":1.5,"chars":4}
         {"t":1.8,"kind":"key","key":"Enter"}"#,
            Some(Cause::Address),
        ),
        (r#"{"t":1,"kind":"key","key":"Escape"}"#, None),
    ];
    for (lines, cause) in rows {
        let page = r#"{"t":2.1,"kind":"window","title":"Shoes - Chromium"}"#;
        check_causes(&format!("{lines}\n{page}"), &[cause]);
        let late = r#"{"t":20,"kind":"window","title":"Shoes - Chromium"}"#;
        check_causes(&format!("{lines}\n{late}"), &[None]);
    }
}

/// The pages of some titles, told by their times, with a click at 2.
#[track_caller]
fn check_pages(titles: &[(f64, &str)], expected: &[(f64, &str)]) {
    let click = r#"{"t":2,"kind":"click","x":9,"y":9,"button":"left","clicks":1,"t_up":2.1}"#;
    let window = |(t, title): &(f64, &str)| format!(r#"{{"t":{t},"kind":"window","title":"{title} - Chromium"}}"#);
    let (before, after): (Vec<_>, Vec<_>) = titles.iter().partition(|(t, _)| *t < 2.0);
    let lines: Vec<String> =
        before.into_iter().map(window).chain([click.to_owned()]).chain(after.into_iter().map(window)).collect();
    let steps = steps(&acts::from_events(&parse_events(&lines.join("\n")).unwrap()));
    let pages = steps.iter().filter(|step| step.action == Action::Navigate);
    let found: Vec<(f64, &str)> = pages.map(|step| (step.t, step.title.as_deref().unwrap())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_page_that_is_titled_twice_as_it_loads_is_one_change_of_page() {
    check_pages(&[(0.1, "Start"), (2.5, "Fernway"), (3.2, "Results")], &[(2.5, "Results")]);
    check_pages(&[(0.1, "Start"), (2.5, "a"), (3.2, "b"), (3.9, "c")], &[(2.5, "c")]);
    check_pages(&[(0.1, "Start"), (2.5, "Fernway"), (4.2, "Other")], &[(2.5, "Fernway"), (4.2, "Other")]);
    check_pages(&[(0.1, "Start"), (1.8, "Fernway"), (2.5, "Results")], &[(1.8, "Fernway"), (2.5, "Results")]);
    check_pages(&[(0.1, "127.0.0.1"), (0.9, "Start")], &[]);
}

#[test]
fn another_address_is_another_page_however_soon() {
    let page = |url: Option<&str>| {
        let act = Act { t: 3.0, t_end: 3.0, kind: ActKind::Title { title: "Shoes".to_owned() } };
        Step { url: url.map(str::to_owned), ..blank(&act) }
    };
    let rows =
        [(Some("a.example"), Some("b.example"), 2), (Some("a.example"), Some("a.example"), 1), (None, Some("b"), 1)];
    for (first, second, count) in rows {
        let mut memory = Memory { page_since: Some(2.5), steps: vec![page(first)], ..Memory::default() };
        memory.add(page(second));
        assert_eq!(memory.steps.len(), count);
        assert_eq!(memory.steps.last().unwrap().url.as_deref(), second);
    }
}

#[test]
fn every_value_of_an_event_says_so() {
    let events = parse_events(
        "{\"t\":1,\"kind\":\"click\",\"x\":10,\"y\":20,\"button\":\"left\",\"clicks\":1,\"t_up\":2,\"x_up\":90,\"y_up\":20}\n\
         {\"t\":4,\"kind\":\"scroll\",\"x\":5,\"y\":6,\"dx\":0,\"dy\":1}\n{\"t\":4.3,\"kind\":\"scroll\",\"x\":5,\"y\":6,\"dx\":0,\"dy\":2}",
    )
    .unwrap();
    let steps = steps(&acts::from_events(&events));
    let told: Vec<_> =
        steps.iter().map(|step| (step.action, step.x_to, step.dy, step.count, step.confidence)).collect();
    assert_eq!(told, [(Action::Drag, Some(90.0), None, None, 1.0), (Action::Scroll, None, Some(3.0), Some(3), 1.0)]);
    for step in &steps {
        assert!(step.source.values().all(|source| *source == Source::Event), "{:?}", step.source);
        assert!(step.confidences.values().all(|sure| *sure > 0.999), "{:?}", step.confidences);
        check_fields(step);
    }
}

#[test]
fn what_was_seen_alone_says_so_and_leaves_open_what_no_picture_tells() {
    let act =
        |t: f64, kind: SeenKind| SeenAct { t, t_end: t, kind, pointer: Some((7.0, 8.0)), effect: 0.9, confidence: 0.5 };
    let seen = [
        act(1.0, SeenKind::Click),
        act(2.0, SeenKind::Scroll { pixels: 300 }),
        act(3.0, SeenKind::Type { row: [10, 10, 60, 30] }),
        act(4.0, SeenKind::Enter),
    ];
    let steps = steps(&sight::from_trace(&seen));
    let actions: Vec<Action> = steps.iter().map(|step| step.action).collect();
    assert_eq!(actions, [Action::Click, Action::Scroll, Action::Type, Action::Key], "no page without pictures of it");
    for step in &steps {
        assert_eq!((step.button, step.count, step.dx, step.dy), (None, None, None, None));
        assert!(
            step.source.values().all(|source| [Source::Vision, Source::Rule].contains(source)),
            "{:?}",
            step.source
        );
        assert!((step.confidence - 0.5).abs() < 1e-9);
        assert!(step.confidences.values().all(|sure| *sure < 0.9), "{:?}", step.confidences);
        check_fields(step);
    }
    assert_eq!((steps[3].key.as_deref(), steps[3].source.get("key")), (Some("Enter"), Some(&Source::Rule)));
}

/// A white screen with one line of text in a field at the point, read as surely as told.
fn screen(text: &str, confidence: f64) -> std::rc::Rc<ReadPicture> {
    let rgb = RgbFrame { width: 400, height: 200, data: vec![255; 400 * 200 * 3], t: media::time::MediaTime::ZERO };
    let count = text.chars().count();
    let char_x = (0..count).map(|at| 42.0 + at as f64 * 9.0).collect();
    let line = TextLine { text: text.to_owned(), bounds: [40.0, 90.0, 9.0 * count as f64, 20.0], confidence, char_x };
    let lines = if text.is_empty() { Vec::new() } else { vec![line] };
    std::rc::Rc::new(ReadPicture { name: "frames/0.jpg".to_owned(), rgb, lines })
}

#[test]
fn a_field_is_as_sure_as_its_reading_and_what_else_is_known_of_it() {
    let events = |chars: u32| {
        let click = "{\"t\":1,\"kind\":\"click\",\"x\":60,\"y\":100,\"button\":\"left\",\"clicks\":1,\"t_up\":1.1}";
        let typing = format!("{{\"t\":2,\"kind\":\"type\",\"t_end\":3,\"chars\":{chars}}}");
        acts::from_events(&parse_events(&format!("{click}\n{typing}")).unwrap())
    };
    let word = |w: &str, start: f64| Word { w: w.to_owned(), start, end: start + 0.3, p: 0.5 };
    let words = vec![word("A", 0.5), word("lamp.", 0.8)];
    let segment = Segment { start: 0.5, end: 1.1, text: "A lamp.".to_owned(), words };
    let transcript = Transcript { language: Some("en".to_owned()), segments: vec![segment] };
    let of = |chars: u32, read: f64| {
        let pictures = |act: usize| {
            let (before, after) = if act == 0 { ("Search", "Search") } else { ("Search", "lamp") };
            Ok::<_, Infallible>(ActPictures {
                before: Some(screen(before, read)),
                after: Some(screen(after, read)),
                uncovered: None,
            })
        };
        build(&events(chars), &transcript, pictures).unwrap()
    };
    let sure = |step: &Step, field: &str| (step.confidences[field] * 100.0).round() as u32;
    let steps = of(4, 0.9);
    steps.iter().for_each(check_fields);
    assert_eq!(steps[0].target.as_ref().unwrap().text.as_deref(), Some("Search"));
    assert_eq!(
        steps[0].intent,
        Some(Intent::Search),
        "what was typed into is a field, and then what it is for is known"
    );
    assert_eq!(["target", "x", "rationale"].map(|field| sure(&steps[0], field)), [90, 100, 45]);
    assert_eq!((steps[1].text.as_deref(), sure(&steps[1], "text")), (Some("lamp"), 90));
    assert_eq!(sure(&of(8, 0.9)[1], "text"), 45, "half of the letters are not on the screen");
    assert_eq!(sure(&of(4, 0.6)[0], "target"), 60);
}

//! `events.jsonl`: the form of each line, and how a file with faults is read.

use serde_json::json;
use shared_types::event::{InputEvent, InputEventKind, MouseButton, parse_events};

fn event(t: f64, kind: InputEventKind) -> InputEvent {
    InputEvent { t, kind }
}

fn click(x_up: Option<f64>, y_up: Option<f64>) -> InputEventKind {
    let button = MouseButton::Left;
    InputEventKind::Click { x: 10.0, y: 20.5, button, clicks: 2, t_up: 1.6, x_up, y_up }
}

#[test]
fn each_kind_has_the_form_of_the_contract_and_comes_back_the_same() {
    let rows = [
        (
            event(1.5, click(None, None)),
            json!({"t": 1.5, "kind": "click", "x": 10.0, "y": 20.5, "button": "left", "clicks": 2, "t_up": 1.6}),
        ),
        (
            event(1.5, click(Some(30.0), Some(40.0))),
            json!({"t": 1.5, "kind": "click", "x": 10.0, "y": 20.5, "button": "left", "clicks": 2, "t_up": 1.6,
                "x_up": 30.0, "y_up": 40.0}),
        ),
        (
            event(2.0, InputEventKind::Scroll { x: 1.0, y: 2.0, dx: 0.0, dy: -3.0 }),
            json!({"t": 2.0, "kind": "scroll", "x": 1.0, "y": 2.0, "dx": 0.0, "dy": -3.0}),
        ),
        (
            event(3.0, InputEventKind::Key { key: "Ctrl+l".to_owned() }),
            json!({"t": 3.0, "kind": "key", "key": "Ctrl+l"}),
        ),
        (
            event(4.0, InputEventKind::Type { t_end: 5.5, chars: 13 }),
            json!({"t": 4.0, "kind": "type", "t_end": 5.5, "chars": 13}),
        ),
        (event(6.0, InputEventKind::Move { x: 7.0, y: 8.0 }), json!({"t": 6.0, "kind": "move", "x": 7.0, "y": 8.0})),
        (
            event(9.0, InputEventKind::Window { title: "Shoes – Shop".to_owned() }),
            json!({"t": 9.0, "kind": "window", "title": "Shoes – Shop"}),
        ),
        (event(10.0, InputEventKind::Pause), json!({"t": 10.0, "kind": "pause"})),
        (event(10.0, InputEventKind::Resume), json!({"t": 10.0, "kind": "resume"})),
        (event(11.0, InputEventKind::Mark), json!({"t": 11.0, "kind": "mark"})),
        (event(12.0, InputEventKind::Cut), json!({"t": 12.0, "kind": "cut"})),
    ];
    for (event, form) in rows {
        assert_eq!(serde_json::to_value(&event).unwrap(), form);
        assert_eq!(parse_events(&format!("{form}\n")).unwrap(), [event]);
    }
    for (button, name) in [(MouseButton::Left, "left"), (MouseButton::Middle, "middle"), (MouseButton::Right, "right")]
    {
        assert_eq!(serde_json::to_value(button).unwrap(), name);
    }
}

#[test]
fn a_file_is_read_up_to_its_faults() {
    let mark = |t: f64| format!("{{\"t\": {t}, \"kind\": \"mark\"}}\n");
    // What the file holds, and the times that are read from it or what the refusal says.
    let rows: &[(&str, String, Result<&[f64], &str>)] = &[
        ("an empty file", String::new(), Ok(&[])),
        ("blank lines", format!("\n{}  \n\n{}", mark(1.0), mark(2.0)), Ok(&[1.0, 2.0])),
        ("lines out of order", mark(2.0) + &mark(1.0), Ok(&[1.0, 2.0])),
        ("a last line without its newline", mark(1.0) + mark(2.0).trim_end(), Ok(&[1.0, 2.0])),
        ("a last line cut short by a crash", mark(1.0) + "{\"t\": 2.0, \"ki", Ok(&[1.0])),
        (
            "a kind of a later version",
            mark(1.0) + "{\"t\": 2, \"kind\": \"pinch\", \"by\": 2}\n" + &mark(3.0),
            Ok(&[1.0, 3.0]),
        ),
        ("a field of a later version", "{\"t\": 1, \"kind\": \"mark\", \"colour\": \"red\"}\n".to_owned(), Ok(&[1.0])),
        (
            "a line that is cut short but whole to its newline",
            mark(1.0) + "\n{\"t\": 2.0, \"ki\n" + &mark(3.0),
            Err("line 3 of the events"),
        ),
        (
            "a known kind that lacks a field",
            mark(1.0) + "{\"t\": 2, \"kind\": \"move\", \"x\": 1}\n",
            Err("line 2 of the events"),
        ),
        ("a line without a kind", "{\"t\": 1}\n".to_owned(), Err("line 1 of the events")),
        ("another kind of file", "<html>\n".to_owned(), Err("line 1 of the events")),
    ];
    for (what, text, expected) in rows {
        match (parse_events(text), expected) {
            (Ok(events), Ok(times)) => {
                assert_eq!(events.iter().map(|event| event.t).collect::<Vec<_>>(), *times, "{what}");
            }
            (Err(error), Err(sentence)) => assert!(error.to_string().starts_with(sentence), "{what}: {error}"),
            (read, expected) => panic!("{what}: expected {expected:?}, read {read:?}"),
        }
    }
}

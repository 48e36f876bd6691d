//! Event logs and manifests come from strangers: whatever they hold, reading them ends with a value or an error that says
//! where.

use proptest::collection::vec;
use proptest::prelude::*;
use shared_types::event::{InputEvent, InputEventKind, MouseButton, parse_events};
use shared_types::fingerprint::{Fingerprints, compare, compare_acts};
use shared_types::recording::Manifest;

fn number() -> impl Strategy<Value = f64> {
    // Milliseconds and extremes: what JSON gives back to the last bit.
    let millis = (0..4_000_000_u32).prop_map(|millis| f64::from(millis) / 1000.0);
    prop_oneof![millis, Just(0.0), Just(-1.0), Just(1e308), Just(-1e308)]
}

fn event() -> impl Strategy<Value = InputEvent> {
    let button = prop_oneof![Just(MouseButton::Left), Just(MouseButton::Middle), Just(MouseButton::Right)];
    let up = || prop::option::of(number());
    let kind = prop_oneof![
        (number(), number(), button, any::<u8>(), number(), up(), up()).prop_map(
            |(x, y, button, clicks, t_up, x_up, y_up)| InputEventKind::Click { x, y, button, clicks, t_up, x_up, y_up }
        ),
        (number(), number(), number(), number()).prop_map(|(x, y, dx, dy)| InputEventKind::Scroll { x, y, dx, dy }),
        any::<String>().prop_map(|key| InputEventKind::Key { key }),
        (number(), any::<u32>()).prop_map(|(t_end, chars)| InputEventKind::Type { t_end, chars }),
        (number(), number()).prop_map(|(x, y)| InputEventKind::Move { x, y }),
        any::<String>().prop_map(|title| InputEventKind::Window { title }),
        Just(InputEventKind::Pause),
        Just(InputEventKind::Cut),
    ];
    (number(), kind).prop_map(|(t, kind)| InputEvent { t, kind })
}

fn log_of(events: &[InputEvent]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap_or_default() + "\n").collect()
}

/// Text near the form: pieces of JSON and of our words, in any order.
fn near_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("\"t\":".to_owned()),
        Just("\"kind\":\"click\"".to_owned()),
        Just("\"kind\":\"later\"".to_owned()),
        Just(",".to_owned()),
        Just("\n".to_owned()),
        Just("1e999".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("null".to_owned()),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>(),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_by_its_line(text in prop_oneof![any::<String>(), near_json()]) {
        let lines = text.lines().count();
        match parse_events(&text) {
            Ok(events) => prop_assert!(events.len() <= lines),
            Err(bad) => prop_assert!((1..=lines).contains(&bad.line), "line {} of {lines}", bad.line),
        }
    }

    #[test]
    fn what_was_written_is_read_again_in_order_of_time(events in vec(event(), 0..40)) {
        let read = parse_events(&log_of(&events));
        prop_assert!(read.is_ok(), "{read:?}");
        let read = read.unwrap_or_default();
        prop_assert_eq!(read.len(), events.len());
        prop_assert!(read.windows(2).all(|pair| pair[0].t <= pair[1].t));
        prop_assert!(events.iter().all(|event| read.contains(event)));
    }

    #[test]
    fn a_log_cut_anywhere_loses_its_last_line_at_most(events in vec(event(), 1..20), share in 0.0..1.0) {
        let log = log_of(&events);
        let mut at = (log.len() as f64 * share) as usize;
        while !log.is_char_boundary(at) {
            at -= 1;
        }
        let whole_lines = log[..at].matches('\n').count();
        let read = parse_events(&log[..at]);
        prop_assert!(read.as_ref().is_ok_and(|read| (whole_lines..=whole_lines + 1).contains(&read.len())), "{read:?}");
    }

    #[test]
    fn a_manifest_is_read_or_refused(text in prop_oneof![any::<String>(), near_json()]) {
        prop_assert!(serde_json::from_str::<Manifest>(&text).is_err());
    }

    #[test]
    fn fingerprints_of_any_kind_are_compared(
        picture in vec(any::<u64>(), 0..60), other in vec(any::<u64>(), 0..60),
        sound in vec(any::<u32>(), 0..120), acts in vec(any::<u32>(), 0..40), other_acts in vec(any::<u32>(), 0..40),
    ) {
        let new = Fingerprints { picture, sound: sound.clone(), acts: acts.clone(), ..Fingerprints::default() };
        let old = Fingerprints { picture: other, sound, acts: other_acts.clone(), ..Fingerprints::default() };
        for likeness in [compare(&new, &old), compare_acts(&acts, &other_acts)].into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&likeness.shared), "{likeness:?}");
        }
    }
}

/// A manifest with any one of its values replaced by another kind of value is read or refused, never a panic, and what is
/// read can be written again.
#[test]
fn a_manifest_with_any_value_changed_is_read_or_refused() {
    let good: serde_json::Value =
        serde_json::from_str(include_str!("fixtures/recording.json")).expect("the fixture is JSON");
    serde_json::from_value::<Manifest>(good.clone()).expect("the fixture is a manifest");
    let mut places = Vec::new();
    collect(&good, &mut String::new(), &mut places);
    assert!(places.len() > 40, "only {} values", places.len());
    for place in places {
        for other in [
            serde_json::json!(null),
            serde_json::json!(-1),
            serde_json::json!("\u{0}"),
            serde_json::json!([]),
            serde_json::json!({"a": 1e300}),
        ] {
            let mut changed = good.clone();
            *changed.pointer_mut(&place).expect("the place is there") = other;
            if let Ok(manifest) = serde_json::from_value::<Manifest>(changed) {
                assert!(serde_json::to_string(&manifest).is_ok(), "{place}");
            }
        }
    }
}

fn collect(value: &serde_json::Value, path: &mut String, places: &mut Vec<String>) {
    let mut go = |name: &str, child: &serde_json::Value| {
        let length = path.len();
        path.push('/');
        path.push_str(&name.replace('~', "~0").replace('/', "~1"));
        places.push(path.clone());
        collect(child, path, places);
        path.truncate(length);
    };
    match value {
        serde_json::Value::Object(map) => map.iter().for_each(|(name, child)| go(name, child)),
        serde_json::Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, child)| go(&index.to_string(), child));
        }
        _ => {}
    }
}

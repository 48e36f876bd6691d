//! `pipeline patterns` on made results: the answers are known.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// What one recording did and said: intents, with a caption where one matters.
struct Made {
    worker: &'static str,
    site: &'static str,
    steps: &'static [(&'static str, &'static str, &'static str)],
}

const SEARCHES: &[(&str, &str, &str)] = &[
    ("search", "Search", "I search for running shoes."),
    ("compare", "", "That is too expensive for me."),
    ("inspect", "RunX $53", "Opening the first one."),
    ("leave", "Back", ""),
    ("inspect", "Allstar $78", "Let me see the other one."),
    ("add", "Add to Cart", "I am adding it to the cart."),
];
const BROWSES: &[(&str, &str, &str)] = &[
    ("filter", "Shoes", "First the category."),
    ("filter", "black", ""),
    ("sort", "Price", "Sorting by price, low to high."),
    ("inspect", "RunX $53", ""),
    ("add", "Add to Cart", "So I am adding this to the cart."),
];
const LOOKS: &[(&str, &str, &str)] = &[
    ("search", "Search", "Now I search for shoes."),
    ("compare", "", "Everything is too expensive here."),
    ("inspect", "RunX $53", ""),
];

fn write(folder: &Path, made: &[Made]) {
    for (number, made) in made.iter().enumerate() {
        let sha256 = format!("{number:064}");
        let mut lines = String::new();
        for (index, (intent, caption, said)) in made.steps.iter().enumerate() {
            let t = index as f64 * 10.0;
            let target = json!({"text": caption, "role": null, "box": null});
            let step = json!({
                "t": t, "t_end": t + 1.0, "action": "click", "target": target, "intent": intent, "rationale": said,
                "utterances": [], "confidence": 1.0, "source": {"rationale": "speech", "intent": "rule"},
            });
            let constraint = json!({"kind": "price", "text": "under $60", "min": null, "max": 60, "touched": true,
                "met": number % 2 == 0, "evidence": []});
            let example = json!({
                "format": "codesight-1.0", "id": format!("{number}-{index}"), "recording_sha256": sha256, "index": index,
                "steps": made.steps.len(), "goal": "Find <b>shoes</b>", "constraints": [constraint], "site": made.site,
                "history": [], "step": step, "picture": [100, 100], "verdict": "accept",
                "last": index + 1 == made.steps.len(), "provenance": {"worker": made.worker},
            });
            lines.extend([example.to_string(), "\n".to_owned()]);
        }
        let result = folder.join(format!("take-{number}"));
        fs::create_dir_all(&result).unwrap();
        fs::write(result.join("examples.jsonl"), lines).unwrap();
    }
}

#[test]
fn ways_strategies_and_sentences_are_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let made = [
        Made { worker: "w1", site: "a.example", steps: SEARCHES },
        Made { worker: "w2", site: "a.example", steps: SEARCHES },
        Made { worker: "w1", site: "<i>b</i>.example", steps: BROWSES },
        Made { worker: "w2", site: "a.example", steps: LOOKS },
    ];
    write(&folder.path().join("results"), &made);
    let run = || {
        let output = Command::new(env!("CARGO_BIN_EXE_pipeline"))
            .args(["patterns", "results", "--out", "patterns", "--min-percent", "50"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name: &str| fs::read_to_string(folder.path().join("patterns").join(name)).unwrap();
        (read("patterns.json"), read("report.html"), read("report.md"))
    };
    let (json, html, markdown) = run();
    assert_eq!(run().0, json, "the same recordings give the same bytes, and an earlier report is replaced");
    let found: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&found["recordings"], &found["workers"], &found["sites"]), (&json!(4), &json!(2), &json!(2)));

    let mut ways: Vec<(String, u64)> = found["ways"]["found"]
        .as_array()
        .unwrap()
        .iter()
        .map(|way| {
            let intents: Vec<&str> =
                way["intents"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            (intents.join(" "), way["recordings"].as_u64().unwrap())
        })
        .collect();
    ways.sort();
    let wanted = [("inspect add", 3), ("search compare inspect", 3), ("search compare inspect leave inspect add", 2)];
    assert_eq!(ways, wanted.map(|(way, count)| (way.to_owned(), count)));

    let strategies: Vec<(&str, u64)> = found["strategies"]["all"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["recordings"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        strategies,
        [("searches, weighs several", 2), ("browses, sorts, takes the first", 1), ("searches, takes none", 1)]
    );
    assert_eq!(found["strategies"]["by_worker"]["w1"]["browses, sorts, takes the first"], 1);
    assert_eq!(found["strategies"]["all"][0]["met_share"], 0.5);

    let groups = found["narration"]["groups"].as_array().unwrap();
    let about = |word: &str| {
        groups
            .iter()
            .find(|group| group["words"].as_array().unwrap().contains(&json!(word)))
            .unwrap_or_else(|| panic!("{groups:#?}"))
    };
    assert_eq!((&about("expensive")["sentences"], &about("expensive")["recordings"]), (&json!(3), &json!(3)));
    assert_eq!(about("search")["sentences"], 3);
    assert_eq!(about("cart")["intents"]["add"], 3);

    assert!(!html.contains("<i>b</i>") && html.contains("&lt;i&gt;b&lt;/i&gt;"), "a site's name became markup");
    for report in [&html, &markdown] {
        assert!(report.contains("searches, weighs several"));
    }
}

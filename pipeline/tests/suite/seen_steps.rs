//! A recording without input events: Steps from its pixels alone, held against what is known to have been done; a run
//! that is killed between two passes, which goes on where it was; and one with a drag and other tabs, told by events.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use shared_types::step::{Action, Cause, Source, Step};

/// What was done in the recording: time, action, place, target.
const TRUTH: [(f64, Action, (f64, f64), &str); 5] = [
    (5.979, Action::Click, (269.0, 123.0), "Home & Garden"),
    (12.555, Action::Click, (75.0, 547.0), "Plants (9)"),
    (14.561, Action::Scroll, (75.0, 547.0), ""),
    (19.366, Action::Scroll, (75.0, 547.0), ""),
    (26.185, Action::Click, (434.0, 435.0), "Aloe Vera $8.39"),
];

fn start(out: &Path) -> Child {
    let video = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings/video_only.mp4");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command.arg("run").arg(video).arg("--out").arg(out).args(["--threads", "1"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

fn steps(out: &Path) -> Vec<Step> {
    let text = fs::read_to_string(out.join("steps.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap()
}

fn pass<'a>(summary: &'a Value, name: &str) -> &'a Value {
    summary["passes"].as_array().unwrap().iter().find(|pass| pass["name"] == name).unwrap()
}

/// What the finished passes of a run left, by file name.
fn left(top: &Path) -> Vec<(String, PathBuf)> {
    let Ok(inputs) = fs::read_dir(top) else { return Vec::new() };
    let entries = inputs.flat_map(|input| fs::read_dir(input.unwrap().path()).into_iter().flatten());
    entries.map(|entry| entry.unwrap()).map(|entry| (entry.file_name().into_string().unwrap(), entry.path())).collect()
}

/// Kills a run as soon as its inspection is finished, which is long before it has read what it must.
fn kill_after_inspection(out: &Path, top: &Path) {
    let mut run = start(out);
    while !left(top).iter().any(|(name, _)| name.starts_with("inspect-") && !name.contains(".part")) {
        assert_eq!(run.try_wait().unwrap(), None, "the run ended before it was killed");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

#[test]
fn steps_are_seen_and_a_killed_run_goes_on_to_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    assert!(start(&whole).wait().unwrap().success());
    check_steps(&whole);

    let top = folder.path().join(".killed.passes");
    kill_after_inspection(&killed, &top);
    assert!(!killed.exists(), "nothing is published before it is whole");
    let inspection = left(&top).into_iter().find(|(name, _)| name.starts_with("inspect-")).unwrap().1;
    let kept: Value = serde_json::from_slice(&fs::read(inspection.join("found.json")).unwrap()).unwrap();
    // What another version left is not taken for today's.
    fs::write(inspection.with_file_name("read-0"), "of long ago").unwrap();
    fs::write(inspection.with_file_name("read-2"), "half a fi").unwrap();

    assert!(start(&killed).wait().unwrap().success());
    assert_eq!(pass(&summary(&killed), "inspect"), &kept["run"], "the inspection is not done again");
    assert_eq!(steps(&killed), steps(&whole));
    for file in ["quality.json", "transcript.json", "fingerprints.json", "examples.jsonl"] {
        assert_eq!(fs::read(killed.join(file)).unwrap(), fs::read(whole.join(file)).unwrap(), "{file}");
    }
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let hidden: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with(".killed")).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn a_drag_and_changes_of_tab_come_through_a_whole_run() {
    let folder = tempfile::tempdir().unwrap();
    let (events, out) = (folder.path().join("events.jsonl"), folder.path().join("out"));
    let lines = [
        r#"{"t":0,"kind":"window","title":"Shop - Chromium"}"#,
        r#"{"t":0.4,"kind":"move","x":90,"y":190}"#,
        r#"{"t":0.8,"kind":"click","x":100,"y":200,"button":"left","clicks":1,"t_up":1.4,"x_up":220,"y_up":204}"#,
        r#"{"t":2,"kind":"key","key":"Ctrl+Tab"}"#,
        r#"{"t":2.2,"kind":"window","title":"Other shop - Chromium"}"#,
        r#"{"t":3,"kind":"key","key":"Ctrl+w"}"#,
        r#"{"t":3.2,"kind":"window","title":"Shop - Chromium"}"#,
    ];
    fs::write(&events, lines.join("\n") + "\n").unwrap();
    let video = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small/index_first.mp4");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command.arg("run").arg(video).arg("--events").arg(events).arg("--out").arg(&out).args(["--threads", "1"]);
    assert!(command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
    let found = steps(&out);
    let told: Vec<_> = found.iter().map(|step| (step.action, step.key.as_deref(), step.cause)).collect();
    let (key, page) = (|name| (Action::Key, Some(name), None), (Action::Navigate, None, Some(Cause::Tab)));
    assert_eq!(told, [(Action::Drag, None, None), key("Ctrl+Tab"), page, key("Ctrl+w"), page]);
    let titles = [2, 4].map(|index| found[index].title.as_deref());
    assert_eq!(titles, [Some("Other shop"), Some("Shop")]);
    let drag = &found[0];
    assert_eq!((drag.x, drag.y, drag.x_to, drag.y_to), (Some(100.0), Some(200.0), Some(220.0), Some(204.0)));
    assert_eq!((drag.t, drag.t_end), (0.8, 1.4));
    assert_eq!(drag.source.get("x_to"), Some(&Source::Event));
    for step in &found {
        let frames = [&step.frame_before, &step.frame_after].map(|frame| frame.as_ref().unwrap());
        assert!(frames.iter().all(|frame| out.join(frame).is_file()), "before and after {:?}", step.action);
    }
}

fn check_steps(out: &Path) {
    let found = steps(out);
    let done: Vec<&Step> = found.iter().filter(|step| step.action != Action::Navigate).collect();
    let mut right = 0;
    for (t, action, (x, y), target) in TRUTH {
        let near = |step: &&&Step| step.action == action && (step.t - t).abs() <= 1.0;
        let Some(step) = done.iter().find(near) else { continue };
        right += 1;
        let away = (step.x.unwrap() - x).hypot(step.y.unwrap() - y);
        assert!(away <= 30.0, "{action:?} at {t}: {away} px away");
        let text = step.target.as_ref().and_then(|target| target.text.as_deref()).unwrap_or_default();
        assert!(strsim::normalized_levenshtein(text, target) >= 0.7, "{text:?} instead of {target:?}");
        assert!(step.confidence < 0.9, "nothing seen alone is sure");
        assert!(step.source.values().all(|source| [Source::Vision, Source::Rule].contains(source)), "{step:?}");
        assert_eq!((step.button, step.count, step.dy), (None, None, None), "no picture tells these");
    }
    let f1 = 2.0 * f64::from(right) / (TRUTH.len() + done.len()) as f64;
    assert!(f1 >= 0.8, "{right} of {} found, {} told", TRUTH.len(), done.len());

    let pages: Vec<(Option<&str>, Option<Cause>)> = found
        .iter()
        .filter(|step| step.action == Action::Navigate)
        .map(|step| (step.url.as_deref().and_then(|url| url.rsplit('/').next()), step.cause))
        .collect();
    assert!(pages.contains(&(Some("aloe-vera"), Some(Cause::Link))), "{pages:?}");
    for step in &found {
        let mut fields = step.fields();
        fields.sort_unstable();
        assert_eq!(step.source.keys().collect::<Vec<_>>(), fields, "{step:?}");
        assert_eq!(step.confidences.keys().collect::<Vec<_>>(), fields, "{step:?}");
        for frame in [&step.frame_before, &step.frame_after].into_iter().flatten() {
            assert!(out.join(frame).is_file(), "{frame}");
        }
    }
    let named = found.iter().flat_map(|step| [&step.frame_before, &step.frame_after]).flatten();
    let named: std::collections::BTreeSet<&String> = named.collect();
    assert_eq!(fs::read_dir(out.join("frames")).unwrap().count(), named.len(), "only pictures that Steps name");
    let told = summary(out);
    for name in ["inspect", "read", "steps", "judge"] {
        let pass = pass(&told, name);
        assert!(pass["peak_memory_bytes"].as_u64().unwrap() > 0, "{pass}");
    }
    assert!(pass(&told, "read")["cpu_secs"].as_f64().unwrap() > 0.5, "the threads of the networks are counted");
}

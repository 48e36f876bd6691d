//! The program as others call it: what it says to wrong use, and what it makes of files that are no recordings. No model
//! and no network is needed for either.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder to run in: with an empty models folder and no pip on the path, so that nothing can be fetched.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Self { dir };
        fs::create_dir(place.path("models")).unwrap();
        fs::create_dir(place.path("no-programs")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn pipeline(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pipeline"))
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", self.path("no-programs"))
            .env("HOME", self.dir.path())
            .env("COLLECTOR_MODELS_DIR", self.path("models"))
            .output()
            .unwrap()
    }

    /// Every file with its bytes, every folder without.
    fn content(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.dir.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                    found.insert(path, None);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.insert(path, Some(bytes));
                }
            }
        }
        found
    }
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_use_is_told_in_a_sentence_and_changes_nothing() {
    let place = Place::new();
    place.write("take.mp4", "not looked at");
    place.write("folder/notes.txt", "no video here");
    place.write("taken/letter.txt", "somebody's");
    place.write("unknown.toml", "min_active_sec = 20\n");
    place.write("broken.toml", "min_active_secs = = 20\n");
    place.write("wrong.jsonl", "{\"t\": 1, \"kind\": \"mark\"}\n{\"t\": 2, \"kind\": \"click\"}\n");
    place.write("with_manifest/video.mp4", "not looked at");
    place.write("with_manifest/recording.json", "{\"format\": 1}");
    place.write("steps.jsonl", "{\"t\": 1.0, \"action\": \"click\"}\n");
    place.write("broken-result/examples.jsonl", "{}\n");
    place.write("page.html", "<html>\n");
    place.write("list.json", "3");
    place.write("poem.txt", "Whose woods these are");
    let before = place.content();

    let run = |rest: &[&'static str]| [&["run", "take.mp4", "--out", "result"], rest].concat();
    // The arguments, and what the answer has to name.
    let rows: &[(Vec<&str>, &[&str])] = &[
        (vec![], &["Usage"]),
        (vec!["walk"], &["walk", "Usage"]),
        (vec!["run"], &["<DIR|FILE>", "--out"]),
        (vec!["run", "take.mp4"], &["--out"]),
        (vec!["run", "nowhere.mp4", "--out", "result"], &["nowhere.mp4", "Give a recording folder or a video file"]),
        (vec!["run", "folder", "--out", "result"], &["video.mp4", "folder", "Give the folder"]),
        (vec!["run", "with_manifest", "--out", "result"], &["recording.json", "--events"]),
        (vec!["run", "take.mp4", "--out", "taken"], &["taken", "already holds", "Give --out a new folder"]),
        (vec!["run", "take.mp4", "--out", "poem.txt"], &["poem.txt", "already holds", "Give --out a new folder"]),
        (run(&["--policy", "none.toml"]), &["none.toml"]),
        (run(&["--policy", "unknown.toml"]), &["unknown.toml", "min_active_sec", "docs/formats.md"]),
        (run(&["--policy", "broken.toml"]), &["broken.toml", "docs/formats.md"]),
        (run(&["--events", "none.jsonl"]), &["none.jsonl"]),
        (run(&["--events", "wrong.jsonl"]), &["wrong.jsonl", "line 2", "Give an events.jsonl"]),
        (run(&["--provider", "oracle"]), &["oracle", "--provider", "local", "openai"]),
        (run(&["--provider", "openai"]), &["OPENAI_API_KEY", "OPENAI_BASE_URL"]),
        (vec!["patterns", "folder"], &["--out"]),
        (vec!["patterns", "nowhere", "--out", "result"], &["nowhere", "Give datasets"]),
        (vec!["patterns", "folder", "--out", "result"], &["folder", "examples.jsonl"]),
        (vec!["patterns", "folder", "--out", "taken"], &["taken", "already holds", "Give --out a new folder"]),
        (vec!["patterns", "broken-result", "--out", "result"], &["examples.jsonl, line 1", "no Example"]),
        (run(&["--threads", "0"]), &["--threads", "1..=64"]),
        (run(&["--threads", "many"]), &["many", "--threads"]),
        (run(&["--speed", "2"]), &["--speed", "Usage"]),
        (vec!["models"], &["Usage"]),
        (vec!["models", "fetch", "whisper-enormous"], &["whisper-enormous", "whisper-base", "ocr"]),
        (vec!["models", "import"], &["<FILE>"]),
        (vec!["models", "import", "none.bin"], &["none.bin"]),
        (vec!["models", "import", "poem.txt"], &["poem.txt", "cannot be imported"]),
        (vec!["score", "--predicted", "steps.jsonl"], &["--truth"]),
        (vec!["score", "--predicted", "steps.jsonl", "--truth", "none.jsonl"], &["none.jsonl"]),
        (
            vec!["score", "--predicted", "page.html", "--truth", "steps.jsonl"],
            &["page.html", "line 1", "one JSON object"],
        ),
        (
            vec!["score", "--predicted", "steps.jsonl", "--truth", "steps.jsonl", "--transcript", "list.json"],
            &["--truth-transcript"],
        ),
        (
            vec![
                "score",
                "--predicted",
                "steps.jsonl",
                "--truth",
                "steps.jsonl",
                "--transcript",
                "list.json",
                "--truth-transcript",
                "list.json",
            ],
            &["list.json", "not a transcript"],
        ),
    ];
    for (arguments, named) in rows {
        let output = place.pipeline(arguments);
        let said = talk(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?} talks on stdout");
        for word in *named {
            assert!(said.contains(word), "{arguments:?} should name {word:?}: {said}");
        }
        let is_plain = !said.contains("panicked") && !said.contains("Error {") && !said.contains("Error(");
        assert!(is_plain, "{arguments:?}: {said}");
        assert!(place.content() == before, "{arguments:?} changed the folder");
    }
}

#[test]
fn help_comes_with_an_example() {
    let place = Place::new();
    let commands: [&[&str]; 7] =
        [&[], &["run"], &["patterns"], &["score"], &["models", "list"], &["models", "fetch"], &["models", "import"]];
    for command in commands {
        let output = place.pipeline(&[command, &["--help"]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("Example:\n  pipeline "), "{command:?}: {text}");
    }
}

fn schema(name: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/schemas/{name}.schema.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn check_form(name: &str, value: &Value) {
    let wrong: Vec<String> = schema(name).iter_errors(value).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{name}: {}\n{value:#}", wrong.join("\n"));
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The head of an MP4 whose index says that its frames come later; they do not.
fn garbage(head: &[u8]) -> Vec<u8> {
    let noise = (0_u32..40_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    head.iter().copied().chain(noise).collect()
}

#[test]
fn what_is_no_recording_is_a_result_and_no_failure() {
    let ftyp = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2";
    let ebml = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01";
    let rows: &[(&str, Vec<u8>, &str)] = &[
        ("nothing.mp4", Vec::new(), "empty_file"),
        ("letter.mp4", b"Dear Sir or Madam".to_vec(), "wrong_type"),
        ("playlist.mp4", b"#EXTM3U\nfile:///etc/passwd\n".to_vec(), "wrong_type"),
        ("five.mp4", b"12345".to_vec(), "wrong_type"),
        ("head.mp4", ftyp.to_vec(), "corrupt_file"),
        ("noise.mp4", garbage(ftyp), "corrupt_file"),
        ("noise.mkv", garbage(ebml), "corrupt_file"),
    ];
    let place = Place::new();
    for (name, bytes, flag) in rows {
        place.write(name, bytes);
        let arguments = ["run", name, "--out", "result", "--goal", "Find black running shoes under $100"];
        let output = place.pipeline(&arguments);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", talk(&output));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.starts_with("Verdict: reject\n") && told.contains(flag), "{name}: {told}");

        let result = place.path("result");
        let quality = read_json(&result.join("quality.json"));
        assert_eq!(quality["verdict"], "reject", "{name}");
        let flags: Vec<&Value> = quality["flags"].as_array().unwrap().iter().map(|raised| &raised["flag"]).collect();
        assert_eq!(flags, [flag], "{name}");
        assert_eq!(quality["measurements"]["file"]["bytes"], bytes.len(), "{name}");
        check_form("quality", &quality);
        for form in ["transcript", "fingerprints", "summary", "redaction"] {
            check_form(form, &read_json(&result.join(format!("{form}.json"))));
        }
        for lines in ["steps.jsonl", "examples.jsonl"] {
            assert_eq!(fs::read_to_string(result.join(lines)).unwrap(), "", "{name}: {lines}");
        }
        assert!(fs::read_to_string(result.join("report.html")).unwrap().contains("reject"), "{name}");
        let beside: Vec<_> = fs::read_dir(place.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let left = beside.iter().filter(|found| found.to_string_lossy().starts_with('.')).count();
        assert_eq!(left, 0, "{name}: {beside:?}");
    }
}

#[test]
fn a_policy_decides_what_a_flag_leads_to_and_a_later_result_replaces_the_earlier() {
    let place = Place::new();
    place.write("nothing.mp4", "");
    place.write("mild.toml", "[verdicts]\nempty_file = \"review\"\n");
    let run = |rest: &[&str]| place.pipeline(&[&["run", "nothing.mp4", "--out", "deep/result"], rest].concat());
    assert!(run(&[]).status.success());
    place.write("deep/result/frames/old.jpg", "of the earlier result");
    let output = run(&["--policy", "mild.toml"]);
    assert!(output.status.success(), "{}", talk(&output));
    let quality = read_json(&place.path("deep/result/quality.json"));
    assert_eq!((&quality["verdict"], &quality["flags"][0]["flag"]), (&json!("review"), &json!("empty_file")));
    assert!(!place.path("deep/result/frames/old.jpg").exists());
}

#[test]
fn the_same_file_handed_in_under_another_name_is_a_duplicate() {
    let place = Place::new();
    for name in ["one.mp4", "other.mp4"] {
        place.write(name, garbage(b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2"));
    }
    place.write("shown.toml", "[verdicts]\ncorrupt_file = \"review\"\n");
    let of = |name: &str, out: &str| {
        let output = place.pipeline(&["run", name, "--out", out, "--store", "seen", "--policy", "shown.toml"]);
        assert!(output.status.success(), "{}", talk(&output));
        read_json(&place.path(out).join("quality.json"))["measurements"]["duplicate"].clone()
    };
    assert_eq!(of("one.mp4", "a"), Value::Null);
    assert_eq!(of("one.mp4", "b"), Value::Null, "the same recording again is not its own duplicate");
    assert!(of("other.mp4", "c")["of"].as_str().unwrap().ends_with("one.mp4"));
}

#[test]
fn numbers_that_cannot_be_scored_are_null_and_those_that_can_are_json() {
    let place = Place::new();
    place.write(
        "truth.jsonl",
        "{\"t\": 1.0, \"action\": \"click\", \"x\": 5, \"y\": 5}\n{\"t\": 9, \"action\": \"key\"}\n",
    );
    place.write("found.jsonl", "{\"t\": 1.4, \"action\": \"click\", \"x\": 8, \"y\": 9}\n\n");
    let output = place.pipeline(&["score", "--predicted", "found.jsonl", "--truth", "truth.jsonl"]);
    assert!(output.status.success(), "{}", talk(&output));
    let score: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&score["steps"]["tp"], &score["steps"]["fn"], &score["steps"]["fp"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(score.get("transcript"), None);
}

//! Wrong use of `recorder`: one sentence that says what to do, and nothing lost.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ID: &str = "0190d2a4-0000-7000-8000-000000000001";

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("occupied/letter.txt", "mine");
        put("file", "mine");
        put("broken/recording.json", "{\"format\": 1");
        put("broken/video.mp4", "");
        put("policy.toml", "min_active_secs = \"long\"");
        put("events.jsonl", "{\"t\":0.1,\"kind\":\"click\"}\n{}\n");
        put("video.mp4", "no video");
        Self { folder }
    }

    fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_recorder"))
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("COLLECTOR_TOKEN")
            .env("COLLECTOR_DATA_DIR", self.folder.path().join("data"))
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn read(folder: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    into.insert(path.clone(), Vec::new());
                    read(&path, into);
                } else {
                    into.insert(path.clone(), std::fs::read(&path).unwrap());
                }
            }
        }
        let mut contents = BTreeMap::new();
        read(self.folder.path(), &mut contents);
        contents
    }
}

/// Runs the words of `line`; it must end with `status`, say one line that has `hint` in it, print no data, and leave
/// every file as it was.
#[track_caller]
fn check(line: &str, env: &[(&str, &str)], status: i32, hint: &str) {
    let bench = Bench::new();
    let before = bench.contents();
    let args: Vec<&str> = line.split_whitespace().collect();
    let output = bench.run(&args, env);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "recorder {line}: {said}");
    assert!(said.contains(hint), "recorder {line}: {said:?} lacks {hint:?}");
    assert_eq!(said.lines().count(), 1, "recorder {line}: {said:?}");
    assert!(said.starts_with(|first: char| !first.is_lowercase()) && said.trim_end().ends_with('.'), "{said:?}");
    assert!(output.stdout.is_empty(), "recorder {line}");
    assert_eq!(bench.contents(), before, "recorder {line} changed something");
}

#[test]
fn wrong_use_is_told_in_one_sentence_and_harms_nothing() {
    let synthetic = "record --screen synthetic --mic none --seconds 1 --out";
    let rows = [
        ("", "devices, record, check, recover, cut, submit"),
        ("film", "`recorder --help`"),
        ("record", "--out"),
        ("record --out", "--out"),
        ("record --out take --seconds 0", "seconds above 0"),
        ("record --out take --seconds -3", "seconds above 0"),
        ("record --out take --seconds soon", "seconds above 0"),
        ("record --out take --fps 0", "1..=60"),
        ("record --out take --fps 1000", "1..=60"),
        ("record --out take --colour", "`recorder --help`"),
        ("record --out take --limit 100", "--upload-while-recording"),
        (&format!("{synthetic} occupied"), "does not exist yet"),
        (&format!("{synthetic} file"), "does not exist yet"),
        ("check", "DIR|FILE"),
        ("check nowhere", "recording folder or a video file"),
        ("check occupied", "`recorder record`"),
        ("check video.mp4 --events nowhere", "nowhere"),
        ("check video.mp4 --events events.jsonl", "line 1"),
        ("check video.mp4 --policy nowhere", "nowhere"),
        ("check video.mp4 --policy policy.toml", "line 1: invalid type"),
        ("check broken", "its video file alone"),
        ("record --out take --assignment 7", "--assignment"),
        (&format!("record --out take --assignment {ID}"), "`recorder join LINK`"),
        ("submit --server http://127.0.0.1:9 --token csw_a", "<DIR>"),
        ("queue nowhere", "`recorder record`"),
        ("submit nowhere --server https://host.example --token csw_a --assignment 7", "--assignment"),
        (&format!("submit nowhere --server https://host.example --token csw_a --assignment {ID}"), "`recorder record`"),
        (&format!("submit nowhere --server http://host.example --token csw_a --assignment {ID}"), "plain http"),
        (&format!("submit occupied --assignment {ID}"), "`recorder join LINK`"),
        ("join collector://invite/cin_a --name Ada --fiverr-user ada", "names no server"),
        ("goals", "`recorder join LINK`"),
        ("claim 7", "<ID>"),
        ("recover", "<DIR>"),
        ("recover nowhere", "`recorder record`"),
        ("recover occupied", "`recorder record`"),
    ];
    for (line, hint) in rows {
        check(line, &[], 2, hint);
    }
}

#[test]
fn what_the_computer_lacks_is_told_with_what_to_do() {
    let rows: [(&str, &[(&str, &str)], &str); 4] = [
        ("record --out take --mic none", &[], "set DISPLAY"),
        ("record --out take --mic none", &[("DISPLAY", ":9876")], "Check that it is running"),
        ("record --out take --mic none", &[("WAYLAND_DISPLAY", "wayland-0")], "Choose the X11"),
        ("recover broken", &[], "video beside it is untouched"),
    ];
    for (line, env, hint) in rows {
        check(line, env, 1, hint);
    }
}

#[test]
fn a_key_that_does_not_pause_is_not_named() {
    let bench = Bench::new();
    let args = "record --screen synthetic --mic none --seconds 1 --out take".split_whitespace().collect::<Vec<_>>();
    let said = String::from_utf8(bench.run(&args, &[]).stderr).unwrap();
    assert!(said.contains("Press Ctrl-C to stop.") && !said.contains("Ctrl+Alt+P"), "{said}");
}

#[test]
fn help_has_an_example_and_is_no_fault() {
    let bench = Bench::new();
    for line in [
        "--help",
        "devices --help",
        "record --help",
        "check --help",
        "recover --help",
        "submit --help",
        "queue --help",
        "join --help",
        "goals --help",
        "claim --help",
    ] {
        let output = bench.run(&line.split_whitespace().collect::<Vec<_>>(), &[]);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}");
        assert!(told.contains("Example:") && told.contains("recorder "), "{line}: {told}");
    }
    assert_eq!(bench.run(&["--version"], &[]).status.code(), Some(0));
}

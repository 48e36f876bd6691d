//! Cutting a finished take: what is gone is gone everywhere, and what is left is a whole take.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;
#[expect(dead_code, reason = "the tests of the client use the rest of it")]
#[path = "../../../shared-types/ingest-client/tests/tus/mod.rs"]
mod tus;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use capture::screen::synthetic::TestCard;
use ingest_client::{Client, Retry, Waiting};
use media::journal::hash_file;
use recorder_core::cut::{CutError, cut};
use recorder_core::spool::Spool;
use recorder_core::submit::{SentBytes, SubmitError, SubmitListener, read_progress, submit};
use shared_types::api::submission::Submitted;
use shared_types::event::{InputEventKind, parse_events};
use shared_types::id::AssignmentId;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, RecordingStage, VIDEO_FILE};
use takes::{HEIGHT, WIDTH, check_whole, mic, options, sources, take, tone};
use tus::{Fault, Server};

/// A take of about 6.5 s with events all over it.
fn made(base: &Path) -> (PathBuf, Manifest) {
    let folder = base.join("take");
    let card = TestCard::new(WIDTH, HEIGHT);
    let mut manifest = take(&folder, sources(card, Some(mic(vec![Some(tone())]))), &options(15, 6.5)).0.unwrap();
    let lines = [
        r#"{"t":0.5,"kind":"click","x":1.0,"y":2.0,"button":"left","clicks":1,"t_up":0.6}"#,
        r#"{"t":0.6,"kind":"window","title":"Shop"}"#,
        r#"{"t":1.0,"kind":"type","t_end":2.6,"chars":4}"#,
        r#"{"t":2.2,"kind":"window","title":"Bank"}"#,
        r#"{"t":2.3,"kind":"key","key":"Enter"}"#,
        r#"{"t":2.4,"kind":"window","title":"Shop"}"#,
        r#"{"t":2.5,"kind":"move","x":7.0,"y":8.0}"#,
        r#"{"t":5.5,"kind":"type","t_end":5.9,"chars":9}"#,
    ];
    fs::write(folder.join(EVENTS_FILE), lines.join("\n") + "\n").unwrap();
    manifest.files.insert(EVENTS_FILE.to_owned(), hash_file(&folder.join(EVENTS_FILE)).unwrap());
    Spool::open(&folder).unwrap().write_manifest(&manifest).unwrap();
    (folder, manifest)
}

fn no_client(_: &str) -> Option<Client> {
    None
}

/// Whether any file in the folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds(&path, bytes)
        } else {
            fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
        }
    })
}

/// Some bytes from the middle of a fragment.
fn bytes_of(folder: &Path, manifest: &Manifest, fragment: usize) -> Vec<u8> {
    let Some(piece) = manifest.fragments.get(fragment) else { panic!("there is no fragment {fragment}") };
    let at = (piece.offset + piece.bytes / 2) as usize;
    fs::read(folder.join(VIDEO_FILE)).unwrap()[at..at + 64].to_vec()
}

#[test]
fn a_cut_take_is_whole_and_says_what_was_cut() {
    let base = tempfile::tempdir().unwrap();
    let (folder, before) = made(base.path());
    let begins: Vec<f64> = before.fragments.iter().filter_map(|fragment| fragment.t).collect();
    let gone = bytes_of(&folder, &before, 3);
    assert!(holds(&folder, &gone));
    // A voice that was saved apart has in it what is cut out of the sound.
    fs::write(folder.join("voice.wav"), "all that was said").unwrap();

    let (from, to) = (begins[2] + 0.1, begins[3] - 0.1);
    let report = cut(&folder, from, to, &no_client).unwrap();
    assert_eq!((report.removed.start, report.removed.end), (begins[2], begins[3]));
    assert!(!holds(&folder, &gone));
    let after = report.manifest;
    assert!(!folder.join("voice.wav").exists() && !after.files.contains_key("voice.wav"));
    check_whole(&folder, &after);
    assert_eq!((after.stage, after.fragments.len()), (RecordingStage::Checked, before.fragments.len() - 1));
    assert_eq!(after.cuts, [report.removed]);
    let secs = |manifest: &Manifest| manifest.quality.as_ref().unwrap().measurements.active_secs.unwrap();
    let length = begins[3] - begins[2];
    assert!((secs(&before) - secs(&after) - length).abs() < 0.05);
    assert_eq!(after.files[EVENTS_FILE], hash_file(&folder.join(EVENTS_FILE)).unwrap());
    let events = parse_events(&fs::read_to_string(folder.join(EVENTS_FILE)).unwrap()).unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.t, &event.kind)).collect();
    let at = (begins[2] * 1e3).round() / 1e3;
    assert!(matches!(told[0].1, InputEventKind::Click { .. }));
    assert!(matches!(told[1].1, InputEventKind::Window { title } if title == "Shop"));
    assert!(matches!(told[2], (t, InputEventKind::Cut) if t.to_bits() == at.to_bits()), "{told:?}");
    assert!(matches!(told[3].1, InputEventKind::Window { title } if title == "Shop"), "the title that holds behind it");
    assert!(matches!(told[4].1, InputEventKind::Move { .. }), "where the pointer is behind it");
    assert!(matches!(told[5], (t, InputEventKind::Type { .. }) if (t - (5.5 - length)).abs() < 0.002));
    assert_eq!(told.len(), 6, "{told:?}");
}

#[test]
fn the_command_says_what_went_and_refuses_what_cannot_go() {
    let base = tempfile::tempdir().unwrap();
    let (folder, _) = made(base.path());
    let before = fs::read(folder.join(MANIFEST_FILE)).unwrap();
    let run = |from: &str, to: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_recorder"))
            .args(["cut", "--from", from, "--to", to])
            .arg(&folder)
            .env("COLLECTOR_DATA_DIR", base.path().join("data"))
            .env_remove("COLLECTOR_TOKEN")
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (from, to, hint) in [
        ("3", "2", "smaller one first"),
        ("-1", "2", "smaller one first"),
        ("nan", "2", "smaller one first"),
        ("0", "inf", "smaller one first"),
        ("0", "99", "delete the recording instead"),
        ("50", "51", "s long"),
    ] {
        let (status, said) = run(from, to);
        assert_eq!((status, said.contains(hint), said.lines().count()), (2, true, 1), "{from} to {to}: {said}");
        assert_eq!(fs::read(folder.join(MANIFEST_FILE)).unwrap(), before);
        assert!(!folder.join("cut.part").exists());
    }
    let (status, said) = run("0", "0.5");
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("Removed 0.0 to 1."), "{said}");
}

#[test]
fn a_cut_that_was_interrupted_happened_or_did_not() {
    let base = tempfile::tempdir().unwrap();
    let (folder, before) = made(base.path());
    // Killed before its moment: the half-made files are forgotten.
    fs::create_dir(folder.join("cut.part")).unwrap();
    fs::write(folder.join("cut.part").join(VIDEO_FILE), "half").unwrap();
    assert_eq!(Spool::open(&folder).unwrap().read_manifest().unwrap(), before);
    assert!(!folder.join("cut.part").exists());
    check_whole(&folder, &before);

    // Killed after it, with the video in its place already: the rest follows.
    let copy = base.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in [VIDEO_FILE, EVENTS_FILE, MANIFEST_FILE] {
        fs::copy(folder.join(name), copy.join(name)).unwrap();
    }
    let after = cut(&copy, 1.5, 1.6, &no_client).unwrap().manifest;
    let whole = folder.join("cut.whole");
    fs::create_dir(&whole).unwrap();
    for name in [EVENTS_FILE, MANIFEST_FILE] {
        fs::copy(copy.join(name), whole.join(name)).unwrap();
    }
    fs::copy(copy.join(VIDEO_FILE), folder.join(VIDEO_FILE)).unwrap();
    recorder_core::check::check(&folder, None, &shared_types::quality::policy::Policy::default()).unwrap();
    assert!(!whole.exists());
    assert_eq!(Spool::open(&folder).unwrap().read_manifest().unwrap(), after);
    check_whole(&folder, &after);
}

fn assignment() -> AssignmentId {
    "0190d2a4-0000-7000-8000-000000000001".parse().unwrap()
}

fn client(server: &str) -> Client {
    let retry = Retry { first: Duration::from_millis(2), most: Duration::from_millis(10), tries: Some(3) };
    Client::new(server, Some("csw_secret")).unwrap().with_retry(retry)
}

/// Ends the handing in once something was sent, if it is to.
struct Sender<'a> {
    cancel: &'a AtomicBool,
    breaks_off: bool,
}

impl SubmitListener for Sender<'_> {
    fn progress(&mut self, progress: SentBytes) {
        self.cancel.store(self.breaks_off && progress.sent_bytes > 0, Ordering::Relaxed);
    }

    fn waiting(&mut self, _: &Waiting) {}
}

fn send(folder: &Path, server: &Server, breaks_off: bool) -> Result<Submitted, SubmitError> {
    let cancel = AtomicBool::new(false);
    submit(folder, &client(&server.address), assignment(), &mut Sender { cancel: &cancel, breaks_off }, &cancel)
}

#[test]
fn what_was_sent_before_the_cut_is_ended_at_the_server() {
    let base = tempfile::tempdir().unwrap();
    let (folder, before) = made(base.path());
    let gone = bytes_of(&folder, &before, 2);
    let server = Server::start();
    let kept = |server: &Server| {
        server.see(|state| {
            state.uploads.values().any(|stored| stored.bytes.windows(gone.len()).any(|bytes| bytes == gone))
        })
    };
    assert!(send(&folder, &server, true).unwrap_err().is_cancelled());
    assert!(kept(&server), "it was sent");
    let first = read_progress(&folder).unwrap().unwrap();

    // The server does not answer: the cut is made, and what is to be ended is remembered.
    server.will(&[("DELETE", Fault::Answer(503)), ("DELETE", Fault::Answer(503))]);
    let report = cut(&folder, 1.2, 1.3, &|server| Some(client(server))).unwrap();
    assert_eq!(report.still_held_by, std::slice::from_ref(&server.address));
    assert!(kept(&server) && !holds(&folder, &gone));
    let remembered = read_progress(&folder).unwrap().unwrap();
    assert!(!remembered.to_terminate.is_empty() && remembered.submission_id != first.submission_id);

    // Handing in ends it first, and then sends the shorter take.
    send(&folder, &server, false).unwrap();
    assert!(!kept(&server));
    let progress = read_progress(&folder).unwrap().unwrap();
    assert!(progress.to_terminate.is_empty() && progress.answer.is_some());
    server.see(|state| assert_eq!(state.submissions.last().unwrap()["manifest"]["cuts"].as_array().unwrap().len(), 1));
    // What is handed in is the server's.
    let refused = cut(&folder, 0.1, 0.2, &|server| Some(client(server)));
    assert!(matches!(refused, Err(CutError::HandedIn { .. })), "{refused:?}");
    check_whole(&folder, &report.manifest);
}

#[test]
fn a_server_that_answers_is_told_at_once() {
    let base = tempfile::tempdir().unwrap();
    let (folder, _) = made(base.path());
    let server = Server::start();
    assert!(send(&folder, &server, true).unwrap_err().is_cancelled());
    let report = cut(&folder, 1.2, 1.3, &|server| Some(client(server))).unwrap();
    assert!(report.still_held_by.is_empty());
    server.see(|state| assert!(state.uploads.is_empty()));
}

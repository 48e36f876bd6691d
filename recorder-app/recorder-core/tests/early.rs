//! Takes that are sent while they are made.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;
#[expect(dead_code, reason = "the tests of the client use the rest of it")]
#[path = "../../../shared-types/ingest-client/tests/tus/mod.rs"]
mod tus;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use capture::screen::{Grab, ScreenError, ScreenSource};
use ingest_client::{Client, Retry, Waiting};
use media::frame::BgraFrame;
use recorder_core::cut::cut;
use recorder_core::session::{AssignedTake, EarlyUpload};
use recorder_core::spool::{Spool, recover};
use recorder_core::submit::{SentBytes, SubmitListener, end_uploads, read_progress, submit};
use shared_types::api::submission::Track;
use shared_types::id::AssignmentId;
use shared_types::recording::{Manifest, RecordingStage, VIDEO_FILE};
use takes::{check_modes, options, sources, take};
use tus::{Fault, Server};

/// The smallest piece of a growing file.
const PIECE: usize = 256 << 10;

/// A picture that is never the same and cannot be made small.
struct Noise(u64);

impl ScreenSource for Noise {
    fn size(&self) -> (u32, u32) {
        (640, 360)
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let (width, height) = self.size();
        (into.width, into.height, into.stride) = (width, height, width as usize * 4);
        into.data.clear();
        for _ in 0..width * height / 2 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            into.data.extend((self.0 ^ self.0 >> 29).to_le_bytes());
        }
        into.at = capture::clock::now();
        Ok(Grab::Changed)
    }
}

struct Quiet;

impl SubmitListener for Quiet {
    fn progress(&mut self, _: SentBytes) {}
    fn waiting(&mut self, _: &Waiting) {}
}

fn assignment() -> AssignmentId {
    "0190d2a4-0000-7000-8000-000000000001".parse().unwrap()
}

fn client(server: &Server) -> Client {
    let retry = Retry { first: Duration::from_millis(2), most: Duration::from_millis(10), tries: Some(5) };
    Client::new(&server.address, Some("csw_secret")).unwrap().with_retry(retry)
}

/// A take of 5 s that is sent to the server while it is made.
fn made(folder: &Path, server: &Server) -> (Manifest, Vec<String>) {
    let mut options = options(15, 5.0);
    options.early = Some(EarlyUpload { client: client(server), assignment: assignment() });
    let (result, health) = take(folder, sources(Noise(1), None), &options);
    (result.unwrap(), health)
}

#[test]
fn what_was_sent_while_it_was_made_is_gone_on_with_and_arrives_whole() {
    let (server, base) = (Server::start(), tempfile::tempdir().unwrap());
    let folder = base.path().join("take");
    server.will(&[("PATCH", Fault::Answer(503))]);
    let (manifest, health) = made(&folder, &server);
    assert!(!health.contains(&"early_upload_ended".to_owned()), "{health:?}");
    let recorded = &manifest.files[VIDEO_FILE];
    let progress = read_progress(&folder).unwrap().unwrap();
    assert_eq!(progress.stage, RecordingStage::Uploading);
    check_modes(&folder);
    let id = progress.uploads[&Track::Video].id.clone();
    let early_bytes = server.see(|state| {
        let stored = &state.uploads[&id];
        assert_eq!(stored.length, None, "how long it will be was not known");
        stored.bytes.len()
    });
    assert!(early_bytes >= PIECE, "{early_bytes} of {} bytes", recorded.bytes);

    submit(&folder, &client(&server), assignment(), &mut Quiet, &AtomicBool::new(false)).unwrap();
    server.see(|state| {
        let stored = &state.uploads[&id];
        assert_eq!(stored.length, Some(recorded.bytes));
        assert_eq!(stored.bytes, std::fs::read(folder.join(VIDEO_FILE)).unwrap());
        assert_eq!(state.creations, 1, "nothing was begun anew");
        assert_eq!(state.accepted_bytes as u64, recorded.bytes, "nothing was sent twice");
        let sent = &state.submissions.last().unwrap()["uploads"][0];
        assert_eq!((sent["upload_id"].as_str(), sent["sha256"].as_str()), (Some(&*id), Some(&*recorded.sha256)));
    });
}

/// Set for the process that records: where, and to which server it sends.
const INSIDE: [&str; 2] = ["EARLY_TEST_FOLDER", "EARLY_TEST_SERVER"];
const KILLED: &str = "a_killed_take_that_was_sent_meanwhile_is_made_whole_and_gone_on_with";

/// The test runs itself once more as the recorder that is killed.
#[test]
fn a_killed_take_that_was_sent_meanwhile_is_made_whole_and_gone_on_with() {
    if let [Some(folder), Some(address)] = INSIDE.map(std::env::var_os) {
        let mut options = options(15, 600.0);
        let client = Client::new(address.to_str().unwrap(), Some("csw_secret")).unwrap();
        options.early = Some(EarlyUpload { client, assignment: assignment() });
        take(Path::new(&folder), sources(Noise(1), None), &options).0.unwrap();
        return;
    }
    let (server, base) = (Server::start(), tempfile::tempdir().unwrap());
    let folder = base.path().join("take");
    let mut recorder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", KILLED, "--nocapture"])
        .env(INSIDE[0], &folder)
        .env(INSIDE[1], &server.address)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.see(|state| state.accepted_bytes) < 2 * PIECE {
        assert!(Instant::now() < deadline && recorder.try_wait().unwrap().is_none(), "nothing is sent");
        std::thread::yield_now();
    }
    recorder.kill().unwrap();
    recorder.wait().unwrap();
    let id = read_progress(&folder).unwrap().unwrap().uploads[&Track::Video].id.clone();
    assert!(recover(&folder).unwrap().needed);
    submit(&folder, &client(&server), assignment(), &mut Quiet, &AtomicBool::new(false)).unwrap();
    server.see(|state| {
        assert_eq!((state.creations, state.uploads.len()), (1, 1), "nothing was begun anew");
        assert_eq!(state.uploads[&id].bytes, std::fs::read(folder.join(VIDEO_FILE)).unwrap());
        assert_eq!(state.submissions.last().unwrap()["uploads"][0]["upload_id"].as_str(), Some(&*id));
    });
}

#[test]
fn a_take_that_was_made_whole_is_judged_by_what_its_assignment_asks_for() {
    let (server, base) = (Server::start(), tempfile::tempdir().unwrap());
    let folder = base.path().join("take");
    let mut options = options(15, 2.5);
    options.policy.min_active_secs = 1234.0;
    options.assigned = Some(AssignedTake {
        assignment_id: assignment(),
        campaign_id: "0190d2a4-0000-7000-8000-000000000002".parse().unwrap(),
        tier: "Basic".to_owned(),
        consent: None,
    });
    let mut manifest = take(&folder, sources(Noise(1), None), &options).0.unwrap();
    check_modes(&folder);
    // As a killed recorder leaves it.
    (manifest.stage, manifest.quality) = (RecordingStage::Capturing, None);
    let spool = Spool::open(&folder).unwrap();
    spool.write_manifest(&manifest).unwrap();
    assert!(recover(&folder).unwrap().needed);
    submit(&folder, &client(&server), assignment(), &mut Quiet, &AtomicBool::new(false)).unwrap();
    let judged = spool.read_manifest().unwrap().quality.unwrap();
    assert!((judged.policy.min_active_secs - 1234.0).abs() < 0.1, "{:?}", judged.policy);
}

#[test]
fn a_take_that_is_deleted_leaves_nothing_at_a_server_that_answers() {
    let (server, base) = (Server::start(), tempfile::tempdir().unwrap());
    let (folder, data) = (base.path().join("take"), base.path().join("data"));
    made(&folder, &server);
    server.see(|state| assert!(state.uploads.values().any(|stored| !stored.bytes.is_empty())));
    let still_held_by = end_uploads(&folder, &data, &|_| Some(client(&server))).unwrap();
    assert_eq!(still_held_by, [] as [String; 0]);
    server.see(|state| assert!(state.uploads.is_empty(), "{:?}", state.uploads.keys()));
    assert!(!data.exists(), "nothing is to be remembered");
}

#[test]
fn a_cut_ends_what_was_sent_early_and_the_rest_is_sent_afresh() {
    let (server, base) = (Server::start(), tempfile::tempdir().unwrap());
    let folder = base.path().join("take");
    made(&folder, &server);
    let early = read_progress(&folder).unwrap().unwrap().uploads[&Track::Video].id.clone();
    let report = cut(&folder, 1.2, 2.4, &|_| Some(client(&server))).unwrap();
    assert_eq!(report.still_held_by, [] as [String; 0]);
    check_modes(&folder);
    server.see(|state| assert!(!state.uploads.contains_key(&early), "the server keeps nothing of it"));
    submit(&folder, &client(&server), assignment(), &mut Quiet, &AtomicBool::new(false)).unwrap();
    let id = read_progress(&folder).unwrap().unwrap().uploads[&Track::Video].id.clone();
    assert_ne!(id, early);
    server.see(|state| assert_eq!(state.uploads[&id].bytes, std::fs::read(folder.join(VIDEO_FILE)).unwrap()));
}

#[test]
fn a_server_that_does_not_answer_keeps_nobody_from_ending_and_deleting_the_take() {
    for hangs in ["POST", "PATCH"] {
        let (server, base) = (Server::start(), tempfile::tempdir().unwrap());
        let folder = base.path().join("take");
        server.will(&[(hangs, Fault::Hang)]);
        let began = Instant::now();
        let (manifest, _) = made(&folder, &server);
        assert!(began.elapsed() < Duration::from_secs(5 + 10), "{:?}", began.elapsed());
        assert_eq!(manifest.stage, RecordingStage::Checked);
        // Nobody holds it any more.
        let data = base.path().join("data");
        let client = |_: &str| Some(client(&server));
        assert_eq!(end_uploads(&folder, &data, &client).unwrap(), [] as [String; 0]);
        let begun = read_progress(&folder).unwrap().map(|progress| progress.uploads.len());
        assert_eq!(begun, (hangs == "PATCH").then_some(1), "of an upload without an answer nothing is known");
    }
}

#[test]
fn a_server_that_refuses_never_touches_the_take() {
    let (server, base) = (Server::start(), tempfile::tempdir().unwrap());
    let folder = base.path().join("take");
    server.will(&[("POST", Fault::Answer(403))]);
    let (manifest, health) = made(&folder, &server);
    assert!(health.contains(&"early_upload_ended".to_owned()), "{health:?}");
    assert!(manifest.health.iter().any(|event| event.sentence.contains("sent afterwards")), "{:?}", manifest.health);
    assert_eq!(manifest.stage, RecordingStage::Checked);
    submit(&folder, &client(&server), assignment(), &mut Quiet, &AtomicBool::new(false)).unwrap();
}

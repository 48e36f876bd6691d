//! Handing a take in, interrupted and taken up again.

#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

#[expect(dead_code, reason = "the tests of the client use the rest of it")]
#[path = "../../../shared-types/ingest-client/tests/tus/mod.rs"]
mod tus;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ingest_client::{Client, Retry, Waiting};
use recorder_core::submit::{SentBytes, SubmitError, SubmitListener, read_progress, submit};
use shared_types::api::submission::Submitted;
use shared_types::id::AssignmentId;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, Manifest, RecordingStage, VIDEO_FILE};
use tus::{Fault, Server};

const VIDEO_BYTES: usize = (8 << 20) + 77;

fn assignment(last: u32) -> AssignmentId {
    format!("0190d2a4-0000-7000-8000-{last:012}").parse().unwrap()
}

fn take(stage: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path(VIDEO_FILE), vec![42; VIDEO_BYTES]).unwrap();
    std::fs::write(path(EVENTS_FILE), "{\"t\":0.1,\"kind\":\"mark\"}\n").unwrap();
    let hash = |name: &str| serde_json::to_value(media::journal::hash_file(&path(name)).unwrap()).unwrap();
    let manifest = serde_json::json!({
        "format": 1, "id": "0190d2a4-0000-7000-8000-0000000000ff", "stage": stage, "goal": "Find red shoes",
        "campaign_id": null, "assignment_id": assignment(1), "tier": "Basic", "app_version": "0.1.0",
        "system": {"os": "linux", "arch": "x86_64", "display": "synthetic"},
        "clock": {"started_at": "2026-01-01T00:00:00.000Z", "first_frame_monotonic_nanos": 0,
                  "first_sample_monotonic_nanos": null, "av_offset_ms": null},
        "screen": {"id": "synthetic", "name": "Test card", "width": 2, "height": 2,
                   "picture_width": 2, "picture_height": 2, "fps": 15},
        "microphone": null, "input_events": {"recorded": true, "reason": null},
        "encoder": {"video": "none", "audio": null, "library": "none", "probes": []},
        "fragments": [], "pauses": [], "cuts": [], "gaps": [],
        "drift": {"ppm": null, "worst_offset_ms": null, "filled_ms": 0.0, "skipped_ms": 0.0},
        "frames": {"due": 1, "captured": 1, "dropped_per_second": {}}, "health": [], "consent": null,
        "quality": null, "files": {VIDEO_FILE: hash(VIDEO_FILE), EVENTS_FILE: hash(EVENTS_FILE)},
        "of_a_later_version": 7
    });
    let manifest: Manifest = serde_json::from_value(manifest).unwrap();
    std::fs::write(path(MANIFEST_FILE), serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    folder
}

/// Ends the handing in once so much was sent.
struct Killer<'a> {
    at_bytes: u64,
    cancel: &'a AtomicBool,
    waits: u32,
}

impl SubmitListener for Killer<'_> {
    fn progress(&mut self, progress: SentBytes) {
        assert!(progress.sent_bytes <= progress.total_bytes);
        self.cancel.store(progress.sent_bytes >= self.at_bytes, Ordering::Relaxed);
    }

    fn waiting(&mut self, _: &Waiting) {
        self.waits += 1;
    }
}

fn run(folder: &Path, server: &Server, at_bytes: u64, last: u32) -> (Result<Submitted, SubmitError>, u32) {
    let retry = Retry { first: Duration::from_millis(2), most: Duration::from_millis(10), tries: Some(5) };
    let client = Client::new(&server.address, Some("csw_secret")).unwrap().with_retry(retry);
    let cancel = AtomicBool::new(false);
    let mut killer = Killer { at_bytes, cancel: &cancel, waits: 0 };
    (submit(folder, &client, assignment(last), &mut killer, &cancel), killer.waits)
}

#[test]
fn an_interrupted_submission_is_the_same_one_and_nothing_is_sent_twice() {
    let (server, folder) = (Server::start(), take("checked"));
    let before = std::fs::read(folder.path().join(MANIFEST_FILE)).unwrap();
    let total = VIDEO_BYTES + std::fs::metadata(folder.path().join(EVENTS_FILE)).unwrap().len() as usize;
    for at_bytes in [1, VIDEO_BYTES, VIDEO_BYTES + 1] {
        let (killed, _) = run(folder.path(), &server, at_bytes as u64, 1);
        assert!(killed.unwrap_err().is_cancelled());
        let progress = read_progress(folder.path()).unwrap().unwrap();
        assert_eq!(progress.stage, RecordingStage::Uploading);
        server.see(|state| assert!(state.submissions.is_empty()));
    }
    let begun = read_progress(folder.path()).unwrap().unwrap();
    server.will(&[("POST", Fault::Answer(503)), ("POST", Fault::Answer(502)), ("POST", Fault::Silent)]);
    let (submitted, waits) = run(folder.path(), &server, u64::MAX, 1);
    let submitted = submitted.unwrap();
    assert_eq!((submitted.id, waits), (begun.submission_id, 3));
    let progress = read_progress(folder.path()).unwrap().unwrap();
    assert_eq!((progress.stage, progress.answer.as_ref()), (RecordingStage::Confirmed, Some(&submitted)));
    let days = |days| time::OffsetDateTime::now_utc() + time::Duration::days(days);
    assert_eq!([0, 6, 8].map(|after| progress.has_had_its_time(days(after))), [false, false, true]);
    assert!(!begun.has_had_its_time(days(99)), "what is not confirmed is never let go");
    assert_eq!(std::fs::read(folder.path().join(MANIFEST_FILE)).unwrap(), before);
    server.see(|state| {
        assert_eq!((state.creations, state.accepted_bytes), (2, total));
        let last = state.submissions.last().unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&before).unwrap();
        assert_eq!((&last["manifest"], last["uploads"].as_array().unwrap().len()), (&sent, 2));
        assert!(state.submissions.iter().all(|submission| submission == last));
        state.log.clear();
    });
    // Handed in again: the same answer, and the server is not even asked.
    assert_eq!(run(folder.path(), &server, u64::MAX, 1).0.unwrap(), submitted);
    server.see(|state| assert!(state.log.is_empty()));
}

#[test]
fn what_the_server_lost_or_found_broken_is_sent_again_once() {
    // The first two POST begin the uploads, the third hands in.
    let uploads = [("POST", Fault::Answer(503)), ("POST", Fault::Answer(503))];
    for (status, creations) in [(422, 4), (404, 2), (410, 2)] {
        let (server, folder) = (Server::start(), take("checked"));
        let (killed, _) = run(folder.path(), &server, VIDEO_BYTES as u64 + 1, 1);
        assert!(killed.unwrap_err().is_cancelled());
        server.will(&[("POST", Fault::Answer(status))]);
        run(folder.path(), &server, u64::MAX, 1).0.unwrap();
        server.see(|state| {
            assert_eq!(state.creations, creations, "{status}");
            let sent = state.submissions.last().unwrap()["uploads"].as_array().unwrap().iter();
            let handed_in: Vec<_> = sent.map(|upload| upload["upload_id"].as_str().unwrap()).collect();
            let kept: Vec<_> = state.uploads.keys().collect();
            assert_eq!(kept, handed_in, "{status}: the server keeps nothing that was not handed in");
        });
        assert_eq!(read_progress(folder.path()).unwrap().unwrap().to_terminate, []);
    }
    let (server, folder) = (Server::start(), take("checked"));
    server.will(&uploads);
    assert_eq!(run(folder.path(), &server, u64::MAX, 1).1, 2);
}

#[test]
fn an_upload_that_is_not_gone_on_with_is_ended_at_its_server() {
    // The server has more than there is; or the file is another one now, as after a copy that was put back.
    let spoil: [fn(&Server, &Path); 2] = [
        |server, _| {
            server.see(|state| state.uploads.values_mut().for_each(|stored| stored.bytes.resize(2 * VIDEO_BYTES, 0)));
        },
        |_, folder| {
            let mut progress = read_progress(folder).unwrap().unwrap();
            progress.uploads.values_mut().for_each(|sent| sent.sha256 = "another".to_owned());
            let path = folder.join("upload.json");
            std::fs::write(path, serde_json::to_vec(&progress).unwrap()).unwrap();
        },
    ];
    for spoil in spoil {
        let (server, folder) = (Server::start(), take("checked"));
        let (killed, _) = run(folder.path(), &server, 1, 1);
        assert!(killed.unwrap_err().is_cancelled());
        let first = server.see(|state| state.uploads.keys().next().unwrap().clone());
        spoil(&server, folder.path());
        run(folder.path(), &server, u64::MAX, 1).0.unwrap();
        server.see(|state| {
            assert_eq!((state.creations, state.uploads.len()), (3, 2), "{:?}", state.uploads.keys());
            assert!(!state.uploads.contains_key(&first));
        });
    }
}

#[test]
fn what_should_not_be_handed_in_is_not() {
    let server = Server::start();
    let rows =
        [("capturing", 1, "recorder recover"), ("broken", 1, "Record again"), ("checked", 2, "was recorded for")];
    for (stage, last, hint) in rows {
        let refused = run(take(stage).path(), &server, u64::MAX, last).0.unwrap_err();
        assert!(refused.to_string().contains(hint), "{refused}");
    }
    let folder = take("checked");
    std::fs::write(folder.path().join(VIDEO_FILE), vec![43; VIDEO_BYTES]).unwrap();
    assert!(matches!(run(folder.path(), &server, u64::MAX, 1).0, Err(SubmitError::Changed { .. })));
    server.see(|state| assert!(state.submissions.is_empty()));
}

//! A child that does not do what it should, played by a shell.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::os::unix::fs::PermissionsExt;

use shared_types::quality::flag::{Flag, Verdict};
use shared_types::quality::judge::judge;
use shared_types::quality::policy::Policy;

use super::*;
use crate::passes::inspect::{Task, inspect};

/// A program that does this; the task's path is its second argument.
fn program(folder: &Path, body: &str) -> PathBuf {
    let path = folder.join("program.sh");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_file_that_brings_its_reader_down_is_damaged() {
    for body in [
        "exit 1",
        "echo 1.0; kill -9 $$",
        "echo 1.0",
        "echo '{\"measurements\": 7}' > \"${2%task.json}outcome.json\"",
        "echo '\u{7}\u{1b}[31m not a number'; exit 0",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let video = folder.path().join("video.mp4");
        fs::write(&video, "twelve bytes").unwrap();
        let task = Task { video, events: None, manifest: None, wants: Vec::new(), folder: folder.path().to_owned() };
        let program = program(folder.path(), body);
        let findings = inspect(&program, &task, &AtomicBool::new(false), |_| ()).unwrap();
        assert_eq!(findings.measurements.file.bytes, 12, "{body}");
        let report = judge(findings.measurements, &Policy::default());
        assert!(report.verdict == Verdict::Reject && report.has(Flag::CorruptFile), "{body}: {:?}", report.flags);
    }
}

#[test]
fn a_child_that_stalls_is_ended_also_when_it_closed_its_mouth() {
    for body in ["echo 1.0; exec sleep 600", "exec >&-; exec sleep 600"] {
        let folder = tempfile::tempdir().unwrap();
        let spawn = || {
            let mut command = Command::new(program(folder.path(), body));
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        };
        let (go, stop) = (AtomicBool::new(false), AtomicBool::new(true));
        assert!(!watch(spawn(), &go, &mut |_| (), Duration::from_millis(300)).unwrap(), "{body}");
        let stopped = watch(spawn(), &stop, &mut |_| (), Duration::from_mins(5));
        assert!(matches!(stopped, Err(ChildError::Stopped)), "{body}: {stopped:?}");
    }
}

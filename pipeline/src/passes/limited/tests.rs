//! A child that does not do what it should, played by a shell.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::io::{Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Resource, Rlimit, setrlimit};
use shared_types::quality::flag::{Flag, Verdict};
use shared_types::quality::judge::judge;
use shared_types::quality::policy::Policy;

use super::*;
use crate::passes::inspect::{Findings, Task, inspect};

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
        "exit 101",
        "kill -ABRT $$",
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
fn what_the_machine_refuses_is_no_fault_of_the_file() {
    let full =
        "echo '{\"outcome\": {\"Err\": \"no space left\"}, \"peak_memory_bytes\": 1}' > \"${2%task.json}outcome.json\"";
    for (body, why) in [(full, "no space left"), ("echo 1.0; exit 1", "could not be written")] {
        let folder = tempfile::tempdir().unwrap();
        let video = folder.path().join("video.mp4");
        fs::write(&video, "twelve bytes").unwrap();
        let task = Task { video, events: None, manifest: None, wants: Vec::new(), folder: folder.path().to_owned() };
        let program = program(folder.path(), body);
        let failed = inspect(&program, &task, &AtomicBool::new(false), |_| ());
        assert!(matches!(&failed, Err(ChildError::Failed(reason)) if reason.contains(why)), "{body}: {failed:?}");
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
        let end = watch(spawn(), &go, &mut |_| (), Duration::from_millis(300)).unwrap();
        assert_eq!(end, End::Died, "{body}");
        let stopped = watch(spawn(), &stop, &mut |_| (), Duration::from_mins(5));
        assert!(matches!(stopped, Err(ChildError::Stopped)), "{body}: {stopped:?}");
    }
}

/// What a child may be told to do too much of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Excess {
    Nothing,
    Memory,
    File,
    Time,
}

/// In the task's folder, beside the task.
const EXCESS_FILE: &str = "excess.json";
const CHILD_TASK: &str = "CHILD_TASK";

/// Not a test by itself: started again by the test below, this is the child, under the limits of every child.
#[test]
fn a_child_of_the_next_test() {
    let Some(task_path) = std::env::var_os(CHILD_TASK).map(PathBuf::from) else { return };
    let excess = serde_json::from_slice(&fs::read(task_path.with_file_name(EXCESS_FILE)).unwrap()).unwrap();
    work(&task_path, |_: Task| {
        match excess {
            Excess::Nothing => {}
            // The allocator is refused, as it is by an index that claims more than there is.
            Excess::Memory => drop(std::hint::black_box(Vec::<u8>::with_capacity(limits::MEMORY_BYTES as usize))),
            Excess::File => {
                let mut file = fs::File::create(task_path.with_file_name("0.jpg"))?;
                file.seek(SeekFrom::Start(limits::FILE_BYTES))?;
                file.write_all(&[0])?;
            }
            Excess::Time => {
                // An hour is too long for a test.
                let second = Some(1);
                setrlimit(Resource::Cpu, Rlimit { current: second, maximum: second })?;
                let began = Instant::now();
                while began.elapsed() < PATIENCE {
                    std::hint::black_box(began);
                }
            }
        }
        Ok(Findings::default())
    })
    .unwrap();
}

#[test]
fn a_child_that_takes_too_much_is_ended_and_its_file_counts_as_damaged() {
    for excess in [Excess::Nothing, Excess::Memory, Excess::File, Excess::Time] {
        let folder = tempfile::tempdir().unwrap();
        let video = folder.path().join("video.mp4");
        fs::write(&video, "twelve bytes").unwrap();
        fs::write(folder.path().join(EXCESS_FILE), serde_json::to_vec(&excess).unwrap()).unwrap();
        let this = std::env::current_exe().unwrap();
        let test = "passes::limited::tests::a_child_of_the_next_test";
        let body = format!("exec env {CHILD_TASK}=\"$2\" '{}' --exact {test} --nocapture", this.display());
        let task = Task { video, events: None, manifest: None, wants: Vec::new(), folder: folder.path().to_owned() };
        let began = Instant::now();
        let findings = inspect(&program(folder.path(), &body), &task, &AtomicBool::new(false), |_| ()).unwrap();
        assert!(began.elapsed() < PATIENCE / 2, "{excess:?}: the limit ends it, not the watch");
        let report = judge(findings.measurements.clone(), &Policy::default());
        let is_damaged = report.verdict == Verdict::Reject && report.has(Flag::CorruptFile);
        assert_eq!(is_damaged, excess != Excess::Nothing, "{excess:?}: {:?}", report.flags);
        assert!(report.flags.iter().all(|raised| !raised.sentence.is_empty()));
    }
}

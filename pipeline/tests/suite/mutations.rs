//! Files that somebody damaged, by chance or on purpose, through the process that looks at them: none may bring down more
//! than itself, none may hang, and each gets a clear verdict.
//!
//! 50 files, or 500 with `COLLECTOR_TEST_ALL` set, made anew from one seed in every run. A file that fails is kept beside
//! the others' folder and named.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use pipeline::passes::inspect::{Findings, Task};
use pipeline::passes::limited::Left;
use shared_types::quality::flag::{Flag, Verdict};
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::quality::measurements::FileState;
use shared_types::quality::policy::Policy;

const SEED: u64 = 20_260_401;
/// The child may take this long for a recording of four seconds before it counts as hanging; a machine may be busy.
const LONGEST: Duration = Duration::from_mins(2);
/// One file in so many goes through the whole of `pipeline run`.
const WHOLE_RUN_EACH: usize = 25;
const THREADS: usize = 2;

/// A small generator (`xorshift64*`): the same numbers in every run.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as usize) % limit.max(1)
    }

    fn pick<'a, T>(&mut self, rows: &'a [T]) -> &'a T {
        &rows[self.below(rows.len())]
    }
}

const FIXTURES: [&str; 5] = ["fragmented.mp4", "index_first.mp4", "index_last.mov", "take.mkv", "take.webm"];

/// Names of boxes of ISO/IEC 14496-12 whose numbers say how much there is of what.
const BOXES: [&[u8; 4]; 22] = [
    b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"mdia", b"mdhd", b"minf", b"stbl", b"stsd", b"avc1", b"avcC",
    b"stts", b"stsc", b"stsz", b"stco", b"moof", b"traf", b"tfhd", b"tfdt", b"trun", b"mdat",
];
const NUMBERS: [u32; 8] = [0, 1, 7, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fff0, 0x0100_0000];

/// Another file made of a good one, and what was done to it.
fn mutate(good: &[u8], chance: &mut Chance) -> (String, Vec<u8>) {
    let mut bytes = good.to_vec();
    let kind = chance.below(11);
    let what = match kind {
        0 => {
            let flips = 1 + chance.below(64);
            for _ in 0..flips {
                let at = chance.below(bytes.len());
                bytes[at] ^= 1 << chance.below(8);
            }
            format!("{flips} bits anywhere")
        }
        1 | 2 => {
            // Where the numbers are that say how much follows.
            let (flips, head) = (1 + chance.below(16), bytes.len().min(4096));
            for _ in 0..flips {
                let at = chance.below(head);
                bytes[at] ^= 1 << chance.below(8);
            }
            format!("{flips} bits at its head")
        }
        3 => {
            bytes.truncate(chance.below(good.len()));
            format!("cut to {} bytes", bytes.len())
        }
        4 => {
            bytes.drain(..chance.below(good.len()));
            format!("its first {} bytes gone", good.len() - bytes.len())
        }
        5 => {
            let length = 1 + chance.below(bytes.len() / 4);
            let (from, to) = (chance.below(bytes.len() - length), chance.below(bytes.len() - length));
            let piece = bytes[from..from + length].to_vec();
            bytes.splice(to..to, piece);
            format!("{length} bytes of {from} again at {to}")
        }
        6 => {
            let length = 1 + chance.below(bytes.len() / 4);
            let from = chance.below(bytes.len() - length);
            bytes[from..from + length].fill(*chance.pick(&[0, 0xff, 0x20]));
            format!("{length} bytes of one value at {from}")
        }
        7 => swap_boxes(&mut bytes, chance),
        8 | 9 => absurd_number(&mut bytes, chance),
        _ => {
            let name = *chance.pick(&[
                "https://127.0.0.1/a.mp4",
                "file:///etc/passwd",
                "../../secret",
                "concat:a|b",
                "%n%n%s%x",
            ]);
            let at = chance.below(bytes.len() - name.len());
            bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
            format!("{name} written at {at}")
        }
    };
    (what, bytes)
}

/// Where a file's outermost boxes begin.
fn boxes(bytes: &[u8]) -> Vec<(usize, usize)> {
    let (mut at, mut found) = (0, Vec::new());
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length < 8 || at + length > bytes.len() {
            break;
        }
        found.push((at, length));
        at += length;
    }
    found
}

fn swap_boxes(bytes: &mut Vec<u8>, chance: &mut Chance) -> String {
    let found = boxes(bytes);
    if found.len() < 2 {
        let half = bytes.len() / 2;
        bytes.rotate_left(half);
        return "its halves swapped".to_owned();
    }
    let (a, b) = (chance.below(found.len()), chance.below(found.len()));
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.swap(a, b);
    *bytes = order.iter().flat_map(|&index| bytes[found[index].0..found[index].0 + found[index].1].to_vec()).collect();
    format!("boxes {a} and {b} swapped")
}

/// A size or a count that cannot be: in the box's length, or in the words after its name.
fn absurd_number(bytes: &mut [u8], chance: &mut Chance) -> String {
    let name = *chance.pick(&BOXES);
    let places: Vec<usize> = bytes.windows(4).enumerate().filter(|(_, word)| *word == name).map(|(at, _)| at).collect();
    let number = *chance.pick(&NUMBERS);
    let at = if places.is_empty() {
        // Matroska: sizes lie anywhere near the head.
        8 + chance.below(bytes.len().min(600) - 16)
    } else {
        let place = *chance.pick(&places);
        match chance.below(3) {
            0 => place.saturating_sub(4),
            _ => place + 4 + 4 * chance.below(12),
        }
    };
    let at = at.min(bytes.len() - 4);
    bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    format!("{number:#x} at {at}, by {}", String::from_utf8_lossy(name))
}

/// What the child said and left, with the verdict that follows.
fn look(video: &Path, folder: &Path) -> Result<QualityReport, String> {
    let task =
        Task { video: video.to_owned(), events: None, manifest: None, wants: Vec::new(), folder: folder.to_owned() };
    let task_path = folder.join("task.json");
    fs::write(&task_path, serde_json::to_vec(&task).unwrap()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipeline"))
        .arg("inspect-child")
        .arg(&task_path)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = child.stderr.take().unwrap();
    let listener = std::thread::Builder::new()
        .name("talk".to_owned())
        .spawn(move || {
            let mut text = String::new();
            // A child that writes something that is no text has said nothing.
            drop(talk.read_to_string(&mut text));
            text
        })
        .unwrap();
    let began = Instant::now();
    let hangs = loop {
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        if began.elapsed() > LONGEST {
            child.kill().unwrap();
            break true;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    };
    let status = child.wait().unwrap();
    let talk = listener.join().unwrap();
    if hangs {
        return Err(format!("did not end within {LONGEST:?}"));
    }
    if talk.contains("panicked") || talk.contains("allocation of") {
        return Err(format!("{status}: {talk}"));
    }
    if !status.success() {
        return Err(format!("ended with {status}: {talk}"));
    }
    let left = fs::read(folder.join("outcome.json")).map_err(|error| error.to_string())?;
    let left: Left<Findings> = serde_json::from_slice(&left).map_err(|error| format!("findings: {error}"))?;
    let findings = left.outcome?;
    check_numbers(&findings)?;
    Ok(judge(findings.measurements, &Policy { min_active_secs: 2.0, ..Policy::default() }))
}

/// A recording of four seconds may lose some of them and never gains a day.
fn check_numbers(findings: &Findings) -> Result<(), String> {
    let day = 86_400.0;
    if let Some(secs) = findings.measurements.active_secs.filter(|secs| !(0.0..=5.0 * day).contains(secs)) {
        return Err(format!("it lasts {secs} s"));
    }
    let shares = findings.measurements.picture.as_ref().map(|picture| picture.black_share);
    if let Some(share) = shares.filter(|share| !(0.0..=1.0).contains(share)) {
        return Err(format!("{share} of it is black"));
    }
    Ok(())
}

fn clear(report: &QualityReport) -> Result<(), String> {
    if report.verdict != Verdict::Accept && report.flags.is_empty() {
        return Err(format!("{:?} without a reason", report.verdict));
    }
    let readable = report.measurements.file.state == FileState::Readable;
    if !readable && report.verdict != Verdict::Reject {
        return Err(format!("{:?}, though the file is {:?}", report.verdict, report.measurements.file.state));
    }
    match report.flags.iter().find(|raised| raised.sentence.trim().is_empty()) {
        Some(raised) => Err(format!("{:?} says nothing", raised.flag)),
        None => Ok(()),
    }
}

/// The whole of `pipeline run`: a bad recording is a result, not a failure.
fn whole_run(video: &Path, folder: &Path) -> Result<(), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_pipeline"))
        .args(["run", "--threads", "1", "--out"])
        .arg(folder.join("result"))
        .arg(video)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || talk.contains("panicked") {
        return Err(format!("pipeline run ended with {}: {talk}", output.status));
    }
    let quality = fs::read(folder.join("result/quality.json")).map_err(|error| error.to_string())?;
    clear(&serde_json::from_slice(&quality).map_err(|error| error.to_string())?)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small").join(name)
}

/// Makes the file of this number and looks at it.
fn try_one(index: usize, goods: &[(&str, Vec<u8>)]) -> Result<(), String> {
    let mut chance = Chance::new(SEED + index as u64);
    let (name, good) = &goods[index % goods.len()];
    let (what, bytes) = mutate(good, &mut chance);
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join(name);
    fs::write(&video, bytes).unwrap();
    let seen = look(&video, folder.path()).and_then(|report| clear(&report));
    let seen =
        if index.is_multiple_of(WHOLE_RUN_EACH) { seen.and_then(|()| whole_run(&video, folder.path())) } else { seen };
    seen.map_err(|error| {
        format!("file {index}, {name} with {what}: {error}. It is kept in {}", folder.keep().display())
    })
}

#[test]
fn a_damaged_file_brings_down_nothing_and_gets_a_verdict() {
    let all = std::env::var_os("COLLECTOR_TEST_ALL").is_some();
    let count = if all { 500 } else { 50 };
    let goods: Vec<(&str, Vec<u8>)> = FIXTURES.iter().map(|&name| (name, fs::read(fixture(name)).unwrap())).collect();
    for (name, _) in &goods {
        let folder = tempfile::tempdir().unwrap();
        let report = look(&fixture(name), folder.path()).unwrap();
        assert_eq!(report.measurements.file.state, FileState::Readable, "{name} is a good file");
    }
    let next = AtomicUsize::new(0);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let worker = || {
            let mut failures = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return failures;
                }
                failures.extend(try_one(index, &goods).err());
            }
        };
        let workers: Vec<_> = (0..THREADS)
            .map(|number| {
                std::thread::Builder::new().name(format!("mutations-{number}")).spawn_scoped(scope, worker).unwrap()
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
}

/// FFmpeg follows what playlists name. Under another name, and behind the first bytes of an accepted container, they open
/// neither the file nor the address that they name.
#[test]
fn a_playlist_under_another_name_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.mp4");
    fs::copy(fixture("index_first.mp4"), &other).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let times = fs::FileTimes::new().set_accessed(long_ago);
    fs::File::options().write(true).open(&other).unwrap().set_times(times).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let (file, address) = (other.display(), format!("http://{}/a.mp4", server.local_addr().unwrap()));
    let playlists = [
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{file}\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n"),
        format!("ffconcat version 1.0\nfile '{file}'\nfile '{address}'\n"),
        format!(
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period><AdaptationSet mimeType=\"video/mp4\">\
             <Representation id=\"1\" bandwidth=\"1\"><BaseURL>{address}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ),
        format!("[playlist]\nFile1={file}\nFile2={address}\nNumberOfEntries=2\n"),
        format!(
            "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video {} RTP/AVP 96\n",
            server.local_addr().unwrap().port()
        ),
    ];
    let heads: [&[u8]; 3] = [b"", b"\0\0\0\x08ftyp", b"\x1a\x45\xdf\xa3"];
    for (index, playlist) in playlists.iter().enumerate() {
        for (number, head) in heads.iter().enumerate() {
            let work = tempfile::tempdir().unwrap();
            let video = work.path().join("take.mp4");
            fs::write(&video, [head, playlist.as_bytes()].concat()).unwrap();
            let report =
                look(&video, work.path()).unwrap_or_else(|error| panic!("playlist {index}, head {number}: {error}"));
            let expected = if head.is_empty() { Flag::WrongType } else { Flag::CorruptFile };
            assert!(report.has(expected), "playlist {index}, head {number}: {:?}", report.flags);
        }
    }
    // A file whose own index says that its samples lie in another file.
    let work = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(fixture("index_first.mp4")).unwrap();
    let reference = bytes.windows(4).position(|word| word == b"url ").unwrap();
    bytes[reference + 7] = 0;
    fs::write(work.path().join("take.mp4"), bytes).unwrap();
    drop(look(&work.path().join("take.mp4"), work.path()));
    assert!(server.accept().is_err(), "an address was called");
    assert_eq!(fs::metadata(&other).unwrap().accessed().unwrap(), long_ago, "the other file was read");
}

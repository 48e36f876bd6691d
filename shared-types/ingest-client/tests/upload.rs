//! Whatever the line and the server do: the same bytes arrive, and none of them twice.

#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

mod tus;

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ingest_client::{
    Client, ClientError, FileSource, Retry, Source, UploadLimit, UploadObserver, Uploaded, Waiting, upload,
};
use sha2::{Digest, Sha256};
use shared_types::recording::FileHash;
use tus::{Fault, Server};

const MIB: usize = 1 << 20;
const LENGTH: usize = 17 * MIB + 5;

fn bytes(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn client(server: &Server) -> Client {
    let retry = Retry { first: Duration::from_millis(2), most: Duration::from_millis(10), tries: Some(8) };
    Client::new(&server.address, Some("csw_secret")).unwrap().with_retry(retry)
}

/// Keeps the id, and ends the upload once so much has arrived.
struct Watcher<'a> {
    id: Option<String>,
    stop_at: u64,
    cancel: &'a AtomicBool,
    sentences: Vec<String>,
}

impl UploadObserver for Watcher<'_> {
    fn created(&mut self, upload_id: &str) -> io::Result<()> {
        self.id = Some(upload_id.to_owned());
        Ok(())
    }

    fn sent(&mut self, offset: u64, _: Option<u64>) {
        self.cancel.store(offset >= self.stop_at, Ordering::Relaxed);
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.sentences.push(waiting.sentence.clone());
    }
}

fn run(server: &Server, source: &dyn Source, resume: Option<&str>) -> (Result<Uploaded, ClientError>, Vec<String>) {
    let cancel = AtomicBool::new(false);
    let mut watcher = Watcher { id: None, stop_at: u64::MAX, cancel: &cancel, sentences: Vec::new() };
    let uploaded = upload(&client(server), source, resume, &mut watcher, &cancel);
    (uploaded, watcher.sentences)
}

fn file(bytes: &[u8]) -> (tempfile::NamedTempFile, FileSource) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let source = FileSource::open(file.path()).unwrap();
    (file, source)
}

/// Uploads under these faults; all arrives within so many uploads begun, and what was kept once is never sent again.
#[track_caller]
fn check(faults: &[(&'static str, Fault)], length: usize, creations: u32) {
    let server = Server::start();
    server.will(faults);
    let wanted = bytes(length);
    let (_file, source) = file(&wanted);
    let (uploaded, _) = run(&server, &source, None);
    let uploaded = uploaded.unwrap_or_else(|error| panic!("{faults:?}: {error}"));
    assert_eq!((uploaded.bytes, uploaded.sha256.as_str()), (length as u64, sha256(&wanted).as_str()), "{faults:?}");
    server.see(|state| {
        assert!(state.uploads[&uploaded.id].bytes == wanted, "{faults:?}");
        assert_eq!(state.creations, creations, "{faults:?}");
        if creations == 1 {
            assert_eq!(state.accepted_bytes, length, "{faults:?}");
        }
        assert!(state.log.iter().all(|(_, token)| token.as_deref() == Some("Bearer csw_secret")), "{faults:?}");
    });
}

#[test]
fn the_same_bytes_arrive_whatever_happens() {
    use Fault::{Answer, Cut, Forget, Silent};
    check(&[], LENGTH, 1);
    check(&[], 0, 1);
    check(&[("PATCH", Cut(0)), ("PATCH", Cut(1)), ("PATCH", Cut(MIB + 1))], LENGTH, 1);
    check(&[("PATCH", Silent), ("HEAD", Answer(503)), ("PATCH", Silent), ("PATCH", Silent)], LENGTH, 1);
    check(&[("PATCH", Answer(409)), ("PATCH", Answer(423)), ("HEAD", Answer(423))], LENGTH, 1);
    check(&[("PATCH", Answer(500)), ("PATCH", Answer(502)), ("PATCH", Answer(429)), ("PATCH", Answer(507))], LENGTH, 1);
    check(&[("PATCH", Answer(460)), ("HEAD", Silent), ("PATCH", Cut(3))], LENGTH, 1);
    check(&[("POST", Answer(500)), ("POST", Answer(429))], LENGTH, 1);
    check(&[("PATCH", Answer(410))], LENGTH, 2);
    check(&[("PATCH", Silent), ("HEAD", Answer(410))], LENGTH, 2);
    check(&[("PATCH", Cut(MIB)), ("HEAD", Forget)], LENGTH, 2);
}

#[test]
fn a_refusal_ends_the_upload_and_a_lost_server_is_told_in_a_sentence() {
    let (_file, source) = file(&bytes(MIB));
    let server = Server::start();
    server.will(&[("POST", Fault::Answer(413))]);
    let (refused, _) = run(&server, &source, None);
    let refused = refused.unwrap_err();
    assert!(matches!(refused, ClientError::Api { status: 413, .. }), "{refused}");
    server.will(&[("PATCH", Fault::Cut(9)), ("PATCH", Fault::Answer(502))]);
    let (uploaded, sentences) = run(&server, &source, None);
    uploaded.unwrap();
    assert_eq!(sentences.len(), 2, "{sentences:?}");
    assert!(sentences.iter().all(|told| told.contains("Nothing is lost; trying again in")), "{sentences:?}");
}

#[test]
fn a_killed_upload_goes_on_where_it_was() {
    let server = Server::start();
    let wanted = bytes(LENGTH);
    let (_file, source) = file(&wanted);
    let cancel = AtomicBool::new(false);
    let mut watcher = Watcher { id: None, stop_at: 1, cancel: &cancel, sentences: Vec::new() };
    let killed = upload(&client(&server), &source, None, &mut watcher, &cancel);
    assert!(matches!(killed, Err(ClientError::Cancelled)));
    let id = watcher.id.unwrap();
    let (uploaded, _) = run(&server, &source, Some(&id));
    assert_eq!(uploaded.unwrap(), Uploaded { id: id.clone(), bytes: LENGTH as u64, sha256: sha256(&wanted) });
    server.see(|state| assert_eq!((state.creations, state.accepted_bytes), (1, LENGTH)));
    // Once more, with nothing left to do.
    assert_eq!(run(&server, &source, Some(&id)).0.unwrap().sha256, sha256(&wanted));
    server.see(|state| assert_eq!((state.creations, state.accepted_bytes), (1, LENGTH)));
    // The upload of another file is no beginning of this one.
    let (_other, other) = file(&wanted[1..]);
    assert_ne!(run(&server, &other, Some(&id)).0.unwrap().id, id);
}

/// Grows by three MiB each time somebody looks.
struct Growing {
    bytes: Vec<u8>,
    written: Cell<usize>,
}

impl Source for Growing {
    fn len(&self) -> Option<u64> {
        (self.written.get() == self.bytes.len()).then_some(self.bytes.len() as u64)
    }

    fn available(&self) -> u64 {
        self.written.set((self.written.get() + 3 * MIB).min(self.bytes.len()));
        self.written.get() as u64
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = &self.bytes[..self.written.get()][offset as usize..];
        let read = rest.len().min(buf.len());
        buf[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

#[test]
fn a_growing_source_is_sent_as_it_grows() {
    for (length, faults) in [(LENGTH, &[][..]), (16 * MIB, &[("PATCH", Fault::Cut(100)), ("PATCH", Fault::Silent)])] {
        let server = Server::start();
        server.will(faults);
        let source = Growing { bytes: bytes(length), written: Cell::new(0) };
        let (uploaded, _) = run(&server, &source, None);
        let uploaded = uploaded.unwrap();
        assert_eq!(uploaded.sha256, sha256(&source.bytes));
        server.see(|state| {
            let stored = &state.uploads[&uploaded.id];
            assert!(stored.bytes == source.bytes);
            assert_eq!(stored.length, Some(length as u64));
            assert_eq!((state.creations, state.accepted_bytes), (1, length));
        });
    }
}

#[test]
fn a_download_is_taken_up_where_it_broke_and_shows_no_token() {
    let server = Server::start();
    let wanted = bytes(MIB + 3);
    server.see(|state| state.object.clone_from(&wanted));
    server.will(&[("GET", Fault::HalfAnswer), ("GET", Fault::Answer(500)), ("GET", Fault::HalfAnswer)]);
    let (client, cancel) = (client(&server), AtomicBool::new(false));
    let expected = FileHash { bytes: wanted.len() as u64, sha256: sha256(&wanted) };
    let mut into = Vec::new();
    client.download("/objects/a?signature=b", &mut into, &expected, &cancel).unwrap();
    assert!(into == wanted);
    let other = FileHash { sha256: sha256(b""), ..expected };
    let damaged = client.download("/objects/a?signature=b", &mut Vec::new(), &other, &cancel);
    assert!(matches!(damaged, Err(ClientError::Damaged { .. })));
    client.put_bytes("/objects/a?signature=b", b"small").unwrap();
    server.see(|state| {
        assert_eq!(state.object, b"small");
        assert!(state.log.iter().all(|(_, token)| token.is_none()), "{:?}", state.log);
    });
}

#[test]
fn a_limit_leaves_the_rest_of_the_line_to_others() {
    let (server, cancel) = (Server::start(), AtomicBool::new(false));
    let whole = bytes(300_000);
    let (_file, source) = file(&whole);
    let mut watcher = Watcher { id: None, stop_at: u64::MAX, cancel: &cancel, sentences: Vec::new() };
    let began = std::time::Instant::now();
    let limited = client(&server).with_upload_limit(UploadLimit::new(Some(200_000)));
    let uploaded = upload(&limited, &source, None, &mut watcher, &cancel).unwrap();
    assert_eq!(uploaded.sha256, sha256(&whole));
    // The first tenth of a second's worth of each piece goes at once.
    assert!(began.elapsed() >= Duration::from_millis(1200), "{:?}", began.elapsed());
}

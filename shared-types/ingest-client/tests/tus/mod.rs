//! A small server that fails as it is told, for tests of those who upload. It holds what arrived and what was asked.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What befalls the next request of a method.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The connection breaks after so many bytes of the body; they are kept.
    Cut(usize),
    /// All is done as asked, but the connection breaks before the answer.
    Silent,
    /// This status instead, and nothing is done.
    Answer(u16),
    /// The upload is gone before the request is handled.
    Forget,
    /// All is done as asked, and no answer ever comes while the server lives.
    #[allow(dead_code, reason = "met by those who record meanwhile")]
    Hang,
    /// Only the first half of the answer's body is sent.
    HalfAnswer,
}

#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    pub(crate) length: Option<u64>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) uploads: BTreeMap<String, Stored>,
    pub(crate) creations: u32,
    /// Bytes taken by PATCH, over all uploads.
    pub(crate) accepted_bytes: usize,
    pub(crate) submissions: Vec<serde_json::Value>,
    /// `METHOD path status`, with what was sent as authorization.
    pub(crate) log: Vec<(String, Option<String>)>,
    pub(crate) object: Vec<u8>,
    faults: VecDeque<(&'static str, Fault)>,
    hanging: Vec<TcpStream>,
}

pub(crate) struct Server {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Asked {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    /// The body was cut off.
    is_cut: bool,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (state, over) = (Arc::new(Mutex::new(State::default())), Arc::new(AtomicBool::new(false)));
        let (shared, ends) = (state.clone(), over.clone());
        let serve = move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                // A client that goes away is part of the tests.
                drop(serve_one(stream, &shared));
            }
        };
        let thread = Some(std::thread::Builder::new().name("tus".to_owned()).spawn(serve).unwrap());
        Self { address, state, over, thread }
    }

    pub(crate) fn will(&self, faults: &[(&'static str, Fault)]) {
        self.state.lock().unwrap().faults.extend(faults);
    }

    pub(crate) fn see<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address.trim_start_matches("http://")));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve_one(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let fault = {
        let faults = &mut state.lock().unwrap().faults;
        faults.pop_front_if(|(of, _)| *of == method).map(|(_, fault)| fault)
    };
    let length = headers.get("content-length").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let wanted = if let Some(Fault::Cut(bytes)) = fault { bytes.min(length) } else { length };
    let mut body = vec![0; wanted];
    reader.read_exact(&mut body)?;
    let asked = Asked { method, path, headers, body, is_cut: matches!(fault, Some(Fault::Cut(_))) };
    let mut state = state.lock().unwrap();
    let answer = match fault {
        Some(Fault::Answer(status)) => refusal(status),
        Some(Fault::Forget) => {
            state.uploads.clear();
            handle(&asked, &mut state)
        }
        _ => handle(&asked, &mut state),
    };
    let said = format!("{} {} {}", asked.method, asked.path, answer.status);
    state.log.push((said, asked.headers.get("authorization").cloned()));
    if matches!(fault, Some(Fault::Hang)) {
        state.hanging.push(stream);
        return Ok(());
    }
    drop(state);
    if matches!(fault, Some(Fault::Cut(_) | Fault::Silent)) {
        return Ok(());
    }
    let mut head = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", answer.status);
    if answer.status != 204 {
        write!(head, "Content-Length: {}\r\n", answer.body.len()).unwrap();
    }
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let sent = if matches!(fault, Some(Fault::HalfAnswer)) { answer.body.len() / 2 } else { answer.body.len() };
    let mut stream = stream;
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if asked.method != "HEAD" {
        stream.write_all(&answer.body[..sent])?;
    }
    stream.flush()
}

fn refusal(status: u16) -> Answer {
    let code = match status {
        409 => "upload_offset_conflict",
        410 => "upload_expired",
        413 => "upload_too_large",
        422 => "hash_mismatch",
        404 => "not_found",
        429 => "rate_limited",
        _ => "internal",
    };
    let body = format!(r#"{{"code":"{code}","message":"It is so.","hint":"Do this.","request_id":"r1"}}"#);
    // What stands between client and server does not speak the server's language.
    let body = if status == 502 { b"<html>".to_vec() } else { body.into_bytes() };
    Answer { status, headers: vec![("Retry-After", "0".to_owned())], body }
}

fn handle(asked: &Asked, state: &mut State) -> Answer {
    let plain = |status, headers: Vec<(&'static str, String)>| Answer { status, headers, body: Vec::new() };
    let number = |name: &str| asked.headers.get(name).and_then(|text| text.parse::<u64>().ok());
    let path = asked.path.as_str();
    match (asked.method.as_str(), path.strip_prefix("/api/v1/uploads/")) {
        ("POST", _) if path == "/api/v1/uploads" => {
            assert!(number("upload-length").is_some() || asked.headers.contains_key("upload-defer-length"));
            state.creations += 1;
            let id = format!("csu_{}", state.creations);
            state.uploads.insert(id.clone(), Stored { bytes: Vec::new(), length: number("upload-length") });
            plain(201, vec![("Location", format!("/api/v1/uploads/{id}"))])
        }
        ("POST", _) if path == "/api/v1/submissions" => {
            let submission: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
            let answer = serde_json::json!({
                "id": submission["id"], "stage": "received", "receipt_id": "0190d2a4-0000-7000-8000-00000000000a"
            });
            state.submissions.push(submission);
            Answer { status: 201, headers: Vec::new(), body: answer.to_string().into_bytes() }
        }
        ("HEAD", Some(id)) => state.uploads.get(id).map_or_else(
            || plain(404, Vec::new()),
            |stored| {
                let mut headers = vec![("Upload-Offset", stored.bytes.len().to_string())];
                headers.extend(stored.length.map(|length| ("Upload-Length", length.to_string())));
                plain(200, headers)
            },
        ),
        ("PATCH", Some(id)) => {
            let Some(stored) = state.uploads.get_mut(id) else { return refusal(404) };
            assert_eq!(asked.headers["tus-resumable"], "1.0.0");
            assert_eq!(asked.headers["content-type"], "application/offset+octet-stream");
            if number("upload-offset") != Some(stored.bytes.len() as u64) {
                return refusal(409);
            }
            assert!(asked.is_cut || asked.body.is_empty() || asked.headers["upload-checksum"].starts_with("sha256 "));
            stored.bytes.extend(&asked.body);
            stored.length = stored.length.or(number("upload-length"));
            let now_at = stored.bytes.len().to_string();
            state.accepted_bytes += asked.body.len();
            plain(204, vec![("Upload-Offset", now_at)])
        }
        ("DELETE", Some(id)) => plain(if state.uploads.remove(id).is_some() { 204 } else { 404 }, Vec::new()),
        ("GET", _) if path.starts_with("/objects/") => {
            let range = asked.headers.get("range").and_then(|range| range.strip_prefix("bytes="));
            let from = range.and_then(|range| range.strip_suffix('-')).and_then(|from| from.parse::<usize>().ok());
            let body = state.object[from.unwrap_or(0)..].to_vec();
            Answer { status: if from.is_some() { 206 } else { 200 }, headers: Vec::new(), body }
        }
        ("PUT", _) if path.starts_with("/objects/") => {
            state.object.clone_from(&asked.body);
            plain(200, Vec::new())
        }
        _ => refusal(404),
    }
}

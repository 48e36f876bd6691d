//! A server that speaks the protocol of hosted models and fails as it is told to: one request a connection, on a free
//! port of this computer.

#![expect(clippy::format_push_string, clippy::format_collect, reason = "a test server writes a few lines")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    /// The lines above the body, names in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) enum Reply {
    Json(Value),
    Status(u16, &'static [(&'static str, &'static str)], String),
    /// Says nothing until the other side has gone away.
    Silence,
    /// Promises more than it sends.
    Cut(String),
    /// Closes without a word.
    Close,
}

pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `brain` answers each request, told how many came before it.
    pub(crate) fn start(mut brain: impl FnMut(usize, &Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, over) = (asked.clone(), is_over.clone());
        let serve = move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(mut stream) = stream else { continue };
                let Some(request) = read(&stream) else { continue };
                let before = kept.lock().unwrap().len();
                kept.lock().unwrap().push(request.clone());
                let reply = brain(before, &request);
                // Who has gone away hears nothing.
                drop(answer(&mut stream, reply));
            }
        };
        let thread = Builder::new().name("model-server".to_owned()).spawn(serve).unwrap();
        Self { address, asked, is_over, thread: Some(thread) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut path, mut length) = (String::new(), None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if path.is_none() {
            path = Some(line.split_whitespace().nth(1)?.to_owned());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            let name = name.to_lowercase();
            if name == "content-length" {
                length = value.trim().parse().ok()?;
            }
            head += &format!("{name}:{value}\n");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { path: path?, head, body })
}

fn answer(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    let whole = |status: u16, headers: &[(&str, &str)], body: &str, promised: usize| {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {promised}\r\nconnection: close\r\n{headers}\r\n{body}"
        )
    };
    let text = match reply {
        Reply::Json(value) => {
            let body = value.to_string();
            whole(200, &[], &body, body.len())
        }
        Reply::Status(status, headers, body) => whole(status, headers, &body, body.len()),
        Reply::Cut(body) => whole(200, &[], &body, body.len() + 100),
        Reply::Close => return Ok(()),
        Reply::Silence => {
            stream.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
    };
    stream.write_all(text.as_bytes())
}

/// A completion that says this.
pub(crate) fn completion(content: &str) -> Value {
    json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100},
    })
}

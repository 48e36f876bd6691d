//! The server of a hosted model: any that speaks the protocol of `OpenAI`, on the internet or on this computer.
//!
//! This moves bytes: one request, one whole answer, waits and repeats while the server is busy or away. What a request
//! says and what an answer means is its caller's to know. The key travels in one header and appears nowhere else: not in
//! an error, not in a debug print, and where a server repeats it in its answer it is struck out.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Request;

use crate::address::Address;
use crate::error::ClientError;
use crate::retry::Retry;
use crate::transport::{self, Transport, header};

/// No answer of a model is larger.
const MOST_ANSWER_BYTES: u64 = 8 << 20;
const BOUNDARY_BYTES: usize = 16;

/// A secret that no print shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text with the key struck out, for words of others that are shown to people.
    pub fn struck_from(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "(key)") }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// How long a model's server is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Between one try and the next; a server's Retry-After counts more.
    pub retry: Retry,
    /// For one whole answer.
    pub answer: Duration,
    /// A server that asks to be left alone for longer is left alone for good.
    pub longest_asked: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let retry = Retry { first: Duration::from_secs(1), most: Duration::from_secs(30), tries: Some(5) };
        Self { retry, answer: Duration::from_mins(3), longest_asked: Duration::from_mins(2) }
    }
}

/// An answer that asking again would not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A part of a form.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    Text { name: &'a str, value: &'a str },
    File { name: &'a str, file_name: &'a str, content_type: &'a str, bytes: &'a [u8] },
}

#[derive(Clone)]
pub struct Hosted {
    agent: Agent,
    server: String,
    key: Option<Key>,
    patience: Patience,
}

impl std::fmt::Debug for Hosted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hosted").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Hosted {
    /// The server at `https://HOST[/PATH]`; plain http is taken for this computer alone, since key and pictures would
    /// travel readable.
    pub fn new(base: &str, key: Option<Key>, patience: Patience) -> Result<Self, ClientError> {
        let server = Address::parse(base)?.as_string();
        Ok(Self { agent: transport::agent(), server, key, patience })
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    /// What a server said, without the key.
    pub fn struck(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.struck_from(text))
    }

    pub fn post_json(&self, path: &str, body: &[u8], cancel: &AtomicBool) -> Result<Answer, ClientError> {
        self.post(path, "application/json", body, cancel)
    }

    pub fn post_form(&self, path: &str, parts: &[Part<'_>], cancel: &AtomicBool) -> Result<Answer, ClientError> {
        let (boundary, body) = form(parts);
        self.post(path, &format!("multipart/form-data; boundary={boundary}"), &body, cancel)
    }

    fn post(&self, path: &str, kind: &str, body: &[u8], cancel: &AtomicBool) -> Result<Answer, ClientError> {
        let url = format!("{}{path}", self.server);
        let mut told = |waiting: &crate::retry::Waiting| tracing::warn!(server = %self.server, "{}", waiting.sentence);
        self.patience.retry.run(cancel, &mut told, || self.once(&url, kind, body))
    }

    fn once(&self, url: &str, kind: &str, body: &[u8]) -> Result<Answer, ClientError> {
        let transport = Transport { agent: &self.agent, server: &self.server };
        let mut request = Request::post(url).header("content-type", kind).header("accept", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {}", key.0));
        }
        let mut response = transport.send_any(request, body, Some(self.patience.answer))?;
        let status = response.status().as_u16();
        let retry_after = header(&response, "retry-after").and_then(seconds);
        let read = response.body_mut().with_config().limit(MOST_ANSWER_BYTES).read_to_vec();
        let body = read.map_err(|error| transport.unreachable(error))?;
        let is_busy = matches!(status, 408 | 409 | 425 | 429 | 500..=599) && !is_spent(status, &body);
        if is_busy && retry_after.is_none_or(|asked| asked <= self.patience.longest_asked) {
            return Err(ClientError::Refused { server: self.server.clone(), status, retry_after });
        }
        Ok(Answer { status, body })
    }
}

/// Servers say 429 of too many requests and of an empty account; waiting helps only the first.
fn is_spent(status: u16, body: &[u8]) -> bool {
    status == 429 && String::from_utf8_lossy(body).contains("insufficient_quota")
}

/// Seconds, whole or not. A date is not read: the usual waits come instead.
fn seconds(text: &str) -> Option<Duration> {
    let secs: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(secs).ok()
}

fn form(parts: &[Part<'_>]) -> (String, Vec<u8>) {
    let mut random = [0_u8; BOUNDARY_BYTES];
    // Without chance from the system the boundary is a fixed one, which sound and words do not contain either.
    getrandom::fill(&mut random).unwrap_or_default();
    let digits = random.iter().fold(0_u128, |digits, byte| (digits << 8) | u128::from(*byte));
    let boundary = format!("collector-{digits:032x}");
    let mut body = Vec::new();
    for part in parts {
        let (head, bytes) = match *part {
            Part::Text { name, value } => {
                (format!("Content-Disposition: form-data; name=\"{name}\"\r\n"), value.as_bytes())
            }
            Part::File { name, file_name, content_type, bytes } => (
                format!(
                    "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {content_type}\r\n"
                ),
                bytes,
            ),
        };
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (boundary, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let key = Key::new(" sk-secret\n");
        assert_eq!(format!("{key:?}"), "Key(…)");
        assert_eq!(key.struck_from("the key sk-secret is wrong"), "the key (key) is wrong");
        let hosted = Hosted::new("http://127.0.0.1:1/v1", Some(key), Patience::default()).unwrap();
        assert!(!format!("{hosted:?}").contains("secret"));
        let refused = Hosted::new("https://me:sk-secret@host.example", None, Patience::default()).unwrap_err();
        assert!(!refused.to_string().contains("sk-secret"), "{refused}");
    }

    #[test]
    fn a_form_has_its_parts_between_boundaries() {
        let file = Part::File { name: "file", file_name: "a.wav", content_type: "audio/wav", bytes: b"\0\r\n--x" };
        let (boundary, body) = form(&[Part::Text { name: "model", value: "m" }, file]);
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(text.matches(&format!("--{boundary}\r\n")).count(), 2);
        assert!(text.ends_with(&format!("\0\r\n--x\r\n--{boundary}--\r\n")), "{text}");
    }

    #[test]
    fn waits_are_read_in_seconds() {
        assert_eq!(seconds(" 1.5 "), Some(Duration::from_millis(1500)));
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), None);
    }
}

//! Sending a recording in pieces, by tus 1.0.0 with creation, deferred length, checksum and termination.
//!
//! A piece is at most 8 MiB (of a source that still grows 256 KiB, so that little is left to send at its end), with its SHA-256, and counts once the server has answered; after any failure the server
//! is asked with HEAD how far it is. A busy or broken server (423, 429, 5xx) never makes the upload begin anew; only
//! 404 and 410 do, because then there is nothing left to go on with. Where pieces keep failing they get smaller, so
//! that a line which breaks every minute still gets ahead.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::SendBody;
use ureq::http::request;

use crate::address::percent_encode;
use crate::client::Client;
use crate::error::ClientError;
use crate::limit::Limited;
use crate::object::hex;
use crate::retry::{Backoff, Waiting, pause};
use crate::source::{Source, read_exact_at};
use crate::transport::{SHORT, header};

pub const PIECE_BYTES: u64 = 8 << 20;
const SMALLEST_PIECE_BYTES: u64 = 256 << 10;
/// How often a growing source is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Uploads that the server loses before it is called broken.
const MOST_CREATIONS: u32 = 5;

/// What the server holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    pub id: String,
    pub bytes: u64,
    pub sha256: String,
}

/// Told how an upload is going.
pub trait UploadObserver {
    /// The server gave the upload an id. To be kept before any byte is sent, so that a killed program can go on.
    fn created(&mut self, upload_id: &str) -> std::io::Result<()>;
    /// How much the server has.
    fn sent(&mut self, offset: u64, total: Option<u64>);
    /// It did not work and is tried again after a while.
    fn waiting(&mut self, waiting: &Waiting);
}

/// Sends all of `source` and returns once the server has it. `resume` is the id of an upload begun before.
pub fn upload(
    client: &Client,
    source: &dyn Source,
    resume: Option<&str>,
    observer: &mut dyn UploadObserver,
    cancel: &AtomicBool,
) -> Result<Uploaded, ClientError> {
    let mut run = Run {
        client,
        source,
        cancel,
        place: resume.map_or(Place::Nowhere, |id| Place::Unknown { id: id.to_owned() }),
        piece_bytes: most_piece_bytes(client),
        creations: 0,
        reached: 0,
        got_ahead: false,
        hash: RunningHash::default(),
    };
    let mut backoff = Backoff::new(client.retry());
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(ClientError::Cancelled);
        }
        match run.step(observer) {
            Ok(Some(uploaded)) => return Ok(uploaded),
            Ok(None) if std::mem::take(&mut run.got_ahead) => backoff.succeeded(),
            Ok(None) => {}
            Err(failure) => {
                run.after_failure();
                backoff.wait(failure, cancel, &mut |waiting| observer.waiting(waiting))?;
            }
        }
    }
}

/// Ends an upload for good; nothing of it is kept. One that is gone already is no error.
pub fn terminate(client: &Client, upload_id: &str) -> Result<(), ClientError> {
    let request = tus(client, "DELETE", &upload_path(upload_id));
    match client.transport().send(request, (), Some(SHORT)) {
        Err(error) if is_gone(&error) => Ok(()),
        answer => answer.map(drop),
    }
}

/// A piece whose sending is broken off is sent again, so under a limit it takes ten seconds and not minutes.
fn most_piece_bytes(client: &Client) -> u64 {
    let in_ten_secs = client.upload_limit().bytes_per_sec().map_or(PIECE_BYTES, |limit| limit.saturating_mul(10));
    in_ten_secs.clamp(SMALLEST_PIECE_BYTES, PIECE_BYTES)
}

fn tus(client: &Client, method: &str, path: &str) -> request::Builder {
    client.request(method, path).header("tus-resumable", "1.0.0")
}

fn upload_path(id: &str) -> String {
    format!("/uploads/{}", percent_encode(id))
}

fn is_gone(error: &ClientError) -> bool {
    matches!(error.status(), Some(404 | 410))
}

/// How far the upload is, as far as is known.
#[derive(Debug)]
enum Place {
    Nowhere,
    Unknown { id: String },
    At { id: String, offset: u64, knows_length: bool },
}

struct Run<'a> {
    client: &'a Client,
    source: &'a dyn Source,
    cancel: &'a AtomicBool,
    place: Place,
    piece_bytes: u64,
    creations: u32,
    /// The farthest the server was known to be. Only getting beyond it ends a row of failures: a server may answer
    /// every question and yet take no byte.
    reached: u64,
    got_ahead: bool,
    hash: RunningHash,
}

impl Run<'_> {
    /// One request; the upload once it is done.
    fn step(&mut self, observer: &mut dyn UploadObserver) -> Result<Option<Uploaded>, ClientError> {
        match std::mem::replace(&mut self.place, Place::Nowhere) {
            Place::Nowhere => self.create(observer)?,
            Place::Unknown { id } => self.ask(id, observer)?,
            Place::At { id, offset, knows_length } => return self.go_on(id, offset, knows_length, observer),
        }
        Ok(None)
    }

    fn reach(&mut self, offset: u64) {
        self.got_ahead |= offset > self.reached;
        self.reached = self.reached.max(offset);
    }

    fn after_failure(&mut self) {
        self.piece_bytes = (self.piece_bytes / 2).max(SMALLEST_PIECE_BYTES);
    }

    fn create(&mut self, observer: &mut dyn UploadObserver) -> Result<(), ClientError> {
        self.creations += 1;
        if self.creations > MOST_CREATIONS {
            return Err(self.client.transport().broken(&"it keeps losing uploads that it had begun"));
        }
        let length = self.source.len();
        let request = tus(self.client, "POST", "/uploads");
        let request = match length {
            Some(bytes) => request.header("upload-length", bytes.to_string()),
            None => request.header("upload-defer-length", "1"),
        };
        let answer = self.client.transport().send(request, &[0_u8; 0][..], Some(SHORT));
        // A creation that failed began nothing, so it does not count as an upload lost.
        let response = answer.inspect_err(|_| self.creations -= 1)?;
        let location = header(&response, "location").unwrap_or_default();
        let path = location.split(['?', '#']).next().unwrap_or_default();
        let id = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if id.is_empty() {
            return Err(self.client.transport().broken(&"it gave the upload no address"));
        }
        observer.created(id).map_err(ClientError::Local)?;
        self.reached = 0;
        self.place = Place::At { id: id.to_owned(), offset: 0, knows_length: length.is_some() };
        Ok(())
    }

    fn ask(&mut self, id: String, observer: &mut dyn UploadObserver) -> Result<(), ClientError> {
        let request = tus(self.client, "HEAD", &upload_path(&id));
        let response = match self.client.transport().send(request, (), Some(SHORT)) {
            Ok(response) => response,
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => {
                self.place = Place::Unknown { id };
                return Err(error);
            }
        };
        let number = |name| header(&response, name).and_then(|text| text.trim().parse::<u64>().ok());
        let Some(offset) = number("upload-offset") else {
            return Err(self.client.transport().broken(&"it did not say how far the upload is"));
        };
        let length = number("upload-length");
        let is_other_length = length.is_some_and(|length| self.source.len().is_some_and(|ours| ours != length));
        if offset > self.source.available() || is_other_length {
            // Not an upload of these bytes: begin one.
            return Ok(());
        }
        self.reach(offset);
        observer.sent(offset, self.source.len());
        self.place = Place::At { id, offset, knows_length: length.is_some() };
        Ok(())
    }

    fn go_on(
        &mut self,
        id: String,
        offset: u64,
        knows_length: bool,
        observer: &mut dyn UploadObserver,
    ) -> Result<Option<Uploaded>, ClientError> {
        let length = self.source.len();
        if length == Some(offset) && knows_length {
            let sha256 = self.hash.finish(self.source, offset, self.cancel)?;
            return Ok(Some(Uploaded { id, bytes: offset, sha256 }));
        }
        // The end of a source may come between the two questions; it is then seen at the next look.
        let most = if length.is_some() { self.piece_bytes } else { SMALLEST_PIECE_BYTES };
        let bytes = length.unwrap_or_else(|| self.source.available()).saturating_sub(offset).min(most);
        if length.is_none() && bytes < most {
            self.place = Place::At { id, offset, knows_length };
            pause(LOOK_EVERY, self.cancel)?;
            return Ok(None);
        }
        let mut piece = vec![0; bytes as usize];
        read_exact_at(self.source, &mut piece, offset).map_err(ClientError::Local)?;
        let tells_length = length.filter(|_| !knows_length);
        self.place = Place::Unknown { id: id.clone() };
        let now_at = match self.send_piece(&id, &piece, offset, tells_length) {
            Ok(now_at) => now_at,
            Err(error) if is_gone(&error) => {
                self.place = Place::Nowhere;
                return Ok(None);
            }
            // The server is elsewhere than thought: it is asked, after a pause, lest two clients chase each other.
            Err(error) if error.status() == Some(409) => {
                return Err(self.client.transport().away("it is at another place of the upload"));
            }
            Err(error) => return Err(error),
        };
        if now_at != Some(offset + bytes) {
            // Some of it arrived; HEAD tells how much is safe.
            return Ok(None);
        }
        self.hash.add(&piece, offset);
        self.piece_bytes = (self.piece_bytes * 2).min(most_piece_bytes(self.client));
        self.reach(offset + bytes);
        observer.sent(offset + bytes, length);
        self.place = Place::At { id, offset: offset + bytes, knows_length: knows_length || tells_length.is_some() };
        Ok(None)
    }

    /// Where the server says it is afterwards.
    fn send_piece(
        &self,
        id: &str,
        piece: &[u8],
        offset: u64,
        tells_length: Option<u64>,
    ) -> Result<Option<u64>, ClientError> {
        let mut request = tus(self.client, "PATCH", &upload_path(id))
            .header("content-type", "application/offset+octet-stream")
            .header("content-length", piece.len().to_string())
            .header("upload-offset", offset.to_string());
        if !piece.is_empty() {
            request = request.header("upload-checksum", format!("sha256 {}", base64(&Sha256::digest(piece))));
        }
        if let Some(length) = tells_length {
            request = request.header("upload-length", length.to_string());
        }
        let mut body = Limited::new(piece, self.cancel, self.client.upload_limit());
        let response = self.client.transport().send(request, SendBody::from_reader(&mut body), None)?;
        Ok(header(&response, "upload-offset").and_then(|text| text.trim().parse().ok()))
    }
}

/// SHA-256 of the source's beginning; what was sent before this run is read again at the end.
#[derive(Default)]
struct RunningHash {
    hasher: Sha256,
    bytes: u64,
}

impl RunningHash {
    fn add(&mut self, piece: &[u8], offset: u64) {
        let Some(known) = self.bytes.checked_sub(offset) else { return };
        if let Some(fresh) = piece.get(known as usize..) {
            self.hasher.update(fresh);
            self.bytes += fresh.len() as u64;
        }
    }

    fn finish(&mut self, source: &dyn Source, length: u64, cancel: &AtomicBool) -> Result<String, ClientError> {
        let mut buffer = vec![0; 1 << 20];
        while self.bytes < length {
            if cancel.load(Ordering::Relaxed) {
                return Err(ClientError::Cancelled);
            }
            let want = (length - self.bytes).min(buffer.len() as u64) as usize;
            read_exact_at(source, &mut buffer[..want], self.bytes).map_err(ClientError::Local)?;
            self.hasher.update(&buffer[..want]);
            self.bytes += want as u64;
        }
        Ok(hex(&std::mem::take(&mut self.hasher).finalize()))
    }
}

/// As `Upload-Checksum` wants it.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = |group: &[u8]| {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let letter = |place: usize| char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]);
        let kept = group.len();
        [0, 1, 2, 3].map(|place| if place <= kept { letter(place) } else { '=' })
    };
    bytes.chunks(3).flat_map(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_standard() {
        let rows =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, coded) in rows {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}

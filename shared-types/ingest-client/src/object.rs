//! Bytes behind signed addresses.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use shared_types::recording::FileHash;
use ureq::{AsSendBody, SendBody};

use crate::client::Client;
use crate::error::ClientError;
use crate::retry::Backoff;
use crate::transport::Cancellable;

const BUFFER_BYTES: usize = 1 << 16;

impl Client {
    /// Loads what lies behind a signed address and compares its hash. A connection that breaks is taken up where it
    /// broke. After an error what was written is worth nothing.
    pub fn download(
        &self,
        url: &str,
        into: &mut dyn Write,
        expected: &FileHash,
        cancel: &AtomicBool,
    ) -> Result<(), ClientError> {
        let mut backoff = Backoff::new(self.retry());
        let mut got = Got { hasher: Sha256::new(), bytes: 0 };
        while got.bytes < expected.bytes {
            let before = got.bytes;
            let loaded = self.load(url, into, expected.bytes, &mut got, cancel);
            if got.bytes > before {
                backoff.succeeded();
            }
            if let Err(error) = loaded {
                backoff.wait(error, cancel, &mut |_| ())?;
            }
        }
        let sha256 = hex(&got.hasher.finalize());
        if sha256 == expected.sha256 {
            return Ok(());
        }
        Err(ClientError::Damaged { what: format!("its SHA-256 is {sha256} instead of {}", expected.sha256) })
    }

    /// One request for all that is missing.
    fn load(
        &self,
        url: &str,
        into: &mut dyn Write,
        wanted: u64,
        got: &mut Got,
        cancel: &AtomicBool,
    ) -> Result<(), ClientError> {
        let transport = self.transport();
        let mut request = self.signed("GET", url)?;
        if got.bytes > 0 {
            request = request.header("range", format!("bytes={}-", got.bytes));
        }
        let mut response = transport.send(request, (), None)?;
        // A server that knows no ranges sends all of it again.
        let mut skip = if response.status().as_u16() == 206 { 0 } else { got.bytes };
        let mut reader = response.body_mut().as_reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            if cancel.load(Ordering::Relaxed) {
                return Err(ClientError::Cancelled);
            }
            let read = reader.read(&mut buffer).map_err(|error| transport.away(&error.to_string()))?;
            if read == 0 {
                break;
            }
            let skipped = skip.min(read as u64);
            skip -= skipped;
            let fresh = &buffer[skipped as usize..read];
            if got.bytes + fresh.len() as u64 > wanted {
                return Err(ClientError::Damaged { what: format!("it is longer than {wanted} bytes") });
            }
            into.write_all(fresh).map_err(ClientError::Local)?;
            got.hasher.update(fresh);
            got.bytes += fresh.len() as u64;
        }
        if got.bytes < wanted { Err(transport.away("the connection broke")) } else { Ok(()) }
    }

    /// Sends a file to a signed address, once.
    pub fn put_object(&self, url: &str, path: &Path, cancel: &AtomicBool) -> Result<(), ClientError> {
        let failed = |source| ClientError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut body = Cancellable { inner: file.take(bytes), cancel };
        let sent = self.put(url, bytes, SendBody::from_reader(&mut body));
        if cancel.load(Ordering::Relaxed) { Err(ClientError::Cancelled) } else { sent }
    }

    /// Sends bytes to a signed address, once.
    pub fn put_bytes(&self, url: &str, bytes: &[u8]) -> Result<(), ClientError> {
        self.put(url, bytes.len() as u64, bytes)
    }

    fn put(&self, url: &str, bytes: u64, body: impl AsSendBody) -> Result<(), ClientError> {
        let request = self.signed("PUT", url)?.header("content-type", "application/octet-stream");
        let request = request.header("content-length", bytes.to_string());
        self.transport().send(request, body, None).map(drop)
    }
}

struct Got {
    hasher: Sha256,
    bytes: u64,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pair = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
    bytes.iter().flat_map(pair).collect()
}

//! One request and its answer: time limits, size limits, and errors as the server words them.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shared_types::error::ApiError;
use ureq::http::{Request, Response, request};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};

use crate::error::ClientError;

const USER_AGENT: &str = concat!("codesight-collector/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(15);
/// Between two moves of bytes, in either direction.
const STALL: Duration = Duration::from_mins(1);
/// A whole request with its answer, where both are small.
pub(crate) const SHORT: Duration = Duration::from_mins(1);
/// No answer that is kept in memory is larger.
const MOST_ANSWER_BYTES: u64 = 32 << 20;

pub(crate) fn agent() -> Agent {
    // Certificates that the system trusts count: company networks bring their own.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(USER_AGENT)
        .tls_config(tls)
        .timeout_connect(Some(CONNECT))
        .timeout_resolve(Some(CONNECT))
        .timeout_per_read(Some(STALL))
        .timeout_per_write(Some(STALL))
        .build()
        .new_agent()
}

pub(crate) struct Transport<'a> {
    pub(crate) agent: &'a Agent,
    /// For sentences.
    pub(crate) server: &'a str,
}

impl Transport<'_> {
    /// Sends, and hands on any answer below 400.
    pub(crate) fn send(
        &self,
        request: request::Builder,
        body: impl AsSendBody,
        limit: Option<Duration>,
    ) -> Result<Response<Body>, ClientError> {
        let mut response = self.send_any(request, body, limit)?;
        let status = response.status().as_u16();
        if status < 300 {
            return Ok(response);
        }
        Err(self.refusal(status, &mut response))
    }

    pub(crate) fn send_any(
        &self,
        request: request::Builder,
        body: impl AsSendBody,
        limit: Option<Duration>,
    ) -> Result<Response<Body>, ClientError> {
        let request: Request<_> = request.body(body).map_err(|error| self.broken(&error))?;
        let request = self.agent.configure_request(request).timeout_global(limit);
        // An answer that may take longer is silence until it comes.
        let request = request.timeout_per_read(Some(limit.map_or(STALL, |limit| limit.max(STALL)))).build();
        self.agent.run(request).map_err(|error| self.unreachable(error))
    }

    pub(crate) fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        mut response: Response<Body>,
    ) -> Result<T, ClientError> {
        let read = response.body_mut().with_config().limit(MOST_ANSWER_BYTES).read_to_vec();
        let bytes = read.map_err(|error| self.unreachable(error))?;
        serde_json::from_slice(&bytes).map_err(|error| self.broken(&error))
    }

    /// What an answer of 300 and above means.
    pub(crate) fn refusal(&self, status: u16, response: &mut Response<Body>) -> ClientError {
        let after = header(response, "retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let body = response.body_mut().with_config().limit(1 << 16).read_to_vec().unwrap_or_default();
        match serde_json::from_slice::<ApiError>(&body) {
            Ok(error) => ClientError::Api { status, error, retry_after: after },
            Err(_) => ClientError::Refused { server: self.server.to_owned(), status, retry_after: after },
        }
    }

    pub(crate) fn broken(&self, what: &dyn std::fmt::Display) -> ClientError {
        ClientError::Broken { server: self.server.to_owned(), what: what.to_string() }
    }

    pub(crate) fn unreachable(&self, error: ureq::Error) -> ClientError {
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::BodyExceedsLimit(_) => self.broken(&error),
            ureq::Error::HostNotFound => self.away("there is no such host"),
            ureq::Error::Timeout(_) => self.away("it took too long to answer"),
            ureq::Error::Io(error) => self.away(&plain(&error)),
            other => self.away(&other.to_string()),
        }
    }

    pub(crate) fn away(&self, why: &str) -> ClientError {
        ClientError::Unreachable { server: self.server.to_owned(), why: why.to_owned() }
    }
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody answers there".to_owned(),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => "the connection broke".to_owned(),
        io::ErrorKind::TimedOut => "it took too long to answer".to_owned(),
        _ => error.to_string(),
    }
}

pub(crate) fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// A body that stops when it is cancelled, so that a slow line does not hold the program.
pub(crate) struct Cancellable<'a, R> {
    pub(crate) inner: R,
    pub(crate) cancel: &'a AtomicBool,
}

impl<R: Read> Read for Cancellable<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("it was stopped"));
        }
        // Small pieces, so that the question is asked often.
        let most = buf.len().min(1 << 16);
        self.inner.read(&mut buf[..most])
    }
}

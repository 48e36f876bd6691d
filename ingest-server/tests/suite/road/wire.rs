//! The server as a process of its own, and a client that speaks to its socket.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

pub struct Process {
    child: Child,
    pub address: SocketAddr,
    /// Reads what it says until its end, so that the pipe is never full.
    said: Option<JoinHandle<String>>,
}

pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }
}

fn command(folder: &Path, database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingest-server"));
    command
        .env("COLLECTOR_DATA_DIR", folder)
        .env("DATABASE_URL", database_url)
        .env("COLLECTOR_LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "info")
        .env("NO_COLOR", "1")
        .stderr(Stdio::piped());
    command
}

impl Process {
    pub fn start(folder: &Path, database_url: &str, settings: &[(&str, &str)]) -> Self {
        let mut command = command(folder, database_url);
        Self::of(command.arg("serve").envs(settings.iter().copied()))
    }

    /// A command that becomes a server and says where it listens.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = Vec::new();
        let address = loop {
            let from = said.len();
            let read = log.read_until(b'\n', &mut said).unwrap();
            assert!(read > 0, "the server ended: {}", String::from_utf8_lossy(&said));
            let line = String::from_utf8_lossy(&said[from..]).into_owned();
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.trim().parse().unwrap();
            }
        };
        let rest = move || {
            // One that was killed has said what it has.
            let _ = log.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        };
        let said = Some(std::thread::Builder::new().name("log".to_owned()).spawn(rest).unwrap());
        Self { child, address, said }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What a command prints.
    pub fn command(folder: &Path, database_url: &str, arguments: &[&str]) -> String {
        let done = command(folder, database_url).args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Waits for its end; whether SIGKILL was it.
    pub fn was_killed(&mut self) -> bool {
        self.child.wait().unwrap().signal() == Some(9)
    }

    /// Tells it to stop and waits for its end; whether that was a good one.
    pub fn stop(&mut self) -> bool {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().success()
    }

    /// All that it said until it was told to stop, and ended well.
    pub fn end(mut self) -> String {
        assert!(self.stop(), "it ends in order");
        self.said.take().unwrap().join().unwrap()
    }

    pub fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(self.address)?;
        patient(&stream);
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        if !token.is_empty() {
            write!(head, "Authorization: Bearer {token}\r\n").unwrap();
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        // A server that answers before the body has ended may close; the answer counts.
        let sent = stream.write_all((head + "\r\n").as_bytes()).and_then(|()| stream.write_all(body));
        match answer(&mut stream) {
            Ok(reply) => Ok(reply),
            Err(error) => sent.and(Err(error)),
        }
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    patient(&stream);
    stream
}

fn patient(stream: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
}

/// Reads until the other side closes.
pub fn answer(stream: &mut TcpStream) -> io::Result<Reply> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else { return Err(read.err().unwrap_or_else(broken)) };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(broken)?;
    let split = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Ok(Reply { status, headers: lines.filter_map(split).collect(), body: bytes[end + 4..].to_vec() })
}

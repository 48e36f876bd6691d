//! A server whose disk fills up, on a small disk of its own in a namespace that ends with it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::bucket;
use crate::road::wire::{Process, Reply, answer};
use crate::road::{BYTES, TUS, UPLOADS, registration, video};
use serde_json::json;

const DISK_MIB: usize = 64;
const KEPT_FREE_MIB: usize = 16;

/// How a program gets mounts of its own: in a user's namespace, or as root; some containers allow neither.
fn own_mounts() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];
    ways.into_iter().find(|way| {
        let mut probe = Command::new("unshare");
        let probe = probe.args(*way).args(["mount", "-t", "tmpfs", "probe", "/mnt"]);
        probe.output().is_ok_and(|output| output.status.success())
    })
}

/// A server, a worker, and the small disk that the server writes to.
struct Small {
    server: Process,
    data: PathBuf,
    worker: String,
    _base: tempfile::TempDir,
}

impl Small {
    /// None where nobody may mount a disk of their own.
    fn new() -> Option<Self> {
        Self::with(&[("COLLECTOR_FREE_BYTES", (KEPT_FREE_MIB << 20).to_string())])
    }

    fn with(settings: &[(&str, String)]) -> Option<Self> {
        const SCRIPT: &str = r#"
            set -e
            mount -t tmpfs -o size="$3"m disk "$2"
            "$1" token create --role admin --name test >"$4"
            exec "$1" serve
        "#;
        let Some(own) = own_mounts() else {
            eprintln!("nobody here may mount a disk of their own: not tested");
            return None;
        };
        let base = tempfile::tempdir().unwrap();
        let (data, token) = (base.path().join("data"), base.path().join("token"));
        std::fs::create_dir(&data).unwrap();
        let mut command = Command::new("unshare");
        command.args(own).args(["sh", "-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_ingest-server")]);
        command.arg(&data).arg(DISK_MIB.to_string()).arg(&token);
        command.env("COLLECTOR_DATA_DIR", &data).env("COLLECTOR_LISTEN", "127.0.0.1:0").env_remove("DATABASE_URL");
        command.envs(settings.iter().cloned());
        command.env("RUST_LOG", "info").env("NO_COLOR", "1").stderr(Stdio::piped());
        let server = Process::of(&mut command);
        let admin = std::fs::read_to_string(token).unwrap().trim().to_owned();
        let json = [("content-type", "application/json")];
        let ask = |method: &str, path: &str, token: &str, body: &[u8]| {
            let reply = server.call(method, path, token, &json, body).unwrap();
            assert!(reply.status < 300, "{path}: {}", reply.json());
            reply.json()
        };
        let campaigns = ask("GET", "/api/v1/admin/campaigns", &admin, b"");
        let wanted = json!({ "campaign_id": campaigns["items"][0]["id"], "tier": "Basic", "count": 1 }).to_string();
        let made = ask("POST", "/api/v1/admin/invites", &admin, wanted.as_bytes());
        let person = registration(made["codes"][0].as_str().unwrap(), "device-1").to_string();
        let registered = ask("POST", "/api/v1/workers", "", person.as_bytes());
        let worker = registered["token"].as_str().unwrap().to_owned();
        Some(Self { server, data, worker, _base: base })
    }

    fn begin(&self, length: (&str, &str)) -> String {
        let made = self.server.call("POST", UPLOADS, &self.worker, &[TUS, length], b"").unwrap();
        assert_eq!(made.status, 201);
        made.header("location").to_owned()
    }

    fn offset(&self, path: &str) -> usize {
        let told = self.server.call("HEAD", path, &self.worker, &[TUS], b"").unwrap();
        told.header("upload-offset").parse().unwrap()
    }

    /// The disk as the server sees it.
    fn inside(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.server.id())).join(self.data.strip_prefix("/").unwrap())
    }

    /// Writes until nothing is left but a little for the database; the file that takes it up.
    fn fill(&self) -> PathBuf {
        let filler = self.inside().join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        let zeros = vec![0; 65_536];
        while file.write_all(&zeros).is_ok() {}
        file.set_len(file.metadata().unwrap().len() - (2 << 20)).unwrap();
        filler
    }

    /// Bytes whose count is not told before they come.
    fn stream(&self, path: &str, mib: usize) -> Reply {
        let mut stream = self.server.connect();
        let head = format!(
            "PATCH {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n{}: {}\r\n{}: {}\r\n\
             Upload-Offset: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
            self.worker, TUS.0, TUS.1, BYTES.0, BYTES.1
        );
        stream.write_all(head.as_bytes()).unwrap();
        let piece = video(1 << 20);
        for _ in 0..mib {
            // It answers before the end, and may close then.
            let sent = write!(stream, "{:x}\r\n", piece.len()).and_then(|()| stream.write_all(&piece));
            if sent.and_then(|()| stream.write_all(b"\r\n")).is_err() {
                break;
            }
        }
        answer(&mut stream).unwrap()
    }
}

#[test]
fn bytes_of_no_told_length_leave_room_to_the_rest() {
    let Some(small) = Small::new() else { return };
    let path = small.begin(("upload-defer-length", "1"));
    let reply = small.stream(&path, DISK_MIB * 2);
    assert_eq!((reply.status, reply.json()["code"].clone()), (507, json!("storage_full")));
    let kept = small.offset(&path);
    assert!(kept > 8 << 20 && kept <= (DISK_MIB - KEPT_FREE_MIB) << 20, "{kept}");
    let ended = small.server.call("DELETE", &path, &small.worker, &[TUS], b"").unwrap();
    assert_eq!(ended.status, 204, "the database still has room to commit");
}

#[test]
fn a_disk_that_is_full_all_the_same_costs_no_committed_byte() {
    if let Some(small) = Small::new() {
        no_committed_byte_is_lost(&small);
    }
}

/// Bytes pass over the disk on their way to a bucket; with no room kept free for the rest they meet its end.
#[test]
fn a_full_disk_before_a_bucket_costs_no_committed_byte() {
    let bucket = bucket::moto();
    let mut settings = bucket::settings(&bucket).map(|(name, value)| (name, value.to_owned())).to_vec();
    settings.push(("COLLECTOR_FREE_BYTES", "0".to_owned()));
    if let Some(small) = Small::with(&settings) {
        no_committed_byte_is_lost(&small);
    }
}

fn no_committed_byte_is_lost(small: &Small) {
    let whole = video(24 << 20);
    let length = whole.len().to_string();
    let path = small.begin(("upload-length", &length));
    let add = |at: usize, bytes: &[u8]| {
        let offset = at.to_string();
        small.server.call("PATCH", &path, &small.worker, &[TUS, BYTES, ("upload-offset", &offset)], bytes).unwrap()
    };
    let half = whole.len() / 2;
    assert_eq!(add(0, &whole[..half]).status, 204);
    let filler = small.fill();
    let full = add(half, &whole[half..]);
    assert_eq!((full.status, full.json()["code"].clone()), (507, json!("storage_full")));
    assert!(!full.header("retry-after").is_empty());
    let kept = small.offset(&path);
    assert!(kept >= half, "{kept}");
    std::fs::remove_file(&filler).unwrap();
    assert_eq!(add(kept, &whole[kept..]).status, 204);
    let got = small.server.call("GET", &path, &small.worker, &[], b"").unwrap();
    assert!(got.body == whole, "every byte is there");
}

//! The recording's file as its own journal: pieces are appended whole, hashed and brought to the disk one by one.
//!
//! A piece is either in the file to its last byte or it is not counted. After a crash the file is cut back to its last
//! whole piece by [`recover`], which needs nothing but the file: it walks the boxes of the fragmented MP4.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use shared_types::recording::{FileHash, Fragment};

use crate::encode::h264::VIDEO_TICKS;

/// An append-only file of hashed pieces.
#[derive(Debug)]
pub struct Journal {
    file: File,
    bytes: u64,
    whole: Sha256,
    fragments: Vec<Fragment>,
}

impl Journal {
    /// Begins a new file; refuses one that exists, so that no take can be overwritten.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        owner_only(&mut options);
        let file = options.open(path)?;
        if let Some(folder) = path.parent() {
            sync_folder(folder)?;
        }
        Ok(Self { file, bytes: 0, whole: Sha256::new(), fragments: Vec::new() })
    }

    /// Appends one piece and returns when it is on the disk.
    pub fn append(&mut self, bytes: &[u8], t: Option<f64>) -> io::Result<Fragment> {
        fail::fail_point!("journal.append");
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        self.whole.update(bytes);
        let fragment =
            Fragment { offset: self.bytes, bytes: bytes.len() as u64, t, sha256: hex(&Sha256::digest(bytes)) };
        self.bytes += bytes.len() as u64;
        self.fragments.push(fragment.clone());
        Ok(fragment)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Closes the file and tells its pieces and its hash.
    pub fn finish(self) -> io::Result<(Vec<Fragment>, FileHash)> {
        self.file.sync_all()?;
        let hash = FileHash { bytes: self.bytes, sha256: hex(&self.whole.finalize()) };
        Ok((self.fragments, hash))
    }
}

/// What [`recover`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    pub fragments: Vec<Fragment>,
    pub file: FileHash,
    /// Bytes of a piece that was cut short, now removed.
    pub removed_bytes: u64,
}

/// Cuts a killed recording's file back to its last whole fragment.
pub fn recover(path: &Path) -> io::Result<Recovered> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let spans = whole_fragments(&mut file, length)?;
    let end = spans.last().map_or(0, |&(offset, bytes)| offset + bytes);
    let mut whole = Sha256::new();
    let mut fragments = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    for (offset, bytes) in spans {
        let mut piece = vec![0; bytes as usize];
        file.read_exact(&mut piece)?;
        whole.update(&piece);
        let t = begins(&piece);
        fragments.push(Fragment { offset, bytes, t, sha256: hex(&Sha256::digest(&piece)) });
    }
    if end < length {
        file.set_len(end)?;
    }
    file.sync_all()?;
    let hash = FileHash { bytes: end, sha256: hex(&whole.finalize()) };
    Ok(Recovered { fragments, file: hash, removed_bytes: length - end })
}

/// Offsets and lengths of the head (`ftyp` and `moov`) and of every `moof` with its `mdat` that lie whole in the file.
pub(crate) fn whole_fragments(file: &mut File, length: u64) -> io::Result<Vec<(u64, u64)>> {
    let mut spans = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at + 8 <= length {
        file.seek(SeekFrom::Start(at))?;
        let mut header = [0; 16];
        let take = usize::try_from((length - at).min(16)).unwrap_or(16);
        file.read_exact(&mut header[..take])?;
        let bytes = match u32::from_be_bytes([header[0], header[1], header[2], header[3]]) {
            1 if take == 16 => header[8..16].iter().fold(0_u64, |size, &byte| size << 8 | u64::from(byte)),
            0 | 1 => break,
            size => u64::from(size),
        };
        let Some(end) = at.checked_add(bytes).filter(|&end| bytes >= 8 && end <= length) else { break };
        at = end;
        if matches!(&header[4..8], b"moov" | b"mdat") {
            spans.push((start, end - start));
            start = end;
        }
    }
    Ok(spans)
}

/// When a fragment's picture begins: the base time of its first track, the picture's (ISO/IEC 14496-12, 8.8.12).
fn begins(fragment: &[u8]) -> Option<f64> {
    let at = fragment.windows(4).take(1024).position(|name| name == b"tfdt")?;
    let version = *fragment.get(at + 4)?;
    let time = fragment.get(at + 8..)?;
    let ticks = match version {
        0 => u64::from(u32::from_be_bytes(time.get(..4)?.try_into().ok()?)),
        _ => u64::from_be_bytes(time.get(..8)?.try_into().ok()?),
    };
    Some(ticks as f64 / f64::from(VIDEO_TICKS))
}

/// Hash and length of a file, read once from end to end.
pub fn hash_file(path: &Path) -> io::Result<FileHash> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let (mut bytes, mut block) = (0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        hash.update(&block[..read]);
        bytes += read as u64;
    }
    Ok(FileHash { bytes, sha256: hex(&hash.finalize()) })
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions) {}

/// Brings a folder's entries to the disk, so that a new or renamed file is found after a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

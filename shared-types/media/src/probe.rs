//! What kind of file this is, by its first bytes, before any parser meets it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// An accepted container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// MP4 and `QuickTime`.
    Mp4,
    /// Matroska and `WebM`.
    Matroska,
}

impl Container {
    /// The only demuxer allowed to open such a file. Others follow what a file names: playlists and concat scripts
    /// open further files and addresses.
    pub(crate) fn demuxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mov",
            Self::Matroska => "matroska",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Matroska => "matroska",
        }
    }
}

/// Tells the container by magic bytes; `None` for anything that is not accepted.
pub fn sniff(head: &[u8]) -> Option<Container> {
    // Boxes an MP4 or QuickTime file may begin with: ISO/IEC 14496-12 and the QuickTime File Format.
    const FIRST_BOXES: [&[u8; 4]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
    if head.starts_with(&EBML) {
        return Some(Container::Matroska);
    }
    let name = head.get(4..8)?;
    FIRST_BOXES.iter().any(|first| first.as_slice() == name).then_some(Container::Mp4)
}

/// Reads a file's first bytes and tells its container.
pub fn sniff_file(path: &Path) -> io::Result<Option<Container>> {
    let mut head = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(sniff(&head))
}

//! Bytes to be sent, which may still be growing.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::ClientError;

/// What is uploaded. Bytes that were available once never change.
pub trait Source {
    /// How long it is; `None` while it still grows.
    fn len(&self) -> Option<u64>;
    /// How much of it can be read now.
    fn available(&self) -> u64;
    /// Reads some bytes; 0 only at the end.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

/// A file, whole or under a writer that only appends.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    growth: Growth,
}

#[derive(Debug)]
enum Growth {
    Done { bytes: u64 },
    Until(Arc<AtomicBool>),
}

impl FileSource {
    pub fn open(path: &Path) -> Result<Self, ClientError> {
        let (file, bytes) = open(path)?;
        Ok(Self { file, growth: Growth::Done { bytes } })
    }

    /// A file that grows until `finished` is set by its writer, after its last byte.
    pub fn growing(path: &Path, finished: Arc<AtomicBool>) -> Result<Self, ClientError> {
        Ok(Self { file: open(path)?.0, growth: Growth::Until(finished) })
    }

    fn size(&self) -> u64 {
        // A file that cannot tell its size has no new bytes; reading it will say why.
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }
}

fn open(path: &Path) -> Result<(File, u64), ClientError> {
    let failed = |source| ClientError::File { path: PathBuf::from(path), source };
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    Ok((file, bytes))
}

impl Source for FileSource {
    fn len(&self) -> Option<u64> {
        match &self.growth {
            Growth::Done { bytes } => Some(*bytes),
            // The flag is read before the size: what was written before it was set is counted.
            Growth::Until(finished) => finished.load(Ordering::Acquire).then(|| self.size()),
        }
    }

    fn available(&self) -> u64 {
        match &self.growth {
            Growth::Done { bytes } => *bytes,
            Growth::Until(_) => self.size(),
        }
    }

    #[cfg(unix)]
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buf, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buf, offset)
    }
}

/// Fills the buffer; a source that ends before is an error.
pub(crate) fn read_exact_at(source: &dyn Source, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buf.is_empty() {
        match source.read_at(buf, offset) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
            Ok(read) => {
                buf = &mut buf[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

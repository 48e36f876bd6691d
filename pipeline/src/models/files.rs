//! Files on disk: hashing, writing whole, and what is known to be in order.
//!
//! Beside each file `NAME` lies `NAME.sha256` in the form `sha256sum -c` reads. It is written only after the bytes were
//! hashed, so that a start needs to compare a size and a line instead of hashing 150 MB; a file without one (copied here
//! by hand) is hashed once.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::catalog::{Model, ModelFile};
use super::error::ModelError;

/// A model's files, all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    pub name: &'static str,
    /// The folder they lie in, under the names of the catalogue (the user's own file excepted).
    pub dir: PathBuf,
    /// In the catalogue's order.
    pub paths: Vec<PathBuf>,
}

/// The folder of one model inside the models folder.
pub fn dir_of(model: &Model, models_dir: &Path) -> PathBuf {
    models_dir.join(model.name)
}

/// The model's files if all are there and whole.
pub(super) fn present(model: &'static Model, models_dir: &Path) -> Result<Option<ModelFiles>, ModelError> {
    let dir = dir_of(model, models_dir);
    let mut paths = Vec::new();
    for file in model.files {
        let path = dir.join(file.name);
        if !is_whole(file, &path)? {
            return Ok(None);
        }
        paths.push(path);
    }
    Ok(Some(ModelFiles { name: model.name, dir, paths }))
}

fn is_whole(file: &ModelFile, path: &Path) -> Result<bool, ModelError> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(false) };
    if metadata.len() != file.bytes {
        return Ok(false);
    }
    if fs::read_to_string(sidecar(path)).is_ok_and(|line| line.starts_with(file.sha256)) {
        return Ok(true);
    }
    if hash_file(path).map_err(|error| ModelError::io("reading", path, error))? != file.sha256 {
        return Ok(false);
    }
    // A folder that cannot be written to is hashed at every start, which is slow but right.
    let _ = write_sidecar(path, file.sha256);
    Ok(true)
}

/// Moves a file that is already known to have this hash to its place and notes the hash beside it. Both are renames, so
/// that another process sees all or nothing.
pub(super) fn put(from: &Path, to: &Path, sha256: &str) -> Result<(), ModelError> {
    let failed = |error| ModelError::io("writing", to, error);
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    File::open(from).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(from, to).map_err(failed)?;
    write_sidecar(to, sha256).map_err(failed)?;
    if let Some(parent) = to.parent() {
        File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed)?;
    }
    Ok(())
}

fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sha256");
    PathBuf::from(name)
}

fn write_sidecar(path: &Path, sha256: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    writeln!(file, "{sha256}  {name}")?;
    file.persist(sidecar(path))?;
    Ok(())
}

pub(super) fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&block[..count]);
    }
}

/// Passes bytes on and hashes them.
pub(super) struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    pub(super) fn finish(mut self) -> io::Result<String> {
        self.inner.flush()?;
        Ok(hex(&self.hash.finalize()))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

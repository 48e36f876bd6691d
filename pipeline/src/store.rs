//! Fingerprints kept from run to run, so that a recording handed in twice is found.
//!
//! One file a recording, named by the hash of the path it was judged under. The same path again is the same recording,
//! not a duplicate, so that a run can be repeated.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_types::fingerprint::{Fingerprints, compare};
use shared_types::quality::measurements::DuplicateMeasures;

#[derive(Debug, thiserror::Error)]
#[error("the store {path} cannot be used: {source}. Give a folder that may be written to")]
pub struct StoreError {
    path: PathBuf,
    source: io::Error,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    recording: String,
    fingerprints: Fingerprints,
}

/// Looks for a recording like this one, then keeps this one's prints.
pub fn match_and_keep(
    store: &Path,
    recording: &Path,
    fingerprints: &Fingerprints,
) -> Result<Option<DuplicateMeasures>, StoreError> {
    let failed = |source| StoreError { path: store.to_owned(), source };
    fs::create_dir_all(store).map_err(failed)?;
    let name = recording.display().to_string();
    let own = store.join(format!("{}.json", media::journal::hex(&Sha256::digest(name.as_bytes())[..16])));
    let mut likest: Option<DuplicateMeasures> = None;
    for entry in fs::read_dir(store).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path == own || path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read(&path).map_err(failed)?;
        // Files that are not ours are left alone.
        let Ok(other) = serde_json::from_slice::<Entry>(&text) else { continue };
        let Some(likeness) = compare(fingerprints, &other.fingerprints) else { continue };
        if likest.as_ref().is_none_or(|likest| likeness.shared > likest.shared) {
            let (of, shared, spans) = (other.recording, likeness.shared, likeness.spans);
            likest = Some(DuplicateMeasures { of, shared, spans });
        }
    }
    let entry = Entry { recording: name, fingerprints: fingerprints.clone() };
    let temporary = own.with_extension("tmp");
    let text = serde_json::to_vec(&entry).map_err(|error| failed(error.into()))?;
    fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, &own)).map_err(failed)?;
    Ok(likest)
}

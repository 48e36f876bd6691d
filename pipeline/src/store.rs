//! Fingerprints kept from run to run, so that a recording handed in twice is found.
//!
//! One file a recording, named by the hash of the path it was judged under and numbered in the order of judging. A
//! recording is compared with those before it only: judged again, neither it nor its copy changes sides.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_types::fingerprint::{Fingerprints, Likeness, compare, compare_acts};
use shared_types::quality::measurements::DuplicateMeasures;

#[derive(Debug, thiserror::Error)]
#[error("the store {path} cannot be used: {source}. Give a folder that may be written to")]
pub struct StoreError {
    path: PathBuf,
    source: io::Error,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    number: u64,
    recording: String,
    fingerprints: Fingerprints,
}

/// Earlier recordings that a new one repeats.
#[derive(Debug, Default)]
pub struct Repeats {
    /// In picture or sound.
    pub recording: Option<DuplicateMeasures>,
    /// In its input events.
    pub input: Option<DuplicateMeasures>,
}

/// Looks for a recording like this one, then keeps this one's prints.
pub fn match_and_keep(store: &Path, recording: &Path, fingerprints: &Fingerprints) -> Result<Repeats, StoreError> {
    let failed = |source| StoreError { path: store.to_owned(), source };
    fs::create_dir_all(store).map_err(failed)?;
    let name = recording.display().to_string();
    let own = store.join(format!("{}.json", media::journal::hex(&Sha256::digest(name.as_bytes())[..16])));
    let mut others = Vec::new();
    let mut number = None;
    for entry in fs::read_dir(store).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read(&path).map_err(failed)?;
        // Files that are not ours are left alone.
        let Ok(entry) = serde_json::from_slice::<Entry>(&text) else { continue };
        if path == own {
            number = Some(entry.number);
        } else {
            others.push(entry);
        }
    }
    let number = number.unwrap_or_else(|| others.iter().map(|other| other.number + 1).max().unwrap_or(0));
    others.retain(|other| other.number < number);
    let likest = |compare: &dyn Fn(&Fingerprints) -> Option<Likeness>| {
        let likenesses = others.iter().filter_map(|other| {
            let Likeness { shared, spans } = compare(&other.fingerprints)?;
            Some(DuplicateMeasures { of: other.recording.clone(), shared, spans })
        });
        likenesses.max_by(|a, b| a.shared.total_cmp(&b.shared))
    };
    let repeats = Repeats {
        recording: likest(&|old| compare(fingerprints, old)),
        input: likest(&|old| compare_acts(&fingerprints.acts, &old.acts)),
    };
    let entry = Entry { number, recording: name, fingerprints: fingerprints.clone() };
    let temporary = own.with_extension("tmp");
    let text = serde_json::to_vec(&entry).map_err(|error| failed(error.into()))?;
    fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, &own)).map_err(failed)?;
    Ok(repeats)
}

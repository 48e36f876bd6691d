//! A recording without the ranges that a reviewer marked: picture filled, sound silent, events emptied, in new files that
//! take the place of the old ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use media::journal::hash_file;
use serde::{Deserialize, Serialize};
use shared_types::event::{BadEventLine, InputEvent, InputEventKind, parse_events};
use shared_types::quality::measurements::Span;
use shared_types::recording::{EVENTS_FILE, FileHash, Fragment, MANIFEST_FILE, Manifest, VIDEO_FILE};
use shared_types::redaction::{PiiKind, RedactionRange};

use super::child;
use super::cover::{Cover, Fill};
use crate::passes::limited::{ChildError, Limited};

/// A picture stands until the next one; one that begins a moment before the range still shows in it.
const PICTURE_MARGIN_SECS: f64 = 0.05;

/// What the child is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) video: PathBuf,
    pub(super) out: PathBuf,
    pub(super) cover: Cover,
}

/// What the child made. It says `None` of a recording of which nothing plays, and nothing if it died.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) fragments: Vec<Fragment>,
    pub(super) file: FileHash,
}

#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
    #[error("the events of the recording cannot be read: {0}")]
    Events(#[from] BadEventLine),
    #[error("the manifest of the recording cannot be read: {0}")]
    Manifest(#[from] serde_json::Error),
    #[error("nothing in the recording can be decoded, so nothing of it can be kept")]
    NothingPlays,
}

/// Writes the files of the recording in `from`, without the ranges, into the empty folder `to`.
pub fn redact(
    program: &Path,
    from: &Path,
    to: &Path,
    ranges: &[RedactionRange],
    stop: &AtomicBool,
    progress: impl FnMut(f64),
) -> Result<(), RedactError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| RedactError::Disk { path, source }
    };
    let video = to.join(VIDEO_FILE);
    let task = Task { video: from.join(VIDEO_FILE), out: video, cover: cover_of(ranges) };
    let limited = Limited { program, command: child::COMMAND, folder: to, stop };
    let Made { fragments, file: video_hash } =
        limited.run::<_, Option<Made>>(&task, progress)?.flatten().ok_or(RedactError::NothingPlays)?;
    let events_path = from.join(EVENTS_FILE);
    if events_path.is_file() {
        let text = fs::read_to_string(&events_path).map_err(disk(&events_path))?;
        let mut lines = Vec::new();
        for event in without(parse_events(&text)?, ranges) {
            serde_json::to_writer(&mut lines, &event)?;
            lines.push(b'\n');
        }
        fs::write(to.join(EVENTS_FILE), lines).map_err(disk(to))?;
    }
    let manifest_path = from.join(MANIFEST_FILE);
    if manifest_path.is_file() {
        let mut manifest: Manifest = serde_json::from_slice(&fs::read(&manifest_path).map_err(disk(&manifest_path))?)?;
        manifest.fragments = fragments;
        manifest.files.insert(VIDEO_FILE.to_owned(), video_hash);
        let events = to.join(EVENTS_FILE);
        if events.is_file() {
            manifest.files.insert(EVENTS_FILE.to_owned(), hash_file(&events).map_err(disk(&events))?);
        }
        let text = serde_json::to_vec(&manifest)?;
        fs::write(to.join(MANIFEST_FILE), text).map_err(disk(to))?;
    }
    Ok(())
}

fn cover_of(ranges: &[RedactionRange]) -> Cover {
    let fills = ranges.iter().filter(|range| range.track.has_picture()).map(|range| Fill {
        span: Span::new(range.start - PICTURE_MARGIN_SECS, range.end + PICTURE_MARGIN_SECS),
        bounds: range.bounds,
    });
    let mutes = ranges.iter().filter(|range| range.track.has_sound()).map(RedactionRange::span).collect();
    Cover { patches: Vec::new(), fills: fills.collect(), mutes }
}

/// The events with a placeholder for each title that stood in a range. Nothing else in them tells what was shown: keys are
/// named, typing is counted.
fn without(mut events: Vec<InputEvent>, ranges: &[RedactionRange]) -> Vec<InputEvent> {
    let is_title = |event: &InputEvent| matches!(event.kind, InputEventKind::Window { .. });
    let times: Vec<(usize, f64)> =
        events.iter().enumerate().filter(|(_, event)| is_title(event)).map(|(at, event)| (at, event.t)).collect();
    for (index, &(at, from)) in times.iter().enumerate() {
        // A title stands until the next one.
        let until = times.get(index + 1).map_or(f64::INFINITY, |&(_, t)| t);
        let covered = |range: &RedactionRange| range.track.has_picture() && from < range.end && until > range.start;
        if ranges.iter().any(covered) {
            events[at].kind = InputEventKind::Window { title: PiiKind::Marked.placeholder().to_owned() };
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use shared_types::redaction::RedactionTrack;

    use super::*;

    #[test]
    fn titles_that_stood_in_a_range_are_taken_out() {
        let title = |t, title: &str| InputEvent { t, kind: InputEventKind::Window { title: title.into() } };
        let key = InputEvent { t: 4.0, kind: InputEventKind::Key { key: "Enter".into() } };
        let events = vec![title(0.0, "Shop"), title(2.0, "Jane's cart"), key.clone(), title(5.0, "Done")];
        let range = RedactionRange { start: 3.0, end: 4.5, track: RedactionTrack::Both, bounds: None };
        let kept = without(events.clone(), std::slice::from_ref(&range));
        assert_eq!(kept, [title(0.0, "Shop"), title(2.0, "[redacted]"), key, title(5.0, "Done")]);
        assert_eq!(without(events.clone(), &[RedactionRange { track: RedactionTrack::Sound, ..range }]), events);
    }
}

//! The takes on this computer.
//!
//! `takes/ID/` is a recording folder. `takes/ID.json` beside it says what it was recorded for, so that a take that was
//! killed can still be shown and judged without the network.

use std::path::{Path, PathBuf};
use std::{fs, io};

use recorder_core::Client;
use recorder_core::check::check;
use recorder_core::cut::{CutReport, cut};
use recorder_core::session::ended_early;
use recorder_core::spool::{Spool, SpoolError, recover};
use recorder_core::submit::{end_uploads, read_progress};
use serde::{Deserialize, Serialize};
use shared_types::api::assignment::AssignmentItem;
use shared_types::id::RecordingId;
use shared_types::recording::{Manifest, RecordingStage, VIDEO_FILE};
use time::OffsetDateTime;

use crate::trouble::Trouble;
use crate::view::TakeView;

/// What a take was recorded for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Purpose {
    pub(crate) assignment: AssignmentItem,
    #[serde(default)]
    pub(crate) recovered: bool,
}

#[derive(Debug)]
pub(crate) struct Shelf {
    takes: PathBuf,
}

impl Shelf {
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let takes = data.join("takes");
        fs::create_dir_all(&takes)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&takes, fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self { takes })
    }

    pub(crate) fn folder(&self, id: RecordingId) -> PathBuf {
        self.takes.join(id.to_string())
    }

    fn purpose_path(&self, id: RecordingId) -> PathBuf {
        self.takes.join(format!("{id}.json"))
    }

    /// Makes room for a take; the recorder makes its folder.
    pub(crate) fn reserve(&self, assignment: AssignmentItem) -> Result<RecordingId, Trouble> {
        let id = RecordingId(uuid::Uuid::now_v7());
        self.write_purpose(id, &Purpose { assignment, recovered: false })?;
        Ok(id)
    }

    pub(crate) fn purpose(&self, id: RecordingId) -> Result<Purpose, Trouble> {
        let path = self.purpose_path(id);
        let text = fs::read(&path).map_err(|error| disk(&path, &error))?;
        serde_json::from_slice(&text).map_err(|error| disk(&path, &io::Error::from(error)))
    }

    fn write_purpose(&self, id: RecordingId, purpose: &Purpose) -> Result<(), Trouble> {
        let path = self.purpose_path(id);
        let temporary = path.with_extension("tmp");
        let text = serde_json::to_vec_pretty(purpose).map_err(|error| disk(&path, &io::Error::from(error)))?;
        let written = fs::File::create(&temporary).and_then(|mut file| {
            io::Write::write_all(&mut file, &text)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        });
        written.map_err(|error| disk(&path, &error))
    }

    /// Makes whole what a killed recorder left behind. One take that cannot be does not hide the others.
    pub(crate) fn make_whole(&self) -> Result<(), Trouble> {
        for id in self.ids()? {
            if let Err(SpoolError::NoRecording { .. } | SpoolError::NothingWhole { .. }) = self.rescue(id) {
                // It was killed before there was anything to keep.
                self.discard(id, &|_| None)?;
            }
        }
        Ok(())
    }

    /// Lets go of the takes that the server has confirmed long enough ago.
    pub(crate) fn let_go(&self, now: OffsetDateTime) -> Result<(), Trouble> {
        for id in self.ids()? {
            let progress = read_progress(&self.folder(id)).ok().flatten();
            if progress.is_some_and(|progress| progress.has_had_its_time(now)) {
                // One that cannot go now is tried again at the next start.
                drop(self.discard(id, &|_| None));
            }
        }
        Ok(())
    }

    fn rescue(&self, id: RecordingId) -> Result<(), SpoolError> {
        let recovery = recover(&self.folder(id))?;
        if recovery.needed
            && let Ok(mut purpose) = self.purpose(id)
        {
            purpose.recovered = true;
            // The recording is whole; that nobody is told why it is short is the lesser loss.
            drop(self.write_purpose(id, &purpose));
        }
        // What cannot be judged now is tried again when it is opened.
        drop(self.judge(id));
        Ok(())
    }

    /// Judges a whole take where that was not done.
    pub(crate) fn judge(&self, id: RecordingId) -> Result<TakeView, Trouble> {
        let purpose = self.purpose(id)?;
        let spool = Spool::open(&self.folder(id))?;
        let mut manifest = spool.read_manifest()?;
        if manifest.stage == RecordingStage::Stopped {
            let report =
                check(spool.folder(), None, &purpose.assignment.policy).map_err(|error| Trouble::told(&error))?;
            manifest.quality = Some(report);
            manifest.stage = RecordingStage::Checked;
            spool.write_manifest(&manifest)?;
        }
        Ok(view(id, purpose, manifest, &spool))
    }

    /// The takes, newest first; what cannot be read is left out and left alone.
    pub(crate) fn list(&self) -> Result<Vec<TakeView>, Trouble> {
        let mut ids = self.ids()?;
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids.into_iter().filter_map(|id| self.read(id).ok()).collect())
    }

    fn read(&self, id: RecordingId) -> Result<TakeView, Trouble> {
        let spool = Spool::open(&self.folder(id))?;
        Ok(view(id, self.purpose(id)?, spool.read_manifest()?, &spool))
    }

    fn ids(&self) -> Result<Vec<RecordingId>, Trouble> {
        let entries = fs::read_dir(&self.takes).map_err(|error| disk(&self.takes, &error))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect())
    }

    /// Removes a stretch of a take for good.
    pub(crate) fn cut(
        &self,
        id: RecordingId,
        from: f64,
        to: f64,
        client: &dyn Fn(&str) -> Option<Client>,
    ) -> Result<TakeView, Trouble> {
        let CutReport { still_held_by, .. } = cut(&self.folder(id), from, to, client)?;
        match still_held_by.first() {
            None => self.read(id),
            Some(server) => Err(Trouble::new(
                format!("It was cut out here, but {server} could not be asked to forget what it had been sent before."),
                "Send the recording in when you are online: the old upload is ended before anything else.",
            )),
        }
    }

    /// Deletes a take, by its maker's own wish, with what of it was sent and not handed in.
    pub(crate) fn discard(&self, id: RecordingId, client: &dyn Fn(&str) -> Option<Client>) -> Result<(), Trouble> {
        let folder = self.folder(id);
        end_uploads(&folder, client)?;
        for removed in [fs::remove_dir_all(&folder), fs::remove_file(self.purpose_path(id))] {
            removed.or_else(|error| {
                if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(disk(&folder, &error)) }
            })?;
        }
        Ok(())
    }
}

fn view(id: RecordingId, purpose: Purpose, manifest: Manifest, spool: &Spool) -> TakeView {
    let known = manifest.files.get(VIDEO_FILE).map(|file| file.bytes);
    let bytes = known.or_else(|| Some(fs::metadata(spool.video_path()).ok()?.len()));
    // From there on the manifest is not touched any more.
    let sending = read_progress(spool.folder()).ok().flatten().map(|progress| progress.stage);
    TakeView {
        id,
        stage: sending.unwrap_or(manifest.stage),
        assignment: purpose.assignment,
        secs: manifest.quality.as_ref().and_then(|report| report.measurements.active_secs).unwrap_or(0.0),
        bytes: bytes.unwrap_or(0),
        ended_early: ended_early(&manifest),
        started_at: manifest.clock.started_at,
        report: manifest.quality,
        recovered: purpose.recovered,
    }
}

fn disk(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(
        format!("{} cannot be read or written: {error}.", path.display()),
        "Check that the disk has room and that you may write there, then try again.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Shelf;

    #[test]
    fn a_take_that_never_began_leaves_no_trace() {
        let data = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(data.path()).unwrap();
        let id = "01890000-0000-7000-8000-000000000000";
        let assignment = json!({
            "id": id, "stage": "reserved", "campaign_id": id, "tier": "Basic", "goal": "Find a mug", "constraints": [],
            "policy": {}, "pay": { "amount_cents": 2000, "currency": "USD" }, "expires_at": null, "submission": null,
        });
        let take = shelf.reserve(serde_json::from_value(assignment).unwrap()).unwrap();
        assert_eq!(shelf.purpose(take).unwrap().assignment.goal, "Find a mug");
        shelf.make_whole().unwrap();
        assert!(shelf.purpose(take).is_err());
        assert!(shelf.list().unwrap().is_empty());
    }
}

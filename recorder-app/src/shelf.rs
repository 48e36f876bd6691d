//! The takes on this computer.
//!
//! `takes/ID/` is a recording folder. `takes/ID.json` beside it says what it was recorded for, so that a take that was
//! killed can still be shown and judged without the network. Deleting a take needs no network either: what its server
//! cannot be asked to end now is remembered and asked for later.

use std::path::{Path, PathBuf};
use std::{fs, io};

use recorder_core::Client;
use recorder_core::check::check;
use recorder_core::cut::{CutReport, cut};
use recorder_core::queue::Queue;
use recorder_core::session::why_ended_early;
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
    data: PathBuf,
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
        Ok(Self { data: data.to_owned(), takes })
    }

    pub(crate) fn folder(&self, id: RecordingId) -> PathBuf {
        self.takes.join(id.to_string())
    }

    /// Of a folder that lies here.
    pub(crate) fn id_of(&self, folder: &Path) -> Option<RecordingId> {
        let lies_in = fs::canonicalize(folder.parent()?).ok()?;
        let is_here = fs::canonicalize(&self.takes).is_ok_and(|takes| takes == lies_in);
        folder.file_name()?.to_str()?.parse().ok().filter(|_| is_here)
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

    pub(crate) fn ids(&self) -> Result<Vec<RecordingId>, Trouble> {
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

    /// Deletes a take, by its maker's own wish, with what of it was sent and not handed in. Gives the servers that could
    /// not be asked yet to forget what they were sent.
    pub(crate) fn discard(
        &self,
        id: RecordingId,
        client: &dyn Fn(&str) -> Option<Client>,
    ) -> Result<Vec<String>, Trouble> {
        let folder = self.folder(id);
        let still_held_by = end_uploads(&folder, &self.data, client)?;
        Queue::change(&self.data, |queue| Ok(queue.remove(&folder)))?;
        for removed in [fs::remove_dir_all(&folder), fs::remove_file(self.purpose_path(id))] {
            removed.or_else(|error| {
                if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(disk(&folder, &error)) }
            })?;
        }
        Ok(still_held_by)
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
        ended_early: why_ended_early(&manifest).map(|event| event.sentence.clone()),
        started_at: manifest.clock.started_at,
        report: manifest.quality,
        recovered: purpose.recovered,
    }
}

pub(crate) fn disk(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(
        format!("{} cannot be read or written: {error}.", path.display()),
        "Check that the disk has room and that you may write there, then try again.",
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use recorder_core::Client;
    use recorder_core::queue::{Place, Queue};
    use recorder_core::submit::end_later;
    use serde_json::{Value, json};
    use shared_types::id::RecordingId;
    use time::format_description::well_known::Rfc3339;
    use time::{Duration, OffsetDateTime};

    use super::Shelf;

    const ID: &str = "01890000-0000-7000-8000-000000000000";
    const SERVER: &str = "http://127.0.0.1:9";

    /// Reserves a take, with a folder in it that was handed in as far as `progress` says.
    fn take(shelf: &Shelf, progress: Option<Value>) -> (RecordingId, PathBuf) {
        let assignment = json!({
            "id": ID, "stage": "reserved", "campaign_id": ID, "tier": "Basic", "goal": "Find a mug", "constraints": [],
            "policy": {}, "pay": { "amount_cents": 2000, "currency": "USD" }, "expires_at": null, "submission": null,
        });
        let take = shelf.reserve(serde_json::from_value(assignment).unwrap()).unwrap();
        let folder = shelf.folder(take);
        if let Some(progress) = progress {
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("recording.json"), "{}").unwrap();
            fs::write(folder.join("upload.json"), progress.to_string()).unwrap();
        }
        (take, folder)
    }

    /// Some of the video was sent, and nothing was handed in.
    fn sent(stage: &str) -> Value {
        json!({
            "submission_id": ID, "server": SERVER, "assignment": ID, "stage": stage, "answer": null,
            "uploads": { "video": { "id": "csu_video", "bytes": 9, "sha256": "", "done": false } },
        })
    }

    fn remembered(data: &Path) -> Option<String> {
        fs::read_to_string(data.join("uploads-to-end.json")).ok()
    }

    #[test]
    fn a_take_that_never_began_leaves_no_trace() {
        let data = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(data.path()).unwrap();
        let (take, _) = take(&shelf, None);
        assert_eq!(shelf.purpose(take).unwrap().assignment.goal, "Find a mug");
        shelf.make_whole().unwrap();
        assert!(shelf.purpose(take).is_err());
        assert!(shelf.list().unwrap().is_empty());
    }

    #[test]
    fn a_take_can_be_deleted_when_its_server_is_gone_and_what_it_holds_is_remembered() {
        let data = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(data.path()).unwrap();
        let nobody = |_: &str| None;
        // Port 9 answers nobody, as a server that is gone.
        let gone = |server: &str| Client::new(server, Some("csw_secret")).ok();
        let clients: [&dyn Fn(&str) -> Option<Client>; 2] = [&nobody, &gone];
        for client in clients {
            let (take, folder) = take(&shelf, Some(sent("uploading")));
            Queue::change(data.path(), |queue| queue.add(&folder, Place::Last)).unwrap();
            assert_eq!(shelf.discard(take, client).unwrap(), [SERVER]);
            assert!(!folder.exists() && shelf.purpose(take).is_err());
            assert!(Queue::load(data.path()).unwrap().takes().is_empty(), "it waits no longer");
            let kept = remembered(data.path()).unwrap();
            assert_eq!((kept.matches("csu_video").count(), kept.contains(SERVER)), (1, true), "{kept}");
        }
        end_later(data.path(), &nobody).unwrap();
        assert!(remembered(data.path()).unwrap().contains("csu_video"), "until it was ended");

        let (take, folder) = self::take(&shelf, None);
        assert!(shelf.discard(take, &nobody).unwrap().is_empty() && !folder.exists());
    }

    #[test]
    fn a_confirmed_take_is_let_go_after_a_week_and_no_other() {
        let data = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(data.path()).unwrap();
        let now = OffsetDateTime::now_utc();
        let confirmed = |days: i64| {
            let mut progress = sent("confirmed");
            progress["confirmed_at"] = json!((now - Duration::days(days)).format(&Rfc3339).unwrap());
            progress["answer"] = json!({ "id": ID, "stage": "received", "receipt_id": ID });
            progress
        };
        let (_, sixth) = take(&shelf, Some(confirmed(6)));
        let (_, eighth) = take(&shelf, Some(confirmed(8)));
        let mut unconfirmed = confirmed(99);
        unconfirmed["stage"] = json!("delivered");
        let (_, unconfirmed) = take(&shelf, Some(unconfirmed));
        shelf.let_go(now).unwrap();
        assert_eq!([&sixth, &eighth, &unconfirmed].map(|folder| folder.exists()), [true, false, true]);
        assert_eq!(remembered(data.path()), None, "what was handed in stays with the server");
    }
}

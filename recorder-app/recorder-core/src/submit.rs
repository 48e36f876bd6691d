//! Handing a take in.
//!
//! Once it is judged, `recording.json` is not touched again: its hash is part of what the server compares. How far the
//! handing in has come, with the stages `uploading`, `delivered` and `confirmed`, is in `upload.json` beside it,
//! written before the step it is about. A killed program goes on from there: the submission's id is made once, and an
//! upload that the server knows is never begun anew.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use ingest_client::upload::terminate;
use ingest_client::{Client, ClientError, FileSource, Source, UploadObserver, Waiting, upload};
use serde::{Deserialize, Serialize};
use shared_types::api::submission::{SubmitRequest, Submitted, Track, UploadRef};
use shared_types::error::ErrorCode;
use shared_types::id::{AssignmentId, SubmissionId};
use shared_types::lifecycle::InvalidTransition;
use shared_types::recording::{EVENTS_FILE, Manifest, RecordingStage, VIDEO_FILE};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::check::{CheckError, check};
use crate::spool::{Spool, SpoolError, replace_file};
use crate::take::utc_now;

/// How long a take stays on its maker's computer after the server has confirmed its hashes.
pub const KEPT: time::Duration = time::Duration::days(7);
pub const PROGRESS_FILE: &str = "upload.json";
pub(crate) const LOCK_FILE: &str = "upload.lock";
/// In the data folder: uploads of deleted takes whose servers are still to be asked to end them.
const LATER_FILE: &str = "uploads-to-end.json";

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("this take is {stage}, so it cannot be handed in. {hint}")]
    Unready { stage: RecordingStage, hint: &'static str },
    #[error(
        "this take was recorded for assignment {recorded}, not for {given}. Hand it in for the one it was made for"
    )]
    OtherAssignment { recorded: AssignmentId, given: AssignmentId },
    #[error("this take was already handed in to {server} for assignment {assignment}, as submission {submission}")]
    AlreadySubmitted { server: String, assignment: AssignmentId, submission: SubmissionId },
    #[error("this take was not recorded for an assignment. Say which one it is for with --assignment ID")]
    NoAssignment,
    #[error("another program is handing this take in or cutting it. Wait until it is done")]
    Busy,
    #[error("the file {path} is not the one that was recorded: its hash differs from the manifest's. Record again")]
    Changed { path: PathBuf },
    #[error("the file {path} cannot be read or written: {source}. Check that the disk has room")]
    Disk { path: PathBuf, source: io::Error },
    #[error("{0}. Remove upload.json from the folder and hand the take in again")]
    Stage(#[from] InvalidTransition),
}

impl SubmitError {
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Client(ClientError::Cancelled))
    }
}

/// What `upload.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubmitProgress {
    pub submission_id: SubmissionId,
    pub server: String,
    pub assignment: AssignmentId,
    /// From `checked` on; takes the place of the manifest's stage.
    pub stage: RecordingStage,
    pub uploads: BTreeMap<Track, TrackProgress>,
    /// The server's answer; with it the take is confirmed.
    pub answer: Option<Submitted>,
    /// When the answer came: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// Uploads of bytes that are no longer in the take, or that others took the place of; they are to be ended at their
    /// servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_terminate: Vec<StaleUpload>,
}

/// An upload that holds what was cut since, or that is gone on with no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleUpload {
    pub server: String,
    pub id: String,
}

impl SubmitProgress {
    fn new(server: &str, assignment: AssignmentId) -> Self {
        Self {
            submission_id: SubmissionId(uuid::Uuid::now_v7()),
            server: server.to_owned(),
            assignment,
            stage: RecordingStage::Checked,
            uploads: BTreeMap::new(),
            answer: None,
            confirmed_at: None,
            to_terminate: Vec::new(),
        }
    }

    /// The take is another one now: what was sent is stale, and nothing was handed in.
    pub(crate) fn begin_anew(&mut self) {
        self.forget_uploads();
        let fresh = Self::new(&self.server, self.assignment);
        let before = std::mem::replace(self, fresh);
        self.to_terminate = before.to_terminate;
    }

    /// Keeps how far a track is. An upload that it was sent to before is stale.
    pub(crate) fn keep(&mut self, track: Track, sent: TrackProgress) {
        let id = sent.id.clone();
        if let Some(before) = self.uploads.insert(track, sent).filter(|before| before.id != id) {
            self.to_terminate.push(StaleUpload { server: self.server.clone(), id: before.id });
        }
    }

    /// All tracks are sent anew.
    fn forget_uploads(&mut self) {
        let server = &self.server;
        let stale = std::mem::take(&mut self.uploads).into_values();
        self.to_terminate.extend(stale.map(|sent| StaleUpload { server: server.clone(), id: sent.id }));
    }

    /// Whether the server has had the take for so long that the copy on this computer may go.
    pub fn has_had_its_time(&self, now: OffsetDateTime) -> bool {
        let confirmed = self.confirmed_at.as_ref().filter(|_| self.stage == RecordingStage::Confirmed);
        let confirmed = confirmed.and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok());
        confirmed.is_some_and(|at| now - at >= KEPT)
    }

    /// The servers at which uploads are still to be ended.
    pub(crate) fn servers_to_tell(&self) -> Vec<String> {
        let mut servers: Vec<_> = self.to_terminate.iter().map(|stale| stale.server.clone()).collect();
        servers.sort();
        servers.dedup();
        servers
    }

    /// Forgets the stale uploads of the client's server that `end` could end.
    pub(crate) fn terminate_at(&mut self, client: &Client, mut end: impl FnMut(&Client, &str) -> bool) {
        self.to_terminate.retain(|stale| stale.server != client.server() || !end(client, &stale.id));
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackProgress {
    pub id: String,
    pub bytes: u64,
    pub sha256: String,
    pub done: bool,
    /// Begun while the take was made, so that neither length nor hash was known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_growing: bool,
}

impl TrackProgress {
    pub(crate) fn growing(id: &str) -> Self {
        Self { id: id.to_owned(), bytes: 0, sha256: String::new(), done: false, is_growing: true }
    }
}

/// Bytes of all tracks together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentBytes {
    pub sent_bytes: u64,
    pub total_bytes: u64,
}

/// Told how the handing in is going.
pub trait SubmitListener {
    fn progress(&mut self, progress: SentBytes);
    /// It did not work and is tried again by itself.
    fn waiting(&mut self, waiting: &Waiting);
}

/// How far a folder's handing in has come; `None` where it was never begun.
pub fn read_progress(folder: &Path) -> Result<Option<SubmitProgress>, SubmitError> {
    let path = folder.join(PROGRESS_FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| SubmitError::Disk { path, source: error.into() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SubmitError::Disk { path, source }),
    }
}

/// Uploads a take and hands it in. Returns once the server has compared the hashes and answered; interrupted at any
/// point, the same call goes on. A take that is handed in already answers from the disk.
pub fn submit(
    folder: &Path,
    client: &Client,
    assignment: AssignmentId,
    listener: &mut dyn SubmitListener,
    cancel: &AtomicBool,
) -> Result<Submitted, SubmitError> {
    let spool = Spool::open(folder)?;
    let lock = lock(folder)?;
    let manifest = ready(&spool)?;
    if let Some(recorded) = manifest.assignment_id.filter(|recorded| *recorded != assignment) {
        return Err(SubmitError::OtherAssignment { recorded, given: assignment });
    }
    let mut run = Run { progress: begin(folder, client, assignment)?, folder, client, manifest, listener, cancel };
    if let Some(answer) = &run.progress.answer {
        return Ok(answer.clone());
    }
    run.save()?;
    run.end_stale_uploads()?;
    let submitted = run.deliver();
    drop(lock);
    submitted
}

/// Two programs at one take would each begin an upload.
pub(crate) fn lock(folder: &Path) -> Result<fs::File, SubmitError> {
    let path = folder.join(LOCK_FILE);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|source| SubmitError::Disk { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(SubmitError::Busy),
        Err(fs::TryLockError::Error(source)) => Err(SubmitError::Disk { path, source }),
    }
}

/// The manifest of a take that may be handed in. One that was made whole after a crash is judged first.
fn ready(spool: &Spool) -> Result<Manifest, SubmitError> {
    let mut manifest = spool.read_manifest()?;
    let unready = |hint| Err(SubmitError::Unready { stage: manifest.stage, hint });
    match manifest.stage {
        RecordingStage::Capturing => {
            unready("Wait until it ends; if the recorder was killed, run `recorder recover` on the folder")
        }
        RecordingStage::Broken | RecordingStage::Discarded => unready("Record again"),
        RecordingStage::Stopped => {
            manifest.quality = Some(check(spool.folder(), None, &spool.policy()?)?);
            manifest.stage = manifest.stage.advance(RecordingStage::Checked)?;
            spool.write_manifest(&manifest)?;
            Ok(manifest)
        }
        _ => Ok(manifest),
    }
}

/// What was begun before, if it was the same; otherwise a new beginning.
pub(crate) fn begin(folder: &Path, client: &Client, assignment: AssignmentId) -> Result<SubmitProgress, SubmitError> {
    let before = read_progress(folder)?;
    if let Some(progress) = &before {
        if progress.server == client.server() && progress.assignment == assignment {
            return Ok(progress.clone());
        }
        if let Some(answer) = &progress.answer {
            let SubmitProgress { server, assignment, .. } = progress.clone();
            return Err(SubmitError::AlreadySubmitted { server, assignment, submission: answer.id });
        }
    }
    let mut progress = SubmitProgress::new(client.server(), assignment);
    if let Some(mut before) = before {
        before.begin_anew();
        progress.to_terminate = before.to_terminate;
    }
    Ok(progress)
}

/// Before a take is deleted: ends its uploads that were not handed in. A submission stays; its erasure is asked for at
/// the server. What a server cannot be asked to end now is remembered in the data folder for [`end_later`]; gives those
/// servers.
pub fn end_uploads(
    folder: &Path,
    data_folder: &Path,
    client: &dyn Fn(&str) -> Option<Client>,
) -> Result<Vec<String>, SubmitError> {
    let Some(mut progress) = read_progress(folder)? else { return Ok(Vec::new()) };
    let _lock = lock(folder)?;
    if progress.answer.is_some() {
        progress.uploads.clear();
    }
    progress.begin_anew();
    end_now(&mut progress.to_terminate, client);
    if !progress.to_terminate.is_empty() {
        let mut later = read_later(data_folder)?;
        later.extend(progress.to_terminate.iter().filter(|stale| !later.contains(stale)).cloned().collect::<Vec<_>>());
        write_later(data_folder, &later)?;
    }
    Ok(progress.servers_to_tell())
}

/// Ends the uploads of takes that were deleted while their servers could not be asked.
pub fn end_later(data_folder: &Path, client: &dyn Fn(&str) -> Option<Client>) -> Result<(), SubmitError> {
    let mut later = read_later(data_folder)?;
    let before = later.len();
    end_now(&mut later, client);
    if later.len() < before { write_later(data_folder, &later) } else { Ok(()) }
}

/// Forgets the uploads that could be ended. One that belongs to a submission after all is the server's; a server that
/// does not answer is asked once.
fn end_now(stale: &mut Vec<StaleUpload>, client: &dyn Fn(&str) -> Option<Client>) {
    let mut silent: Vec<String> = Vec::new();
    stale.retain(|upload| {
        if silent.contains(&upload.server) {
            return true;
        }
        let Some(client) = client(&upload.server) else { return true };
        match terminate(&client, &upload.id) {
            Ok(()) => false,
            Err(error) if error.status() == Some(409) => false,
            Err(_) => {
                silent.push(upload.server.clone());
                true
            }
        }
    });
}

fn read_later(data_folder: &Path) -> Result<Vec<StaleUpload>, SubmitError> {
    let path = data_folder.join(LATER_FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| SubmitError::Disk { path, source: error.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(SubmitError::Disk { path, source }),
    }
}

fn write_later(data_folder: &Path, later: &[StaleUpload]) -> Result<(), SubmitError> {
    let path = data_folder.join(LATER_FILE);
    let written = serde_json::to_vec_pretty(later).map_err(io::Error::from).and_then(|text| replace_file(&path, &text));
    written.map_err(|source| SubmitError::Disk { path, source })
}

struct Run<'a> {
    progress: SubmitProgress,
    folder: &'a Path,
    client: &'a Client,
    manifest: Manifest,
    listener: &'a mut dyn SubmitListener,
    cancel: &'a AtomicBool,
}

impl Run<'_> {
    fn save(&self) -> Result<(), SubmitError> {
        let path = self.folder.join(PROGRESS_FILE);
        write_progress(self.folder, &self.progress).map_err(|source| SubmitError::Disk { path, source })
    }

    fn advance(&mut self, to: RecordingStage) -> Result<(), SubmitError> {
        if self.progress.stage != to {
            self.progress.stage = self.progress.stage.advance(to)?;
            self.save()?;
        }
        Ok(())
    }

    /// Nothing is handed in while the server still holds bytes that were cut, or an upload that nobody goes on with.
    fn end_stale_uploads(&mut self) -> Result<(), SubmitError> {
        let (client, cancel, listener) = (self.client, self.cancel, &mut self.listener);
        let mut failed = None;
        self.progress.terminate_at(client, |client, id| {
            let ended =
                client.retrying(cancel, &mut |waiting| listener.waiting(waiting), |client| terminate(client, id));
            ended.map_err(|error| failed = Some(error)).is_ok()
        });
        self.save()?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    fn deliver(&mut self) -> Result<Submitted, SubmitError> {
        let mut is_second = false;
        loop {
            self.send_tracks()?;
            if !self.progress.to_terminate.is_empty() {
                self.end_stale_uploads()?;
            }
            self.advance(RecordingStage::Delivered)?;
            match self.hand_in() {
                Ok(answer) => {
                    self.progress.answer = Some(answer.clone());
                    self.progress.confirmed_at = Some(utc_now());
                    self.advance(RecordingStage::Confirmed)?;
                    return Ok(answer);
                }
                Err(error) if !is_second && self.can_mend(&error) => is_second = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether sending again may help, and what of it.
    fn can_mend(&mut self, error: &ClientError) -> bool {
        match error.code() {
            Some(ErrorCode::HashMismatch) => {
                self.progress.forget_uploads();
                true
            }
            // An upload may have expired since; asking for each of them tells which.
            Some(ErrorCode::NotFound | ErrorCode::UploadExpired) => {
                self.progress.uploads.values_mut().for_each(|track| track.done = false);
                true
            }
            _ => false,
        }
    }

    fn send_tracks(&mut self) -> Result<(), SubmitError> {
        let all = [(Track::Video, VIDEO_FILE), (Track::Events, EVENTS_FILE)];
        let mut tracks = Vec::new();
        for (track, name) in all {
            let path = self.folder.join(name);
            if track == Track::Video || path.is_file() {
                tracks.push((track, name, FileSource::open(&path)?, path));
            }
        }
        let total_bytes = tracks.iter().filter_map(|(_, _, source, _)| source.len()).sum();
        let mut before = 0;
        for (track, name, source, path) in tracks {
            let bytes = source.len().unwrap_or_default();
            let recorded = self.manifest.files.get(name).cloned();
            if recorded.as_ref().is_some_and(|recorded| recorded.bytes != bytes) {
                return Err(SubmitError::Changed { path });
            }
            let begun = self.progress.uploads.get(&track);
            let is_same = |begun: &&TrackProgress| {
                let is_known = recorded.as_ref().is_none_or(|recorded| recorded.sha256 == begun.sha256);
                begun.is_growing || (begun.bytes == bytes && is_known)
            };
            let begun = begun.filter(is_same).cloned();
            if !begun.as_ref().is_some_and(|begun| begun.done) {
                self.advance(RecordingStage::Uploading)?;
                let sha256 = recorded.as_ref().map(|recorded| recorded.sha256.clone()).unwrap_or_default();
                let resume = begun.map(|begun| begun.id);
                let mut observer =
                    TrackObserver { run: self, kept: (track, bytes, sha256), before_bytes: before, total_bytes };
                let (client, cancel) = (observer.run.client, observer.run.cancel);
                let uploaded = upload(client, &source, resume.as_deref(), &mut observer, cancel)?;
                if recorded.is_some_and(|recorded| recorded.sha256 != uploaded.sha256) {
                    return Err(SubmitError::Changed { path });
                }
                let done =
                    TrackProgress { id: uploaded.id, bytes, sha256: uploaded.sha256, done: true, is_growing: false };
                self.progress.keep(track, done);
                self.save()?;
            }
            before += bytes;
            self.listener.progress(SentBytes { sent_bytes: before, total_bytes });
        }
        Ok(())
    }

    fn hand_in(&mut self) -> Result<Submitted, ClientError> {
        let uploads = self.progress.uploads.iter().map(|(track, sent)| UploadRef {
            track: *track,
            upload_id: sent.id.clone(),
            bytes: sent.bytes,
            sha256: sent.sha256.clone(),
        });
        let request = SubmitRequest {
            id: self.progress.submission_id,
            assignment_id: self.progress.assignment,
            uploads: uploads.collect(),
            manifest: self.manifest.clone(),
        };
        let listener = &mut self.listener;
        self.client.retrying(self.cancel, &mut |waiting| listener.waiting(waiting), |client| client.submit(&request))
    }
}

pub(crate) fn write_progress(folder: &Path, progress: &SubmitProgress) -> io::Result<()> {
    replace_file(&folder.join(PROGRESS_FILE), &serde_json::to_vec_pretty(progress)?)
}

/// Keeps the upload's id and tells of the bytes.
struct TrackObserver<'run, 'a> {
    run: &'run mut Run<'a>,
    kept: (Track, u64, String),
    before_bytes: u64,
    total_bytes: u64,
}

impl UploadObserver for TrackObserver<'_, '_> {
    fn created(&mut self, upload_id: &str) -> io::Result<()> {
        let (track, bytes, sha256) = self.kept.clone();
        let begun = TrackProgress { id: upload_id.to_owned(), bytes, sha256, done: false, is_growing: false };
        self.run.progress.keep(track, begun);
        write_progress(self.run.folder, &self.run.progress)
    }

    fn sent(&mut self, offset: u64, _: Option<u64>) {
        let progress = SentBytes { sent_bytes: self.before_bytes + offset, total_bytes: self.total_bytes };
        self.run.listener.progress(progress);
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.run.listener.waiting(waiting);
    }
}

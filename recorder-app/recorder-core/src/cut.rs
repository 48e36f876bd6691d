//! Taking a stretch of time out of a finished take: picture, sound and events, for good.
//!
//! The new files are made in a folder of their own, `cut.part`. Giving that folder its second name, `cut.whole`, is the
//! moment of the cut: killed before, the old take is whole; killed after, whoever opens the take next moves the new
//! files into place ([`settle`]). Bytes that were sent to a server before are ended there first; where the server does
//! not answer, `upload.json` remembers what is still to be ended, and nothing is handed in before it is.

use std::fs;
use std::io;
use std::path::Path;

use ingest_client::Client;
use ingest_client::upload::terminate;
use media::cut::{CutError as VideoError, cut as cut_video};
use media::journal::sync_folder;
use shared_types::event::{InputEvent, InputEventKind, parse_events};
use shared_types::quality::measurements::Span;
use shared_types::recording::{EVENTS_FILE, FrameCounts, MANIFEST_FILE, Manifest, RecordingStage, VIDEO_FILE};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::check::{CheckError, check};
use crate::events::lines;
use crate::spool::{Spool, SpoolError, replace_file};
use crate::submit::{PROGRESS_FILE, SubmitError, SubmitProgress, lock, read_progress, write_progress};
use crate::take::utc_text;
use crate::voice::VOICE_FILE;

const PART: &str = "cut.part";
const WHOLE: &str = "cut.whole";

#[derive(Debug, thiserror::Error)]
pub enum CutError {
    #[error("{from} to {to} is no stretch of time. Give seconds of the take, the smaller one first")]
    Range { from: f64, to: f64 },
    #[error(transparent)]
    Video(#[from] VideoError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("this take is {stage}, so nothing can be cut from it. {hint}")]
    Unready { stage: RecordingStage, hint: &'static str },
    #[error(
        "this take was handed in to {server}, which holds all of it; nothing was changed. Ask there for it to be erased"
    )]
    HandedIn { server: String },
    #[error(
        "this take was sent to {server} completely, and only the server knows whether it was handed in. \
         Nothing was changed. Try again when the server can be reached"
    )]
    Unsure { server: String },
}

/// What [`cut`] did.
#[derive(Debug, Clone)]
pub struct CutReport {
    /// What is gone, in the time of the take as it was.
    pub removed: Span,
    pub manifest: Manifest,
    /// Servers that still hold bytes sent earlier, because they did not answer.
    pub still_held_by: Vec<String>,
}

/// Removes the time from `from` to `to`, widened to whole fragments. `client` gives the way to a server that bytes were
/// sent to earlier.
pub fn cut(folder: &Path, from: f64, to: f64, client: &dyn Fn(&str) -> Option<Client>) -> Result<CutReport, CutError> {
    if !(from.is_finite() && to.is_finite() && from >= 0.0 && to > from) {
        return Err(CutError::Range { from, to });
    }
    let spool = Spool::open(folder)?;
    let lock = lock(folder)?;
    settle_held(folder)?;
    let mut manifest = spool.read_manifest()?;
    let unready = |hint| Err(CutError::Unready { stage: manifest.stage, hint });
    match manifest.stage {
        RecordingStage::Capturing => {
            return unready("Wait until it ends; if the recorder was killed, run `recorder recover` on the folder");
        }
        RecordingStage::Broken | RecordingStage::Discarded => return unready("Record again"),
        _ => {}
    }
    let part = folder.join(PART);
    let removed = remake(&spool, &part, &mut manifest, from, to).inspect_err(|_| drop(fs::remove_dir_all(&part)))?;
    let still_held_by = match read_progress(folder)? {
        Some(progress) => {
            end_early_upload(folder, progress, client).inspect_err(|_| drop(fs::remove_dir_all(&part)))?
        }
        None => Vec::new(),
    };
    let publish = || {
        sync_folder(&part)?;
        fs::rename(&part, folder.join(WHOLE))?;
        sync_folder(folder)
    };
    publish().map_err(|source| SpoolError::Disk { path: part.clone(), source })?;
    settle_held(folder)?;
    let policy = manifest.quality.take().map_or_else(|| spool.policy(), |quality| Ok(quality.policy))?;
    manifest.quality = Some(check(folder, None, &policy)?);
    manifest.stage = RecordingStage::Checked;
    spool.write_manifest(&manifest)?;
    drop(lock);
    Ok(CutReport { removed, manifest, still_held_by })
}

/// Makes the files without the removed time in `part`.
fn remake(spool: &Spool, part: &Path, manifest: &mut Manifest, from: f64, to: f64) -> Result<Span, CutError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| SpoolError::Disk { path, source }
    };
    make_owners(part).map_err(disk(part))?;
    let video = cut_video(&spool.video_path(), &part.join(VIDEO_FILE), from, to)?;
    let removed = video.removed;
    let quality = manifest.quality.take();
    leave_out(manifest, &removed);
    manifest.fragments = video.fragments;
    manifest.stage = RecordingStage::Stopped;
    manifest.files.clear();
    manifest.files.insert(VIDEO_FILE.to_owned(), video.file);
    let events = spool.events_path();
    if events.is_file() {
        let text = fs::read(&events).map_err(disk(&events))?;
        let told = parse_events(&String::from_utf8_lossy(&text))
            .map_err(|source| CheckError::Events { path: events.clone(), source })?;
        let path = part.join(EVENTS_FILE);
        let written = lines(&without(told, &removed)).and_then(|text| {
            replace_file(&path, &text)?;
            media::journal::hash_file(&path)
        });
        manifest.files.insert(EVENTS_FILE.to_owned(), written.map_err(disk(&path))?);
    }
    let path = part.join(MANIFEST_FILE);
    let text = serde_json::to_vec_pretty(manifest).map_err(io::Error::from);
    text.and_then(|text| replace_file(&path, &text)).map_err(disk(&path))?;
    // Kept for the policy that the take was judged by.
    manifest.quality = quality;
    Ok(removed)
}

fn make_owners(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Finishes or forgets a cut that was interrupted. While another program is at the take, that is its own affair.
pub(crate) fn settle(folder: &Path) -> Result<(), SpoolError> {
    if !folder.join(PART).exists() && !folder.join(WHOLE).exists() {
        return Ok(());
    }
    match lock(folder) {
        Ok(_lock) => settle_held(folder),
        Err(_) => Ok(()),
    }
}

fn settle_held(folder: &Path) -> Result<(), SpoolError> {
    let whole = folder.join(WHOLE);
    let move_in = || -> io::Result<()> {
        match fs::remove_dir_all(folder.join(PART)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if whole.exists() {
            // Where the voice was saved apart, what was cut out of the sound is in there too.
            match fs::remove_file(folder.join(VOICE_FILE)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        // The manifest last: with it the take is again what it says of itself.
        for name in [VIDEO_FILE, EVENTS_FILE, MANIFEST_FILE] {
            match fs::rename(whole.join(name), folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match fs::remove_dir_all(&whole) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        sync_folder(folder)
    };
    move_in().map_err(|source| SpoolError::Disk { path: whole.clone(), source })
}

/// What was sent before is not to be kept anywhere. Gives the servers that could not be asked.
fn end_early_upload(
    folder: &Path,
    mut progress: SubmitProgress,
    client: &dyn Fn(&str) -> Option<Client>,
) -> Result<Vec<String>, CutError> {
    if progress.answer.is_some() || progress.stage == RecordingStage::Confirmed {
        return Err(CutError::HandedIn { server: progress.server });
    }
    let save = |progress: &SubmitProgress| {
        write_progress(folder, progress)
            .map_err(|source| SubmitError::Disk { path: folder.join(PROGRESS_FILE), source })
    };
    if progress.stage == RecordingStage::Delivered {
        // Its hash may have been compared already; then the upload is the server's and cannot be ended.
        let server = progress.server.clone();
        let client = client(&server).ok_or_else(|| CutError::Unsure { server: server.clone() })?;
        for sent in progress.uploads.values() {
            match terminate(&client, &sent.id) {
                Ok(()) => {}
                Err(error) if error.status() == Some(409) => return Err(CutError::HandedIn { server }),
                Err(_) => return Err(CutError::Unsure { server }),
            }
        }
        progress.uploads.clear();
    }
    progress.begin_anew();
    save(&progress)?;
    for server in progress.servers_to_tell() {
        if let Some(client) = client(&server) {
            progress.terminate_at(&client, |client, id| terminate(client, id).is_ok());
            save(&progress)?;
        }
    }
    Ok(progress.servers_to_tell())
}

/// The events without those of the removed time. What the window and the pointer were at its end is told at the cut, for
/// it can be seen behind it.
fn without(events: Vec<InputEvent>, removed: &Span) -> Vec<InputEvent> {
    let length = removed.end - removed.start;
    let (mut kept, mut window, mut pointer) = (Vec::new(), None, None);
    let mut behind = Vec::new();
    for mut event in events {
        if event.t >= removed.end {
            let moved = |t: f64| ((t - length) * 1e3).round() / 1e3;
            event.t = moved(event.t);
            match &mut event.kind {
                InputEventKind::Click { t_up: t_end, .. } | InputEventKind::Type { t_end, .. } => {
                    *t_end = moved(*t_end);
                }
                _ => {}
            }
            behind.push(event);
        } else if event.t_end() < removed.start {
            kept.push(event);
        } else if matches!(event.kind, InputEventKind::Window { .. }) {
            window = Some(event.kind);
        } else if matches!(event.kind, InputEventKind::Move { .. }) {
            pointer = Some(event.kind);
        }
    }
    let t = (removed.start * 1e3).round() / 1e3;
    let told = [Some(InputEventKind::Cut), window, pointer];
    kept.extend(told.into_iter().flatten().map(|kind| InputEvent { t, kind }));
    kept.extend(behind);
    kept
}

/// The manifest's own times without the removed one.
fn leave_out(manifest: &mut Manifest, removed: &Span) {
    let length = removed.end - removed.start;
    let moved = |t: f64| if t >= removed.end { t - length } else { t.min(removed.start) };
    if removed.start <= 0.0 {
        let paused: f64 = manifest.pauses.iter().filter(|pause| pause.t < removed.end).map(|pause| pause.secs).sum();
        begin_later(manifest, length + paused);
    }
    manifest.pauses.retain(|pause| !(removed.start..removed.end).contains(&pause.t));
    manifest.pauses.iter_mut().for_each(|pause| pause.t = moved(pause.t));
    manifest.gaps.iter_mut().for_each(|gap| *gap = Span::new(moved(gap.start), moved(gap.end)));
    manifest.gaps.retain(|gap| gap.end > gap.start);
    manifest.health.iter_mut().for_each(|event| event.t = moved(event.t));
    manifest.frames = frames_without(&manifest.frames, removed, manifest.screen.fps);
    manifest.cuts.push(*removed);
}

/// Media time zero lies later on the other clocks.
fn begin_later(manifest: &mut Manifest, secs: f64) {
    let nanos = (secs * 1e9).round() as i64;
    let clock = &mut manifest.clock;
    clock.first_frame_monotonic_nanos += nanos;
    if let Some(first) = clock.first_sample_monotonic_nanos.as_mut() {
        *first = clock.first_frame_monotonic_nanos.max(*first);
    }
    if let Ok(started) = OffsetDateTime::parse(&clock.started_at, &Rfc3339) {
        clock.started_at = utc_text(started + time::Duration::nanoseconds(nanos));
    }
}

fn frames_without(frames: &FrameCounts, removed: &Span, fps: u32) -> FrameCounts {
    let length = removed.end - removed.start;
    let (mut kept, mut dropped) = (FrameCounts::default(), 0);
    for (&second, &count) in &frames.dropped_per_second {
        let t = second as f64;
        if t >= removed.start && t < removed.end {
            dropped += u64::from(count);
        } else {
            let second = if t >= removed.end { (t - length).max(0.0) as u64 } else { second };
            *kept.dropped_per_second.entry(second).or_default() += count;
        }
    }
    let due = (length * f64::from(fps)).round() as u64;
    kept.due = frames.due.saturating_sub(due);
    kept.captured = frames.captured.saturating_sub(due.saturating_sub(dropped)).min(kept.due);
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A take of 10 s at 15 pictures a second that was paused at 2 s for 10 s and at 5 s for 4 s.
    fn manifest() -> Manifest {
        let health = [1.0, 4.0, 8.0].map(|t| json!({"t": t, "kind": "idle", "sentence": ""}));
        let manifest = json!({
            "format": 1, "id": "0190d2a4-0000-7000-8000-0000000000ff", "stage": "checked", "goal": null, "campaign_id": null,
            "assignment_id": null, "tier": null, "app_version": "0", "system": {"os": "", "arch": "", "display": ""},
            "clock": {"started_at": "2026-01-01T00:00:00.000Z", "first_frame_monotonic_nanos": 0,
                      "first_sample_monotonic_nanos": 5, "av_offset_ms": null},
            "screen": {"id": "", "name": "", "width": 2, "height": 2, "picture_width": 2, "picture_height": 2, "fps": 15},
            "microphone": null, "input_events": {"recorded": true, "reason": null},
            "encoder": {"video": "", "audio": null, "library": "", "probes": []}, "fragments": [], "cuts": [],
            "pauses": [{"t": 2.0, "secs": 10.0}, {"t": 5.0, "secs": 4.0}], "gaps": [{"start": 3.0, "end": 3.5}],
            "drift": {"ppm": null, "worst_offset_ms": null, "filled_ms": 0.0, "skipped_ms": 0.0},
            "frames": {"due": 150, "captured": 146, "dropped_per_second": {"0": 1, "4": 2, "8": 1}},
            "health": health, "consent": null, "quality": null, "files": {},
        });
        serde_json::from_value(manifest).unwrap()
    }

    #[test]
    fn the_manifests_own_times_follow_a_cut_wherever_it_lies() {
        struct Row {
            cut: (f64, f64),
            pauses: &'static [(f64, f64)],
            gaps: &'static [(f64, f64)],
            health: [f64; 3],
            dropped: &'static [(u64, u32)],
            counts: (u64, u64),
            later_secs: i64,
        }
        const BOTH: &[(f64, f64)] = &[(2.0, 10.0), (5.0, 4.0)];
        const GAP: &[(f64, f64)] = &[(3.0, 3.5)];
        let rows = [
            // At the beginning, over the first pause: media time zero lies after it.
            Row {
                cut: (0.0, 3.0),
                pauses: &[(2.0, 4.0)],
                gaps: &[(0.0, 0.5)],
                health: [0.0, 1.0, 5.0],
                dropped: &[(1, 2), (5, 1)],
                counts: (105, 102),
                later_secs: 13,
            },
            // At the end.
            Row {
                cut: (7.0, 10.0),
                pauses: BOTH,
                gaps: GAP,
                health: [1.0, 4.0, 7.0],
                dropped: &[(0, 1), (4, 2)],
                counts: (105, 102),
                later_secs: 0,
            },
            // Over the second pause.
            Row {
                cut: (4.0, 6.0),
                pauses: &[(2.0, 10.0)],
                gaps: GAP,
                health: [1.0, 4.0, 6.0],
                dropped: &[(0, 1), (6, 1)],
                counts: (120, 118),
                later_secs: 0,
            },
            // Between them, with the gap in it: a pause at the end of a cut stays.
            Row {
                cut: (3.0, 5.0),
                pauses: &[(2.0, 10.0), (3.0, 4.0)],
                gaps: &[],
                health: [1.0, 3.0, 6.0],
                dropped: &[(0, 1), (6, 1)],
                counts: (120, 118),
                later_secs: 0,
            },
        ];
        for row in rows {
            let mut manifest = manifest();
            let removed = Span::new(row.cut.0, row.cut.1);
            leave_out(&mut manifest, &removed);
            let cut = row.cut;
            let pauses: Vec<_> = manifest.pauses.iter().map(|pause| (pause.t, pause.secs)).collect();
            let gaps: Vec<_> = manifest.gaps.iter().map(|gap| (gap.start, gap.end)).collect();
            let health: Vec<_> = manifest.health.iter().map(|event| event.t).collect();
            let dropped: Vec<_> = manifest.frames.dropped_per_second.into_iter().collect();
            assert_eq!((pauses.as_slice(), gaps.as_slice()), (row.pauses, row.gaps), "{cut:?}");
            assert_eq!((health.as_slice(), dropped.as_slice()), (&row.health[..], row.dropped), "{cut:?}");
            assert_eq!((manifest.frames.due, manifest.frames.captured), row.counts, "{cut:?}");
            assert_eq!(manifest.cuts, [removed]);
            assert_eq!(manifest.clock.first_frame_monotonic_nanos, row.later_secs * 1_000_000_000, "{cut:?}");
            let started = format!("2026-01-01T00:00:{:02}.000Z", row.later_secs);
            assert_eq!(manifest.clock.started_at, started, "{cut:?}");
            assert!(manifest.clock.first_sample_monotonic_nanos >= Some(row.later_secs * 1_000_000_000));
        }
    }
}

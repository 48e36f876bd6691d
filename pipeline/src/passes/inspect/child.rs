//! The limited child process: decodes once, measures, and leaves its findings in a folder.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use media::decode::Picture;
use media::examine::{Beside, Observer, examine};
use media::journal::hash_file;
use media::measure::activity::acts_print;
use media::measure::fingerprint::{PictureFingerprinter, SoundFingerprinter};
use shared_types::event::{InputEvent, parse_events};
use shared_types::fingerprint::Fingerprints;

use super::pick::{Keep, Picker};
use super::{Findings, TRACE_FILE, Task, VOICE_FILE};
use crate::passes::limited::{self, Pulse};
use crate::passes::trace::Tracer;

/// Name of the hidden command that runs the child.
pub const COMMAND: &str = "inspect-child";

/// Runs the task described in a file.
pub fn run(task_path: &Path) -> io::Result<()> {
    limited::work(task_path, look)
}

fn look(task: Task) -> io::Result<Findings> {
    let events = task.events.as_ref().map(fs::read).transpose()?;
    let events = events
        .map(|bytes| {
            parse_events(&String::from_utf8_lossy(&bytes))
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        })
        .transpose()?;
    let manifest = task.manifest.as_ref().map(fs::read).transpose()?;
    let manifest = manifest.map(|text| serde_json::from_slice(&text)).transpose()?;
    let has_input = events.as_ref().is_some_and(|events| events.iter().any(InputEvent::is_input));
    let (keep, tracer) =
        if has_input { (Keep::Wanted(task.wants), None) } else { (Keep::Happenings, Some(Tracer::default())) };
    let mut looker = Looker {
        tracer,
        picker: Picker::new(keep, &task.folder),
        voice: BufWriter::new(File::create(task.folder.join(VOICE_FILE))?),
        pictures: PictureFingerprinter::default(),
        sounds: SoundFingerprinter::default(),
        pulse: Pulse::default(),
        failed: Ok(()),
    };
    let beside = Beside { events: events.as_deref(), manifest: manifest.as_ref() };
    let measurements = examine(&task.video, beside, &mut looker)?;
    looker.failed?;
    looker.voice.flush()?;
    let end = measurements.active_secs.unwrap_or(0.0);
    if let Some(tracer) = looker.tracer.take() {
        fs::write(task.folder.join(TRACE_FILE), serde_json::to_vec(&tracer.finish())?)?;
    }
    let (pictures, wanted) = looker.picker.finish(end)?;
    let (picture, changes) = looker.pictures.finish(end);
    let fingerprints = Fingerprints {
        sha256: hash_file(&task.video)?.sha256,
        picture,
        changes,
        sound: looker.sounds.finish(),
        acts: events.as_deref().map(acts_print).unwrap_or_default(),
    };
    Ok(Findings { measurements, fingerprints, pictures, wanted })
}

struct Looker {
    /// Only where no input events tell what was done.
    tracer: Option<Tracer>,
    picker: Picker,
    voice: BufWriter<File>,
    pictures: PictureFingerprinter,
    sounds: SoundFingerprinter,
    pulse: Pulse,
    failed: io::Result<()>,
}

impl Observer for Looker {
    fn picture(&mut self, picture: &mut Picture<'_>, changed: bool) {
        let t = picture.t.secs();
        if changed && let Some(luma) = picture.luma() {
            self.pictures.push(luma, t);
        }
        let sight = match (&mut self.tracer, picture.luma()) {
            (Some(tracer), Some(luma)) => tracer.push(luma, t, changed),
            _ => None,
        };
        let picked = self.picker.push(picture, changed, sight);
        if self.failed.is_ok() {
            self.failed = picked;
        }
    }

    fn voice(&mut self, samples: &[f32]) {
        self.sounds.push(samples);
        for sample in samples {
            if self.failed.is_ok() {
                self.failed = self.voice.write_all(&sample.to_le_bytes());
            }
        }
    }

    fn progress(&mut self, secs: f64) -> ControlFlow<()> {
        if self.failed.is_err() {
            return ControlFlow::Break(());
        }
        self.pulse.tell(secs)
    }
}

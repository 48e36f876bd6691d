//! The part of a run that finds what is private, takes it out, and makes what others may watch.

use std::path::Path;

use shared_types::redaction::Redaction;

use super::read::Reader;
use super::senses::Heard;
use super::{RunError, Take, bar};
use crate::pass::Stopwatch;
use crate::passes::inspect::Findings;
use crate::passes::playback::{self, PlaybackError};
use crate::passes::redact::cover::Cover;
use crate::passes::redact::{self, Redactor};
use crate::passes::steps::acts;

/// What of a take is private, and where.
pub(super) struct Private {
    pub(super) redactor: Redactor,
    pub(super) plan: Redaction,
    pub(super) cover: Cover,
}

/// Looks through everything that was read, heard and told.
pub(super) fn redactor(findings: &Findings, acts: &[acts::Act], reader: &Reader, heard: &Heard) -> Redactor {
    let titles: Vec<&str> = acts.iter().filter_map(|act| act.kind.title()).collect();
    let end = findings.measurements.active_secs.unwrap_or(0.0);
    let mut redactor = Redactor::new(&reader.screens(), end, &heard.transcript, &titles);
    redactor.add_left_out(&heard.transcript, &heard.left_out);
    redactor
}

impl Take {
    /// Takes what is private out of all that the later passes see. `spoken` is what was private in other words for the
    /// same sound.
    pub(super) fn redact(
        &mut self,
        findings: &Findings,
        reader: &mut Reader,
        mut heard: Heard,
        mut acts: Vec<acts::Act>,
        spoken: Option<Redactor>,
    ) -> Result<(Heard, Vec<acts::Act>, Private), RunError> {
        let watch = Stopwatch::start(redact::NAME, redact::VERSION);
        let mut redactor = redactor(findings, &acts, reader, &heard);
        if let Some(spoken) = spoken {
            redactor.add_spoken(spoken);
        }
        let titles: Vec<(f64, &str)> =
            acts.iter().filter_map(|act| act.kind.title().map(|title| (act.t, title))).collect();
        let plan = redactor.plan(&titles);
        let cover = reader.redact(&redactor, findings.measurements.active_secs.unwrap_or(0.0))?;
        heard.transcript = redactor.transcript(&heard.transcript).into_inner();
        for act in &mut acts {
            if let acts::ActKind::Title { title } = &mut act.kind {
                *title = redactor.text(title).into_inner();
            }
        }
        self.passes.push(watch.stop());
        Ok((heard, acts, Private { redactor, plan, cover }))
    }

    /// What the review page plays, beside the other files of the result.
    pub(super) fn make_playback(&mut self, program: &Path, cover: Cover) -> Result<(), RunError> {
        let watch = Stopwatch::start(playback::NAME, playback::VERSION);
        let cover = if self.recording.policy.redact_playback { cover } else { Cover::default() };
        let bar = bar("Copying", 0);
        let folder = self.scratch.result();
        let stop = self.scratch.stop();
        let progress = |secs: f64| bar.set_position(secs as u64);
        match playback::make(program, &self.recording.video, &folder, cover, stop, progress) {
            // A bad recording is a result: the page says that there is no copy.
            Ok(_) | Err(PlaybackError::NothingPlays) => {}
            Err(error) => return Err(error.into()),
        }
        bar.finish_and_clear();
        self.passes.push(watch.stop());
        Ok(())
    }
}

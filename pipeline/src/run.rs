//! `pipeline run`: one recording through every pass, into one folder.
//!
//! The folder appears whole or not at all: everything is written beside it first and takes its name at the end.

mod finished;
mod hosted;
mod input;
mod private;
mod read;
mod scratch;
mod senses;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indicatif::{ProgressBar, ProgressStyle};
use shared_types::event::InputEvent;
use shared_types::example::Example;
use shared_types::quality::flag::Verdict;
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::quality::measurements::{GoalMeasures, Measurements};
use shared_types::step::Step;
use shared_types::summary::{Costs, PassRun, Summary};
use shared_types::transcript::Transcript;

pub(crate) use self::finished::sweep;
use self::finished::{Finished, Pass};
use self::hosted::Asked;
pub use self::input::InputError;
use self::input::Recording;
use self::private::Private;
use self::read::Reader;
use self::scratch::Scratch;
use self::senses::Heard;
use crate::config::Config;
use crate::models::error::ModelError;
use crate::models::net::NetError;
use crate::models::ocr::OcrError;
use crate::models::whisper::{WhisperFailure, default_threads};
use crate::output::{examples, report, table};
use crate::pass::Stopwatch;
use crate::passes::inspect::{self, Findings, Task, Want};
use crate::passes::limited::ChildError;
use crate::passes::playback::PlaybackError;
use crate::passes::steps::{self, ActPictures, ReadPicture, acts, sight};
use crate::passes::{goal, trace, transcribe};
use crate::providers::settings::HostedSettings;
use crate::store::{StoreError, match_and_keep};

const INSPECT: Pass = (inspect::NAME, inspect::VERSION);
const READ: Pass = (read::NAME, read::VERSION);
const TRANSCRIBE: Pass = (transcribe::NAME, transcribe::VERSION);

#[derive(Debug, Clone)]
pub struct RunOptions {
    pub input: PathBuf,
    pub out: PathBuf,
    pub events: Option<PathBuf>,
    pub goal: Option<String>,
    pub policy: Option<PathBuf>,
    pub store: Option<PathBuf>,
    /// Whether to make what the review page plays too.
    pub playback: bool,
    /// Threads for the models; half as many as cores by default.
    pub threads: Option<usize>,
    /// Who explains the Steps, beside the rules.
    pub hosted: Option<HostedSettings>,
    /// Where finished passes wait for the run's end; beside the result by default.
    pub finished: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Ocr(#[from] OcrError),
    #[error(transparent)]
    Whisper(#[from] WhisperFailure),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the hosted models cannot be asked: {0}")]
    Hosted(#[from] ingest_client::ClientError),
    #[error(transparent)]
    Playback(#[from] PlaybackError),
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
    #[error(
        "{path}, where finished passes wait for the run's end, cannot be used: {source}. Give another --out, or remove it \
         when no other run uses it"
    )]
    Finished { path: PathBuf, source: io::Error },
    #[error("the picture {0} that the inspection left cannot be read")]
    Picture(String),
}

impl RunError {
    /// Whether the command was given something that is not there or not what it should be.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Input(_) | Self::Hosted(_))
    }
}

/// All that a run found, as it lies in the folder.
#[derive(Debug)]
pub struct RunResult {
    pub quality: QualityReport,
    pub transcript: Transcript,
    pub steps: Vec<Step>,
    pub examples: Vec<Example>,
    pub summary: Summary,
    pub report: PathBuf,
}

/// Runs every pass over one recording and gives what a person wants to read of it.
pub fn run(options: &RunOptions, config: &Config, program: &Path) -> Result<RunResult, RunError> {
    let recording = Recording::open(options)?;
    let disk = |source| RunError::Disk { path: options.out.clone(), source };
    let scratch = Scratch::beside(&options.out).map_err(disk)?;
    let top = options.finished.clone().unwrap_or_else(|| beside(&options.out));
    let whisper = format!("{:?}", config.whisper);
    let also = [recording.policy.language.as_str(), whisper.as_str()];
    let finished = Finished::open(&top, &recording, &also, &[INSPECT, READ, TRANSCRIBE]);
    let finished = finished.map_err(|source| RunError::Finished { path: top, source })?;
    let threads = options.threads.unwrap_or_else(default_threads);
    let asked = options.hosted.clone().map(Asked::new).transpose()?;
    let mut take = Take { recording, scratch, finished, threads, passes: Vec::new(), asked };
    let (findings, acts) = take.inspect(program)?;
    let (mut reader, heard) = take.read_and_hear(&findings, config)?;
    let (heard, spoken) = take.hear_hosted(&findings, &acts, &reader, heard)?;
    // From here on nothing private is in what was read, heard or told.
    let (heard, acts, private) = take.redact(&findings, &mut reader, heard, acts, spoken)?;
    let mut steps = take.build_steps(&findings, &acts, &heard.transcript, &mut reader)?;
    take.explain(&private, &heard.transcript, &mut reader, &mut steps);
    take.conclude(options, program, findings, &reader, Gathered { heard, private, steps })
}

/// `.NAME.passes` beside the result.
fn beside(out: &Path) -> PathBuf {
    let name = out.file_name().map_or_else(|| "result".to_owned(), |name| name.to_string_lossy().into_owned());
    out.with_file_name(format!(".{name}.passes"))
}

struct Take {
    recording: Recording,
    scratch: Scratch,
    finished: Finished,
    threads: usize,
    passes: Vec<PassRun>,
    asked: Option<Asked>,
}

/// What the passes before the judgement found.
struct Gathered {
    heard: Heard,
    private: Private,
    steps: Vec<Step>,
}

impl Take {
    fn inspect(&mut self, program: &Path) -> Result<(Findings, Vec<acts::Act>), RunError> {
        // What the hand did is all that is needed of them; where the pointer went is most of them.
        let events = self.recording.events.take().unwrap_or_default();
        let has_input = events.iter().any(InputEvent::is_input);
        let acts = if has_input { acts::from_events(&events) } else { Vec::new() };
        let mut findings = if let Some((run, findings)) = self.finished.found::<Findings>(INSPECT) {
            self.passes.push(run);
            findings
        } else {
            let wants = acts::wants(&acts, &events);
            drop(events);
            self.inspect_anew(program, wants)?
        };
        let acts = if acts.is_empty() { self.look(&mut findings)? } else { acts };
        Ok((findings, acts))
    }

    fn inspect_anew(&mut self, program: &Path, wants: Vec<Want>) -> Result<Findings, RunError> {
        let watch = Stopwatch::start(inspect::NAME, inspect::VERSION);
        let folder = self.finished.begin_folder(INSPECT).map_err(|source| self.disk(source))?;
        let task = Task {
            video: self.recording.video.clone(),
            events: self.recording.events_path.clone(),
            manifest: self.recording.manifest_path.clone(),
            wants,
            folder,
        };
        let bar = bar("Looking", 0);
        let findings = inspect::inspect(program, &task, self.scratch.stop(), |secs| bar.set_position(secs as u64));
        bar.finish_and_clear();
        let (findings, run) = (findings?, watch.stop());
        self.finished.keep_folder(INSPECT, &run, &findings).map_err(|source| self.disk(source))?;
        self.passes.push(run);
        Ok(findings)
    }

    fn disk(&self, source: io::Error) -> RunError {
        RunError::Disk { path: self.finished.files(INSPECT), source }
    }

    /// What was done as far as the screen shows it, where no input events tell.
    fn look(&self, findings: &mut Findings) -> Result<Vec<acts::Act>, RunError> {
        let trace = inspect::read_trace(&self.finished.files(INSPECT)).map_err(|source| self.disk(source))?;
        let seen = trace::acts::acts(&trace);
        trace.measure(&seen, &mut findings.measurements);
        let acts = sight::from_trace(&seen);
        findings.wanted = sight::pictures(&acts, &findings.pictures);
        Ok(acts)
    }

    fn build_steps(
        &mut self,
        findings: &Findings,
        acts: &[acts::Act],
        transcript: &Transcript,
        reader: &mut Reader,
    ) -> Result<Vec<Step>, RunError> {
        let watch = Stopwatch::start(steps::NAME, steps::VERSION);
        let mut picture = |want: usize| -> Result<Option<Rc<ReadPicture>>, RunError> {
            findings.wanted.get(want).copied().flatten().map(|index| reader.picture(index)).transpose()
        };
        let steps = steps::build(acts, transcript, |act| {
            let uncovered = picture(2 * acts.len() + act)?;
            Ok::<_, RunError>(ActPictures { before: picture(2 * act)?, after: picture(2 * act + 1)?, uncovered })
        })?;
        self.passes.push(watch.stop());
        Ok(steps)
    }

    fn conclude(
        mut self,
        options: &RunOptions,
        program: &Path,
        findings: Findings,
        reader: &Reader,
        gathered: Gathered,
    ) -> Result<RunResult, RunError> {
        let Gathered { heard, private, steps } = gathered;
        let watch = Stopwatch::start("judge", 1);
        let screens = reader.screens();
        let goal_text = self.recording.goal.clone();
        let demands = goal_text.as_deref().map(goal::parse).unwrap_or_default();
        let seen = goal::Seen { screens: &screens, transcript: &heard.transcript, steps: &steps };
        let constraints = goal::find(&demands, seen);
        let products_seen = goal::products(&screens);
        let (decision, reason) = goal::decision(&steps, &heard.transcript, &products_seen);
        let mut measurements: Measurements = findings.measurements;
        measurements.speech = heard.speech;
        measurements.goal = goal_text.is_some().then(|| GoalMeasures {
            constraints: constraints.len() as u32,
            touched: constraints.iter().filter(|finding| finding.touched).count() as u32,
        });
        measurements.pii = Some(private.redactor.spans());
        if let Some(store) = &options.store {
            let repeats = match_and_keep(store, &self.recording.video, &findings.fingerprints)?;
            (measurements.duplicate, measurements.replay) = (repeats.recording, repeats.input);
        }
        let picture = measurements.picture.as_ref().map_or([0, 0], |picture| [picture.width, picture.height]);
        let quality = judge(measurements, &self.recording.policy);
        let mut intents = BTreeMap::new();
        for intent in steps.iter().filter_map(|step| step.intent) {
            *intents.entry(intent).or_insert(0) += 1;
        }
        let mut models = BTreeMap::new();
        if !screens.is_empty() {
            models.insert("ocr".to_owned(), "PP-OCRv6 small".to_owned());
        }
        if let Some(model) = heard.model {
            models.insert("speech".to_owned(), model);
        }
        let mut prompts = BTreeMap::new();
        if let Some(asked) = &self.asked {
            asked.tell(&mut models, &mut prompts);
        }
        self.passes.push(watch.stop());
        // A take that goes back is not watched by anybody.
        if options.playback && quality.verdict != Verdict::Reject {
            self.make_playback(program, private.cover)?;
        }
        let summary = Summary {
            input_sha256: findings.fingerprints.sha256.clone(),
            verdict: quality.verdict,
            goal: goal_text,
            constraints,
            intents,
            products_seen,
            decision,
            reason,
            costs: self.asked.as_ref().map_or_else(Costs::default, Asked::costs),
            passes: self.passes.clone(),
            models,
            prompts,
        };
        reader.remove_unnamed(&steps).map_err(|source| RunError::Disk { path: options.out.clone(), source })?;
        let examples = examples::from_steps(&steps, &summary, picture);
        let result = self.scratch.result();
        let disk = |source| RunError::Disk { path: options.out.clone(), source };
        write_json(&result, "quality.json", &quality).map_err(disk)?;
        write_json(&result, "transcript.json", &heard.transcript).map_err(disk)?;
        write_lines(&result, "steps.jsonl", &steps).map_err(disk)?;
        write_lines(&result, "examples.jsonl", &examples).map_err(disk)?;
        write_json(&result, "fingerprints.json", &findings.fingerprints).map_err(disk)?;
        write_json(&result, "summary.json", &summary).map_err(disk)?;
        write_json(&result, "redaction.json", &private.plan).map_err(disk)?;
        let page = report::html(&quality, &heard.transcript, &steps, &summary);
        fs::write(result.join("report.html"), page).map_err(disk)?;
        self.scratch.publish(&options.out).map_err(disk)?;
        self.finished.clear().map_err(disk)?;
        let report = options.out.join("report.html");
        Ok(RunResult { quality, transcript: heard.transcript, steps, examples, summary, report })
    }
}

impl RunResult {
    pub fn text(&self) -> String {
        let text = table::text(&self.quality, &self.transcript, &self.steps, &self.summary);
        text + &format!("Report: {}\n", self.report.display())
    }
}

fn write_json(folder: &Path, name: &str, value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    fs::write(folder.join(name), text)
}

fn write_lines<T: serde::Serialize>(folder: &Path, name: &str, rows: &[T]) -> io::Result<()> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row)?;
        text.push(b'\n');
    }
    fs::write(folder.join(name), text)
}

/// A bar on a terminal; nothing elsewhere. `total` 0 counts seconds of the recording without knowing the end.
fn bar(what: &'static str, total: u64) -> ProgressBar {
    let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
    let form = if total == 0 { "{msg}: {pos} s of the recording" } else { "{msg} [{bar:30}] {pos}/{len}" };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.with_message(what)
}

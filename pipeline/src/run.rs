//! `pipeline run`: one recording through every pass, into one folder.
//!
//! The folder appears whole or not at all: everything is written beside it first and takes its name at the end.

mod input;
mod read;
mod scratch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indicatif::{ProgressBar, ProgressStyle};
use media::decode::VOICE_RATE_HZ;
use shared_types::example::Example;
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::quality::measurements::{GoalMeasures, Measurements, Span, SpeechMeasures};
use shared_types::step::Step;
use shared_types::summary::{Costs, PassRun, Summary};
use shared_types::transcript::Transcript;

pub use self::input::InputError;
use self::input::Recording;
use self::read::Reader;
use self::scratch::Scratch;
use crate::config::Config;
use crate::models::catalog;
use crate::models::dnsmos::{Dnsmos, Voiced};
use crate::models::error::ModelError;
use crate::models::fetch::{ensure, whisper_file};
use crate::models::net::{NetError, Threads};
use crate::models::ocr::OcrError;
use crate::models::progress::Progress;
use crate::models::whisper::{Whisper, WhisperFailure, default_threads};
use crate::output::{examples, report, table};
use crate::pass::Stopwatch;
use crate::passes::inspect::{self, Findings, InspectError, Task};
use crate::passes::steps::{self, ActPictures, ReadPicture, acts};
use crate::passes::transcribe::{Wanted, transcribe};
use crate::passes::{goal, music, pii};
use crate::store::{StoreError, match_and_keep};

/// Windows of speech that are rated; more cost time and change little.
const RATED_WINDOWS: usize = 4;

#[derive(Debug, Clone)]
pub struct RunOptions {
    pub input: PathBuf,
    pub out: PathBuf,
    pub events: Option<PathBuf>,
    pub goal: Option<String>,
    pub policy: Option<PathBuf>,
    pub store: Option<PathBuf>,
    /// Threads for the models; half as many as cores by default.
    pub threads: Option<usize>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Inspect(#[from] InspectError),
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
    #[error("{path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
    #[error("the picture {0} that the inspection left cannot be read")]
    Picture(String),
}

impl RunError {
    /// Whether the command was given something that is not there or not what it should be.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Input(_))
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
    let scratch =
        Scratch::beside(&options.out).map_err(|source| RunError::Disk { path: options.out.clone(), source })?;
    let mut take =
        Take { recording, scratch, threads: options.threads.unwrap_or_else(default_threads), passes: Vec::new() };
    let (findings, acts) = take.inspect(program)?;
    let mut reader = take.read(&findings, &acts, config)?;
    let heard = take.hear(&findings, config)?;
    let steps = take.build_steps(&findings, &acts, &heard.transcript, &mut reader)?;
    take.conclude(options, findings, &reader, heard, steps)
}

struct Take {
    recording: Recording,
    scratch: Scratch,
    threads: usize,
    passes: Vec<PassRun>,
}

/// What was said, and how well.
struct Heard {
    transcript: Transcript,
    speech: Option<SpeechMeasures>,
    model: Option<String>,
}

impl Take {
    fn inspect(&mut self, program: &Path) -> Result<(Findings, Vec<acts::Act>), RunError> {
        let watch = Stopwatch::start(inspect::NAME, inspect::VERSION);
        let acts = self.recording.events.as_deref().map(acts::from_events).unwrap_or_default();
        let folder = self.scratch.work();
        let task = Task {
            video: self.recording.video.clone(),
            events: self.recording.events_path.clone(),
            manifest: self.recording.manifest_path.clone(),
            wants: acts::wants(&acts),
            folder,
        };
        let bar = bar("Looking", 0);
        let findings = inspect::inspect(program, &task, self.scratch.stop(), |secs| bar.set_position(secs as u64));
        bar.finish_and_clear();
        self.passes.push(watch.stop());
        Ok((findings?, acts))
    }

    /// Reads the text on the kept pictures: those that the acts need, or all where nobody knows what was done.
    fn read(&mut self, findings: &Findings, acts: &[acts::Act], config: &Config) -> Result<Reader, RunError> {
        let watch = Stopwatch::start(read::NAME, read::VERSION);
        let mut reader = Reader::new(&self.scratch.work(), &self.scratch.result().join("frames"), findings)?;
        let wanted: BTreeSet<usize> = if acts.is_empty() {
            (0..findings.pictures.len()).collect()
        } else {
            let text = acts::wants_text(acts);
            findings.wanted.iter().zip(text).filter(|(_, text)| *text).filter_map(|(index, _)| *index).collect()
        };
        let wanted: Vec<usize> = wanted.into_iter().collect();
        if !wanted.is_empty() {
            let files = ensure(catalog::OCR, &config.models_dir, &Progress::on_stderr())?;
            let bar = bar("Reading", wanted.len() as u64);
            reader.read(&wanted, &files.dir, &Threads::new(self.threads), || bar.inc(1))?;
            bar.finish_and_clear();
        }
        self.passes.push(watch.stop());
        Ok(reader)
    }

    fn hear(&mut self, findings: &Findings, config: &Config) -> Result<Heard, RunError> {
        let Some(sound) = &findings.measurements.sound else {
            return Ok(Heard { transcript: Transcript::default(), speech: None, model: None });
        };
        let watch = Stopwatch::start("transcribe", 1);
        let voice = inspect::read_voice(&self.scratch.work())
            .map_err(|source| RunError::Disk { path: self.scratch.work(), source })?;
        let (music_share, music) = music::music(&voice, &sound.speech);
        let mut speech = SpeechMeasures { music_share, music, ..SpeechMeasures::default() };
        let mut heard = Heard { transcript: Transcript::default(), speech: None, model: None };
        if !sound.speech.is_empty() {
            let progress = Progress::on_stderr();
            let voiced: Vec<(f64, f64)> = sound.speech.iter().map(|span| (span.start, span.end)).collect();
            let rater = ensure(catalog::DNSMOS, &config.models_dir, &progress)?;
            if let Some(path) = rater.paths.first() {
                let rater = Dnsmos::load_with(path, &Threads::new(self.threads))?;
                let rated = rater.sampled(&voice, &in_samples(&voiced), RATED_WINDOWS)?;
                speech.dnsmos_overall = rated.map(|rated| rated.ovrl);
            }
            let bar = spinner("Listening");
            let model = whisper_file(&config.whisper, &config.models_dir, &progress)?;
            let mut whisper = Whisper::load(&model, self.threads)?;
            // Words from the screen make the model write the shop's spelling where something else was said: on the
            // takes it was measured with, 5.4 % of words were wrong with them and 3.0 % without.
            let wanted = Wanted { language: &self.recording.policy.language, screen_words: "" };
            let hearing = transcribe(&mut whisper, &voice, &voiced, wanted)?;
            bar.finish_and_clear();
            speech.mean_word_probability = hearing.transcript.mean_word_probability();
            if let Some(language) = hearing.detected {
                speech.language = Some(language.code);
                speech.language_probability = Some(language.probability);
            }
            heard.transcript = hearing.transcript;
            heard.model = model.file_stem().map(|name| name.to_string_lossy().into_owned());
        }
        heard.speech = Some(speech);
        self.passes.push(watch.stop());
        Ok(heard)
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
            Ok::<_, RunError>(ActPictures { before: picture(2 * act)?, after: picture(2 * act + 1)? })
        })?;
        self.passes.push(watch.stop());
        Ok(steps)
    }

    fn conclude(
        mut self,
        options: &RunOptions,
        findings: Findings,
        reader: &Reader,
        heard: Heard,
        steps: Vec<Step>,
    ) -> Result<RunResult, RunError> {
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
        let private = pii::find(&screens, measurements.active_secs.unwrap_or(0.0), &heard.transcript);
        measurements.pii = Some(private.iter().map(|found| found.span).collect::<Vec<Span>>());
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
        self.passes.push(watch.stop());
        let summary = Summary {
            input_sha256: findings.fingerprints.sha256.clone(),
            verdict: quality.verdict,
            goal: goal_text,
            constraints,
            intents,
            products_seen,
            decision,
            reason,
            costs: Costs::default(),
            passes: self.passes.clone(),
            models,
            prompts: BTreeMap::new(),
        };
        let examples = examples::from_steps(&steps, &summary, picture);
        let result = self.scratch.result();
        let disk = |source| RunError::Disk { path: options.out.clone(), source };
        write_json(&result, "quality.json", &quality).map_err(disk)?;
        write_json(&result, "transcript.json", &heard.transcript).map_err(disk)?;
        write_lines(&result, "steps.jsonl", &steps).map_err(disk)?;
        write_lines(&result, "examples.jsonl", &examples).map_err(disk)?;
        write_json(&result, "fingerprints.json", &findings.fingerprints).map_err(disk)?;
        write_json(&result, "summary.json", &summary).map_err(disk)?;
        let page = report::html(&quality, &heard.transcript, &steps, &summary);
        fs::write(result.join("report.html"), page).map_err(disk)?;
        self.scratch.publish(&options.out).map_err(disk)?;
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

/// Spans in seconds as spans in samples of the voice.
fn in_samples(spans: &[(f64, f64)]) -> Vec<Voiced> {
    let sample = |secs: f64| (secs * f64::from(VOICE_RATE_HZ)) as usize;
    spans.iter().map(|&(start, end)| Voiced { start: sample(start), end: sample(end) }).collect()
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

fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

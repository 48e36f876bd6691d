//! `pipeline run`: one recording through every pass, into one folder.
//!
//! The folder appears whole or not at all: everything is written beside it first and takes its name at the end.

mod finished;
mod hosted;
mod input;
mod read;
mod scratch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use media::decode::VOICE_RATE_HZ;
use serde::{Deserialize, Serialize};
use shared_types::event::InputEvent;
use shared_types::example::Example;
use shared_types::quality::judge::{QualityReport, judge};
use shared_types::quality::measurements::{GoalMeasures, Measurements, Span, SpeechMeasures};
use shared_types::step::Step;
use shared_types::summary::{Costs, PassRun, Summary};
use shared_types::transcript::Transcript;

use self::finished::{Finished, Pass};
use self::hosted::Asked;
pub use self::input::InputError;
use self::input::Recording;
use self::read::{ReadLines, Reader};
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
use crate::passes::inspect::{self, Findings, InspectError, Task, Want};
use crate::passes::steps::{self, ActPictures, ReadPicture, acts, sight};
use crate::passes::transcribe::{Wanted, transcribe};
use crate::passes::{goal, music, pii, trace, transcribe};
use crate::providers::settings::HostedSettings;
use crate::store::{StoreError, match_and_keep};
use crate::usage;

/// Windows of speech that are rated; more cost time and change little.
const RATED_WINDOWS: usize = 4;

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
    #[error("the hosted models cannot be asked: {0}")]
    Hosted(#[from] ingest_client::ClientError),
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
    let (mut reader, heard) = take.read_and_hear(&findings, &acts, config)?;
    let heard = take.hear_hosted(&findings, heard)?;
    let mut steps = take.build_steps(&findings, &acts, &heard.transcript, &mut reader)?;
    take.explain(&findings, &heard.transcript, &mut reader, &mut steps);
    take.conclude(options, findings, &reader, heard, steps)
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

/// What was said, and how well.
#[derive(Serialize, Deserialize)]
struct Heard {
    transcript: Transcript,
    speech: Option<SpeechMeasures>,
    model: Option<String>,
}

/// What a voice is heard with.
struct Ear {
    rater: Option<PathBuf>,
    model: PathBuf,
}

/// The models to listen with, where there is a voice to listen to.
fn ear_for(findings: &Findings, config: &Config) -> Result<Option<Ear>, RunError> {
    if findings.measurements.sound.as_ref().is_none_or(|sound| sound.speech.is_empty()) {
        return Ok(None);
    }
    let progress = Progress::on_stderr();
    let rater = ensure(catalog::DNSMOS, &config.models_dir, &progress)?;
    let model = whisper_file(&config.whisper, &config.models_dir, &progress)?;
    Ok(Some(Ear { rater: rater.paths.first().cloned(), model }))
}

/// The pictures to read: those that the acts need, and the pages of a take without input events.
fn wanted_pictures(findings: &Findings, acts: &[acts::Act]) -> Vec<usize> {
    let needed = findings.wanted.iter().zip(acts::wants_text(acts));
    let needed = needed.filter(|(_, text)| *text).filter_map(|(index, _)| *index);
    let pages = findings.pictures.iter().enumerate().filter(|(_, picture)| picture.is_page);
    let wanted: BTreeSet<usize> = needed.chain(pages.map(|(index, _)| index)).collect();
    wanted.into_iter().collect()
}

impl Take {
    fn inspect(&mut self, program: &Path) -> Result<(Findings, Vec<acts::Act>), RunError> {
        let has_input = |events: &&[InputEvent]| events.iter().any(InputEvent::is_input);
        let acts = self.recording.events.as_deref().filter(has_input).map(acts::from_events).unwrap_or_default();
        let mut findings = if let Some((run, findings)) = self.finished.found::<Findings>(INSPECT) {
            self.passes.push(run);
            findings
        } else {
            let events = self.recording.events.as_deref().unwrap_or_default();
            self.inspect_anew(program, acts::wants(&acts, events))?
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

    /// Reads the text on the kept pictures and listens to the voice, side by side: each keeps its own threads busy, and
    /// neither needs what the other finds.
    fn read_and_hear(
        &mut self,
        findings: &Findings,
        acts: &[acts::Act],
        config: &Config,
    ) -> Result<(Reader, Heard), RunError> {
        let files = self.finished.files(INSPECT);
        let mut reader = Reader::new(&files, &self.scratch.result().join("frames"), findings)?;
        let (read, heard) = (self.finished.found(READ), self.finished.found(TRANSCRIBE));
        let unread = reader.unread(if read.is_some() { Vec::new() } else { wanted_pictures(findings, acts) });
        let progress = Progress::on_stderr();
        let model =
            if unread.is_empty() { PathBuf::new() } else { ensure(catalog::OCR, &config.models_dir, &progress)?.dir };
        let ear = if heard.is_some() { None } else { ear_for(findings, config)? };
        let bars = MultiProgress::new();
        let threads = Threads::new(self.threads);
        let both = Stopwatch::start(TRANSCRIBE.0, TRANSCRIBE.1);
        let reads_now = read.is_none();
        let (this, unread, model, threads) = (&*self, &unread, &model, &threads);
        let ((read, lines), (heard, hear_secs)) = std::thread::scope(|scope| {
            let watch = Stopwatch::start(READ.0, READ.1);
            let bar = bars.add(bar("Reading", unread.len() as u64));
            let reading = std::thread::Builder::new().name("read".to_owned()).spawn_scoped(scope, move || {
                if let Some(read) = read {
                    return Ok(read);
                }
                let lines: ReadLines = unread.read(model, threads, || bar.inc(1))?;
                bar.finish_and_clear();
                let run = watch.stop_with(usage::own_cpu_secs() + threads.cpu_secs());
                this.finished.keep(READ, &run, &lines).map_err(|source| this.disk(source))?;
                Ok::<_, RunError>((run, lines))
            });
            let reading = reading.map_err(|source| this.disk(source))?;
            let heard = match heard {
                Some((run, heard)) => Ok((Some(run), heard)),
                None => this.hear(findings, ear, &bars).map(|heard| (None, heard)),
            };
            let hear_secs = both.secs();
            let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok::<_, RunError>((read?, (heard?, hear_secs)))
        })?;
        reader.take(lines);
        let (hear, heard): (Option<PassRun>, Heard) = heard;
        let hear = if let Some(run) = hear {
            run
        } else {
            let run = both.stop_without(if reads_now { read.cpu_secs } else { 0.0 }, hear_secs);
            self.finished.keep(TRANSCRIBE, &run, &heard).map_err(|source| self.disk(source))?;
            run
        };
        self.passes.push(read);
        if findings.measurements.sound.is_some() {
            self.passes.push(hear);
        }
        Ok((reader, heard))
    }

    fn hear(&self, findings: &Findings, ear: Option<Ear>, bars: &MultiProgress) -> Result<Heard, RunError> {
        let mut heard = Heard { transcript: Transcript::default(), speech: None, model: None };
        let Some(sound) = &findings.measurements.sound else { return Ok(heard) };
        let voice = inspect::read_voice(&self.finished.files(INSPECT)).map_err(|source| self.disk(source))?;
        let (music_share, music) = music::music(&voice, &sound.speech);
        let mut speech = SpeechMeasures { music_share, music, ..SpeechMeasures::default() };
        if let Some(Ear { rater, model }) = ear {
            let voiced: Vec<(f64, f64)> = sound.speech.iter().map(|span| (span.start, span.end)).collect();
            if let Some(path) = rater {
                let rater = Dnsmos::load_with(&path, &Threads::new(self.threads))?;
                let rated = rater.sampled(&voice, &in_samples(&voiced), RATED_WINDOWS)?;
                speech.dnsmos_overall = rated.map(|rated| rated.ovrl);
            }
            let bar = bars.add(spinner("Listening"));
            let mut whisper = Whisper::load(&model, self.threads)?;
            // Words from the screen make the model write the shop's spelling where something else was said: on the
            // takes it was measured with, 5.4 % of words were wrong with them and 3.0 % without.
            let wanted = Wanted { language: &self.recording.policy.language, screen_words: "" };
            let hearing = transcribe(&mut whisper, &voice, &voiced, wanted)?;
            bar.finish_and_clear();
            speech.mean_word_probability = hearing.transcript.mean_word_probability();
            if let Some(language) = &hearing.detected {
                speech.language = Some(language.code.clone());
                speech.language_probability = Some(language.probability);
            }
            heard.transcript = hearing.transcript;
            heard.model = model.file_stem().map(|name| name.to_string_lossy().into_owned());
        }
        heard.speech = Some(speech);
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
            let uncovered = picture(2 * acts.len() + act)?;
            Ok::<_, RunError>(ActPictures { before: picture(2 * act)?, after: picture(2 * act + 1)?, uncovered })
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
            measurements.duplicate = match_and_keep(store, &self.recording.video, &findings.fingerprints)?;
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

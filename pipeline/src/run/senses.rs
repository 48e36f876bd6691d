//! The part of a run that reads the pictures and listens to the voice.

use std::collections::BTreeSet;
use std::path::PathBuf;

use indicatif::{MultiProgress, ProgressBar};
use media::decode::VOICE_RATE_HZ;
use serde::{Deserialize, Serialize};
use shared_types::quality::measurements::{Span, SpeechMeasures};
use shared_types::summary::PassRun;
use shared_types::transcript::{Transcript, Word};

use super::read::{ReadLines, Reader, Unread};
use super::{INSPECT, READ, RunError, TRANSCRIBE, Take, bar};
use crate::config::Config;
use crate::models::catalog;
use crate::models::dnsmos::{Dnsmos, Voiced};
use crate::models::fetch::{ensure, whisper_file};
use crate::models::net::Threads;
use crate::models::progress::Progress;
use crate::models::whisper::Whisper;
use crate::pass::Stopwatch;
use crate::passes::inspect::{self, Findings};
use crate::passes::music;
use crate::passes::transcribe::{Wanted, transcribe};

/// Windows of speech that are rated; more cost time and change little.
const RATED_WINDOWS: usize = 4;
/// A longer pause between words is time without speech.
const PAUSE_SECS: f64 = 0.6;

/// What was said, and how well.
#[derive(Serialize, Deserialize)]
pub(super) struct Heard {
    pub(super) transcript: Transcript,
    /// Words that the transcript leaves out, though they may have been said.
    pub(super) left_out: Vec<Word>,
    pub(super) speech: Option<SpeechMeasures>,
    pub(super) model: Option<String>,
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

/// The pictures to read: those that the acts name, since none leaves the pipeline unread, and the pages on which nothing was
/// done, since the playback copy shows them.
fn wanted_pictures(findings: &Findings) -> Vec<usize> {
    let named = findings.wanted.iter().filter_map(|index| *index);
    let pages = findings.pictures.iter().enumerate().filter(|(_, picture)| picture.is_page);
    let wanted: BTreeSet<usize> = named.chain(pages.map(|(index, _)| index)).collect();
    wanted.into_iter().collect()
}

impl Take {
    /// Reads the text on the kept pictures and listens to the voice, side by side: each keeps its own threads busy, and
    /// neither needs what the other finds. Listening is over sooner; its threads then read as well.
    pub(super) fn read_and_hear(&mut self, findings: &Findings, config: &Config) -> Result<(Reader, Heard), RunError> {
        let files = self.finished.files(INSPECT);
        let mut reader = Reader::new(&files, &self.scratch.result().join("frames"), findings)?;
        let (read, heard) = (self.finished.found::<ReadLines>(READ), self.finished.found(TRANSCRIBE));
        let unread = reader.unread(if read.is_some() { Vec::new() } else { wanted_pictures(findings) });
        let progress = Progress::on_stderr();
        let model =
            if unread.is_empty() { PathBuf::new() } else { ensure(catalog::OCR, &config.models_dir, &progress)?.dir };
        let ear = if heard.is_some() { None } else { ear_for(findings, config)? };
        let bars = MultiProgress::new();
        let read_bar = bars.add(bar("Reading", unread.len() as u64));
        let threads = Threads::new(self.threads);
        let both = Stopwatch::start(TRANSCRIBE.0, TRANSCRIBE.1);
        let watch = Stopwatch::start(READ.0, READ.1);
        let (this, unread, model, threads, read_bar) = (&*self, &unread, &model, &threads, &read_bar);
        let (heard, read, lines) = std::thread::scope(|scope| {
            let reading = std::thread::Builder::new().name("read".to_owned()).spawn_scoped(scope, move || {
                if let Some((run, lines)) = read {
                    return Ok((Some(run), lines));
                }
                let lines = unread.read(model, threads, || read_bar.inc(1))?;
                let alone = lines.len() == unread.len();
                let run = alone.then(|| this.keep_read(watch, unread, &lines)).transpose()?;
                Ok::<_, RunError>((run, lines))
            });
            let reading = reading.map_err(|source| this.disk(source))?;
            let heard = match heard {
                Some(heard) => Ok(heard),
                None => this.hear_and_keep(findings, ear, &bars, || both.stop_without(unread.cpu_secs())),
            };
            // Who has heard helps to read.
            let helped = match &heard {
                Ok(_) if unread.is_waiting() => unread.read(model, &Threads::new(this.threads), || read_bar.inc(1)),
                // Where listening failed, what is read is kept all the same.
                _ => Ok(ReadLines::new()),
            };
            let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let (heard, (read, mut lines)) = (heard?, read?);
            lines.extend(helped?);
            Ok::<_, RunError>((heard, read, lines))
        })?;
        read_bar.finish_and_clear();
        let read = read.map_or_else(|| self.keep_read(watch, unread, &lines), Ok)?;
        reader.take(lines);
        let (hear, heard): (PassRun, Heard) = heard;
        self.passes.push(read);
        if findings.measurements.sound.is_some() {
            self.passes.push(hear);
        }
        Ok((reader, heard))
    }

    fn keep_read(&self, watch: Stopwatch, unread: &Unread, lines: &ReadLines) -> Result<PassRun, RunError> {
        let run = watch.stop_with(unread.cpu_secs());
        self.finished.keep(READ, &run, lines).map_err(|source| self.disk(source))?;
        Ok(run)
    }

    /// Listens, and keeps what was heard before anything else is done.
    fn hear_and_keep(
        &self,
        findings: &Findings,
        ear: Option<Ear>,
        bars: &MultiProgress,
        stop: impl FnOnce() -> PassRun,
    ) -> Result<(PassRun, Heard), RunError> {
        let heard = self.hear(findings, ear, bars)?;
        let run = stop();
        self.finished.keep(TRANSCRIBE, &run, &heard).map_err(|source| self.disk(source))?;
        Ok((run, heard))
    }

    fn hear(&self, findings: &Findings, ear: Option<Ear>, bars: &MultiProgress) -> Result<Heard, RunError> {
        let mut heard = Heard { transcript: Transcript::default(), left_out: Vec::new(), speech: None, model: None };
        let Some(sound) = &findings.measurements.sound else { return Ok(heard) };
        let voice = inspect::open_voice(&self.finished.files(INSPECT)).map_err(|source| self.disk(source))?;
        let mut speech = SpeechMeasures::default();
        let mut spoken = sound.speech.clone();
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
            speech.mean_word_probability = hearing.word_probability();
            if let Some(language) = &hearing.detected {
                speech.language = Some(language.code.clone());
                speech.language_probability = Some(language.probability);
            }
            speech.foreign = hearing.foreign_spans();
            speech.unheard = hearing.unheard_spans();
            spoken = spoken_spans(&hearing.transcript);
            heard.left_out = hearing.left_out();
            heard.transcript = hearing.transcript;
            heard.model = model.file_stem().map(|name| name.to_string_lossy().into_owned());
        }
        (speech.music_share, speech.music) = music::music(&voice, &spoken).map_err(|source| self.disk(source))?;
        heard.speech = Some(speech);
        Ok(heard)
    }
}

/// Where words are. Music is voice to the detector of voices: a chord under a whole take would leave no time in which
/// music could be told.
fn spoken_spans(transcript: &Transcript) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for word in transcript.words() {
        match spans.last_mut() {
            Some(last) if word.start - last.end < PAUSE_SECS => last.end = last.end.max(word.end),
            _ => spans.push(Span::new(word.start, word.end)),
        }
    }
    spans
}

/// Spans in seconds as spans in samples of the voice.
fn in_samples(spans: &[(f64, f64)]) -> Vec<Voiced> {
    let sample = |secs: f64| (secs * f64::from(VOICE_RATE_HZ)) as usize;
    spans.iter().map(|&(start, end)| Voiced { start: sample(start), end: sample(end) }).collect()
}

fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

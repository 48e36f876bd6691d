//! The thread of the input events: raw input in, lines of `events.jsonl` out.
//!
//! Lines are written as they come about and reach the disk at least each second. A click is only complete when the
//! button goes up, so that lines are not quite in order; at the end of the take the file is sorted.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capture::clock;
use capture::input::gesture::Gestures;
use capture::input::pause_key::PAUSE_KEY;
use capture::input::{RawInput, RawKind};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use media::time::Monotonic;
use shared_types::event::{InputEvent, InputEventKind, parse_events};

use crate::live::Live;
use crate::pace::Maps;
use crate::spool::replace_file;
use crate::timeline::Timeline;

const WAIT: Duration = Duration::from_millis(100);
/// Input reaches this thread within this time of happening.
const LATE_NANOS: i64 = 100_000_000;
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Writes events until told to stop; then sorts the file.
pub(crate) fn run(
    path: &Path,
    input: &Receiver<RawInput>,
    maps: &Maps,
    timeline: &Timeline<'_>,
    live: &Live,
    stop: &AtomicBool,
) -> io::Result<()> {
    let mut file = create(path)?;
    let mut teller =
        Teller { gestures: Gestures::new(maps.at(clock::now())), maps, timeline, told: 0, is_paused: false };
    let mut synced = Instant::now();
    loop {
        let events = match input.recv_timeout(WAIT) {
            Ok(raw) => {
                if !matches!(raw.kind, RawKind::WindowTitle(_)) {
                    live.touch(raw.at);
                }
                teller.input(raw)
            }
            Err(RecvTimeoutError::Timeout) => teller.time(Monotonic::from_nanos(clock::now().nanos - LATE_NANOS)),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        write_lines(&mut file, &events)?;
        if synced.elapsed() >= SYNC_EVERY {
            file.sync_data()?;
            synced = Instant::now();
        }
        if stop.load(Ordering::Relaxed) && input.is_empty() {
            break;
        }
    }
    write_lines(&mut file, &teller.end(clock::now()))?;
    file.sync_all()?;
    sort(path)
}

/// Gestures and pauses in the order of their times.
struct Teller<'a> {
    gestures: Gestures,
    maps: &'a Maps,
    timeline: &'a Timeline<'a>,
    /// Pauses whose end was told.
    told: usize,
    is_paused: bool,
}

impl<'a> Teller<'a> {
    fn clock(&self) -> impl Fn(Monotonic) -> Option<f64> + use<'a> {
        let timeline = self.timeline;
        move |at| timeline.place(at).map(|t| (t.secs() * 1e3).round() / 1e3)
    }

    fn input(&mut self, raw: RawInput) -> Vec<InputEvent> {
        let mut events = self.pauses(raw.at);
        let clock = self.clock();
        self.gestures.set_map(self.maps.at(raw.at));
        events.extend(self.gestures.push(raw, clock));
        events.retain(|event| !is_pause_key(event));
        events
    }

    fn time(&mut self, now: Monotonic) -> Vec<InputEvent> {
        let mut events = self.pauses(now);
        let clock = self.clock();
        events.extend(self.gestures.tick(now, clock));
        events
    }

    fn end(&mut self, now: Monotonic) -> Vec<InputEvent> {
        let mut events = self.pauses(now);
        let clock = self.clock();
        events.extend(self.gestures.flush(self.timeline.last_recorded(now), clock));
        events
    }

    /// The pauses up to a moment that were not told yet. What is under way when one begins ends there.
    fn pauses(&mut self, until: Monotonic) -> Vec<InputEvent> {
        let mut events = Vec::new();
        let Some(zero) = self.timeline.zero() else { return events };
        for pause in self.timeline.stretches().into_iter().skip(self.told) {
            let from = pause.from.max(zero);
            if from > until {
                break;
            }
            let clock = self.clock();
            let Some(t) = self.timeline.elapsed(from).map(|t| (t.secs() * 1e3).round() / 1e3) else { break };
            if pause.to.is_some_and(|to| to <= from) {
                self.told += 1;
                continue;
            }
            if !self.is_paused {
                self.is_paused = true;
                events.extend(self.gestures.flush(from, clock));
                events.push(InputEvent { t, kind: InputEventKind::Pause });
            }
            if pause.to.is_none_or(|to| to > until) {
                break;
            }
            self.is_paused = false;
            self.told += 1;
            events.push(InputEvent { t, kind: InputEventKind::Resume });
        }
        events
    }
}

/// The key that pauses is the recorder's own and no input to what is recorded.
fn is_pause_key(event: &InputEvent) -> bool {
    matches!(&event.kind, InputEventKind::Key { key } if key.eq_ignore_ascii_case(PAUSE_KEY))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_lines(file: &mut File, events: &[InputEvent]) -> io::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    file.write_all(&lines(events)?)
}

pub(crate) fn lines(events: &[InputEvent]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for event in events {
        serde_json::to_writer(&mut text, event)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Puts the lines in order of time. What a crash or a power cut left behind its last whole line is left out.
pub(crate) fn sort(path: &Path) -> io::Result<()> {
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    let events = parse_events(&text).or_else(|bad| {
        let whole: String = text.split_inclusive('\n').take(bad.line - 1).collect();
        parse_events(&whole).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    })?;
    replace_file(path, &lines(&events)?)
}

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
use capture::input::RawInput;
use capture::input::gesture::{Gestures, PictureMap};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use media::time::Monotonic;
use shared_types::event::{InputEvent, parse_events};

use crate::spool::replace_file;
use crate::timeline::Timeline;

const WAIT: Duration = Duration::from_millis(100);
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Writes events until told to stop; then sorts the file.
pub(crate) fn run(
    path: &Path,
    input: &Receiver<RawInput>,
    map: PictureMap,
    timeline: &Timeline,
    stop: &AtomicBool,
) -> io::Result<()> {
    let mut file = create(path)?;
    let mut gestures = Gestures::new(map);
    let clock = |at: Monotonic| timeline.place(at).map(|t| (t.secs() * 1e3).round() / 1e3);
    let mut synced = Instant::now();
    loop {
        let events = match input.recv_timeout(WAIT) {
            Ok(raw) => gestures.push(raw, clock),
            Err(RecvTimeoutError::Timeout) => gestures.tick(clock::now(), clock),
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
    write_lines(&mut file, &gestures.flush(clock::now(), clock))?;
    file.sync_all()?;
    sort(path)
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

fn lines(events: &[InputEvent]) -> io::Result<Vec<u8>> {
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

//! Picture and sound of whole takes against true time, over microphones, their clocks, gaps, screens and pauses.
//!
//! The screen shows a number that counts at its own rate and the microphone hears beeps at known moments, so that the
//! file alone tells where each picture and each beep belongs. A picture may be as old as the screen's picture was when
//! it was taken, no more; what is beyond that is an error. The table that is printed has a row for each take: how far
//! the first beep lies from its picture, the worst, and how the distance changes in a minute (with r squared).
//!
//! A few takes of 20 s at once; with `COLLECTOR_TEST_ALL` set all rows, for 5 minutes each.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod takes;

use std::io::Write;
use std::sync::{Arc, OnceLock};

use capture::clock;
use capture::mic::synthetic::{Plan, Signal, start};
use capture::screen::synthetic::draw;
use capture::screen::{Grab, ScreenError, ScreenSource};
use media::frame::BgraFrame;
use media::synth;
use media::time::Monotonic;
use recorder_core::control::Control;
use recorder_core::session::{MicChoice, MicSource, record};
use shared_types::recording::Manifest;
use takes::{HEIGHT, Pauser, Viewer, WIDTH, options, sources, view};

/// So many takes run at once; they are small.
const AT_ONCE: usize = 6;
/// An error counts from here on: the sound is compressed in packets, a beep's edge is not sharper.
const FIRST_MS: f64 = 10.0;
const SLOPE_MS: f64 = 1.0;

#[derive(Debug, Clone, Copy)]
struct Row {
    rate_hz: u32,
    channels: u16,
    drift_ppm: f64,
    /// Seconds of each gap; they begin at a fifth and at three fifths of the take.
    gap_secs: f64,
    screen_hz: u32,
    fps: u32,
    pauses: u32,
}

const fn row(rate_hz: u32, channels: u16, drift_ppm: f64, gap_secs: f64, screen_hz: u32, fps: u32, pauses: u32) -> Row {
    Row { rate_hz, channels, drift_ppm, gap_secs, screen_hz, fps, pauses }
}

/// Each value of each column stands beside several of the others; the first rows are the short form.
const ROWS: &[Row] = &[
    row(48_000, 1, 200.0, 0.3, 60, 15, 0),
    row(44_100, 2, -200.0, 0.0, 144, 30, 20),
    row(16_000, 1, 200.0, 0.0, 30, 15, 20),
    row(96_000, 8, -200.0, 0.3, 240, 30, 0),
    row(8_000, 1, 0.0, 0.0, 75, 15, 0),
    row(48_000, 2, 0.0, 0.0, 60, 15, 0),
    row(48_000, 2, -200.0, 0.0, 60, 15, 0),
    row(48_000, 2, 200.0, 0.0, 60, 15, 20),
    row(48_000, 1, 0.0, 0.3, 240, 60, 20),
    row(44_100, 1, 200.0, 0.3, 30, 15, 0),
    row(44_100, 6, 0.0, 0.0, 120, 15, 20),
    row(32_000, 4, -100.0, 0.1, 75, 30, 0),
    row(24_000, 6, -200.0, 0.0, 240, 15, 20),
    row(22_050, 2, 100.0, 0.3, 50, 15, 0),
    row(16_000, 2, -200.0, 0.3, 144, 15, 0),
    row(11_025, 1, 200.0, 0.0, 100, 30, 20),
    row(8_000, 2, 200.0, 0.3, 60, 30, 20),
    row(96_000, 1, 200.0, 0.0, 165, 15, 20),
];
const SHORT: usize = 4;

/// A screen that shows the number of its own picture, the latest there is.
struct Counting {
    begin: Arc<OnceLock<Monotonic>>,
    hz: u32,
    shown: Option<u32>,
}

impl ScreenSource for Counting {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        into.at = clock::now();
        let secs = into.at.nanos_since(*self.begin.get().unwrap()) as f64 / 1e9;
        let number = (secs * f64::from(self.hz)) as u32;
        if self.shown == Some(number) {
            return Ok(Grab::Same);
        }
        draw(number, WIDTH, HEIGHT, into);
        self.shown = Some(number);
        Ok(Grab::Changed)
    }
}

struct Measured {
    beeps: usize,
    first_ms: f64,
    worst_ms: f64,
    slope_ms_a_minute: f64,
    r_squared: f64,
}

fn take_of(row: Row, secs: f64) -> Measured {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("take");
    let begin = Arc::new(OnceLock::new());
    let screen = Counting { begin: begin.clone(), hz: row.screen_hz, shown: None };
    let gaps = if row.gap_secs > 0.0 {
        [0.2, 0.6].map(|share| secs * share..secs * share + row.gap_secs).to_vec()
    } else {
        Vec::new()
    };
    let plan = Plan {
        drift_ppm: row.drift_ppm,
        gaps: gaps.clone(),
        ..Plan::new(row.rate_hz, row.channels, Signal::Made(synth::beep))
    };
    let began = begin.clone();
    let start = move |sink| {
        began.set(clock::now()).unwrap();
        start(plan.clone(), sink)
    };
    let control = Control::default();
    // The take ends by its length; pauses last three reports each.
    let run_secs = (secs - 2.0) / f64::from(row.pauses.max(1) + 1);
    let mut pauser = Pauser { pauses_left: row.pauses, ..Pauser::new(&control, run_secs) };
    if row.pauses == 0 {
        pauser.next = f64::INFINITY;
    }
    let options = options(row.fps, secs);
    let mic = MicSource { start: Box::new(start), choice: MicChoice::Fixed };
    let manifest = record(&folder, sources(screen, Some(mic)), &options, &control, &mut pauser).unwrap();
    assert!(manifest.pauses.len() as u32 >= row.pauses, "{:?}", manifest.pauses);
    let (viewer, _) = view(&folder.join("video.mp4"));
    compare(row, &viewer, &manifest, *begin.get().unwrap(), &gaps)
}

/// When something at a time of the file really was, in seconds since the screen's and microphone's beginning.
fn true_secs(t: f64, manifest: &Manifest, begin: Monotonic) -> f64 {
    let zero = Monotonic::from_nanos(manifest.clock.first_frame_monotonic_nanos);
    let paused: f64 = manifest.pauses.iter().filter(|pause| pause.t < t).map(|pause| pause.secs).sum();
    zero.nanos_since(begin) as f64 / 1e9 + t + paused
}

fn compare(
    row: Row,
    viewer: &Viewer,
    manifest: &Manifest,
    begin: Monotonic,
    gaps: &[std::ops::Range<f64>],
) -> Measured {
    let period = 1.0 / f64::from(row.screen_hz);
    // How much too late each picture lies in the file; negative if too early.
    let pictures: Vec<(f64, f64)> = viewer
        .pictures
        .iter()
        .filter_map(|&(t, number, _)| {
            let age = true_secs(t, manifest, begin) - f64::from(number?) * period;
            Some((t, age - age.clamp(0.0, period)))
        })
        .collect();
    assert!(pictures.len() * 10 > viewer.pictures.len() * 9, "{row:?}: hardly a picture is legible");
    let is_cut = |t: f64, secs: f64| {
        manifest.pauses.iter().any(|pause| (pause.t - t).abs() < 0.25)
            || gaps.iter().any(|gap| (gap.start - 0.25..gap.end + 0.25).contains(&secs))
    };
    let mut points = Vec::new();
    for &beep in &viewer.beeps {
        let secs = true_secs(beep, manifest, begin);
        let due = ((secs - synth::FLASH_FIRST_SECS) / synth::FLASH_EVERY_SECS).round() * synth::FLASH_EVERY_SECS
            + synth::FLASH_FIRST_SECS;
        // One whose beginning was left out begins later.
        if is_cut(beep, secs) || due < true_secs(0.0, manifest, begin) {
            continue;
        }
        let late = pictures.iter().min_by(|a, b| (a.0 - beep).abs().total_cmp(&(b.0 - beep).abs())).unwrap().1;
        points.push((beep / 60.0, (secs - due - late) * 1e3));
    }
    assert!(points.len() >= 3, "{row:?}: {:?}", viewer.beeps);
    let count = points.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (t, y) = (mean(&|point| point.0), mean(&|point| point.1));
    let covered = mean(&|point| (point.0 - t) * (point.1 - y));
    let (spread_t, spread_y) = (mean(&|point| (point.0 - t).powi(2)), mean(&|point| (point.1 - y).powi(2)));
    Measured {
        beeps: points.len(),
        first_ms: points[0].1,
        worst_ms: points
            .iter()
            .map(|point| point.1)
            .fold(0.0, |worst, ms| if ms.abs() > worst.abs() { ms } else { worst }),
        slope_ms_a_minute: covered / spread_t,
        r_squared: covered * covered / (spread_t * spread_y).max(1e-12),
    }
}

#[test]
fn sound_and_picture_stay_together_whatever_the_devices() {
    let all = std::env::var_os("COLLECTOR_TEST_ALL").is_some();
    let (rows, secs) = if all { (ROWS, 300.0) } else { (&ROWS[..SHORT], 20.0) };
    let mut told = vec![format!(
        "{:>7} {:>3} {:>5} {:>5} {:>6} {:>4} {:>7} {:>6} {:>9} {:>9} {:>10} {:>6}",
        "mic Hz", "ch", "ppm", "gap s", "screen", "fps", "pauses", "beeps", "first ms", "worst ms", "ms/minute", "r2"
    )];
    let mut faults = Vec::new();
    for wave in rows.chunks(AT_ONCE) {
        let measured: Vec<(Row, Measured)> = std::thread::scope(|scope| {
            let running: Vec<_> = wave.iter().map(|&row| scope.spawn(move || (row, take_of(row, secs)))).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (row, measured) in measured {
            let Row { rate_hz, channels, drift_ppm, gap_secs, screen_hz, fps, pauses } = row;
            let Measured { beeps, first_ms, worst_ms, slope_ms_a_minute, r_squared } = measured;
            let line = format!(
                "{rate_hz:>7} {channels:>3} {drift_ppm:>5} {gap_secs:>5} {screen_hz:>6} {fps:>4} {pauses:>7} {beeps:>6} \
                 {first_ms:>9.2} {worst_ms:>9.2} {slope_ms_a_minute:>10.3} {r_squared:>6.2}"
            );
            // A short take's slope is noise of the beeps' edges.
            let drifts = all && slope_ms_a_minute.abs() > SLOPE_MS;
            if first_ms.abs() > FIRST_MS || worst_ms.abs() > 1e3 / f64::from(fps) || drifts {
                faults.push(line.clone());
            }
            told.push(line);
        }
    }
    writeln!(std::io::stderr(), "{}", told.join("\n")).unwrap();
    assert!(faults.is_empty(), "{}\n{}", told[0], faults.join("\n"));
}

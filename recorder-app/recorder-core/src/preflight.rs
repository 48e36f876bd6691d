//! Before a take: is everything there that it needs? Each part is really tried, not asked about.
//!
//! The screen gives a picture that is not black and small text in it stays legible, the encoder encodes it at its size, mouse
//! and keyboard can be read, the disk has room, the server answers, and the microphone is listened to for some seconds, which the worker can then hear.

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use capture::input::{self, InputError, RawInput};
use capture::screen::{self, blank_frame};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use hound::{SampleFormat, WavSpec, WavWriter};
use ingest_client::Client;
use media::encode::h264::H264Encoder;
use media::fit::picture_size;
use serde::Serialize;
use shared_types::quality::policy::Policy;

use crate::control::Control;
use crate::devices::{MicError, Session};
use crate::live::{DEAD_PEAK, is_black};
use crate::microphone::MicSource;
use crate::session::{LONG_EDGE, SessionError};
use crate::spool::room_secs;

/// How long the microphone is listened to.
pub const LISTEN_SECS: f64 = 5.0;
/// A microphone that gives no sound at all within this time gives none.
const PATIENCE: Duration = Duration::from_secs(5);
const CHUNKS: usize = 512;
/// A system that does not let mouse and keyboard be read says so at once, or when they are first read.
const REFUSES_WITHIN: Duration = Duration::from_millis(300);
const RAW_EVENTS: usize = 64;
/// What browsers zoom to, in percent.
const ZOOMS: [u32; 8] = [110, 125, 150, 175, 200, 250, 300, 400];
/// A voice at the usual distance is louder than this at its loudest.
const QUIET_PEAK: f32 = 0.02;

/// One part, and whether a take can go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub part: Part,
    pub is_well: bool,
    /// What was found; where it is not well, with what to do.
    pub sentence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Screen,
    Legibility,
    Encoder,
    Input,
    Disk,
    Network,
    Microphone,
}

impl Finding {
    fn well(part: Part, sentence: impl Into<String>) -> Self {
        Self { part, is_well: true, sentence: sentence.into() }
    }

    fn ill(part: Part, sentence: impl Into<String>) -> Self {
        Self { part, is_well: false, sentence: sentence.into() }
    }
}

/// Screen, encoder, input, disk and server; quick.
pub fn check(
    session: &Session,
    screen_id: &str,
    folder: &Path,
    fps: u32,
    policy: &Policy,
    client: Option<&Client>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (seen, size) = look(session, screen_id);
    findings.push(seen);
    if let Some(size) = size {
        findings.extend(legible(size));
        findings.push(encode(size, fps));
    }
    let session = session.clone().showing(Some(screen_id));
    findings.push(read_input(|sink| input::start(&session, sink)));
    findings.push(measure_disk(folder, policy));
    if let Some(client) = client {
        findings.push(match client.me() {
            Ok(_) => Finding::well(Part::Network, format!("The server {} can be reached.", client.server())),
            Err(error) => Finding::ill(
                Part::Network,
                format!("{error}. You can record now and send the take in when the network is back."),
            ),
        });
    }
    findings
}

fn look(session: &Session, screen_id: &str) -> (Finding, Option<(u32, u32)>) {
    let listed = screen::list(session).unwrap_or_default();
    if listed.iter().any(|info| info.id == screen_id && info.width == 0) {
        // To look at it here would make the worker choose twice.
        let sentence = "The desktop will ask which screen to share when the recording starts. Choose it at once.";
        return (Finding::well(Part::Screen, sentence), Some((LONG_EDGE, LONG_EDGE * 9 / 16)));
    }
    let mut frame = blank_frame();
    let seen = screen::open(session, Some(screen_id)).and_then(|mut screen| screen.latest(&mut frame));
    match seen {
        Err(error) => (Finding::ill(Part::Screen, error.to_string()), None),
        Ok(_) if is_black(&frame) => {
            let sentence = "The chosen screen is black. Switch it on, or choose the one you work on.";
            (Finding::ill(Part::Screen, sentence), Some((frame.width, frame.height)))
        }
        Ok(_) => {
            let sentence = format!("The screen can be seen, {} x {} pixels.", frame.width, frame.height);
            (Finding::well(Part::Screen, sentence), Some((frame.width, frame.height)))
        }
    }
}

/// On a film of 2560x1440 with text of 12 px, 0.854 of the words stay legible at 1920x1080 (decision 0028).
fn legible((width, height): (u32, u32)) -> Option<Finding> {
    let (to_width, to_height) = picture_size((width, height), LONG_EDGE);
    let percent = (100 * width.max(height)).div_ceil(to_width.max(to_height).max(1));
    if width.max(height) <= LONG_EDGE {
        return None;
    }
    let zoom = ZOOMS.into_iter().find(|zoom| *zoom >= percent).unwrap_or(percent);
    Some(Finding::ill(
        Part::Legibility,
        format!(
            "The chosen screen has {width} x {height} pixels and is recorded at {to_width} x {to_height}, so that small text may \
             become hard to read. Zoom the page in the browser to {zoom} %, or set the screen to a smaller resolution."
        ),
    ))
}

/// Where nothing is read the take has a picture and a voice all the same, and the sentence says what that means.
fn read_input(start: impl FnOnce(Sender<RawInput>) -> Result<input::Running, InputError>) -> Finding {
    let (sink, events) = bounded(RAW_EVENTS);
    let read = start(sink).and_then(|running| match events.recv_timeout(REFUSES_WITHIN) {
        Err(RecvTimeoutError::Disconnected) => running.stop(),
        _ => Ok(()),
    });
    match read {
        Ok(()) => Finding::well(
            Part::Input,
            "Clicks, keys and window titles can be recorded; what you type is counted, not written down.",
        ),
        Err(error) => Finding::ill(Part::Input, error.to_string()),
    }
}

fn encode(screen: (u32, u32), fps: u32) -> Finding {
    let (width, height) = picture_size(screen, LONG_EDGE);
    match H264Encoder::open(width, height, fps) {
        Ok((encoder, _)) => {
            Finding::well(Part::Encoder, format!("This computer can make the video (with {}).", encoder.name()))
        }
        Err(error) => Finding::ill(Part::Encoder, error.to_string()),
    }
}

/// There should be room for twice the length that is asked for.
fn measure_disk(folder: &Path, policy: &Policy) -> Finding {
    let Some(secs) = room_secs(folder) else {
        return Finding::well(Part::Disk, "The disk does not tell how much room it has.");
    };
    let time = in_words(secs);
    if secs <= 0.0 {
        return Finding::ill(Part::Disk, "The disk has no room for a recording. Free some space before you begin.");
    }
    if secs >= 2.0 * policy.min_active_secs {
        Finding::well(Part::Disk, format!("The disk has room for about {time} of recording."))
    } else {
        Finding::ill(
            Part::Disk,
            format!("The disk has room for about {time} of recording only. Free some space before you begin."),
        )
    }
}

fn in_words(secs: f64) -> String {
    let minutes = (secs / 60.0).floor();
    if minutes < 120.0 { format!("{minutes:.0} minutes") } else { format!("{:.0} hours", (minutes / 60.0).floor()) }
}

/// Some seconds of the microphone, and what to think of them.
#[derive(Debug, Clone)]
pub struct Listened {
    pub finding: Finding,
    /// A WAV file, for the worker to hear; empty where nothing was heard.
    pub wav: Vec<u8>,
}

/// Listens to a microphone until `LISTEN_SECS` were heard or `control` ends it.
pub fn listen(source: &MicSource, control: &Control) -> Result<Listened, SessionError> {
    let (sink, chunks) = bounded(CHUNKS);
    let running = match (source.start)(sink) {
        Ok(running) => running,
        Err(error) => {
            return Ok(Listened { finding: Finding::ill(Part::Microphone, error.to_string()), wav: Vec::new() });
        }
    };
    let (mut samples, mut rate_hz) = (Vec::new(), running.info().rate_hz);
    let deadline = Instant::now() + PATIENCE + Duration::from_secs_f64(LISTEN_SECS);
    while (samples.len() as f64) < LISTEN_SECS * f64::from(rate_hz) && !control.is_ended() {
        let Ok(chunk) = chunks.recv_deadline(deadline) else { break };
        let channels = usize::from(chunk.channels.max(1));
        samples.extend(chunk.samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
        rate_hz = chunk.rate_hz;
    }
    let name = running.info().name.clone();
    running.stop();
    let wav = to_wav(&samples, rate_hz).map_err(|error| MicError::System(error.to_string()))?;
    Ok(Listened { finding: hear(&name, &samples), wav })
}

fn hear(name: &str, samples: &[f32]) -> Finding {
    let ill = |sentence: String| Finding::ill(Part::Microphone, sentence);
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if samples.is_empty() || peak < DEAD_PEAK {
        return ill(format!(
            "No sound comes from {name:?}. Check that it is not muted, here or on the headset itself, or choose another."
        ));
    }
    if peak < QUIET_PEAK {
        return ill(format!("{name:?} hears very little. Speak, move closer to it, or turn its volume up."));
    }
    if peak >= 0.985 {
        return ill(format!("{name:?} is too loud and cuts your voice off. Turn its volume down a little."));
    }
    Finding::well(Part::Microphone, format!("{name:?} hears you. Listen to what it recorded."))
}

fn to_wav(samples: &[f32], rate_hz: u32) -> Result<Vec<u8>, hound::Error> {
    let spec = WavSpec { channels: 1, sample_rate: rate_hz, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut wav = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut wav, spec)?;
    for sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
    }
    writer.finalize()?;
    Ok(wav.into_inner())
}

#[cfg(test)]
mod tests {
    use capture::input::{RawKind, synthetic};
    use capture::mic::synthetic::{Plan, Signal, start};

    use super::*;
    use crate::microphone::MicChoice;

    fn listened(amplitude: f32) -> Listened {
        let signal = if amplitude > 0.0 { Signal::Tone { hz: 300.0, amplitude } } else { Signal::Silence };
        let start = move |sink| start(Plan::new(16_000, 2, signal.clone()), sink);
        listen(&MicSource { start: Box::new(start), choice: MicChoice::Fixed }, &Control::default()).unwrap()
    }

    #[test]
    fn what_the_microphone_gives_is_judged_and_can_be_heard() {
        let heard = listened(0.3);
        assert!(heard.finding.is_well, "{:?}", heard.finding);
        let samples = hound::WavReader::new(Cursor::new(heard.wav)).unwrap().duration();
        assert!((80_000..82_000).contains(&samples), "{samples}");
        for (peak, hint) in [(0.0, "muted"), (0.001, "muted"), (0.01, "closer"), (1.0, "too loud")] {
            let finding = hear("Headset", &[0.0, peak, -peak / 2.0]);
            assert!(!finding.is_well && finding.sentence.contains(hint), "{finding:?}");
        }
        let gone = MicSource { start: Box::new(|_| Err(MicError::NoneFound)), choice: MicChoice::Fixed };
        assert!(listen(&gone, &Control::default()).unwrap().finding.sentence.contains("Plug one in"));
    }

    #[test]
    fn a_screen_that_is_not_there_and_a_small_disk_are_told() {
        let policy = Policy { min_active_secs: 1e12, ..Policy::default() };
        let findings = check(&Session::of_display(":9876"), "nowhere", Path::new("/"), 15, &policy, None);
        let ill: Vec<Part> = findings.iter().filter(|finding| !finding.is_well).map(|finding| finding.part).collect();
        assert_eq!(ill, [Part::Screen, Part::Input, Part::Disk], "{findings:?}");
        assert!(findings.iter().all(|finding| finding.sentence.ends_with('.')), "{findings:?}");
    }

    #[test]
    fn room_is_told_in_minutes_or_hours() {
        for (secs, expected) in
            [(59.0, "0 minutes"), (7_199.0, "119 minutes"), (7_200.0, "2 hours"), (250_000.0, "69 hours")]
        {
            assert_eq!(in_words(secs), expected);
        }
    }

    #[test]
    fn a_screen_that_is_made_smaller_is_told_with_a_zoom_that_makes_up_for_it() {
        for size in [(1920, 1080), (1080, 1920), (1366, 768)] {
            assert_eq!(legible(size), None, "{size:?}");
        }
        for (size, hints) in [
            ((2560, 1440), ["2560 x 1440", "1920 x 1080", "150 %"]),
            ((1440, 2560), ["1440 x 2560", "1080 x 1920", "150 %"]),
            ((3840, 2160), ["3840 x 2160", "1920 x 1080", "200 %"]),
            ((1930, 1080), ["1930 x 1080", "1920 x", "110 %"]),
        ] {
            let finding = legible(size).unwrap();
            assert!(!finding.is_well && finding.part == Part::Legibility);
            assert!(hints.iter().all(|hint| finding.sentence.contains(hint)), "{}", finding.sentence);
        }
    }

    #[test]
    fn whether_input_events_will_be_recorded_is_told_with_what_it_means() {
        let mut moves = 0;
        let found = read_input(|sink| {
            let moved = move || {
                moves += 1;
                Some(RawKind::Pointer { x: moves, y: 0 })
            };
            synthetic::start(sink, moved)
        });
        assert!(found.is_well && found.sentence.contains("not written down"), "{found:?}");
        let rows = [
            (InputError::Wayland, "read from the picture"),
            (InputError::Forbidden, "Input Monitoring"),
            (InputError::Lost("the server is gone".to_owned()), "start again"),
        ];
        for (error, hint) in rows {
            let found = read_input(|_| Err(error));
            assert!(!found.is_well && found.part == Part::Input && found.sentence.contains(hint), "{found:?}");
        }
    }
}

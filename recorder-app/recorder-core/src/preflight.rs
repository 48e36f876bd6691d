//! Before a take: is everything there that it needs? Each part is really tried, not asked about.
//!
//! The screen gives a picture that is not black, the encoder encodes it at its size, the disk has room, the server
//! answers, and the microphone is listened to for some seconds, which the worker can then hear.

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use capture::screen::{self, blank_frame};
use crossbeam_channel::bounded;
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
    Encoder,
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

/// Screen, encoder, disk and server; quick.
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
        findings.push(encode(size, fps));
    }
    findings.push(measure_disk(folder, policy));
    if let Some(client) = client {
        findings.push(match client.me() {
            Ok(_) => Finding::well(Part::Network, format!("{} answers.", client.server())),
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

fn encode(screen: (u32, u32), fps: u32) -> Finding {
    let (width, height) = picture_size(screen, LONG_EDGE);
    match H264Encoder::open(width, height, fps) {
        Ok((encoder, _)) => Finding::well(Part::Encoder, format!("The video encoder {} works.", encoder.name())),
        Err(error) => Finding::ill(Part::Encoder, error.to_string()),
    }
}

/// There should be room for twice the length that is asked for.
fn measure_disk(folder: &Path, policy: &Policy) -> Finding {
    let Some(secs) = room_secs(folder) else {
        return Finding::well(Part::Disk, "The disk does not tell how much room it has.");
    };
    let minutes = (secs / 60.0).floor();
    if secs >= 2.0 * policy.min_active_secs {
        Finding::well(Part::Disk, format!("The disk has room for about {minutes:.0} minutes."))
    } else {
        Finding::ill(
            Part::Disk,
            format!("The disk has room for about {minutes:.0} minutes only. Free some space before you begin."),
        )
    }
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
        assert_eq!(ill, [Part::Screen, Part::Disk], "{findings:?}");
        assert!(findings.iter().all(|finding| finding.sentence.ends_with('.')), "{findings:?}");
    }
}

//! Where in a recording a raised flag can be seen or heard, for flags whose test is a number of the whole take.

use super::flag::Flag;
use super::measurements::{Measurements, SoundMeasures, Span};

/// Pauses shorter than this are breaths and reading; a longer one is shown to whoever asks where nobody spoke.
const SHOWN_SILENCE_SECS: f64 = 10.0;

/// Stretches that show what a flag says. Empty where there is nothing to look at: an empty file, a goal not followed.
pub(super) fn spans(flag: Flag, m: &Measurements) -> Vec<Span> {
    let whole = || m.active_secs.filter(|&secs| secs > 0.0).map(|secs| vec![Span::new(0.0, secs)]).unwrap_or_default();
    let sound = |of: fn(&SoundMeasures) -> Vec<Span>| m.sound.as_ref().map(of).unwrap_or_default();
    match flag {
        Flag::TruncatedFile => missing_end(m).into_iter().collect(),
        Flag::TooShort
        | Flag::NoVideoStream
        | Flag::NoAudioStream
        | Flag::SilentAudio
        | Flag::NoSpeech
        | Flag::AvDesync => whole(),
        Flag::DroppedFrames => {
            let dropped = m.capture.as_ref().map(|capture| capture.dropped.clone()).unwrap_or_default();
            if dropped.is_empty() { whole() } else { dropped }
        }
        Flag::LittleSpeech => sound(silences),
        Flag::LowSnr | Flag::UnclearSpeech => sound(|sound| sound.speech.clone()),
        Flag::BotLike => m.activity.as_ref().and_then(|activity| activity.acted).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn missing_end(m: &Measurements) -> Option<Span> {
    let (declared, decoded) = m.file.declared_secs.zip(m.file.decoded_secs)?;
    (declared > decoded).then(|| Span::new(decoded, declared))
}

/// Long stretches in which nobody spoke.
fn silences(sound: &SoundMeasures) -> Vec<Span> {
    let mut silent = Vec::new();
    let mut since = 0.0;
    for span in &sound.speech {
        silent.push(Span::new(since, span.start));
        since = span.end;
    }
    silent.push(Span::new(since, sound.secs));
    silent.retain(|span| span.secs() >= SHOWN_SILENCE_SECS);
    silent
}

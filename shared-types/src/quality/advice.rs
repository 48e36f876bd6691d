//! Advice to the reviewer: signs that a take was not made the way it should be. Each alone proves nothing, so none of them
//! raises a flag or touches the verdict; a person who sees several of them looks closer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::measurements::{ActivityMeasures, Measurements, SoundMeasures, Span};

/// What may look odd about a take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// The same acts at the same distances as in another recording.
    ReplayedInput,
    /// Acts after which nothing at all changes in the picture.
    UnansweredInput,
    /// Pages that change though nothing was done.
    UnexplainedChanges,
    /// The pointer goes along straight lines.
    StraightPointer,
    /// The take goes on after its work is over.
    Padding,
    /// Pauses of one length between the sentences, as when reading.
    EvenPauses,
    /// Somebody speaks and no words were made out.
    UnheardSpeech,
    /// No room is heard between the words, as with a synthetic or a played voice.
    NoRoomNoise,
}

/// One sign with what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Advice {
    pub sign: Sign,
    pub measure: f64,
    pub limit: f64,
    pub spans: Vec<Span>,
    pub sentence: String,
}

const MIN_ACTS: u32 = 8;
const MAX_UNANSWERED_SHARE: f64 = 0.2;
/// A banner that changes by itself does so a few times in any take.
const MIN_PAGE_CHANGES: u32 = 8;
const MAX_UNEXPLAINED_SHARE: f64 = 0.5;
const MIN_WAYS: u32 = 8;
const MAX_STRAIGHT_SHARE: f64 = 0.5;
const MAX_PADDING_SECS: f64 = 90.0;
const MIN_PAUSES: usize = 10;
const MIN_PAUSE_VARIATION: f64 = 0.2;
/// Shorter gaps lie inside a sentence.
const SHORTEST_PAUSE_SECS: f64 = 0.25;
/// A laugh or a sigh is voice without words.
const MAX_UNHEARD_SECS: f64 = 5.0;
/// A room, a microphone and a sound card together are never this quiet.
const MAX_SNR_DB: f64 = 65.0;

/// All signs that a recording shows.
pub fn advise(m: &Measurements) -> Vec<Advice> {
    let activity = m.activity.as_ref();
    let sound = m.sound.as_ref();
    [
        replayed(m),
        activity.and_then(unanswered),
        activity.and_then(unexplained),
        activity.and_then(straight),
        padding(m),
        sound.and_then(even_pauses),
        sound.and_then(no_room_noise),
        unheard(m),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn replayed(m: &Measurements) -> Option<Advice> {
    let replay = m.replay.as_ref()?;
    Some(Advice {
        sign: Sign::ReplayedInput,
        measure: replay.shared,
        limit: 0.0,
        spans: replay.spans.clone(),
        sentence: format!("Clicks and keys follow each other exactly as in {}. Compare the two takes.", replay.of),
    })
}

fn unanswered(activity: &ActivityMeasures) -> Option<Advice> {
    let share =
        activity.unanswered_share.filter(|&share| activity.actions >= MIN_ACTS && share > MAX_UNANSWERED_SHARE)?;
    Some(Advice {
        sign: Sign::UnansweredInput,
        measure: share,
        limit: MAX_UNANSWERED_SHARE,
        spans: activity.unanswered.clone(),
        sentence: format!(
            "After {:.0} % of the clicks and keys the picture does not change at all. Check that the input belongs to this screen.",
            share * 100.0
        ),
    })
}

fn unexplained(activity: &ActivityMeasures) -> Option<Advice> {
    let share = activity
        .unexplained_share
        .filter(|&share| activity.page_changes >= MIN_PAGE_CHANGES && share > MAX_UNEXPLAINED_SHARE)?;
    Some(Advice {
        sign: Sign::UnexplainedChanges,
        measure: share,
        limit: MAX_UNEXPLAINED_SHARE,
        spans: activity.unexplained.clone(),
        sentence: format!(
            "{:.0} % of the times that much of the picture changes, nothing was clicked or typed before. Check that the input belongs to this screen.",
            share * 100.0
        ),
    })
}

fn straight(activity: &ActivityMeasures) -> Option<Advice> {
    let share =
        activity.straight_share.filter(|&share| activity.pointer_ways >= MIN_WAYS && share > MAX_STRAIGHT_SHARE)?;
    Some(Advice {
        sign: Sign::StraightPointer,
        measure: share,
        limit: MAX_STRAIGHT_SHARE,
        spans: activity.acted.into_iter().collect(),
        sentence: format!(
            "{:.0} % of the pointer's ways are straight lines; a hand draws bent ones. Watch how it moves.",
            share * 100.0
        ),
    })
}

/// A still picture without a word at the end, or a pointer that moves over it.
fn padding(m: &Measurements) -> Option<Advice> {
    let end = m.active_secs?;
    let still = m.picture.as_ref()?.still.last().filter(|still| end - still.end < 1.0)?;
    let last_word = m.sound.as_ref().and_then(|sound| sound.speech.last()).map_or(0.0, |span| span.end);
    let span = Span::new(still.start.max(last_word), end);
    (span.secs() > MAX_PADDING_SECS).then(|| Advice {
        sign: Sign::Padding,
        measure: span.secs(),
        limit: MAX_PADDING_SECS,
        spans: vec![span],
        sentence: format!(
            "Nothing is done or said in the last {:.0} s. Only the time before them is work.",
            span.secs()
        ),
    })
}

fn even_pauses(sound: &SoundMeasures) -> Option<Advice> {
    let pauses: Vec<f64> = sound
        .speech
        .windows(2)
        .map(|pair| pair[1].start - pair[0].end)
        .filter(|&pause| pause >= SHORTEST_PAUSE_SECS)
        .collect();
    if pauses.len() < MIN_PAUSES {
        return None;
    }
    let count = pauses.len() as f64;
    let mean = pauses.iter().sum::<f64>() / count;
    let variance = pauses.iter().map(|pause| (pause - mean).powi(2)).sum::<f64>() / count;
    let variation = variance.sqrt() / mean;
    (variation < MIN_PAUSE_VARIATION).then(|| Advice {
        sign: Sign::EvenPauses,
        measure: variation,
        limit: MIN_PAUSE_VARIATION,
        spans: sound.speech.clone(),
        sentence: "The pauses between the sentences are all of one length, as when a text is read out. Listen to a few of them."
            .to_owned(),
    })
}

fn unheard(m: &Measurements) -> Option<Advice> {
    let spans = &m.speech.as_ref()?.unheard;
    let secs: f64 = spans.iter().map(|span| span.secs()).sum();
    (secs > MAX_UNHEARD_SECS).then(|| Advice {
        sign: Sign::UnheardSpeech,
        measure: secs,
        limit: MAX_UNHEARD_SECS,
        spans: spans.clone(),
        sentence: format!(
            "In {secs:.0} s somebody speaks and no words were made out: the transcript lacks them. Listen there."
        ),
    })
}

fn no_room_noise(sound: &SoundMeasures) -> Option<Advice> {
    let snr = sound.snr_db.filter(|&snr| snr > MAX_SNR_DB)?;
    Some(Advice {
        sign: Sign::NoRoomNoise,
        measure: snr,
        limit: MAX_SNR_DB,
        spans: sound.speech.clone(),
        sentence:
            "No room is heard between the words, as with a made or a played voice. Listen whether a person speaks."
                .to_owned(),
    })
}

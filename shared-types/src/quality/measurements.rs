//! The numbers a verdict rests on. `media::measure` and the pipeline fill them in; nothing here judges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A stretch of the recording, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Span {
    pub start: f64,
    pub end: f64,
}

impl Span {
    pub const fn new(start: f64, end: f64) -> Self {
        Self { start, end }
    }

    pub fn secs(self) -> f64 {
        self.end - self.start
    }
}

/// Everything measured on one recording. A number that could not be taken is null, and raises no flag.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Measurements {
    pub file: FileMeasures,
    /// Media duration in seconds: pauses and cuts are already out of the file.
    pub active_secs: Option<f64>,
    pub picture: Option<PictureMeasures>,
    pub sound: Option<SoundMeasures>,
    /// Only with a manifest.
    pub capture: Option<CaptureMeasures>,
    pub activity: Option<ActivityMeasures>,
    pub speech: Option<SpeechMeasures>,
    pub duplicate: Option<DuplicateMeasures>,
    /// Another recording whose input events this one's repeat, whatever its picture.
    #[serde(default)]
    pub replay: Option<DuplicateMeasures>,
    pub goal: Option<GoalMeasures>,
    /// Stretches in which private data shows or is said; null where nobody looked.
    pub pii: Option<Vec<Span>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FileMeasures {
    pub bytes: u64,
    pub state: FileState,
    pub container: Option<String>,
    pub has_video: bool,
    pub has_audio: bool,
    pub declared_secs: Option<f64>,
    /// Where the last frame that decodes ends.
    pub decoded_secs: Option<f64>,
    /// The last frame is cut short.
    pub ends_inside_frame: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    #[default]
    Readable,
    Empty,
    /// The first bytes are those of no accepted container.
    WrongType,
    /// Does not open, or nothing in it decodes.
    Corrupt,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PictureMeasures {
    pub width: u32,
    pub height: u32,
    pub frames: u64,
    pub codec: String,
    pub black_share: f64,
    pub black: Vec<Span>,
    /// Stretches in which nothing but the pointer changed.
    pub still: Vec<Span>,
    /// Stretches of input during which no pixel changed; only with input events.
    pub frozen_under_input: Vec<Span>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SoundMeasures {
    pub codec: String,
    pub rate_hz: u32,
    pub channels: u16,
    pub secs: f64,
    /// RMS of the loudest tenth of 20 ms blocks.
    pub loud_dbfs: f64,
    pub speech_share: f64,
    pub speech: Vec<Span>,
    pub longest_silence: Option<Span>,
    /// Null without speech or without a pause to hear the noise in.
    pub snr_db: Option<f64>,
    /// Clipped samples of the samples of speech.
    pub clipped_share: f64,
    pub clipped: Vec<Span>,
}

/// What the recorder wrote down about its own work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CaptureMeasures {
    /// How far sound lies after picture at its worst; negative if before.
    pub av_offset_ms: Option<f64>,
    /// Captured of due frames.
    pub frames_kept: Option<f64>,
    /// Seconds in which pictures were dropped.
    #[serde(default)]
    pub dropped: Vec<Span>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ActivityMeasures {
    /// Whether input events told it; else changes of the picture did.
    pub from_events: bool,
    pub idle_share: f64,
    pub idle: Vec<Span>,
    /// Clicks, keys, typing runs, wheel runs.
    pub actions: u32,
    /// Standard deviation of the gaps between actions over their mean.
    pub gap_variation: Option<f64>,
    /// Share of gaps within 10 ms of their commonest value.
    pub gap_repeat_share: Option<f64>,
    /// Share of clicks over 30 px from the pointer's last earlier position.
    pub jump_share: Option<f64>,
    /// From the first action to the last.
    #[serde(default)]
    pub acted: Option<Span>,
    /// Share of actions after which no pixel changed for two seconds; only with input events.
    #[serde(default)]
    pub unanswered_share: Option<f64>,
    #[serde(default)]
    pub unanswered: Vec<Span>,
    /// How often much of the picture changed at once, and the share of that which no action came before; only with input
    /// events.
    #[serde(default)]
    pub page_changes: u32,
    #[serde(default)]
    pub unexplained_share: Option<f64>,
    #[serde(default)]
    pub unexplained: Vec<Span>,
    /// Ways of the pointer between two actions that are long enough to tell their form, and the share of straight ones.
    #[serde(default)]
    pub pointer_ways: u32,
    #[serde(default)]
    pub straight_share: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SpeechMeasures {
    /// DNSMOS P.835 overall, 1 to 5.
    pub dnsmos_overall: Option<f64>,
    pub mean_word_probability: Option<f64>,
    pub language: Option<String>,
    pub language_probability: Option<f64>,
    /// Where another language than the policy's is surely spoken.
    #[serde(default)]
    pub foreign: Vec<Span>,
    /// Music in the time without speech.
    pub music_share: Option<f64>,
    pub music: Vec<Span>,
    /// Where somebody speaks and no words were made out, also at a second try.
    #[serde(default)]
    pub unheard: Vec<Span>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DuplicateMeasures {
    /// The recording it repeats.
    pub of: String,
    /// How much of the shorter one is shared, 0 to 1.
    pub shared: f64,
    pub spans: Vec<Span>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct GoalMeasures {
    pub constraints: u32,
    pub touched: u32,
}

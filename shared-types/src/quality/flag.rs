//! The flags: what can be wrong with a recording, in one table.
//!
//! A flag's numbers come from [`super::measurements`], its limits from [`super::policy`]; [`super::judge`] puts them
//! together. Order here is the order in every report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use self::Flag::{
    AudioClipping, AvDesync, BlackScreen, DroppedFrames, FrozenScreen, Idle, LittleSpeech, LowSnr, Music, NoSpeech,
    SilentAudio, TooShort, UnclearSpeech,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    EmptyFile,
    WrongType,
    CorruptFile,
    TruncatedFile,
    NoVideoStream,
    NoAudioStream,
    TooShort,
    BlackScreen,
    FrozenScreen,
    SilentAudio,
    NoSpeech,
    LittleSpeech,
    LowSnr,
    AudioClipping,
    AvDesync,
    DroppedFrames,
    Idle,
    BotLike,
    UnclearSpeech,
    Music,
    Duplicate,
    GoalNotAttempted,
    PiiVisible,
}

/// Where a flag is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// On the finished file, by the same code in recorder and pipeline.
    Device,
    Pipeline,
    /// From fingerprints of other submissions.
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Accept,
    Review,
    Reject,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Review => "review",
            Self::Reject => "reject",
        }
    }
}

/// What a raised flag leads to, before the policy's own `[verdicts]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LeadsTo {
    Always(Verdict),
    /// Reject where the policy asks for narration, else review.
    RejectIfNarrated,
    /// Review, and reject once the measure is under this.
    RejectUnder(f64),
    /// Review, and reject once the measure has reached this.
    RejectFrom(f64),
    /// Review; reject under the first limit on speech quality or the second on word probability.
    RejectUnclear {
        dnsmos_under: f64,
        word_probability_under: f64,
    },
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct FlagRule {
    pub flag: Flag,
    pub place: Place,
    /// When it is raised, for people.
    pub raised_when: &'static str,
    /// Where its threshold comes from.
    pub source: &'static str,
    pub leads_to: LeadsTo,
    pub silences: Silences,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silences {
    All,
    These(&'static [Flag]),
}

/// Flags that need a picture to be measured.
pub const PICTURE_FLAGS: &[Flag] = &[BlackScreen, FrozenScreen, DroppedFrames, AvDesync];
/// Flags that need sound to be measured.
pub const SOUND_FLAGS: &[Flag] =
    &[SilentAudio, NoSpeech, LittleSpeech, LowSnr, AudioClipping, AvDesync, UnclearSpeech, Music];

const PICTURE_AND_IDLE: &[Flag] = &[BlackScreen, FrozenScreen, DroppedFrames, AvDesync, Idle];
const NONE: Silences = Silences::These(&[]);
const REVIEW: LeadsTo = LeadsTo::Always(Verdict::Review);
const REJECT: LeadsTo = LeadsTo::Always(Verdict::Reject);

const fn rule(
    flag: Flag,
    place: Place,
    leads_to: LeadsTo,
    silences: Silences,
    raised_when: &'static str,
    source: &'static str,
) -> FlagRule {
    FlagRule { flag, place, raised_when, source, leads_to, silences }
}

const FILE: &str = "a property of the file itself";
const HOUSE: &str = "house rule, adjustable in the policy";

/// The table of the contract, one row a flag, in the order of [`Flag`].
pub const FLAG_RULES: &[FlagRule] = &[
    rule(Flag::EmptyFile, Place::Device, REJECT, Silences::All, "the file has 0 bytes", FILE),
    rule(
        Flag::WrongType,
        Place::Device,
        REJECT,
        Silences::All,
        "the first bytes are those of no accepted container",
        FILE,
    ),
    rule(
        Flag::CorruptFile,
        Place::Device,
        REJECT,
        Silences::All,
        "the file cannot be opened, or nothing in it decodes",
        FILE,
    ),
    rule(
        Flag::TruncatedFile,
        Place::Device,
        REJECT,
        Silences::These(&[TooShort]),
        "the file opens, but ends over 2 s before its declared end or inside a frame",
        FILE,
    ),
    rule(
        Flag::NoVideoStream,
        Place::Device,
        REJECT,
        Silences::These(PICTURE_AND_IDLE),
        "the file has no picture",
        FILE,
    ),
    rule(
        Flag::NoAudioStream,
        Place::Device,
        LeadsTo::RejectIfNarrated,
        Silences::These(SOUND_FLAGS),
        "the file has no sound",
        FILE,
    ),
    rule(Flag::TooShort, Place::Device, REJECT, NONE, "active time < min_active_secs", HOUSE),
    rule(
        Flag::BlackScreen,
        Place::Device,
        REJECT,
        Silences::These(&[FrozenScreen, Idle]),
        "black share >= max_black_share and over 2 s",
        "2 s is the shortest span FFmpeg's blackdetect reports by default",
    ),
    rule(
        Flag::FrozenScreen,
        Place::Device,
        REJECT,
        Silences::These(&[Idle]),
        "input spans 5 s while no pixel changes, or one still stretch over 20 s is more than half the take",
        "a still screen is natural, one that ignores the worker's hand is not",
    ),
    rule(
        Flag::SilentAudio,
        Place::Device,
        LeadsTo::RejectIfNarrated,
        Silences::These(&[LittleSpeech, LowSnr, UnclearSpeech, Music]),
        "RMS of the loudest tenth of 20 ms blocks < min_level_dbfs",
        "muted analogue headsets peak at 0.001, live ones never stayed below 0.0042",
    ),
    rule(
        Flag::NoSpeech,
        Place::Device,
        LeadsTo::RejectIfNarrated,
        Silences::These(&[LittleSpeech, LowSnr, UnclearSpeech]),
        "speech share < 0.02",
        HOUSE,
    ),
    rule(
        Flag::LittleSpeech,
        Place::Device,
        REVIEW,
        NONE,
        "speech share < min_speech_share, or a silence over max_silence_secs",
        HOUSE,
    ),
    rule(
        Flag::LowSnr,
        Place::Device,
        LeadsTo::RejectUnder(3.0),
        NONE,
        "signal to noise < min_snr_db",
        "voice-gated estimates follow the truth to 1 dB at and below 10 dB",
    ),
    rule(
        Flag::AudioClipping,
        Place::Device,
        REVIEW,
        NONE,
        "clipped samples > max_clipped_share of speech",
        "speech quality models do not notice mild clipping, so samples are counted",
    ),
    rule(
        Flag::AvDesync,
        Place::Device,
        REVIEW,
        NONE,
        "sound and picture lie over max_av_offset_ms apart by the recording's clock anchors",
        "within the +45/-125 ms people notice, ITU-R BT.1359",
    ),
    rule(
        Flag::DroppedFrames,
        Place::Device,
        LeadsTo::RejectUnder(0.8),
        NONE,
        "captured of due frames < min_frames_kept",
        HOUSE,
    ),
    rule(
        Flag::Idle,
        Place::Device,
        LeadsTo::RejectFrom(0.60),
        NONE,
        "gaps over 10 s without a sign of the worker make up max_idle_share",
        HOUSE,
    ),
    rule(
        Flag::BotLike,
        Place::Device,
        REVIEW,
        NONE,
        "at least 8 actions with machine-like timing or pointer jumps",
        "human gaps between actions vary far more than a quarter of their mean",
    ),
    rule(
        Flag::UnclearSpeech,
        Place::Pipeline,
        LeadsTo::RejectUnclear { dnsmos_under: 1.6, word_probability_under: 0.4 },
        NONE,
        "DNSMOS OVRL < 2.5, or mean word probability < 0.6, or another language than the policy's",
        "DNSMOS P.835: clean speech scores 3.1, speech in 10 dB noise 2.2",
    ),
    rule(Flag::Music, Place::Pipeline, REVIEW, NONE, "music in over half of the time without speech", HOUSE),
    rule(
        Flag::Duplicate,
        Place::Server,
        REJECT,
        NONE,
        "picture or sound of another submission, also re-encoded, resized or trimmed",
        HOUSE,
    ),
    rule(
        Flag::GoalNotAttempted,
        Place::Pipeline,
        REVIEW,
        NONE,
        "under min_constraints_touched of the goal's constraints seen, said or acted on",
        HOUSE,
    ),
    rule(Flag::PiiVisible, Place::Pipeline, REVIEW, NONE, "any private data found", HOUSE),
];

impl Flag {
    /// This flag's row of the table.
    pub fn rule(self) -> &'static FlagRule {
        &FLAG_RULES[self as usize]
    }

    pub fn silences(self, other: Self) -> bool {
        match self.rule().silences {
            Silences::All => self != other,
            Silences::These(flags) => flags.contains(&other),
        }
    }
}

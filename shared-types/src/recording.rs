//! A Recording: screen, voice and input events of one take on the worker's disk, and its manifest `recording.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{AssignmentId, CampaignId, RecordingId};
use crate::lifecycle::lifecycle;
use crate::quality::judge::QualityReport;
use crate::quality::measurements::Span;

/// Names of the files in a recording folder.
pub const VIDEO_FILE: &str = "video.mp4";
pub const EVENTS_FILE: &str = "events.jsonl";
pub const MANIFEST_FILE: &str = "recording.json";

/// Version of the recording folder's form that this code writes.
pub const MANIFEST_FORMAT: u32 = 1;

lifecycle! {
    /// Life of a Recording on the device.
    RecordingStage of "recording" {
        Capturing "capturing" => [Stopped, Broken, Discarded],
        /// Whole on disk, not yet judged.
        Stopped "stopped" => [Checked, Broken, Discarded],
        Checked "checked" => [Uploading, Stopped, Discarded],
        Uploading "uploading" => [Delivered, Checked, Discarded],
        /// Every byte is sent; the server's hash is awaited.
        Delivered "delivered" => [Confirmed, Uploading],
        Confirmed "confirmed" => [Discarded],
        Discarded "discarded" => [],
        /// Cannot be made whole.
        Broken "broken" => [Discarded],
    }
}

/// `recording.json`: how a take was made, and the hashes that bind its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Manifest {
    pub format: u32,
    pub id: RecordingId,
    pub stage: RecordingStage,
    pub goal: Option<String>,
    pub campaign_id: Option<CampaignId>,
    pub assignment_id: Option<AssignmentId>,
    pub tier: Option<String>,
    pub app_version: String,
    pub system: SystemInfo,
    pub clock: ClockAnchors,
    pub screen: ScreenInfo,
    /// Null where the take has no sound.
    pub microphone: Option<MicrophoneInfo>,
    pub input_events: InputEventsInfo,
    pub encoder: EncoderInfo,
    /// The pieces of `video.mp4` in order. While a take runs they are known from the file itself.
    pub fragments: Vec<Fragment>,
    pub pauses: Vec<Pause>,
    pub cuts: Vec<Span>,
    /// Holes in the sound that were filled with silence.
    pub gaps: Vec<Span>,
    pub drift: DriftInfo,
    pub frames: FrameCounts,
    pub health: Vec<HealthEvent>,
    pub consent: Option<Consent>,
    pub quality: Option<QualityReport>,
    pub files: BTreeMap<String, FileHash>,
    /// Fields of a later version, kept as they are.
    #[serde(flatten)]
    #[ts(skip)]
    pub other: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SystemInfo {
    pub os: String,
    pub arch: String,
    /// `x11`, `wayland`, `windows`, `macos`, `synthetic`
    pub display: String,
}

/// Where media time zero lies on other clocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ClockAnchors {
    /// RFC 3339, UTC, milliseconds.
    pub started_at: String,
    /// Monotonic clock at the first video frame.
    pub first_frame_monotonic_nanos: i64,
    /// Monotonic clock at the first sound sample; null without sound.
    pub first_sample_monotonic_nanos: Option<i64>,
    /// How far the first sound sample in the file lies after where its time stamp puts it, in milliseconds.
    pub av_offset_ms: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ScreenInfo {
    pub id: String,
    pub name: String,
    /// Size on the screen, and of the encoded picture.
    pub width: u32,
    pub height: u32,
    pub picture_width: u32,
    pub picture_height: u32,
    pub fps: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MicrophoneInfo {
    pub id: String,
    pub name: String,
    pub rate_hz: u32,
    pub channels: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct InputEventsInfo {
    pub recorded: bool,
    /// Why not, where they are not.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct EncoderInfo {
    pub video: String,
    pub audio: Option<String>,
    /// FFmpeg's version and licence string.
    pub library: String,
    /// Encoders that were tried at the picture's size, with what came of it.
    pub probes: Vec<EncoderProbe>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct EncoderProbe {
    pub name: String,
    pub works: bool,
    pub detail: Option<String>,
}

/// A piece of `video.mp4` that was written whole, hashed and brought to the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Fragment {
    pub offset: u64,
    pub bytes: u64,
    /// Media time of its first frame; null for the file's head.
    pub t: Option<f64>,
    pub sha256: String,
}

/// A pause: nothing of it is in the files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Pause {
    /// Media time at which it was made.
    pub t: f64,
    pub secs: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DriftInfo {
    /// How much faster the sound card's clock runs than the monotonic one.
    pub ppm: Option<f64>,
    /// The farthest the sound was off its place during the take, in milliseconds, before it was set right.
    pub worst_offset_ms: Option<f64>,
    /// Sound added as silence, and left out, in milliseconds.
    pub filled_ms: f64,
    pub skipped_ms: f64,
    /// Blocks of sound for which the recorder had no room, and how often the system said that it had lost some.
    #[serde(default)]
    pub lost_chunks: u64,
    #[serde(default)]
    pub system_gaps: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FrameCounts {
    pub due: u64,
    /// Due frames for which a picture was taken; frames of a still screen count as taken.
    pub captured: u64,
    /// Frames missed, by second of media time; seconds without a miss are left out.
    pub dropped_per_second: BTreeMap<u64, u32>,
}

/// Something the worker was told during the take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct HealthEvent {
    pub t: f64,
    pub kind: String,
    pub sentence: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Consent {
    pub version: String,
    pub text_sha256: String,
    pub accepted_at: String,
    pub scope: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FileHash {
    pub bytes: u64,
    pub sha256: String,
}

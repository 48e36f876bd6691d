//! A take as its caller sees it: what goes in, what it tells, what comes out.
//!
//! [`record`] opens and tries everything before the folder is made and the take begins; [`crate::take`] then runs it.

use std::path::{Path, PathBuf};

use capture::input::{self, InputError, RawInput};
use capture::lock::IsLocked;
use capture::mic::MicError;
use capture::screen::{ScreenError, ScreenInfo, ScreenSource};
use crossbeam_channel::{Sender, bounded, never};
use media::encode::EncodeError;
use media::encode::h264::H264Encoder;
use media::encode::opus::OpusEncoder;
use media::fit::picture_size;
use shared_types::id::{AssignmentId, CampaignId, RecordingId};
use shared_types::quality::policy::Policy;
use shared_types::recording::{
    ClockAnchors, Consent, DriftInfo, EncoderInfo, FrameCounts, HealthEvent, InputEventsInfo, MANIFEST_FORMAT,
    Manifest, RecordingStage, SystemInfo,
};

use crate::check::CheckError;
use crate::control::Control;
pub use crate::early::EarlyUpload;
use crate::encode::Encoders;
use crate::health::{ENDING, Health};
pub use crate::microphone::{MicChoice, MicSource};
use crate::microphone::{Microphone, wait_for_sound};
use crate::spool::{Spool, SpoolError};
use crate::take::{Feeds, Take, utc_now};

/// Longer edges are scaled down: text stays legible and files small.
pub(crate) const LONG_EDGE: u32 = 1920;
/// Chunks of about 10 ms each, so seconds of sound.
const CHUNKS: usize = 512;
const RAW_EVENTS: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Screen(#[from] ScreenError),
    #[error(transparent)]
    Mic(#[from] MicError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("the recording stopped early: {reason}. What was recorded until then is whole and kept in the folder")]
    Interrupted { reason: String },
    #[error(
        "the recording stopped early: {reason}. What was recorded until then could not be made whole ({source}). \
         Free some space, then run `recorder recover {folder}`"
    )]
    Unfinished { reason: String, source: SpoolError, folder: PathBuf },
    #[error("nothing was recorded: {0}")]
    Nothing(String),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("a thread could not be started: {0}. Close other programs and try again")]
    Thread(#[from] std::io::Error),
}

/// What is recorded, and how.
#[derive(Debug, Clone)]
pub struct TakeOptions {
    pub fps: u32,
    pub secs: Option<f64>,
    pub goal: Option<String>,
    pub policy: Policy,
    /// What the take is for, where somebody asked for it.
    pub assigned: Option<AssignedTake>,
    /// Sends the video while it is being made; only where the worker chose it.
    pub early: Option<EarlyUpload>,
}

/// What a take's manifest says of its assignment.
#[derive(Debug, Clone)]
pub struct AssignedTake {
    pub assignment_id: AssignmentId,
    pub campaign_id: CampaignId,
    pub tier: String,
    pub consent: Option<Consent>,
}

/// Where picture, sound and input come from; opened by the caller.
pub struct Sources {
    pub screen: Box<dyn ScreenSource>,
    pub screen_info: ScreenInfo,
    pub mic: Option<MicSource>,
    pub input: InputSource,
    /// Whether the screen is locked; `None` for what no lock covers.
    pub lock: Option<IsLocked>,
}

pub enum InputSource {
    Start(Box<dyn FnOnce(Sender<RawInput>) -> Result<input::Running, InputError> + Send>),
    Without { reason: String },
}

/// How a take is going, a few times a second.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub secs: f64,
    /// Loudest sample since the last report, in dBFS; `None` without a microphone.
    pub peak_dbfs: Option<f64>,
    pub bytes: u64,
    pub is_paused: bool,
    /// How much is missing to the length that the policy asks for.
    pub needed_secs: f64,
    /// How much of the take was speech; `None` without a microphone.
    pub speech_share: Option<f64>,
    /// How long the disk has room; `None` where it does not tell.
    pub disk_secs: Option<f64>,
}

/// Told of progress and of health events.
pub trait Listener {
    fn started(&mut self);
    fn progress(&mut self, progress: Progress);
    fn health(&mut self, event: &HealthEvent);
    /// What was told of this kind is over.
    fn over(&mut self, _kind: &str) {}
}

/// Records a take into a new folder, until `control` ends it or its time is over, and judges it.
///
/// A take that the loss of the screen or a full disk ends is a whole take too; [`ended_early`] tells it apart.
pub fn record(
    folder: &Path,
    sources: Sources,
    options: &TakeOptions,
    control: &Control,
    listener: &mut dyn Listener,
) -> Result<Manifest, SessionError> {
    let picture = picture_size((sources.screen_info.width, sources.screen_info.height), LONG_EDGE);
    let (video, probes) = H264Encoder::open(picture.0, picture.1, options.fps)?;
    let audio = sources.mic.as_ref().map(|_| OpusEncoder::open()).transpose()?;
    let (chunk_sink, chunks) = bounded(CHUNKS);
    let mic = sources.mic.map(|source| Microphone::start(source, chunk_sink)).transpose()?;
    if mic.is_some() {
        wait_for_sound(&chunks, control);
    }
    let (raw_sink, raw) = bounded(RAW_EVENTS);
    let (input, input_events, refused) = start_input(sources.input, raw_sink);
    if control.is_ended() {
        return Err(SessionError::Nothing("it was stopped before its first picture".to_owned()));
    }
    let spool = Spool::create(folder)?;
    if options.assigned.is_some() {
        spool.keep_policy(&options.policy).inspect_err(|_| spool.discard())?;
    }
    let screen = &sources.screen_info;
    let manifest = Manifest {
        format: MANIFEST_FORMAT,
        id: RecordingId(uuid::Uuid::now_v7()),
        stage: RecordingStage::Capturing,
        goal: options.goal.clone(),
        campaign_id: options.assigned.as_ref().map(|assigned| assigned.campaign_id),
        assignment_id: options.assigned.as_ref().map(|assigned| assigned.assignment_id),
        tier: options.assigned.as_ref().map(|assigned| assigned.tier.clone()),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        system: SystemInfo {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            display: sources.screen.system().to_owned(),
        },
        clock: ClockAnchors {
            started_at: utc_now(),
            first_frame_monotonic_nanos: 0,
            first_sample_monotonic_nanos: None,
            av_offset_ms: None,
        },
        screen: shared_types::recording::ScreenInfo {
            id: screen.id.clone(),
            name: screen.name.clone(),
            width: screen.width,
            height: screen.height,
            picture_width: picture.0,
            picture_height: picture.1,
            fps: options.fps,
        },
        microphone: mic.as_ref().map(Microphone::info),
        input_events,
        encoder: EncoderInfo {
            video: video.name().to_owned(),
            audio: audio.as_ref().map(|audio| audio.name().to_owned()),
            library: media::encode::library(),
            probes,
        },
        fragments: Vec::new(),
        pauses: Vec::new(),
        cuts: Vec::new(),
        gaps: Vec::new(),
        drift: DriftInfo::default(),
        frames: FrameCounts::default(),
        health: Vec::new(),
        consent: options.assigned.as_ref().and_then(|assigned| assigned.consent.clone()),
        quality: None,
        files: std::collections::BTreeMap::new(),
        other: std::collections::BTreeMap::new(),
    };
    let chunks = if mic.is_some() { chunks } else { never() };
    let feeds = Feeds { screen: sources.screen, chunks, raw, lock: sources.lock, picture };
    let encoders = Encoders { video, audio, fps: options.fps };
    Take::new(spool, manifest, mic, input, refused).run(feeds, encoders, options, control, listener)
}

/// Whether something other than its caller ended the take; its last health event says what.
pub fn ended_early(manifest: &Manifest) -> bool {
    why_ended_early(manifest).is_some()
}

/// What the worker was told when something other than they ended the take.
pub fn why_ended_early(manifest: &Manifest) -> Option<&HealthEvent> {
    manifest.health.iter().rfind(|event| ENDING.contains(&event.kind.as_str()))
}

/// The running source, what the manifest says of it, and what the worker should know of one that does not run.
fn start_input(
    source: InputSource,
    sink: Sender<RawInput>,
) -> (Option<input::Running>, InputEventsInfo, Option<Health>) {
    let without = |reason| InputEventsInfo { recorded: false, reason: Some(reason) };
    match source {
        InputSource::Without { reason } => (None, without(reason), None),
        InputSource::Start(start) => match start(sink) {
            Ok(running) => (Some(running), InputEventsInfo { recorded: true, reason: None }, None),
            Err(error) => {
                let reason = error.to_string();
                (None, without(reason.clone()), Some(Health::NoInputEvents { reason }))
            }
        },
    }
}

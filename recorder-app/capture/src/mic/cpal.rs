//! Microphones through cpal: `PulseAudio` (or `PipeWire` in its place) on Linux where it runs, else ALSA; WASAPI; `CoreAudio`.
//!
//! The stream is asked for in the device's default form. ALSA prints to the error output while its devices are listed;
//! that happens only where no sound server runs.
//!
//! `PulseAudio` needs two streams. Left to itself it delivers blocks of up to two seconds. Asked for short blocks, cpal
//! also limits the server's queue to one of them, and a block that meets a remainder of the one before is lost whole.
//! So one stream asks for short blocks and is thrown away, and the real one shares the pace that this gives the device
//! with a queue several blocks long.
//!
//! `PipeWire` in its place delivers blocks of just the length that is asked for, and keeps a queue of several by itself. So
//! there it is one stream of short blocks: of long ones the age would be known to a tenth of a second only.
//!
//! The connection to `PulseAudio` is made once and kept. It has a thread and a socket that outlive it: nothing wakes that
//! thread when its last handle goes, so that a connection for each question would add up (pulseaudio 0.3,
//! `client/reactor.rs`).

#[cfg(target_os = "linux")]
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use ::cpal::{
    BufferSize, Device, DeviceId, ErrorKind, FromSample, Host, InputCallbackInfo, Sample, SampleFormat, SizedSample,
    Stream, StreamConfig, SupportedBufferSize, SupportedStreamConfig,
};
use crossbeam_channel::Sender;
use media::frame::AudioChunk;

use super::stamp::Stamps;
use super::{MicError, MicEvent, MicInfo, Running, Source, Tap};
use crate::clock;

/// How much sound one block brings: short for prompt stamps, long enough for a busy computer.
const BLOCK_MILLIS: u32 = 40;
/// How much the sound server keeps for us when it has a queue.
const QUEUE_MILLIS: u32 = 400;
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// The open device; closed when dropped.
pub(super) struct Streams {
    _sound: Stream,
    _pace: Option<Stream>,
}

/// Puts a question to the sound system.
#[cfg(target_os = "linux")]
fn ask<T>(question: impl Fn(&Host) -> Result<T, ::cpal::Error>) -> Result<T, ::cpal::Error> {
    use ::cpal::HostId::PulseAudio;
    static KEPT: Mutex<Option<Host>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(answer) = kept.as_ref().and_then(|host| question(host).ok()) {
        return Ok(answer);
    }
    // A sound system that ended, or was started anew: its thread and socket went with it.
    *kept = None;
    let host = ::cpal::host_from_id(PulseAudio).unwrap_or_else(|_| ::cpal::default_host());
    let answer = question(&host)?;
    if host.id() == PulseAudio {
        *kept = Some(host);
    }
    Ok(answer)
}

#[cfg(not(target_os = "linux"))]
fn ask<T>(question: impl Fn(&Host) -> Result<T, ::cpal::Error>) -> Result<T, ::cpal::Error> {
    question(&::cpal::default_host())
}

pub(super) fn list() -> Result<Vec<MicInfo>, MicError> {
    Ok(devices()?.into_iter().map(|(info, ..)| info).collect())
}

/// The devices that give a default form, the default one first. Systems list many that could never be opened.
fn devices() -> Result<Vec<(MicInfo, Device, SupportedStreamConfig)>, MicError> {
    let asked = ask(|host| {
        let found: Vec<_> = host.input_devices()?.collect();
        Ok((found, host.default_input_device().and_then(|device| device.id().ok())))
    });
    let (found, default_id) = asked.map_err(|error| MicError::System(error.to_string()))?;
    let mut devices: Vec<_> = found
        .into_iter()
        .filter_map(|device| {
            let id = device.id().ok().filter(|id| !is_nothing(id))?;
            let config = device.default_input_config().ok()?;
            let info = MicInfo {
                default: default_id.as_ref() == Some(&id),
                id: id.to_string(),
                name: device.description().map_or_else(|_| id.id().to_owned(), |about| about.name().to_owned()),
                rate_hz: config.sample_rate(),
                channels: config.channels(),
            };
            Some((info, device, config))
        })
        .collect();
    devices.sort_by_key(|(info, ..)| !info.default);
    Ok(devices)
}

pub(super) fn default_id() -> Option<String> {
    let asked = ask(|host| match host.default_input_device() {
        Some(device) => device.id().map(Some),
        // No answer and no microphone look alike here; a list tells them apart.
        None => host.input_devices().map(|_| None),
    });
    Some(asked.ok()??.to_string())
}

pub(super) fn is_there(id: &str) -> Option<bool> {
    let is_it = |device: Device| device.id().is_ok_and(|found| found.to_string() == id);
    ask(|host| Ok(host.input_devices()?.any(is_it))).ok()
}

/// ALSA's device of that name is no microphone: it gives silence as fast as it is read.
fn is_nothing(id: &DeviceId) -> bool {
    id.id() == "null"
}

pub(super) fn start(id: Option<&str>, sink: Sender<AudioChunk>) -> Result<Running, MicError> {
    let mut devices = devices()?;
    let chosen = match id {
        Some(id) => devices.iter().position(|(info, ..)| info.id == id).ok_or_else(|| {
            let there: Vec<_> = devices.iter().map(|(info, ..)| info.id.as_str()).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            MicError::Unknown { id: id.to_owned(), there }
        })?,
        None if devices.is_empty() => return Err(MicError::NoneFound),
        None => 0,
    };
    let (info, device, supported) = devices.swap_remove(chosen);

    let tap = Tap::new(sink);
    let counts = tap.counts.clone();
    let (events_out, events) = crossbeam_channel::bounded(16);
    let mut config = supported.config();
    let is_paced = is_paced(&device);
    config.buffer_size = buffer(&supported, if is_paced { QUEUE_MILLIS } else { BLOCK_MILLIS });
    let build = match supported.sample_format() {
        SampleFormat::F32 => build::<f32>,
        SampleFormat::F64 => build::<f64>,
        SampleFormat::I8 => build::<i8>,
        SampleFormat::I16 => build::<i16>,
        SampleFormat::I24 => build::<::cpal::I24>,
        SampleFormat::I32 => build::<i32>,
        SampleFormat::U8 => build::<u8>,
        SampleFormat::U16 => build::<u16>,
        other => return Err(MicError::Format { name: info.name, format: other.to_string() }),
    };
    let pace = if is_paced { Some(pace(&device, &supported).map_err(|error| failed(&info, &error))?) } else { None };
    let sound = build(&device, config, tap, events_out).map_err(|error| failed(&info, &error))?;
    sound.play().map_err(|error| failed(&info, &error))?;
    Ok(Running { info, events, counts, _source: Source::Device(Streams { _sound: sound, _pace: pace }) })
}

#[cfg(target_os = "linux")]
fn is_paced(device: &Device) -> bool {
    device.id().is_ok_and(|id| id.host() == ::cpal::HostId::PulseAudio) && !super::pulse::is_pipewire()
}

#[cfg(not(target_os = "linux"))]
fn is_paced(_device: &Device) -> bool {
    false
}

/// A stream whose short blocks the server must keep up with, and whose sound nobody hears. What befalls it befalls the
/// real one too, which tells.
fn pace(device: &Device, supported: &SupportedStreamConfig) -> Result<Stream, ::cpal::Error> {
    let mut config = supported.config();
    config.buffer_size = buffer(supported, BLOCK_MILLIS);
    let stream =
        device.build_input_stream_raw(config, supported.sample_format(), |_, _| {}, |_| {}, Some(START_TIMEOUT))?;
    stream.play()?;
    Ok(stream)
}

fn buffer(supported: &SupportedStreamConfig, millis: u32) -> BufferSize {
    match *supported.buffer_size() {
        SupportedBufferSize::Range { min, max } if min <= max => {
            BufferSize::Fixed((supported.sample_rate() * millis / 1000).clamp(min, max))
        }
        _ => BufferSize::Default,
    }
}

fn build<T>(device: &Device, config: StreamConfig, tap: Tap, events: Sender<MicEvent>) -> Result<Stream, ::cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let mut stamps = Stamps::new(config.sample_rate);
    let on_sound = move |samples: &[T], info: &InputCallbackInfo| {
        let now = clock::now();
        let frames = samples.len() / usize::from(config.channels).max(1);
        let stamp = info.timestamp();
        let delay = stamp.callback.checked_duration_since(stamp.capture);
        let at = stamps.next(now, delay.map(|delay| delay.as_nanos() as i64), frames);
        let samples = samples.iter().map(|&sample| f32::from_sample(sample)).collect();
        tap.give(AudioChunk { rate_hz: config.sample_rate, channels: config.channels, samples, at });
    };
    let on_error = move |error: ::cpal::Error| {
        let sentence = error.to_string();
        let event = match error.kind() {
            ErrorKind::DeviceChanged => MicEvent::Moved(sentence),
            ErrorKind::Xrun => MicEvent::Gap(sentence),
            ErrorKind::RealtimeDenied => return,
            _ => MicEvent::Lost(sentence),
        };
        // A full channel already holds news of the same trouble.
        drop(events.try_send(event));
    };
    device.build_input_stream(config, on_sound, on_error, Some(START_TIMEOUT))
}

fn failed(info: &MicInfo, error: &::cpal::Error) -> MicError {
    let name = info.name.clone();
    match error.kind() {
        ErrorKind::PermissionDenied => MicError::Forbidden { name },
        ErrorKind::DeviceBusy => MicError::Busy { name },
        _ => MicError::Failed { name, reason: error.to_string() },
    }
}

//! How a take is going, measured while it runs: the numbers behind the meter and the advice. They judge nothing; the
//! verdict comes from the finished file.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use capture::clock;
use media::encode::h264::EncoderChange;
use media::frame::{AudioChunk, BgraFrame};
use media::measure::sound::{SoundMeter, dbfs};
use media::time::Monotonic;

/// Sound is looked at in blocks of 20 ms of 48 kHz, the encoder's packets.
const BLOCK_SECS: f64 = 0.02;
const RECENT_BLOCKS: usize = 1500;
/// A muted microphone stays below this, a live one in a quiet room does not: peaks of 0.0005 to 0.0010 against 0.0042.
pub(crate) const DEAD_PEAK: f32 = 0.002;
const CLIPPED: f32 = 0.985;
/// The same darkness as the check's, in the levels of a captured picture.
const BLACK_LEVEL: u8 = 26;
const BLACK_SHARE: f64 = 0.98;
/// Looked at are so many points across and down.
const POINTS: (u32, u32) = (64, 36);

/// Written by the threads of a take, read by its watcher.
#[derive(Debug, Default)]
pub(crate) struct Live {
    peak: AtomicU32,
    pub(crate) bytes: AtomicU64,
    pub(crate) due: AtomicU64,
    pub(crate) dropped: AtomicU64,
    /// On the monotonic clock; zero before the first.
    changed_at: AtomicI64,
    black_since: AtomicI64,
    input_at: AtomicI64,
    /// When the encoder's thread took up the work that it has not done yet.
    busy_since: AtomicI64,
    /// The take was ended without the encoder, which must write nothing any more.
    is_abandoned: AtomicBool,
    hearing: Mutex<Hearing>,
    encoder_changes: Mutex<Vec<EncoderChange>>,
}

impl Live {
    pub(crate) fn hear_chunk(&self, chunk: &AudioChunk) {
        let peak = chunk.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        // Peaks are positive, and positive floats compare like their bits.
        self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
    }

    /// The loudest sample since the last call.
    pub(crate) fn take_peak(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }

    /// 20 ms of the take's sound.
    pub(crate) fn hear(&self, samples: &[f32]) {
        held(&self.hearing).push(samples);
    }

    pub(crate) fn heard(&self) -> Heard {
        held(&self.hearing).summary()
    }

    /// A microphone that is gone gives silence that is no fault of its own.
    pub(crate) fn forget_silence(&self) {
        held(&self.hearing).dead_blocks = 0;
    }

    /// A picture that differs from the one before.
    pub(crate) fn see(&self, frame: &BgraFrame) {
        self.changed_at.store(frame.at.nanos, Ordering::Relaxed);
        let since = if is_black(frame) { frame.at.nanos } else { 0 };
        if since == 0 || self.black_since.load(Ordering::Relaxed) == 0 {
            self.black_since.store(since, Ordering::Relaxed);
        }
    }

    pub(crate) fn touch(&self, at: Monotonic) {
        self.input_at.fetch_max(at.nanos, Ordering::Relaxed);
    }

    pub(crate) fn changed_at(&self) -> Option<Monotonic> {
        moment(&self.changed_at)
    }

    pub(crate) fn black_since(&self) -> Option<Monotonic> {
        moment(&self.black_since)
    }

    pub(crate) fn input_at(&self) -> Option<Monotonic> {
        moment(&self.input_at)
    }

    /// The encoder's thread begins with a piece of its work.
    pub(crate) fn set_busy(&self) {
        self.busy_since.store(clock::now().nanos, Ordering::Relaxed);
    }

    pub(crate) fn set_idle(&self) {
        self.busy_since.store(0, Ordering::Relaxed);
    }

    /// How long the encoder's thread has been at one piece of its work: with an encoder or a disk that does not answer.
    pub(crate) fn busy_secs(&self, now: Monotonic) -> f64 {
        moment(&self.busy_since).map_or(0.0, |since| now.nanos_since(since) as f64 / 1e9)
    }

    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::SeqCst)
    }

    pub(crate) fn note_encoder_changes(&self, changes: Vec<EncoderChange>) {
        if !changes.is_empty() {
            held(&self.encoder_changes).extend(changes);
        }
    }

    pub(crate) fn take_encoder_changes(&self) -> Vec<EncoderChange> {
        std::mem::take(&mut *held(&self.encoder_changes))
    }
}

fn moment(nanos: &AtomicI64) -> Option<Monotonic> {
    Some(nanos.load(Ordering::Relaxed)).filter(|&nanos| nanos != 0).map(Monotonic::from_nanos)
}

/// What a thread that failed left behind is still good enough to advise by.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn is_black(frame: &BgraFrame) -> bool {
    let (width, height) = (frame.width.max(1), frame.height.max(1));
    let (across, down) = (POINTS.0.min(width), POINTS.1.min(height));
    let mut dark = 0;
    for y in 0..down {
        let row = frame.row(y * height / down);
        for x in 0..across {
            let at = (x * width / across) as usize * 4;
            dark += u32::from(row[at..at + 3].iter().all(|&level| level <= BLACK_LEVEL));
        }
    }
    f64::from(dark) >= BLACK_SHARE * f64::from(across * down)
}

#[derive(Debug, Clone, Copy)]
struct Block {
    peak: f32,
    mean_square: f64,
    is_clipped: bool,
    is_speech: bool,
}

/// The sound of the last half minute, and speech from the beginning.
#[derive(Default)]
struct Hearing {
    /// Tells speech and counts it, as it does for the check.
    meter: SoundMeter,
    recent: VecDeque<Block>,
    blocks: u64,
    dead_blocks: u64,
}

impl std::fmt::Debug for Hearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hearing").field("blocks", &self.blocks).finish_non_exhaustive()
    }
}

/// What was heard so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) secs: f64,
    pub(crate) speech_share: f64,
    /// How long nothing at all has come from the microphone.
    pub(crate) dead_secs: f64,
    /// How long nobody has spoken.
    pub(crate) wordless_secs: f64,
    /// Share of the last five seconds that was cut off at full scale.
    pub(crate) clipped_share: f64,
    /// Of the last half minute; `None` with too little speech or too little else.
    pub(crate) speech_dbfs: Option<f64>,
    pub(crate) snr_db: Option<f64>,
}

/// Three samples of 48 kHz are one of 16 kHz; their mean keeps what is above hearing range from folding back.
fn to_voice(samples: &[f32]) -> Vec<f32> {
    samples.chunks_exact(3).map(|three| three.iter().sum::<f32>() / 3.0).collect()
}

impl Hearing {
    fn push(&mut self, samples: &[f32]) {
        self.meter.push_voice(&to_voice(samples));
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let sum: f64 = samples.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum();
        let block = Block {
            peak,
            mean_square: sum / samples.len().max(1) as f64,
            is_clipped: peak >= CLIPPED,
            is_speech: self.meter.speaking(),
        };
        self.blocks += 1;
        self.dead_blocks = if block.peak < DEAD_PEAK { self.dead_blocks + 1 } else { 0 };
        if self.recent.len() == RECENT_BLOCKS {
            self.recent.pop_front();
        }
        self.recent.push_back(block);
    }

    fn summary(&self) -> Heard {
        const LAST_BLOCKS: usize = 250;
        const ENOUGH_BLOCKS: usize = 50;
        let last = self.recent.iter().rev().take(LAST_BLOCKS);
        let clipped = last.filter(|block| block.is_clipped).count();
        let of = |is_speech: bool| -> Vec<f64> {
            self.recent.iter().filter(|block| block.is_speech == is_speech).map(|block| block.mean_square).collect()
        };
        let (speech, mut rest) = (of(true), of(false));
        rest.sort_by(f64::total_cmp);
        let mean = (speech.len() >= ENOUGH_BLOCKS).then(|| speech.iter().sum::<f64>() / speech.len() as f64);
        // A door or a cough is not the room: the middle of the quiet blocks is.
        let noise = (rest.len() >= ENOUGH_BLOCKS).then(|| rest[rest.len() / 2].max(1e-12));
        let ratio = mean.zip(noise).map(|(mean, noise)| 10.0 * ((mean - noise).max(1e-12) / noise).log10());
        Heard {
            secs: self.blocks as f64 * BLOCK_SECS,
            speech_share: self.meter.speech_share(),
            dead_secs: self.dead_blocks as f64 * BLOCK_SECS,
            wordless_secs: self.meter.wordless_secs(),
            clipped_share: clipped as f64 / LAST_BLOCKS as f64,
            speech_dbfs: mean.map(dbfs),
            snr_db: ratio,
        }
    }
}

#[cfg(test)]
mod tests {
    use capture::screen::blank_frame;
    use media::synth::syllables;

    use super::*;

    fn heard(secs: f64, sample: impl Fn(u64) -> f32) -> Heard {
        let live = Live::default();
        for block in 0..(secs / BLOCK_SECS) as u64 {
            let samples: Vec<f32> = (0..960).map(|i| sample(block * 960 + i)).collect();
            live.hear(&samples);
        }
        live.heard()
    }

    #[test]
    fn a_dead_microphone_is_told_from_a_quiet_room() {
        // What a muted headset gives, and what a quiet room does.
        let noise = |amplitude: f32| move |i: u64| amplitude * (i.wrapping_mul(2_654_435_761) % 1000) as f32 / 1000.0;
        assert!((heard(3.0, |_| 0.0).dead_secs - 3.0).abs() < 0.03);
        assert!((heard(3.0, noise(0.001)).dead_secs - 3.0).abs() < 0.03);
        assert!(heard(3.0, noise(0.005)).dead_secs < 0.03);
        let loud = heard(3.0, |i| if i % 2 == 0 { 1.0 } else { -1.0 });
        assert!(loud.clipped_share > 0.5 && loud.dead_secs < 0.03, "{loud:?}");
    }

    #[test]
    fn the_share_of_speech_is_the_one_that_the_check_finds_in_the_same_samples() {
        for secs in [4.0, 6.0, 9.0, 20.0] {
            let live = Live::default();
            let mut check = SoundMeter::default();
            for block in 0..(secs / BLOCK_SECS) as u32 {
                let samples: Vec<f32> = (0..960).map(|i| syllables(f64::from(block * 960 + i) / 48_000.0)).collect();
                live.hear(&samples);
                check.push_native(&[&samples], 48_000);
                check.push_voice(&to_voice(&samples));
            }
            let (told, found) = (live.heard().speech_share, check.finish().speech_share());
            assert!((told - found).abs() < 0.005, "after {secs} s {told} is told and {found} found");
            assert!((0.2..0.95).contains(&found), "of {secs} s {found} is speech");
        }
    }

    #[test]
    fn black_is_black_and_a_dark_theme_is_not() {
        let live = Live::default();
        let mut frame = blank_frame();
        let mut show = |at: i64, level: u8, text: u8| {
            (frame.width, frame.height, frame.stride) = (128, 72, 512);
            frame.data = vec![level; 512 * 72];
            frame.data[..512 * 8].fill(text);
            frame.at = Monotonic::from_nanos(at);
            live.see(&frame);
            live.black_since().map(|since| since.nanos)
        };
        assert_eq!(show(5, 20, 20), Some(5));
        assert_eq!(show(9, 10, 10), Some(5));
        assert_eq!(show(12, 20, 200), None);
        assert_eq!(show(15, 60, 60), None);
        assert_eq!(show(20, 0, 0), Some(20));
    }
}

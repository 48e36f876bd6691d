//! Music, heard where nobody speaks; what plays before and after a sentence plays under it.
//!
//! Music is made of tones that hold still for a while and then change. In each 64 ms the spectrum's peaks are taken that
//! stand out from their neighbourhood; a peak that stays at its frequency for a quarter of a second is a tone. Speech
//! glides, clicks and noise have no tones at all, and the hum of a mains or a fan has tones that never change: a tone
//! that is there most of the time, over the whole recording, and swells or fades slowly at most, is a machine's. What is
//! left must carry a good part of the sound, louder than -50 dBFS, for most of a second.
//!
//! Cost: about a hundredth of the recording's duration on one core.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
use shared_types::quality::measurements::Span;

use super::voice::Voice;

pub const RATE_HZ: u32 = 16_000;
/// 128 ms, so that tones half a semitone apart can be told from 260 Hz upwards.
const WINDOW: usize = 2048;
const HOP: usize = WINDOW / 2;
const HOP_SECS: f64 = HOP as f64 / RATE_HZ as f64;
/// Windows that are looked at with their sound in memory: 16 s of it.
const WINDOWS_AT_ONCE: usize = 250;
const BIN_HZ: f64 = RATE_HZ as f64 / WINDOW as f64;
/// Below lies rumble, above there is little to tell tones by.
const LOW_HZ: f64 = 150.0;
const HIGH_HZ: f64 = 5000.0;
const MIN_LEVEL_DBFS: f64 = -50.0;
/// A peak stands this far above the median of its neighbourhood, in power.
const PROMINENCE: f32 = 30.0;
const NEIGHBOURHOOD_BINS: usize = 16;
/// A tone holds its frequency over this many windows, within this many bins.
const TONE_WINDOWS: usize = 4;
const TONE_DRIFT_BINS: f64 = 0.35;
/// The tones' share of the power of a window of music.
const TONAL_SHARE: f64 = 0.3;
/// A tone that is there in this share of all windows is a machine's. It takes a while to tell.
const MACHINE_SHARE: f64 = 0.6;
const MIN_SECS_TO_TELL_MACHINES: f64 = 4.0;
/// A machine's tone differs by less, in decibels, from one window to the next on average; a microphone that turns itself up
/// again after each word takes a second or two for it.
const STEADY_DB: f64 = 1.5;
/// Around speech its first and last sounds may be left over.
const SPEECH_PAD_SECS: f64 = 0.25;
/// A window is music if half of those around it are: chimes of the desktop are shorter.
const AROUND_WINDOWS: usize = 12;
const MIN_SPAN_SECS: f64 = 1.0;
const MIN_QUIET_SECS: f64 = 1.0;

/// A peak of the spectrum.
#[derive(Debug, Clone, Copy)]
struct Peak {
    /// Between the bins.
    bin: f64,
    power: f64,
}

struct Moment {
    /// Power between the two limits of frequency.
    power: f64,
    /// Peaks that have held still. Not asked for where somebody speaks.
    tones: Vec<Peak>,
    is_speech: bool,
}

/// The share of the time without speech in which music plays, and where. `None` where there is hardly such time.
pub fn music<V: Voice + ?Sized>(voice: &V, speech: &[Span]) -> io::Result<(Option<f64>, Vec<Span>)> {
    let mut moments = moments(voice, speech)?;
    let quiet = moments.iter().filter(|moment| !moment.is_speech).count();
    if quiet as f64 * HOP_SECS < MIN_QUIET_SECS {
        return Ok((None, Vec::new()));
    }
    drop_machines(&mut moments);
    let tonal: Vec<bool> = moments.iter().map(is_tonal).collect();
    let is_music: Vec<bool> =
        (0..moments.len()).map(|at| !moments[at].is_speech && is_amid(&moments, &tonal, at)).collect();
    let (spans, heard) = stretches(&moments, &is_music);
    Ok((Some(heard as f64 / quiet as f64), spans))
}

fn moments<V: Voice + ?Sized>(voice: &V, speech: &[Span]) -> io::Result<Vec<Moment>> {
    let count = (voice.samples() + HOP).saturating_sub(WINDOW) / HOP;
    let mut listener = Listener::new();
    let mut moments = Vec::with_capacity(count);
    let mut later = speech;
    for first in (0..count).step_by(WINDOWS_AT_ONCE) {
        let windows = WINDOWS_AT_ONCE.min(count - first);
        let sound = voice.stretch(first * HOP..(first + windows - 1) * HOP + WINDOW)?;
        for (at, window) in sound.windows(WINDOW).step_by(HOP).enumerate() {
            let start = (first + at) as f64 * HOP_SECS;
            let end = start + 2.0 * HOP_SECS;
            while let [span, rest @ ..] = later
                && span.end + SPEECH_PAD_SECS <= start
            {
                later = rest;
            }
            let is_speech = later.first().is_some_and(|span| end > span.start - SPEECH_PAD_SECS);
            let (power, tones) = listener.listen(window);
            moments.push(Moment { power, tones: if is_speech { Vec::new() } else { tones }, is_speech });
        }
    }
    Ok(moments)
}

/// Tells the tones of one window after the other.
struct Listener {
    transform: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    output: Vec<Complex32>,
    scratch: Vec<Complex32>,
    recent: VecDeque<Vec<Peak>>,
}

impl Listener {
    fn new() -> Self {
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
        Self {
            input: transform.make_input_vec(),
            output: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            recent: VecDeque::with_capacity(TONE_WINDOWS),
            transform,
        }
    }

    /// The power of a window, and the peaks that have held still.
    fn listen(&mut self, window: &[f32]) -> (f64, Vec<Peak>) {
        for (index, (to, sample)) in self.input.iter_mut().zip(window).enumerate() {
            let phase = std::f32::consts::TAU * index as f32 / WINDOW as f32;
            *to = sample * (0.5 - 0.5 * phase.cos());
        }
        let transformed = self.transform.process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch);
        debug_assert!(transformed.is_ok(), "the buffers are the transform's own");
        let spectrum = powers(&self.output);
        let peaks = peaks(&spectrum);
        let tones = peaks.iter().copied().filter(|peak| has_held(peak, &self.recent)).collect();
        if self.recent.len() == TONE_WINDOWS - 1 {
            self.recent.pop_front();
        }
        self.recent.push_back(peaks);
        (spectrum.iter().map(|&power| f64::from(power)).sum(), tones)
    }
}

fn first_bin() -> usize {
    (LOW_HZ / BIN_HZ) as usize
}

/// Powers of the bins between the two limits, so that their sum is the mean square of the sound.
fn powers(spectrum: &[Complex32]) -> Vec<f32> {
    // The window keeps 3/8 of the power; half of it lies in the mirrored half of the spectrum.
    let scale = 2.0 / (WINDOW as f32 * WINDOW as f32 * 0.375);
    let last_bin = (HIGH_HZ / BIN_HZ) as usize;
    spectrum[first_bin()..last_bin].iter().map(|value| value.norm_sqr() * scale).collect()
}

fn peaks(spectrum: &[f32]) -> Vec<Peak> {
    let mut found = Vec::new();
    let mut around = Vec::with_capacity(2 * NEIGHBOURHOOD_BINS + 1);
    for at in 2..spectrum.len() - 2 {
        let power = spectrum[at];
        if power < 1e-12 || power <= spectrum[at - 1] || power < spectrum[at + 1] {
            continue;
        }
        around.clear();
        around.extend_from_slice(
            &spectrum[at.saturating_sub(NEIGHBOURHOOD_BINS)..(at + NEIGHBOURHOOD_BINS).min(spectrum.len())],
        );
        let middle = around.len() / 2;
        let median = *around.select_nth_unstable_by(middle, f32::total_cmp).1;
        if power < PROMINENCE * median {
            continue;
        }
        let [left, centre, right] = [spectrum[at - 1], power, spectrum[at + 1]].map(|power| power.max(1e-20).ln());
        let offset = f64::from((left - right) / (2.0 * (left - 2.0 * centre + right)));
        let main_lobe: f32 = spectrum[at - 2..=at + 2].iter().sum();
        found.push(Peak { bin: at as f64 + offset.clamp(-0.5, 0.5), power: f64::from(main_lobe) });
    }
    found
}

fn has_held(peak: &Peak, recent: &VecDeque<Vec<Peak>>) -> bool {
    recent.len() == TONE_WINDOWS - 1
        && recent.iter().all(|peaks| peaks.iter().any(|earlier| (earlier.bin - peak.bin).abs() < TONE_DRIFT_BINS))
}

/// Takes out the tones that are there most of the time.
fn drop_machines(moments: &mut [Moment]) {
    let quiet = moments.iter().filter(|moment| !moment.is_speech).count();
    if (quiet as f64) * HOP_SECS < MIN_SECS_TO_TELL_MACHINES {
        return;
    }
    let bins = (HIGH_HZ / BIN_HZ) as usize - first_bin();
    let mut present = vec![0_usize; bins];
    for moment in moments.iter().filter(|moment| !moment.is_speech) {
        let mut bins_here: Vec<usize> = moment.tones.iter().map(|tone| tone.bin.round() as usize).collect();
        bins_here.dedup();
        for bin in bins_here {
            present[bin.min(bins - 1)] += 1;
        }
    }
    let changes = level_changes(moments, bins);
    let is_machine = |bin: f64| {
        let at = bin.round() as usize;
        let near = at.saturating_sub(1)..(at + 2).min(bins);
        let is_there = present[near.clone()].iter().sum::<usize>() as f64 > MACHINE_SHARE * quiet as f64;
        let (sum, count) = changes[near].iter().fold((0.0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        is_there && sum < STEADY_DB * f64::from(count.max(1))
    };
    for moment in moments {
        let machines: f64 = moment.tones.iter().filter(|tone| is_machine(tone.bin)).map(|tone| tone.power).sum();
        moment.tones.retain(|tone| !is_machine(tone.bin));
        moment.power = (moment.power - machines).max(0.0);
    }
}

/// For each bin by how many decibels its tones differ from the window before, in sum, and how often that could be told.
fn level_changes(moments: &[Moment], bins: usize) -> Vec<(f64, u32)> {
    let mut changes = vec![(0.0, 0); bins];
    for pair in moments.windows(2).filter(|pair| !pair[0].is_speech && !pair[1].is_speech) {
        for tone in &pair[1].tones {
            let away = |other: &&Peak| (other.bin - tone.bin).abs();
            let before = pair[0].tones.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
            if let Some(before) = before.filter(|before| away(before) < 1.0) {
                let entry: &mut (f64, u32) = &mut changes[(tone.bin.round() as usize).min(bins - 1)];
                entry.0 += (10.0 * (tone.power / before.power.max(1e-12)).max(1e-12).log10()).abs();
                entry.1 += 1;
            }
        }
    }
    changes
}

fn is_tonal(moment: &Moment) -> bool {
    let tones: f64 = moment.tones.iter().map(|tone| tone.power).sum();
    10.0 * moment.power.max(1e-12).log10() > MIN_LEVEL_DBFS && tones > TONAL_SHARE * moment.power
}

/// Whether half of the windows around are tonal, speech apart.
fn is_amid(moments: &[Moment], tonal: &[bool], at: usize) -> bool {
    let around = at.saturating_sub(AROUND_WINDOWS)..(at + AROUND_WINDOWS + 1).min(moments.len());
    let (mut of, mut count) = (0_usize, 0_usize);
    for index in around.filter(|&index| !moments[index].is_speech) {
        of += 1;
        count += usize::from(tonal[index]);
    }
    2 * count >= of && count > 0
}

/// Stretches of music, and in how many windows without speech they were heard. Where somebody speaks nobody can tell, so what
/// plays before and after a sentence plays under it.
fn stretches(moments: &[Moment], is_music: &[bool]) -> (Vec<Span>, usize) {
    let (mut spans, mut windows) = (Vec::new(), 0);
    let mut open: Option<(usize, usize, usize)> = None;
    let mut close = |open: &mut Option<(usize, usize, usize)>| {
        if let Some((from, to, heard)) = open.take().filter(|open| open.2 as f64 * HOP_SECS >= MIN_SPAN_SECS) {
            spans.push(Span::new(from as f64 * HOP_SECS, to as f64 * HOP_SECS));
            windows += heard;
        }
    };
    for (at, moment) in moments.iter().enumerate() {
        if is_music[at] {
            let (from, _, heard) = open.unwrap_or((at, at, 0));
            open = Some((from, at + 1, heard + 1));
        } else if !moment.is_speech {
            close(&mut open);
        }
    }
    close(&mut open);
    (spans, windows)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use shared_types::quality::measurements::Span;

    use super::{RATE_HZ, music};

    fn sound(secs: f32, sample: impl Fn(f32) -> f32) -> Vec<f32> {
        (0..(secs * RATE_HZ as f32) as usize).map(|at| sample(at as f32 / RATE_HZ as f32)).collect()
    }

    /// White noise, the same each time.
    fn noise(secs: f32, level: f32) -> Vec<f32> {
        let mut state = 1_u32;
        sound(secs, |_| 0.0)
            .iter()
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                level * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
            })
            .collect()
    }

    fn add(a: &[f32], b: &[f32]) -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| a + b).collect()
    }

    /// A note with three overtones that dies away.
    fn note(hz: f32, since: f32) -> f32 {
        let tone: f32 = (1..=4).map(|n| (TAU * hz * n as f32 * since).sin() / (n * n) as f32).sum();
        tone * (-2.0 * since).exp()
    }

    const CHORDS: [[f32; 3]; 4] =
        [[261.6, 329.6, 392.0], [220.0, 261.6, 329.6], [174.6, 220.0, 261.6], [196.0, 246.9, 293.7]];
    const MELODY: [f32; 8] = [440.0, 493.9, 523.3, 587.3, 659.3, 587.3, 493.9, 392.0];

    fn chords(secs: f32) -> Vec<f32> {
        sound(secs, |t| CHORDS[t as usize % 4].iter().map(|&hz| 0.05 * note(hz, t.fract())).sum())
    }

    fn melody(secs: f32) -> Vec<f32> {
        sound(secs, |t| 0.1 * note(MELODY[(t * 2.5) as usize % 8], (t * 2.5).fract() / 2.5))
    }

    #[track_caller]
    fn share(samples: &[f32], speech: &[Span]) -> f64 {
        music(samples, speech).unwrap().0.expect("there is time without speech")
    }

    #[test]
    fn chords_and_melodies_are_music() {
        let room = noise(16.0, 0.003);
        for (what, samples) in [("chords", chords(16.0)), ("melody", melody(16.0))] {
            assert!(share(&samples, &[]) > 0.9, "{what}: {}", share(&samples, &[]));
            let in_room = add(&samples, &room);
            assert!(share(&in_room, &[]) > 0.8, "{what} in a room: {}", share(&in_room, &[]));
        }
    }

    #[test]
    fn noise_hum_fans_clicks_and_silence_are_not() {
        let hum = sound(16.0, |t| (1..=9).map(|n| 0.05 / n as f32 * (TAU * 50.0 * n as f32 * t).sin()).sum());
        let fan =
            add(&noise(16.0, 0.02), &sound(16.0, |t| 0.02 * (TAU * 231.0 * t).sin() + 0.01 * (TAU * 462.0 * t).sin()));
        // Eight keys a second, each a short burst that rings a little.
        let clicks = sound(16.0, |t| {
            let since = (t * 8.0).fract() / 8.0;
            0.3 * (-400.0 * since).exp() * (TAU * 2300.0 * since).sin()
        });
        let rumble = sound(16.0, |t| 0.2 * (TAU * 40.0 * t).sin() * (TAU * 0.3 * t).sin());
        // A voice's buzz gliding up and down.
        let glide = sound(16.0, |t| {
            let phase = 140.0 * t + 12.0 * (TAU * 0.8 * t).sin();
            (1..=12).map(|n| 0.05 / n as f32 * (TAU * n as f32 * phase).sin()).sum()
        });
        for (what, samples) in [
            ("silence", sound(16.0, |_| 0.0)),
            ("noise", noise(16.0, 0.1)),
            ("room", noise(16.0, 0.002)),
            ("hum", add(&hum, &noise(16.0, 0.001))),
            ("fan", fan),
            ("clicks", add(&clicks, &noise(16.0, 0.001))),
            ("rumble", rumble),
            ("glide", glide),
            ("soft music", chords(16.0).iter().map(|sample| sample * 0.02).collect()),
        ] {
            assert!(share(&samples, &[]) < 0.05, "{what}: {}", share(&samples, &[]));
        }
    }

    #[test]
    fn one_chord_that_beats_is_music_and_a_hum_that_swells_is_not() {
        let chord = |t: f32| [220.0, 277.18, 329.63, 440.0].iter().map(|hz| 0.06 * (TAU * hz * t).sin()).sum::<f32>();
        let beating = sound(16.0, |t| chord(t) * (0.6 + 0.4 * (TAU * 2.0 * t).sin()));
        assert!(share(&add(&beating, &noise(16.0, 0.002)), &[]) > 0.8);
        // Up and down by 12 dB in four seconds, as a microphone does that turns itself up.
        let hum = |t: f32| (3..=9).map(|n| 0.05 / n as f32 * (TAU * 50.0 * n as f32 * t).sin()).sum::<f32>();
        let swelling = sound(16.0, |t| hum(t) * (0.625 + 0.375 * (TAU * 0.25 * t).sin()));
        assert!(share(&add(&swelling, &noise(16.0, 0.001)), &[]) < 0.05);
    }

    #[test]
    fn only_time_without_speech_counts() {
        let samples: Vec<f32> = noise(8.0, 0.003).into_iter().chain(chords(8.0)).collect();
        let (half, spans) = music(&samples, &[]).unwrap();
        assert!((half.unwrap() - 0.5).abs() < 0.1, "{half:?}");
        assert!((spans[0].start - 8.0).abs() < 1.0 && spans.last().unwrap().end > 15.0, "{spans:?}");
        assert!(share(&samples, &[Span::new(8.0, 16.0)]) < 0.1, "the music lies under speech");
        assert!(share(&samples, &[Span::new(0.0, 7.5)]) > 0.8);
        assert_eq!(music(&samples, &[Span::new(0.0, 16.0)]).unwrap().0, None);
        assert_eq!(music(&[0.0_f32; 0], &[]).unwrap(), (None, Vec::new()));
    }

    #[test]
    fn music_between_sentences_goes_on_under_them() {
        let speech: Vec<Span> = (0..5).map(|at| Span::new(f64::from(at) * 3.0, f64::from(at) * 3.0 + 2.0)).collect();
        let (in_room, under) = (noise(15.0, 0.003), add(&noise(15.0, 0.003), &chords(15.0)));
        let (share, spans) = music(&under[..], &speech).unwrap();
        assert!(share.is_some_and(|share| share > 0.8), "{share:?}");
        assert!(spans.len() == 1 && spans[0].secs() > 11.0, "{spans:?}");
        assert_eq!(music(&in_room[..], &speech).unwrap(), (Some(0.0), Vec::new()));
    }

    #[test]
    fn a_chime_is_not_music() {
        let chime = sound(0.6, |t| 0.2 * note(880.0, t));
        let samples: Vec<f32> = noise(5.0, 0.002).into_iter().chain(chime).chain(noise(5.0, 0.002)).collect();
        assert_eq!(music(&samples, &[]).unwrap(), (Some(0.0), Vec::new()));
    }
}

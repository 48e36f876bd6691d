//! Level, speech, noise and clipping of the voice.

use earshot::Detector;
use shared_types::quality::measurements::Span;

/// Blocks in which loudness is measured.
const BLOCK_SECS: f64 = 0.02;
/// The voice detector's frame: 256 samples at 16 kHz.
const VAD_FRAME: usize = 256;
const VAD_FRAME_SECS: f64 = VAD_FRAME as f64 / 16_000.0;
/// The detector's own threshold.
const VOICE_SCORE: f32 = 0.5;
/// Pauses inside a phrase are part of it; clicks of the tongue are not speech.
const BRIDGE_SECS: f64 = 0.30;
const MIN_SPEECH_SECS: f64 = 0.10;
/// A sample this close to full scale was cut off there; lossy codecs ripple around the ceiling they were given.
const CLIPPED: f32 = 0.985;
/// The quietest level told, instead of minus infinity.
pub const FLOOR_DBFS: f64 = -120.0;
/// Distance that noise must keep from speech in time to be heard as noise.
const NOISE_GUARD_SECS: f64 = 0.15;

/// What a take's sound was like.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SoundNumbers {
    pub secs: f64,
    pub loud_dbfs: f64,
    pub speech: Vec<Span>,
    pub longest_silence: Option<Span>,
    pub snr_db: Option<f64>,
    pub clipped_share: f64,
    pub clipped: Vec<Span>,
}

impl SoundNumbers {
    pub fn speech_share(&self) -> f64 {
        let speech: f64 = self.speech.iter().fold(0.0, |sum, span| sum + span.secs());
        if self.secs > 0.0 { (speech / self.secs).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// Listens to a take in order of time. Sound before media time zero is not part of it.
pub struct SoundMeter {
    detector: Box<Detector>,
    /// 16 kHz samples that do not fill a detector frame yet.
    voice: Vec<f32>,
    phrases: Phrases,
    /// The last frame was speech.
    is_speaking: bool,
    /// Mean square of each 20 ms block, and how many samples of it are clipped.
    blocks: Vec<Block>,
    open: OpenBlock,
}

#[derive(Debug, Clone, Copy, Default)]
struct Block {
    mean_square: f64,
    clipped: u32,
    samples: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct OpenBlock {
    sum_square: f64,
    clipped: u32,
    samples: u32,
}

impl Default for SoundMeter {
    fn default() -> Self {
        Self {
            detector: Detector::default_boxed(),
            voice: Vec::new(),
            phrases: Phrases::default(),
            is_speaking: false,
            blocks: Vec::new(),
            open: OpenBlock::default(),
        }
    }
}

impl SoundMeter {
    /// Takes a stretch of sound as recorded: one slice a channel, all of one length.
    pub fn push_native(&mut self, channels: &[&[f32]], rate_hz: u32) {
        let block = (f64::from(rate_hz) * BLOCK_SECS).max(1.0) as u32;
        let samples = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        for index in 0..samples {
            let mono: f32 = channels.iter().map(|channel| channel[index]).sum::<f32>() / channels.len() as f32;
            let clipped = channels.iter().any(|channel| channel[index].abs() >= CLIPPED);
            let square = f64::from(mono) * f64::from(mono);
            self.open.sum_square += if square.is_finite() { square } else { 0.0 };
            self.open.clipped += u32::from(clipped);
            self.open.samples += 1;
            if self.open.samples >= block {
                self.close_block();
            }
        }
    }

    /// Takes the same stretch as 16 kHz mono.
    pub fn push_voice(&mut self, samples: &[f32]) {
        // Lossy codecs overshoot full scale, and a hostile file may hold anything; the detector takes neither.
        let tame = |sample: &f32| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        self.voice.extend(samples.iter().map(tame));
        let whole = self.voice.len() / VAD_FRAME * VAD_FRAME;
        for frame in self.voice[..whole].chunks_exact(VAD_FRAME) {
            self.is_speaking = self.detector.predict_f32(frame) >= VOICE_SCORE;
            self.phrases.push(self.is_speaking);
        }
        self.voice.drain(..whole);
    }

    /// Whether the last 16 ms heard were speech.
    pub fn speaking(&self) -> bool {
        self.is_speaking
    }

    /// How much of what was heard so far was speech, as [`SoundNumbers::speech_share`] would count it now.
    pub fn speech_share(&self) -> f64 {
        let secs = self.phrases.heard_secs();
        if secs > 0.0 { (self.phrases.spoken_secs() / secs).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// How long nobody has spoken, by the same count.
    pub fn wordless_secs(&self) -> f64 {
        self.phrases.heard_secs() - self.phrases.last_end()
    }

    fn close_block(&mut self) {
        let OpenBlock { sum_square, clipped, samples } = std::mem::take(&mut self.open);
        if samples > 0 {
            self.blocks.push(Block { mean_square: sum_square / f64::from(samples), clipped, samples });
        }
    }

    pub fn finish(mut self) -> SoundNumbers {
        self.close_block();
        let secs = self.blocks.len() as f64 * BLOCK_SECS;
        let speech = std::mem::take(&mut self.phrases).finish(secs);
        let (clipped_share, clipped) = self.clipping(&speech);
        SoundNumbers {
            secs,
            loud_dbfs: self.loud_dbfs(),
            longest_silence: longest_silence(&speech, secs),
            snr_db: self.snr_db(&speech),
            clipped_share,
            clipped,
            speech,
        }
    }

    /// RMS of the loudest tenth of the blocks.
    fn loud_dbfs(&self) -> f64 {
        let mut squares: Vec<f64> = self.blocks.iter().map(|block| block.mean_square).collect();
        squares.sort_by(|a, b| b.total_cmp(a));
        squares.truncate(squares.len().div_ceil(10));
        dbfs(mean(&squares).unwrap_or(0.0))
    }

    /// Power of speech over power of noise, noise being heard where nobody speaks.
    ///
    /// Speech blocks hold noise as well, so its power is taken off first.
    fn snr_db(&self, speech: &[Span]) -> Option<f64> {
        let mut voiced = Vec::new();
        let mut quiet = Vec::new();
        let (mut speaking, mut around) = (Along::new(speech, 0.0), Along::new(speech, NOISE_GUARD_SECS));
        for (index, block) in self.blocks.iter().enumerate() {
            let t = index as f64 * BLOCK_SECS;
            if speaking.covers(t) {
                voiced.push(block.mean_square);
            } else if !around.covers(t) {
                quiet.push(block.mean_square);
            }
        }
        // A door or a cough is not the room: the middle of the quiet blocks is.
        quiet.sort_by(f64::total_cmp);
        let noise = quiet.get(quiet.len() / 2).copied()?.max(1e-12);
        let signal = (mean(&voiced)? - noise).max(1e-12);
        Some(10.0 * (signal / noise).log10())
    }

    /// Clipped samples as a share of the samples of speech, and where they lie.
    fn clipping(&self, speech: &[Span]) -> (f64, Vec<Span>) {
        let clipped: u64 = self.blocks.iter().map(|block| u64::from(block.clipped)).sum();
        let mut speaking = Along::new(speech, 0.0);
        let voiced: u64 = self
            .blocks
            .iter()
            .enumerate()
            .filter(|(index, _)| speaking.covers(*index as f64 * BLOCK_SECS))
            .map(|(_, block)| u64::from(block.samples))
            .sum();
        let mut spans: Vec<Span> = Vec::new();
        for (index, _) in self.blocks.iter().enumerate().filter(|(_, block)| block.clipped > 0) {
            let (start, end) = (index as f64 * BLOCK_SECS, (index + 1) as f64 * BLOCK_SECS);
            match spans.last_mut() {
                Some(last) if start - last.end < 1.0 => last.end = end,
                _ => spans.push(Span::new(start, end)),
            }
        }
        (if voiced > 0 { clipped as f64 / voiced as f64 } else { 0.0 }, spans)
    }
}

/// Spans in order of time with a margin, asked about moments in order of time: a take of hours has thousands of phrases.
struct Along<'a> {
    left: &'a [Span],
    margin: f64,
}

impl<'a> Along<'a> {
    fn new(spans: &'a [Span], margin: f64) -> Self {
        Self { left: spans, margin }
    }

    fn covers(&mut self, t: f64) -> bool {
        while let [span, later @ ..] = self.left
            && span.end + self.margin <= t
        {
            self.left = later;
        }
        self.left.first().is_some_and(|span| t >= span.start - self.margin)
    }
}

/// Joins detector frames to phrases, as they come.
#[derive(Debug, Default)]
struct Phrases {
    frames: u64,
    spans: Vec<Span>,
    /// Of all spans but the last, which may still grow.
    closed_secs: f64,
}

impl Phrases {
    fn push(&mut self, is_speech: bool) {
        let start = self.heard_secs();
        self.frames += 1;
        if !is_speech {
            return;
        }
        let end = self.heard_secs();
        match self.spans.last_mut() {
            Some(last) if start - last.end <= BRIDGE_SECS => last.end = end,
            Some(last) if !is_phrase(last) => *last = Span::new(start, end),
            last => {
                self.closed_secs += last.map_or(0.0, |last| last.secs());
                self.spans.push(Span::new(start, end));
            }
        }
    }

    fn heard_secs(&self) -> f64 {
        self.frames as f64 * VAD_FRAME_SECS
    }

    fn spoken_secs(&self) -> f64 {
        self.closed_secs + self.spans.last().map_or(0.0, |last| if is_phrase(last) { last.secs() } else { 0.0 })
    }

    /// Where the last phrase ends, or nothing was said yet.
    fn last_end(&self) -> f64 {
        self.spans.iter().rev().find(|span| is_phrase(span)).map_or(0.0, |span| span.end)
    }

    fn finish(mut self, secs: f64) -> Vec<Span> {
        self.spans.retain(is_phrase);
        if let Some(last) = self.spans.last_mut() {
            last.end = last.end.min(secs.max(last.start));
        }
        self.spans
    }
}

fn is_phrase(span: &Span) -> bool {
    span.secs() >= MIN_SPEECH_SECS
}

fn longest_silence(speech: &[Span], secs: f64) -> Option<Span> {
    let starts = std::iter::once(0.0).chain(speech.iter().map(|span| span.end));
    let ends = speech.iter().map(|span| span.start).chain(std::iter::once(secs));
    starts.zip(ends).map(|(start, end)| Span::new(start, end)).max_by(|a, b| a.secs().total_cmp(&b.secs()))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean square to decibels below full scale.
pub fn dbfs(mean_square: f64) -> f64 {
    (10.0 * mean_square.max(1e-20).log10()).max(FLOOR_DBFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames as `(speech, count)`, and the speech they make: at each moment as at the end.
    fn spoken(frames: &[(bool, usize)]) -> f64 {
        let mut phrases = Phrases::default();
        for is_speech in frames.iter().flat_map(|&(is_speech, count)| std::iter::repeat_n(is_speech, count)) {
            phrases.push(is_speech);
        }
        let (told, secs) = (phrases.spoken_secs(), phrases.heard_secs());
        let kept: f64 = phrases.finish(secs).into_iter().map(Span::secs).sum();
        assert!((told - kept).abs() < 1e-9, "told {told}, kept {kept}");
        told / VAD_FRAME_SECS
    }

    #[test]
    fn what_is_told_meanwhile_is_what_is_kept_at_the_end() {
        let rows: [(&[(bool, usize)], f64); 7] = [
            (&[], 0.0),
            (&[(false, 50), (true, 10), (false, 50)], 10.0),
            (&[(true, 10), (false, 18), (true, 10)], 38.0),
            (&[(true, 10), (false, 19), (true, 10)], 20.0),
            (&[(true, 6), (false, 30), (true, 7), (false, 30), (true, 6)], 7.0),
            (&[(true, 3), (false, 5), (true, 3), (false, 90)], 11.0),
            (&[(true, 6), (false, 90), (true, 6)], 0.0),
        ];
        for (frames, expected) in rows {
            assert!((spoken(frames) - expected).abs() < 1e-6, "{frames:?}: {} and not {expected}", spoken(frames));
        }
    }
}

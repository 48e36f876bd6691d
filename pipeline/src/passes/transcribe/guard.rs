//! Judges what was heard: which words cannot be, which stretches were passed over.

use crate::models::whisper::HeardWord;

/// Farther than this from all speech nothing was said.
const FAR_FROM_SPEECH_SECS: f64 = 0.6;
/// The model itself doubts that there was speech, and the word besides.
const NO_SPEECH: f64 = 0.6;
const DOUBTFUL_WORD: f64 = 0.5;
/// A phrase said so many times in a row is the decoder's, not the speaker's. One word alone may be: "no no no".
const REPEATED_PHRASE: usize = 3;
const REPEATED_WORD: usize = 5;
const LONGEST_PHRASE: usize = 8;
/// So many words that begin within so little time are none. Five within 0.2 s may be: times are squeezed where the model looked
/// away for a moment.
const CROWD_WORDS: usize = 10;
const CROWD_SECS: f64 = 0.1;
/// So many words in a row that are each less likely than this.
const GUESSED_WORDS: usize = 4;
const GUESSED_WORD: f64 = 0.3;
/// A sentence of this length said once more in the same words is believed if the model believes it this much on average.
const ECHO_WORDS: usize = 7;
const ECHO_BELIEVED: f64 = 0.75;
/// An echo follows what it repeats: as far back as one hearing reaches. What is said again much later is said again.
const ECHO_REACH_SECS: f64 = 30.0;
/// Nobody says so many words just as they stand in the prompt.
const PROMPT_WORDS: usize = 7;

/// A span of this length has words in it, and a span of that length has more than a few.
const MIN_SILENT_SPAN_SECS: f64 = 1.2;
const MIN_SPAN_SECS: f64 = 1.5;
const MIN_WORDS_PER_SEC: f64 = 0.5;
/// Longer than this nobody speaks between the starts of two words.
const HOLE_SECS: f64 = 2.5;
/// What the word before a hole takes at most.
const WORD_SECS: f64 = 0.6;
/// Stretches closer than this are decoded as one.
const MERGE_SECS: f64 = 1.5;
const LONGEST_STRETCH_SECS: f64 = 28.0;
/// A second hearing must find this many words a second to be believed.
const FILL_WORDS_PER_SEC: f64 = 0.4;

/// What the model writes where it hears nothing that it knows, music above all: its training text was full of it.
const STOCK_PHRASES: [&str; 6] =
    ["thanks for watching", "thank you for watching", "thank you", "please subscribe", "you", "bye"];

/// Takes a stock phrase away that is all there is in a long stretch; said in earnest it does not stand alone for long.
pub(super) fn without_stock(words: Vec<HeardWord>, voiced_secs: f64) -> Vec<HeardWord> {
    let text = words.iter().map(|word| key(&word.text)).collect::<Vec<_>>().join(" ");
    let is_sparse = (words.len() as f64) < voiced_secs * MIN_WORDS_PER_SEC;
    if is_sparse && STOCK_PHRASES.contains(&text.as_str()) { Vec::new() } else { words }
}

/// Without what the model read off its prompt: so many words in a row as they stand there. Beeps and hums make it do so. As
/// somebody may speak like the prompt all the same, the stretches are told, to be heard again without it.
pub(super) fn without_prompt(words: Vec<HeardWord>, prompt: &str) -> (Vec<HeardWord>, Vec<(f64, f64)>) {
    let told: Vec<String> = prompt.split_whitespace().map(key).collect();
    let heard: Vec<String> = words.iter().map(|word| key(&word.text)).collect();
    let mut keep = vec![true; words.len()];
    for (at, run) in heard.windows(PROMPT_WORDS).enumerate() {
        if told.windows(PROMPT_WORDS).any(|part| part == run) {
            keep[at..at + PROMPT_WORDS].fill(false);
        }
    }
    let (words, read_off) = split(words, &keep);
    let mut stretches: Vec<(f64, f64)> = Vec::new();
    for word in read_off {
        match stretches.last_mut() {
            Some(last) if word.start - last.1 < MERGE_SECS && word.end - last.0 < LONGEST_STRETCH_SECS => {
                last.1 = last.1.max(word.end);
            }
            _ => stretches.push((word.start, word.end)),
        }
    }
    (words, stretches)
}

/// Words that were judged.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// What the transcript has.
    pub(super) words: Vec<HeardWord>,
    /// What the model itself hardly believes. It may be all that was made out of unclear speech, so that it counts for how
    /// clearly somebody speaks, and may be private.
    pub(super) guessed: Vec<HeardWord>,
    /// What the transcript has once already. Digits are said again and again, too.
    pub(super) repeated: Vec<HeardWord>,
}

impl Judged {
    pub(super) fn append(&mut self, next: Self) {
        self.words.extend(next.words);
        self.guessed.extend(next.guessed);
        self.repeated.extend(next.repeated);
    }

    /// All that was judged, list by list.
    pub(super) fn lists(&mut self) -> [&mut Vec<HeardWord>; 3] {
        [&mut self.words, &mut self.guessed, &mut self.repeated]
    }

    /// How sure the model is of all that it made out.
    pub(super) fn mean_probability(&self) -> Option<f64> {
        let heard = || self.words.iter().chain(&self.guessed);
        let count = heard().count();
        (count > 0).then(|| heard().map(|word| word.p).sum::<f64>() / count as f64)
    }
}

/// Whether words come with what the model thinks of them. Without, none can be doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probabilities {
    Measured,
    Unknown,
}

/// Sorts out invented words.
pub(super) fn judge(words: Vec<HeardWord>, voiced: &[(f64, f64)], probabilities: Probabilities) -> Judged {
    let near = |word: &HeardWord| {
        voiced
            .iter()
            .any(|(start, end)| word.start < end + FAR_FROM_SPEECH_SECS && word.end > start - FAR_FROM_SPEECH_SECS)
    };
    if probabilities == Probabilities::Unknown {
        let words = words.into_iter().filter(near).collect();
        let (words, repeated) = cut_repetitions(without_crowds(words));
        return Judged { words, guessed: Vec::new(), repeated };
    }
    let is_doubtful = |word: &HeardWord| word.no_speech > NO_SPEECH && word.p < DOUBTFUL_WORD;
    let words = words.into_iter().filter(|word| near(word) && !is_doubtful(word)).collect();
    let (words, guessed) = without_guesses(without_crowds(words));
    let (words, mut repeated) = cut_repetitions(words);
    let (words, echoes) = cut_echoes(words);
    repeated.extend(echoes);
    Judged { words, guessed, repeated }
}

/// Without runs of words that come faster than anybody speaks: the decoder's, at the end of what it could make out.
fn without_crowds(words: Vec<HeardWord>) -> Vec<HeardWord> {
    let is_crowd = |run: &[HeardWord]| run[run.len() - 1].start - run[0].start < CROWD_SECS;
    without_runs(words, CROWD_WORDS, is_crowd).0
}

/// Without runs of words none of which the model believes, and those.
fn without_guesses(words: Vec<HeardWord>) -> (Vec<HeardWord>, Vec<HeardWord>) {
    without_runs(words, GUESSED_WORDS, |run| run.iter().all(|word| word.p < GUESSED_WORD))
}

/// Without every word that lies in a run of this length of which the test holds, and those that do.
fn without_runs(
    words: Vec<HeardWord>,
    length: usize,
    is_one: impl Fn(&[HeardWord]) -> bool,
) -> (Vec<HeardWord>, Vec<HeardWord>) {
    let mut keep = vec![true; words.len()];
    for (at, run) in words.windows(length).enumerate() {
        if is_one(run) {
            keep[at..at + length].fill(false);
        }
    }
    split(words, &keep)
}

/// Where babble follows speech, the decoder says a sentence once more that it has just written, and doubts it.
fn cut_echoes(words: Vec<HeardWord>) -> (Vec<HeardWord>, Vec<HeardWord>) {
    let keys: Vec<String> = words.iter().map(|word| key(&word.text)).collect();
    let mut keep = vec![true; words.len()];
    let (mut at, mut first) = (ECHO_WORDS, 0);
    while at + ECHO_WORDS <= keys.len() {
        while words[first].start < words[at].start - ECHO_REACH_SECS {
            first += 1;
        }
        let same = |from: usize| keys[from..at].iter().zip(&keys[at..]).take_while(|(a, b)| a == b).count();
        let longest = (first..at).map(same).max().unwrap_or(0);
        let doubt =
            || words[at..at + longest].iter().map(|word| word.p).sum::<f64>() / (longest as f64) < ECHO_BELIEVED;
        if longest >= ECHO_WORDS && doubt() {
            keep[at..at + longest].fill(false);
            at += longest;
        } else {
            at += 1;
        }
    }
    split(words, &keep)
}

/// The words to keep and the others.
fn split(words: Vec<HeardWord>, keep: &[bool]) -> (Vec<HeardWord>, Vec<HeardWord>) {
    let (kept, others): (Vec<_>, Vec<_>) = words.into_iter().zip(keep).partition(|(_, keep)| **keep);
    let plain = |words: Vec<(HeardWord, &bool)>| words.into_iter().map(|(word, _)| word).collect();
    (plain(kept), plain(others))
}

/// Where a phrase is said again and again, its first time stays.
fn cut_repetitions(words: Vec<HeardWord>) -> (Vec<HeardWord>, Vec<HeardWord>) {
    let keys: Vec<String> = words.iter().map(|word| key(&word.text)).collect();
    let mut keep = vec![true; words.len()];
    let mut at = 0;
    while at < keys.len() {
        let found = (1..=LONGEST_PHRASE).find_map(|length| {
            let phrase = keys.get(at..at + length)?;
            let times = keys[at..].chunks_exact(length).take_while(|chunk| *chunk == phrase).count();
            let most = if length == 1 { REPEATED_WORD } else { REPEATED_PHRASE };
            (times >= most).then_some((length, times))
        });
        if let Some((length, times)) = found {
            keep[at + length..at + length * times].fill(false);
            at += length * times;
        } else {
            at += 1;
        }
    }
    split(words, &keep)
}

fn key(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Stretches in which somebody speaks and (almost) no words were found.
pub(super) fn passed_over(words: &[HeardWord], voiced: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut stretches: Vec<(f64, f64)> = Vec::new();
    for &(start, end) in voiced {
        let length = end - start;
        let inside: Vec<&HeardWord> = words.iter().filter(|word| middle(word) > start && middle(word) < end).collect();
        let least = if inside.is_empty() { MIN_SILENT_SPAN_SECS } else { MIN_SPAN_SECS };
        if length < least {
            continue;
        }
        let found = if (inside.len() as f64) < length * MIN_WORDS_PER_SEC {
            vec![(start, end)]
        } else {
            holes(&inside, start, end)
        };
        for stretch in found {
            match stretches.last_mut() {
                Some(last) if stretch.0 - last.1 < MERGE_SECS && stretch.1 - last.0 < LONGEST_STRETCH_SECS => {
                    last.1 = stretch.1;
                }
                _ => stretches.push(stretch),
            }
        }
    }
    stretches.into_iter().flat_map(split_long).collect()
}

/// Gaps between the starts of neighbouring words (and the ends of the span) in which a sentence has room.
fn holes(words: &[&HeardWord], start: f64, end: f64) -> Vec<(f64, f64)> {
    let mut holes = Vec::new();
    let mut free_from = start;
    for word in words {
        if word.start - free_from > HOLE_SECS {
            holes.push((free_from, word.start));
        }
        free_from = word.end.min(word.start + WORD_SECS).max(free_from);
    }
    if end - free_from > HOLE_SECS {
        holes.push((free_from, end));
    }
    holes
}

fn split_long((start, end): (f64, f64)) -> Vec<(f64, f64)> {
    let parts = ((end - start) / LONGEST_STRETCH_SECS).ceil().max(1.0);
    let length = (end - start) / parts;
    (0..parts as u32).map(|part| (start + f64::from(part) * length, start + f64::from(part + 1) * length)).collect()
}

/// Puts a second hearing of a stretch in place of the first, if it found more. True if it did.
pub(super) fn fill(words: &mut Vec<HeardWord>, found: Vec<HeardWord>, (start, end): (f64, f64)) -> bool {
    let inside = |word: &HeardWord| middle(word) >= start && middle(word) <= end;
    let before = words.iter().filter(|word| inside(word)).count();
    let mut found: Vec<HeardWord> = found.into_iter().filter(|word| inside(word)).collect();
    let from = words.partition_point(|word| middle(word) < start);
    let to = words.partition_point(|word| middle(word) <= end);
    // The words at the edges may have been heard both times.
    let is_same = |a: Option<&HeardWord>, b: Option<&HeardWord>| {
        a.zip(b).is_some_and(|(a, b)| key(&a.text) == key(&b.text) && (a.start - b.start).abs() < WORD_SECS)
    };
    if is_same(from.checked_sub(1).and_then(|index| words.get(index)), found.first()) {
        found.remove(0);
    }
    if is_same(words.get(to), found.last()) {
        found.pop();
    }
    if found.len() <= before || (found.len() as f64) < (end - start) * FILL_WORDS_PER_SEC {
        return false;
    }
    words.splice(from..to, found);
    true
}

/// When a word is said, as a moment.
pub(super) fn middle(word: &HeardWord) -> f64 {
    f64::midpoint(word.start, word.end)
}

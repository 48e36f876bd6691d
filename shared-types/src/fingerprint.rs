//! Fingerprints: what a recording looks and sounds like in a few kilobytes, and whether two of them are one.
//!
//! Picture: one 64-bit difference hash of the luma each half second (each bit says which of two neighbouring cells of
//! a 9 x 8 grid is brighter), which survives re-encoding, resizing and a change of brightness. Sound: one 32-bit hash
//! each tenth of a second (the signs of energy differences between neighbouring bands and times, after Haitsma and
//! Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002), which survives another codec or bit rate.
//!
//! Two takes of the same shop show the same pages, so likeness of single pictures says nothing. What is compared is
//! *when* they change: at one common shift in time, the changes of the one must be those of the other. A few changes that
//! agree to half a second happen by chance in takes of one shop; that they agree to a seventh of a second does not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::quality::measurements::Span;

/// Seconds between picture hashes, and between sound hashes.
pub const PICTURE_STEP_SECS: f64 = 0.5;
pub const SOUND_STEP_SECS: f64 = 0.1;

/// `fingerprints.json`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Fingerprints {
    /// SHA-256 of the file.
    pub sha256: String,
    /// 16 hexadecimal digits each half second.
    #[serde(with = "hex64")]
    #[schemars(with = "Vec<String>")]
    #[ts(type = "Array<string>")]
    pub picture: Vec<u64>,
    /// When the picture became another one, in milliseconds; what goes on, like a scroll, counts once.
    #[serde(default)]
    pub changes: Vec<u32>,
    /// 8 hexadecimal digits each tenth of a second; `00000000` where it is quiet.
    #[serde(with = "hex32")]
    #[schemars(with = "Vec<String>")]
    #[ts(type = "Array<string>")]
    pub sound: Vec<u32>,
    /// What was done, an act each: milliseconds since the act before, times four, plus its kind (click, key, typing,
    /// wheel). Empty without input events.
    #[serde(default)]
    pub acts: Vec<u32>,
}

/// A stretch of one recording that is a stretch of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Likeness {
    /// How much of the shorter recording is shared, 0 to 1.
    pub shared: f64,
    pub spans: Vec<Span>,
}

/// Bits of 64 by which two hashes of one picture may differ after re-encoding.
const PICTURE_BITS: u32 = 10;
/// Bits of 64 by which a picture must differ from the one before to count as a change.
const CHANGE_BITS: u32 = 8;
const MIN_CHANGES: usize = 4;
/// Where only half seconds are known, as in prints of the first version.
const MIN_COARSE_CHANGES: usize = 6;
/// How far apart one change may lie in two copies: a copy of seven pictures a second shows it up to a seventh later.
const CHANGE_MILLIS: i64 = 150;
/// So many changes of the beginning of one are looked for in the whole of the other, by windows twice as long: a copy that
/// was trimmed begins anywhere, and each pair of changes costs time.
const HEAD_CHANGES: usize = 512;
const MIN_SHARED_CHANGES: f64 = 0.6;
/// Bit error rate under which two sounds are one; chance is 0.5. The paper's threshold is 0.35.
const MAX_SOUND_ERRORS: f64 = 0.30;
/// Seconds of sound that must agree: shorter stretches agree by chance.
const MIN_SOUND_SECS: f64 = 5.0;
const MIN_SHARED_SOUND: f64 = 0.5;

/// Whether `new` repeats `old`, in picture or in sound; the better of the two.
pub fn compare(new: &Fingerprints, old: &Fingerprints) -> Option<Likeness> {
    if !new.sha256.is_empty() && new.sha256 == old.sha256 {
        let end = new.picture.len() as f64 * PICTURE_STEP_SECS;
        return Some(Likeness { shared: 1.0, spans: vec![Span::new(0.0, end)] });
    }
    let picture = if new.changes.is_empty() || old.changes.is_empty() {
        compare_picture(&new.picture, &old.picture)
    } else {
        let (new, old) = (changes_of(new), changes_of(old));
        compare_changes(&new, &old)
    };
    let sound = compare_sound(&new.sound, &old.sound);
    [picture, sound].into_iter().flatten().max_by(|a, b| a.shared.total_cmp(&b.shared))
}

fn alike(a: u64, b: u64) -> bool {
    (a ^ b).count_ones() <= PICTURE_BITS
}

/// Indices at which the picture is another one than the sample before.
fn changes(hashes: &[u64]) -> Vec<usize> {
    (1..hashes.len()).filter(|&i| (hashes[i] ^ hashes[i - 1]).count_ones() >= CHANGE_BITS).collect()
}

fn compare_picture(new: &[u64], old: &[u64]) -> Option<Likeness> {
    let (new_changes, old_changes) = (changes(new), changes(old));
    if new_changes.len() < MIN_COARSE_CHANGES || old_changes.len() < MIN_COARSE_CHANGES {
        return None;
    }
    let shifts = -(old.len() as i64)..=(new.len() as i64);
    shifts
        .filter_map(|shift| picture_at_shift(new, &new_changes, old, &old_changes, shift))
        .max_by(|a, b| a.shared.total_cmp(&b.shared))
}

/// Old sample `i` against new sample `i + shift`: changes of both inside the common stretch must coincide.
fn picture_at_shift(
    new: &[u64],
    new_changes: &[usize],
    old: &[u64],
    old_changes: &[usize],
    shift: i64,
) -> Option<Likeness> {
    let in_old = |i: usize| usize::try_from(i as i64 - shift).ok().filter(|&j| j >= 1 && j + 1 < old.len());
    let in_new = |j: usize| usize::try_from(j as i64 + shift).ok().filter(|&i| i >= 1 && i + 1 < new.len());
    let candidates: Vec<(usize, usize)> = new_changes.iter().filter_map(|&i| in_old(i).map(|j| (i, j))).collect();
    let old_inside = old_changes.iter().filter(|&&j| in_new(j).is_some()).count();
    // A sample taken half a step later may fall on the other side of a change, hence the neighbours.
    let matched: Vec<usize> = candidates
        .iter()
        .filter(|&&(i, j)| {
            let before = (j - 1..=j).any(|k| alike(new[i - 1], old[k]));
            let after = (j..=j + 1).any(|k| alike(new[i], old[k]));
            before && after && (new[i] ^ new[i - 1]).count_ones() >= CHANGE_BITS
        })
        .map(|&(i, _)| i)
        .collect();
    let inside = candidates.len().max(old_inside);
    let fewest = new_changes.len().min(old_changes.len());
    let shared = matched.len() as f64 / fewest.max(inside) as f64;
    if matched.len() < MIN_COARSE_CHANGES || shared < MIN_SHARED_CHANGES {
        return None;
    }
    let (first, last) = (*matched.first()?, *matched.last()?);
    let span = Span::new(first as f64 * PICTURE_STEP_SECS, (last + 1) as f64 * PICTURE_STEP_SECS);
    Some(Likeness { shared: shared.min(1.0), spans: vec![span] })
}

/// The changes of a recording with the picture that follows each, by time.
fn changes_of(prints: &Fingerprints) -> Vec<(i64, u64)> {
    let after = |millis: u32| (f64::from(millis) / 1000.0 / PICTURE_STEP_SECS).ceil() as usize;
    let times = prints.changes.iter();
    let with_picture = times.filter_map(|&millis| Some((i64::from(millis), *prints.picture.get(after(millis))?)));
    let mut changes: Vec<_> = with_picture.collect();
    changes.sort_unstable();
    changes
}

/// Some changes of a recording that follow each other.
#[derive(Clone, Copy)]
struct Changes<'a>(&'a [(i64, u64)]);

impl<'a> Changes<'a> {
    fn head(all: &'a [(i64, u64)]) -> Self {
        Self(&all[..all.len().min(HEAD_CHANGES)])
    }

    /// Stretches twice as long as a head, each beginning in the middle of the one before.
    fn windows(all: &'a [(i64, u64)]) -> impl Iterator<Item = Self> {
        let starts =
            (0..all.len()).step_by(HEAD_CHANGES).filter(|&start| start == 0 || start + HEAD_CHANGES < all.len());
        starts.map(|start| Self(&all[start..all.len().min(start + 2 * HEAD_CHANGES)]))
    }

    /// Those that lie in the stretch which `other` covers when it begins `shift` later.
    fn within(self, other: Self, shift: i64) -> &'a [(i64, u64)] {
        let (Some(first), Some(last)) = (other.0.first(), other.0.last()) else { return &[] };
        let from = self.0.partition_point(|&(t, _)| t < first.0 + shift - CHANGE_MILLIS);
        let to = self.0.partition_point(|&(t, _)| t <= last.0 + shift + CHANGE_MILLIS);
        &self.0[from..to.max(from)]
    }
}

fn compare_changes(new: &[(i64, u64)], old: &[(i64, u64)]) -> Option<Likeness> {
    let in_old = Changes::windows(old).filter_map(|window| compare_stretch(Changes::head(new), window));
    // Where the new one is no longer than a head, this would ask the same once more.
    let longer = if new.len() > HEAD_CHANGES { new } else { &[] };
    let in_new = Changes::windows(longer).filter_map(|window| compare_stretch(window, Changes::head(old)));
    in_old.chain(in_new).max_by(|a, b| a.shared.total_cmp(&b.shared))
}

fn compare_stretch(new: Changes<'_>, old: Changes<'_>) -> Option<Likeness> {
    let fewest = new.0.len().min(old.0.len());
    if fewest < MIN_CHANGES {
        return None;
    }
    let pairs = new.0.iter().flat_map(|a| old.0.iter().map(move |b| (a, b)));
    let mut shifts: Vec<i64> = pairs.filter(|(a, b)| alike(a.1, b.1)).map(|(a, b)| a.0 - b.0).collect();
    shifts.sort_unstable();
    // The shift at which most pairs agree lies in the middle of the densest window.
    let densest = (0..shifts.len()).max_by_key(|&from| window(&shifts, from))?;
    let shift = shifts[densest + window(&shifts, densest) / 2];
    let (inside, old_inside) = (new.within(old, shift), old.within(new, -shift));
    let mut rest = old_inside;
    let mut matched = Vec::new();
    for &(t, picture) in inside {
        let near = rest.iter().position(|&(u, other)| (t - u - shift).abs() <= CHANGE_MILLIS && alike(picture, other));
        if let Some(index) = near {
            matched.push(t);
            rest = &rest[index + 1..];
        }
    }
    let shared = matched.len() as f64 / fewest.max(inside.len()).max(old_inside.len()) as f64;
    if matched.len() < MIN_CHANGES || shared < MIN_SHARED_CHANGES {
        return None;
    }
    let secs = |millis: i64| millis as f64 / 1000.0;
    Some(Likeness { shared: shared.min(1.0), spans: vec![Span::new(secs(*matched.first()?), secs(*matched.last()?))] })
}

/// How many shifts from this one on lie within what one change may vary.
fn window(shifts: &[i64], from: usize) -> usize {
    shifts[from..].partition_point(|&shift| shift - shifts[from] <= 2 * CHANGE_MILLIS)
}

fn compare_sound(new: &[u32], old: &[u32]) -> Option<Likeness> {
    let loud = |hashes: &[u32]| hashes.iter().filter(|&&hash| hash != 0).count();
    let least = loud(new).min(loud(old));
    let need = ((MIN_SOUND_SECS / SOUND_STEP_SECS) as usize).max((least as f64 * MIN_SHARED_SOUND) as usize);
    let shifts = -(old.len() as i64)..=(new.len() as i64);
    shifts
        .filter_map(|shift| {
            let from = shift.max(0);
            let to = (new.len() as i64).min(old.len() as i64 + shift);
            let (mut bits, mut samples) = (0_u32, 0_usize);
            for i in from..to {
                let (a, b) = (new[i as usize], old[(i - shift) as usize]);
                if a != 0 && b != 0 {
                    bits += (a ^ b).count_ones();
                    samples += 1;
                }
            }
            let errors = f64::from(bits) / (samples.max(1) as f64 * 32.0);
            (samples >= need && errors <= MAX_SOUND_ERRORS).then(|| Likeness {
                shared: (samples as f64 / least.max(1) as f64).min(1.0),
                spans: vec![Span::new(from as f64 * SOUND_STEP_SECS, to as f64 * SOUND_STEP_SECS)],
            })
        })
        .max_by(|a, b| a.shared.total_cmp(&b.shared))
}

/// Acts in a row that must be the same for input to count as replayed: a hand does not repeat seven waits by chance.
const MIN_REPLAYED_ACTS: usize = 8;
/// What a replaying program and the recorder's clock add to a wait.
const REPLAY_MILLIS: u32 = 25;
/// Longer logs are compared by their beginning.
const MAX_COMPARED_ACTS: usize = 4096;

/// Whether the input events of `new` are those of `old`, at any shift in time. It says nothing about picture and sound.
pub fn compare_acts(new: &[u32], old: &[u32]) -> Option<Likeness> {
    let (new, old) = (&new[..new.len().min(MAX_COMPARED_ACTS)], &old[..old.len().min(MAX_COMPARED_ACTS)]);
    let same = |a: u32, b: u32| a % 4 == b % 4 && (a / 4).abs_diff(b / 4) <= REPLAY_MILLIS;
    // Length of the run that ends at each pair of acts, a row of pairs at a time.
    let mut before = vec![0_usize; old.len() + 1];
    let (mut longest, mut end) = (0, 0);
    for (i, &a) in new.iter().enumerate() {
        let mut row = vec![0; old.len() + 1];
        for (j, &b) in old.iter().enumerate() {
            // The wait before a run is not part of it: a replay begins when it likes.
            row[j + 1] = if same(a, b) && before[j] > 0 { before[j] + 1 } else { usize::from(a % 4 == b % 4) };
            if row[j + 1] > longest {
                (longest, end) = (row[j + 1], i + 1);
            }
        }
        before = row;
    }
    let fewest = new.len().min(old.len());
    let time = |acts: usize| new[..acts].iter().map(|act| f64::from(act / 4) / 1000.0).sum::<f64>();
    (longest >= MIN_REPLAYED_ACTS && longest * 2 >= fewest).then(|| Likeness {
        shared: longest as f64 / fewest as f64,
        spans: vec![Span::new(time(end - longest + 1), time(end))],
    })
}

macro_rules! hex_words {
    ($module:ident, $word:ty, $width:literal) => {
        mod $module {
            use serde::{Deserialize, Deserializer, Serializer};

            pub(super) fn serialize<S: Serializer>(words: &[$word], serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(words.iter().map(|word| format!(concat!("{:0", $width, "x}"), word)))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<$word>, D::Error> {
                let texts = Vec::<String>::deserialize(deserializer)?;
                texts.iter().map(|text| <$word>::from_str_radix(text, 16).map_err(serde::de::Error::custom)).collect()
            }
        }
    };
}

hex_words!(hex64, u64, "16");
hex_words!(hex32, u32, "8");

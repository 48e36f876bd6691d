//! The ways that many recordings share: frequent sequences by `PrefixSpan` (Pei and others, 2001).
//!
//! A recording is the sequence of what its Steps were for. A way is a sequence of those that is found in many
//! recordings in this order, with other things in between allowed. Each way is grown by one intent at a time, and only
//! what comes after its first occurrence in each recording is looked at again.

use std::collections::BTreeMap;

use serde::Serialize;
use shared_types::step::Intent;

use super::load::Recording;

/// Longer ways say nothing that their parts do not.
const LONGEST: usize = 6;
/// Shorter ones are no ways.
const SHORTEST: usize = 2;
/// The report is for reading.
const MOST_WAYS: usize = 25;
/// Nine intents make half a million ways of up to six; a set of recordings that has more than this is noise.
const MOST_FOUND: usize = 50_000;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ways {
    /// Recordings in which a way must be found.
    pub min_recordings: u32,
    pub found: Vec<Way>,
    /// How often one intent is followed by another.
    pub followed_by: Vec<Followed>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Way {
    pub intents: Vec<Intent>,
    pub recordings: u32,
    /// Of all recordings.
    pub share: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Followed {
    pub intent: Intent,
    pub by: Intent,
    pub times: u32,
    /// Of all that follows the first.
    pub share: f64,
}

pub fn ways(recordings: &[Recording], min_share: f64) -> Ways {
    let sequences: Vec<Vec<Intent>> = recordings.iter().map(intents).collect();
    let min_recordings = ((recordings.len() as f64 * min_share).ceil() as u32).max(2);
    let mut found = closed(frequent(&sequences, min_recordings, LONGEST));
    found.retain(|(intents, _)| intents.len() >= SHORTEST);
    // Long and frequent ones first: a way of four in half of the recordings tells more than one of two in all.
    let weight = |(intents, count): &(Vec<Intent>, u32)| u64::from(*count) * (intents.len() as u64 - 1);
    found.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.0.cmp(&b.0)));
    found.truncate(MOST_WAYS);
    let share = |count: u32| f64::from(count) / recordings.len().max(1) as f64;
    let way = |(intents, recordings)| Way { intents, recordings, share: share(recordings) };
    Ways { min_recordings, found: found.into_iter().map(way).collect(), followed_by: followed_by(&sequences) }
}

/// What a recording's Steps were for, one after the other; the same again and again counts once.
pub fn intents(recording: &Recording) -> Vec<Intent> {
    let mut intents: Vec<Intent> = recording.steps.iter().filter_map(|step| step.intent).collect();
    intents.dedup();
    intents
}

/// Every sequence of up to `longest` items that at least `min_support` of the sequences contain, with its support.
pub fn frequent<T: Copy + Ord>(sequences: &[Vec<T>], min_support: u32, longest: usize) -> Vec<(Vec<T>, u32)> {
    let mut found = Vec::new();
    // Of each sequence what is left after the prefix, as the place where it begins.
    let whole: Vec<(usize, usize)> = (0..sequences.len()).map(|index| (index, 0)).collect();
    grow(sequences, &whole, &mut Vec::new(), (min_support, longest), &mut found);
    found
}

fn grow<T: Copy + Ord>(
    sequences: &[Vec<T>],
    projected: &[(usize, usize)],
    prefix: &mut Vec<T>,
    (min_support, longest): (u32, usize),
    found: &mut Vec<(Vec<T>, u32)>,
) {
    if prefix.len() == longest {
        return;
    }
    let mut next: BTreeMap<T, Vec<(usize, usize)>> = BTreeMap::new();
    for &(index, from) in projected {
        for (at, item) in sequences[index].iter().enumerate().skip(from) {
            let places = next.entry(*item).or_default();
            // Only its first occurrence: what is left after it holds what is left after the later ones.
            if places.last().is_none_or(|(last, _)| *last != index) {
                places.push((index, at + 1));
            }
        }
    }
    for (item, places) in next {
        let support = places.len() as u32;
        if support < min_support || found.len() >= MOST_FOUND {
            continue;
        }
        prefix.push(item);
        found.push((prefix.clone(), support));
        grow(sequences, &places, prefix, (min_support, longest), found);
        prefix.pop();
    }
}

/// Without those that are part of a longer one with the same support: the longer one says it all.
fn closed<T: Copy + Ord>(found: Vec<(Vec<T>, u32)>) -> Vec<(Vec<T>, u32)> {
    let mut by_support: BTreeMap<u32, Vec<Vec<T>>> = BTreeMap::new();
    for (items, support) in found {
        by_support.entry(support).or_default().push(items);
    }
    let mut kept = Vec::new();
    for (support, mut all) in by_support {
        all.sort_by_key(|items| std::cmp::Reverse(items.len()));
        let mut largest: Vec<Vec<T>> = Vec::new();
        for items in all {
            if !largest.iter().any(|longer| longer.len() > items.len() && contains(longer, &items)) {
                largest.push(items);
            }
        }
        kept.extend(largest.into_iter().map(|items| (items, support)));
    }
    kept
}

/// Whether the items come in `all` in this order, with others between them or not.
fn contains<T: Ord>(all: &[T], items: &[T]) -> bool {
    let mut rest = all.iter();
    items.iter().all(|item| rest.any(|other| other == item))
}

fn followed_by(sequences: &[Vec<Intent>]) -> Vec<Followed> {
    let mut pairs: BTreeMap<(Intent, Intent), u32> = BTreeMap::new();
    let mut all: BTreeMap<Intent, u32> = BTreeMap::new();
    for pair in sequences.iter().flat_map(|sequence| sequence.windows(2)) {
        *pairs.entry((pair[0], pair[1])).or_default() += 1;
        *all.entry(pair[0]).or_default() += 1;
    }
    let followed = pairs.into_iter().map(|((intent, by), times)| {
        let share = f64::from(times) / f64::from(all.get(&intent).copied().unwrap_or(1));
        Followed { intent, by, times, share }
    });
    followed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequences(texts: &[&str]) -> Vec<Vec<char>> {
        texts.iter().map(|text| text.chars().collect()).collect()
    }

    fn told(found: Vec<(Vec<char>, u32)>) -> Vec<String> {
        let mut told: Vec<String> = found
            .into_iter()
            .map(|(items, support)| format!("{}:{support}", items.iter().collect::<String>()))
            .collect();
        told.sort();
        told
    }

    #[test]
    fn every_frequent_sequence_is_found_with_its_support() {
        let check = |texts: &[&str], min_support, longest, wanted: &str| {
            let found = told(frequent(&sequences(texts), min_support, longest));
            assert_eq!(found.join(" "), wanted, "{texts:?}");
        };
        check(&["abc", "ac", "bc", "ab"], 2, 6, "a:3 ab:2 ac:2 b:3 bc:2 c:3");
        // In this order only, with gaps, and each sequence counts once.
        check(&["axb", "ba", "aab", "ab"], 3, 6, "a:4 ab:3 b:4");
        check(&["aa", "aa", "a"], 2, 6, "a:3 aa:2");
        check(&["abcd", "abcd"], 2, 2, "a:2 ab:2 ac:2 ad:2 b:2 bc:2 bd:2 c:2 cd:2 d:2");
        check(&[], 1, 6, "");
    }

    #[test]
    fn the_same_is_found_as_by_counting_each_possible_sequence() {
        // All sequences over three letters up to length four, against chosen ones.
        let texts = ["abcabc", "cab", "bca", "aacbb", "cc", "", "acb", "bab"];
        let all = sequences(&texts);
        let mut candidates: Vec<Vec<char>> = vec![Vec::new()];
        let mut counted = Vec::new();
        for _ in 0..4 {
            candidates = candidates
                .iter()
                .flat_map(|prefix| ['a', 'b', 'c'].map(|next| [prefix.as_slice(), &[next]].concat()))
                .collect();
            for items in &candidates {
                let support = all.iter().filter(|sequence| contains(sequence, items)).count() as u32;
                if support >= 2 {
                    counted.push((items.clone(), support));
                }
            }
        }
        assert_eq!(told(frequent(&all, 2, 4)), told(counted));
    }

    #[test]
    fn of_a_way_and_its_parts_the_longest_stays() {
        let found = closed(frequent(&sequences(&["abc", "abc", "ab"]), 2, 6));
        assert_eq!(told(found), ["ab:3", "abc:2"]);
    }
}

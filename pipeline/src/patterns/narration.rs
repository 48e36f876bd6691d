//! What people say while they shop, in groups of like sentences: TF-IDF vectors of their words, joined by average
//! linkage until the next two groups are no longer alike.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};
use shared_types::step::{Intent, Source};

use super::load::Recording;
use crate::passes::goal::content;

/// Two groups less alike than this stay two.
const ALIKE: f64 = 0.18;
/// Shorter sentences ("Okay.", "Hmm, nice.") say nothing.
const FEWEST_WORDS: usize = 3;
/// Every pair is compared: of more sentences, these many are drawn by their hash.
const MOST_SENTENCES: usize = 1500;
const FEWEST_IN_GROUP: usize = 2;
const MOST_GROUPS: usize = 20;
const WORDS_OF_GROUP: usize = 4;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Narration {
    /// Different sentences, and how many of them lie in the groups that are told.
    pub sentences: u32,
    pub grouped: u32,
    pub groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The words that set it apart.
    pub words: Vec<String>,
    pub sentences: u32,
    pub recordings: u32,
    /// The sentence that is most like all others.
    pub example: String,
    /// What was done while it was said.
    pub intents: BTreeMap<Intent, u32>,
}

struct Sentence {
    text: String,
    recording: usize,
    intent: Option<Intent>,
    words: Vec<String>,
}

type Vector = BTreeMap<usize, f64>;

pub fn clusters(recordings: &[Recording]) -> Narration {
    let mut sentences = sentences(recordings);
    let all = sentences.len();
    if sentences.len() > MOST_SENTENCES {
        sentences.sort_by_cached_key(|sentence| Sha256::digest(sentence.text.as_bytes()));
        sentences.truncate(MOST_SENTENCES);
    }
    let vectors = tf_idf(&sentences);
    let mut groups: Vec<Group> = average_linkage(&vectors, ALIKE)
        .into_iter()
        .filter(|members| members.len() >= FEWEST_IN_GROUP)
        .map(|members| told(&members, &sentences, &vectors))
        .collect();
    groups.sort_by(|a, b| b.sentences.cmp(&a.sentences).then_with(|| a.example.cmp(&b.example)));
    groups.truncate(MOST_GROUPS);
    Narration { sentences: all as u32, grouped: groups.iter().map(|group| group.sentences).sum(), groups }
}

/// Each sentence of a recording once, with the intent of the first Step it was said at.
fn sentences(recordings: &[Recording]) -> Vec<Sentence> {
    let mut all = Vec::new();
    for (recording, take) in recordings.iter().enumerate() {
        let mut known = BTreeSet::new();
        for step in &take.steps {
            // What a model wrote was not said.
            let said = step.rationale.as_deref().filter(|_| step.source.get("rationale") == Some(&Source::Speech));
            for text in said.unwrap_or_default().split_inclusive(['.', '?', '!']).map(str::trim) {
                let words = content(text);
                if !words.is_empty() && text.split_whitespace().count() >= FEWEST_WORDS && known.insert(text) {
                    all.push(Sentence { text: text.to_owned(), recording, intent: step.intent, words });
                }
            }
        }
    }
    all
}

/// Vectors of length one: how often a word is in the sentence, less for words that many sentences have.
fn tf_idf(sentences: &[Sentence]) -> Vec<Vector> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut in_sentences: Vec<f64> = Vec::new();
    for sentence in sentences {
        let words: BTreeSet<&str> = sentence.words.iter().map(String::as_str).collect();
        for word in words {
            let next = numbers.len();
            let number = *numbers.entry(word).or_insert(next);
            if number == in_sentences.len() {
                in_sentences.push(0.0);
            }
            in_sentences[number] += 1.0;
        }
    }
    let vector = |sentence: &Sentence| {
        let mut vector = Vector::new();
        for word in &sentence.words {
            if let Some(&number) = numbers.get(word.as_str()) {
                let rarity = (1.0 + sentences.len() as f64 / in_sentences[number]).ln();
                *vector.entry(number).or_default() += rarity;
            }
        }
        let length = vector.values().map(|weight| weight * weight).sum::<f64>().sqrt();
        for weight in vector.values_mut() {
            *weight /= length.max(f64::MIN_POSITIVE);
        }
        vector
    };
    sentences.iter().map(vector).collect()
}

fn likeness(a: &Vector, b: &Vector) -> f64 {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.iter().filter_map(|(word, weight)| Some(weight * long.get(word)?)).sum()
}

/// Groups of like vectors, each by the places of its members. The two groups whose members are on average most alike
/// are joined, again and again, down to `alike`.
fn average_linkage(vectors: &[Vector], alike: f64) -> Vec<Vec<usize>> {
    let count = vectors.len();
    let mut groups: Vec<Vec<usize>> = (0..count).map(|index| vec![index]).collect();
    let mut between: Vec<Vec<f64>> =
        (0..count).map(|a| (0..count).map(|b| likeness(&vectors[a], &vectors[b])).collect()).collect();
    let mut open: BTreeSet<usize> = (0..count).collect();
    let nearest = |group: usize, open: &BTreeSet<usize>, between: &[Vec<f64>]| {
        let others = open.iter().filter(|other| **other != group).map(|other| (*other, between[group][*other]));
        others.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    };
    let mut nearest_of: Vec<Option<(usize, f64)>> = (0..count).map(|group| nearest(group, &open, &between)).collect();
    loop {
        let pairs = open.iter().filter_map(|group| nearest_of[*group].map(|(other, alike)| (*group, other, alike)));
        let Some((kept, gone, likeness)) = pairs.max_by(|a, b| a.2.total_cmp(&b.2).then(b.0.cmp(&a.0))) else { break };
        if likeness < alike {
            break;
        }
        let (kept_size, gone_size) = (groups[kept].len() as f64, groups[gone].len() as f64);
        open.remove(&gone);
        for &other in open.iter().filter(|other| **other != kept) {
            let joined =
                (between[kept][other] * kept_size + between[gone][other] * gone_size) / (kept_size + gone_size);
            (between[kept][other], between[other][kept]) = (joined, joined);
        }
        let moved = std::mem::take(&mut groups[gone]);
        groups[kept].extend(moved);
        for &group in &open {
            let was_near = nearest_of[group].is_some_and(|(other, _)| other == kept || other == gone);
            if group == kept || was_near {
                nearest_of[group] = nearest(group, &open, &between);
            }
        }
    }
    open.into_iter().map(|group| std::mem::take(&mut groups[group])).collect()
}

fn told(members: &[usize], sentences: &[Sentence], vectors: &[Vector]) -> Group {
    let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
    let (mut recordings, mut intents) = (BTreeSet::new(), BTreeMap::new());
    for &member in members {
        let sentence = &sentences[member];
        recordings.insert(sentence.recording);
        if let Some(intent) = sentence.intent {
            *intents.entry(intent).or_insert(0) += 1;
        }
        for word in sentence.words.iter().collect::<BTreeSet<_>>() {
            *weights.entry(word).or_default() += 1.0;
        }
    }
    let mut words: Vec<(&str, f64)> = weights.into_iter().collect();
    words.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    let closeness =
        |member: usize| members.iter().map(|other| likeness(&vectors[member], &vectors[*other])).sum::<f64>();
    let medoid = members.iter().copied().max_by(|a, b| closeness(*a).total_cmp(&closeness(*b)).then(b.cmp(a)));
    Group {
        words: words.into_iter().take(WORDS_OF_GROUP).map(|(word, _)| word.to_owned()).collect(),
        sentences: members.len() as u32,
        recordings: recordings.len() as u32,
        example: medoid.map(|medoid| sentences[medoid].text.clone()).unwrap_or_default(),
        intents,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(texts: &[&str]) -> Vec<Vec<usize>> {
        let sentence =
            |text: &&str| Sentence { text: (*text).to_owned(), recording: 0, intent: None, words: content(text) };
        let sentences: Vec<Sentence> = texts.iter().map(sentence).collect();
        let mut groups = average_linkage(&tf_idf(&sentences), ALIKE);
        for group in &mut groups {
            group.sort_unstable();
        }
        groups.sort();
        groups
    }

    #[test]
    fn like_sentences_end_in_one_group() {
        let found = grouped(&[
            "That's too expensive, seventy dollars.",
            "I'll sort by price, low to high.",
            "Way too expensive for me, ninety dollars.",
            "Sorting by price from low to high.",
            "Adding it to the cart.",
            "This is expensive.",
            "I put it into the cart.",
        ]);
        assert_eq!(found, [vec![0, 2, 5], vec![1, 3], vec![4, 6]]);
    }

    #[test]
    fn nothing_and_one_are_groups_of_their_own() {
        assert!(grouped(&[]).is_empty());
        assert_eq!(grouped(&["one sentence alone"]), [vec![0]]);
        assert_eq!(grouped(&["black shoes", "green plants"]), [vec![0], vec![1]]);
    }
}

//! Which language is spoken.
//!
//! In each window its own, where the model is sure of it or sure that it is not the policy's; else the one of all windows so
//! far, if it is sure of that; else the policy's. Noise, music and an accent make the model waver between many languages, and
//! a language that it only likes best is none.

use std::collections::BTreeMap;

use super::{guard, within};
use crate::models::whisper::{HeardWord, Language};

/// Above this the model's opinion on the language is taken against the policy's.
pub(super) const SURE_OF_LANGUAGE: f64 = 0.6;
/// Under this it is not the policy's, though the model may waver between two neighbours, as with Spanish and Portuguese.
const NOT_THIS_LANGUAGE: f64 = 0.15;
const SURE_OF_TWO: f64 = 0.8;

pub(super) struct Tongue {
    wanted: String,
    windows: Vec<Window>,
}

struct Window {
    span: (f64, f64),
    language: String,
    /// Whether the window itself shows that it is this one.
    is_sure: bool,
    has_words: bool,
    probabilities: Vec<(String, f64)>,
}

impl Tongue {
    pub(super) fn new(wanted: &str) -> Self {
        Self { wanted: wanted.to_owned(), windows: Vec::new() }
    }

    /// Of the latest window.
    pub(super) fn language(&self) -> &str {
        self.windows.last().map_or(&self.wanted, |window| &window.language)
    }

    /// Of the window in which a moment lies.
    pub(super) fn at(&self, t: f64) -> &str {
        let window = self.windows.iter().rfind(|window| window.span.0 <= t);
        window.map_or(&self.wanted, |window| &window.language)
    }

    /// Whether these probabilities speak for another language than the policy's.
    pub(super) fn is_other(&self, probabilities: &[(String, f64)]) -> bool {
        self.surely(probabilities).is_some_and(|language| language != self.wanted)
    }

    fn surely<'a>(&self, probabilities: &'a [(String, f64)]) -> Option<&'a str> {
        let wanted = probabilities.iter().find(|(code, _)| *code == self.wanted).map_or(0.0, |(_, sure)| *sure);
        let mut by_sure: Vec<&(String, f64)> = probabilities.iter().collect();
        by_sure.sort_by(|a, b| b.1.total_cmp(&a.1));
        let best = by_sure.first()?;
        let best_two: f64 = by_sure.iter().take(2).map(|(_, sure)| sure).sum();
        let is_sure = best.1 > SURE_OF_LANGUAGE || wanted < NOT_THIS_LANGUAGE && best_two > SURE_OF_TWO;
        is_sure.then_some(best.0.as_str())
    }

    /// Takes in a window's probabilities; true if its language is another than the one before.
    pub(super) fn listen(&mut self, span: (f64, f64), probabilities: Vec<(String, f64)>) -> bool {
        let before = self.language().to_owned();
        let of_window = self.surely(&probabilities).map(str::to_owned);
        let is_sure = of_window.is_some();
        self.windows.push(Window { span, language: before.clone(), is_sure, has_words: true, probabilities });
        let of_all = || self.detected().filter(|heard| heard.probability > SURE_OF_LANGUAGE).map(|heard| heard.code);
        let now = of_window.or_else(of_all).unwrap_or_else(|| self.wanted.clone());
        let changed = now != before;
        if let Some(window) = self.windows.last_mut() {
            window.language = now;
        }
        changed
    }

    /// Gives the latest window back to the language before it: what was heard in that one was believed more.
    pub(super) fn stay(&mut self, language: String) {
        if let Some(window) = self.windows.last_mut() {
            (window.language, window.is_sure) = (language, false);
        }
    }

    /// Leaves out the windows of which no word was kept: they tell of no language.
    pub(super) fn settle(&mut self, words: &[HeardWord]) {
        for window in &mut self.windows {
            let (start, end) = window.span;
            window.has_words = words.iter().any(|word| (start..=end).contains(&guard::middle(word)));
        }
    }

    /// The likeliest language over all windows that have words.
    pub(super) fn detected(&self) -> Option<Language> {
        let windows = || self.windows.iter().filter(|window| window.has_words);
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for (code, probability) in windows().flat_map(|window| &window.probabilities) {
            *sums.entry(code).or_default() += probability;
        }
        let (code, sum) = sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Language { code: code.to_owned(), probability: sum / windows().count().max(1) as f64 })
    }

    /// The language that is spoken longest.
    pub(super) fn mostly(&self, voiced: &[(f64, f64)]) -> &str {
        let mut secs: BTreeMap<&str, f64> = BTreeMap::new();
        for window in &self.windows {
            *secs.entry(&window.language).or_default() +=
                within(voiced, window.span).map(|(start, end)| end - start).sum::<f64>();
        }
        secs.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(&self.wanted, |(language, _)| language)
    }

    /// What is surely spoken in another language than the policy's.
    pub(super) fn foreign(&self, voiced: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let is_foreign = |window: &&Window| window.language != self.wanted && window.is_sure && window.has_words;
        self.windows.iter().filter(is_foreign).flat_map(|window| within(voiced, window.span)).collect()
    }
}

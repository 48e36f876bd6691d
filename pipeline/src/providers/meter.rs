//! What hosted models cost, and when it is enough.
//!
//! Tokens are only known after they were paid. Before a request its tokens are estimated, with half as many again until
//! the server has reported some; where it reports more than was estimated, all later estimates grow by the same factor. So
//! the budget can be overrun by the error of one estimate at most, and only by the first request.

use shared_types::summary::Costs;

use super::settings::Prices;

/// Bytes of text that make a token at the least; most texts have four.
const BYTES_PER_TOKEN: u64 = 3;
/// Models cut pictures into tiles of this many pixels and charge each, times a factor that differs between them; this
/// is the dearer one of the common ones.
const TILE_PX: u32 = 32;
const TOKENS_PER_TILE: f64 = 1.62;
const TOKENS_PER_CENT_PRICE: f64 = 1e6 / 100.0;
/// What is set aside for each estimated token until the server has reported what it counts.
const RESERVE: f64 = 1.5;
/// What a second of sound takes of the budget: as much as the models count that charge sound in tokens.
const TOKENS_PER_SOUND_SEC: f64 = 10.0;
const SECS_PER_MINUTE_CENTS: f64 = 60.0 / 100.0;

pub fn text_tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES_PER_TOKEN)
}

pub fn picture_tokens(width: u32, height: u32) -> u64 {
    let tiles = width.div_ceil(TILE_PX) * height.div_ceil(TILE_PX);
    (f64::from(tiles) * TOKENS_PER_TILE).ceil() as u64
}

fn sound_tokens(secs: f64) -> u64 {
    (secs * TOKENS_PER_SOUND_SEC).ceil() as u64
}

/// What an answer used, as its server reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub input: u64,
    pub output: u64,
}

#[derive(Debug)]
pub struct Meter {
    budget: u64,
    prices: Option<Prices>,
    costs: Costs,
    /// What the sound that was sent takes of the budget; its price is by the minute.
    sound_tokens: u64,
    /// How much more than estimated requests turned out to be, never below 1; none until one was reported.
    surprise: Option<f64>,
}

impl Meter {
    pub fn new(budget: u64, prices: Option<Prices>) -> Self {
        let costs = Costs { token_budget: Some(budget), ..Costs::default() };
        Self { budget, prices, costs, sound_tokens: 0, surprise: None }
    }

    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// Whether a request of this size, with an answer as long as it may be, still fits.
    pub fn has_room(&self, input: u64, output: u64) -> bool {
        let expected = (input as f64 * self.surprise.unwrap_or(RESERVE)) as u64 + output;
        self.used() + expected <= self.budget
    }

    /// Whether so much sound still fits.
    pub fn has_room_for_sound(&self, secs: f64) -> bool {
        self.used() + sound_tokens(secs) <= self.budget
    }

    fn used(&self) -> u64 {
        self.costs.input_tokens + self.costs.output_tokens + self.sound_tokens
    }

    /// Counts an answer. Where the server reports nothing, the estimate counts.
    pub fn count(&mut self, estimated: Usage, reported: Option<Usage>) {
        let used = reported.unwrap_or(estimated);
        self.costs.requests += 1;
        self.costs.input_tokens += used.input;
        self.costs.output_tokens += used.output;
        if reported.is_some() {
            let factor = used.input as f64 / estimated.input.max(1) as f64;
            self.surprise = Some(self.surprise.unwrap_or(1.0).max(factor));
        }
    }

    pub fn count_sound(&mut self, secs: f64) {
        self.costs.requests += 1;
        self.costs.audio_secs += secs;
        self.sound_tokens += sound_tokens(secs);
    }

    pub fn count_cached(&mut self) {
        self.costs.cached += 1;
    }

    pub fn count_steps(&mut self, explained: usize, left_to_rules: usize) {
        self.costs.steps_explained += explained as u32;
        self.costs.steps_left_to_rules += left_to_rules as u32;
    }

    pub fn note(&mut self, failure: String) {
        if !self.costs.failures.contains(&failure) {
            self.costs.failures.push(failure);
        }
    }

    pub fn costs(&self) -> Costs {
        let mut costs = self.costs.clone();
        if let Some(prices) = &self.prices {
            let tokens = costs.input_tokens as f64 * prices.input + costs.output_tokens as f64 * prices.output;
            let cents = tokens / TOKENS_PER_CENT_PRICE + costs.audio_secs * prices.sound / SECS_PER_MINUTE_CENTS;
            costs.amount_cents = Some((cents * 1e4).round() / 1e4);
            costs.currency = Some(prices.currency.clone());
        }
        costs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_limit_and_learns_from_surprises() {
        let mut meter = Meter::new(10_000, None);
        assert!(meter.has_room(6_000, 1_000) && !meter.has_room(6_001, 1_000), "half as much again is set aside");
        let estimated = Usage { input: 1_000, output: 100 };
        meter.count(estimated, Some(Usage { input: 3_000, output: 50 }));
        assert!(meter.has_room(2_000, 900) && !meter.has_room(2_400, 0));
        meter.count(estimated, None);
        assert_eq!((meter.costs().input_tokens, meter.costs().output_tokens), (4_000, 150));
        let mut meter = Meter::new(10_000, None);
        meter.count(estimated, None);
        assert!(meter.has_room(5_900, 0) && !meter.has_room(5_940, 0), "nothing was reported yet");
        meter.count(estimated, Some(Usage { input: 900, output: 100 }));
        assert!(meter.has_room(7_900, 0) && !meter.has_room(7_901, 0), "the estimates were high enough");
    }

    #[test]
    fn sound_takes_of_the_same_budget() {
        let mut meter = Meter::new(1_000, None);
        assert!(meter.has_room_for_sound(100.0) && !meter.has_room_for_sound(100.2));
        meter.count_sound(60.0);
        assert!(meter.has_room_for_sound(40.0) && !meter.has_room_for_sound(41.0));
        assert!(meter.has_room(200, 100) && !meter.has_room(400, 0));
        assert!(!Meter::new(0, None).has_room_for_sound(0.1), "nothing is asked");
    }

    #[test]
    fn prices_turn_tokens_and_sound_into_cents() {
        let prices = Prices { input: 0.4, output: 1.6, sound: 0.006, currency: "USD".to_owned() };
        let mut meter = Meter::new(u64::MAX, Some(prices));
        let used = Usage { input: 1_000_000, output: 100_000 };
        meter.count(used, Some(used));
        meter.count_sound(120.0);
        assert_eq!(meter.costs().amount_cents, Some(40.0 + 16.0 + 1.2));
        assert_eq!(Meter::new(1, None).costs().amount_cents, None);
    }
}

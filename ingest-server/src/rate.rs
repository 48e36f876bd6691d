//! How often somebody may do something: so many times a minute, of which unused ones are saved up for a minute.
//!
//! One moment is kept per key (the generic cell rate algorithm): the one at which all that was saved up will be there
//! again. Why no crate: docs/decisions/0011-limits-of-our-own.md.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use shared_types::timestamp::Timestamp;

/// Keys that are remembered; who comes when all are in use shares one place.
const MOST_KEYS: usize = 20_000;
const MINUTE_MILLIS: i64 = 60_000;
/// Finer than milliseconds, because thousands a minute lie closer together.
const FINE: i64 = 1000;

#[derive(Debug)]
pub struct Rate {
    per_minute: u64,
    full_again: Mutex<HashMap<String, i64>>,
}

impl Rate {
    pub fn new(per_minute: u64) -> Self {
        Self { per_minute, full_again: Mutex::default() }
    }

    /// Uses one up; an error says in how many seconds the next is there. A limit of 0 is none.
    pub fn take(&self, key: &str, now: Timestamp) -> Result<(), u64> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let now = now.millis * FINE;
        let each = (MINUTE_MILLIS * FINE / i64::try_from(self.per_minute).unwrap_or(i64::MAX)).max(1);
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        if full_again.len() >= MOST_KEYS && !full_again.contains_key(key) {
            full_again.retain(|_, at| *at > now);
        }
        let key = if full_again.len() >= MOST_KEYS && !full_again.contains_key(key) { "" } else { key };
        let at = full_again.entry(key.to_owned()).or_insert(now);
        let next = (*at).max(now) + each;
        let wait = next - now - MINUTE_MILLIS * FINE;
        if wait > 0 {
            return Err((wait as u64).div_ceil(1_000_000).max(1));
        }
        *at = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_minute_for_each() {
        let rate = Rate::new(3);
        let at = |secs: i64| Timestamp::from_millis(1_790_000_000_000).plus_secs(secs);
        for (who, secs, expected) in [
            ("a", 0, Ok(())),
            ("a", 0, Ok(())),
            ("a", 0, Ok(())),
            ("a", 0, Err(20)),
            ("b", 0, Ok(())),
            ("a", 19, Err(1)),
            ("a", 20, Ok(())),
            ("a", 21, Err(19)),
            ("a", 200, Ok(())),
            ("a", 200, Ok(())),
            ("a", 200, Ok(())),
            ("a", 200, Err(20)),
        ] {
            assert_eq!(rate.take(who, at(secs)), expected, "{who} after {secs} s");
        }
        assert_eq!((0..100).filter(|_| Rate::new(0).take("a", at(0)).is_ok()).count(), 100, "0 is no limit");
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let rate = Rate::new(1);
        let now = Timestamp::from_millis(1_790_000_000_000);
        for index in 0..MOST_KEYS + 50 {
            let _ = rate.take(&index.to_string(), now);
        }
        let kept = || rate.full_again.lock().unwrap().len();
        assert!(kept() <= MOST_KEYS + 1, "{}", kept());
        assert!(rate.take("another", now.plus_secs(61)).is_ok());
        assert!(kept() < 3, "{}", kept());
    }
}

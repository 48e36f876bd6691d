//! How alike two sequences are, after Ratcliff and Obershelp: find the longest run both share, then the same on either
//! side of it.

/// A run that both have: where it starts in each, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) length: usize,
}

/// All shared runs, in order.
pub(super) fn shared_runs<T: Eq>(a: &[T], b: &[T]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut open = vec![(0, a.len(), 0, b.len())];
    while let Some((a_from, a_to, b_from, b_to)) = open.pop() {
        let run = longest_run(&a[a_from..a_to], &b[b_from..b_to]);
        if run.length == 0 {
            continue;
        }
        let run = Run { a: run.a + a_from, b: run.b + b_from, length: run.length };
        open.push((a_from, run.a, b_from, run.b));
        open.push((run.a + run.length, a_to, run.b + run.length, b_to));
        runs.push(run);
    }
    runs.sort_by_key(|run| (run.a, run.b));
    runs
}

/// The longest run; of several the one that starts first in `a`, of those the first in `b`.
fn longest_run<T: Eq>(a: &[T], b: &[T]) -> Run {
    let mut best = Run { a: 0, b: 0, length: 0 };
    // Length of the run that ends at each place of `b` and at the previous place of `a`.
    let mut ending = vec![0_usize; b.len() + 1];
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = 0;
        for (j, y) in b.iter().enumerate() {
            let length = if x == y { diagonal + 1 } else { 0 };
            diagonal = std::mem::replace(&mut ending[j + 1], length);
            if length > best.length {
                best = Run { a: i + 1 - length, b: j + 1 - length, length };
            }
        }
    }
    best
}

/// 0 to 1. The shorter text as whole words inside the longer counts as 1; nothing is like an empty text.
pub(super) fn similarity(a: &str, b: &str) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    if a == b {
        return 1.0;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if short.len() >= 3 && holds_phrase(long, short) {
        return 1.0;
    }
    let shared: usize = shared_runs(&a, &b).iter().map(|run| run.length).sum();
    2.0 * shared as f64 / (a.len() + b.len()) as f64
}

fn holds_phrase(text: &[char], phrase: &[char]) -> bool {
    let is_word = |place: Option<&char>| place.is_some_and(|letter| letter.is_alphanumeric() || *letter == '_');
    text.windows(phrase.len()).enumerate().any(|(at, window)| {
        window == phrase
            && !is_word(at.checked_sub(1).and_then(|before| text.get(before)))
            && !is_word(text.get(at + phrase.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_rows() {
        let rows = [
            ("", "", 0.0),
            ("shoes", "", 0.0),
            ("shoes", "shoes", 1.0),
            ("runx running shoe", "runx running shoe $53.94", 1.0),
            ("run", "running shoe", 2.0 * 3.0 / 15.0),
            ("abcd", "bcde", 0.75),
            ("to", "go to cart", 4.0 / 12.0),
            ("qabxcd", "abycdf", 2.0 * 4.0 / 12.0),
        ];
        for (a, b, expected) in rows {
            assert!((similarity(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}: {}", similarity(a, b));
        }
    }
}

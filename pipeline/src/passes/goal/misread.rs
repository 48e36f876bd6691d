//! One product that was read in two ways: a pointer over its title, or the blur of a scroll, makes another letter of one.

use strsim::levenshtein;

use super::products::Offer;

/// A word shorter than this may be all that tells two products apart: a size, a colour.
const SHORTEST_WORD: usize = 5;

/// An offer with the times of the screens that show it.
pub(super) struct Shown {
    pub(super) offer: Offer,
    pub(super) times: Vec<f64>,
}

/// The offers without those that are misreadings of another. The reading that was shown more often stays, at the place of the
/// earlier one.
pub(super) fn joined(offers: Vec<Shown>) -> Vec<Offer> {
    let mut found: Vec<Shown> = Vec::new();
    for shown in offers {
        match found.iter_mut().find(|other| are_one(other, &shown)) {
            Some(other) => other.take(shown),
            None => found.push(shown),
        }
    }
    found.into_iter().map(|shown| shown.offer).collect()
}

impl Shown {
    fn take(&mut self, other: Self) {
        let (mine, theirs) = (&mut self.offer, other.offer);
        if other.times.len() > self.times.len() {
            mine.seen.title = theirs.seen.title;
        }
        mine.seen.rating = mine.seen.rating.take().or(theirs.seen.rating);
        let new = theirs.about.into_iter().filter(|line| !mine.about.contains(line)).collect::<Vec<_>>();
        mine.about.extend(new);
        self.times.extend(other.times);
    }
}

/// Two products that differ in a letter stand beside each other in some list; two readings of one never do.
fn are_one(a: &Shown, b: &Shown) -> bool {
    let (mine, theirs) = (&a.offer.seen, &b.offer.seen);
    let is_one_rating = match (&mine.rating, &theirs.rating) {
        (Some(mine), Some(theirs)) => mine == theirs,
        _ => true,
    };
    mine.price == theirs.price
        && is_one_rating
        && differs_in_a_letter(&mine.title, &theirs.title)
        && !a.times.iter().any(|t| b.times.contains(t))
}

fn differs_in_a_letter(a: &str, b: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split_whitespace().collect(), b.split_whitespace().collect());
    let differing: Vec<(&str, &str)> = a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| a != b).collect();
    let [(one, other)] = differing[..] else { return false };
    let is_long = one.chars().count().max(other.chars().count()) >= SHORTEST_WORD;
    let has_digit = |word: &str| word.chars().any(|c| c.is_ascii_digit());
    a.len() == b.len() && is_long && !has_digit(one) && !has_digit(other) && levenshtein(one, other) == 1
}

#[cfg(test)]
mod tests {
    use super::differs_in_a_letter;

    #[test]
    fn a_letter_may_differ_where_it_tells_nothing() {
        for (a, b, expected) in [
            ("Harbor Floor Lamp", "Harb(r Floor Lamp", true),
            ("Harbor Floor Lamp", "Harbr Floor Lamp", true),
            ("Arc Reading Lamp", "Arc Realing Lamp", true),
            ("Harbor Floor Lamp", "Harbr Flor Lamp", false),
            ("Mile Tee S", "Mile Tee M", false),
            ("Model X100 Drill", "Model X200 Drill", false),
            ("Harbor Lamp", "Harbor Floor Lamp", false),
        ] {
            assert_eq!(differs_in_a_letter(a, b), expected, "{a}, {b}");
        }
    }
}

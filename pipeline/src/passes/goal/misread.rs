//! One product that was read in two ways: a pointer over its title, or the blur of a scroll, makes another letter of one.

use std::cmp::Reverse;

use strsim::levenshtein;

use super::products::Offer;

/// A word shorter than this may be all that tells two products apart: a size, a colour.
const SHORTEST_WORD: usize = 5;

/// An offer with the times of the screens that show it.
pub(super) struct Shown {
    pub(super) offer: Offer,
    pub(super) times: Vec<f64>,
}

/// The offers, in their order, without those that are misreadings of one that was shown more often.
pub(super) fn joined(offers: Vec<Shown>) -> Vec<Offer> {
    let mut by_count: Vec<(usize, Shown)> = offers.into_iter().enumerate().collect();
    by_count.sort_by_key(|(_, shown)| Reverse(shown.times.len()));
    let mut found: Vec<(usize, Shown)> = Vec::new();
    for (place, shown) in by_count {
        match found.iter_mut().find(|(_, other)| is_misread(&shown, other)) {
            Some((earlier, other)) => {
                *earlier = place.min(*earlier);
                other.take(shown);
            }
            None => found.push((place, shown)),
        }
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, shown)| shown.offer).collect()
}

impl Shown {
    fn take(&mut self, misread: Self) {
        let (mine, theirs) = (&mut self.offer, misread.offer);
        mine.seen.t = mine.seen.t.min(theirs.seen.t);
        mine.seen.rating = mine.seen.rating.take().or(theirs.seen.rating);
        let new: Vec<String> = theirs.about.into_iter().filter(|line| !mine.about.contains(line)).collect();
        mine.about.extend(new);
        self.times.extend(misread.times);
    }
}

/// Whether an offer that was seen once is another that was seen more often. Two products that differ in a letter are seen
/// several times each, or stand beside each other in a list.
fn is_misread(once: &Shown, other: &Shown) -> bool {
    let (mine, theirs) = (&once.offer.seen, &other.offer.seen);
    let is_one_rating = match (&mine.rating, &theirs.rating) {
        (Some(mine), Some(theirs)) => mine == theirs,
        _ => true,
    };
    once.times.len() == 1
        && other.times.len() > 1
        && mine.price == theirs.price
        && is_one_rating
        && differs_in_a_letter(&mine.title, &theirs.title)
        && !other.times.contains(&once.times[0])
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

//! Typing, as far as it shows: letters that appear one after the other in one row.

use super::Sight;
use super::acts::{SeenAct, SeenKind};

/// Letters come at least this often.
const LETTER_PAUSE_SECS: f64 = 1.5;
const FEWEST_LETTERS: usize = 3;
/// Letters come one by one; what grows faster is drawn by a program.
const SHORTEST_TYPING_SECS: f64 = 0.3;
const LETTER_HEIGHTS: std::ops::RangeInclusive<u32> = 8..=40;
const WIDEST_LETTERS: u32 = 48;
const SAME_ROW_PX: f64 = 6.0;
const UNLEVEL_PX: u32 = 3;
/// How far a row of letters has to grow before it is one.
const LEAST_GROWTH: u32 = 14;

/// A row of letters that grows.
struct Growth {
    first: usize,
    last: usize,
    letters: usize,
    tallest: u32,
    row: [u32; 4],
}

pub(super) fn typings(sights: &[Sight], taken: &mut [bool]) -> Vec<SeenAct> {
    let mut growing: Vec<Growth> = Vec::new();
    let mut grown: Vec<Growth> = Vec::new();
    for (index, sight) in sights.iter().enumerate().filter(|(index, _)| !taken[*index]) {
        let (ended, open) = growing.into_iter().partition(|growth| sight.t - sights[growth.last].t > LETTER_PAUSE_SECS);
        grown.extend::<Vec<Growth>>(ended);
        growing = open;
        for letters in sight.changes.iter().filter(|change| are_letters(**change)) {
            match growing.iter_mut().find(|growth| growth.goes_on(*letters)) {
                Some(growth) if growth.last != index => growth.add(index, *letters),
                Some(_) => {}
                None => growing.push(Growth::new(index, *letters)),
            }
        }
    }
    grown.extend(growing);
    grown.retain(Growth::is_a_row);
    grown.sort_by_key(|growth| growth.first);
    let mut found: Vec<SeenAct> = Vec::new();
    for growth in grown {
        let (t, t_end) = (sights[growth.first].t, sights[growth.last].t);
        let moves = sights[growth.first..=growth.last].iter().any(|sight| sight.moved);
        if moves || t_end - t < SHORTEST_TYPING_SECS {
            continue;
        }
        // Lists of suggestions grow beside the field; what began first and is typed into is the field.
        if found.last().is_some_and(|last| t <= last.t_end) {
            continue;
        }
        taken[growth.first..=growth.last].fill(true);
        let kind = SeenKind::Type { row: growth.row };
        let confidence = if growth.letters > FEWEST_LETTERS { 0.7 } else { 0.5 };
        found.push(SeenAct { t, t_end, kind, pointer: sights[growth.first].pointer, effect: 0.0, confidence });
    }
    found
}

fn are_letters([left, top, right, bottom]: [u32; 4]) -> bool {
    LETTER_HEIGHTS.contains(&(bottom - top)) && right - left <= WIDEST_LETTERS
}

impl Growth {
    fn new(index: usize, row: [u32; 4]) -> Self {
        Self { first: index, last: index, letters: 1, tallest: row[3] - row[1], row }
    }

    /// Enough letters that stand on one line; what wanders up or down is a pointer of a form not known yet.
    fn is_a_row(&self) -> bool {
        let [left, top, right, bottom] = self.row;
        let level = bottom - top <= self.tallest + UNLEVEL_PX;
        level && self.letters >= FEWEST_LETTERS && right - left >= LEAST_GROWTH
    }

    fn goes_on(&self, [left, top, right, bottom]: [u32; 4]) -> bool {
        let middle = |top: u32, bottom: u32| f64::from(top + bottom) / 2.0;
        let same_row = (middle(top, bottom) - middle(self.row[1], self.row[3])).abs() <= SAME_ROW_PX;
        let further = right > self.row[2] && left <= self.row[2] + WIDEST_LETTERS;
        same_row && further && left >= self.row[0]
    }

    fn add(&mut self, index: usize, [left, top, right, bottom]: [u32; 4]) {
        let row = self.row;
        self.row = [row[0].min(left), row[1].min(top), row[2].max(right), row[3].max(bottom)];
        self.tallest = self.tallest.max(bottom - top);
        self.last = index;
        self.letters += 1;
    }
}

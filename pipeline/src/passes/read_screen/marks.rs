//! Small drawings: the box of a checkbox, the circle of a radio button, the arrow of a menu, icons.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use media::frame::RgbFrame;
use shared_types::step::PixelBox;

use super::{contains, pixel};
use crate::models::ocr::TextLine;

const FOREGROUND: u8 = 9;
/// Less than this share of an outline's side is no part of it, and how many such rows compression leaves.
const SPECKS: f64 = 0.2;
const MOST_SPECK_ROWS: usize = 3;

/// A box or circle left of a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mark {
    pub(super) role: &'static str,
    pub(super) bounds: PixelBox,
}

/// The checkbox or radio button that belongs to a label.
pub(super) fn mark_left_of(frame: &RgbFrame, lines: &[TextLine], label: &TextLine) -> Option<Mark> {
    let unit = label.bounds[3];
    // A label's box often takes its mark in; its first character tells where the text begins.
    let first = label.char_x.first().map_or(label.bounds[0], |middle| middle - 0.35 * unit);
    let area = [first - 2.6 * unit, label.middle_y() - 0.9 * unit, 2.6 * unit, 1.8 * unit];
    let drawings = drawings_in(frame, area);
    let mut marks: Vec<Mark> = drawings.iter().filter_map(|drawing| drawing.without_specks().as_mark(unit)).collect();
    // A round letter of the text before is no mark.
    let is_letter = |mark: &Mark| {
        let [left, top, width, height] = mark.bounds;
        let holds = |line: &&TextLine| contains(line.bounds, left + width / 2.0, top + height / 2.0);
        lines.iter().filter(holds).any(|line| line != label && line.text.chars().count() > 1)
    };
    marks.retain(|mark| !is_letter(mark));
    marks.sort_by(|a, b| a.bounds[0].total_cmp(&b.bounds[0]));
    marks.pop()
}

/// The boxes of what is drawn in an area, from left to right.
pub(super) fn drawn_boxes(frame: &RgbFrame, area: PixelBox) -> Vec<PixelBox> {
    let mut boxes: Vec<PixelBox> = drawings_in(frame, area).iter().map(Drawing::bounds).collect();
    boxes.sort_by(|a, b| a[0].total_cmp(&b[0]));
    boxes
}

/// A group of touching pixels that differ from what lies behind.
struct Drawing {
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
    /// Pixels by place in the picture.
    pixels: HashSet<(u32, u32)>,
}

impl Drawing {
    fn bounds(&self) -> PixelBox {
        let (width, height) = (self.right - self.left, self.bottom - self.top);
        [f64::from(self.left), f64::from(self.top), f64::from(width), f64::from(height)]
    }

    /// Without what compression left at its sides: single pixels, where an outline has a whole row of them.
    fn without_specks(&self) -> Self {
        let mut tight = Self { pixels: self.pixels.clone(), ..*self };
        let row = |drawing: &Self, y: u32| {
            (drawing.left..drawing.right).filter(|x| drawing.pixels.contains(&(*x, y))).count()
        };
        let column = |drawing: &Self, x: u32| {
            (drawing.top..drawing.bottom).filter(|y| drawing.pixels.contains(&(x, *y))).count()
        };
        for _ in 0..MOST_SPECK_ROWS {
            let (width, height) = (f64::from(tight.right - tight.left), f64::from(tight.bottom - tight.top));
            let few = |count: usize, side: f64| (count as f64) < SPECKS * side;
            let sides = [
                few(column(&tight, tight.left), height),
                few(row(&tight, tight.top), width),
                few(column(&tight, tight.right - 1), height),
                few(row(&tight, tight.bottom - 1), width),
            ]
            .map(u32::from);
            tight.left += sides[0];
            tight.top += sides[1];
            tight.right = (tight.right - sides[2]).max(tight.left + 1);
            tight.bottom = (tight.bottom - sides[3]).max(tight.top + 1);
        }
        tight
    }

    /// A closed outline as wide as high: with straight sides a checkbox, round a radio button.
    fn as_mark(&self, unit: f64) -> Option<Mark> {
        let bounds = self.bounds();
        let size = f64::midpoint(bounds[2], bounds[3]);
        let square = (bounds[2] - bounds[3]).abs() <= 0.15 * size + 1.0;
        if !square || !(0.4 * unit..1.5 * unit).contains(&size) || size < 9.0 {
            return None;
        }
        let depths = |share: f64| -> Option<Vec<f64>> {
            let offset = size / 2.0 * share;
            [-offset, offset].into_iter().flat_map(|at| self.depths(at)).collect()
        };
        let middles = depths(0.0)?;
        let slopes = depths(0.75)?;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let closed = middles.iter().all(|depth| *depth <= 1.0) && slopes.iter().all(|depth| *depth <= 0.3 * size);
        let role = if mean(&slopes) > 0.09 * size { "radio" } else { "checkbox" };
        closed.then_some(Mark { role, bounds })
    }

    /// How far inside its box the drawing begins, from all four sides, `at` pixels from their middles.
    fn depths(&self, at: f64) -> [Option<f64>; 4] {
        let x = ((f64::from(self.left + self.right - 1)) / 2.0 + at).round() as u32;
        let y = ((f64::from(self.top + self.bottom - 1)) / 2.0 + at).round() as u32;
        let first = |hit: Option<usize>| hit.map(|depth| depth as f64);
        [
            first((self.left..self.right).position(|x| self.pixels.contains(&(x, y)))),
            first((self.left..self.right).rev().position(|x| self.pixels.contains(&(x, y)))),
            first((self.top..self.bottom).position(|y| self.pixels.contains(&(x, y)))),
            first((self.top..self.bottom).rev().position(|y| self.pixels.contains(&(x, y)))),
        ]
    }
}

fn drawings_in(frame: &RgbFrame, [x, y, width, height]: PixelBox) -> Vec<Drawing> {
    let columns = x.max(0.0) as u32..((x + width).max(0.0) as u32).min(frame.width);
    let rows = y.max(0.0) as u32..((y + height).max(0.0) as u32).min(frame.height);
    let Some(behind) = commonest_colour(frame, columns.clone(), rows.clone()) else { return Vec::new() };
    let drawn = |x: u32, y: u32| pixel(frame, (x, y)).iter().zip(behind).any(|(a, b)| a.abs_diff(b) > FOREGROUND);
    let mut waiting: HashSet<(u32, u32)> =
        rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|(x, y)| drawn(*x, *y)).collect();
    let mut drawings = Vec::new();
    // By rows and columns, so that the same picture always gives the same order.
    for start in rows.flat_map(|y| columns.clone().map(move |x| (x, y))) {
        if !waiting.remove(&start) {
            continue;
        }
        let mut drawing =
            Drawing { left: start.0, top: start.1, right: start.0 + 1, bottom: start.1 + 1, pixels: [start].into() };
        let mut open = vec![start];
        while let Some((x, y)) = open.pop() {
            for next in (y.saturating_sub(1)..=y + 1).flat_map(|y| (x.saturating_sub(1)..=x + 1).map(move |x| (x, y))) {
                if waiting.remove(&next) {
                    drawing.left = drawing.left.min(next.0);
                    drawing.top = drawing.top.min(next.1);
                    drawing.right = drawing.right.max(next.0 + 1);
                    drawing.bottom = drawing.bottom.max(next.1 + 1);
                    drawing.pixels.insert(next);
                    open.push(next);
                }
            }
        }
        drawings.push(drawing);
    }
    drawings
}

/// The colour of most pixels of an area, which is what its text and drawings lie on.
pub(super) fn commonest_colour(frame: &RgbFrame, columns: Range<u32>, rows: Range<u32>) -> Option<[u8; 3]> {
    commonest(frame, columns, rows).map(|(_, colour)| colour)
}

/// How much of an area has about the colour that most of it has.
pub(super) fn commonest_share(frame: &RgbFrame, columns: Range<u32>, rows: Range<u32>) -> f64 {
    let all = (columns.len() * rows.len()).max(1) as f64;
    commonest(frame, columns, rows).map_or(0.0, |(count, _)| f64::from(count) / all)
}

fn commonest(frame: &RgbFrame, columns: Range<u32>, rows: Range<u32>) -> Option<(u32, [u8; 3])> {
    let mut counts = BTreeMap::<[u8; 3], (u32, [u8; 3])>::new();
    for y in rows {
        for x in columns.clone() {
            let colour = pixel(frame, (x, y));
            counts.entry(colour.map(|value| value >> 3)).or_insert((0, colour)).0 += 1;
        }
    }
    counts.into_values().max_by_key(|(count, _)| *count)
}

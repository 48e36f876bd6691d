//! Rectangles drawn around a point: borders and filled areas of buttons, fields, cards and menus.
//!
//! From the point, every row above and below is looked at for a level edge that passes it. Two such edges that begin
//! and end alike, with upright edges at both ends, make a rectangle. Corners may be round, up to half circles. A
//! photograph is full of edges; a true border is told from them by being smooth along at least one of its sides.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use media::frame::RgbFrame;
use shared_types::step::PixelBox;

use super::difference;

/// Pale borders and the shade of a chosen row differ from white by 10 to 20 of 255.
const EDGE: u8 = 5;
/// Video compression spreads such an edge over some pixels: this is for pixels four apart.
const SPREAD_EDGE: u8 = 8;
const SMOOTH: u8 = 8;
const SMOOTH_SHARE: f64 = 0.9;
const SHORTEST_EDGE: u32 = 16;
/// A row of letters has gaps; a border has none.
const UNBROKEN: f64 = 0.9;
const LARGEST_GAP: u32 = 2;
const SIDE_SHARE: f64 = 0.6;
const DISTANCE_COST: f64 = 0.015;
/// How far the corners of one rectangle may be round differently.
const CORNERS_DIFFER: u32 = 14;
const ROUNDEST_CORNER: u32 = 26;
/// Beyond this share of the picture's width it is a band of the page.
const WIDEST: f64 = 0.95;
/// Where the pointer's drawing covers the screen, seen from its tip.
const POINTER_LEFT: u32 = 10;
const POINTER_RIGHT: u32 = 20;
const POINTER_ABOVE: u32 = 8;
const POINTER_BELOW: u32 = 26;

/// A level edge between the rows `y - 1` and `y`, from `left` to before `right`.
#[derive(Clone, Copy)]
struct Edge {
    y: u32,
    left: u32,
    right: u32,
}

/// The rectangles that hold the point, smallest first.
pub(super) fn rectangles_around(frame: &RgbFrame, x: f64, y: f64) -> Vec<PixelBox> {
    if x < 0.0 || y < 0.0 || x >= f64::from(frame.width) || y >= f64::from(frame.height) {
        return Vec::new();
    }
    let finder = Finder { frame, x: x as u32, y: y as u32, upright: RefCell::default(), near: RefCell::default() };
    let edges: Vec<Edge> = (1..frame.height).filter_map(|row| finder.level_edge(row)).collect();
    let split = edges.partition_point(|edge| edge.y <= finder.y);
    let (tops, bottoms) = edges.split_at(split);
    let mut found: Vec<PixelBox> = Vec::new();
    for top in tops.iter().rev() {
        for bottom in bottoms {
            let alike = top.left.abs_diff(bottom.left) <= CORNERS_DIFFER
                && top.right.abs_diff(bottom.right) <= CORNERS_DIFFER
                && bottom.y - top.y >= 10;
            if !alike {
                continue;
            }
            if let Some(bounds) = finder.close(*top, *bottom) {
                found.push(bounds);
            }
        }
    }
    found.sort_by(|a, b| (a[2] * a[3]).total_cmp(&(b[2] * b[3])));
    found.dedup_by(|next, kept| next.iter().zip(kept.iter()).all(|(a, b)| (a - b).abs() <= 4.0));
    found
}

struct Finder<'a> {
    frame: &'a RgbFrame,
    x: u32,
    y: u32,
    /// Of a column each row in which an upright edge lies left of it; many pairs of level edges ask for the same ones.
    upright: RefCell<HashMap<u32, Rc<[bool]>>>,
    /// Of a column, and of so many beside it, above how many rows there is such an edge, for each row and the end.
    near: RefCell<HashMap<(u32, u32), Rc<[u32]>>>,
}

impl Finder<'_> {
    /// The level edge above row `y` that passes the point's column.
    fn level_edge(&self, y: u32) -> Option<Edge> {
        let is_edge = |x: u32| self.is_level_edge(x, y);
        let mut left = self.x;
        let mut gap = 0;
        for x in (0..=self.x).rev() {
            if is_edge(x) {
                left = x;
                gap = 0;
            } else if !self.is_covered(x, y) {
                gap += 1;
            }
            if gap > LARGEST_GAP {
                break;
            }
        }
        let mut right = self.x;
        gap = 0;
        for x in self.x..self.frame.width {
            if is_edge(x) {
                right = x + 1;
                gap = 0;
            } else if !self.is_covered(x, y) {
                gap += 1;
            }
            if gap > LARGEST_GAP {
                break;
            }
        }
        let seen = (left..right).filter(|x| !self.is_covered(*x, y)).count() as u32;
        let drawn = (left..right).filter(|x| !self.is_covered(*x, y) && is_edge(*x)).count();
        let unbroken = drawn as f64 >= f64::from(seen) * UNBROKEN;
        let narrow_enough = f64::from(right - left) < f64::from(self.frame.width) * WIDEST;
        let edge = Edge { y, left, right };
        let smooth = || [y - 1, y].into_iter().any(|row| self.is_smooth(row, edge));
        (seen >= SHORTEST_EDGE && unbroken && narrow_enough && smooth()).then_some(edge)
    }

    fn is_smooth(&self, row: u32, edge: Edge) -> bool {
        let mut smooth = 0;
        let mut all = 0;
        for x in edge.left..edge.right.saturating_sub(1) {
            if !self.is_covered(x, row) {
                all += 1;
                smooth += u32::from(difference(self.frame, (x, row), (x + 1, row)) <= SMOOTH);
            }
        }
        f64::from(smooth) >= f64::from(all) * SMOOTH_SHARE
    }

    /// Looks for the two upright sides between a top and a bottom.
    fn close(&self, top: Edge, bottom: Edge) -> Option<PixelBox> {
        let height = bottom.y - top.y;
        let round = (height / 2).min(ROUNDEST_CORNER);
        let inset = (height / 3).min(ROUNDEST_CORNER);
        let rows = top.y + inset..bottom.y - inset;
        let jitter = if height <= 2 * ROUNDEST_CORNER { 2 } else { 1 };
        let first_left = top.left.min(bottom.left);
        let last_right = top.right.max(bottom.right);
        let left =
            self.upright_edge(first_left.saturating_sub(round + 1)..first_left + 5, first_left, rows.clone(), jitter)?;
        let right =
            self.upright_edge(last_right.saturating_sub(4)..last_right + round + 2, last_right, rows, jitter)?;
        let holds = (left..right).contains(&self.x) && right - left >= 14;
        holds.then(|| [f64::from(left), f64::from(top.y), f64::from(right - left), f64::from(height)])
    }

    /// The column in which an upright edge covers most of the rows, best one close to `expected`.
    fn upright_edge(&self, columns: Range<u32>, expected: u32, rows: Range<u32>, jitter: u32) -> Option<u32> {
        let count = rows.len() as f64;
        let last = self.frame.width - 1;
        let share = |column: u32| {
            let above = self.edges_near(column, jitter);
            f64::from(above[rows.end as usize] - above[rows.start as usize]) / count
        };
        let worth = |share: f64, column: u32| share - f64::from(column.abs_diff(expected)) * DISTANCE_COST;
        columns
            .filter(|column| (1..=last).contains(column))
            .map(|column| (share(column), column))
            .filter(|(share, _)| *share >= SIDE_SHARE)
            .max_by(|a, b| worth(a.0, a.1).total_cmp(&worth(b.0, b.1)))
            .map(|(_, column)| column)
    }

    fn edges_near(&self, column: u32, jitter: u32) -> Rc<[u32]> {
        if let Some(known) = self.near.borrow().get(&(column, jitter)) {
            return known.clone();
        }
        let columns = column.saturating_sub(jitter).max(1)..(column + jitter + 1).min(self.frame.width);
        let beside: Vec<Rc<[bool]>> = columns.map(|x| self.upright_edges(x)).collect();
        let mut above = vec![0];
        let mut count = 0;
        for row in 0..self.frame.height as usize {
            count += u32::from(beside.iter().any(|column| column[row]));
            above.push(count);
        }
        let above: Rc<[u32]> = above.into();
        self.near.borrow_mut().insert((column, jitter), above.clone());
        above
    }

    fn upright_edges(&self, x: u32) -> Rc<[bool]> {
        let find = || (0..self.frame.height).map(|row| self.is_upright_edge(x, row)).collect();
        self.upright.borrow_mut().entry(x).or_insert_with(find).clone()
    }

    fn is_level_edge(&self, x: u32, y: u32) -> bool {
        let spread = || {
            let (above, below) = (y.saturating_sub(3), (y + 1).min(self.frame.height - 1));
            difference(self.frame, (x, above), (x, below)) > SPREAD_EDGE
        };
        difference(self.frame, (x, y - 1), (x, y)) > EDGE || spread()
    }

    fn is_upright_edge(&self, x: u32, y: u32) -> bool {
        let spread = || {
            let (before, after) = (x.saturating_sub(3), (x + 1).min(self.frame.width - 1));
            difference(self.frame, (before, y), (after, y)) > SPREAD_EDGE
        };
        difference(self.frame, (x - 1, y), (x, y)) > EDGE || spread()
    }

    fn is_covered(&self, x: u32, y: u32) -> bool {
        (self.x.saturating_sub(POINTER_LEFT)..self.x + POINTER_RIGHT).contains(&x)
            && (self.y.saturating_sub(POINTER_ABOVE)..self.y + POINTER_BELOW).contains(&y)
    }
}

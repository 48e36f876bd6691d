//! The places where two pictures differ, as boxes.

use super::Luma;

/// Change of a pixel that compression of a still picture does not cause.
pub(super) const CHANGED: u8 = 24;
/// Changed pixels are gathered in cells of this size; cells that touch are one place.
const CELL: u32 = 8;
/// Fewer changed pixels are noise.
const LEAST_PIXELS: u32 = 4;

/// A place that changed: left and top inside, right and bottom the first pixel outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Blob {
    pub left: u32,
    pub top: u32,
    pub right: u32,
    pub bottom: u32,
    /// How many of its pixels changed.
    pub pixels: u32,
}

impl Blob {
    pub fn width(self) -> u32 {
        self.right - self.left
    }

    pub fn height(self) -> u32 {
        self.bottom - self.top
    }

    pub fn area(self) -> u64 {
        u64::from(self.width()) * u64::from(self.height())
    }

    #[must_use]
    pub fn grown(self, by: u32) -> Self {
        Self {
            left: self.left.saturating_sub(by),
            top: self.top.saturating_sub(by),
            right: self.right + by,
            bottom: self.bottom + by,
            ..self
        }
    }

    pub fn holds(self, other: Self) -> bool {
        self.left <= other.left && self.top <= other.top && self.right >= other.right && self.bottom >= other.bottom
    }

    pub fn touches(self, other: Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    pub(super) fn joined(self, other: Self) -> Self {
        if self.pixels == 0 {
            return other;
        }
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
            pixels: self.pixels + other.pixels,
        }
    }
}

pub(super) fn between(before: Luma<'_>, now: Luma<'_>) -> Vec<Blob> {
    let (columns, rows) = (now.width.div_ceil(CELL), now.height.div_ceil(CELL));
    let mut cells = vec![Blob::default(); (columns * rows) as usize];
    for y in 0..now.height {
        let (old, new) = (before.row(y), now.row(y));
        if old == new {
            continue;
        }
        let row = &mut cells[(y / CELL * columns) as usize..][..columns as usize];
        for (column, (old, new)) in old.chunks(CELL as usize).zip(new.chunks(CELL as usize)).enumerate() {
            if old == new {
                continue;
            }
            for (index, _) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old.abs_diff(**new) > CHANGED) {
                let x = column as u32 * CELL + index as u32;
                let pixel = Blob { left: x, top: y, right: x + 1, bottom: y + 1, pixels: 1 };
                row[column] = row[column].joined(pixel);
            }
        }
    }
    joined(&cells, columns, rows)
}

/// The same in one part of the pictures.
pub(super) fn between_in(before: Luma<'_>, now: Luma<'_>, part: Blob) -> Vec<Blob> {
    let (left, top) = (part.left / CELL, part.top / CELL);
    let (right, bottom) = (part.right.min(now.width), part.bottom.min(now.height));
    let (columns, rows) = (right.div_ceil(CELL).saturating_sub(left), bottom.div_ceil(CELL).saturating_sub(top));
    let mut cells = vec![Blob::default(); (columns * rows) as usize];
    for y in part.top..bottom {
        for x in part.left..right {
            if before.at(x, y).abs_diff(now.at(x, y)) > CHANGED {
                let cell = &mut cells[((y / CELL - top) * columns + x / CELL - left) as usize];
                *cell = cell.joined(Blob { left: x, top: y, right: x + 1, bottom: y + 1, pixels: 1 });
            }
        }
    }
    joined(&cells, columns, rows)
}

/// Cells that touch, put together.
fn joined(cells: &[Blob], columns: u32, rows: u32) -> Vec<Blob> {
    let mut seen = vec![false; cells.len()];
    let mut blobs = Vec::new();
    let mut open = Vec::new();
    for start in 0..cells.len() {
        if seen[start] || cells[start].pixels == 0 {
            continue;
        }
        seen[start] = true;
        open.push(start);
        let mut blob = Blob::default();
        while let Some(index) = open.pop() {
            blob = blob.joined(cells[index]);
            let (column, row) = (index as u32 % columns, index as u32 / columns);
            for next_row in row.saturating_sub(1)..(row + 2).min(rows) {
                for next_column in column.saturating_sub(1)..(column + 2).min(columns) {
                    let next = (next_row * columns + next_column) as usize;
                    if !seen[next] && cells[next].pixels > 0 {
                        seen[next] = true;
                        open.push(next);
                    }
                }
            }
        }
        if blob.pixels >= LEAST_PIXELS {
            blobs.push(blob);
        }
    }
    blobs
}

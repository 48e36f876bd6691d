//! Rectangles of the desktop, and painting over them.

/// From the left top pixel to the one behind the right bottom one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

/// What is painted where something was: no colour of a page, and not black, which would look like a dead screen.
const PAINT: [u8; 4] = [0x60, 0x58, 0x58, 0xff];

impl Area {
    fn is_empty(self) -> bool {
        self.right <= self.left || self.bottom <= self.top
    }

    pub(super) fn within(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    fn moved(self, x: i32, y: i32) -> Self {
        Self { left: self.left + x, top: self.top + y, right: self.right + x, bottom: self.bottom + y }
    }
}

/// The parts without what a cover hides of them: at most four for each.
pub(super) fn without(parts: &[Area], cover: Area) -> Vec<Area> {
    let around = |part: Area| {
        let middle = part.within(cover);
        if middle.is_empty() {
            return vec![part];
        }
        let beside = Area { top: middle.top, bottom: middle.bottom, ..part };
        let pieces = [
            Area { bottom: middle.top, ..part },
            Area { top: middle.bottom, ..part },
            Area { right: middle.left, ..beside },
            Area { left: middle.right, ..beside },
        ];
        pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
    };
    parts.iter().flat_map(|&part| around(part)).collect()
}

/// Paints over parts of the desktop in tightly packed pixels that show `seen` of it.
pub(super) fn paint_over(parts: &[Area], pixels: &mut [u8], seen: Area) {
    let width = (seen.right - seen.left).max(0) as usize;
    for part in parts {
        let part = part.within(seen);
        if part.is_empty() {
            continue;
        }
        let part = part.moved(-seen.left, -seen.top);
        for y in part.top..part.bottom {
            let row = y as usize * width;
            let (from, to) = ((row + part.left as usize) * 4, (row + part.right as usize) * 4);
            if let Some(pixels) = pixels.get_mut(from..to) {
                pixels.chunks_exact_mut(4).for_each(|pixel| pixel.copy_from_slice(&PAINT));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(left: i32, top: i32, right: i32, bottom: i32) -> Area {
        Area { left, top, right, bottom }
    }

    #[test]
    fn what_is_left_of_an_area_is_exact_and_does_not_overlap() {
        let whole = area(0, 0, 9, 7);
        for cover in [area(2, 2, 4, 4), area(-3, -3, 4, 4), area(0, 0, 9, 7), area(9, 0, 12, 7), area(3, -1, 5, 99)] {
            let parts = without(&[whole], cover);
            for y in 0..7 {
                for x in 0..9 {
                    let is_in =
                        |part: &Area| (part.left..part.right).contains(&x) && (part.top..part.bottom).contains(&y);
                    let expected = usize::from(!is_in(&cover));
                    assert_eq!(parts.iter().filter(|part| is_in(part)).count(), expected, "{x}, {y} without {cover:?}");
                }
            }
        }
    }

    #[test]
    fn only_what_is_seen_is_painted() {
        let seen = area(10, 20, 14, 23);
        let mut pixels = vec![0; 4 * 3 * 4];
        paint_over(&[area(12, 21, 99, 22), area(-5, -5, 11, 21), area(50, 50, 60, 60)], &mut pixels, seen);
        let painted: Vec<bool> = pixels.chunks_exact(4).map(|pixel| pixel == PAINT).collect();
        let rows = [[true, false, false, false], [false, false, true, true], [false; 4]];
        assert_eq!(painted, rows.concat());
    }
}

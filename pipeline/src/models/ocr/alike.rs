//! Lines that were read before, found again though not pixel for pixel: after a scroll, on a page that comes back, in
//! another compression of the same screen.
//!
//! Two crops show the same line when, laid over each other with a shift of a pixel or two, hardly a pixel differs
//! clearly in any stretch of them. The measure is the one by which `memory` tells a changed picture from noise: it still
//! sees one digit become another.

use std::collections::VecDeque;

use media::frame::RgbFrame;

use super::recognise::Strip;
use super::region::Region;

/// Lines remembered; one takes 1 to 15 kB.
const LINES: usize = 1024;
/// The detector's boxes of one line differ by so much.
const BOX_JITTER: u32 = 3;
const SHIFTS: [i32; 7] = [0, -1, 1, -2, 2, -3, 3];
const STRETCH: usize = 32;
const CLEARLY: u8 = 28;
const A_FEW: usize = 4;

#[derive(Default)]
pub(super) struct Alike {
    known: VecDeque<Known>,
}

struct Known {
    crop: Crop,
    reading: Reading,
}

/// `None`: there was nothing to be read.
pub(super) type Reading = Option<Strip>;

/// The brightness of a line's pixels.
pub(super) struct Crop {
    width: u32,
    height: u32,
    luma: Vec<u8>,
}

impl Crop {
    pub(super) fn of(frame: &RgbFrame, bounds: Region) -> Self {
        let mut luma = Vec::with_capacity(bounds.area() as usize);
        for y in bounds.top..bounds.bottom {
            let start = ((y * frame.width + bounds.left) * 3) as usize;
            let row = &frame.data[start..start + bounds.width() as usize * 3];
            luma.extend(row.chunks_exact(3).map(|pixel| {
                let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
                ((red * 77 + green * 150 + blue * 29) >> 8) as u8
            }));
        }
        Self { width: bounds.width(), height: bounds.height(), luma }
    }

    fn is_alike(&self, other: &Self) -> bool {
        let near = |a: u32, b: u32| a.abs_diff(b) <= BOX_JITTER;
        near(self.width, other.width)
            && near(self.height, other.height)
            && SHIFTS.iter().any(|down| SHIFTS.iter().any(|right| self.agrees(other, *right, *down)))
    }

    /// Whether this crop agrees with another that is laid over it, moved right and down.
    fn agrees(&self, other: &Self, right: i32, down: i32) -> bool {
        // Where both lie over each other, in pixels of this one.
        let overlap = |mine: u32, others: u32, shift: i32| {
            (shift.max(0) as usize, (mine as i32).min(others as i32 + shift).max(0) as usize)
        };
        let (left, end) = overlap(self.width, other.width, right);
        let (top, bottom) = overlap(self.height, other.height, down);
        if end <= left || bottom <= top {
            return false;
        }
        let mut differing = vec![0_usize; (end - left).div_ceil(STRETCH)];
        for y in top..bottom {
            let mine = &self.luma[y * self.width as usize..][left..end];
            let start = (y as i32 - down) as usize * other.width as usize + (left as i32 - right) as usize;
            let others = &other.luma[start..start + (end - left)];
            for (stretch, (mine, others)) in mine.chunks(STRETCH).zip(others.chunks(STRETCH)).enumerate() {
                differing[stretch] += mine.iter().zip(others).filter(|(a, b)| a.abs_diff(**b) > CLEARLY).count();
                if differing[stretch] >= A_FEW {
                    return false;
                }
            }
        }
        true
    }
}

impl Alike {
    /// What an alike line was read as.
    pub(super) fn find(&mut self, crop: &Crop) -> Option<&Reading> {
        let index = self.known.iter().position(|known| known.crop.is_alike(crop))?;
        let known = self.known.remove(index)?;
        self.known.push_front(known);
        self.known.front().map(|known| &known.reading)
    }

    pub(super) fn keep(&mut self, crop: Crop, reading: Reading) {
        self.known.truncate(LINES - 1);
        self.known.push_front(Known { crop, reading });
    }
}

#[cfg(test)]
mod tests {
    use media::time::MediaTime;

    use super::*;

    const BOUNDS: Region = Region { left: 20, top: 20, right: 120, bottom: 40 };

    /// A dark stroke every ten pixels on a noisy light ground, moved right and down.
    fn line(noise: u8, (right, down): (u32, u32), missing: Option<u32>) -> Crop {
        let mut frame = RgbFrame { width: 160, height: 60, data: Vec::new(), t: MediaTime::ZERO };
        for y in 0..60 {
            for x in 0..160 {
                let (at_x, at_y) = (x - u32::min(x, right), y - u32::min(y, down));
                let stroke = (24..36).contains(&at_y) && at_x % 10 < 2 && (30..110).contains(&at_x);
                let gone = missing.is_some_and(|missing| at_x / 10 == missing);
                let luma = if stroke && !gone { 20 } else { 240 };
                frame.data.extend([luma + (x * 7 + y * 3) as u8 % (noise + 1); 3]);
            }
        }
        Crop::of(&frame, BOUNDS)
    }

    fn check(second: &Crop, expected: bool) {
        let mut alike = Alike::default();
        let strip = Strip { text: "known".to_owned(), confidence: 0.9, places: vec![0.5; 5] };
        alike.keep(line(0, (0, 0), None), Some(strip));
        assert_eq!(alike.find(second).is_some(), expected);
    }

    #[test]
    fn the_same_line_is_known_through_noise_and_small_shifts() {
        check(&line(0, (0, 0), None), true);
        check(&line(14, (0, 0), None), true);
        check(&line(6, (2, 1), None), true);
    }

    #[test]
    fn another_line_is_not() {
        check(&line(0, (0, 0), Some(6)), false);
        check(&line(0, (5, 0), None), false);
        let frame = RgbFrame { width: 160, height: 60, data: vec![240; 160 * 60 * 3], t: MediaTime::ZERO };
        check(&Crop::of(&frame, BOUNDS), false);
        check(&Crop::of(&frame, Region { right: 100, ..BOUNDS }), false);
    }

    #[test]
    fn the_oldest_lines_are_forgotten() {
        let mut alike = Alike::default();
        for _ in 0..LINES + 5 {
            alike.keep(Crop { width: 1, height: 1, luma: vec![0] }, None);
        }
        assert_eq!(alike.known.len(), LINES);
    }
}

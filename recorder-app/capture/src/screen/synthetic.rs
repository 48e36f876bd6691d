//! A test card that moves and carries its own number.
//!
//! Each grab is one picture further. The number of the picture stands in the top left corner as a row of black and
//! white cells that survive encoding: 24 bits, most significant first, then 8 bits that are a check sum, so that a
//! damaged row is not taken for a number. During a still stretch nothing changes, the number included.

use std::ops::Range;

use media::frame::BgraFrame;

use super::{Grab, ScreenError, ScreenSource};
use crate::clock;

/// Side of one cell of the number, in pixels. The row of 32 needs a card of at least 256 x 8.
const CELL: u32 = 8;
const CELLS: u32 = 32;

pub struct TestCard {
    width: u32,
    height: u32,
    grabs: u32,
    still: Vec<Range<u32>>,
    shown: Option<u32>,
}

impl TestCard {
    /// A card of at least 256 x 8 pixels.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width: width.max(CELLS * CELL), height: height.max(CELL), grabs: 0, still: Vec::new(), shown: None }
    }

    /// From grab `stretch.start` to `stretch.end` the picture stays what it was at the start.
    #[must_use]
    pub fn still(mut self, stretch: Range<u32>) -> Self {
        self.still.push(stretch);
        self
    }

    /// The number that the card shows at a grab.
    pub fn number_at(&self, grab: u32) -> u32 {
        self.still.iter().find(|stretch| stretch.contains(&grab)).map_or(grab, |stretch| stretch.start)
    }
}

impl ScreenSource for TestCard {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let number = self.number_at(self.grabs);
        self.grabs += 1;
        into.at = clock::now();
        if self.shown == Some(number) {
            return Ok(Grab::Same);
        }
        draw(number, self.width, self.height, into);
        self.shown = Some(number);
        Ok(Grab::Changed)
    }
}

/// Draws picture `number` of the card; its time is left as it is.
pub fn draw(number: u32, width: u32, height: u32, into: &mut BgraFrame) {
    (into.width, into.height, into.stride) = (width, height, width as usize * 4);
    into.data.resize(into.stride * height as usize, 0);
    let box_side = (height / 4).max(1);
    let (span_x, span_y) = ((width - box_side.min(width - 1)).max(1), (height - box_side.min(height - 1)).max(1));
    let (box_x, box_y) = (number.wrapping_mul(7) % span_x, number.wrapping_mul(3) % span_y);
    for (y, row) in (0..).zip(into.data.chunks_exact_mut(into.stride)) {
        for (x, pixel) in (0..).zip(row.chunks_exact_mut(4)) {
            let inside = (box_x..box_x + box_side).contains(&x) && (box_y..box_y + box_side).contains(&y);
            let colour =
                if inside { [40, 200, 240, 255] } else { [(x * 160 / width) as u8, 90, (y * 160 / height) as u8, 255] };
            pixel.copy_from_slice(&colour);
        }
    }
    let bits = coded(number);
    for cell in 0..CELLS {
        let value = if bits >> (CELLS - 1 - cell) & 1 == 1 { 255 } else { 0 };
        for y in 0..CELL as usize {
            let start = y * into.stride + (cell * CELL) as usize * 4;
            into.data[start..start + CELL as usize * 4].fill(value);
        }
    }
}

/// Reads the number back from the brightness (0 to 255) of single pixels of the card, also after it was encoded and
/// decoded at the same size. None where no whole number is seen.
pub fn read_number(brightness: impl Fn(u32, u32) -> u8) -> Option<u32> {
    let mut bits = 0_u32;
    for cell in 0..CELLS {
        let centre = cell * CELL + CELL / 2;
        let level: u32 = [(0, 0), (1, 0), (0, 1), (1, 1)]
            .iter()
            .map(|(dx, dy)| u32::from(brightness(centre - dx, CELL / 2 - dy)))
            .sum();
        bits = bits << 1 | u32::from(level > 4 * 128);
    }
    let number = bits >> 8;
    (coded(number) == bits).then_some(number)
}

/// The number's low 24 bits, and a check sum that is never all black.
fn coded(number: u32) -> u32 {
    let number = number & 0xff_ffff;
    let sum = number.to_be_bytes().iter().fold(0x5a_u8, |sum, byte| sum.rotate_left(3) ^ byte);
    number << 8 | u32::from(sum)
}

#[cfg(test)]
mod tests {
    use super::Grab::{Changed, Same};
    use super::*;
    use crate::screen::blank_frame;

    fn number(frame: &BgraFrame) -> Option<u32> {
        read_number(|x, y| frame.row(y)[x as usize * 4])
    }

    #[test]
    fn every_picture_carries_its_number_and_still_stretches_are_told() {
        let mut card = TestCard::new(320, 96).still(3..6);
        let mut frame = blank_frame();
        let mut seen = Vec::new();
        let mut memory = None;
        for _ in 0..8 {
            let grab = card.latest(&mut frame).unwrap();
            seen.push((grab, number(&frame).unwrap()));
            assert_eq!(*memory.get_or_insert(frame.data.as_ptr()), frame.data.as_ptr(), "the buffer is used again");
        }
        assert_eq!(
            seen,
            [(Changed, 0), (Changed, 1), (Changed, 2), (Changed, 3), (Same, 3), (Same, 3), (Changed, 6), (Changed, 7)]
        );
    }

    #[test]
    fn a_damaged_number_and_a_picture_without_one_are_not_read() {
        let mut frame = blank_frame();
        for shown in [0, 1, 4711, 0xff_ffff] {
            draw(shown, 640, 360, &mut frame);
            assert_eq!(number(&frame), Some(shown));
            assert_eq!(read_number(|x, y| frame.row(y)[x as usize * 4] ^ if x / CELL == 9 { 255 } else { 0 }), None);
        }
        assert_eq!(read_number(|_, _| 0), None);
        assert_eq!(read_number(|_, _| 255), None);
    }
}

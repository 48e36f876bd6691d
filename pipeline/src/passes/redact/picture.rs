//! Filled boxes in pictures.

use media::frame::RgbFrame;
use shared_types::step::PixelBox;

/// Dark grey, as in the copies of the video: a screen covered whole must not count as a black one.
const FILL: [u8; 3] = [46, 46, 46];

/// Fills boxes, edges rounded outwards.
pub fn fill(frame: &mut RgbFrame, boxes: &[PixelBox]) {
    for [x, y, width, height] in boxes {
        let from = |at: f64| at.max(0.0).floor() as usize;
        let to = |at: f64, limit: u32| (at.ceil().max(0.0) as usize).min(limit as usize);
        let (left, right) = (from(*x), to(x + width, frame.width));
        for row in from(*y)..to(y + height, frame.height) {
            for column in left..right {
                let at = (row * frame.width as usize + column) * 3;
                frame.data[at..at + 3].copy_from_slice(&FILL);
            }
        }
    }
}

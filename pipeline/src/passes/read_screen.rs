//! What a Step needs from a picture: what a click was aimed at, the address, what was typed.
//!
//! Everything here is a pure function of pixels and of the lines of text that `models::ocr` read in them. There is no
//! knowledge of any one page in it, only of how pages are laid out: a control is text in a rectangle of its own; a
//! small box left of a text belongs to it; a photograph with a title and a price below is one thing; a browser has a
//! row with an address and its buttons left of that. Where nothing of the kind is seen the answer is `None`, as a
//! guess would be taken for a fact later.

mod browser;
mod captions;
mod marks;
mod rectangles;
mod target;
mod typed;

pub use browser::{Address, address_bar, open_tab};
pub use target::{Earlier, is_browsers, target_at, uncovered};
pub use typed::{Picture, Typed, typed_text};

use media::frame::RgbFrame;
use shared_types::step::PixelBox;

/// The largest difference of two pixels in one channel.
fn difference(frame: &RgbFrame, a: (u32, u32), b: (u32, u32)) -> u8 {
    let (a, b) = (pixel(frame, a), pixel(frame, b));
    a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
}

fn pixel(frame: &RgbFrame, (x, y): (u32, u32)) -> [u8; 3] {
    let at = ((y * frame.width + x) * 3) as usize;
    [frame.data[at], frame.data[at + 1], frame.data[at + 2]]
}

fn contains([left, top, width, height]: PixelBox, x: f64, y: f64) -> bool {
    (left..left + width).contains(&x) && (top..top + height).contains(&y)
}

fn grown([left, top, width, height]: PixelBox, by: f64) -> PixelBox {
    [left - by, top - by, width + 2.0 * by, height + 2.0 * by]
}

/// The smallest box around all of them.
fn around(boxes: impl IntoIterator<Item = PixelBox>) -> Option<PixelBox> {
    boxes.into_iter().reduce(|a, b| {
        let (left, top) = (a[0].min(b[0]), a[1].min(b[1]));
        let (right, bottom) = ((a[0] + a[2]).max(b[0] + b[2]), (a[1] + a[3]).max(b[1] + b[3]));
        [left, top, right - left, bottom - top]
    })
}

/// A line as if read, its characters evenly spread.
#[cfg(test)]
fn made_line(text: &str, bounds: PixelBox) -> crate::models::ocr::TextLine {
    let count = text.chars().count();
    let step = bounds[2] / count as f64;
    let char_x = (0..count).map(|index| bounds[0] + (index as f64 + 0.5) * step).collect();
    crate::models::ocr::TextLine { text: text.to_owned(), bounds, confidence: 0.99, char_x }
}

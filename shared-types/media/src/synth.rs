//! Made picture and sound: a moving test card whose frames can be told apart, and a beeping tone.
//!
//! Both are functions of time alone, so that a test knows what should be where: the card flashes and the tone beeps in
//! the same moments. A voice that speaks and pauses. And pages with words, boxes and a pointer on them, for what looks at screens.

use crate::frame::{BgraFrame, LumaFrame};
use crate::time::Monotonic;

/// A flash and a beep begin each full two seconds, counted from one second, and last a tenth.
pub const FLASH_EVERY_SECS: f64 = 2.0;
pub const FLASH_FIRST_SECS: f64 = 1.0;
pub const FLASH_SECS: f64 = 0.1;
pub const BEEP_HZ: f64 = 1000.0;

/// Whether card and tone flash and beep at this time.
pub fn flashes(t: f64) -> bool {
    t >= FLASH_FIRST_SECS && (t - FLASH_FIRST_SECS).rem_euclid(FLASH_EVERY_SECS) < FLASH_SECS
}

/// Draws the test card as it looks at `t` seconds: a grey ramp, a bar that moves, and a white field while it flashes.
pub fn draw_card(frame: &mut BgraFrame, width: u32, height: u32, t: f64, at: Monotonic) {
    frame.width = width;
    frame.height = height;
    frame.stride = width as usize * 4;
    frame.at = at;
    frame.data.resize(frame.stride * height as usize, 0);
    let bar = ((t * 120.0) as u32) % width.max(1);
    let white = flashes(t);
    for (y, row) in frame.data.chunks_exact_mut(width as usize * 4).enumerate() {
        let in_field = (y as u32) < height / 4;
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            let x = x as u32;
            let level = if in_field {
                if white { 255 } else { 40 }
            } else if x.abs_diff(bar) < 12 {
                220
            } else {
                (60 + 80 * x / width.max(1)) as u8
            };
            pixel.copy_from_slice(&[level, level, level, 255]);
        }
    }
}

/// One sample of the beeping tone at `t` seconds; quiet between beeps.
pub fn beep(t: f64) -> f32 {
    if flashes(t) { (0.5 * (std::f64::consts::TAU * BEEP_HZ * t).sin()) as f32 } else { 0.0 }
}

/// One sample of a made voice at `t` seconds: a buzz with the resonances of a vowel, four syllables a second, and pauses of all
/// lengths. It says nothing, and the detector hears somebody speak.
pub fn syllables(t: f64) -> f32 {
    use std::f64::consts::TAU;
    const RESONANCES: [(f64, f64); 3] = [(650.0, 1.0), (1100.0, 0.7), (2500.0, 0.25)];
    let is_pause = [1.4..1.6, 3.0..3.4, 5.2..7.5, 8.0..12.0].iter().any(|pause| pause.contains(&(t % 13.0)));
    if is_pause {
        return 0.0;
    }
    let loud = 0.5 - 0.5 * (TAU * 4.0 * t).cos();
    let buzz: f64 = (1..=24)
        .map(|tone| {
            let hz = 120.0 * f64::from(tone);
            let loud: f64 = RESONANCES.iter().map(|(at, loud)| loud / (1.0 + ((hz - at) / 90.0).powi(2))).sum();
            loud * (TAU * hz * t).sin()
        })
        .sum();
    (0.1 * loud * buzz) as f32
}

/// Draws a made page: a white sheet with rows of dark words, other ones on each `page`, scrolled down by `scroll` pixels.
pub fn draw_page(picture: &mut LumaFrame, width: u32, height: u32, page: u32, scroll: u32) {
    (picture.width, picture.height) = (width, height);
    picture.data.clear();
    for y in (0..height).map(|y| y + scroll) {
        let (row, line) = (y / ROW_PX, y % ROW_PX);
        for x in 0..width {
            let word = x / WORD_PX;
            let chance = mix(page, row, word);
            // Words of other lengths, letters of other widths, a gap after each.
            let in_word = x % WORD_PX < WORD_PX / 2 + chance % (WORD_PX / 2 - 6) && !chance.is_multiple_of(5);
            let letter = mix(chance, x / 3, line / 4);
            let dark = in_word && (6..18).contains(&line) && !letter.is_multiple_of(3);
            picture.data.push(if dark { 40 } else { 250 });
        }
    }
}

const ROW_PX: u32 = 28;
const WORD_PX: u32 = 48;

fn mix(a: u32, b: u32, c: u32) -> u32 {
    let mixed = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca6b) ^ c.wrapping_mul(0xc2b2_ae35);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x27d4_eb2f) >> 9
}

/// Fills a rectangle with one brightness.
pub fn draw_box(picture: &mut LumaFrame, [left, top, width, height]: [u32; 4], luma: u8) {
    for y in top..(top + height).min(picture.height) {
        for x in left..(left + width).min(picture.width) {
            picture.data[(y * picture.width + x) as usize] = luma;
        }
    }
}

/// Draws an arrow, black with a white outline, with its tip at a point.
pub fn draw_pointer(picture: &mut LumaFrame, x: u32, y: u32) {
    for row in 0..POINTER_ROWS {
        // A half arrowhead and its shaft.
        let (from, to) = if row < 13 { (0, row + 1) } else { (row / 2 - 3, row / 2) };
        for column in from..=to {
            let edge = column == from || column == to || row + 1 == POINTER_ROWS || row == 12 && column > 5;
            draw_box(picture, [x + column, y + row, 1, 1], if edge { 255 } else { 0 });
        }
    }
}

const POINTER_ROWS: u32 = 18;

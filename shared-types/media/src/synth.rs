//! Made picture and sound: a moving test card whose frames can be told apart, and a beeping tone.
//!
//! Both are functions of time alone, so that a test knows what should be where: the card flashes and the tone beeps in
//! the same moments.

use crate::frame::BgraFrame;
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

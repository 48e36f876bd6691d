//! Paints the mouse pointer into a picture.
//!
//! The X server leaves the pointer out of every picture it gives; `XFixes` gives its image apart, as premultiplied ARGB
//! with the hot spot's place in it.

use x11rb::protocol::xfixes::GetCursorImageReply;

/// Blends the pointer into tightly packed `BGRx` pixels of `width` x `height` whose corner is at (`left`, `top`) of the
/// desktop. What lies outside is cut off.
pub(super) fn paint(cursor: &GetCursorImageReply, pixels: &mut [u8], left: i32, top: i32, width: u32, height: u32) {
    let corner_x = i32::from(cursor.x) - i32::from(cursor.xhot) - left;
    let corner_y = i32::from(cursor.y) - i32::from(cursor.yhot) - top;
    let cursor_width = usize::from(cursor.width);
    if cursor_width == 0 {
        return;
    }
    for (row, colours) in cursor.cursor_image.chunks_exact(cursor_width).enumerate() {
        let y = corner_y + row as i32;
        if y < 0 || y >= height as i32 {
            continue;
        }
        for (column, &colour) in colours.iter().enumerate() {
            let x = corner_x + column as i32;
            let alpha = colour >> 24;
            if x < 0 || x >= width as i32 || alpha == 0 {
                continue;
            }
            let at = (y as usize * width as usize + x as usize) * 4;
            for (channel, below) in pixels[at..at + 3].iter_mut().enumerate() {
                let above = (colour >> (8 * channel)) & 0xff;
                *below = (above + (u32::from(*below) * (255 - alpha) + 127) / 255).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(x: i16, y: i16) -> GetCursorImageReply {
        GetCursorImageReply {
            sequence: 0,
            length: 0,
            x,
            y,
            width: 2,
            height: 1,
            xhot: 1,
            yhot: 0,
            cursor_serial: 1,
            cursor_image: vec![0xff_ff_00_00, 0x80_80_80_80],
        }
    }

    #[test]
    fn the_hot_spot_lies_on_the_position_and_half_clear_pixels_are_blended() {
        let mut pixels = vec![100; 3 * 2 * 4];
        paint(&cursor(12, 21), &mut pixels, 10, 20, 3, 2);
        assert_eq!(pixels[16..20], [0, 0, 255, 100], "the opaque red pixel lies left of the hot spot");
        assert_eq!(pixels[20..24], [178, 178, 178, 100], "half white over grey 100");
        assert!(pixels[..16].iter().all(|&value| value == 100));
    }

    #[test]
    fn a_pointer_over_the_edge_is_cut_off() {
        for (x, y) in [(10, 19), (9, 20), (14, 22), (-5, -5)] {
            let mut pixels = vec![100; 3 * 2 * 4];
            paint(&cursor(x, y), &mut pixels, 10, 20, 3, 2);
            assert!(pixels.iter().all(|&value| value == 100), "at {x}, {y}");
        }
    }
}

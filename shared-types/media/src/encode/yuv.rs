//! Captured pictures to the encoder's form: BGRx to YUV 4:2:0 in the limited range of BT.601, at the same size.
//!
//! Straight from the captured picture into the encoder's, so that no pixel is copied first. All arithmetic fits into
//! 16 bits: the compiler makes it eight or sixteen pixels at a time.

use ff::util::frame::Video;
use ffmpeg_next as ff;

use crate::frame::BgraFrame;

/// Fills a YUV420P picture of the same size; sides are even.
pub(super) fn fill(frame: &BgraFrame, into: &mut Video) {
    debug_assert_eq!((frame.width, frame.height), (into.width(), into.height()));
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "code for a processor that was just asked whether it is one")]
        // SAFETY: the processor has AVX2.
        unsafe {
            fill_avx2(frame, into);
        }
        return;
    }
    fill_rows(frame, into);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(frame: &BgraFrame, into: &mut Video) {
    fill_rows(frame, into);
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it is compiled anew for each kind of processor that calls it")]
fn fill_rows(frame: &BgraFrame, into: &mut Video) {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let stride = into.stride(0);
    for (y, row) in into.data_mut(0).chunks_mut(stride).take(height).enumerate() {
        luma(frame.row(y as u32), &mut row[..width]);
    }
    let (mut blue, mut red) = (vec![0_u8; width / 2], vec![0_u8; width / 2]);
    for y in 0..height / 2 {
        let (above, below) = (frame.row(2 * y as u32), frame.row(2 * y as u32 + 1));
        chroma(above, below, &mut blue, &mut red);
        for (plane, row) in [(1, &blue), (2, &red)] {
            let start = y * into.stride(plane);
            into.data_mut(plane)[start..start + width / 2].copy_from_slice(row);
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it is compiled anew for each kind of processor that calls it")]
fn luma(pixels: &[u8], out: &mut [u8]) {
    for (pixel, out) in pixels.chunks_exact(4).zip(out) {
        let [b, g, r] = [pixel[0], pixel[1], pixel[2]].map(u16::from);
        *out = ((66 * r + 129 * g + 25 * b + 128) >> 8) as u8 + 16;
    }
}

/// Each pixel of colour is the mean of four.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it is compiled anew for each kind of processor that calls it")]
fn chroma(above: &[u8], below: &[u8], blue: &mut [u8], red: &mut [u8]) {
    let pairs = above.chunks_exact(8).zip(below.chunks_exact(8));
    for ((above, below), (blue, red)) in pairs.zip(blue.iter_mut().zip(red)) {
        let mean = |channel: usize| {
            let at = |pixels: &[u8], pixel: usize| i16::from(pixels[pixel * 4 + channel]);
            (at(above, 0) + at(above, 1) + at(below, 0) + at(below, 1) + 2) >> 2
        };
        let [b, g, r] = [mean(0), mean(1), mean(2)];
        *blue = (((112 * b - 74 * g - 38 * r + 128) >> 8) + 128) as u8;
        *red = (((112 * r - 94 * g - 18 * b + 128) >> 8) + 128) as u8;
    }
}

/// The same picture with both colours in one plane, as most graphics processors want it.
pub(super) fn interleave(from: &Video, into: &mut Video) {
    let (width, height) = (from.width() as usize, from.height() as usize);
    for y in 0..height {
        let row = &from.data(0)[y * from.stride(0)..][..width];
        let start = y * into.stride(0);
        into.data_mut(0)[start..start + width].copy_from_slice(row);
    }
    for y in 0..height / 2 {
        let start = y * into.stride(1);
        let out = &mut into.data_mut(1)[start..start + width];
        let (blue, red) = (&from.data(1)[y * from.stride(1)..], &from.data(2)[y * from.stride(2)..]);
        for (pair, (&blue, &red)) in out.chunks_exact_mut(2).zip(blue.iter().zip(red)) {
            pair.copy_from_slice(&[blue, red]);
        }
    }
}

#[cfg(test)]
mod tests {
    use ff::format::Pixel;

    use super::*;
    use crate::time::Monotonic;

    /// A picture of one colour, blue first, with rows longer than they need be.
    fn plain(colour: [u8; 3]) -> BgraFrame {
        let (width, height, stride) = (34, 6, 34 * 4 + 12);
        let pixel = [colour[0], colour[1], colour[2], 7];
        let data = pixel.into_iter().cycle().take(stride * height as usize).collect();
        BgraFrame { width, height, stride, data, at: Monotonic::from_nanos(0) }
    }

    #[test]
    fn colours_come_out_as_the_standard_says() {
        // BT.601: black, white, grey and the three colours, as (blue, green, red) and (Y, Cb, Cr).
        let rows = [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([128, 128, 128], [126, 128, 128]),
            ([0, 0, 255], [82, 90, 240]),
            ([0, 255, 0], [144, 54, 34]),
            ([255, 0, 0], [41, 240, 110]),
        ];
        for (colour, expected) in rows {
            let mut made = Video::new(Pixel::YUV420P, 34, 6);
            fill(&plain(colour), &mut made);
            let mut both = Video::new(Pixel::NV12, 34, 6);
            interleave(&made, &mut both);
            for (plane, expected) in expected.into_iter().enumerate() {
                let first = made.data(plane)[0];
                assert!(u8::abs_diff(first, expected) <= 1, "{colour:?}: {first} in plane {plane}");
                assert_eq!(made.data(plane)[2 * made.stride(plane) + 16], first);
            }
            assert_eq!(both.data(1)[both.stride(1)..][..2], [made.data(1)[0], made.data(2)[0]]);
        }
    }
}

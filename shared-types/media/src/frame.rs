//! Pictures and sound in memory.

use crate::time::{MediaTime, Monotonic};

/// A captured picture: 32-bit pixels, blue first (BGRx), rows `stride` bytes apart.
#[derive(Debug, Clone)]
pub struct BgraFrame {
    pub width: u32,
    pub height: u32,
    /// Bytes from one row to the next; at least `width * 4`.
    pub stride: usize,
    pub data: Vec<u8>,
    pub at: Monotonic,
}

/// Captured sound: interleaved samples in -1 to 1.
#[derive(Debug, Clone)]
pub struct AudioChunk {
    pub rate_hz: u32,
    pub channels: u16,
    pub samples: Vec<f32>,
    /// When the first sample was taken.
    pub at: Monotonic,
}

/// A decoded picture's luma, tightly packed, full range as decoded.
#[derive(Debug, Clone)]
pub struct LumaFrame {
    pub width: u32,
    pub height: u32,
    pub data: Vec<u8>,
    pub t: MediaTime,
}

/// A decoded picture in colour, 8 bits each of red, green, blue, tightly packed.
#[derive(Debug, Clone)]
pub struct RgbFrame {
    pub width: u32,
    pub height: u32,
    pub data: Vec<u8>,
    pub t: MediaTime,
}

impl RgbFrame {
    /// Its brightness as packed rows, by the weights of ITU-R BT.601 in 256ths.
    pub fn luma(&self) -> Vec<u8> {
        let luma = |pixel: &[u8]| {
            ((77 * u32::from(pixel[0]) + 150 * u32::from(pixel[1]) + 29 * u32::from(pixel[2])) >> 8) as u8
        };
        self.data.chunks_exact(3).map(luma).collect()
    }
}

impl BgraFrame {
    pub fn row(&self, y: u32) -> &[u8] {
        let start = y as usize * self.stride;
        &self.data[start..start + self.width as usize * 4]
    }
}

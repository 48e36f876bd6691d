//! The thumbnail sheet: one JPEG of small pictures at even distances, for the bar under the player.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use media::playback::PlaybackWriter;

use super::{SPRITE_FILE, SPRITE_INDEX_FILE, SpriteIndex};

const TILE_WIDTH: u32 = 160;
/// Bounds for pictures of absurd shape.
const TILE_HEIGHTS: std::ops::RangeInclusive<u32> = 16..=320;
const COLUMNS: u32 = 10;
const MAX_TILES: u32 = 100;
const JPEG_QUALITY: u8 = 75;
const BYTES_PER_PIXEL: usize = 3;

pub(super) struct Sprite {
    every_secs: f64,
    tile_height: u32,
    /// The tiles so far, each tightly packed.
    tiles: Vec<Vec<u8>>,
}

impl Sprite {
    pub(super) fn new(secs: f64) -> Self {
        let every_secs = (secs / f64::from(MAX_TILES)).ceil().max(1.0);
        Self { every_secs, tile_height: 0, tiles: Vec::new() }
    }

    /// Takes the tiles that are due before `until` from what is shown until then.
    pub(super) fn catch_up(&mut self, writer: &mut PlaybackWriter, until: f64) {
        let Some((width, height)) = writer.size() else { return };
        while self.tiles.len() < MAX_TILES as usize && (self.tiles.len() as f64 * self.every_secs) < until {
            if self.tile_height == 0 {
                let height = f64::from(TILE_WIDTH) * f64::from(height) / f64::from(width);
                self.tile_height = (height.round() as u32).clamp(*TILE_HEIGHTS.start(), *TILE_HEIGHTS.end());
            }
            let Some(tile) = writer.thumbnail(TILE_WIDTH, self.tile_height) else { return };
            self.tiles.push(tile.data);
        }
    }

    /// Writes sheet and index; tells whether there was anything to write.
    pub(super) fn save(&self, folder: &Path) -> io::Result<bool> {
        let count = self.tiles.len() as u32;
        if count == 0 {
            return Ok(false);
        }
        let columns = COLUMNS.min(count);
        let rows = count.div_ceil(columns);
        let tile_row = TILE_WIDTH as usize * BYTES_PER_PIXEL;
        let sheet_row = tile_row * columns as usize;
        let mut sheet = vec![0; sheet_row * (self.tile_height * rows) as usize];
        for (index, tile) in self.tiles.iter().enumerate() {
            let (column, row) = (index % columns as usize, index / columns as usize);
            let start = row * self.tile_height as usize * sheet_row + column * tile_row;
            for (y, line) in tile.chunks_exact(tile_row).enumerate() {
                sheet[start + y * sheet_row..][..tile_row].copy_from_slice(line);
            }
        }
        let out = BufWriter::new(File::create(folder.join(SPRITE_FILE))?);
        JpegEncoder::new_with_quality(out, JPEG_QUALITY)
            .encode(&sheet, TILE_WIDTH * columns, self.tile_height * rows, ExtendedColorType::Rgb8)
            .map_err(io::Error::other)?;
        let index = SpriteIndex {
            tile_width: TILE_WIDTH,
            tile_height: self.tile_height,
            columns,
            every_secs: self.every_secs,
            count,
        };
        fs::write(folder.join(SPRITE_INDEX_FILE), serde_json::to_vec(&index)?)?;
        Ok(true)
    }
}

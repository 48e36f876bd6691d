//! Where lines of text are.
//!
//! The network gives for every pixel how likely it belongs to the core of a line of text. Pixels over a threshold that
//! touch form one line; its box is grown back to full size, as the cores are shrunk in training. Text on screens is
//! level, so boxes are upright rectangles. Pictures over 1280 pixels on the long side are read at 1280: 12 pixel text
//! of a 1920x1080 screen is still found, at half the cost.

use std::path::Path;

use media::frame::RgbFrame;
use rten_tensor::NdTensor;

use super::region::Region;
use crate::models::net::{Net, NetError, Threads};

const LONGEST_SIDE: u32 = 1280;
/// The network halves its input five times.
const SIDE_STEP: u32 = 32;
/// Of the channels in the order blue, green, red, which the network was trained with.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
const TEXT_PIXEL: f32 = 0.3;
const TEXT_LINE: f32 = 0.5;
const SHORTEST_SIDE: u32 = 3;
/// How far a core is grown: area x this / perimeter.
const GROWTH: f32 = 1.6;

pub(super) struct Detector {
    net: Net,
}

impl Detector {
    pub(super) fn load(path: &Path, threads: &Threads) -> Result<Self, NetError> {
        Ok(Self { net: Net::load(path, threads)? })
    }

    pub(super) fn find_lines(&self, frame: &RgbFrame, part: Region) -> Result<Vec<Region>, NetError> {
        let longest = part.width().max(part.height());
        let scale = (LONGEST_SIDE as f32 / longest as f32).min(1.0);
        let width = ((part.width() as f32 * scale).round() as u32).max(1);
        let height = ((part.height() as f32 * scale).round() as u32).max(1);
        let (padded_width, padded_height) = (width.next_multiple_of(SIDE_STEP), height.next_multiple_of(SIDE_STEP));

        let pixels = super::recognise::resized(frame, part, width, height);
        let plane = (padded_width * padded_height) as usize;
        let mut input = vec![0.0_f32; plane * 3];
        for (channel, values) in input.chunks_exact_mut(plane).enumerate() {
            for (row, source) in
                values.chunks_exact_mut(padded_width as usize).zip(pixels.chunks_exact(width as usize * 3))
            {
                for (value, pixel) in row.iter_mut().zip(source.chunks_exact(3)) {
                    *value = (pixel[2 - channel] / 255.0 - MEAN[channel]) / DEVIATION[channel];
                }
            }
        }
        let input = NdTensor::from_data([1, 3, padded_height as usize, padded_width as usize], input);
        let map: NdTensor<f32, 4> = self.net.run(input)?;
        let likely = map.into_data();
        if likely.len() != plane {
            return Err(self.net.failed(&format!("{} values for {plane} pixels", likely.len())));
        }
        let map = Map { likely: &likely, stride: padded_width, width, height };
        Ok(map.lines().into_iter().map(|core| grow(core, scale, part)).filter(|line| !line.is_empty()).collect())
    }
}

/// Grows a core to the size of its text and turns it to pixels of the picture.
fn grow(core: Region, scale: f32, part: Region) -> Region {
    let (width, height) = (core.width() as f32, core.height() as f32);
    let by = width * height * GROWTH / (2.0 * (width + height));
    let to_picture = |value: f32, offset: u32| (f64::from(value / scale) + f64::from(offset)).max(0.0);
    Region {
        left: to_picture(core.left as f32 - by, part.left).round() as u32,
        top: to_picture(core.top as f32 - by, part.top).round() as u32,
        right: to_picture(core.right as f32 + by, part.left).round() as u32,
        bottom: to_picture(core.bottom as f32 + by, part.top).round() as u32,
    }
    .within(part)
}

struct Map<'a> {
    likely: &'a [f32],
    stride: u32,
    width: u32,
    height: u32,
}

impl Map<'_> {
    /// The boxes of all groups of touching text pixels.
    fn lines(&self) -> Vec<Region> {
        let mut seen = vec![false; self.likely.len()];
        let mut lines = Vec::new();
        let mut open = Vec::new();
        for y in 0..self.height {
            for x in 0..self.width {
                if !self.is_text(x, y) || seen[self.index(x, y)] {
                    continue;
                }
                open.push((x, y));
                seen[self.index(x, y)] = true;
                let mut core = Region { left: x, top: y, right: x + 1, bottom: y + 1 };
                let mut sum = 0.0;
                let mut count = 0.0_f32;
                while let Some((x, y)) = open.pop() {
                    sum += self.likely[self.index(x, y)];
                    count += 1.0;
                    core = core.joined(Region { left: x, top: y, right: x + 1, bottom: y + 1 });
                    for next_y in y.saturating_sub(1)..(y + 2).min(self.height) {
                        for next_x in x.saturating_sub(1)..(x + 2).min(self.width) {
                            if self.is_text(next_x, next_y) && !seen[self.index(next_x, next_y)] {
                                seen[self.index(next_x, next_y)] = true;
                                open.push((next_x, next_y));
                            }
                        }
                    }
                }
                let large_enough = core.width().min(core.height()) >= SHORTEST_SIDE;
                if large_enough && sum / count >= TEXT_LINE {
                    lines.push(core);
                }
            }
        }
        lines
    }

    fn is_text(&self, x: u32, y: u32) -> bool {
        self.likely[self.index(x, y)] > TEXT_PIXEL
    }

    fn index(&self, x: u32, y: u32) -> usize {
        (y * self.stride + x) as usize
    }
}
